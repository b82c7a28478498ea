"""A fish among ripples and weed, in glass tesserae. All proportions were set by eye."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, spatial

from tfstyle.images.samples import noise

_PITCH = 0.0185  # side of a tile with its joint, in short sides
_JOINT = 0.0027  # width of the joint, in short sides
_GRID = 256  # cells of the layout along the short side
_BLOCKS = 128  # blocks along the short side; pixels of a block have the same candidate tiles
_NEAREST = 8  # candidate tiles of a block
_ROUNDS = 9  # iterations that move each tile to the centroid of its pixels

_GROUT = np.array([0.235, 0.215, 0.200], np.float32)
_SEA = [
    (0.02, 0.08, 0.27), (0.03, 0.17, 0.45), (0.04, 0.31, 0.62),
    (0.05, 0.50, 0.68), (0.22, 0.68, 0.70), (0.66, 0.87, 0.82),
]  # fmt: skip
_WEED = [(0.02, 0.22, 0.13), (0.07, 0.42, 0.18), (0.36, 0.62, 0.14), (0.72, 0.78, 0.22)]
_FRAME = [(0.55, 0.07, 0.09), (0.86, 0.62, 0.16)]
# Back, flank, belly and fins of a fish.
_COATS = [
    [(0.62, 0.05, 0.06), (0.93, 0.30, 0.05), (0.99, 0.78, 0.30), (0.98, 0.55, 0.08)],
    [(0.85, 0.36, 0.02), (0.98, 0.66, 0.07), (0.99, 0.91, 0.58), (0.84, 0.12, 0.12)],
    [(0.36, 0.05, 0.36), (0.83, 0.13, 0.38), (0.99, 0.66, 0.50), (0.97, 0.60, 0.10)],
]

_WATER, _BLADE, _BUBBLE, _FIN, _TAIL, _BODY, _HEAD, _FLIPPER, _EYE, _PUPIL, _INNER, _OUTER = range(12)


def paint(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Make the mosaic.

    Args:
        shape: `(h, w)` in pixels.
        rng: Random numbers.

    Returns:
        float32 `(h, w, 3)`, RGB, mostly in [0, 1].
    """
    motif = _Motif(shape, rng)
    tiles = _Tiles(motif, rng)
    return _light(tiles.owner(shape), motif.colour(tiles.sites, rng), rng)


