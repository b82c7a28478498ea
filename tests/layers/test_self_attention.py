"""Self-attention against NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.layers import SelfAttention2D


@pytest.fixture
def layer():
    layer = SelfAttention2D(seed=0)
    layer.build((None, None, None, 16))
    layer.gamma.assign(0.7)
    return layer


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(size=(2, 6, 4, 16)).astype("float32")


def by_hand(layer, features):
    kernels = {
        name: getattr(layer, f"{name}_convolution").normalized_kernel().numpy()[0, 0].astype("float64")
        for name in ("query", "key", "value", "output")
    }
    found, weights = [], []
    for picture in features.astype("float64"):
        rows, columns, _ = picture.shape
        pooled = {
            name: (picture @ kernels[name]).reshape(rows // 2, 2, columns // 2, 2, -1).max((1, 3))
            for name in ("key", "value")
        }
        queries = (picture @ kernels["query"]).reshape(rows * columns, -1)
        logits = queries @ pooled["key"].reshape(-1, queries.shape[1]).T
        a = np.exp(logits - logits.max(1, keepdims=True))
        a /= a.sum(1, keepdims=True)
        weights.append(a.reshape(rows, columns, rows // 2, columns // 2))
        values = pooled["value"].reshape(a.shape[1], -1)
        found.append(picture + 0.7 * (a @ values @ kernels["output"]).reshape(picture.shape))
    return np.stack(found), np.stack(weights)


def test_it_is_numpys(layer, features):
    want, weights = by_hand(layer, features)
    np.testing.assert_allclose(layer(features), want, atol=1e-5)
    np.testing.assert_allclose(layer.attention(features), weights, atol=1e-5)
    assert layer.query_convolution.kernel.shape == (1, 1, 16, 2)
    assert layer.value_convolution.kernel.shape == (1, 1, 16, 8)
    assert sum(np.prod(w.shape) for w in layer.trainable_weights) == 2 * 16 * 2 + 2 * 16 * 8 + 1


def test_at_first_it_leaves_features_as_they_are(features):
    np.testing.assert_array_equal(SelfAttention2D()(features), features)


def test_a_convolution_of_size_one_could_not_do_it(layer, features):
    changed = features.copy()
    changed[:, 5, 3] += 1
    difference = np.abs(layer(changed) - layer(features))
    assert difference[:, 0, 0].max() > 1e-4  # the opposite corner has seen it


def test_beyond_the_largest_side_it_is_computed_at_lower_resolution(features):
    layer = SelfAttention2D(largest=4, seed=0)
    layer.build((None, None, None, 16))
    layer.gamma.assign(0.7)
    assert layer.attention(features).shape == (2, 4, 4, 2, 2)
    assert layer(features).shape == features.shape
    flat = np.ones((1, 9, 7, 16), "float32") * features[:1, :1, :1]
    same = SelfAttention2D(seed=0)
    same.build((None, None, None, 16))
    same.gamma.assign(0.7)
    np.testing.assert_allclose(layer(flat), same(flat), atol=1e-5)  # of a plane nothing is lost by shrinking


@pytest.mark.parametrize(("size", "small"), [((9, 7), (4, 4)), ((64, 3), (4, 3)), ((5, 8), (4, 4))])
def test_it_shrinks_as_tensorflow_does(size, small):
    features = np.random.default_rng(0).random((2, *size, 3), "float32")
    found = SelfAttention2D(largest=4)._bounded(features)
    np.testing.assert_allclose(found, tf.image.resize(features, small, antialias=True), atol=1e-6)


def test_xla_compiles_it_at_any_size(features):
    layer = SelfAttention2D(largest=4, seed=0)
    layer.build((None, None, None, 16))
    layer.gamma.assign(0.7)
    signature = [tf.TensorSpec((None, None, None, 16))]
    compiled = tf.function(layer, input_signature=signature, jit_compile=True)
    np.testing.assert_allclose(compiled(features), layer(features), atol=1e-5)


def test_sizes_that_are_not_known_beforehand(layer, features):
    anysize = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 16))])
    np.testing.assert_allclose(anysize(features), layer(features), atol=1e-5)
    assert anysize(features[:, :5, :1]).shape == (2, 5, 1, 16)
    np.testing.assert_allclose(
        tf.reduce_sum(layer.attention(features[:, :5, :1]), (3, 4)), np.ones((2, 5, 1)), rtol=1e-5
    )
