"""Smooth random fields that do not depend on the resolution."""

from __future__ import annotations

import numpy as np
from PIL import Image


def field(
    rng: np.random.Generator,
    shape: tuple[int, int],
    cells: float | tuple[float, float],
    octaves: int = 4,
    gain: float = 0.5,
) -> np.ndarray:
    """Fractal noise of zero mean and about unit deviation.

    The lattice covers the picture, whatever its pixels. So a generator state gives one field for all sizes of the
    same aspect ratio, sampled more or less finely.

    Args:
        rng: Random numbers of the lattices.
        shape: `(h, w)` in pixels.
        cells: Lattice cells along the short side of the picture, or `(down, across)` for streaks.
        octaves: Number of lattices that are added, each twice as fine as the one before.
        gain: Amplitude of a lattice relative to the one before.

    Returns:
        float32 `(h, w)`.
    """
    h, w = shape
    short = min(shape)
    down, across = cells if isinstance(cells, tuple) else (cells, cells)
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        span_y, span_x = down * 2**octave * h / short, across * 2**octave * w / short
        lattice = rng.standard_normal((int(span_y) + 4, int(span_x) + 4), np.float32)
        # Without one cell at each side, where the interpolation would reach beyond the lattice.
        box = (1.5, 1.5, 1.5 + span_x, 1.5 + span_y)
        total += gain**octave * np.asarray(Image.fromarray(lattice).resize((w, h), Image.Resampling.BICUBIC, box=box))
    power = sum(gain ** (2 * octave) for octave in range(octaves))
    return total / np.float32(np.sqrt(0.6 * power))  # interpolation between the nodes keeps 0.6 of the power


def curve(rng: np.random.Generator, x: np.ndarray, cells: float, octaves: int = 4) -> np.ndarray:
    """Fractal noise along a line.

    Args:
        rng: Random numbers.
        x: Positions, of any shape.
        cells: Waves of the first octave in a unit of `x`.
        octaves: Number of waves that are added, each about twice as fine as the one before.

    Returns:
        An array of the shape of `x`, mostly between −1 and 1.
    """
    total = np.zeros_like(x)
    for octave in range(octaves):
        frequency = cells * 2**octave * rng.uniform(0.75, 1.3)
        total += 0.5**octave * np.sin(2 * np.pi * (frequency * x + rng.random()))
    return total / np.sqrt(2)
