"""Padding by reflection, which leaves no border where there was none."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any
Sides = tuple[tuple[int, int], tuple[int, int]]


@keras.saving.register_keras_serializable(package="tfstyle")
class ReflectionPadding2D(keras.layers.Layer):
    """Pad by reflection at the borders, which are not repeated: `abc` becomes `babcb`.

    Args:
        padding: As of `keras.layers.ZeroPadding2D`: one number for all sides, (rows, columns), or
            ((top, bottom), (left, right)); less than the sides of what is padded.
    """

    def __init__(self, padding: int | tuple[int, int] | Sides = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pairs = (padding, padding) if isinstance(padding, int) else padding
        rows, columns = ((side, side) if isinstance(side, int) else tuple(side) for side in pairs)
        self.padding = (rows, columns)
        self.built = True

    def call(self, pictures: Tensor) -> Tensor:
        """`(batch, height, width, channels)` with more rows and columns."""
        return ops.pad(pictures, ((0, 0), *self.padding, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The larger shape, where the size is known."""
        batch, height, width, channels = input_shape
        sides = zip((height, width), self.padding, strict=True)
        return (batch, *(None if side is None else side + sum(pads) for side, pads in sides), channels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "padding": self.padding}
