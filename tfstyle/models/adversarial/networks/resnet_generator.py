"""The residual generator of CycleGAN: from image to image."""

from __future__ import annotations

from typing import Any

import keras

from tfstyle.core.precision import image_dtype
from tfstyle.core.step_random import split_seed
from tfstyle.core.typing import Tensor
from tfstyle.layers import (
    CropTo,
    InstanceNormalization,
    PaddedConv2D,
    PadToMultiple,
    ReflectionPadding2D,
    UpsamplingConv2DTranspose,
    WinogradConv2D,
)

SPREAD = 0.02  # standard deviation of initial kernels: Zhu et al. 2017, section 7.1
_STRIDE, _LEAST = 4, 8  # pixels; reflection within a residual block needs two rows


def resnet_generator(
    blocks: int = 9, filters: int = 64, seed: int = 0, dtype: Any = None, name: str = "generator"
) -> keras.Model:
    """The generator from images `(batch, height, width, 3)` in [-1, 1] to images of the same shape.

    It is c7s1-64, d128, d256, R256 for each block, u128, u64, c7s1-3, in the notation of the paper, with 64 =
    `filters`. Images whose sides are no multiples of 4 are padded by reflection, and cropped afterwards. Convolutions
    have biases; they are padded by reflection, but d and u with zeros, as PyTorch does it. Instance normalisation has
    no γ and β. With 64 filters there are 11,378,179 parameters for 9 blocks, and 7,837,699 for 6.

    Args:
        blocks: Residual blocks; in the paper 9 for images of 256 pixels and more, and 6 for those of 128.
        filters: Channels at full resolution.
        seed: Seed of the initial kernels.
        dtype: Keras dtype policy; None for Keras' default.
        name: Name of the network.

    Reference:
        Zhu et al. 2017, section 7.2, and the code of the authors; Johnson et al. 2016.
    """
    seeds = iter(split_seed(seed, 2 * blocks + 6))

    def convolution(x: Tensor, kind: type, width: int, name: str, **options: Any) -> Tensor:
        initializer = keras.initializers.RandomNormal(0.0, SPREAD, seed=next(seeds))
        return kind(width, kernel_initializer=initializer, name=name, **{"dtype": dtype, **options})(x)

    def normalized(x: Tensor) -> Tensor:
        return InstanceNormalization(activation="relu", dtype=dtype)(x)

    plain = keras.layers.Conv2D
    pictures = keras.Input((None, None, 3), name="pictures")
    x = PadToMultiple(_STRIDE, _LEAST, dtype=image_dtype(dtype))(pictures)
    x = ReflectionPadding2D(3, dtype=dtype)(x)
    x = normalized(convolution(x, plain, filters, "first", kernel_size=7))
    for level in (2, 4):
        x = normalized(convolution(x, PaddedConv2D, level * filters, f"down{level}", kernel_size=3, strides=2))
    for block in range(1, blocks + 1):
        inner = ReflectionPadding2D(1, dtype=dtype)(x)
        inner = normalized(convolution(inner, WinogradConv2D, 4 * filters, f"block{block}_conv1"))
        inner = ReflectionPadding2D(1, dtype=dtype)(inner)
        inner = convolution(inner, WinogradConv2D, 4 * filters, f"block{block}_conv2")
        x = keras.layers.Add(dtype=dtype)([x, InstanceNormalization(dtype=dtype)(inner)])
    for level in (2, 1):
        x = normalized(convolution(x, UpsamplingConv2DTranspose, level * filters, f"up{level}"))
    x = ReflectionPadding2D(3, dtype=image_dtype(dtype))(x)
    options = {
        "kernel_size": 7,
        "activation": "tanh",
        "dtype": image_dtype(dtype),
    }  # half precision has too few levels
    x = convolution(x, plain, 3, "last", **options)
    return keras.Model(pictures, CropTo(dtype=image_dtype(dtype))([x, pictures]), name=name)
