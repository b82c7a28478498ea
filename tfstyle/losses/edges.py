"""Edges: a loss on the pixels that keeps the photograph's outlines where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfstyle.images.luminance import BT601
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.terms import PIXELS, Features, Masks, Sums, Targets, Term, Windows

Tensor = Any

LEAST = (1 / 255) ** 2  # of a gradient's square (chosen): what changes by less than a level of 8 bits has no edges


@keras.saving.register_keras_serializable(package="tfstyle")
class EdgeTerm(Term):
    """How far the edges in luminance are from the content picture's own.

    With ∇Y the gradient of the luminance, from 0 to 1 per pixel, and ∇P the content's, the loss is
    mean |∇Y − ∇P|² / (mean |∇P|² + 1/255²) over the pixels that have all their neighbours. It has no units: 1 is a
    picture without edges. The gradient is Sobel's, over 8, so that of a ramp it is the slope.

    Args:
        weight: Factor of the loss.
        name: Under which the loss is reported.

    Reference:
        Sobel & Feldman 1968, "A 3x3 Isotropic Gradient Operator for Image Processing"; as an edge-aware content
        loss chosen.
    """

    def __init__(self, weight: float = 1.0, name: str = "edges") -> None:
        super().__init__(None, [PIXELS], weight, name)

    @property
    def kept_layers(self) -> tuple[str, ...]:
        """The content's pixels."""
        return self.layers

    def survey(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """Σ |∇P|² and the number of pixels."""
        return self._squares(luminance(features[PIXELS]), windows)

    def targets(
        self,
        kept: Features,
        content: Sums,
        styles: Sequence[Sums],
        mix: Sequence[Sequence[float]],
        masks: Masks | None,
    ) -> Targets:
        """The content's luminance, and its mean |∇P|²."""
        return {"luminance": luminance(kept[PIXELS]), "size": content["squares"] / content["count"]}

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """Σ |∇Y − ∇P|² and the number of pixels."""
        here = luminance(features[PIXELS])
        there = windows[PIXELS].cut(targets["luminance"], here.shape[1:3])
        return self._squares(here - there, windows)  # the gradient is linear

    def _squares(self, y: Tensor, windows: Windows) -> Sums:
        across, down = (_slopes(y, axis) for axis in (2, 1))
        squares = ops.square(across) + ops.square(down)
        weights = windows[PIXELS].weights(y.shape[1:3])
        weights = ops.ones_like(squares[:1, ..., 0]) if weights is None else weights[:, 1:-1, 1:-1]
        weights = ops.cast(weights, squares.dtype)[..., None]
        count = ops.zeros(squares.shape[:1], squares.dtype) + ops.sum(weights)
        return {"squares": ops.sum(squares * weights, axis=(1, 2, 3)), "count": count}

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        return sums["squares"] / sums["count"] / (targets["size"] + LEAST)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"weight": self.weight, "name": self.name}


def luminance(pictures: Tensor) -> Tensor:
    """Y of YIQ: `(batch, height, width, 3)` to `(batch, height, width, 1)`, both in [0, 1]."""
    pictures = at_least_float32(pictures)
    return ops.sum(pictures * ops.convert_to_tensor(BT601, pictures.dtype), axis=-1, keepdims=True)


def _slopes(y: Tensor, axis: int) -> Tensor:
    """Sobel's derivative along an axis, over 8, of the pixels inside: `(batch, height − 2, width − 2, 1)`."""
    if axis == 1:
        return ops.swapaxes(_slopes(ops.swapaxes(y, 1, 2), 2), 1, 2)
    change = y[:, :, 2:] - y[:, :, :-2]
    return (change[:, :-2] + 2 * change[:, 1:-1] + change[:, 2:]) / 8
