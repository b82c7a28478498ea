"""Made scenes: their proximity is the geometry's, and their pictures have its cues."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from tfstyle import samples
from tfstyle.core.errors import InputError
from tfstyle.images.samples.scenes import _Scene, _seen
from tfstyle.images.samples.shapes import Ellipsoid, Plane
from tfstyle.images.samples.surfaces import OUTLINES, Texture, crest, outline, texture


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("name", samples.SCENES)
def test_pictures_and_proximity_have_the_size_and_the_range(name):
    picture, proximity = samples.scene(name, (64, 80), seed=1)
    assert (picture.shape, proximity.shape) == ((64, 80, 3), (64, 80))
    assert picture.dtype == proximity.dtype == np.float32
    assert 0 <= picture.min() < picture.max() <= 1
    assert (proximity.min(), proximity.max()) == (0, 1)


def test_a_seed_gives_the_same_bytes_in_another_process():
    code = """
import hashlib
from tfstyle import samples
print(hashlib.sha256(b"".join(each.tobytes() for each in samples.scene("street", 64, 5))).hexdigest())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    here = b"".join(each.tobytes() for each in samples.scene("street", 64, 5))
    assert done.stdout.strip() == hashlib.sha256(here).hexdigest()
    assert np.abs(samples.scene("street", 64, 6)[0] - samples.scene("street", 64, 5)[0]).mean() > 0.02


def test_names_sizes_and_seeds_that_there_are_not():
    for given, message in [
        (("rom", 64, 0), "unknown scene 'rom': did you mean room?"),
        (("room", 63, 0), "a sample of 63 × 63 pixels is too small: both sides must be 64 or more"),
        (("room", 64, -1), "seed -1 is negative: use 0 or more"),
    ]:
        with pytest.raises(InputError) as error:
            samples.scene(*given)
        assert str(error.value) == message


class _Level(np.random.Generator):
    """A generator that never rolls the camera."""

    def normal(self, *_):
        return 0.0


def test_depth_is_the_geometrys(rng):
    """A level camera over the ground: depth is height times focal length, over the rows below the horizon."""
    skin, level = texture(rng, 32, 1.0), _Level(np.random.PCG64(0))
    ground, ball = Plane((0.0, 1.0, 0.0), 0.0), Ellipsoid((0.0, 2.0, 5.0), (1.0, 1.0, 1.0))
    scene = _Scene(2.0, 0.0, 1.0, (1.0, 1.0), [(ground, skin)])
    _, inverse = _seen(scene, (40, 40), level)
    below = (np.arange(40) + 0.5 - 20) / 40
    expected = np.where(below > 0, below / 2.0, 0)
    np.testing.assert_allclose(inverse[..., 0], np.repeat(expected[:, None], 40, axis=1), atol=1e-6)
    scene.surfaces.append((ball, skin))
    _, inverse = _seen(scene, (41, 41), level)
    assert 1 / inverse[20, 20, 0] == pytest.approx(4.0, rel=1e-5)  # its front, in the middle


def test_haze_and_blur_grow_with_the_distance(rng):
    """Contrast fades towards the horizon: haze mixes with what is far, and textures are averaged there."""
    skin = Texture(np.random.default_rng(0).random((64, 64, 3)), 1.0)
    colours = {}
    for haze in (0.0, 0.05):
        scene = _Scene(2.0, 0.0, 1.0, (1.0, 1.0), [(Plane((0.0, 1.0, 0.0), 0.0), skin)], haze=haze)
        colours[haze] = _seen(scene, (80, 80), _Level(np.random.PCG64(0)))[0]
    near, far = np.s_[70:79], np.s_[42:48]
    assert colours[0.0][far].std(axis=(0, 1)).mean() < 0.5 * colours[0.0][near].std(axis=(0, 1)).mean()
    changed = np.abs(colours[0.05] - colours[0.0])
    assert changed[far].mean() > 2 * changed[near].mean()


def test_pictures_are_used_as_textures(rng):
    red = np.zeros((30, 40, 3), np.float32)
    red[..., 0] = 1
    found = [texture(rng, 32, 1.0, [red]).at(np.zeros((2, 1)), np.zeros(1))[0] for _ in range(60)]
    share = np.mean([np.array_equal(each, [1, 0, 0]) for each in found])
    assert 0.3 < share < 0.7


def test_textures_are_mirrored_without_seams_and_averaged_over_footprints():
    ramp = np.repeat(np.linspace(0, 1, 64)[None, :, None], 64, axis=0).repeat(3, axis=2)
    skin = Texture(ramp, 2.0)
    x = np.linspace(-4, 4, 400)
    colour = skin.at(np.stack([x, np.zeros(400)]), np.zeros(400))[:, 0]
    assert np.abs(np.diff(colour)).max() < 0.05
    np.testing.assert_allclose(colour, colour[::-1], atol=0.02)
    np.testing.assert_allclose(skin.at(np.zeros((2, 1)), np.array([100.0])), 0.5, atol=1e-6)


@pytest.mark.parametrize("kind", OUTLINES)
def test_outlines_cover_a_part_and_stand_on_the_ground(kind, rng):
    masks = np.stack([outline(rng, kind) for _ in range(8)])
    assert masks.shape == (8, 96, 96)
    assert (masks.mean(axis=(1, 2)) > 0.02).all()
    if kind != "blob":
        assert masks[:, -1].any(axis=1).all()


def test_a_crest_has_all_below_it(rng):
    mask = crest(rng)
    assert mask.shape == (96, 384)
    assert (np.diff(mask.astype(int), axis=0) >= 0).all()


def test_the_motorcycle_has_a_true_disparity(monkeypatch):
    monkeypatch.setenv("TFSTYLE_OFFLINE", "1")
    try:
        picture, disparity = samples.motorcycle()
    except InputError as error:
        pytest.skip(str(error))
    assert (picture.shape, disparity.shape) == ((500, 741, 3), (500, 741))
    assert 0.8 < np.isfinite(disparity).mean() < 1
    assert np.nanmin(disparity) > 0


def test_without_the_motorcycle_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    from skimage.data import _fetchers

    for name in ("data_dir", "_LEGACY_DATA_DIR"):
        monkeypatch.setattr(_fetchers, name, str(tmp_path), raising=False)
    monkeypatch.setenv("TFSTYLE_OFFLINE", "1")
    with pytest.raises(
        InputError, match=r"^the stereo pair motorcycle is not on this machine, and \$TFSTYLE_OFFLINE"
    ):
        samples.motorcycle()
    monkeypatch.setenv("TFSTYLE_OFFLINE", "0")
    monkeypatch.setattr("skimage.data.stereo_motorcycle", _without_pooch)
    with pytest.raises(InputError, match=r"\(no pooch\): pip install pooch, and try with a network$"):
        samples.motorcycle()


def _without_pooch():
    raise ModuleNotFoundError("no pooch")
