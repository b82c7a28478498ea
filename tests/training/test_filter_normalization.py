"""Normalized filters: the same features but for a factor per filter, and the same distances at taps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle.features.vgg19mini import VGG19Mini
from tfstyle.training.filter_normalization import convolutions, normalize, root


def test_the_root_measures_as_the_matrix_does():
    random = np.random.default_rng(0)
    matrix, f = random.normal(size=(4, 7)), random.normal(size=(10, 4))
    found = root(matrix)
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_allclose(np.linalg.norm(f @ found, axis=1), np.linalg.norm(f @ matrix, axis=1), rtol=1e-10)


def test_normalised_the_network_is_the_same_but_for_a_factor_a_filter():
    random = np.random.default_rng(1)
    keras.utils.set_random_seed(0)
    network = VGG19Mini(widths=(4, 6, 8))
    for layer in convolutions(network):
        layer.bias.assign(np.random.default_rng(0).normal(0, 0.1, layer.filters))
    outputs = keras.Model(network.input, [layer.output for layer in convolutions(network)])
    batches = [tf.constant(random.uniform(-1, 1, (4, 16, 16, 3)), tf.float32) for _ in range(2)]
    before = [np.concatenate(each) for each in zip(*(outputs(b) for b in batches), strict=True)]
    normalize(network, batches)
    after = [np.concatenate(each) for each in zip(*(outputs(b) for b in batches), strict=True)]
    for old, new in zip(before, after, strict=True):
        means = old.mean(axis=(0, 1, 2), dtype="float64")
        kept = means > 0.01 * means.mean()
        np.testing.assert_allclose(new.mean(axis=(0, 1, 2))[kept], 1, rtol=1e-4)
        np.testing.assert_allclose(new[..., kept], old[..., kept] / means[kept], rtol=1e-3, atol=1e-4)
        assert (new.mean(axis=(0, 1, 2)) < 1.001).all()
    taps = [network(b) for b in batches]
    for each in zip(*taps, strict=True):
        assert np.abs(np.concatenate(each)).mean() == pytest.approx(1, rel=1e-3)
