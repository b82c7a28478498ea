"""Random numbers of a training step, which are the same after a break, and on any number of devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tfstyle.core import replicas

Tensor = Any

ALGORITHM = "philox"  # or XLA would choose another


class Draws:
    """Random numbers for each picture of a batch: a function of a seed, the step, and its place in the whole batch.

    Each call draws anew. Replicas draw for the whole batch, and take what belongs to their own pictures.

    Args:
        seed: Any integer, or a scalar tensor.
        step: Number of the step, likewise.
        batch: Number of this replica's pictures.
    """

    def __init__(self, seed: Any, step: Any, batch: Any) -> None:
        self.batch = batch
        self._first, self._total = replicas.place(batch)
        self._seed = tf.stack([tf.cast(seed, tf.int64), tf.cast(step, tf.int64)])
        self._calls = 0

    def uniform(self, shape: tuple[int, ...] = (), low: float = 0.0, high: float = 1.0) -> Tensor:
        """float32 `(batch, *shape)` in [low, high)."""
        return self._mine(tf.random.stateless_uniform(self._shape(shape), self._next(), low, high, alg=ALGORITHM))

    def normal(self, shape: tuple[int, ...] = ()) -> Tensor:
        """float32 `(batch, *shape)` with mean 0 and deviation 1."""
        return self._mine(tf.random.stateless_normal(self._shape(shape), self._next(), alg=ALGORITHM))

    def _shape(self, shape: tuple[int, ...]) -> Tensor:
        return tf.concat([tf.reshape(tf.cast(self._total, tf.int32), (1,)), np.asarray(shape, "int32")], 0)

    def _mine(self, drawn: Tensor) -> Tensor:
        return drawn[self._first : self._first + self.batch]

    def _next(self) -> Tensor:
        self._calls += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._calls, alg=ALGORITHM)


def fresh(seed: int | None) -> int:
    """The seed, or one that nobody has chosen."""
    return int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed


def several(seed: int, number: int) -> list[int]:
    """Independent seeds, such as those of a network's kernels."""
    return np.random.SeedSequence(seed).generate_state(number).tolist()
