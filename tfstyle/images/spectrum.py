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


def smoothed(pictures: Tensor, power: float) -> Tensor:
    """Each spatial frequency f times 1 / f^power, scaled to the mean 1: a symmetric, positive definite operator.

    By the Fourier transform, for which a picture has no border: it takes a third of the cosine transform's time.

    Args:
        pictures: `(batch, height, width, channels)`.
        power: 0 for no change.
    """
    height, width = pictures.shape[1:3]
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    lowest = 1 / max(height, width)
    mean = np.mean(np.maximum(np.hypot(rows, columns), lowest) ** -power)
    # Made in the step from its two sides: as a constant of the graph it would take a sixth of the picture's size.
    squares = tf.constant(rows**2, pictures.dtype) + tf.constant(columns**2, pictures.dtype)
    factors = tf.maximum(squares, lowest**2) ** (-power / 2) / mean

    def smooth(plane: Tensor) -> Tensor:
        spectrum = tf.signal.rfft2d(plane)
        return tf.signal.irfft2d(spectrum * tf.cast(factors, spectrum.dtype), [height, width])

    # One channel at a time: spectra of large pictures are large.
    planes = tf.map_fn(smooth, tf.transpose(pictures, (3, 0, 1, 2)), parallel_iterations=1)
    return tf.transpose(planes, (1, 2, 3, 0))


def _both_sides(kind: Any, pictures: Tensor) -> Tensor:
    planes = tf.transpose(pictures, (0, 3, 1, 2))  # (batch, channels, height, width): the last side is transformed
    for _ in range(2):
        planes = tf.linalg.matrix_transpose(kind(planes, norm="ortho"))
    return tf.transpose(planes, (0, 2, 3, 1))
