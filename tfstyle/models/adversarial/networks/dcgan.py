"""The networks of DCGAN: from noise to pictures, and what judges those."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from tfstyle.core.errors import check_whole
from tfstyle.core.step_random import fresh, several
from tfstyle.layers import InstanceNormalization, PadToMultiple
from tfstyle.models.adversarial.base import full, unit
from tfstyle.models.adversarial.networks.patch_discriminator import SLOPE
from tfstyle.models.adversarial.networks.resnet_generator import SPREAD

Tensor = Any
Normalization = Literal["batch", "layer", "instance"] | None

_START = 4  # rows and columns, at least, of the smallest features: Radford et al. 2016, figure 1
_AT_ONCE = 64  # pictures that are made of noise at a time (chosen)
_MOMENTUM = 0.9  # of batch normalisation's averages, as PyTorch's default


def levels(size: tuple[int, int]) -> int:
    """How often features are doubled on the way to pictures of a size, in pixels."""
    return max(1, int(math.log2(min(size) / _START)))


def dcgan_generator(
    size: tuple[int, int],
    noise: int = 100,
    filters: int = 64,
    channels: int = 3,
    seed: int = 0,
    dtype: Any = None,
    name: str = "generator",
) -> keras.Model:
    """Noise `(batch, noise)` to pictures `(batch, height, width, channels)` in [-1, 1].

    A dense layer, then transposed convolutions of 4x4 and stride 2, each with half the channels, up to `filters`;
    batch normalisation, over the batches of all replicas, and ReLU but for the last, which has tanh.

    Args:
        size: Of the pictures, (height, width); what is beyond is cropped.
        noise: Numbers that a picture is made of.
        filters: Channels before the last convolution.
        channels: Of the pictures.
        seed: Of the kernels.
        dtype: Keras dtype policy; None for Keras' own.
        name: Of the network.

    Reference:
        Radford, Metz & Chintala 2016, section 3.
    """
    number = levels(size)
    seeds = several(seed, number + 1)
    rows, columns = (-(-side // 2**number) for side in size)
    width = filters * 2 ** (number - 1)

    def start(place: int) -> Any:
        return keras.initializers.RandomNormal(0.0, SPREAD, seed=seeds[place])

    inputs = keras.Input((noise,), name="noise")
    x = keras.layers.Dense(rows * columns * width, kernel_initializer=start(0), dtype=dtype, name="first")(inputs)
    x = keras.layers.Reshape((rows, columns, width), dtype=dtype)(x)
    for level in range(1, number + 1):
        x = keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-5, synchronized=True, dtype=dtype)(x)
        x = keras.layers.ReLU(dtype=dtype)(x)
        last = level == number
        x = keras.layers.Conv2DTranspose(
            channels if last else width // 2**level,
            4,
            2,
            "same",
            activation="tanh" if last else None,
            kernel_initializer=start(level),
            dtype=full(dtype) if last else dtype,
            name=f"up{level}",
        )(x)
    crop = rows * 2**number - size[0], columns * 2**number - size[1]
    x = keras.layers.Cropping2D(((0, crop[0]), (0, crop[1])), dtype=full(dtype))(x)
    return keras.Model(inputs, x, name=name)


def dcgan_discriminator(
    size: tuple[int, int],
    filters: int = 64,
    channels: int = 3,
    normalization: Normalization = "batch",
    seed: int = 0,
    dtype: Any = None,
    name: str = "discriminator",
) -> keras.Model:
    """Pictures `(batch, height, width, channels)` in [-1, 1] to scores `(batch, 1)`, in at least float32.

    Convolutions of 4x4 and stride 2 with twice the channels each, from `filters` on, down to about 4x4 positions;
    normalisation but for the first, and leaky ReLUs; then a dense layer.

    Args:
        size: Of the pictures, (height, width).
        filters: Channels of the first convolution.
        channels: Of the pictures.
        normalization: Over what features are normalised: the batches of all replicas; all of a picture's features;
            a picture's features, each channel by itself; or None not at all.
        seed: Of the kernels.
        dtype: Keras dtype policy; None for Keras' own.
        name: Of the network.

    Reference:
        Radford, Metz & Chintala 2016, section 3; Gulrajani et al. 2017, section 4, for layers instead of batches.
    """
    number = levels(size)
    seeds = several(seed, number + 1)

    def start(place: int) -> Any:
        return keras.initializers.RandomNormal(0.0, SPREAD, seed=seeds[place])

    x = pictures = keras.Input((*size, channels), name="pictures")
    x = PadToMultiple(2**number, dtype=dtype)(x)
    for level in range(number):
        x = keras.layers.Conv2D(
            filters * 2**level, 4, 2, "same", kernel_initializer=start(level), dtype=dtype, name=f"down{level + 1}"
        )(x)
        if level > 0 and normalization is not None:
            x = _normalization(normalization, dtype)(x)
        x = keras.layers.LeakyReLU(SLOPE, dtype=dtype)(x)
    x = keras.layers.Flatten(dtype=dtype)(x)
    x = keras.layers.Dense(1, kernel_initializer=start(number), dtype=full(dtype), name="last")(x)
    return keras.Model(pictures, x, name=name)


def _normalization(kind: Normalization, dtype: Any) -> keras.layers.Layer:
    if kind == "batch":
        return keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-5, synchronized=True, dtype=dtype)
    if kind == "layer":
        return keras.layers.GroupNormalization(groups=1, epsilon=1e-5, dtype=dtype)
    return InstanceNormalization(dtype=dtype)


def generated(network: keras.Model, number: int, seed: int | None) -> np.ndarray:
    """Pictures of a network that makes them of noise: float32 `(number, height, width, channels)` in [0, 1].

    Each is that of the seed and its place, however many there are.
    """
    check_whole("number", number, 1, 1_000_000)
    seed, length = fresh(seed) % 2**32, network.input_shape[-1]
    noise = [np.random.default_rng([seed, place]).standard_normal(length, np.float32) for place in range(number)]
    found = []
    for first in range(0, number, _AT_ONCE):
        pictures = unit(network(np.stack(noise[first : first + _AT_ONCE]), training=False))
        found.append(np.clip(ops.convert_to_numpy(pictures), 0, 1).astype(np.float32, copy=False))
    return np.concatenate(found)
