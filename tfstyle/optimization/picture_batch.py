"""The pictures of a canvas as a batch, which replicas share."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.runtime import steady
from tfstyle.core.typing import Tensor


class PictureBatch:
    """The numbers of a canvas's pictures: each replica works on some of them.

    A variable of the canvas has the values of all pictures. Each replica reads the values of its pictures by `take`,
    and writes zeros for the others by `scatter`. The variable adds up what the replicas write.

    Args:
        number: Number of pictures.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def dataset(self) -> tf.data.Dataset:
        """The numbers of the pictures, as one batch."""
        return steady(tf.data.Dataset.from_tensors(np.arange(self.number, dtype=np.int32)))

    def with_known_length(self, numbers: Tensor) -> Tensor:
        """The numbers of a replica's pictures, as a tensor of static shape."""
        return tf.ensure_shape(numbers, [self.number // tf.distribute.get_strategy().num_replicas_in_sync])

    def take(self, values: Tensor, numbers: Tensor) -> Tensor:
        """The values of some pictures.

        Args:
            values: Values of all pictures along the first axis; or one value for all, with a first axis of length 1.
            numbers: Numbers of the pictures, `(number,)`.
        """
        values = ops.convert_to_tensor(values)
        if self.number == 1 or values.shape[0] != self.number:
            return values
        return ops.take(values, numbers, axis=0)

    def scatter(self, values: Tensor, numbers: Tensor) -> Tensor:
        """Values of some pictures in their places among all pictures, and zeros in the other places.

        Args:
            values: Values along the first axis, one for each of the numbers.
            numbers: Numbers of the pictures, `(number,)`.
        """
        if self.number == 1:
            return values
        return tf.scatter_nd(numbers[:, None], values, [self.number, *values.shape[1:]])
