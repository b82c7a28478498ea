"""Types that many modules name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import tensorflow as tf

    Tensor: TypeAlias = tf.Tensor
else:  # TensorFlow takes seconds to import
    Tensor = Any
"""A TensorFlow tensor, or what Keras takes for one: a NumPy array, a variable, a `keras.KerasTensor`."""
