"""The guided filter: against NumPy in float64, and what it is for."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tfstyle.models.depth.guided_filter import guided


def window_mean(values, radius):
    """Over what of a window is inside the picture."""
    size = (2 * radius + 1, 2 * radius + 1) + (1,) * (values.ndim - 2)
    total = ndimage.uniform_filter(values, size, mode="constant")
    return total / ndimage.uniform_filter(np.ones(values.shape), size, mode="constant")


def expected(p, picture, radius, epsilon):
    """Equations 19 to 21 of He, Sun & Tang, one position after the other."""
    mean_i, mean_p = window_mean(picture, radius), window_mean(p, radius)
    covariance = window_mean(picture * p[..., None], radius) - mean_i * mean_p[..., None]
    outer = window_mean((picture[..., :, None] * picture[..., None, :]).reshape(*p.shape, 9), radius)
    sigma = outer.reshape(*p.shape, 3, 3) - mean_i[..., :, None] * mean_i[..., None, :]
    a = np.linalg.solve(sigma + epsilon * np.eye(3), covariance[..., None])[..., 0]
    b = mean_p - (a * mean_i).sum(axis=-1)
    return (window_mean(a, radius) * picture).sum(axis=-1) + window_mean(b, radius)


@pytest.fixture(scope="module")
def step():
    """A blurred map of a picture with a sharp edge in the middle."""
    y, x = np.indices((24, 40))
    picture = np.where((x < 20)[..., None], [0.2, 0.5, 0.3], [0.7, 0.4, 0.6]) + 0.0 * y[..., None]
    return ndimage.gaussian_filter((x >= 20).astype(float), 4), picture.astype("float32")


def test_it_is_the_papers():
    rng = np.random.default_rng(0)
    p, picture = rng.random((17, 21)), rng.random((17, 21, 3))
    found = guided(p[None].astype("float32"), *(picture[None].astype("float32"),) * 2, 3, 0.05)
    np.testing.assert_allclose(found[0], expected(p, picture, 3, 0.05), atol=2e-4)


def test_edges_of_the_picture_become_those_of_the_map(step):
    coarse, picture = step
    found = guided(coarse[None], picture[None], picture[None], 5, 1e-2)[0].numpy()
    across = np.abs(np.diff(found[12])), np.abs(np.diff(coarse[12]))
    assert across[0][19] > 4 * across[1][19]
    assert found[:, 30:].min() - found[:, :10].max() > 0.8


def test_a_flat_picture_only_blurs(step):
    coarse, _ = step
    grey = np.full((1, 24, 40, 3), 0.5, "float32")
    found = guided(coarse[None], grey, grey, 3, 1e-2)[0]
    np.testing.assert_allclose(found, window_mean(window_mean(coarse, 3), 3), atol=1e-5)


def test_a_larger_picture_gets_a_larger_map_with_its_own_edges(step):
    coarse, picture = step
    large = picture.repeat(3, axis=0).repeat(3, axis=1)
    found = guided(coarse[None], picture[None], large[None], 5, 1e-2)[0].numpy()
    assert found.shape == (72, 120)
    assert np.abs(np.diff(found[36])).argmax() == 59


def test_gradients_are_finite(step):
    coarse, picture = (tf.constant(each[None], "float32") for each in step)
    with tf.GradientTape() as tape:
        tape.watch([coarse, picture])
        value = tf.reduce_sum(guided(coarse, picture, picture, 5, 1e-2) ** 2)
    for gradient in tape.gradient(value, [coarse, picture]):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0
