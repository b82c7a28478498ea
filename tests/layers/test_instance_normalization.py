"""Instance normalisation against NumPy and PyTorch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle.layers import InstanceNormalization

# torch.nn.InstanceNorm2d(2) of PyTorch for sin(0, 1, ... 23) as (1, 3, 4, 2), once computed.
GOLDEN = [
    -0.078717,
    1.1308565,
    1.2682916,
    0.1566412,
    -1.1998237,
    -1.3735629,
    -0.4926356,
    0.8742316,
    1.3868916,
    0.5336106,
    -0.8846152,
    -1.4306872,
    -0.8735816,
    0.5448064,
    1.388742,
    0.8649134,
    -0.5052092,
    -1.3770032,
    -1.1912092,
    0.1688228,
    1.2736955,
    1.1241581,
    -0.0918291,
    -1.2167875,
]


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(2, 3, (3, 5, 7, 4)).astype("float32")


def normalized(features, epsilon=1e-5):
    features = features.astype("float64")
    return (features - features.mean((1, 2), keepdims=True)) / np.sqrt(features.var((1, 2), keepdims=True) + epsilon)


def unfused(layer, features):
    """The layer where the size of the batch is not known beforehand."""
    signature = [tf.TensorSpec((None, *features.shape[1:]), features.dtype)]
    return tf.function(layer, input_signature=signature)(features)


def test_it_is_pytorchs():
    features = np.sin(np.arange(24)).reshape(1, 3, 4, 2).astype("float32")
    np.testing.assert_allclose(np.ravel(InstanceNormalization()(features)), GOLDEN, atol=1e-5)


def test_it_is_numpys_whether_the_batch_is_known_or_not(features):
    layer = InstanceNormalization()
    np.testing.assert_allclose(layer(features), normalized(features), atol=1e-5)
    np.testing.assert_allclose(unfused(layer, features), normalized(features), atol=1e-5)


def test_each_picture_is_by_itself(features):
    layer = InstanceNormalization()
    np.testing.assert_allclose(layer(features)[1:2], layer(features[1:2]), atol=1e-6)


def test_small_variances_are_not_blown_up():
    features = np.array([0.0, 0.002]).reshape(1, 1, 2, 1).astype("float32")
    np.testing.assert_allclose(InstanceNormalization()(features), normalized(features), rtol=1e-4)
    assert float(InstanceNormalization(epsilon=1.0)(features)[0, 0, 1, 0]) == pytest.approx(0.001, rel=1e-3)


def test_gamma_and_beta(features):
    layer = InstanceNormalization(affine=True)
    np.testing.assert_allclose(layer(features), normalized(features), atol=1e-5)
    layer.gamma.assign([1, 2, 3, 4])
    layer.beta.assign([0, 1, 0, -1])
    want = normalized(features) * [1, 2, 3, 4] + [0, 1, 0, -1]
    np.testing.assert_allclose(layer(features), want, atol=1e-4)
    np.testing.assert_allclose(unfused(layer, features), want, atol=1e-4)
    assert not InstanceNormalization().weights


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("bfloat16", 0.03), ("float16", 4e-3)])
def test_other_precisions(features, dtype, tolerance):
    layer = InstanceNormalization(dtype=dtype)
    given = tf.cast(features, dtype)
    found = layer(given)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    want = normalized(tf.cast(given, "float64").numpy())
    np.testing.assert_allclose(tf.cast(found, "float64"), want, atol=tolerance)


def test_first_and_second_gradients_are_the_same_both_ways(features):
    layer = InstanceNormalization()
    weights = tf.constant(np.random.default_rng(1).normal(size=features.shape), "float32")

    def of(call):
        x = tf.constant(features[:2])
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = tf.reduce_sum(weights[:2] * call(x) ** 3)
            first = inner.gradient(value, x)
            squares = tf.reduce_sum(first**2)
        return first, outer.gradient(squares, x)

    plain = InstanceNormalization(dtype="float64")
    for known, unknown in zip(of(layer), of(lambda x: tf.cast(plain(tf.cast(x, "float64")), "float32")), strict=True):
        np.testing.assert_allclose(known, unknown, rtol=1e-3, atol=1e-3 * np.abs(unknown).max())


@pytest.mark.parametrize("affine", [False, True])
def test_an_activation_is_as_one_that_follows_to_the_second_gradient(features, affine):
    layer = InstanceNormalization(activation="relu", affine=affine)
    plain = InstanceNormalization(affine=affine)
    assert layer.get_config()["activation"] == "relu"

    def found(compute):
        x = tf.constant(features)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = compute(x)
                loss = tf.reduce_sum(tf.sin(y))
            once = inner.gradient(loss, x)
            square = tf.reduce_sum(once**2)
        return y, once, outer.gradient(square, x)

    expected = found(lambda x: tf.nn.relu(plain(x)))
    for one, other in zip(found(layer), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
    np.testing.assert_allclose(unfused(layer, features), expected[0], atol=1e-5)
