"""The devices that there are, and what they share."""

from __future__ import annotations

from typing import Any

from tfstyle.runtime import import_tensorflow


def strategy() -> Any:
    """A `tf.distribute.MirroredStrategy` over all GPUs where there are several, else None."""
    import_tensorflow()
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus]) if len(gpus) > 1 else None
