"""The networks of DCGAN: a generator of images from noise, and a discriminator."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras

from tfstyle.core.precision import image_dtype
from tfstyle.core.step_random import split_seed
from tfstyle.layers import InstanceNormalization, PadToMultiple
from tfstyle.models.adversarial.networks.patch_discriminator import SLOPE
from tfstyle.models.adversarial.networks.resnet_generator import SPREAD

Normalization = Literal["batch", "layer", "instance"] | None

_START = 4  # least rows and columns of the smallest features: Radford et al. 2016, figure 1
_MOMENTUM = 0.9  # of the averages of batch normalisation: PyTorch's default


def levels(size: tuple[int, int]) -> int:
    """How often the sides of features are doubled up to images of a size, (height, width) in pixels."""
    return max(1, int(math.log2(min(size) / _START)))


def dcgan_generator(
    size: tuple[int, int],
    latent_dim: int = 100,
    filters: int = 64,
    channels: int = 3,
    seed: int = 0,
    dtype: Any = None,
    name: str = "generator",
) -> keras.Model:
    """The generator from noise `(batch, latent_dim)` to images `(batch, height, width, channels)` in [-1, 1].

    It consists of a dense layer and of 4x4 transposed convolutions with stride 2, each with half the channels of the
    one before, down to `filters`. Batch normalisation, over the batches of all replicas, and ReLU come before each of
    them; tanh follows the last.

    Args:
        size: (height, width) of the images, to which they are cropped.
        latent_dim: Length of the noise vectors.
        filters: Channels before the last convolution.
        channels: Channels of the images.
        seed: Seed of the initial kernels.
        dtype: Keras dtype policy; None for Keras' default.
        name: Name of the network.

    Reference:
        Radford, Metz & Chintala 2016, section 3.
    """
    count = levels(size)
    seeds = split_seed(seed, count + 1)
    rows, columns = (-(-side // 2**count) for side in size)
    width = filters * 2 ** (count - 1)

    def initializer(place: int) -> Any:
        return keras.initializers.RandomNormal(0.0, SPREAD, seed=seeds[place])

    inputs = keras.Input((latent_dim,), name="noise")
    x = keras.layers.Dense(rows * columns * width, kernel_initializer=initializer(0), dtype=dtype, name="first")(
        inputs
    )
    x = keras.layers.Reshape((rows, columns, width), dtype=dtype)(x)
    for level in range(1, count + 1):
        x = keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-5, synchronized=True, dtype=dtype)(x)
        x = keras.layers.ReLU(dtype=dtype)(x)
        last = level == count
        x = keras.layers.Conv2DTranspose(
            channels if last else width // 2**level,
            4,
            2,
            "same",
            activation="tanh" if last else None,
            kernel_initializer=initializer(level),
            dtype=image_dtype(dtype) if last else dtype,
            name=f"up{level}",
        )(x)
    crop = rows * 2**count - size[0], columns * 2**count - size[1]
    x = keras.layers.Cropping2D(((0, crop[0]), (0, crop[1])), dtype=image_dtype(dtype))(x)
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
    """The discriminator from images `(batch, height, width, channels)` in [-1, 1] to scores `(batch, 1)`.

    It consists of 4x4 convolutions with stride 2, each with twice the channels of the one before, down to about 4x4
    positions, and of a dense layer. All convolutions are followed by leaky ReLUs, all but the first by normalisation.
    Scores are in at least float32.

    Args:
        size: (height, width) of the images.
        filters: Channels of the first convolution.
        channels: Channels of the images.
        normalization: `"batch"` over the batches of all replicas, `"layer"` over all features of an image,
            `"instance"` over each channel of an image, or None.
        seed: Seed of the initial kernels.
        dtype: Keras dtype policy; None for Keras' default.
        name: Name of the network.

    Reference:
        Radford, Metz & Chintala 2016, section 3; Gulrajani et al. 2017, section 4, for layers instead of batches.
    """
    count = levels(size)
    seeds = split_seed(seed, count + 1)

    def initializer(place: int) -> Any:
        return keras.initializers.RandomNormal(0.0, SPREAD, seed=seeds[place])

    x = pictures = keras.Input((*size, channels), name="pictures")
    x = PadToMultiple(2**count, dtype=dtype)(x)
    for level in range(count):
        x = keras.layers.Conv2D(
            filters * 2**level,
            4,
            2,
            "same",
            kernel_initializer=initializer(level),
            dtype=dtype,
            name=f"down{level + 1}",
        )(x)
        if level > 0 and normalization is not None:
            x = _normalization(normalization, dtype)(x)
        x = keras.layers.LeakyReLU(SLOPE, dtype=dtype)(x)
    x = keras.layers.Flatten(dtype=dtype)(x)
    x = keras.layers.Dense(1, kernel_initializer=initializer(count), dtype=image_dtype(dtype), name="last")(x)
    return keras.Model(pictures, x, name=name)


def _normalization(kind: Normalization, dtype: Any) -> keras.layers.Layer:
    if kind == "batch":
        return keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-5, synchronized=True, dtype=dtype)
    if kind == "layer":
        return keras.layers.GroupNormalization(groups=1, epsilon=1e-5, dtype=dtype)
    return InstanceNormalization(dtype=dtype)
