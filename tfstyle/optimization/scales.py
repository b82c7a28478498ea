"""Scales: the sizes at which a large picture is painted one after the other, from coarse to fine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tfstyle.core.errors import InputError

if TYPE_CHECKING:
    from tfstyle.optimization.canvas import Canvas

FACTOR = 2  # ratio of two successive sizes (chosen)
FIRST_SIZE = 512  # in pixels (chosen): about the size of the pictures that networks are trained on


def plan(size: int, steps: int, number: int | None = None, least: int = 1) -> list[tuple[int, int]]:
    """The longer side, in pixels, and the steps of each scale, from the coarsest to `size`.

    Each scale takes half the steps of the one before, as it adds finer detail only (chosen).

    Args:
        size: Longer side of the result, in pixels.
        steps: Number of steps at the first scale.
        number: Number of scales. None for as many as start at about `FIRST_SIZE`, at most √2 times larger.
        least: The smallest size, in pixels, that the networks take.

    Raises:
        InputError: That number of scales would start below the least size.

    Examples:
        >>> plan(2048, 300)
        [(512, 300), (1024, 150), (2048, 75)]
    """
    wanted = 1 + max(0, round(math.log(size / FIRST_SIZE, FACTOR))) if number is None else number
    possible = next((n for n in range(wanted, 1, -1) if _size(size, n - 1) >= least), 1)
    if number is not None and possible < wanted and size >= least:
        raise InputError(
            f"{wanted} scales up to {size} pixels start at {_size(size, wanted - 1)}, and these pictures need at "
            f"least {least}: give {possible} or fewer"
        )
    return [(_size(size, possible - 1 - k), math.ceil(steps / 2**k)) for k in range(possible)]


def _size(size: int, halvings: int) -> int:
    return max(1, round(size / FACTOR**halvings))


def warm_start(old: Canvas, new: Canvas) -> None:
    """Give the optimizer of a larger canvas the state of the optimizer of a smaller one.

    Steps are resized like pictures. Gradients are divided by the ratio of the numbers of pixels. Pairs of L-BFGS that
    have no positive curvature after that are left out. Optimizers other than L-BFGS and Adam, and parameterizations
    other than pixels, start fresh.

    A fresh start did better in most of our trials, as the curvature near the minimum of a picture says little about
    the enlarged picture, which is far from its minimum. From 192 to 384 pixels, after 30 coarse and 15 fine steps
    (VGG19, ImageNet weights, float32, three pairs of pictures), the loss with a warm start was 3.4 to 7.8 % higher
    with L-BFGS and `gatys`, 1.3 to 6.4 % higher with L-BFGS and `li2017-batchnorm`, and from 4.1 % lower to 8.4 %
    higher with Adam.

    Args:
        old: A canvas that has been painted.
        new: A larger, compiled canvas with the same kind of optimizer.
    """
    import keras
    import tensorflow as tf

    from tfstyle.optimization.lbfgs import LBFGS
    from tfstyle.optimization.parameterization import Pixels

    a, b = old.optimizer, new.optimizer
    same_kind = type(a) is type(b) and type(old.parameterization) is type(new.parameterization) is Pixels
    if not same_kind:
        return
    ratio = math.prod(old.pixels.shape) / math.prod(new.pixels.shape)
    if isinstance(a, LBFGS) and isinstance(b, LBFGS) and a.history == b.history:
        for source, target, parameter in zip(a.states, b.states, new.parameters, strict=True):
            pairs = 0
            for number in range(max(0, int(source["pairs"]) - a.history), int(source["pairs"])):  # the oldest first
                step, change = (
                    _resized(
                        tf.cast(source[key].value.sparse_read([number % a.history])[0], parameter.dtype),
                        parameter.shape,
                    )
                    for key in ("steps", "changes")
                )
                least = keras.config.epsilon() * tf.norm(step) * tf.norm(change)
                if not tf.reduce_sum(step * change) > least:
                    continue  # its curvature was in detail that resizing has smoothed
                for key, value in (("steps", step), ("changes", change * ratio)):
                    target[key].value.scatter_update(
                        tf.IndexedSlices(tf.cast(value[None], target[key].dtype), [pairs])
                    )
                pairs += 1
            target["pairs"].assign(pairs)
            target["unit"].assign(source["unit"])
            target["value"].assign(parameter)  # so that the enlargement makes no pair
        b.iterations.assign(a.iterations)
    elif isinstance(a, keras.optimizers.Adam) and isinstance(b, keras.optimizers.Adam):
        moments = ((a._momentums, b._momentums, ratio), (a._velocities, b._velocities, ratio**2))
        for sources, targets, factor in moments:
            for source, target in zip(sources, targets, strict=True):
                target.assign(_resized(source, target.shape) * factor)
        b.iterations.assign(a.iterations)


def _resized(picture: Any, shape: Any) -> Any:
    """A tensor `(1, height, width, channels)` in the size of another shape. Positive values stay positive."""
    import tensorflow as tf

    return tf.cast(tf.image.resize(tf.convert_to_tensor(picture), shape[1:3], "bilinear"), picture.dtype)
