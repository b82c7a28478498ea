"""Scenes of known depth: ground, walls, sky and things.

Contents, places and sizes were set by eye, so that the pictures have the depth cues of photographs: things occlude
one another, stand on a ground that rises towards the horizon, and become smaller, hazier and less sharp with
distance. The scenes are for training and evaluating depth networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfstyle.images.samples.camera import Scene, expose, trace
from tfstyle.images.samples.shapes import Box, CutOut, Cylinder, Ellipsoid, Plane, Shape
from tfstyle.images.samples.surfaces import OUTLINES, Texture, crest, outline, texture

SCENES: tuple[str, ...] = ("open", "street", "room", "table", "portrait")
"""The kinds of scenes: outdoors, a street, a room, a table top, and one large thing in front of the first three."""


def render(
    shape: tuple[int, int],
    rng: np.random.Generator,
    pictures: Sequence[np.ndarray] = (),
    supersampling: int = 2,
    kind: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A random scene, and its inverse depth.

    Args:
        shape: `(h, w)` in pixels.
        rng: Random numbers.
        pictures: Pictures, `(height, width, 3)`, RGB in [0, 1], whose parts become half of the textures.
        supersampling: Factor by which the scene is rendered larger before it is reduced.
        kind: One of `SCENES`; None for a random one.

    Returns:
        The picture, float32 `(h, w, 3)`, RGB in [0, 1]; and the inverse depth, float32 `(h, w)`, scaled to [0, 1]: 1
        at the nearest point, 0 at the farthest.
    """
    h, w = shape
    short = min(h, w)
    kind = kind or str(rng.choice(SCENES))
    scene = _lay_out(kind, (w / short, h / short), rng, _Textures(rng, short * supersampling, pictures))
    colour, inverse_depth = trace(scene, (h * supersampling, w * supersampling), rng)
    colour, inverse_depth = (
        each.reshape(h, supersampling, w, supersampling, -1).mean(axis=(1, 3)) for each in (colour, inverse_depth)
    )
    inverse_depth = inverse_depth[..., 0]
    picture = expose(colour, inverse_depth, scene, rng)
    low, high = inverse_depth.min(), inverse_depth.max()
    return picture, ((inverse_depth - low) / max(high - low, 1e-9)).astype(np.float32)


class _Textures:
    """Makes random textures with a resolution for the size of the picture."""

    def __init__(self, rng: np.random.Generator, short: int, pictures: Sequence[np.ndarray]) -> None:
        self.rng, self.pictures = rng, pictures
        self.side = 1 << int(np.clip(np.round(np.log2(short / 2)), 5, 8))

    def __call__(self, low: float, high: float) -> Texture:
        """A texture whose side is between two lengths in metres."""
        return texture(self.rng, self.side, _log_uniform(self.rng, low, high), self.pictures)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _lay_out(kind: str, aspect: tuple[float, float], rng: np.random.Generator, textures: _Textures) -> Scene:
    """A random scene of one of `SCENES`."""
    if kind == "portrait":
        scene = _lay_out(str(rng.choice(["open", "street", "room"])), aspect, rng, textures)
        _add_sitter(scene, rng, textures)
        return scene
    layout: Callable[..., Scene] = {"open": _open, "street": _street, "room": _room, "table": _table}[kind]
    return layout(rng.uniform(0.7, 1.9), aspect, rng, textures)


def _open(focal: float, aspect: tuple[float, float], rng: np.random.Generator, textures: _Textures) -> Scene:
    """Things on open ground, with ranges of hills behind them."""
    scene = Scene(_log_uniform(rng, 0.6, 8), rng.uniform(-0.08, 0.2), focal, aspect)
    _add_ground(scene, textures, 0.5, 8)
    for _ in range(rng.integers(0, 4)):
        _add_range(scene, rng, textures)
    scene.haze = _log_uniform(rng, 0.002, 0.04) if rng.random() < 0.7 else 0
    _add_things(scene, rng, textures, int(rng.integers(1, 9)), (1.5, 45), (0.4, 5))
    return scene


def _street(focal: float, aspect: tuple[float, float], rng: np.random.Generator, textures: _Textures) -> Scene:
    """Rows of houses, with things between them."""
    scene = Scene(rng.uniform(1.2, 4), rng.uniform(-0.1, 0.12), focal, aspect)
    _add_ground(scene, textures, 0.5, 5)
    _add_houses(scene, rng, textures)
    scene.haze = _log_uniform(rng, 0.002, 0.03) if rng.random() < 0.5 else 0
    _add_things(scene, rng, textures, int(rng.integers(1, 7)), (2, 30), (0.4, 2.2))
    return scene


def _room(focal: float, aspect: tuple[float, float], rng: np.random.Generator, textures: _Textures) -> Scene:
    """Three walls and a ceiling, with things on the floor."""
    scene = Scene(rng.uniform(0.9, 1.8), rng.uniform(-0.1, 0.35), focal, aspect, ambient=0.7)
    _add_ground(scene, textures, 0.3, 3)
    half_width, length, height = rng.uniform(1.4, 4), _log_uniform(rng, 2.5, 10), rng.uniform(2.2, 3.5)
    wallpaper = textures(0.4, 4)
    angle = rng.uniform(-0.5, 0.5)  # of the camera to the room
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    walls = (((-cos, 0.0, sin), half_width), ((cos, 0.0, -sin), half_width), ((-sin, 0.0, -cos), length))
    for normal, distance in walls:
        wall = textures(0.4, 4) if rng.random() < 0.3 else wallpaper
        scene.surfaces.append((Plane(normal, -distance), wall))
    scene.surfaces.append((Plane((0.0, -1.0, 0.0), -height), textures(1, 6)))
    _add_things(scene, rng, textures, int(rng.integers(2, 9)), (0.9, 0.85 * length), (0.2, 1.4))
    return scene


