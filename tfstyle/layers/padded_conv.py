"""Convolutions with the padding of PyTorch: equal on all sides, for all strides and sizes."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core.saving import formerly
from tfstyle.core.typing import Tensor

# Padding within the convolution takes a fifth less time, and half less in transposed ones. In half precision it is
# slower, as TensorFlow has no fast kernels for that on CPUs.
_PADS_WITHIN = "float32"


@keras.saving.register_keras_serializable(package="tfstyle")
class PaddedConv2D(keras.layers.Conv2D):
    """`torch.nn.Conv2d(..., padding=pad)`: zeros on all four sides. With strides, Keras' `"same"` pads differently.

    Args:
        *args: As for `keras.layers.Conv2D`.
        pad: Rows and columns of zeros on each side.
        **kwargs: As for `keras.layers.Conv2D`, without `padding`.

    Raises:
        ValueError: A `padding` other than "valid".
    """

    def __init__(self, *args: Any, pad: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.padding != "valid":
            raise ValueError(f"padding {self.padding!r} is not 'valid': give pad, rows and columns of zeros")
        self.pad = pad

    def call(self, inputs: Tensor) -> Tensor:
        """Features `(batch, rows, columns, channels)` to features."""
        sides: Any = [[0, 0], [self.pad, self.pad], [self.pad, self.pad], [0, 0]]
        if self.compute_dtype == _PADS_WITHIN:
            outputs = tf.nn.conv2d(inputs, ops.convert_to_tensor(self.kernel), self.strides, sides)
        else:
            outputs = self.convolution_op(ops.pad(inputs, sides), self.kernel)
        return self.activation(outputs + self.bias if self.use_bias else outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape for the padded inputs."""
        batch, height, width, channels = input_shape
        padded = (None if side is None else side + 2 * self.pad for side in (height, width))
        return super().compute_output_shape((batch, *padded, channels))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "pad": self.pad}


@formerly("DoublingConv2DTranspose")
@keras.saving.register_keras_serializable(package="tfstyle")
class UpsamplingConv2DTranspose(keras.layers.Conv2DTranspose):
    """`torch.nn.ConvTranspose2d(n, filters, 3, stride=2, padding=1, output_padding=1)`, which doubles both sides.

    Args:
        filters: Channels of the output.
        **kwargs: As for `keras.layers.Conv2DTranspose`, without kernel size, strides and padding.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(filters, **{**kwargs, "kernel_size": 3, "strides": 2, "padding": "valid"})

    def call(self, inputs: Tensor) -> Tensor:
        """Features `(batch, rows, columns, channels)` to `(batch, 2 rows, 2 columns, filters)`."""
        batch, rows, columns, _ = ops.shape(inputs)
        kernel = ops.convert_to_tensor(self.kernel)
        if (
            self.compute_dtype == _PADS_WITHIN and isinstance(rows, int) and isinstance(columns, int)
        ):  # which TFLite needs
            shape = (batch, 2 * rows, 2 * columns, self.filters)
            outputs = tf.nn.conv2d_transpose(inputs, kernel, shape, 2, [[0, 0], [1, 1], [1, 1], [0, 0]])
        else:
            shape = (batch, 2 * rows + 1, 2 * columns + 1, self.filters)
            outputs = tf.nn.conv2d_transpose(inputs, kernel, shape, 2, "VALID")[:, 1:, 1:]
        return self.activation(outputs + self.bias if self.use_bias else outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape with twice the rows and columns, where they are known."""
        batch, height, width, _ = input_shape
        return (batch, *(None if side is None else 2 * side for side in (height, width)), self.filters)

    def compute_output_spec(self, inputs: Tensor) -> Tensor:
        """The shape with twice the rows and columns, where they are known."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)
