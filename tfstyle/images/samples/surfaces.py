"""Textures of noise, patterns or parts of pictures, and outlines of cut-outs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from tfstyle.images.samples import noise

OUTLINES = ("figure", "tree", "blob", "bush", "post")
"""The kinds of `outline`."""
_SIDE = 96  # rows and columns of masks


class Texture:
    """A square picture that covers the plane by reflections, so that it has no seams, at several resolutions.

    Args:
        picture: `(side, side, 3)`; the side is a power of 2.
        metres: Length of a side in metres.
    """

    def __init__(self, picture: np.ndarray, metres: float) -> None:
        self.metres = metres
        levels = [np.asarray(picture, np.float32)]
        while len(levels[-1]) > 1:
            large = levels[-1]
            levels.append(large.reshape(len(large) // 2, 2, -1, 2, 3).mean(axis=(1, 3)))
        self._sides = np.array([len(level) for level in levels], np.int32)
        self._starts = np.cumsum([0, *(self._sides**2)[:-1]]).astype(np.int32)
        self._texels = np.concatenate([level.reshape(-1, 3) for level in levels])

    def at(self, place: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """The colours at places, averaged over the area that a pixel covers.

        Args:
            place: Coordinates on the surface, `(2, n)`, in metres.
            footprint: Widths of the pixels on the surface, `(n,)`, in metres.

        Returns:
            float32 `(n, 3)`.
        """
        texels = np.maximum(footprint * (self._sides[0] / self.metres), 1)
        level = np.minimum(np.rint(np.log2(texels)).astype(np.int32), len(self._sides) - 1)
        side = self._sides[level]
        turn = np.mod(place * (1 / self.metres), 2)
        column, row = np.minimum((np.minimum(turn, 2 - turn) * side).astype(np.int32), side - 1)
        return self._texels[self._starts[level] + row * side + column]


def texture(rng: np.random.Generator, side: int, metres: float, pictures: Sequence[np.ndarray] = ()) -> Texture:
    """A random texture.

    Args:
        rng: Random numbers.
        side: Side in texels, a power of 2.
        metres: Length of a side in metres.
        pictures: Pictures, `(height, width, 3)`, RGB in [0, 1]: half of the textures are parts of them, if there are
            any. The others are patterns.
    """
    if len(pictures) and rng.random() < 0.5:
        picture = pictures[int(rng.integers(len(pictures)))]
        short = min(picture.shape[:2])
        length = int(rng.integers(max(2, short // 3), short + 1))
        top, left = (int(rng.integers(each - length + 1)) for each in picture.shape[:2])
        levels = np.uint8(np.rint(255 * picture[top : top + length, left : left + length]))
        part = Image.fromarray(levels).resize((side, side), Image.Resampling.BILINEAR)
        return Texture(np.asarray(part, np.float32) / 255, metres)
    low, high = _colours(rng)
    pattern = _PATTERNS[rng.integers(len(_PATTERNS))](rng, side)
    colour = low + (high - low) * np.clip(pattern, 0, 1)[..., None]
    grain = rng.uniform(0, 0.12) * rng.standard_normal((side, side, 1), np.float32)
    return Texture(np.clip(colour + grain, 0, 1), metres)


def _colours(rng: np.random.Generator) -> np.ndarray:
    """Two random colours, (2, 3), mostly of one hue."""
    first = rng.random(3) * rng.uniform(0.2, 1)
    grey = first.mean() + rng.uniform(0, 0.8) * (first - first.mean())
    other = rng.random(3) if rng.random() < 0.25 else grey * rng.uniform(0.25, 1.9)
    return np.clip(np.stack([grey, other]), 0, 1).astype(np.float32)


def _clouds(rng: np.random.Generator, side: int) -> np.ndarray:
    return 0.5 + rng.uniform(0.15, 0.5) * noise.field(rng, (side, side), rng.uniform(1, 12), octaves=3)


def _streaks(rng: np.random.Generator, side: int) -> np.ndarray:
    return 0.5 + 0.35 * noise.field(rng, (side, side), (rng.uniform(0.5, 3), rng.uniform(6, 20)), octaves=3)


def _bricks(rng: np.random.Generator, side: int) -> np.ndarray:
    rows, columns = int(rng.integers(3, 13)), int(rng.integers(2, 9))
    y, x = np.indices((side, side)) / side
    row = np.floor(y * rows)
    joint = rng.uniform(0.04, 0.2)
    inside = ((y * rows) % 1 > joint) & ((x * columns + row % 2 / 2) % 1 > joint * columns / rows)
    tone = rng.uniform(0.6, 1, (rows, columns + 1))[row.astype(int), (x * columns + row % 2 / 2).astype(int)]
    return (inside * tone).astype(np.float32)


def _windows(rng: np.random.Generator, side: int) -> np.ndarray:
    rows, columns = rng.integers(2, 7, 2)
    y, x = np.indices((side, side)) / side
    high, wide = rng.uniform(0.3, 0.8, 2)
    inside = ((y * rows) % 1 < high) & ((x * columns) % 1 < wide)
    return inside.astype(np.float32)


def _checks(rng: np.random.Generator, side: int) -> np.ndarray:
    y, x = (np.indices((side, side)) / side * rng.integers(2, 9)).astype(int)
    return ((y + x) % 2).astype(np.float32)


def _plain(rng: np.random.Generator, side: int) -> np.ndarray:
    return np.full((side, side), 0.5, np.float32)


_PATTERNS = (_clouds, _clouds, _clouds, _streaks, _bricks, _windows, _checks, _plain)


def outline(rng: np.random.Generator, kind: str) -> np.ndarray:
    """The random outline of a thing.

    Args:
        rng: Random numbers.
        kind: One of `OUTLINES`.

    Returns:
        bool `(96, 96)`: True where the thing is.
    """
    y, x = (np.indices((_SIDE, _SIDE)) + 0.5) / _SIDE
    x = x - 0.5
    rough = noise.field(rng, (_SIDE, _SIDE), 4, octaves=3)
    if kind == "post":
        return np.ones((_SIDE, _SIDE), bool)
    if kind == "figure":  # head, shoulders and body
        head = (x / rng.uniform(0.14, 0.22)) ** 2 + ((y - 0.2) / 0.2) ** 2 < 1
        slope = np.clip((y - rng.uniform(0.34, 0.42)) / rng.uniform(0.1, 0.3), 0, 1)
        return head | ((np.abs(x) < 0.08 + rng.uniform(0.25, 0.42) * np.sqrt(slope)) & (y > 0.34))
    if kind == "tree":
        crown = (x / 0.42) ** 2 + ((y - 0.36) / 0.36) ** 2 < 1 + 0.35 * rough
        return crown | ((np.abs(x) < rng.uniform(0.02, 0.07)) & (y > 0.5))
    if kind == "bush":
        return (x / 0.46) ** 2 + ((1 - y) / 0.85) ** 2 < 1 + 0.3 * rough
    blob = np.zeros((_SIDE, _SIDE), bool)
    for _ in range(rng.integers(2, 6)):
        a, b = rng.uniform(-0.25, 0.25), rng.uniform(0.35, 0.8)
        blob |= ((x - a) / rng.uniform(0.12, 0.26)) ** 2 + ((y - b) / rng.uniform(0.15, 0.36)) ** 2 < 1 + 0.15 * rough
    return blob


def crest(rng: np.random.Generator) -> np.ndarray:
    """The random outline of a range of hills or roofs.

    Args:
        rng: Random numbers.

    Returns:
        bool `(96, 384)`: True where the range is.
    """
    x = np.arange(4 * _SIDE) / _SIDE
    line = 0.5 + 0.25 * noise.curve(rng, x, rng.uniform(0.3, 1.5), int(rng.integers(2, 6)))
    if rng.random() < 0.3:  # roofs
        steps = np.repeat(rng.random(64), 6)
        line = 0.15 + 0.8 * steps
    y = (np.arange(_SIDE) + 0.5) / _SIDE
    return y[:, None] > line[None]
