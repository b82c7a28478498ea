"""Scenes whose depth is known: ground, walls, sky, and things before one another, seen by a camera.

What is in them, where and how large, was set by eye, so that pictures have the cues that photographs have: things
hide one another, stand on a ground that rises towards the horizon, get smaller, hazier and less sharp. They are meant
to learn depth from, and to measure by, not to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tfstyle.images.samples import SCENES, noise
from tfstyle.images.samples.shapes import Box, CutOut, Cylinder, Ellipsoid, Plane, Shape
from tfstyle.images.samples.surfaces import OUTLINES, Texture, crest, outline, texture


@dataclass
class _Scene:
    """What is to be seen, and how.

    Attributes:
        height: Of the camera over the ground, in metres.
        pitch: By which it looks down.
        focal: In short sides of the picture.
        aspect: Width and height of the picture in short sides.
        surfaces: Each with its texture; the first is the ground.
        feet: x, z and radius of what stands on the ground.
        haze: A metre's share of it; 0 for none.
        ambient: Share of the light that comes from everywhere.
        focus: Depth that is sharp; None for all.
    """

    height: float
    pitch: float
    focal: float
    aspect: tuple[float, float]
    surfaces: list[tuple[Shape, Texture]] = field(default_factory=list)
    feet: list[tuple[float, float, float]] = field(default_factory=list)
    haze: float = 0.0
    ambient: float = 0.5
    focus: float | None = None


def render(
    shape: tuple[int, int],
    rng: np.random.Generator,
    pictures: Sequence[np.ndarray] = (),
    supersampling: int = 2,
    kind: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A scene and its proximity.

    Args:
        shape: `(h, w)` in pixels.
        rng: Source of all that is random.
        pictures: RGB in [0, 1], parts of which are used as textures beside those that are made.
        supersampling: Rendered this many times larger, then reduced.
        kind: One of `tfstyle.samples.SCENES`; None for any.

    Returns:
        The picture, float32 `(h, w, 3)` in [0, 1]; and the inverse depth, float32 `(h, w)`, scaled to [0, 1]: 1 is
        the nearest point seen, 0 the farthest.
    """
    h, w = shape
    short = min(h, w)
    kind = kind or str(rng.choice(SCENES))
    scene = _laid_out(kind, (w / short, h / short), rng, _Maker(rng, short * supersampling, pictures))
    colour, inverse = _seen(scene, (h * supersampling, w * supersampling), rng)
    colour, inverse = (
        each.reshape(h, supersampling, w, supersampling, -1).mean(axis=(1, 3)) for each in (colour, inverse)
    )
    inverse = inverse[..., 0]
    picture = _photographed(colour, inverse, scene, rng)
    low, high = inverse.min(), inverse.max()
    return picture, ((inverse - low) / max(high - low, 1e-9)).astype(np.float32)


