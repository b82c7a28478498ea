"""3x3 convolutions by minimal filtering, which takes half the time of TensorFlow's on CPUs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle.core.gradients import custom_gradient
from tfstyle.core.typing import Tensor

KERNEL, TILE = 3, 4  # rows and columns of the kernel, and of the results of a tile: F(4x4, 3x3)
INPUT = TILE + KERNEL - 1  # rows and columns of the inputs of a tile
_OVERLAP = INPUT - TILE
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5))  # and ∞; chosen: half the rounding error of 0, ±1, ±2
_ONLY: dict[str, Any] = {
    "kernel_size": (KERNEL, KERNEL),
    "strides": (1, 1),
    "dilation_rate": (1, 1),
    "groups": 1,
    "padding": "valid",
    "data_format": "channels_last",
}
_LEAST_CHANNELS = 64  # chosen: with fewer, the transforms take more time than they save


@keras.saving.register_keras_serializable(package="tfstyle")
class WinogradConv2D(keras.layers.Conv2D):
    """A 3x3 `keras.layers.Conv2D` without strides or padding, with a quarter of the multiplications.

    Minimal filtering is used where it is faster: on CPUs, in float32, for 64 channels and more, if the size of the
    images is known when a step is traced. Elsewhere, as on GPUs, whose libraries choose the algorithm, it is the
    plain convolution. The two differ by rounding: the error is about 1.5e-6 of the outputs, and 0.9e-6 for the plain
    one.

    Args:
        filters: Channels of the output.
        kernel_size: 3, in any form that `keras.layers.Conv2D` takes.
        **kwargs: As for `keras.layers.Conv2D`.

    Raises:
        ValueError: Another kernel size, or strides, dilation, groups or padding other than the defaults of `Conv2D`.

    Reference:
        Winograd 1980, "Arithmetic Complexity of Computations"; Lavin & Gray 2016, "Fast Algorithms for Convolutional
        Neural Networks", section 4.
    """

    def __init__(self, filters: int, kernel_size: Any = KERNEL, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, **{"data_format": "channels_last", **kwargs})
        for name, only in _ONLY.items():
            if getattr(self, name) != only:
                raise ValueError(f"{name} {getattr(self, name)!r} is not {only!r}: use keras.layers.Conv2D")

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Features `(batch, rows, columns, channels)` to features with two rows and columns less."""
        if _worthwhile(inputs, kernel):
            return winograd_convolution(inputs, tf.convert_to_tensor(kernel))
        return super().convolution_op(inputs, kernel)


def _worthwhile(inputs: Tensor, kernel: Tensor) -> bool:
    return (
        keras.backend.standardize_dtype(inputs.dtype) == "float32"
        and None not in inputs.shape[1:]
        and min(kernel.shape[2:]) >= _LEAST_CHANNELS
        and not tf.config.list_physical_devices("GPU")
    )


