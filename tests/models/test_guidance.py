"""Numbers and masks of an image at the resolution of features."""

import numpy as np
import pytest

from tfstyle import InputError
from tfstyle.models.guidance import alpha_map, downsample_mask, interpolate_features


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(2, 3, (1, 6, 4, 5)).astype("float32")


def test_strength_is_a_number_or_a_map():
    np.testing.assert_array_equal(alpha_map(0.5, (3, 4)), np.full((1, 3, 4), 0.5, "float32"))
    ramp = np.linspace(0, 1, 12, dtype="float32").reshape(3, 4)
    np.testing.assert_allclose(alpha_map(ramp, (3, 4)), ramp[None], atol=1e-6)
    assert (alpha_map(np.zeros((3, 4)), (3, 4)) == 0).all()  # black all over is no style at all


def test_strengths_that_are_none_are_refused():
    for alpha, message in [
        (1.5, "alpha 1.5 can't be used: give a number from 0 to 1"),
        (float("nan"), "alpha nan can't be used: give a number from 0 to 1"),
        (np.zeros((9, 4)), "alpha has 4x9 pixels.*4x3.*: give a mask"),
        (np.eye(3)[np.arange(12).reshape(3, 4) % 3], "alpha has colours: make it grey"),
    ]:
        with pytest.raises(InputError, match=message):
            alpha_map(alpha, (3, 4))


def test_weights_shrink_as_the_padded_pictures_do():
    weights = np.random.default_rng(2).random((2, 5, 7), "float32")
    found = downsample_mask(weights, 4, np.zeros((1, 2, 2, 3)))
    padded = np.pad(weights, ((0, 0), (0, 3), (0, 1)), mode="reflect").astype("float64")
    np.testing.assert_allclose(found, padded.reshape(2, 2, 4, 2, 4).mean(axis=(2, 4)), rtol=1e-6)


def test_strength_weakens_position_by_position(features):
    target, alpha = features * 2, np.random.default_rng(3).random((1, 6, 4), "float32")
    found = interpolate_features(target, features, alpha)
    np.testing.assert_allclose(found, features * (1 + alpha[..., None]), rtol=1e-5)
