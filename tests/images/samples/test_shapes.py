"""Where rays meet surfaces: against equations, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from tfstyle.images.samples.shapes import Box, CutOut, Cylinder, Ellipsoid, Plane

ORIGIN = np.array([0.2, 1.5, -0.1], np.float32)


@pytest.fixture(scope="module")
def rays():
    """Rays of depth 1, (3, 1000)."""
    x, y = np.random.default_rng(0).uniform(-0.8, 0.8, (2, 1000))
    return np.stack([x, y, np.ones(1000)]).astype("float32")


CHECK = np.tri(96, dtype=bool)
SHAPES = {
    "plane": (Plane((0.0, 1.0, 0.0), 0.0), lambda p: p[1]),
    "ellipsoid": (
        Ellipsoid((0.5, 1.2, 4), (1.0, 0.7, 1.5)),
        lambda p: ((p[0] - 0.5) / 1) ** 2 + ((p[1] - 1.2) / 0.7) ** 2 + ((p[2] - 4) / 1.5) ** 2 - 1,
    ),
    "cylinder": (
        Cylinder((0.1, 0.0, 3), 0.8, 1.0),
        lambda p: np.where(p[1] > 1 - 1e-4, p[1] - 1, np.hypot(p[0] - 0.1, p[2] - 3) - 0.8),
    ),
    "box": (
        Box((0.2, 0.6, 4), (0.9, 0.6, 0.5)),
        lambda p: np.max(np.abs(p - np.array([[0.2], [0.6], [4]])) - np.array([[0.9], [0.6], [0.5]]), axis=0),
    ),
    "turned box": (
        Box((0.2, 0.6, 4), (0.9, 0.6, 0.5), np.pi / 2),
        lambda p: np.max(np.abs(p - np.array([[0.2], [0.6], [4]])) - np.array([[0.5], [0.6], [0.9]]), axis=0),
    ),
    "cut-out": (CutOut((0.0, 0.0, 3), 2.0, 2.5, CHECK), lambda p: p[2] - 3),
}


@pytest.mark.parametrize("name", SHAPES)
def test_rays_meet_the_surface_where_its_equation_holds(name, rays):
    shape, equation = SHAPES[name]
    depth = shape.depths(ORIGIN, rays)
    found = np.isfinite(depth)
    assert 20 < found.sum() < 1000
    points = ORIGIN[:, None] + depth[found] * rays[:, found]
    np.testing.assert_allclose(equation(points.astype("float64")), 0, atol=2e-5)
    normal, place = shape.at(points)
    np.testing.assert_allclose((normal.astype("float64") ** 2).sum(axis=0), 1, atol=1e-5)
    assert ((normal * rays[:, found]).sum(axis=0) < 1e-6).all()  # seen from the side that the normal points to
    assert place.shape == (2, found.sum())


@pytest.mark.parametrize("name", ["ellipsoid", "cylinder", "box", "turned box"])
def test_nothing_of_a_solid_is_before_what_is_found(name, rays):
    """The depth is the first at which a ray is inside; rays that miss never are."""
    shape, equation = SHAPES[name]
    depth = shape.depths(ORIGIN, rays)
    steps = np.linspace(0.1, 8, 800)
    points = ORIGIN[:, None, None] + rays[:, None].astype("float64") * steps[:, None]
    inside = equation(points.reshape(3, -1)).reshape(800, 1000) < -1e-4
    if name == "cylinder":
        inside &= (points[1] > 0) & (points[1] < 1)
        inside &= np.hypot(points[0] - 0.1, points[2] - 3) < 0.8
    first = np.where(inside.any(axis=0), steps[inside.argmax(axis=0)], np.inf)
    hit = np.isfinite(first)
    assert np.isfinite(depth[hit]).all()
    np.testing.assert_allclose(depth[hit], first[hit], atol=0.03)
    assert (~np.isfinite(depth[~hit])).mean() > 0.95  # those that only graze it


def test_a_plane_behind_the_camera_is_not_seen():
    up = np.array([[0.0], [1.0], [1.0]], "float32")
    assert Plane((0.0, 1.0, 0.0), 0.0).depths(ORIGIN, up) == np.inf
    assert Plane((0.0, 1.0, 0.0), 0.0).depths(ORIGIN, -up * [[1], [1], [-1]]) == pytest.approx(1.5)


def test_a_cut_out_is_there_where_its_mask_is():
    mask = np.zeros((96, 96), bool)
    mask[:48, :48] = True  # above, on the left
    sheet = CutOut((0.0, 0.0, 2.0), 2.0, 2.0, mask)
    eye = np.array([0.0, 1.0, 0.0], "float32")
    rays = np.array([[-0.25, 0.25, -0.25, -0.7], [0.25, 0.25, -0.25, 0.0], [1, 1, 1, 1]], "float32")
    np.testing.assert_array_equal(np.isfinite(sheet.depths(eye, rays)), [True, False, False, False])