class _Maker:
    """Makes textures of a size that suits the picture's."""

    def __init__(self, rng: np.random.Generator, short: int, pictures: Sequence[np.ndarray]) -> None:
        self.rng, self.pictures = rng, pictures
        self.side = 1 << int(np.clip(np.round(np.log2(short / 2)), 5, 8))

    def __call__(self, low: float, high: float) -> Texture:
        """A texture whose sides have a length between two, in metres."""
        return texture(self.rng, self.side, _between(self.rng, low, high), self.pictures)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _laid_out(kind: str, aspect: tuple[float, float], rng: np.random.Generator, made: _Maker) -> _Scene:
    """A scene of one of `SCENES`."""
    if kind == "portrait":
        scene = _laid_out(str(rng.choice(["open", "street", "room"])), aspect, rng, made)
        _sit(scene, rng, made)
        return scene
    focal = rng.uniform(0.7, 1.9)
    if kind == "open":
        scene = _Scene(_between(rng, 0.6, 8), rng.uniform(-0.08, 0.2), focal, aspect)
        _ground(scene, made, 0.5, 8)
        for _ in range(rng.integers(0, 4)):
            _range(scene, rng, made)
        scene.haze = _between(rng, 0.002, 0.04) if rng.random() < 0.7 else 0
        _stand(scene, rng, made, int(rng.integers(1, 9)), (1.5, 45), (0.4, 5))
    elif kind == "street":
        scene = _Scene(rng.uniform(1.2, 4), rng.uniform(-0.1, 0.12), focal, aspect)
        _ground(scene, made, 0.5, 5)
        _houses(scene, rng, made)
        scene.haze = _between(rng, 0.002, 0.03) if rng.random() < 0.5 else 0
        _stand(scene, rng, made, int(rng.integers(1, 7)), (2, 30), (0.4, 2.2))
    elif kind == "room":
        scene = _Scene(rng.uniform(0.9, 1.8), rng.uniform(-0.1, 0.35), focal, aspect, ambient=0.7)
        _ground(scene, made, 0.3, 3)
        half, length, height = rng.uniform(1.4, 4), _between(rng, 2.5, 10), rng.uniform(2.2, 3.5)
        walls = made(0.4, 4)
        angle = rng.uniform(-0.5, 0.5)  # of the camera to the room
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        for normal, away in (((-cos, 0.0, sin), half), ((cos, 0.0, -sin), half), ((-sin, 0.0, -cos), length)):
            own = made(0.4, 4) if rng.random() < 0.3 else walls
            scene.surfaces.append((Plane(normal, -away), own))
        scene.surfaces.append((Plane((0.0, -1.0, 0.0), -height), made(1, 6)))
        _stand(scene, rng, made, int(rng.integers(2, 9)), (0.9, 0.85 * length), (0.2, 1.4))
    else:
        scene = _Scene(rng.uniform(0.35, 1.1), rng.uniform(0.2, 0.9), focal, aspect, ambient=0.65)
        _ground(scene, made, 0.2, 2)
        if rng.random() < 0.6:
            scene.surfaces.append((Plane((0.0, 0.0, -1.0), -_between(rng, 1.2, 5)), made(0.4, 3)))
        _stand(scene, rng, made, int(rng.integers(1, 8)), (0.4, 1.8), (0.06, 0.4))
        scene.focus = _between(rng, 0.5, 1.5) if rng.random() < 0.6 else None
    return scene


def _ground(scene: _Scene, made: _Maker, low: float, high: float) -> None:
    scene.surfaces.insert(0, (Plane((0.0, 1.0, 0.0), 0.0), made(low, high)))


def _across(scene: _Scene, z: float, rng: np.random.Generator) -> float:
    """A place to the side that is seen at a depth."""
    return float(rng.uniform(-0.5, 0.5) * scene.aspect[0] / scene.focal * z)


def _stand(
    scene: _Scene,
    rng: np.random.Generator,
    made: _Maker,
    number: int,
    depths: tuple[float, float],
    sizes: tuple[float, float],
) -> None:
    """Put things on the ground."""
    for _ in range(number):
        z = _between(rng, *depths)
        size = float(np.clip(_between(rng, 0.06, 0.8) * z / scene.focal, *sizes))
        x, wide, skin = _across(scene, z, rng), size * rng.uniform(0.25, 0.9), made(0.3 * size, 2 * size)
        kind = rng.integers(5)
        shape: Shape
        if kind == 0:
            shape = Box((x, size / 2, z), (wide / 2, size / 2, rng.uniform(0.2, 0.6) * size), rng.uniform(-1.5, 1.5))
        elif kind == 1:
            lifted = size * rng.uniform(0, 1.5) if rng.random() < 0.15 else 0
            shape = Ellipsoid((x, size / 2 + lifted, z), (wide / 2, size / 2, wide / 2))
        elif kind == 2:
            shape = Cylinder((x, 0.0, z), wide / 2, size)
        else:
            mask = outline(rng, str(rng.choice(OUTLINES)))
            wide = 0.08 * size if mask.all() else wide * 1.2
            shape = CutOut((x, 0.0, z), wide, size, mask, rng.uniform(-0.4, 0.4))
        scene.surfaces.append((shape, skin))
        scene.feet.append((x, z, 0.6 * wide))


