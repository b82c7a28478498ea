"""Working sizes, and squares out of the middle of pictures."""

import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.images.sizing import center_square, sized


@pytest.mark.parametrize(("shape", "window"), [((4, 9), np.s_[:, 2:6]), ((9, 4), np.s_[2:6]), ((4, 4), np.s_[:])])
def test_a_center_square_is_the_middle(shape, window):
    rgb = np.random.default_rng(0).random((*shape, 3), "float32")
    np.testing.assert_array_equal(center_square(rgb, 4), rgb[window])
    resized = images.load(rgb[window].copy(), (8, 8)).rgb
    np.testing.assert_array_equal(center_square(rgb, 8), resized)


def test_a_working_size_is_that_of_the_longer_side():
    picture = np.zeros((30, 60, 3))
    assert sized(picture, None, 16).rgb.shape == (30, 60, 3)
    assert sized(picture, 40, 16).rgb.shape == (20, 40, 3)
    assert sized(picture, 40, 16, scale=1.5).rgb.shape == (30, 60, 3)


@pytest.mark.parametrize(
    ("shape", "size", "minimum", "scale", "message"),
    [
        ((7, 60), None, 1, 1.0, "60x7 pixels: give a picture of at least 8 pixels a side"),
        ((20, 40), None, 32, 1.0, "40x20 pixels, .* at least 32 a side: use size 64 or more"),
        ((20, 40), 50, 32, 1.0, "50x25 pixels at size 50, .*: use size 64 or more"),
        ((20, 40), 50, 32, 0.5, "25x12 pixels at size 50 and style scale 0.5, .*: use size 128 or more"),
        ((20, 40), 64, 32, 0.01, "at size 64 and style scale 0.01, .*: use a larger style scale"),
        ((8, 4000), None, 32, 1.0, "4000x8 pixels, .*: crop it to a less narrow shape"),
    ],
)
def test_small_pictures_are_refused_with_a_size_that_is_large_enough(shape, size, minimum, scale, message):
    with pytest.raises(InputError, match=message):
        sized(np.zeros((*shape, 3)), size, minimum, scale)
