"""Brush strokes, rasterised as ribbons of pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_STEP = 0.7  # pixels between samples: below 1/√2, so that every pixel of a ribbon has a sample
_BATCH = 1 << 20  # samples in one batch, so that its arrays fit into the cache (chosen)


class Marks(NamedTuple):
    """The samples of a batch of strokes, in the order of painting: the last one of a pixel is on top.

    Attributes:
        pixel: Flat index into the canvas.
        stroke: Index of the stroke.
        along: Position along the stroke, from 0 at its start to 1 at its end.
        across: Position across the stroke, from −1 at one edge to 1 at the other.
    """

    pixel: np.ndarray
    stroke: np.ndarray
    along: np.ndarray
    across: np.ndarray


def sweep(spine: np.ndarray, half_width: np.ndarray, shape: tuple[int, int]) -> Iterator[Marks]:
    """The pixels that strokes cover, in batches.

    Args:
        spine: Points `(x, y)` of each of n strokes, `(n, k, 2)`, in pixels.
        half_width: Half the width of the brush at each point, `(n, k)`, in pixels.
        shape: `(h, w)` of the canvas in pixels; samples outside are dropped.

    Yields:
        `Marks`; a pixel may have several samples.
    """
    if not len(spine):
        return
    h, w = shape
    legs = np.diff(spine, axis=1)
    # Ribbons are straight between points, so their outer edge in a bend is longer than the spine.
    length = np.hypot(legs[..., 0], legs[..., 1]).sum(axis=1) + 2 * half_width.max(axis=1)
    samples = (length / _STEP + 2) * (2 * half_width.max(axis=1) / _STEP + 2)
    batches = np.cumsum(samples) // _BATCH
    tangent = np.gradient(spine, axis=1)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    ribs = normal * half_width[..., None]
    for start, stop in _runs(batches):
        rows = int(np.ceil(length[start:stop].max() / _STEP)) + 1
        columns = int(np.ceil(2 * half_width[start:stop].max() / _STEP)) + 2
        along = np.linspace(0, 1, rows, dtype=np.float32)
        across = np.linspace(-1, 1, columns, dtype=np.float32)
        centre, rib = _resample(spine[start:stop], along), _resample(ribs[start:stop], along)
        x = np.floor(centre[..., None, 0] + rib[..., None, 0] * across).astype(np.int32)
        y = np.floor(centre[..., None, 1] + rib[..., None, 1] * across).astype(np.int32)
        inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
        stroke = np.arange(start, stop)[:, None, None]
        parts = (np.broadcast_to(part, x.shape)[inside] for part in (stroke, along[:, None], across))
        yield Marks((y * w + x)[inside], *parts)


def _runs(labels: np.ndarray) -> Iterator[tuple[int, int]]:
    """Start and stop of each run of equal labels."""
    cuts = np.flatnonzero(np.diff(labels)) + 1
    yield from zip([0, *cuts.tolist()], [*cuts.tolist(), len(labels)], strict=True)


def _resample(points: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Points (n, k, 2) interpolated at positions `along` from 0 to 1: (n, len(along), 2)."""
    position = along * (points.shape[1] - 1)
    left = np.minimum(position.astype(int), points.shape[1] - 2)
    weight = (position - left)[:, None]
    return (points[:, left] * (1 - weight) + points[:, left + 1] * weight).astype(np.float32)
