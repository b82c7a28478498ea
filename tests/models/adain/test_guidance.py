"""AdaIN with a style for each region."""

import numpy as np
import pytest

from tfstyle.layers import AdaptiveInstanceNormalization
from tfstyle.models.adain.guidance import apply_adain_by_region


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


def test_everything_as_one_region_is_no_region(adain, features, styles):
    everything = np.ones((1, 6, 4), "float32")
    plain = apply_adain_by_region(adain, features, styles[:1], None)
    np.testing.assert_allclose(
        apply_adain_by_region(adain, features, styles[:1], everything), plain, rtol=1e-5, atol=1e-5
    )


def test_hard_regions_are_as_if_cut_out(adain, features, styles):
    masks = np.zeros((2, 6, 4), "float32")
    masks[0, :3], masks[1, 3:5] = 1, 1
    found = apply_adain_by_region(adain, features, styles, masks)
    for style, rows in zip(styles, (slice(0, 3), slice(3, 5)), strict=True):
        np.testing.assert_allclose(found[:, rows], adain((features[:, rows], style)), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found[:, 5:], features[:, 5:])


def test_soft_regions_mix_and_overlapping_ones_are_averaged(adain, features, styles):
    half = np.full((1, 6, 4), 0.5, "float32")
    one = apply_adain_by_region(adain, features, styles[:1], half).numpy()
    style = adain((features, styles[0]), weights=half[0][None]).numpy()
    np.testing.assert_allclose(one, (style + features) / 2, rtol=1e-4, atol=1e-5)
    both = apply_adain_by_region(adain, features, styles, np.ones((2, 6, 4), "float32"))
    want = (adain((features, styles[0])).numpy() + adain((features, styles[1])).numpy()) / 2
    np.testing.assert_allclose(both, want, rtol=1e-4, atol=1e-5)
