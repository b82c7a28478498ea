"""The losses of the last steps of a canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.optimization.picture_batch import PictureBatch


class StepLosses:
    """Keeps the losses of the last evaluation, and those of all steps of the last call.

    Several steps may run in one call, of which Keras reports the last only.

    Args:
        batch: The pictures.
        create: Makes a variable of the canvas from a name and a shape. Replicas leave zeros for pictures of others,
            so that the variable is the sum of what they write.
        terms: Number of terms of the objective.

    Attributes:
        last: Losses of the last evaluation, `(pictures, 1 + terms)`: the sum, then the terms.
    """

    def __init__(
        self, batch: PictureBatch, create: Callable[[str, tuple[int, ...]], keras.Variable], terms: int
    ) -> None:
        self._batch = batch
        self.last = create("last_losses", (batch.number, 1 + terms))
        self._recent: Any = None  # a ring: the losses of step n are in row n % steps per call

    def reset(self) -> None:
        """Forget all losses."""
        self.last.assign(np.full(self.last.shape, np.nan))

    def prepare(self, steps_per_call: int, dtype: str) -> None:
        """Make room for the losses of the steps of one call."""
        pictures, losses = self.last.shape
        zeros = tf.zeros((pictures, steps_per_call, losses), dtype)
        self._recent = tf.Variable(zeros, trainable=False, aggregation=tf.VariableAggregation.SUM)

    def update(self, losses: Tensor, numbers: Tensor) -> None:
        """Note the losses of an evaluation.

        Args:
            losses: `(number, 1 + terms)`.
            numbers: Numbers of the pictures, `(number,)`.
        """
        self.last.assign(self._batch.scatter(losses, numbers))

    def append(self, losses: Tensor, numbers: Tensor, step: Tensor) -> None:
        """Note the losses of a step.

        Args:
            losses: `(number, 1 + terms)`.
            numbers: Numbers of the pictures, `(number,)`.
            step: Number of the step, from 0.
        """
        rows = self._recent.shape[1]
        is_row = ops.arange(rows, dtype="int32") == ops.cast(step, "int32") % rows
        recent = ops.where(is_row[None, :, None], losses[:, None], self._batch.take(self._recent, numbers))
        self._recent.assign(self._batch.scatter(recent, numbers))

    def recent(self, number: int, steps_done: int) -> list[np.ndarray]:
        """Losses of the last steps, oldest first, each `(pictures, 1 + terms)`.

        Args:
            number: How many steps, at most those of one call.
            steps_done: Number of steps so far.
        """
        recent = self._recent.numpy()
        return [recent[:, step % recent.shape[1]] for step in range(steps_done - number, steps_done)]