class _Motif:
    """The motif: its part, the direction of the rows of tiles and the colour, at each place.

    Lengths are in short sides, x to the right and y down.
    """

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator) -> None:
        self.h, self.w = (side / min(shape) for side in shape)
        self._coat = np.array(_COATS[rng.integers(len(_COATS))], np.float32)
        self._length = 0.345 * min(self.w, 1.3 * self.h)  # half the fish, without its tail
        self._flip, self._tilt = rng.choice([-1, 1]), rng.uniform(-0.28, 0.28)
        self._bend, self._light = rng.uniform(-0.22, 0.22), rng.uniform(0, 6)
        self._bubbles = self._blow(rng)
        roots = np.arange(0.09, self.w - 0.06, 0.095)
        roots = roots + rng.uniform(-0.02, 0.02, len(roots))
        reach = rng.uniform([0.14, 0.020, 0], [0.38, 0.030, 6], (len(roots), 3))
        self._weeds = np.column_stack([roots, reach])  # root, height, half width and phase of each blade

        y, x = (np.indices((round(self.h * _GRID), round(self.w * _GRID)), np.float32) + 0.5) / _GRID
        self.part = self.parts(x, y)
        fish = (self.part >= _FIN) & (self.part <= _PUPIL)
        away = ndimage.distance_transform_edt(~fish) / _GRID
        self._ripple = ndimage.gaussian_filter(away, 3) + 0.012 * noise.field(rng, x.shape, 3, octaves=2)
        slope_y, slope_x = np.gradient(self._level(x, y))
        self.angle = np.arctan2(slope_y, slope_x)

    def _blow(self, rng: np.random.Generator) -> list[tuple[float, float, float]]:
        """Random bubbles (x, y, radius) that touch neither the fish nor each other."""
        bubbles: list[tuple[float, float, float]] = []
        for _ in range(round(40 * self.w * self.h)):
            radius = rng.uniform(0.020, 0.046)
            x, y = rng.uniform((0.1, 0.1), (self.w - 0.1, self.h - 0.2))
            u, v = self._fish(x, y)
            if ((u - 0.15) / 1.5) ** 2 + (v / 0.95) ** 2 > 1 and all(
                np.hypot(x - a, y - b) > radius + c + 0.02 for a, b, c in bubbles
            ):
                bubbles.append((x, y, radius))
        return bubbles[: round(9 * self.w * self.h)]

    def _fish(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of the fish: u along it, from −1 (mouth) to 0.8 (tail); v across it, 0 at the spine."""
        dx, dy = (x - self.w / 2) * self._flip, y - self.h / 2
        cos, sin = np.cos(self._tilt), np.sin(self._tilt)
        u, v = (cos * dx + sin * dy) / self._length + 0.14, (cos * dy - sin * dx) / self._length
        return u, v - self._bend * (u**2 - 0.3)

    def _blade(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where weed is, and the distance from the middle of its blade in half widths."""
        covered, offset = np.zeros(x.shape, bool), np.zeros_like(x)
        for root, height, half, phase in self._weeds:
            up = (self.h - y) / height
            width = half * np.sqrt(np.clip(1 - up, 0, 1))
            across = x - root - 0.030 * np.sin(phase + 20 * y) * np.minimum(1, up)
            inside = np.abs(across) < width
            covered |= inside
            offset = np.where(inside, across / half, offset)
        return covered, offset

    def _edge(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Distance from the edge of the picture."""
        return np.minimum(np.minimum(x, self.w - x), np.minimum(y, self.h - y))

    def parts(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The part of the motif at each place; later parts cover earlier ones."""
        part = np.full(x.shape, _WATER, np.int8)
        part[self._blade(x, y)[0]] = _BLADE
        for cx, cy, radius in self._bubbles:
            part[np.hypot(x - cx, y - cy) < radius] = _BUBBLE
        u, v = self._fish(x, y)
        s = np.clip((u + 1) / 1.8, 0, 1)
        girth = 1.02 * s**0.6 * (1 - s) ** 0.78 + 0.075 * s
        along = (u > -1) & (u < 0.8)
        dorsal, belly, vent = (
            np.sin(np.pi * np.clip((u - start) / span, 0, 1) ** skew)
            for start, span, skew in ((-0.50, 1.05, 0.75), (-0.30, 0.38, 1.6), (0.28, 0.36, 1.6))
        )
        part[along & (-v < girth + 0.25 * dorsal**0.6) & (v < girth + 0.18 * belly + 0.14 * vent)] = _FIN
        part[(u > 0.70) & (np.abs(v) < 0.08 + 0.85 * (u - 0.70)) & (u < 1.08 + 0.34 * np.abs(v))] = _TAIL
        body = along & (np.abs(v) < girth)
        part[body] = _BODY
        part[body & (np.hypot(u + 1.02, 0.8 * v) < 0.50)] = _HEAD
        part[((u + 0.14) / 0.21) ** 2 + ((v - 0.10 - 0.4 * (u + 0.14)) / 0.10) ** 2 < 1] = _FLIPPER
        eye = np.hypot(u + 0.70, v + 0.07)
        part[eye < 0.095] = _EYE
        part[eye < 0.052] = _PUPIL
        edge = self._edge(x, y)
        part[edge < 2 * _PITCH] = _INNER
        part[edge < _PITCH] = _OUTER
        return part

    def _level(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """A function whose contours the rows of tiles follow."""
        u, v = self._fish(x, y)
        bubble = np.min([np.hypot(x - cx, y - cy) for cx, cy, _ in self._bubbles] + [np.ones_like(x)], axis=0)
        level = {
            _WATER: self._ripple, _BLADE: self._blade(x, y)[1], _BUBBLE: bubble,
            _FIN: v, _TAIL: np.hypot(u - 0.45, v), _BODY: v, _HEAD: np.hypot(u + 0.30, v),
            _FLIPPER: v - 0.4 * u, _EYE: np.hypot(u + 0.70, v + 0.07), _PUPIL: u,
            _INNER: self._edge(x, y), _OUTER: self._edge(x, y),
        }  # fmt: skip
        return np.select([self.part == part for part in level], list(level.values()))

    def cell(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices of points (n, 2) into the grid of the motif."""
        rows, columns = self.part.shape
        index = (points * _GRID).astype(int)
        return np.clip(index[:, 1], 0, rows - 1), np.clip(index[:, 0], 0, columns - 1)

    def colour(self, sites: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Colours (n, 3) of the glass of tiles at sites (n, 2), with random variation."""
        x, y = sites.T
        cell = self.cell(sites)
        u, v = self._fish(x, y)
        back, flank, pale, fin = self._coat
        ripple = 0.42 + 0.34 * np.sin(2 * np.pi * self._ripple[cell] / 0.115)
        depth = 0.20 * np.sin(5 * x + 9 * y + self._light) - 0.25 * (y / self.h - 0.5)
        band = np.sin(2 * np.pi * (u + 0.6 * v**2) / 0.46)[:, None]
        plain = _ramp([back, flank, flank, pale], 0.48 + 1.15 * v)
        banded = np.where(band > 0.72, 0.25 * pale + 0.72, np.where(band > 0.30, 0.7 * back, plain))
        tail = self.part[cell] == _TAIL
        fan = 0.5 + 0.5 * np.sin(np.where(tail, 30 * np.arctan2(v, u - 0.45), 34 * (u - 0.4 * np.abs(v))))
        rays = fin * (0.45 + 0.55 * fan[:, None]) + 0.12 * fan[:, None]
        run = np.where(np.minimum(x, self.w - x) < np.minimum(y, self.h - y), y, x)
        red, gold = np.array(_FRAME)
        chequer = (np.floor(run / (3 * _PITCH)) % 2)[:, None]
        glass = {
            _WATER: _ramp(_SEA, ripple + depth + 0.07 * rng.standard_normal(len(x))),
            _BLADE: _ramp(_WEED, 0.45 + 0.35 * self._blade(x, y)[1] + 0.25 * np.sin(40 * y)),
            _BUBBLE: (0.82, 0.94, 0.90),
            _FIN: rays, _TAIL: rays, _FLIPPER: rays,
            _BODY: banded,
            _HEAD: _ramp([back, flank, pale], 0.35 + 1.1 * v),
            _EYE: (0.97, 0.94, 0.82), _PUPIL: (0.03, 0.03, 0.06),
            _INNER: red + (gold - red) * chequer, _OUTER: gold,
        }  # fmt: skip
        part = self.part[cell][:, None]
        panes = [np.broadcast_to(pane, (len(x), 3)) for pane in glass.values()]
        colour = np.select([part == which for which in glass], panes)
        shift = 1 + 0.13 * rng.standard_normal((len(x), 1)) + 0.05 * rng.standard_normal((len(x), 3))
        return np.clip(colour * shift, 0, 1).astype(np.float32)


def _ramp(colours: list[tuple[float, float, float]] | list[np.ndarray], position: np.ndarray) -> np.ndarray:
    """Colours (n, 3) of a ramp at positions (n,) from 0 to 1."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(position, stops, channel) for channel in np.array(colours).T], axis=-1)


class _Tiles:
    """The tiles: square cells along the rows, moved apart until they fill each part evenly.

    A place belongs to a tile of the same part: the nearest one by a distance whose circles are squares along the row.
    """

    def __init__(self, motif: _Motif, rng: np.random.Generator) -> None:
        self._motif = motif
        down, across = round(motif.h / _PITCH), round(motif.w / _PITCH)
        y, x = np.divmod(np.arange(down * across), across)
        scattered = np.stack([x, y], axis=1) + rng.random((down * across, 2))
        self.sites = scattered * (motif.w / across, motif.h / down)
        rows, columns = (np.indices(motif.part.shape) + 0.5) / _GRID
        cells = np.stack([columns.ravel(), rows.ravel()], axis=1)
        for _ in range(_ROUNDS):
            owner = self._nearest(cells, motif.part.ravel())
            size = np.bincount(owner, minlength=len(self.sites))
            middle = [np.bincount(owner, axis, len(size)) / np.maximum(size, 1) for axis in cells.T]
            self.sites = np.stack(middle, axis=1)[size > 0]

    def owner(self, shape: tuple[int, int]) -> np.ndarray:
        """The index of the tile of each of (h, w) pixels."""
        y, x = (np.indices(shape, np.float32) + 0.5) / min(shape)
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        return self._nearest(points, self._motif.parts(*points.T)).reshape(shape)

    def _nearest(self, points: np.ndarray, part: np.ndarray) -> np.ndarray:
        """The indices (n,) of the tiles of points (n, 2) that lie in the parts (n,) of the motif."""
        rows, columns = (int(side * _BLOCKS) + 1 for side in (self._motif.h, self._motif.w))
        blocks = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        nearest = spatial.cKDTree(self.sites).query((blocks + 0.5) / _BLOCKS, _NEAREST)[1]
        block = (points * _BLOCKS).astype(int)
        candidates = nearest[block[:, 1] * columns + block[:, 0]]

        cell = self._motif.cell(self.sites)
        angle, home = self._motif.angle[cell], self._motif.part[cell]
        axes = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
        sites = self.sites.astype(np.float32)
        best, owner = np.full(len(points), np.inf, np.float32), candidates[:, 0].copy()
        for tile in candidates.T:
            offset = points - sites[tile]
            cos, sin = axes[tile].T
            down = np.abs(cos * offset[:, 0] + sin * offset[:, 1])
            along = np.abs(cos * offset[:, 1] - sin * offset[:, 0])
            distance = np.maximum(down, along) + 0.15 * (down + along)
            distance += home[tile] != part  # a penalty, so that tiles respect the outlines of the motif
            closer = distance < best
            best[closer], owner[closer] = distance[closer], tile[closer]
        return owner


def _light(owner: np.ndarray, glass: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture of tiles with colours (n, 3): bevelled, tilted, in grout, and lit from the upper left."""
    short = min(owner.shape)
    joint = np.zeros(owner.shape, bool)
    joint[:-1] |= owner[:-1] != owner[1:]
    joint[:, :-1] |= owner[:, :-1] != owner[:, 1:]
    inset = ndimage.distance_transform_edt(~joint).astype(np.float32)
    ragged = 1 + 0.25 * noise.field(rng, owner.shape, 90, octaves=2)
    cover = np.clip(inset - 0.5 * _JOINT * short * ragged, 0, 1)[..., None]

    # A flat face with a rounded rim.
    dome = ndimage.gaussian_filter(np.minimum(inset, 0.0034 * short), 0.0011 * short)
    slope_y, slope_x = np.gradient(dome)
    askew = (0.20 * rng.standard_normal((2, len(glass)))).astype(np.float32)
    lit = 0.55 * slope_x + 0.70 * slope_y + 0.55 * askew[0][owner] + 0.70 * askew[1][owner]
    veins = 0.035 * noise.field(rng, owner.shape, (40, 90), octaves=2)
    face = glass[owner] * (1 + 0.42 * lit + veins)[..., None] + 0.30 * np.clip(lit - 0.25, 0, 1)[..., None]
    sand = _GROUT * (1 + 0.10 * noise.field(rng, owner.shape, 150, octaves=2))[..., None]
    return (sand + (face - sand) * cover).astype(np.float32)
