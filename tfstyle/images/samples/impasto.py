"""A night sky in thick oil paint. All proportions were set by eye."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from tfstyle.images.samples import brush, noise

# Ramps of colours, from dark to light; for the lamps in the sky from the core outwards.
_SKY = [
    (0.05, 0.07, 0.25), (0.06, 0.14, 0.45), (0.09, 0.26, 0.62), (0.15, 0.42, 0.72),
    (0.27, 0.58, 0.74), (0.50, 0.74, 0.73), (0.82, 0.87, 0.70),
]  # fmt: skip
_LAMP = [
    (1.00, 0.98, 0.84), (1.00, 0.90, 0.42), (0.99, 0.74, 0.16), (0.92, 0.54, 0.14),
    (0.80, 0.76, 0.40), (0.44, 0.68, 0.64), (0.16, 0.42, 0.70),
]  # fmt: skip
_LAND = [
    (0.04, 0.06, 0.16), (0.06, 0.14, 0.28), (0.09, 0.26, 0.32), (0.18, 0.38, 0.28),
    (0.46, 0.50, 0.20), (0.86, 0.66, 0.18), (0.96, 0.82, 0.44),
]  # fmt: skip
_PALETTES = np.array([_SKY, _LAMP, _LAND], np.float32)
_SKY_KIND, _LAMP_KIND, _LAND_KIND = range(3)

# Coats of paint: strokes in a square of the short side; length and half width of a stroke in short sides.
_COATS = ((1500, 0.03, 0.0180), (600, 0.17, 0.0150), (2200, 0.115, 0.0095), (2600, 0.075, 0.0060))
_GRID = 320  # resolution of the motif along the short side; strokes add the finer detail
_POINTS = 14  # points of a stroke


def paint(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Paint the picture.

    Args:
        shape: `(h, w)` in pixels.
        rng: Random numbers.

    Returns:
        float32 `(h, w, 3)`, RGB, mostly in [0, 1].
    """
    motif = _Motif(shape, rng)
    surface = _Surface(shape, rng)
    for count, length, half_width in _COATS:
        start = _scatter(rng, shape, count)
        spine = motif.follow(start, length * rng.uniform(0.5, 1.2, len(start)))
        middle = spine[:, _POINTS // 2]
        colour, streak = motif.colour(middle, rng), motif.colour(middle, rng)
        surface.add(spine, half_width * rng.uniform(0.6, 1.25, len(start)), colour, streak, rng)
    return surface.lit()


def _scatter(rng: np.random.Generator, shape: tuple[int, int], density: float) -> np.ndarray:
    """Points (n, 2), spread evenly but not regularly over the canvas and a margin, in random order."""
    h, w = (side / min(shape) for side in shape)
    pitch = density**-0.5
    x, y = np.meshgrid(np.arange(-0.1, w + 0.1, pitch), np.arange(-0.1, h + 0.1, pitch))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return rng.permutation(points + rng.uniform(0, pitch, points.shape))


class _Motif:
    """The motif: the direction of the brush, the palette and the position on its ramp, at each place.

    Lengths are in short sides, x to the right and y down.
    """

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator) -> None:
        self._h, self._w = (side / min(shape) for side in shape)
        grid = round(self._h * _GRID), round(self._w * _GRID)
        self._y, self._x = np.indices(grid, np.float32) / _GRID
        self._rough = noise.field(rng, grid, 5, octaves=3)
        # The brush follows the contours of a stream function: a drift to the right with whirls.
        self._stream = -0.8 * self._y + 0.035 * noise.field(rng, grid, 2.2, octaves=2)
        self._kind = np.full(grid, _SKY_KIND)
        self._tone = np.zeros(grid, np.float32)
        self._clearance = np.ones(grid, np.float32)  # distance to the nearest centre of a whirl
        discs: list[tuple[float, float, float]] = []
        self._paint_sky(rng, discs)
        self._hang_lamps(rng, discs)
        for step, height in enumerate((0.70, 0.79, 0.89)):
            self._raise_hill(rng, step, height * self._h)
        slope_y, slope_x = np.gradient(self._stream)
        heading = np.stack([slope_y, -slope_x], axis=-1)
        self._heading = heading / (np.linalg.norm(heading, axis=-1, keepdims=True) + 1e-9)

    def _paint_sky(self, rng: np.random.Generator, discs: list[tuple[float, float, float]]) -> None:
        """Paint whirls that turn in opposite directions, with bands of light and dark along the flow."""
        arms = np.zeros_like(self._stream)
        turn = rng.choice([-1, 1])
        for _ in range(max(2, round(2.4 * self._w * self._h))):
            radius = rng.uniform(0.13, 0.19)
            cx, cy = _place(rng, discs, (0.12, self._w - 0.12), (0.16 * self._h, 0.52 * self._h), radius)
            distance = np.hypot(self._x - cx, self._y - cy)
            near = np.exp(-0.8 * (distance / radius) ** 2)
            self._stream += turn * 3.2 * radius * near
            arms += turn * 2 * near * np.arctan2(self._y - cy, self._x - cx)
            self._clearance = np.minimum(self._clearance, distance)
            turn = -turn
        bands = np.sin(2 * np.pi * 4.2 * self._stream + arms + 0.5 * self._rough)
        self._tone = 0.30 + 0.36 * bands + 0.09 * self._rough + 0.30 * self._y / self._h

    def _hang_lamps(self, rng: np.random.Generator, discs: list[tuple[float, float, float]]) -> None:
        """Paint the moon, then the stars, each with rings of light."""
        for index in range(round(8 * self._w * self._h) + 3):
            moon = index == 0
            radius = rng.uniform(0.12, 0.14) if moon else rng.uniform(0.035, 0.075)
            cx, cy = _place(rng, discs, (0.05, self._w - 0.05), (0.05 * self._h, 0.60 * self._h), radius)
            distance = np.hypot(self._x - cx, self._y - cy) / radius
            drift = self._stream - self._stream[self._cell(np.array([cx, cy]))]
            self._stream -= drift * np.exp(-(distance**4))  # no drift near the lamp, so that the rings close
            self._stream += rng.choice([-1, 1]) * 5 * radius * np.exp(-2 * distance**2)
            inside = distance + 0.10 * self._rough < 1
            self._kind[inside] = _LAMP_KIND
            rings = 0.07 * np.sin(distance * (18 if moon else 11))
            self._tone[inside] = (0.94 * distance + rings)[inside]
            self._clearance = np.minimum(self._clearance, distance * radius)

    def _raise_hill(self, rng: np.random.Generator, step: int, height: float) -> None:
        """Paint a hill in front of the earlier ones, with furrows along its ridge and round trees."""
        ridge = height + (0.055 - 0.01 * step) * noise.curve(rng, self._x, 0.8, 3)
        ground = self._y > ridge
        depth = self._y - ridge
        sway = 0.006 * noise.field(rng, depth.shape, 6, octaves=2)
        furrows = np.sin(2 * np.pi * (26 - 5 * step) * depth + 1.2 * self._rough)
        tone = np.where(depth < 0.014, 0.05, 0.36 + 0.07 * step + 0.30 * furrows)
        self._kind[ground] = _LAND_KIND
        self._stream[ground] = (depth + sway)[ground]
        self._tone[ground] = tone[ground]
        self._clearance[ground] = 1
        for _ in range(round(3 * self._w) + 1):
            radius = rng.uniform(0.022, 0.05)
            cx = rng.uniform(0, self._w)
            cy = ridge[0, min(int(cx * _GRID), ridge.shape[1] - 1)] - 0.2 * radius
            away_x, away_y = (self._x - cx) / radius, (self._y - cy) / radius
            inside = np.hypot(1.3 * away_x, 0.8 * away_y) + 0.10 * self._rough < 1
            lit = 0.34 - 0.22 * away_x - 0.24 * away_y
            self._kind[inside] = _LAND_KIND
            self._stream[inside] = (away_x + 0.25 * np.sin(2.5 * away_y + cx))[inside]
            self._tone[inside] = lit[inside]
            self._clearance[inside] = 0.25 * radius

    def _cell(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = self._kind.shape
        cell = (points * _GRID).astype(int)
        return np.clip(cell[..., 1], 0, rows - 1), np.clip(cell[..., 0], 0, columns - 1)

    def follow(self, start: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Spines (n, _POINTS, 2) of strokes that follow the flow from `start` (n, 2) for a length (n,)."""
        length = np.minimum(length, 0.02 + 1.6 * self._clearance[self._cell(start)])  # short in tight turns
        points = [start]
        for _ in range(_POINTS - 1):
            points.append(points[-1] + self._heading[self._cell(points[-1])] * length[:, None] / (_POINTS - 1))
        return np.stack(points, axis=1)

    def colour(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Colours (n, 3) of strokes at points (n, 2), from the palettes, with random variation."""
        cell = self._cell(points)
        kind = self._kind[cell]
        spread = np.array([0.085, 0.06, 0.12])[kind]
        tone = np.clip(self._tone[cell] + spread * rng.standard_normal(len(points)), 0, 1)
        position = tone * (_PALETTES.shape[1] - 1)
        low = np.minimum(position.astype(int), _PALETTES.shape[1] - 2)
        weight = (position - low)[:, None]
        colour = _PALETTES[kind, low] * (1 - weight) + _PALETTES[kind, low + 1] * weight
        return np.clip(colour + 0.022 * rng.standard_normal(colour.shape), 0, 1).astype(np.float32)


def _place(
    rng: np.random.Generator,
    discs: list[tuple[float, float, float]],
    x: tuple[float, float],
    y: tuple[float, float],
    radius: float,
) -> tuple[float, float]:
    """The centre of a new disc, far from the discs `(x, y, radius)` in the list; the new disc is appended."""
    candidates = rng.uniform((x[0], y[0]), (x[1], y[1]), (24, 2))
    clearances = [min((np.hypot(px - a, py - b) - r for a, b, r in discs), default=0.0) for px, py in candidates]
    cx, cy = candidates[int(np.argmax(clearances))].tolist()
    discs.append((cx, cy, radius))
    return cx, cy


class _Surface:
    """Paint on canvas: for each pixel, the stroke on top and the position in that stroke."""

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator) -> None:
        self._shape = shape
        size = shape[0] * shape[1]
        self._stroke = np.full(size, -1, np.int32)
        self._along = np.zeros(size, np.float32)
        self._across = np.zeros(size, np.float32)
        # Bristles: streaks along the rows; each stroke reads them at a random place.
        self._bristles = noise.field(rng, (512, 512), (6, 90), octaves=2)
        self._colours: list[np.ndarray] = []
        self._half_widths: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self._count = 0

    def add(
        self,
        spine: np.ndarray,
        half_width: np.ndarray,
        colour: np.ndarray,
        streak: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        """Add strokes, from the lowest to the top one.

        Args:
            spine: Points of each of n strokes, `(n, k, 2)`, in short sides.
            half_width: Half the width of the brush, `(n,)`, in short sides.
            colour: Colours of the strokes, `(n, 3)`.
            streak: Colours of the streaks in them, `(n, 3)`.
            rng: Random numbers.
        """
        short = min(self._shape)
        legs = np.diff(spine, axis=1)
        length = np.hypot(legs[..., 0], legs[..., 1]).sum(axis=1)
        t = np.linspace(0, 1, spine.shape[1])
        pressure = np.minimum(1, 0.45 + 4 * t) * np.sqrt(1 - 0.75 * t**3)
        phase = rng.integers(0, 512, len(spine))
        for marks in brush.sweep(spine * short, half_width[:, None] * pressure * short, self._shape):
            # Bristles lift off at different places, so that the end of a stroke is ragged.
            column = (phase[marks.stroke] + (marks.across * 40).astype(int)) % 512
            ragged = self._bristles[0, column]
            wet = (marks.along < 0.90 + 0.07 * ragged) & (marks.along > 0.03 + 0.03 * ragged)
            pixel = marks.pixel[wet]
            self._stroke[pixel] = marks.stroke[wet] + self._count
            self._along[pixel] = marks.along[wet]
            self._across[pixel] = marks.across[wet]
        self._count += len(spine)
        self._colours.append(np.stack([colour, streak], axis=1))
        self._half_widths.append(half_width)
        self._lengths.append(length)

    def lit(self) -> np.ndarray:
        """The surface in the light of a lamp at the upper left: float32 (h, w, 3)."""
        short = min(self._shape)
        # Pixels without paint get that of the nearest pixel with paint.
        bare = (self._stroke < 0).reshape(self._shape)
        nearest = ndimage.distance_transform_edt(bare, return_distances=False, return_indices=True)
        pixel = nearest[0] * self._shape[1] + nearest[1]
        stroke, along, across = self._stroke[pixel], self._along[pixel], self._across[pixel]
        half_width = np.concatenate(self._half_widths).astype(np.float32)[stroke] * short
        length = np.concatenate(self._lengths).astype(np.float32)[stroke] * short
        row = (stroke * 97 + along * length / half_width * 14).astype(int) % 512
        column = (stroke * 61 + across * 40).astype(int) % 512
        bristle = self._bristles[row, column]

        colours = np.concatenate(self._colours)
        share = np.clip(0.35 + 0.35 * bristle + 0.25 * across, 0, 1)[..., None]
        colour = colours[stroke, 0] * (1 - share) + colours[stroke, 1] * share

        # The brush pushes paint to the edges of a stroke, and leaves the rest of it at the end.
        relief = 0.75 + 0.35 * across**2 - 0.75 * across**8 + 0.35 * along**4 + 0.22 * bristle
        height = ndimage.gaussian_filter(np.sqrt(half_width * 0.008 * short) * relief, short / 900)
        slope_y, slope_x = np.gradient(0.65 * height)
        steep = np.sqrt(1 + slope_x**2 + slope_y**2)
        lamp = np.array([-0.50, -0.62, 0.60])
        facing = (-slope_x * lamp[0] - slope_y * lamp[1] + lamp[2]) / steep
        shade = 0.62 + 0.62 * np.clip(facing, 0, 1)
        gloss = np.clip(facing - 0.80, 0, 1) ** 2 * 4
        return (colour * shade[..., None] + gloss[..., None]).astype(np.float32)
