"""Luminance against its formula in float64."""

import numpy as np

from tfstyle.images.luminance import BT601, BT709, luminance


def test_luminance_is_the_y_of_yiq():
    rgb = np.random.default_rng(0).random((30, 40, 3), "float32")
    assert luminance(rgb).shape == (30, 40, 1)
    assert luminance(rgb).dtype == np.float32
    want = rgb.astype("float64") @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(luminance(rgb)[..., 0], want, rtol=1e-6)


def test_luminance_of_a_grey_picture_is_itself():
    values = np.linspace(0, 1, 65536, dtype="float32").reshape(256, 256, 1)
    np.testing.assert_array_equal(luminance(np.repeat(values, 3, axis=-1)), values)


def test_weights_sum_to_one():
    np.testing.assert_allclose([BT601.sum(), BT709.sum()], 1, rtol=1e-15)
