"""A camera that renders scenes: one ray a pixel, then focus, exposure and noise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tfstyle.images.samples import noise
from tfstyle.images.samples.shapes import Shape
from tfstyle.images.samples.surfaces import Texture


@dataclass
class Scene:
    """The things in front of the camera, the camera's pose, and the light.

    Attributes:
        height: Height of the camera above the ground, in metres.
        pitch: Angle by which the camera looks down, in radians.
        focal: Focal length in short sides of the picture.
        aspect: Width and height of the picture in short sides.
        surfaces: Shapes with their textures; the first is the ground.
        feet: x, z and radius, in metres, of the things that stand on the ground.
        haze: Share of a metre of air that is haze; 0 for none.
        ambient: Share of the light that comes from all directions, from 0 to 1.
        focus: Depth in metres that is sharp; None if all depths are.
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


def trace(scene: Scene, shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The light and the inverse depth of each pixel.

    Args:
        scene: The scene.
        shape: `(h, w)` in pixels.
        rng: Random numbers for roll of the camera, sun and sky.

    Returns:
        Linear colours, float32 `(h, w, 3)`, from 0 upwards; and inverse depth, float32 `(h, w, 1)`, in 1/metre.
    """
    h, w = shape
    rays, pixel_width = _rays(scene, shape, rng.normal(0, 0.03))
    origin = np.array([0, scene.height, 0], np.float32)
    nearest, indices = np.full(h * w, np.inf, np.float32), np.full(h * w, -1, np.int16)
    for index, (surface, _) in enumerate(scene.surfaces):
        depth = surface.depths(origin, rays)
        nearer = depth < nearest
        nearest[nearer], indices[nearer] = depth[nearer], index
    sun = np.array([rng.uniform(-1, 1), rng.uniform(0.3, 1.2), rng.uniform(-1, 0.4)])
    sun /= np.linalg.norm(sun)
    colour = _sky(rays, shape, rng)
    horizon = colour[np.abs(rays[1]).argmin()]
    for index, (surface, texture) in enumerate(scene.surfaces):
        pixels = np.flatnonzero(indices == index)
        if not pixels.size:
            continue
        ray, depth = rays[:, pixels], nearest[pixels]
        points = origin[:, None] + depth * ray
        normal, place = surface.at(points)
        slant = np.abs(sum(a * b for a, b in zip(normal, ray, strict=True))) / np.sqrt(sum(a * a for a in ray))
        light = scene.ambient + (1 - scene.ambient) * np.maximum(sun @ normal, 0)
        if index == 0:
            light = light * _shadows(scene, points, sun)
        reflected = texture.at(place, depth * pixel_width / np.maximum(slant, 0.1)) * light[:, None]
        clear = np.exp(-scene.haze * depth)[:, None]
        colour[pixels] = clear * reflected + (1 - clear) * horizon
    return colour.reshape(h, w, 3), (1 / nearest).reshape(h, w, 1)


def expose(colour: np.ndarray, inverse_depth: np.ndarray, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """The picture that a camera records of the light: out of focus, exposed, and with noise.

    Args:
        colour: Linear colours, float32 `(h, w, 3)`.
        inverse_depth: float32 `(h, w)` in 1/metre.
        scene: The scene, for the depth that is in focus.
        rng: Random numbers for aperture, white balance, exposure and noise.

    Returns:
        float32 `(h, w, 3)`, RGB in [0, 1].
    """
    from scipy import ndimage  # not above: it takes a while to import

    if scene.focus is not None:
        short, spread = min(inverse_depth.shape), np.abs(inverse_depth - 1 / scene.focus) * scene.focus
        blur = rng.uniform(0.005, 0.025) * short * np.minimum(spread, 1.5)
        # The blur of each pixel is interpolated between four blurred pictures.
        steps = [0.0, 0.004 * short, 0.012 * short, 0.03 * short]
        blurred = [colour, *(ndimage.gaussian_filter(colour, (step, step, 0)) for step in steps[1:])]
        position = np.interp(blur, steps, range(4))
        colour = sum(np.maximum(1 - np.abs(position - i), 0)[..., None] * each for i, each in enumerate(blurred))
    else:
        colour = ndimage.gaussian_filter(colour, (*[rng.uniform(0, 0.5)] * 2, 0))
    balanced = colour * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    exposure = rng.uniform(0.6, 1.2) * 0.5 / max(balanced.mean(), 0.15)
    level = np.clip(balanced * exposure, 0, 1) ** rng.uniform(0.7, 1.3)
    grain = np.float32(rng.uniform(0, 0.02)) * rng.standard_normal(level.shape, np.float32)
    return np.clip(level + grain, 0, 1).astype(np.float32)


def _rays(scene: Scene, shape: tuple[int, int], roll: float) -> tuple[np.ndarray, float]:
    """Rays (3, h · w) of depth 1, and the width of a pixel at that depth, in metres."""
    h, w = shape
    pixel_width = 1 / (scene.focal * min(shape))
    y, x = np.indices(shape, np.float32).reshape(2, -1)
    x, y = (x + 0.5 - w / 2) * pixel_width, (h / 2 - y - 0.5) * pixel_width
    x, y = np.cos(roll) * x + np.sin(roll) * y, np.cos(roll) * y - np.sin(roll) * x
    cos, sin = np.cos(scene.pitch), np.sin(scene.pitch)
    return np.stack([x, cos * y - sin, sin * y + cos]).astype(np.float32), pixel_width


def _sky(rays: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Colours of the sky, float32 (h · w, 3): brighter and greyer towards the horizon, with clouds."""
    grey = rng.uniform(0.35, 1)
    zenith = grey * np.array([rng.uniform(0.4, 0.95), rng.uniform(0.55, 0.95), 1.0], np.float32)
    horizon = np.clip(zenith * rng.uniform(0.9, 1.4) + rng.uniform(0, 0.3), 0, 1).astype(np.float32)
    up = np.clip(rays[1] / rng.uniform(0.3, 1.2), 0, 1)[:, None]
    sky = horizon + (zenith - horizon) * up
    if rng.random() < 0.7:
        clouds = noise.field(rng, shape, (rng.uniform(2, 5), rng.uniform(1, 4)), octaves=3).reshape(-1, 1)
        sky += np.float32(rng.uniform(0, 0.9)) * np.clip(0.5 + 0.5 * clouds, 0, 1) * (grey * 1.05 - sky)
    return sky.astype(np.float32)


def _shadows(scene: Scene, points: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """The share of light, (n,), that reaches points (3, n) of the ground beside the things that stand on it."""
    share = np.ones(points.shape[1], np.float32)
    for x, z, radius in scene.feet:
        away = (points[0] - x + 0.4 * radius * sun[0]) ** 2 + (points[2] - z + 0.4 * radius * sun[2]) ** 2
        near = away < (3 * radius) ** 2
        share[near] *= 1 - 0.65 * np.exp(-away[near] / (1.1 * radius) ** 2)
    return share
