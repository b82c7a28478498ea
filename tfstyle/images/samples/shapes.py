"""Where rays meet surfaces: planes, boxes, ellipsoids, upright cylinders and cut-outs.

Lengths are metres: x to the right, y up, z away from the camera. A ray is `origin + t · direction`, and directions
are scaled so that t is the depth: the distance along the camera's axis, not along the ray. Rays, points and normals
are float32 `(3, n)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

_LEAST = 0.05  # metres before the camera, nearer than which nothing is seen
_FLAT = 1e-9  # of a direction's component, below which a ray runs along a surface


class Shape(Protocol):
    """A surface."""

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The depth `(n,)` at which rays `(3, n)` from `origin (3,)` meet it; infinity where they miss."""
        ...

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of points on it, the normals `(3, n)` of length 1, and the places `(2, n)` on the surface, in metres."""
        ...


@dataclass(frozen=True)
class Plane:
    """All points with `normal · point = offset`, seen from the side that the normal points to."""

    normal: tuple[float, float, float]
    offset: float

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """See `Shape`."""
        normal = np.asarray(self.normal, np.float32)
        depth = (self.offset - normal @ origin) / _away_from_zero(normal @ rays)
        return _before(depth, True)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape`."""
        normal = np.asarray(self.normal, np.float32)
        across = [axis for axis in range(3) if axis != np.abs(normal).argmax()]
        return np.broadcast_to(normal[:, None], points.shape), points[across]


@dataclass(frozen=True)
class Ellipsoid:
    """With its axes along the world's."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """See `Shape`."""
        radii = _column(self.radii)
        return _nearer_root(rays / radii, (origin - np.asarray(self.centre)) / radii[:, 0])

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape`."""
        radii = _column(self.radii)
        inside = (points - _column(self.centre)) / radii
        around = np.arctan2(inside[0], -inside[2]) * self.radii[0]
        return _unit(inside / radii), np.stack([around, inside[1] * self.radii[1]])


@dataclass(frozen=True)
class Cylinder:
    """Upright, on `foot`, with a top and no bottom."""

    foot: tuple[float, float, float]
    radius: float
    height: float

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """See `Shape`."""
        x, y, z = origin - np.asarray(self.foot)
        side = _nearer_root(rays[[0, 2]] / self.radius, np.array([x, z]) / self.radius)
        height = y + np.where(np.isfinite(side), side, 0) * rays[1]
        side = np.where((height >= 0) & (height <= self.height), side, np.inf)
        top = (self.height - y) / _away_from_zero(rays[1])
        within = (x + top * rays[0]) ** 2 + (z + top * rays[2]) ** 2 <= self.radius**2
        return np.minimum(side, _before(top, within))

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape`."""
        x, y, z = points - _column(self.foot)
        capped = x**2 + z**2 < (0.999 * self.radius) ** 2
        zero = np.zeros_like(x)
        normal = np.where(capped, np.stack([zero, zero + 1, zero]), np.stack([x, zero, z]) / self.radius)
        around = np.arctan2(x, -z) * self.radius
        return _unit(normal), np.where(capped, np.stack([x, z]), np.stack([around, y]))


@dataclass(frozen=True)
class Box:
    """Upright, turned by `angle` about the vertical through its centre; `half` are half its sides."""

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    angle: float = 0.0

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """See `Shape`."""
        turn = _turn(self.angle).T
        start = turn @ (origin - np.asarray(self.centre))
        enters, leaves = -np.inf, np.inf
        for ray, begin, half in zip(turn @ rays, start, self.half, strict=True):
            ray = _away_from_zero(ray)
            one, other = (-half - begin) / ray, (half - begin) / ray
            enters, leaves = np.maximum(enters, np.minimum(one, other)), np.minimum(leaves, np.maximum(one, other))
        return _before(np.asarray(enters), enters <= leaves)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape`."""
        turn = _turn(self.angle)
        x, y, z = inside = turn.T @ (points - _column(self.centre))
        axis = np.abs(inside / _column(self.half)).argmax(axis=0)
        normal = np.where(axis == np.arange(3)[:, None], np.sign(inside), 0)
        return turn @ normal, np.stack([np.where(axis == 0, z, x), np.where(axis == 1, z, y)])


@dataclass(frozen=True, eq=False)
class CutOut:
    """An upright sheet that is there where its mask is, as of cardboard.

    Attributes:
        foot: The middle of its lower edge.
        width: In metres.
        height: In metres.
        mask: bool (rows, columns), the first row on top.
        angle: By which it's turned from facing the camera.
    """

    foot: tuple[float, float, float]
    width: float
    height: float
    mask: np.ndarray
    angle: float = 0.0

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """See `Shape`."""
        turn = _turn(self.angle).T
        start, own = turn @ (origin - np.asarray(self.foot)), turn @ rays
        depth = -start[2] / _away_from_zero(own[2])
        rows, columns = self.mask.shape
        row = np.floor((1 - (start[1] + depth * own[1]) / self.height) * rows)
        column = np.floor(((start[0] + depth * own[0]) / self.width + 0.5) * columns)
        found = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        found[found] = self.mask[row[found].astype(int), column[found].astype(int)]
        return _before(depth, found)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape`."""
        turn = _turn(self.angle)
        normal = np.broadcast_to(-turn[:, 2:], points.shape)
        return normal, (turn.T @ (points - _column(self.foot)))[:2]


def _nearer_root(rays: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Least t with |start + t ray| = 1; infinity where there is none before the camera, as from inside."""
    start = start.astype(np.float32)
    a = np.maximum(sum(each * each for each in rays), _FLAT)
    b, c = start @ rays, start @ start - 1
    inside = b * b - a * c
    return _before((-b - np.sqrt(np.maximum(inside, 0))) / a, inside >= 0)


def _before(depth: np.ndarray, found: np.ndarray | bool) -> np.ndarray:
    """Depths before the camera where something is found, infinity elsewhere."""
    return np.where(found & (depth > _LEAST), depth, np.float32(np.inf))


def _turn(angle: float) -> np.ndarray:
    """Rotation about the vertical, from a shape's own axes to the world's; its transpose is the way back."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32)


def _column(values: tuple[float, float, float]) -> np.ndarray:
    return np.asarray(values, np.float32)[:, None]


def _away_from_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.abs(values) < _FLAT, np.float32(_FLAT), values)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.sqrt(sum(each * each for each in vectors)), _FLAT)
