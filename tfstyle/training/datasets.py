"""Pictures for training as `tf.data.Dataset`s: batches of one folder, and unpaired ones of two."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.core.errors import InputError, check_whole
from tfstyle.core.runtime import steady
from tfstyle.training.crops import Crops, listed

Folder = str | os.PathLike[str]
_SECOND = 1  # added to the seed of the second folder, so that equal folders don't make pairs of equal pictures


def unpaired(
    first: Folder | Sequence[Folder] | Crops,
    second: Folder | Sequence[Folder] | Crops,
    *,
    side: int = 256,
    batch: int = 1,
    resize: int | None = 286,
    flip: bool = True,
    seed: int = 0,
    steps: int | None = None,
    epoch: int = 0,
) -> tf.data.Dataset:
    """Batches of crops from two folders, such as photographs and paintings, for `fit`.

    Each iteration over the dataset is an epoch of its own, with other crops, and other partners from one folder to
    the other; all of them depend on the seed and the epoch's number alone. Files that can't be read are skipped.
    Pictures are decoded and resized once, cropped and mirrored anew each time.

    Args:
        first: A folder of pictures, or several; or `Crops` of them.
        second: The same, for the other half of each pair.
        side: Of the crops, in pixels.
        batch: Pairs a step.
        resize: The pictures' shorter side before the cropping, in pixels; None for crops of any scale.
        flip: Whether every second crop, by chance, is mirrored.
        seed: Of order and crops.
        steps: Batches an epoch; None for as many as the larger folder's pictures fill.
        epoch: The number of the first iteration: where a training goes on.

    Returns:
        `(first, second)`, each float32 (batch, side, side, 3), RGB in [0, 1].

    Raises:
        InputError: No such folder, nothing usable in it, or numbers of no use.
    """
    crops = []
    for place, given in enumerate((first, second)):
        if not isinstance(given, Crops):
            paths = listed([given] if isinstance(given, (str, os.PathLike)) else given)
            given = Crops(paths, side, batch, seed + place * _SECOND, resize=resize, flip=flip)
        crops.append(given)
    one, other = crops
    if one.batch != other.batch:
        raise InputError(f"batches of {one.batch} and {other.batch} can't be paired: give both the same")
    one(0), other(0)  # so that what is of no use is said here, not from within TensorFlow
    if steps is None:
        steps = -(-max(len(one.paths), len(other.paths)) // one.batch)
    check_whole("steps", steps, 1, 10_000_000)
    return _epochs(
        lambda step: (one(step), other(step)), ((one.batch, one.side), (other.batch, other.side)), steps, epoch
    )


def single(crops: Crops, *, steps: int | None = None, epoch: int = 0) -> tf.data.Dataset:
    """Batches of crops alone, for models from noise; otherwise as `unpaired`.

    Args:
        crops: Of the pictures.
        steps: Batches an epoch; None for as many as the pictures fill.
        epoch: The number of the first iteration.

    Returns:
        float32 (batch, side, side, 3), RGB in [0, 1].

    Raises:
        InputError: None can be read, or numbers of no use.
    """
    crops(0)
    steps = -(-len(crops.paths) // crops.batch) if steps is None else steps
    check_whole("steps", steps, 1, 10_000_000)
    return _epochs(lambda step: (crops(step),), ((crops.batch, crops.side),), steps, epoch).map(lambda x: x)


def fixed(first: Crops, second: Crops, steps: int) -> tf.data.Dataset:
    """The first batches, always the same ones, to evaluate on; as of `unpaired`."""
    batches = [(first(step), second(step)) for step in range(steps)]
    return steady(tf.data.Dataset.from_tensor_slices(tuple(np.stack(half) for half in zip(*batches, strict=True))))


def _epochs(
    draw: Callable[[int], tuple[np.ndarray, ...]],
    sizes: Sequence[tuple[int, int]],
    steps: int,
    epoch: int,
) -> tf.data.Dataset:
    """Epochs of `steps` draws; each iterator that is made of the dataset is the next epoch."""
    number = epoch

    def begin() -> np.ndarray:
        nonlocal number
        number += 1
        return np.array((number - 1) * steps, np.int64)

    def drawn(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
        batches = tf.numpy_function(lambda step: draw(int(step)), [step], [tf.float32] * len(sizes))
        for pictures, (batch, side) in zip(batches, sizes, strict=True):
            pictures.set_shape((batch, side, side, 3))
        return tuple(batches)

    def numbered(_: tf.Tensor) -> tf.data.Dataset:
        start = tf.numpy_function(begin, [], tf.int64)
        start.set_shape(())
        return tf.data.Dataset.range(start, start + steps)

    dataset = tf.data.Dataset.range(1).flat_map(numbered)
    dataset = dataset.map(drawn, num_parallel_calls=2, deterministic=True)  # Python decodes one at a time
    return steady(dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2))