@custom_gradient
def winograd_convolution(
    features: Tensor, kernel: Tensor
) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, Tensor]]]:
    """`tf.nn.conv2d(features, kernel, 1, "VALID")`, for each tile x: Aᵀ [(G k Gᵀ) ⊙ (Bᵀ x B)] A.

    ⊙ goes over the positions in a tile; for each of them it is a matrix product over channels. Gradients use the
    transposed operations, and transform features and kernel again: storing them would more than double the memory.

    Args:
        features: float32 `(batch, rows, columns, channels)`; rows and columns must be known when this is traced.
        kernel: float32 `(3, 3, channels, filters)`.

    Returns:
        float32 `(batch, rows - 2, columns - 2, filters)`.
    """
    of_result, of_kernel, of_features = _matrices()
    height, width, channels = features.shape[1:]
    filters = kernel.shape[-1]
    down, across = (-(-(side - _OVERLAP) // TILE) for side in (height, width))  # tiles
    spare = (TILE * down + _OVERLAP - height, TILE * across + _OVERLAP - width)

    def by_tiles(pictures: Tensor) -> Tensor:
        more = ((0, 0), *((0, each) for each in spare), (0, 0))
        return tf.pad(pictures, more) if any(spare) else pictures

    def transformed() -> Tensor:
        tiles = _overlapping(by_tiles(features), down, across)
        return tf.reshape(of_features @ tiles, (INPUT**2, -1, channels))

    def weights() -> Tensor:
        return tf.reshape(of_kernel @ tf.reshape(tf.identity(kernel), (KERNEL**2, -1)), (INPUT**2, channels, filters))

    with tf.control_dependencies([features]):  # or the weights of all layers would be in memory at once
        weights_now = weights()
    products = tf.reshape(transformed() @ weights_now, (INPUT**2, -1))
    result = _side_by_side(tf.reshape(of_result @ products, (TILE, TILE, -1, down, across, filters)))

    def gradients(upstream: Tensor) -> tuple[Tensor, Tensor]:
        tiles = tf.reshape(_apart(by_tiles(upstream), down, across), (TILE**2, -1))
        tiles = tf.reshape(of_result.T @ tiles, (INPUT**2, -1, filters))
        with tf.control_dependencies([tiles]):  # or it would be computed in the forward pass, and stored
            to_kernel = of_kernel.T @ tf.reshape(tf.matmul(transformed(), tiles, transpose_a=True), (INPUT**2, -1))
        with tf.control_dependencies([to_kernel]):  # or upstream gradients of many layers would have to be stored
            products = tf.reshape(tf.matmul(tiles, weights(), transpose_b=True), (INPUT**2, -1))
        to_features = _added(of_features.T @ products, down, across, channels)[:, :height, :width]
        return to_features, tf.reshape(to_kernel, kernel.shape)

    return result[:, : height - _OVERLAP, : width - _OVERLAP], gradients


@lru_cache(maxsize=1)
def _matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Aᵀ ⊗ Aᵀ, G ⊗ G and Bᵀ ⊗ Bᵀ, for tiles that are flattened row by row.

    The product of two polynomials follows from their values at points (Toom and Cook): if V(n) are the powers below n
    of all points, the coefficients are V(6)⁻¹ [V(3) k ⊙ V(4) y]. The convolution is the transpose of that:
    Aᵀ = V(4)ᵀ, G = V(3) and Bᵀ = V(6)⁻ᵀ.
    """

    def powers(below: int) -> np.ndarray:
        at_infinity = np.eye(below)[-1:]
        return np.concatenate([np.vander(_POINTS, below, increasing=True), at_infinity])

    each = powers(TILE).T, powers(KERNEL), np.linalg.inv(powers(INPUT)).T
    first, second, third = (np.kron(matrix, matrix).astype("float32") for matrix in each)
    return first, second, third


def _apart(pictures: Tensor, down: int, across: int) -> Tensor:
    """Images of adjacent tiles to `(4, 4, batch, down, across, channels)`."""
    tiles = tf.reshape(pictures, (-1, down, TILE, across, TILE, pictures.shape[-1]))
    return tf.transpose(tiles, (2, 4, 0, 1, 3, 5))


def _side_by_side(tiles: Tensor) -> Tensor:
    """The inverse of `_apart`."""
    _, _, _, down, across, channels = tiles.shape
    return tf.reshape(tf.transpose(tiles, (2, 3, 0, 4, 1, 5)), (-1, down * TILE, across * TILE, channels))


def _overlapping(pictures: Tensor, down: int, across: int) -> Tensor:
    """All 6x6 tiles, which overlap by 2, of images with 2 pixels more than whole tiles: `(36, tiles x channels)`."""
    more = (0, TILE - _OVERLAP)
    x = _apart(tf.pad(pictures, ((0, 0), more, more, (0, 0))), down + 1, across + 1)
    x = tf.concat([x[:, :, :, :-1], x[:_OVERLAP, :, :, 1:]], 0)
    x = tf.concat([x[:, :, :, :, :-1], x[:, :_OVERLAP, :, :, 1:]], 1)
    return tf.reshape(x, (INPUT**2, -1))


def _added(tiles: Tensor, down: int, across: int, channels: int) -> Tensor:
    """The transpose of `_overlapping`: images that are the sums of their tiles."""
    x = tf.reshape(tiles, (INPUT, INPUT, -1, down, across, channels))
    return _side_by_side(_sum(_sum(x, 1, 4), 0, 3))[:, : TILE * down + _OVERLAP, : TILE * across + _OVERLAP]


def _sum(x: Tensor, within: int, between: int) -> Tensor:
    """Six rows of each tile to four: the last two are added to the first two of the next tile."""
    first_rows, last_rows = tf.split(x, (TILE, _OVERLAP), within)
    last, first = [(0, 0)] * 6, [(0, 0)] * 6
    last[between], first[between], first[within] = (0, 1), (1, 0), (0, TILE - _OVERLAP)
    return tf.pad(first_rows, last) + tf.pad(last_rows, first)
