"""Smooth random fields that look the same at every resolution."""

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

    The lattice is laid over the picture, not over its pixels, so one generator state gives the same
    field, sampled more or less finely, at every size of the same proportions.

    Args:
        rng: Source of the lattice values.
        shape: `(h, w)` in pixels.
        cells: Lattice cells along the picture's short side, or `(down, across)` for streaks.
        octaves: How many lattices are added, each twice as fine as the last.
        gain: Amplitude of each lattice over the one before.

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
        # One cell is cut from each side, where the interpolation would see the lattice end.
        box = (1.5, 1.5, 1.5 + span_x, 1.5 + span_y)
        total += gain**octave * np.asarray(Image.fromarray(lattice).resize((w, h), Image.Resampling.BICUBIC, box=box))
    power = sum(gain ** (2 * octave) for octave in range(octaves))
    return total / np.float32(np.sqrt(0.6 * power))  # interpolation between the nodes keeps 0.6 of the power


def curve(rng: np.random.Generator, x: np.ndarray, cells: float, octaves: int = 4) -> np.ndarray:
    """Fractal noise along a line, about within ±1, at positions `x` (`cells` waves to a unit)."""
    total = np.zeros_like(x)
    for octave in range(octaves):
        frequency = cells * 2**octave * rng.uniform(0.75, 1.3)
        total += 0.5**octave * np.sin(2 * np.pi * (frequency * x + rng.random()))
    return total / np.sqrt(2)