def _sit(scene: _Scene, rng: np.random.Generator, made: _Maker) -> None:
    """Put one large thing right before the camera, which is sharp."""
    z = _between(rng, 0.6, 2)
    view = z / scene.focal  # what a short side shows at its depth
    size = view * rng.uniform(0.5, 1.1)
    foot = scene.height - z * np.tan(scene.pitch) - view * scene.aspect[1] / 2 - size * rng.uniform(0, 0.2)
    x, wide = 0.5 * _across(scene, z, rng), size * rng.uniform(0.5, 1.1)
    if rng.random() < 0.25:
        shape: Shape = Ellipsoid((x, foot + size / 2, z + wide / 2), (wide / 2, size / 2, wide / 2))
    else:
        shape = CutOut((x, foot, z), wide, size, outline(rng, str(rng.choice(["figure", "figure", "blob", "bush"]))))
    scene.surfaces.append((shape, made(0.3 * size, 2 * size)))
    scene.focus = z if rng.random() < 0.7 else None


def _range(scene: _Scene, rng: np.random.Generator, made: _Maker) -> None:
    """Hills or roofs far away."""
    z = _between(rng, 30, 400)
    wide = 2.5 * scene.aspect[0] / scene.focal * z
    height = 2 * scene.height + z * rng.uniform(0.05, 0.35)
    scene.surfaces.append((CutOut((0.0, 0.0, z), wide, height, crest(rng)), made(0.1 * z, 0.5 * z)))


def _houses(scene: _Scene, rng: np.random.Generator, made: _Maker) -> None:
    """Rows of houses on both sides, or on one."""
    for side in (-1, 1) if rng.random() < 0.8 else (int(rng.choice([-1, 1])),):
        z, away = rng.uniform(-6, 4), rng.uniform(2, 9)
        while z < 60:
            length, deep = rng.uniform(4, 15), rng.uniform(3, 5)
            height = _between(rng, 2, 14)
            x = side * (away + rng.uniform(0, 0.6) + deep)
            scene.surfaces.append((Box((x, height / 2, z + length / 2), (deep, height / 2, length / 2)), made(2, 9)))
            z += length + (rng.uniform(0, 8) if rng.random() < 0.3 else 0)
            if rng.random() < 0.12:
                break


