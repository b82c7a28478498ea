"""A pool of earlier generated images, for discriminators."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core import replicas
from tfstyle.core.step_random import ALGORITHM, seed_or_random
from tfstyle.core.typing import Tensor


@keras.saving.register_keras_serializable(package="tfstyle")
class ImagePool(keras.layers.Layer):
    """Exchanges images for earlier ones, each with probability 1/2.

    Until the pool is full, an image is stored and returned. From then on, each image is returned with probability
    1/2; otherwise it replaces a stored one, drawn uniformly, which is returned.

    The images, their number and the number of calls are weights, and so are saved. Random numbers are a function of
    the seed and the number of calls. Under `tf.distribute` all replicas keep one common pool: each processes the
    images of all replicas, in order, and returns its own, as a single device would.

    Args:
        capacity: Number of stored images (50 in the papers); 0 returns every image as it is.
        seed: Seed of the exchange; None for a random one, which is saved as a weight.

    Reference:
        Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial Training",
        section 2.3; Zhu et al. 2017, section 4; as in the code of the latter's authors.
    """

    def __init__(self, capacity: int = 50, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.capacity = capacity
        self.seed = seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the pool for images whose size is known."""
        if self.capacity == 0:
            return
        counter = {"shape": (), "dtype": "int64", "initializer": "zeros", "trainable": False}
        self.pictures = self.add_weight(
            shape=(self.capacity, *input_shape[1:]), initializer="zeros", trainable=False, name="pictures"
        )
        self.count = self.add_weight(name="count", **counter)
        self.calls = self.add_weight(name="calls", **counter)
        self.seed_state = self.add_weight(
            **{**counter, "initializer": keras.initializers.Constant(seed_or_random(self.seed))}, name="seed_state"
        )

    def call(self, pictures: Tensor) -> Tensor:
        """Images `(batch, height, width, channels)`, of the same size in each call, to as many images."""
        if self.capacity == 0:
            return pictures
        gathered = replicas.gathered(pictures)
        batch, total = ops.shape(pictures)[0], ops.shape(gathered)[0]
        returned = self._exchanged(gathered, total)
        first, _ = replicas.place(batch)
        return returned[first : first + batch]

    def _exchanged(self, pictures: Tensor, number: Tensor) -> Tensor:
        """The images that are returned for those of all replicas, which are stored one after the other."""
        seed = tf.stack([self.seed_state.value, self.calls.value])
        drawn = tf.random.stateless_uniform((number, 2), seed, alg=ALGORITHM)
        order = tf.cast(self.count.value, tf.int32) + tf.range(number)
        fills = order < self.capacity
        slot = tf.where(fills, order, tf.cast(drawn[:, 1] * self.capacity, tf.int32))
        swap = tf.logical_and(drawn[:, 0] < 0.5, tf.logical_not(fills))
        stores = tf.logical_or(fills, swap)

        indices = tf.range(number)
        earlier = (slot[:, None] == slot[None]) & stores[None] & (indices[None] < indices[:, None])
        latest = tf.reduce_max(tf.where(earlier, indices[None], -1), axis=1)  # the last image before in the same slot
        in_batch = tf.gather(pictures, tf.maximum(latest, 0))
        stored = tf.where((latest >= 0)[:, None, None, None], in_batch, tf.gather(self.pictures.value, slot))
        returned = tf.where(swap[:, None, None, None], stored, pictures)

        writes = (slot[None] == tf.range(self.capacity)[:, None]) & stores[None]
        last = tf.reduce_max(tf.where(writes, indices[None], -1), axis=1)  # the last image of the batch in each slot
        kept = tf.where(
            (last >= 0)[:, None, None, None], tf.gather(pictures, tf.maximum(last, 0)), self.pictures.value
        )
        self.pictures.assign(kept)
        self.count.assign(tf.minimum(self.count.value + tf.cast(number, tf.int64), self.capacity))
        self.calls.assign(self.calls.value + 1)
        return tf.stop_gradient(returned)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "capacity": self.capacity, "seed": self.seed}
