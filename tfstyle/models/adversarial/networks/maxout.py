"""The networks of the first generative adversarial nets: dense layers, maxout and dropout."""

from __future__ import annotations

import math
from typing import Any

import keras

from tfstyle.core.precision import image_dtype
from tfstyle.core.step_random import split_seed
from tfstyle.layers import StatelessDropout

# Goodfellow et al. 2014: mnist.yaml of github.com/goodfeli/adversarial
UNITS, PIECES = 240, 5
HIDDEN = 1200
RANGE_GENERATOR, RANGE_DISCRIMINATOR = 0.05, 0.005
DROPOUT_INPUT, DROPOUT_HIDDEN = 0.2, 0.5
RATE, DECAY, MOMENTUM = 0.1, 1.000004, 0.5


def maxout_generator(
    shape: tuple[int, ...], latent_dim: int = 100, seed: int = 0, dtype: Any = None, name: str = "generator"
) -> keras.Model:
    """The generator from noise `(batch, latent_dim)` to images `(batch, *shape)` in [-1, 1].

    It consists of two dense layers of 1200 ReLUs, and of one of sigmoids.

    Args:
        shape: (height, width, channels) of an image.
        latent_dim: Length of the noise vectors.
        seed: Seed of the initial kernels.
        dtype: Keras dtype policy; None for Keras' default.
        name: Name of the network.

    Reference:
        Goodfellow et al. 2014, section 5, and `mnist.yaml` of the authors' code.
    """
    seeds = split_seed(seed, 3)
    x = inputs = keras.Input((latent_dim,), name="noise")
    for place, (units, activation) in enumerate(((HIDDEN, "relu"), (HIDDEN, "relu"), (math.prod(shape), "sigmoid"))):
        initializer = keras.initializers.RandomUniform(-RANGE_GENERATOR, RANGE_GENERATOR, seed=seeds[place])
        policy = image_dtype(dtype) if activation == "sigmoid" else dtype
        x = keras.layers.Dense(
            units, activation, kernel_initializer=initializer, dtype=policy, name=f"dense{place + 1}"
        )(x)
    x = keras.layers.Rescaling(2.0, -1.0, dtype=image_dtype(dtype))(x)
    return keras.Model(inputs, keras.layers.Reshape(shape, dtype=image_dtype(dtype))(x), name=name)


def maxout_discriminator(
    shape: tuple[int, ...], seed: int = 0, dtype: Any = None, name: str = "discriminator"
) -> keras.Model:
    """The discriminator from images `(batch, *shape)` in [-1, 1] to scores `(batch, 1)`.

    It consists of two layers of 240 maxout units, each the greatest of 5 numbers. In training, a fifth of the pixels
    and half of the units are dropped.

    Args:
        shape: (height, width, channels) of an image.
        seed: Seed of initial kernels and dropout.
        dtype: Keras dtype policy; None for Keras' default. Scores are in at least float32.
        name: Name of the network.

    Reference:
        Goodfellow et al. 2014, section 5, and `mnist.yaml` of the authors' code; Goodfellow et al. 2013 for maxout.
    """
    seeds = split_seed(seed, 6)

    def initializer(place: int) -> Any:
        return keras.initializers.RandomUniform(-RANGE_DISCRIMINATOR, RANGE_DISCRIMINATOR, seed=seeds[place])

    pictures = keras.Input(shape, name="pictures")
    x = keras.layers.Rescaling(0.5, 0.5, dtype=dtype)(pictures)
    x = keras.layers.Flatten(dtype=dtype)(x)
    for place, rate in enumerate((DROPOUT_INPUT, DROPOUT_HIDDEN)):
        x = StatelessDropout(rate, seeds[3 + place], dtype=dtype)(x)
        dense = keras.layers.Dense(
            UNITS * PIECES, kernel_initializer=initializer(place), dtype=dtype, name=f"maxout{place + 1}"
        )
        x = keras.layers.Reshape((UNITS * PIECES, 1), dtype=dtype)(dense(x))
        x = keras.layers.MaxPooling1D(PIECES, dtype=dtype)(x)
        x = keras.layers.Flatten(dtype=dtype)(x)
    x = StatelessDropout(DROPOUT_HIDDEN, seeds[5], dtype=dtype)(x)
    x = keras.layers.Dense(1, kernel_initializer=initializer(2), dtype=image_dtype(dtype), name="last")(x)
    return keras.Model(pictures, x, name=name)


def maxout_optimizer() -> keras.optimizers.Optimizer:
    """Gradient descent with the rate 0.1 · 1.000004^−step and momentum 0.5, which the authors raised to 0.7."""
    rate = keras.optimizers.schedules.ExponentialDecay(RATE, decay_steps=1, decay_rate=1 / DECAY)
    return keras.optimizers.SGD(rate, momentum=MOMENTUM)
