"""Padding by reflection, which adds no visible border."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.typing import Tensor

Sides = tuple[tuple[int, int], tuple[int, int]]


@keras.saving.register_keras_serializable(package="tfstyle")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads by reflection at the borders, which are not repeated: `abc` becomes `babcb`.

    Args:
        padding: As for `keras.layers.ZeroPadding2D`: one number for all sides, (rows, columns), or
            ((top, bottom), (left, right)). It must be less than the sides of the images.
    """

    def __init__(self, padding: int | tuple[int, int] | Sides = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pairs = (padding, padding) if isinstance(padding, int) else padding
        rows, columns = ((side, side) if isinstance(side, int) else tuple(side) for side in pairs)
        self.padding = (rows, columns)
        self.built = True

    def call(self, pictures: Tensor) -> Tensor:
        """Images or features `(batch, height, width, channels)` with more rows and columns."""
        return ops.pad(pictures, ((0, 0), *self.padding, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The padded shape, where the size is known."""
        batch, height, width, channels = input_shape
        sides = zip((height, width), self.padding, strict=True)
        return (batch, *(None if side is None else side + sum(pads) for side, pads in sides), channels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable(package="tfstyle")
class ReflectedConvolution(keras.layers.Layer):
    """A convolution with padding "same" and stride 1 that pads by reflection instead of with zeros.

    It uses the weights of an existing layer.

    Args:
        convolution: A built `keras.layers.Conv2D` with an odd kernel size.
    """

    def __init__(self, convolution: keras.layers.Conv2D, **kwargs: Any) -> None:
        super().__init__(**{"name": convolution.name, "dtype": convolution.dtype_policy, **kwargs})
        self.convolution = convolution
        self.built = True

    @staticmethod
    def fits(layer: keras.layers.Layer) -> bool:
        """Whether a layer is a convolution that can be padded by reflection, and needs padding."""
        return (
            type(layer) is keras.layers.Conv2D
            and (layer.padding, layer.strides) == ("same", (1, 1))
            and all(size % 2 for size in layer.kernel_size)
            and max(layer.kernel_size) > 1
        )

    def call(self, features: Tensor) -> Tensor:
        """Features `(batch, rows, columns, channels)` to features with as many rows and columns."""
        layer = self.convolution
        sizes, dilations = layer.kernel_size, layer.dilation_rate
        rows, columns = (((size - 1) // 2 * dilation,) * 2 for size, dilation in zip(sizes, dilations, strict=True))
        padded = ops.pad(features, ((0, 0), rows, columns, (0, 0)), mode="reflect")
        outputs = ops.conv(
            padded, layer.kernel, padding="valid", dilation_rate=dilations, data_format="channels_last"
        )
        return layer.activation(outputs + layer.bias if layer.use_bias else outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the convolution's output."""
        return self.convolution.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "convolution": keras.saving.serialize_keras_object(self.convolution)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ReflectedConvolution:
        """The layer that `get_config` describes."""
        return cls(**{**config, "convolution": keras.saving.deserialize_keras_object(config["convolution"])})
