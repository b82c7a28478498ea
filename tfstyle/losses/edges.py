"""Edge loss: keeps the outlines of the content image."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.images.luminance import BT601
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.term import PIXELS, Features, Masks, References, Sums, Targets, Term, Windows

LEAST_SQUARE = (1 / 255) ** 2  # of a gradient (chosen): changes below one level of 8 bits are no edges


@keras.saving.register_keras_serializable(package="tfstyle")
class EdgeTerm(Term):
    """Squared difference of the edges in luminance from those of the content image.

    ∇Y is the gradient of the luminance, in units of its range per pixel, and ∇P that of the content image. The loss
    is mean |∇Y − ∇P|² / (mean |∇P|² + 1/255²) over the pixels that have all their neighbours. It has no units: a
    picture without edges has about 1. The gradient is Sobel's divided by 8, which is the slope of a ramp.

    Args:
        weight: Factor of the loss, at least 0.
        name: Name under which the loss is reported.

    Raises:
        InputError: The weight is negative.

    Reference:
        Sobel & Feldman 1968, "A 3x3 Isotropic Gradient Operator for Image Processing"; its use as a content loss is
        chosen.

    Examples:
        >>> import numpy as np
        >>> from tfstyle import Objective
        >>> content = np.zeros((1, 8, 8, 3), "float32")
        >>> content[:, :, 4:] = 1.0
        >>> objective = Objective([EdgeTerm()])
        >>> targets = objective.targets(content, [content])
        >>> round(float(objective(0 * content, targets)["edges"][0]), 3)
        1.0
    """

    def __init__(self, weight: float = 1.0, name: str = "edges") -> None:
        super().__init__(None, [PIXELS], weight, name)

    @property
    def target_layers(self) -> tuple[str, ...]:
        """The pixels."""
        return self.layers

    def reference_sums(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """Σ |∇P|² and the number of pixels."""
        return self._squares(luminance(features[PIXELS]), windows)

    def targets(self, references: References) -> Targets:
        """The luminance of the content image, and its mean |∇P|²."""
        sums = references.content_sums
        return {
            "luminance": luminance(references.content_features[PIXELS]),
            "size": sums["squares"] / sums["count"],
        }

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """Σ |∇Y − ∇P|² and the number of pixels."""
        y = luminance(features[PIXELS])
        target = windows[PIXELS].cut(targets["luminance"], y.shape[1:3])
        return self._squares(y - target, windows)  # the gradient is linear

    def _squares(self, y: Tensor, windows: Windows) -> Sums:
        across, down = (_slopes(y, axis) for axis in (2, 1))
        squares = ops.square(across) + ops.square(down)
        weights = windows[PIXELS].weights(y.shape[1:3])
        weights = ops.ones_like(squares[:1, ..., 0]) if weights is None else weights[:, 1:-1, 1:-1]
        weights = ops.cast(weights, squares.dtype)[..., None]
        count = ops.zeros(squares.shape[:1], squares.dtype) + ops.sum(weights)
        return {"squares": ops.sum(squares * weights, axis=(1, 2, 3)), "count": count}

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """The loss by the formula of the class, `(batch,)`."""
        return sums["squares"] / sums["count"] / (targets["size"] + LEAST_SQUARE)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"weight": self.weight, "name": self.name}


def luminance(pictures: Tensor) -> Tensor:
    """The luminance Y of YIQ: `(batch, height, width, 3)` to `(batch, height, width, 1)`, both in [0, 1]."""
    pictures = at_least_float32(pictures)
    return ops.sum(pictures * ops.convert_to_tensor(BT601, pictures.dtype), axis=-1, keepdims=True)


def _slopes(y: Tensor, axis: int) -> Tensor:
    """Sobel's derivative divided by 8.

    Args:
        y: `(batch, height, width, 1)`.
        axis: 1 for the derivative along columns, 2 along rows.

    Returns:
        `(batch, height − 2, width − 2, 1)`, for the pixels that have all their neighbours.
    """
    if axis == 1:
        return ops.swapaxes(_slopes(ops.swapaxes(y, 1, 2), 2), 1, 2)
    change = y[:, :, 2:] - y[:, :, :-2]
    return (change[:, :-2] + 2 * change[:, 1:-1] + change[:, 2:]) / 8