def _table(focal: float, aspect: tuple[float, float], rng: np.random.Generator, textures: _Textures) -> Scene:
    """Small things on a table, seen from above, sometimes with a wall behind them."""
    scene = Scene(rng.uniform(0.35, 1.1), rng.uniform(0.2, 0.9), focal, aspect, ambient=0.65)
    _add_ground(scene, textures, 0.2, 2)
    if rng.random() < 0.6:
        scene.surfaces.append((Plane((0.0, 0.0, -1.0), -_log_uniform(rng, 1.2, 5)), textures(0.4, 3)))
    _add_things(scene, rng, textures, int(rng.integers(1, 8)), (0.4, 1.8), (0.06, 0.4))
    scene.focus = _log_uniform(rng, 0.5, 1.5) if rng.random() < 0.6 else None
    return scene


def _add_ground(scene: Scene, textures: _Textures, low: float, high: float) -> None:
    scene.surfaces.insert(0, (Plane((0.0, 1.0, 0.0), 0.0), textures(low, high)))


def _random_x(scene: Scene, z: float, rng: np.random.Generator) -> float:
    """An x in metres that is in view at the depth z."""
    return float(rng.uniform(-0.5, 0.5) * scene.aspect[0] / scene.focal * z)


def _add_things(
    scene: Scene,
    rng: np.random.Generator,
    textures: _Textures,
    number: int,
    depths: tuple[float, float],
    sizes: tuple[float, float],
) -> None:
    """Put boxes, ellipsoids, cylinders and cut-outs on the ground; depths and sizes are bounds in metres."""
    for _ in range(number):
        z = _log_uniform(rng, *depths)
        size = float(np.clip(_log_uniform(rng, 0.06, 0.8) * z / scene.focal, *sizes))
        x, width, skin = _random_x(scene, z, rng), size * rng.uniform(0.25, 0.9), textures(0.3 * size, 2 * size)
        kind = rng.integers(5)
        shape: Shape
        if kind == 0:
            half = (width / 2, size / 2, rng.uniform(0.2, 0.6) * size)
            shape = Box((x, size / 2, z), half, rng.uniform(-1.5, 1.5))
        elif kind == 1:
            above_ground = size * rng.uniform(0, 1.5) if rng.random() < 0.15 else 0
            shape = Ellipsoid((x, size / 2 + above_ground, z), (width / 2, size / 2, width / 2))
        elif kind == 2:
            shape = Cylinder((x, 0.0, z), width / 2, size)
        else:
            mask = outline(rng, str(rng.choice(OUTLINES)))
            width = 0.08 * size if mask.all() else width * 1.2
            shape = CutOut((x, 0.0, z), width, size, mask, rng.uniform(-0.4, 0.4))
        scene.surfaces.append((shape, skin))
        scene.feet.append((x, z, 0.6 * width))


def _add_sitter(scene: Scene, rng: np.random.Generator, textures: _Textures) -> None:
    """Put one large thing right in front of the camera, mostly in focus."""
    z = _log_uniform(rng, 0.6, 2)
    view = z / scene.focal  # length in view at that depth, along the short side of the picture
    size = view * rng.uniform(0.5, 1.1)
    foot = scene.height - z * np.tan(scene.pitch) - view * scene.aspect[1] / 2 - size * rng.uniform(0, 0.2)
    x, width = 0.5 * _random_x(scene, z, rng), size * rng.uniform(0.5, 1.1)
    if rng.random() < 0.25:
        shape: Shape = Ellipsoid((x, foot + size / 2, z + width / 2), (width / 2, size / 2, width / 2))
    else:
        mask = outline(rng, str(rng.choice(["figure", "figure", "blob", "bush"])))
        shape = CutOut((x, foot, z), width, size, mask)
    scene.surfaces.append((shape, textures(0.3 * size, 2 * size)))
    scene.focus = z if rng.random() < 0.7 else None


def _add_range(scene: Scene, rng: np.random.Generator, textures: _Textures) -> None:
    """Add a range of hills or roofs, far away."""
    z = _log_uniform(rng, 30, 400)
    width = 2.5 * scene.aspect[0] / scene.focal * z
    height = 2 * scene.height + z * rng.uniform(0.05, 0.35)
    scene.surfaces.append((CutOut((0.0, 0.0, z), width, height, crest(rng)), textures(0.1 * z, 0.5 * z)))


def _add_houses(scene: Scene, rng: np.random.Generator, textures: _Textures) -> None:
    """Add rows of houses on both sides, or on one."""
    for side in (-1, 1) if rng.random() < 0.8 else (int(rng.choice([-1, 1])),):
        z, distance = rng.uniform(-6, 4), rng.uniform(2, 9)
        while z < 60:
            length, half_depth = rng.uniform(4, 15), rng.uniform(3, 5)
            height = _log_uniform(rng, 2, 14)
            x = side * (distance + rng.uniform(0, 0.6) + half_depth)
            house = Box((x, height / 2, z + length / 2), (half_depth, height / 2, length / 2))
            scene.surfaces.append((house, textures(2, 9)))
            z += length + (rng.uniform(0, 8) if rng.random() < 0.3 else 0)
            if rng.random() < 0.12:
                break
