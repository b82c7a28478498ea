"""The cosine spectrum of pictures, and what its amplitudes are like in pictures of the world."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any


def transform(pictures: Tensor) -> Tensor:
    """The orthonormal cosine transform (DCT-II) of each channel.

    Args:
        pictures: `(batch, height, width, channels)`.

    Returns:
        The spectrum, of the same shape: `[:, i, j]` belongs to waves of i / (2 height) and j / (2 width) cycles a
        pixel.
    """
    return _both_sides(tf.signal.dct, pictures)


def inverse(spectrum: Tensor) -> Tensor:
    """The pictures that `transform` gives this spectrum of."""
    return _both_sides(tf.signal.idct, spectrum)


def frequencies(height: int, width: int) -> np.ndarray:
    """Of each coefficient, in cycles a pixel: float64 `(height, width)`, 0 at the first."""
    rows, columns = np.arange(height) / (2 * height), np.arange(width) / (2 * width)
    return np.hypot(rows[:, None], columns)


def falloff(height: int, width: int, power: float) -> np.ndarray:
    """1 / f^power, with the lowest frequency for 0, scaled to the mean 1: float32 `(height, width, 1)`.

    Amplitudes in pictures of the world fall off like this with a power of about 1 (Field 1987, "Relations between
    the statistics of natural images and the response properties of cortical cells").
    """
    lowest = 1 / (2 * max(height, width))
    scale = np.maximum(frequencies(height, width), lowest) ** -power
    return (scale / scale.mean()).astype(np.float32)[..., None]


def _both_sides(kind: Any, pictures: Tensor) -> Tensor:
    planes = tf.transpose(pictures, (0, 3, 1, 2))  # (batch, channels, height, width): the last side is transformed
    for _ in range(2):
        planes = tf.linalg.matrix_transpose(kind(planes, norm="ortho"))
    return tf.transpose(planes, (0, 2, 3, 1))
