"""Random numbers of a training step, which depend neither on interruptions nor on the number of devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tfstyle.core import replicas
from tfstyle.core.typing import Tensor

ALGORITHM = "philox"  # named here, as XLA has another default


class StepRandom:
    """Random numbers for each picture of a batch, by seed, step and place of the picture in the whole batch.

    Each call gives new numbers. Each replica computes the numbers of the whole batch, and takes those of its own
    pictures.

    Args:
        seed: Any integer, or a scalar tensor.
        step: Number of the step: an integer or a scalar tensor.
        batch: Number of pictures of this replica.

    Examples:
        >>> first, again = (StepRandom(seed=1, step=0, batch=4) for _ in range(2))
        >>> first.normal((3,)).shape
        TensorShape([4, 3])
        >>> bool(tf.reduce_all(first.uniform() == again.uniform()))  # the second call, the first call
        False
    """

    def __init__(self, seed: Any, step: Any, batch: Any) -> None:
        self.batch = batch
        self._first, self._total = replicas.place(batch)
        self._seed = tf.stack([tf.cast(seed, tf.int64), tf.cast(step, tf.int64)])
        self._calls = 0

    def uniform(self, shape: tuple[int, ...] = (), low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform numbers in [low, high): float32 `(batch, *shape)`."""
        numbers = tf.random.stateless_uniform(self._whole(shape), self._next_seed(), low, high, alg=ALGORITHM)
        return self._of_replica(numbers)

    def normal(self, shape: tuple[int, ...] = ()) -> Tensor:
        """Normal numbers with mean 0 and standard deviation 1: float32 `(batch, *shape)`."""
        numbers = tf.random.stateless_normal(self._whole(shape), self._next_seed(), alg=ALGORITHM)
        return self._of_replica(numbers)

    def _whole(self, shape: tuple[int, ...]) -> Tensor:
        """The shape for the whole batch."""
        return tf.concat([tf.reshape(tf.cast(self._total, tf.int32), (1,)), np.asarray(shape, "int32")], 0)

    def _of_replica(self, numbers: Tensor) -> Tensor:
        """The numbers of this replica's pictures."""
        return numbers[self._first : self._first + self.batch]

    def _next_seed(self) -> Tensor:
        self._calls += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._calls, alg=ALGORITHM)


def seed_or_random(seed: int | None) -> int:
    """The seed, or a new one for None."""
    return int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed


def split_seed(seed: int, number: int) -> list[int]:
    """Independent seeds, for example of the kernels of a network."""
    return np.random.SeedSequence(seed).generate_state(number).tolist()
