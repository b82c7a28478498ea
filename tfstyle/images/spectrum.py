"""Spectra of pictures: the cosine transform, and the falloff of amplitudes in natural images."""

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
        The spectrum, of the same shape: `[:, i, j]` is the coefficient of the frequencies i / (2 height) and
        j / (2 width) in cycles a pixel.
    """
    return _along_both_sides(tf.signal.dct, pictures)


def inverse(spectrum: Tensor) -> Tensor:
    """The inverse of `transform`.

    Args:
        spectrum: `(batch, height, width, channels)`.

    Returns:
        The pictures, of the same shape.
    """
    return _along_both_sides(tf.signal.idct, spectrum)


def frequencies(height: int, width: int) -> np.ndarray:
    """The frequency of each coefficient of `transform`.

    Args:
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.

    Returns:
        float64 `(height, width)` in cycles a pixel, from 0 at the first to about 0.7.

    Examples:
        >>> frequencies(1, 4).tolist()
        [[0.0, 0.125, 0.25, 0.375]]
    """
    rows, columns = np.arange(height) / (2 * height), np.arange(width) / (2 * width)
    return np.hypot(rows[:, None], columns)


def falloff(height: int, width: int, power: float) -> np.ndarray:
    """Amplitudes that fall off with the frequency f as 1 / f^power, as in natural images with a power of about 1.

    Args:
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
        power: The exponent; 0 for equal amplitudes.

    Returns:
        float32 `(height, width, 1)` with the mean 1. At the frequency 0 it has the value of the lowest other one.

    Reference:
        Field 1987, "Relations between the statistics of natural images and the response properties of cortical
        cells".
    """
    lowest = 1 / (2 * max(height, width))
    scale = np.maximum(frequencies(height, width), lowest) ** -power
    return (scale / scale.mean()).astype(np.float32)[..., None]


def smoothed(pictures: Tensor, power: float) -> Tensor:
    """Pictures whose spatial frequencies f are multiplied by 1 / f^power: a symmetric, positive definite operator.

    The factors have the mean 1. The transform is the Fourier transform, which is periodic at the borders and takes a
    third of the time of the cosine transform.

    Args:
        pictures: `(batch, height, width, channels)`.
        power: The exponent; 0 for no change.

    Returns:
        Pictures of the same shape and type.
    """
    height, width = pictures.shape[1:3]
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    lowest = 1 / max(height, width)
    mean = np.mean(np.maximum(np.hypot(rows, columns), lowest) ** -power)
    # Computed in the step from its two sides: as a constant it would take a sixth of the picture's size in the graph.
    squares = tf.constant(rows**2, pictures.dtype) + tf.constant(columns**2, pictures.dtype)
    factors = tf.maximum(squares, lowest**2) ** (-power / 2) / mean

    def smooth(plane: Tensor) -> Tensor:
        spectrum = tf.signal.rfft2d(plane)
        return tf.signal.irfft2d(spectrum * tf.cast(factors, spectrum.dtype), [height, width])

    # One channel at a time, because spectra of large pictures need much memory.
    planes = tf.map_fn(smooth, tf.transpose(pictures, (3, 0, 1, 2)), parallel_iterations=1)
    return tf.transpose(planes, (1, 2, 3, 0))


def _along_both_sides(transform: Any, pictures: Tensor) -> Tensor:
    """A transform of the last axis, applied to height and width."""
    planes = tf.transpose(pictures, (0, 3, 1, 2))  # (batch, channels, height, width)
    for _ in range(2):
        planes = tf.linalg.matrix_transpose(transform(planes, norm="ortho"))
    return tf.transpose(planes, (0, 2, 3, 1))