def _seen(scene: _Scene, shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Light `(h, w, 3)` and inverse depth `(h, w, 1)` as the camera has them, one ray a pixel."""
    h, w = shape
    rays, pixel = _rays(scene, shape, rng.normal(0, 0.03))
    origin = np.array([0, scene.height, 0], np.float32)
    nearest, which = np.full(h * w, np.inf, np.float32), np.full(h * w, -1, np.int16)
    for index, (surface, _) in enumerate(scene.surfaces):
        depth = surface.depths(origin, rays)
        nearer = depth < nearest
        nearest[nearer], which[nearer] = depth[nearer], index
    sun = np.array([rng.uniform(-1, 1), rng.uniform(0.3, 1.2), rng.uniform(-1, 0.4)])
    sun /= np.linalg.norm(sun)
    colour = _sky(rays, shape, rng)
    horizon = colour[np.abs(rays[1]).argmin()]
    for index, (surface, skin) in enumerate(scene.surfaces):
        own = np.flatnonzero(which == index)
        if not own.size:
            continue
        ray, depth = rays[:, own], nearest[own]
        points = origin[:, None] + depth * ray
        normal, place = surface.at(points)
        slant = np.abs(sum(a * b for a, b in zip(normal, ray, strict=True))) / np.sqrt(sum(a * a for a in ray))
        light = scene.ambient + (1 - scene.ambient) * np.maximum(sun @ normal, 0)
        if index == 0:
            light = light * _shadows(scene, points, sun)
        seen = skin.at(place, depth * pixel / np.maximum(slant, 0.1)) * light[:, None]
        clear = np.exp(-scene.haze * depth)[:, None]
        colour[own] = clear * seen + (1 - clear) * horizon
    return colour.reshape(h, w, 3), (1 / nearest).reshape(h, w, 1)


def _rays(scene: _Scene, shape: tuple[int, int], roll: float) -> tuple[np.ndarray, float]:
    """Rays `(3, h · w)` of depth 1, and how wide a pixel is at that depth."""
    h, w = shape
    pixel = 1 / (scene.focal * min(shape))
    y, x = np.indices(shape, np.float32).reshape(2, -1)
    x, y = (x + 0.5 - w / 2) * pixel, (h / 2 - y - 0.5) * pixel
    x, y = np.cos(roll) * x + np.sin(roll) * y, np.cos(roll) * y - np.sin(roll) * x
    cos, sin = np.cos(scene.pitch), np.sin(scene.pitch)
    return np.stack([x, cos * y - sin, sin * y + cos]).astype(np.float32), pixel


def _sky(rays: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Colours of the sky, float32 `(h · w, 3)`: brighter and greyer towards the horizon, with clouds."""
    grey = rng.uniform(0.35, 1)
    zenith = grey * np.array([rng.uniform(0.4, 0.95), rng.uniform(0.55, 0.95), 1.0], np.float32)
    horizon = np.clip(zenith * rng.uniform(0.9, 1.4) + rng.uniform(0, 0.3), 0, 1).astype(np.float32)
    up = np.clip(rays[1] / rng.uniform(0.3, 1.2), 0, 1)[:, None]
    clear = horizon + (zenith - horizon) * up
    if rng.random() < 0.7:
        clouds = noise.field(rng, shape, (rng.uniform(2, 5), rng.uniform(1, 4)), octaves=3).reshape(-1, 1)
        clear += np.float32(rng.uniform(0, 0.9)) * np.clip(0.5 + 0.5 * clouds, 0, 1) * (grey * 1.05 - clear)
    return clear.astype(np.float32)


def _shadows(scene: _Scene, points: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """What is left of the light on the ground beside what stands on it."""
    left = np.ones(points.shape[1], np.float32)
    for x, z, radius in scene.feet:
        away = (points[0] - x + 0.4 * radius * sun[0]) ** 2 + (points[2] - z + 0.4 * radius * sun[2]) ** 2
        near = away < (3 * radius) ** 2
        left[near] *= 1 - 0.65 * np.exp(-away[near] / (1.1 * radius) ** 2)
    return left


def _photographed(colour: np.ndarray, inverse: np.ndarray, scene: _Scene, rng: np.random.Generator) -> np.ndarray:
    """The light as a camera records it: out of focus, exposed, with noise."""
    from scipy import ndimage  # not above: it takes a while to import

    if scene.focus is not None:
        short, spread = min(inverse.shape), np.abs(inverse - 1 / scene.focus) * scene.focus
        wanted = rng.uniform(0.005, 0.025) * short * np.minimum(spread, 1.5)
        blurs = [0.0, 0.004 * short, 0.012 * short, 0.03 * short]
        stack = [colour, *(ndimage.gaussian_filter(colour, (blur, blur, 0)) for blur in blurs[1:])]
        at = np.interp(wanted, blurs, range(4))
        colour = sum(np.maximum(1 - np.abs(at - i), 0)[..., None] * each for i, each in enumerate(stack))
    else:
        colour = ndimage.gaussian_filter(colour, (*[rng.uniform(0, 0.5)] * 2, 0))
    white = colour * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    level = np.clip(white * (rng.uniform(0.6, 1.2) * 0.5 / max(white.mean(), 0.15)), 0, 1) ** rng.uniform(0.7, 1.3)
    grain = np.float32(rng.uniform(0, 0.02)) * rng.standard_normal(level.shape, np.float32)
    return np.clip(level + grain, 0, 1).astype(np.float32)
