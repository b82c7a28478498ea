"""PatchGAN: a discriminator with a score for each patch of an image."""

from __future__ import annotations

from typing import Any

import keras

from tfstyle.core.precision import image_dtype
from tfstyle.core.step_random import split_seed
from tfstyle.layers import InstanceNormalization, PaddedConv2D, SelfAttention2D, SpectralConv2D
from tfstyle.models.adversarial.networks.resnet_generator import SPREAD

SLOPE = 0.2  # of leaky ReLUs: Zhu et al. 2017, section 7.2
_MOST_WIDENED = 8  # the largest factor of the first layer's channels


def patch_discriminator(
    n_layers: int = 3,
    filters: int = 64,
    normalized: bool = True,
    spectral: bool = False,
    attention: int | None = None,
    seed: int = 0,
    dtype: Any = None,
    name: str = "discriminator",
) -> keras.Model:
    """The discriminator from images `(batch, height, width, 3)` in [-1, 1] to scores `(batch, rows, columns, 1)`.

    It is C64-C128-C256-C512 and a last convolution, in the notation of the paper. Convolutions are 4x4 with padding 1
    and biases: `n_layers` of them have stride 2, two more have stride 1. All but the first and the last are followed
    by instance normalisation, and all but the last by leaky ReLUs. With 3 layers and 64 filters a patch has 70x70
    pixels, and there are 2,764,737 parameters.

    Args:
        n_layers: Convolutions with stride 2.
        filters: Channels of the first convolution.
        normalized: Whether there is instance normalisation.
        spectral: Whether kernels have spectral norm 1 (Miyato et al. 2018).
        attention: The convolution, counted from 1, that is followed by self-attention; None for none.
        seed: Seed of the initial kernels.
        dtype: Keras dtype policy; None for Keras' default. Scores are in at least float32.
        name: Name of the network.

    Reference:
        Isola et al. 2017; Zhu et al. 2017, section 7.2, and the code of the authors.
    """
    seeds = split_seed(seed, n_layers + 3)
    x = pictures = keras.Input((None, None, 3), name="pictures")
    for number in range(1, n_layers + 3):
        last = number == n_layers + 2
        policy = image_dtype(dtype) if last else dtype
        if spectral:
            x = keras.layers.ZeroPadding2D(1, dtype=policy)(x)
        convolution = SpectralConv2D if spectral else PaddedConv2D  # which pads by 1
        x = convolution(
            1 if last else filters * min(2 ** (number - 1), _MOST_WIDENED),
            4,
            strides=2 if number <= n_layers else 1,
            kernel_initializer=keras.initializers.RandomNormal(0.0, SPREAD, seed=seeds[number]),
            dtype=policy,
            name=f"conv{number}",
        )(x)
        if last:
            break
        if normalized and number > 1:
            x = InstanceNormalization(dtype=dtype)(x)
        x = keras.layers.LeakyReLU(SLOPE, dtype=dtype)(x)
        if number == attention:
            x = SelfAttention2D(seed=seeds[0], dtype=dtype, name="attention")(x)
    return keras.Model(pictures, x, name=name)


def minimum_side(n_layers: int) -> int:
    """The side, in pixels, of the smallest images with a score."""
    return 3 * 2**n_layers
