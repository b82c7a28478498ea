"""Shapes, and their intersections with rays: planes, boxes, ellipsoids, upright cylinders and cut-outs.

Lengths are in metres: x to the right, y up, z away from the camera. Angles are in radians. A ray is
`origin + t · direction`. Directions are scaled so that t is the depth, the distance along the camera's axis. Rays,
points and normals are float32 `(3, n)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

_LEAST_DEPTH = 0.05  # metres; nothing nearer to the camera is visible
_PARALLEL = 1e-9  # component of a direction below which a ray is parallel to a surface


class Shape(Protocol):
    """A surface that rays can meet."""

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The depths at which rays meet the surface.

        Args:
            origin: Start of all rays, `(3,)`.
            rays: Directions, `(3, n)`.

        Returns:
            `(n,)`; infinity for rays that miss the surface.
        """
        ...

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normals and surface coordinates of points.

        Args:
            points: Points of the surface, `(3, n)`.

        Returns:
            Unit normals, `(3, n)`; and coordinates on the surface, `(2, n)`.
        """
        ...


@dataclass(frozen=True)
class Plane:
    """The plane `normal · point = offset`, visible from the side that the normal points to.

    Attributes:
        normal: Unit normal.
        offset: Distance from the origin along the normal.
    """

    normal: tuple[float, float, float]
    offset: float

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The depths at which rays (3, n) from an origin meet the plane: (n,)."""
        normal = np.asarray(self.normal, np.float32)
        depth = (self.offset - normal @ origin) / _away_from_zero(normal @ rays)
        return _in_front(depth, True)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normals (3, n) and surface coordinates (2, n) of points (3, n) of the plane."""
        normal = np.asarray(self.normal, np.float32)
        across = [axis for axis in range(3) if axis != np.abs(normal).argmax()]
        return np.broadcast_to(normal[:, None], points.shape), points[across]


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid whose axes are those of the world.

    Attributes:
        centre: Its centre.
        radii: Its radii along x, y and z.
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The depths at which rays (3, n) from an origin meet the ellipsoid: (n,)."""
        radii = _column(self.radii)
        return _nearer_root(rays / radii, (origin - np.asarray(self.centre)) / radii[:, 0])

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normals (3, n) and surface coordinates (2, n) of points (3, n) of the ellipsoid."""
        radii = _column(self.radii)
        inside = (points - _column(self.centre)) / radii
        around = np.arctan2(inside[0], -inside[2]) * self.radii[0]
        return _unit(inside / radii), np.stack([around, inside[1] * self.radii[1]])


@dataclass(frozen=True)
class Cylinder:
    """An upright cylinder with a top and no bottom.

    Attributes:
        foot: The middle of its bottom.
        radius: Its radius.
        height: Its height.
    """

    foot: tuple[float, float, float]
    radius: float
    height: float

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The depths at which rays (3, n) from an origin meet the cylinder: (n,)."""
        x, y, z = origin - np.asarray(self.foot)
        side = _nearer_root(rays[[0, 2]] / self.radius, np.array([x, z]) / self.radius)
        height = y + np.where(np.isfinite(side), side, 0) * rays[1]
        side = np.where((height >= 0) & (height <= self.height), side, np.inf)
        top = (self.height - y) / _away_from_zero(rays[1])
        within = (x + top * rays[0]) ** 2 + (z + top * rays[2]) ** 2 <= self.radius**2
        return np.minimum(side, _in_front(top, within))

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normals (3, n) and surface coordinates (2, n) of points (3, n) of the cylinder."""
        x, y, z = points - _column(self.foot)
        capped = x**2 + z**2 < (0.999 * self.radius) ** 2
        zero = np.zeros_like(x)
        normal = np.where(capped, np.stack([zero, zero + 1, zero]), np.stack([x, zero, z]) / self.radius)
        around = np.arctan2(x, -z) * self.radius
        return _unit(normal), np.where(capped, np.stack([x, z]), np.stack([around, y]))


@dataclass(frozen=True)
class Box:
    """An upright box.

    Attributes:
        centre: Its centre.
        half: Half its sides along x, y and z.
        angle: Its rotation about the vertical through its centre.
    """

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    angle: float = 0.0

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The depths at which rays (3, n) from an origin meet the box: (n,)."""
        turn = _turn(self.angle).T
        start = turn @ (origin - np.asarray(self.centre))
        enters, leaves = -np.inf, np.inf
        for ray, begin, half in zip(turn @ rays, start, self.half, strict=True):
            ray = _away_from_zero(ray)
            one, other = (-half - begin) / ray, (half - begin) / ray
            enters, leaves = np.maximum(enters, np.minimum(one, other)), np.minimum(leaves, np.maximum(one, other))
        return _in_front(np.asarray(enters), enters <= leaves)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normals (3, n) and surface coordinates (2, n) of points (3, n) of the box."""
        turn = _turn(self.angle)
        x, y, z = inside = turn.T @ (points - _column(self.centre))
        axis = np.abs(inside / _column(self.half)).argmax(axis=0)
        normal = np.where(axis == np.arange(3)[:, None], np.sign(inside), 0)
        return turn @ normal, np.stack([np.where(axis == 0, z, x), np.where(axis == 1, z, y)])


@dataclass(frozen=True, eq=False)
class CutOut:
    """An upright sheet, as of cardboard, cut out by a mask.

    Attributes:
        foot: The middle of its lower edge.
        width: Its width.
        height: Its height.
        mask: bool `(rows, columns)`, the first row on top: True where the sheet is.
        angle: Its rotation about the vertical, 0 if it faces the camera.
    """

    foot: tuple[float, float, float]
    width: float
    height: float
    mask: np.ndarray
    angle: float = 0.0

    def depths(self, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The depths at which rays (3, n) from an origin meet the cut-out: (n,)."""
        turn = _turn(self.angle).T
        start, turned = turn @ (origin - np.asarray(self.foot)), turn @ rays
        depth = -start[2] / _away_from_zero(turned[2])
        rows, columns = self.mask.shape
        row = np.floor((1 - (start[1] + depth * turned[1]) / self.height) * rows)
        column = np.floor(((start[0] + depth * turned[0]) / self.width + 0.5) * columns)
        hit = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        hit[hit] = self.mask[row[hit].astype(int), column[hit].astype(int)]
        return _in_front(depth, hit)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normals (3, n) and surface coordinates (2, n) of points (3, n) of the cut-out."""
        turn = _turn(self.angle)
        normal = np.broadcast_to(-turn[:, 2:], points.shape)
        return normal, (turn.T @ (points - _column(self.foot)))[:2]


def _nearer_root(rays: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The least t with |start + t ray| = 1; infinity if it is behind the camera, as from inside the sphere."""
    start = start.astype(np.float32)
    a = np.maximum(sum(each * each for each in rays), _PARALLEL)
    b, c = start @ rays, start @ start - 1
    inside = b * b - a * c
    return _in_front((-b - np.sqrt(np.maximum(inside, 0))) / a, inside >= 0)


def _in_front(depth: np.ndarray, hit: np.ndarray | bool) -> np.ndarray:
    """The depths of hits in front of the camera, infinity elsewhere."""
    return np.where(hit & (depth > _LEAST_DEPTH), depth, np.float32(np.inf))


def _turn(angle: float) -> np.ndarray:
    """The rotation about the vertical from a shape's axes to the world's; its transpose is the inverse."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32)


def _column(values: tuple[float, float, float]) -> np.ndarray:
    return np.asarray(values, np.float32)[:, None]


def _away_from_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.abs(values) < _PARALLEL, np.float32(_PARALLEL), values)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.sqrt(sum(each * each for each in vectors)), _PARALLEL)
