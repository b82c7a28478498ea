"""Ink on rice paper: strokes and washes, and their look when they are dry."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from tfstyle.images.samples import brush, noise

_PAPER = np.array([0.925, 0.885, 0.800], np.float32)
_INK = np.array([1.00, 0.985, 0.945], np.float32)  # absorbance of ink in each channel: soot is warm
_CINNABAR = np.array([0.72, 0.13, 0.09], np.float32)


class Sheet:
    """A sheet of paper with ink, as absorbance. Positions are in short sides, x to the right and y down.

    Args:
        shape: `(h, w)` in pixels.
        rng: Random numbers of paper and strokes.
    """

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator) -> None:
        self.shape = shape
        self.rng = rng
        self.short = min(shape)
        self.h, self.w = (side / self.short for side in shape)
        self.ink = np.zeros(shape, np.float32)
        # Variations of water in the washes, and the tooth (the roughness) of the paper.
        self.pools = noise.field(rng, shape, 7, octaves=5, gain=0.6)
        self.tooth = noise.field(rng, shape, 160, octaves=2, gain=0.7)
        self._hairs = noise.field(rng, (512, 512), (5, 110), octaves=2)

    def positions(self, window: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
        """The positions `(y, x)` of the pixels in a window, as arrays that broadcast to its shape.

        Args:
            window: Rows and columns.
        """
        rows, columns = (np.arange(side, dtype=np.float32) / self.short for side in self.shape)
        return rows[window[0], None], columns[None, window[1]]

    def stroke(
        self,
        spine: np.ndarray,
        half_width: np.ndarray | float,
        load: np.ndarray | float,
        dry: float = 0.3,
        bleed: float = 0.0,
    ) -> None:
        """Draw strokes that are wet at the same time, so that they merge.

        Args:
            spine: Points `(x, y)` of each of n strokes, `(n, k, 2)`, in short sides.
            half_width: Half the width of the brush in short sides, a number or an array that broadcasts to `(n, k)`.
            load: Absorbance of the ink, a number or an array that broadcasts to `(n, k)`.
            dry: Dryness of the brush, from 0 for full strokes to 1 for streaks; it increases along a stroke.
            bleed: Distance by which the ink spreads in the paper, in short sides.
        """
        n, k = spine.shape[:2]
        broad = np.maximum(np.broadcast_to(half_width, (n, k)) * self.short, 0.55)
        wetness = np.broadcast_to(load, (n, k)).astype(np.float32)
        spine = spine * self.short
        margin = broad.max() + 3 * bleed * self.short + 2
        low = np.maximum(spine.min(axis=(0, 1)) - margin, 0).astype(int)
        high = np.minimum(spine.max(axis=(0, 1)) + margin, self.shape[::-1]).astype(int)
        if (high <= low).any():
            return
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        tooth = self.tooth[window]
        layer = np.zeros(tooth.size, np.float32)
        phase = self.rng.integers(0, 512, (n,))
        for marks in brush.sweep(spine - low, broad, tooth.shape):
            row = (phase[marks.stroke] + (marks.along * 60).astype(int)) % 512
            column = (phase[marks.stroke] * 7 + (marks.across * 24).astype(int)) % 512
            grip = 0.6 * self._hairs[row, column] + 0.5 * tooth.ravel()[marks.pixel]
            wet = 2.7 + 1.6 * min(1, 2 * dry) * grip - dry * (2.4 + 2.6 * marks.along)
            edge = np.minimum(1, 4 - 4 * np.abs(marks.across))
            point = np.rint(marks.along * (k - 1)).astype(int)
            np.maximum.at(layer, marks.pixel, wetness[marks.stroke, point] * np.clip(wet, 0, 1) * edge)
        drawn = layer.reshape(tooth.shape)
        if bleed:
            drawn = ndimage.gaussian_filter(drawn, bleed * self.short)
        self.ink[window] += drawn * (1 - 0.35 * np.clip(self.ink[window], 0, 1))

    def developed(self, seal: tuple[float, float]) -> np.ndarray:
        """The sheet as a picture, with a seal.

        Args:
            seal: Position of the seal, as fractions of width and height.

        Returns:
            float32 `(h, w, 3)`.
        """
        ink = 0.8 * self.ink + 0.2 * ndimage.gaussian_filter(self.ink, 0.003 * self.short)
        ink *= 1 + 0.10 * self.tooth
        picture = _paper(self) * np.exp(-1.9 * ink[..., None] * _INK)
        _press(self, picture, seal)
        return picture


def _paper(sheet: Sheet) -> np.ndarray:
    """The colour of rice paper, with clouds, tooth, and light and dark fibres."""
    rng = sheet.rng
    stain = 0.012 * noise.field(rng, sheet.shape, 2, octaves=3) + 0.008 * sheet.tooth
    for sign in (-1, 1):
        count = round(500 * sheet.w * sheet.h)
        start = rng.uniform((0, 0), (sheet.w, sheet.h), (count, 2))
        bend = rng.normal(0, 0.35, (count, 1)) * np.linspace(-1, 1, 8)
        angle = rng.uniform(0, np.pi, (count, 1)) + bend
        step = rng.gamma(2.0, 0.0035, (count, 1, 1))
        spine = start[:, None] + np.cumsum(step * np.stack([np.cos(angle), np.sin(angle)], axis=-1), axis=1)
        fibre = np.zeros(sheet.ink.size, np.float32)
        for marks in brush.sweep(spine * sheet.short, np.full((count, 8), 0.0011 * sheet.short), sheet.shape):
            fibre[marks.pixel] = 1 - np.abs(2 * marks.along - 1)
        stain += sign * 0.030 * fibre.reshape(sheet.shape)
    warmth = np.array([0.8, 1.0, 1.35], np.float32)
    return _PAPER * (1 + stain[..., None] * warmth)


def _press(sheet: Sheet, picture: np.ndarray, seal: tuple[float, float]) -> None:
    """Print a square seal with an invented sign, at a position in fractions of width and height."""
    rng = sheet.rng
    cells = np.ones((9, 9), bool)  # True prints; the sign is carved away
    half = rng.random((7, 3)) < 0.5
    half[1::2] = ~half[:-1:2] | (rng.random((3, 3)) < 0.3)
    cells[1:8, 1:8] = np.hstack([half, rng.random((7, 1)) < 0.3, half[:, ::-1]])  # even, as in seal script
    side = max(9, round(0.062 * sheet.short))
    top, left = round(seal[1] * sheet.shape[0] - side / 2), round(seal[0] * sheet.shape[1] - side / 2)
    index = np.arange(side) * 9 // side
    stamp = ndimage.gaussian_filter(cells[np.ix_(index, index)].astype(np.float32), side / 45)
    window = np.s_[top : top + side, left : left + side]
    cover = np.clip(stamp * (0.92 + 0.16 * sheet.tooth[window]), 0, 1)[..., None]
    picture[window] *= 1 - cover * (1 - _CINNABAR)
