"""The networks of the first generative adversarial nets: dense, with maxout and dropout."""

from __future__ import annotations

import math
from typing import Any

import keras

from tfstyle.core.step_random import several
from tfstyle.layers import CountedDropout
from tfstyle.models.adversarial.base import full

# Goodfellow et al. 2014: mnist.yaml of github.com/goodfeli/adversarial
UNITS, PIECES = 240, 5
HIDDEN = 1200
RANGE_GENERATOR, RANGE_DISCRIMINATOR = 0.05, 0.005
DROPOUT_INPUT, DROPOUT_HIDDEN = 0.2, 0.5
RATE, DECAY, MOMENTUM = 0.1, 1.000004, 0.5


def maxout_generator(
    shape: tuple[int, ...], noise: int = 100, seed: int = 0, dtype: Any = None, name: str = "generator"
) -> keras.Model:
    """Noise `(batch, noise)` to pictures `(batch, *shape)` in [-1, 1]: 1200 ReLUs twice, then sigmoids.

    Args:
        shape: Of a picture.
        noise: Numbers that a picture is made of.
        seed: Of the kernels.
        dtype: Keras dtype policy; None for Keras' own.
        name: Of the network.

    Reference:
        Goodfellow et al. 2014, section 5, and `mnist.yaml` of the authors' code.
    """
    seeds = several(seed, 3)
    x = inputs = keras.Input((noise,), name="noise")
    for place, (units, activation) in enumerate(((HIDDEN, "relu"), (HIDDEN, "relu"), (math.prod(shape), "sigmoid"))):
        start = keras.initializers.RandomUniform(-RANGE_GENERATOR, RANGE_GENERATOR, seed=seeds[place])
        policy = full(dtype) if activation == "sigmoid" else dtype
        x = keras.layers.Dense(units, activation, kernel_initializer=start, dtype=policy, name=f"dense{place + 1}")(x)
    x = keras.layers.Rescaling(2.0, -1.0, dtype=full(dtype))(x)
    return keras.Model(inputs, keras.layers.Reshape(shape, dtype=full(dtype))(x), name=name)


def maxout_discriminator(
    shape: tuple[int, ...], seed: int = 0, dtype: Any = None, name: str = "discriminator"
) -> keras.Model:
    """Pictures `(batch, *shape)` in [-1, 1] to scores `(batch, 1)`: the greatest of 5, 240 times, twice.

    A fifth of the pixels and half of what follows are dropped in training.

    Args:
        shape: Of a picture.
        seed: Of kernels and dropout.
        dtype: Keras dtype policy; None for Keras' own. Scores are in at least float32.
        name: Of the network.

    Reference:
        Goodfellow et al. 2014, section 5, and `mnist.yaml` of the authors' code; Goodfellow et al. 2013 for maxout.
    """
    seeds = several(seed, 6)

    def start(place: int) -> Any:
        return keras.initializers.RandomUniform(-RANGE_DISCRIMINATOR, RANGE_DISCRIMINATOR, seed=seeds[place])

    pictures = keras.Input(shape, name="pictures")
    x = keras.layers.Rescaling(0.5, 0.5, dtype=dtype)(pictures)
    x = keras.layers.Flatten(dtype=dtype)(x)
    for place, rate in enumerate((DROPOUT_INPUT, DROPOUT_HIDDEN)):
        x = CountedDropout(rate, seeds[3 + place], dtype=dtype)(x)
        dense = keras.layers.Dense(
            UNITS * PIECES, kernel_initializer=start(place), dtype=dtype, name=f"maxout{place + 1}"
        )
        x = keras.layers.Reshape((UNITS * PIECES, 1), dtype=dtype)(dense(x))
        x = keras.layers.MaxPooling1D(PIECES, dtype=dtype)(x)
        x = keras.layers.Flatten(dtype=dtype)(x)
    x = CountedDropout(DROPOUT_HIDDEN, seeds[5], dtype=dtype)(x)
    x = keras.layers.Dense(1, kernel_initializer=start(2), dtype=full(dtype), name="last")(x)
    return keras.Model(pictures, x, name=name)


def maxout_optimizer() -> keras.optimizers.Optimizer:
    """Gradient descent at 0.1 · 1.000004^−step, with momentum 0.5, which the authors brought to 0.7 in 250 epochs."""
    rate = keras.optimizers.schedules.ExponentialDecay(RATE, decay_steps=1, decay_rate=1 / DECAY)
    return keras.optimizers.SGD(rate, momentum=MOMENTUM)
