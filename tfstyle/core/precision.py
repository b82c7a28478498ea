"""What this machine runs convolutions faster in: which precision, and compiled by XLA or not."""

from __future__ import annotations

import functools
import math
import time
from typing import Any, Literal

import numpy as np

Precision = Literal["float32", "bfloat16"]

GAIN = 0.9  # bfloat16 must take less than this of float32's time (chosen): within it the probe can't tell
HOPELESS = 2.0  # times as long as float32: a round that takes more ends the probe (chosen)
ROUNDS = 8


def image_dtype(policy: Any = None) -> str:
    """The precision of images, statistics and losses: float64 beside float64, else float32; never half precision.

    Args:
        policy: A Keras dtype policy or its name; None for Keras' default.
    """
    import keras

    return "float64" if keras.dtype_policies.get(policy).compute_dtype == "float64" else "float32"


@functools.cache
def faster() -> Precision:
    """`"bfloat16"` where it is clearly faster, else `"float32"`, by a probe of about a second.

    The probe is a VGG-like convolution, 128 channels on 128x128 pixels, and the gradient of its input: with a quarter
    of that, two cores chose wrongly about every other time.
    """
    single = _seconds("float32")
    return "bfloat16" if _seconds("bfloat16", hopeless=HOPELESS * single) < GAIN * single else "float32"


@functools.cache
def compiled_faster(precision: str) -> bool:
    """Whether XLA makes the step faster, by a probe of a few seconds, which only machines with a GPU are put to.

    On CPUs it doesn't: a step took 1.1 times as long in float32 and 2.8 times in bfloat16, after half a minute of
    compilation (`benchmarks/README.md`).

    Args:
        precision: What convolutions are computed in.
    """
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return False
    try:
        return _seconds(precision, jit_compile=True) < GAIN * _seconds(precision)
    except (tf.errors.OpError, RuntimeError):  # XLA without all that it needs
        return False


def _seconds(dtype: str, jit_compile: bool = False, hopeless: float = math.inf) -> float:
    """The shortest time of a step, in seconds.

    Args:
        dtype: What convolutions are computed in.
        jit_compile: Whether XLA compiles the step.
        hopeless: Seconds of a round that make further rounds needless: processors without instructions for bfloat16
            take a hundred times as long.
    """
    import tensorflow as tf

    random = np.random.default_rng(0)
    kernel = tf.cast(random.normal(size=(3, 3, 128, 128)), dtype)

    @tf.function(jit_compile=jit_compile)
    def step(features: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(features)
            response = tf.nn.relu(tf.nn.conv2d(tf.cast(features, dtype), kernel, 1, "SAME"))
        return tape.gradient(response, features)

    features = tf.constant(random.normal(size=(1, 128, 128, 128)), tf.float32)
    times = []
    for _ in range(ROUNDS + 1):  # the first is traced
        began = time.perf_counter()
        step(features).numpy()
        times.append(time.perf_counter() - began)
        if len(times) > 1 and times[-1] > hopeless:
            break
    return min(times[1:])
