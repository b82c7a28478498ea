"""The best picture so far, for each picture of a canvas."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.optimization.picture_batch import PictureBatch


class BestPictures:
    """Keeps the picture with the lowest loss, for each picture of a canvas.

    Args:
        batch: The pictures.
        create: Makes a variable of the canvas from a name and a shape. Replicas leave zeros for pictures of others,
            so that the variable is the sum of what they write.
        shape: `(pictures, height, width, 3)`.

    Attributes:
        pixels: The best pictures, `(pictures, height, width, 3)`.
        losses: Their losses, `(pictures,)`; infinite before the first step.
    """

    def __init__(
        self,
        batch: PictureBatch,
        create: Callable[[str, tuple[int, ...]], keras.Variable],
        shape: tuple[int, ...],
    ) -> None:
        self._batch = batch
        self.pixels = create("best_pixels", shape)
        self.losses = create("best_losses", shape[:1])

    def reset(self, pictures: np.ndarray) -> None:
        """Start from initial pictures, `(pictures, height, width, 3)`, whose losses are not known."""
        self.pixels.assign(pictures)
        self.losses.assign(np.full(len(pictures), np.inf))

    def update(self, pictures: Tensor, losses: Tensor, numbers: Tensor) -> None:
        """Keep the pictures whose losses are lower than before.

        Args:
            pictures: A replica's pictures, `(number, height, width, 3)`.
            losses: Their losses, `(number,)`.
            numbers: Their numbers, `(number,)`.
        """
        best = self._batch.take(self.losses, numbers)
        better = losses < best
        self.losses.assign(self._batch.scatter(ops.where(better, losses, best), numbers))
        before = self._batch.take(self.pixels, numbers)
        if self._batch.number == 1:  # `tf.cond` hands one of its tensors on, where `where` would make a third
            pixels = tf.cond(better[0], lambda: pictures, lambda: before)
        else:
            pixels = ops.where(better[:, None, None, None], pictures, before)
        self.pixels.assign(self._batch.scatter(pixels, numbers))
