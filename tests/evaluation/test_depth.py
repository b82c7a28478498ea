"""Metrics of depth against known numbers."""

import numpy as np
import pytest
from skimage import color

from tfstyle.evaluation.depth import color_change, near_and_far, outline_contrast, profile, separation

RAMP = np.repeat(np.linspace(0, 1, 30)[None], 20, axis=0)  # near on the right
GREY = np.full((20, 30, 3), 0.5)


def lighter(content, amount):
    """A content whose lightness is raised by so many ΔE at each pixel."""
    lab = color.rgb2lab(content)
    lab[..., 0] += amount
    return color.lab2rgb(lab)


def test_change_is_in_delta_e():
    np.testing.assert_allclose(color_change(GREY, lighter(GREY, 7.0)), 7.0, atol=1e-3)
    np.testing.assert_array_equal(color_change(GREY, GREY), 0)


def test_thirds_are_of_the_pixels_that_are_known():
    inverse_depth = np.where(RAMP < 0.1, np.nan, RAMP)
    near, far = near_and_far(inverse_depth)
    assert not (near | far)[np.isnan(inverse_depth)].any()
    assert near.sum() / np.isfinite(inverse_depth).sum() == pytest.approx(1 / 3, abs=0.05)
    assert inverse_depth[near].min() > inverse_depth[far].max()


def test_separation_is_the_ratio_of_what_far_and_near_have_changed():
    assert separation(GREY, lighter(GREY, 5.0), RAMP) == pytest.approx(1, rel=1e-3)
    assert separation(GREY, lighter(GREY, np.where(RAMP < 0.5, 9.0, 3.0)), RAMP) == pytest.approx(3, rel=1e-3)
    assert separation(GREY, lighter(GREY, np.where(RAMP < 0.5, 9.0, 3.0)), 2 + 5 * RAMP) == pytest.approx(3, rel=1e-3)


def test_a_profile_goes_from_far_to_near():
    picture = lighter(GREY, 10 * (1 - RAMP))
    means = profile(GREY, picture, RAMP, 5)
    np.testing.assert_allclose(means, 10 * (1 - RAMP[0].reshape(5, 6).mean(axis=1)), atol=0.01)
    holes = profile(GREY, picture, np.where(RAMP > 0.5, np.nan, RAMP), 2)
    assert min(holes) > 5


def test_outlines_are_told_from_texture():
    rng = np.random.default_rng(0)
    step = (RAMP > 0.5).astype(float)
    noise = 0.02 * rng.standard_normal((20, 30, 1))
    sharp = 0.3 + 0.4 * step[..., None] + noise.repeat(3, axis=2)
    assert outline_contrast(sharp, step) > 3
    assert outline_contrast(GREY + noise, step) == pytest.approx(1, abs=0.4)
    assert outline_contrast(sharp, RAMP * 0.1) == 1.0  # nothing ends before anything
    unknown = np.where(np.abs(RAMP - 0.5) < 0.2, np.nan, step)
    assert outline_contrast(sharp, unknown) == 1.0  # a hole is no step
