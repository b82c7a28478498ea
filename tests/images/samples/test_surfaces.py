"""Textures and outlines."""

from __future__ import annotations

import numpy as np
import pytest

from tfstyle.images.samples.surfaces import OUTLINES, Texture, crest, outline, texture


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_pictures_are_used_as_textures(rng):
    red = np.zeros((30, 40, 3), np.float32)
    red[..., 0] = 1
    corners = [texture(rng, 32, 1.0, [red]).at(np.zeros((2, 1)), np.zeros(1))[0] for _ in range(60)]
    share = np.mean([np.array_equal(each, [1, 0, 0]) for each in corners])
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
