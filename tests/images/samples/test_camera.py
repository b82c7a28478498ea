"""The camera: its depth is the geometry's, and its pictures have depth cues."""

from __future__ import annotations

import numpy as np
import pytest

from tfstyle.images.samples.camera import Scene, trace
from tfstyle.images.samples.shapes import Ellipsoid, Plane
from tfstyle.images.samples.surfaces import Texture, texture


@pytest.fixture
def rng():
    return np.random.default_rng(3)


class _Level(np.random.Generator):
    """A generator that never rolls the camera."""

    def normal(self, *_):
        return 0.0


def test_depth_is_the_geometrys(rng):
    """A level camera over the ground: depth is height times focal length, over the rows below the horizon."""
    skin, level = texture(rng, 32, 1.0), _Level(np.random.PCG64(0))
    ground, ball = Plane((0.0, 1.0, 0.0), 0.0), Ellipsoid((0.0, 2.0, 5.0), (1.0, 1.0, 1.0))
    scene = Scene(2.0, 0.0, 1.0, (1.0, 1.0), [(ground, skin)])
    _, inverse = trace(scene, (40, 40), level)
    below = (np.arange(40) + 0.5 - 20) / 40
    expected = np.where(below > 0, below / 2.0, 0)
    np.testing.assert_allclose(inverse[..., 0], np.repeat(expected[:, None], 40, axis=1), atol=1e-6)
    scene.surfaces.append((ball, skin))
    _, inverse = trace(scene, (41, 41), level)
    assert 1 / inverse[20, 20, 0] == pytest.approx(4.0, rel=1e-5)  # its front, in the middle


def test_haze_and_blur_grow_with_the_distance(rng):
    """Contrast fades towards the horizon: haze mixes with what is far, and textures are averaged there."""
    skin = Texture(np.random.default_rng(0).random((64, 64, 3)), 1.0)
    colours = {}
    for haze in (0.0, 0.05):
        scene = Scene(2.0, 0.0, 1.0, (1.0, 1.0), [(Plane((0.0, 1.0, 0.0), 0.0), skin)], haze=haze)
        colours[haze] = trace(scene, (80, 80), _Level(np.random.PCG64(0)))[0]
    near, far = np.s_[70:79], np.s_[42:48]
    assert colours[0.0][far].std(axis=(0, 1)).mean() < 0.5 * colours[0.0][near].std(axis=(0, 1)).mean()
    changed = np.abs(colours[0.05] - colours[0.0])
    assert changed[far].mean() > 2 * changed[near].mean()
