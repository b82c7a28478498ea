"""Maps of proximity: scaled, asked of modules, and from files."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError, images
from tfstyle.models.depth import DepthAnything, DepthMini, MapFile, estimate, load, relative
from tfstyle.models.depth.inverse_depth import differentiable

RAMP = np.linspace(0, 1, 12 * 20).reshape(12, 20)


def test_the_nearest_is_1_and_the_farthest_0_in_each_picture():
    inverse = np.random.default_rng(0).normal(5, 3, (3, 6, 7))
    low, high = inverse.min((1, 2), keepdims=True), inverse.max((1, 2), keepdims=True)
    np.testing.assert_allclose(relative(inverse), (inverse - low) / (high - low), atol=1e-6)
    np.testing.assert_allclose(
        relative(-3 + 0.1 * inverse), relative(inverse), atol=1e-5
    )  # scale and shift are nothing
    np.testing.assert_array_equal(relative(np.full((1, 4, 5), 7.0)), np.zeros((1, 4, 5)))


def test_proximity_has_a_gradient_that_is_finite_for_flat_pictures_too():
    for inverse in (tf.zeros((1, 3, 3)), tf.random.stateless_normal((1, 3, 3), (1, 2))):
        with tf.GradientTape() as tape:
            tape.watch(inverse)
            value = tf.reduce_sum(relative(inverse) ** 2)
        assert np.isfinite(tape.gradient(value, inverse)).all()


def test_a_module_is_asked_for_one_picture():
    picture = np.random.default_rng(0).random((6, 8, 3), "float32")
    found = estimate(lambda pictures: tf.reduce_mean(pictures, axis=-1), picture)
    np.testing.assert_allclose(found, picture.mean(axis=-1), rtol=1e-6)
    with pytest.raises(
        InputError, match=r"^the depth module returns the shape \(1, 6, 8, 3\) .* 8x6 .*: it must return \(1, 6, 8\)$"
    ):
        estimate(lambda pictures: pictures, picture)
    for value, words in ((2.0, "from 2 to 2"), (float("nan"), "from nan to nan")):
        with pytest.raises(InputError, match=f"^the depth module's map goes {words}: scale it to"):
            estimate(lambda pictures, value=value: np.full((1, 6, 8), value), picture)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_grey_picture_is_a_map(tmp_path, bits):
    images.save(RAMP, tmp_path / "map.png", bits=bits)
    np.testing.assert_allclose(load(tmp_path / "map.png", (12, 20)), RAMP, atol=0.6 / (2**bits - 1))
    assert load(tmp_path / "map.png", (24, 40)).shape == (24, 40)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16"])
def test_an_array_is_a_map_also_in_a_file(tmp_path, dtype):
    ramp = (RAMP * 65535).astype(dtype) if dtype == "uint16" else RAMP.astype(dtype)
    np.save(tmp_path / "map.npy", ramp)
    for source in (ramp, tmp_path / "map.npy"):
        np.testing.assert_allclose(load(source, (12, 20)), RAMP, atol=2e-5)


def test_maps_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("cube.npy", np.zeros((2, 3, 4)))
    np.save("metres.npy", RAMP * 30)
    np.save("map.npy", RAMP)
    np.save("hole.npy", np.where(RAMP > 0.5, np.nan, RAMP))
    images.save(np.random.default_rng(0).random((12, 20, 3)), "colours.png")
    (tmp_path / "broken.npy").write_bytes(b"nothing")
    for source, shape, message in [
        ("cube.npy", (12, 20), r"depth map cube\.npy is float64 \(2, 3, 4\): give numbers \(height, width\)"),
        ("metres.npy", (12, 20), r"depth map metres\.npy goes from 0 to 30: scale it to \[0, 1\], where 1 is near"),
        ("hole.npy", (12, 20), r"depth map hole\.npy goes from nan to nan: scale it"),
        (
            "map.npy",
            (20, 12),
            "depth map map.npy has 20x12 pixels, and the content image 12x20, another shape: give",
        ),
        ("colours.png", (12, 20), "colours.png has colours: make it grey"),
        ("broken.npy", (12, 20), r"depth map broken\.npy can't be read \(.*\): give a file that numpy\.save has wri"),
        ("gone.npy", (12, 20), r"depth map gone\.npy can't be read \(No such file or directory\)"),
        ("gone.png", (12, 20), r"gone\.png does not exist; check the path"),
    ]:
        with pytest.raises(InputError, match=f"^{message}"):
            load(source, shape)


def test_a_file_is_a_module_for_one_picture():
    module = MapFile(RAMP)
    np.testing.assert_allclose(module(np.zeros((1, 12, 20, 3)))[0], RAMP, atol=1e-6)
    with pytest.raises(InputError, match=r"^a depth map .* one image, not to 2: give a network as the depth module"):
        module(np.zeros((2, 12, 20, 3)))


def test_which_modules_have_a_gradient():
    assert differentiable(DepthMini(None, side=32))
    assert DepthAnything.differentiable
    assert not differentiable(MapFile(RAMP))
    assert not differentiable(lambda pictures: pictures)
