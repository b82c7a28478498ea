"""Images under optimisation, which a student network is trained on while they are optimised against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Tensor = Any

LIFE = 80  # steps for which an image is optimised (chosen: most of Adam's progress from the content image)
_RATE = 8 / 255  # Adam's learning rate on pixels (chosen, near Johnson's 10/255)


class OptimizedImages:
    """Crops on their way to the Gram matrices that a network, as it is, has of other crops.

    Each `optimize` is a step of Adam on the pixels. At equal intervals an image is replaced by a new crop.

    Args:
        number: Number of images; 0 for none.
        side: Side of the images in pixels.

    Attributes:
        pixels: The images, `(number, side, side, 3)`, RGB in [0, 1].
        styles: The crops whose Gram matrices they approach.
        ages: Steps that each image was optimised for.
    """

    def __init__(self, number: int, side: int) -> None:
        blank = np.zeros((number, side, side, 3))
        self.pixels, self.styles, self.first_moment, self.second_moment = (variable(blank) for _ in range(4))
        self.ages = variable(np.zeros(number))

    @property
    def variables(self) -> list[keras.Variable]:
        """All state, in a fixed order."""
        return [self.pixels, self.styles, self.first_moment, self.second_moment, self.ages]

    def replace(self, step: int, crops: np.ndarray) -> None:
        """Replace the image whose turn it is at a step by a new crop; at the first step, all of them.

        Args:
            step: Number of the step, from 0.
            crops: `(batch, side, side, 3)`, two for each image: its start and its style.
        """
        number = self.ages.shape[0]
        turn, rest = divmod(step, max(1, LIFE // number)) if number else (0, 1)
        for place in range(number) if step == 0 else [turn % number] if rest == 0 else []:
            rows = {id(self.pixels): crops[2 * place], id(self.styles): crops[2 * place + 1]}
            for each in self.variables:
                each.assign(_with_row(each, place, rows.get(id(each), 0.0)))

    def optimize(self, features: Callable[[Tensor], Mapping[str, Tensor]]) -> None:
        """Make a step of Adam on the pixels, towards the Gram matrices of the styles.

        Args:
            features: From RGB in [0, 1] to the network's features by layer.
        """
        if not self.ages.shape[0]:
            return
        targets = [gram(each) for each in features(self.styles.value).values()]
        pixels = tf.convert_to_tensor(self.pixels.value)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            losses = [
                tf.reduce_sum((gram(each) - target) ** 2) / tf.reduce_sum(target**2)
                for each, target in zip(features(pixels).values(), targets, strict=True)
            ]
            loss = tf.add_n(losses)
        gradient = tape.gradient(loss, pixels)
        age = tf.reshape(self.ages.value, (-1, 1, 1, 1)) + 1.0
        first = 0.9 * self.first_moment.value + 0.1 * gradient
        second = 0.99 * self.second_moment.value + 0.01 * gradient**2
        step = (first / (1 - 0.9**age)) / (tf.sqrt(second / (1 - 0.99**age)) + 1e-12)
        self.pixels.assign(tf.clip_by_value(pixels - _RATE * step, 0.0, 1.0))
        self.first_moment.assign(first)
        self.second_moment.assign(second)
        self.ages.assign(self.ages.value + 1.0)


def gram(features: Tensor, others: Tensor | None = None) -> Tensor:
    """Gram matrices FᵀF over positions, or FᵀO with other features, over their number.

    Args:
        features: `(batch, height, width, N)`, of any precision.
        others: `(batch, height, width, M)`; None for the features themselves.

    Returns:
        float32 `(batch, N, N)` or `(batch, N, M)`.
    """
    batch, height, width, _ = tf.unstack(tf.shape(features))
    first, second = (
        tf.reshape(each, (batch, height * width, each.shape[-1]))
        for each in (features, features if others is None else others)
    )
    sums = tf.matmul(first, tf.cast(second, first.dtype), transpose_a=True)
    return tf.cast(sums, tf.float32) / tf.cast(height * width, tf.float32)


def variable(value: Any, trainable: bool = False) -> keras.Variable:
    """A float32 variable."""
    return keras.Variable(np.asarray(value, "float32"), dtype="float32", trainable=trainable)


def _with_row(each: keras.Variable, place: int, row: Any) -> np.ndarray:
    """A variable's value with one row replaced."""
    value = np.array(each)
    value[place] = row
    return value
