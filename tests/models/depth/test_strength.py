"""The strength of the style by depth."""

import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.models.depth.strength import DepthStrength, strength_by_depth


def test_strength_goes_from_far_to_near_by_a_logistic_curve():
    p = np.linspace(0, 1, 11)
    sigma = lambda x: 1 / (1 + np.exp(-8 * (x - 0.4)))  # noqa: E731
    expected = 0.9 + (0.2 - 0.9) * (sigma(p) - sigma(0)) / (sigma(1) - sigma(0))
    found = strength_by_depth(p, 0.2, 0.9, 8, 0.4)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (found[0], found[-1]) == (pytest.approx(0.9), pytest.approx(0.2))
    np.testing.assert_allclose(strength_by_depth(p, 0.2, 0.9, 0, 0.4), 0.9 - 0.7 * p, atol=1e-6)
    np.testing.assert_allclose(strength_by_depth(p, 0.2, 0.9, 2e-3, 0.4), 0.9 - 0.7 * p, atol=1e-3)  # the limit
    np.testing.assert_allclose(strength_by_depth(p, 0.5, 0.5, 10, 0.5), 0.5)
    sharp = strength_by_depth(p, 0.0, 1.0, 1000, 0.55)
    np.testing.assert_allclose(sharp, p < 0.55, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"near": 1.5}, "near 1.5 can't be used: give a number from 0 to 1"),
        ({"far": -0.1}, "far -0.1 can't be used: give a number from 0 to 1"),
        ({"offset": float("nan")}, "offset nan can't be used: give a number from 0 to 1"),
        ({"contrast": -1}, "contrast -1 can't be used: give a number from 0 to 1000"),
    ],
)
def test_strengths_out_of_range_are_refused(given, message):
    with pytest.raises(InputError) as error:
        strength_by_depth(np.zeros((2, 2)), **{"near": 0.0, "far": 1.0, "contrast": 1.0, "offset": 0.5, **given})
    assert str(error.value) == message


def test_the_strength_of_an_image_is_alpha_times_that_of_its_inverse_depth():
    ramp = np.linspace(0, 1, 12, dtype="float32").reshape(3, 4)
    content = images.load(np.zeros((3, 4, 3), "float32"))
    found = DepthStrength(lambda pictures: ramp[None], 0.2, 0.9, 5.0, 0.3).of(content, 0.5)
    np.testing.assert_allclose(found, 0.5 * strength_by_depth(ramp, 0.2, 0.9, 5.0, 0.3), rtol=1e-6)
