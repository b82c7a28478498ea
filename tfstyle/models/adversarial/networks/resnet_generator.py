"""The residual generator of CycleGAN: from picture to picture."""

from __future__ import annotations

from typing import Any

import keras

from tfstyle.core.step_random import several
from tfstyle.layers import (
    CropTo,
    DoublingConv2DTranspose,
    InstanceNormalization,
    PaddedConv2D,
    PadToMultiple,
    ReflectionPadding2D,
    WinogradConv2D,
)
from tfstyle.models.adversarial.base import full

Tensor = Any

SPREAD = 0.02  # of kernels at the start: Zhu et al. 2017, section 7.1
_STRIDE, _LEAST = 4, 8  # least: reflection within a residual block needs two rows


def resnet_generator(
    blocks: int = 9, filters: int = 64, seed: int = 0, dtype: Any = None, name: str = "generator"
) -> keras.Model:
    """c7s1-64, d128, d256, R256 (as many as there are blocks), u128, u64, c7s1-3, with 64 = `filters`.

    From `(batch, height, width, 3)` in [-1, 1] to the same; other sizes than multiples of 4 are padded by reflection
    and cropped again. Padding is by reflection but for d and u, which are padded as PyTorch does it; normalisation is
    that of instances, without γ and β; convolutions have biases. With 64 filters, 11,378,179 parameters for 9 blocks,
    7,837,699 for 6.

    Args:
        blocks: Residual blocks: 9 for pictures of 256 pixels and more, 6 for those of 128.
        filters: Channels at full resolution.
        seed: Of the kernels.
        dtype: Keras dtype policy; None for Keras' own.
        name: Of the network.

    Reference:
        Zhu et al. 2017, section 7.2, and the code of the authors; Johnson et al. 2016.
    """
    seeds = iter(several(seed, 2 * blocks + 6))

    def convolution(x: Tensor, kind: type, width: int, name: str, **options: Any) -> Tensor:
        start = keras.initializers.RandomNormal(0.0, SPREAD, seed=next(seeds))
        return kind(width, kernel_initializer=start, name=name, **{"dtype": dtype, **options})(x)

    def normalized(x: Tensor) -> Tensor:
        return InstanceNormalization(activation="relu", dtype=dtype)(x)

    plain = keras.layers.Conv2D
    pictures = keras.Input((None, None, 3), name="pictures")
    x = PadToMultiple(_STRIDE, _LEAST, dtype=full(dtype))(pictures)
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
        x = normalized(convolution(x, DoublingConv2DTranspose, level * filters, f"up{level}"))
    x = ReflectionPadding2D(3, dtype=full(dtype))(x)
    options = {"kernel_size": 7, "activation": "tanh", "dtype": full(dtype)}  # half precision has too few levels
    x = convolution(x, plain, 3, "last", **options)
    return keras.Model(pictures, CropTo(dtype=full(dtype))([x, pictures]), name=name)
