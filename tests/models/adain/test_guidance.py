"""Weights, masks and maps at the resolution of features."""

import numpy as np
import pytest

from tfstyle import InputError
from tfstyle.layers import AdaptiveInstanceNormalization
from tfstyle.models.adain.guidance import moved, shares, shrunk, strength, weakened


@pytest.fixture(scope="module")
def adain():
    return AdaptiveInstanceNormalization()


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(2, 3, (1, 6, 4, 5)).astype("float32")


@pytest.fixture(scope="module")
def styles():
    random = np.random.default_rng(1)
    return [{"mean": random.normal(size=(1, 5)), "deviation": random.random((1, 5))} for _ in range(2)]


def test_shares_sum_to_1():
    assert shares(None, 4) == [0.25] * 4
    assert shares([3, 1], 2) == [0.75, 0.25]


@pytest.mark.parametrize("weights", [[1.0], [1, -1], [0, 0], [float("nan"), 1], [float("inf"), 1]])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(InputError):
        shares(weights, 2)


def test_strength_is_a_number_or_a_map():
    np.testing.assert_array_equal(strength(0.5, (3, 4)), np.full((1, 3, 4), 0.5, "float32"))
    ramp = np.linspace(0, 1, 12, dtype="float32").reshape(3, 4)
    np.testing.assert_allclose(strength(ramp, (3, 4)), ramp[None], atol=1e-6)
    assert (strength(np.zeros((3, 4)), (3, 4)) == 0).all()  # black all over is no style at all


def test_strengths_that_are_none_are_refused():
    for alpha, message in [
        (1.5, "alpha 1.5 can't be used: give a number from 0 to 1, or a grey picture"),
        (float("nan"), "alpha nan can't be used: give a number from 0 to 1, or a grey picture"),
        (np.zeros((9, 4)), "the alpha has 4x9 pixels, and the content picture 4x3, another shape: give a mask"),
        (np.eye(3)[np.arange(12).reshape(3, 4) % 3], "the alpha has colours: make it grey"),
    ]:
        with pytest.raises(InputError) as error:
            strength(alpha, (3, 4))
        assert str(error.value).startswith(message)


def test_weights_shrink_as_the_padded_pictures_do():
    weights = np.random.default_rng(2).random((2, 5, 7), "float32")
    found = shrunk(weights, 4, np.zeros((1, 2, 2, 3)))
    padded = np.pad(weights, ((0, 0), (0, 3), (0, 1)), mode="reflect").astype("float64")
    np.testing.assert_allclose(found, padded.reshape(2, 2, 4, 2, 4).mean(axis=(2, 4)), rtol=1e-6)


def test_everything_as_one_region_is_no_region(adain, features, styles):
    everything = np.ones((1, 6, 4), "float32")
    plain = moved(adain, features, styles[:1], None)
    np.testing.assert_allclose(moved(adain, features, styles[:1], everything), plain, rtol=1e-5, atol=1e-5)


def test_hard_regions_are_as_if_cut_out(adain, features, styles):
    cover = np.zeros((2, 6, 4), "float32")
    cover[0, :3], cover[1, 3:5] = 1, 1
    found = moved(adain, features, styles, cover)
    for style, rows in zip(styles, (slice(0, 3), slice(3, 5)), strict=True):
        np.testing.assert_allclose(found[:, rows], adain((features[:, rows], style)), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found[:, 5:], features[:, 5:])


def test_soft_regions_mix_and_overlapping_ones_are_averaged(adain, features, styles):
    half = np.full((1, 6, 4), 0.5, "float32")
    one = moved(adain, features, styles[:1], half).numpy()
    style = adain((features, styles[0]), weights=half[0][None]).numpy()
    np.testing.assert_allclose(one, (style + features) / 2, rtol=1e-4, atol=1e-5)
    both = moved(adain, features, styles, np.ones((2, 6, 4), "float32"))
    want = (adain((features, styles[0])).numpy() + adain((features, styles[1])).numpy()) / 2
    np.testing.assert_allclose(both, want, rtol=1e-4, atol=1e-5)


def test_strength_weakens_position_by_position(features):
    target, alpha = features * 2, np.random.default_rng(3).random((1, 6, 4), "float32")
    found = weakened(target, features, alpha)
    np.testing.assert_allclose(found, features * (1 + alpha[..., None]), rtol=1e-5)
