"""Convolutions of spectral norm 1 against NumPy's singular values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle.layers import SpectralConv2D


@pytest.fixture
def layer():
    layer = SpectralConv2D(6, 3, strides=2, kernel_initializer=keras.initializers.RandomNormal(0, 0.5, seed=1))
    layer.build((None, None, None, 4))
    return layer


def largest(kernel):
    return np.linalg.svd(np.asarray(kernel).reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def test_the_largest_singular_value_becomes_one(layer):
    before = layer.kernel.numpy()
    for _ in range(50):
        normalized = layer.normalized_kernel(training=True)
    assert largest(normalized) == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(normalized, before / largest(before), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(layer.kernel, before)  # which Keras' own layer overwrites
    direction = layer.direction.numpy()
    layer.normalized_kernel()
    np.testing.assert_array_equal(layer.direction, direction)


def test_each_training_call_is_one_round_of_power_iteration(layer):
    matrix, outer = layer.kernel.numpy().reshape(-1, 6).astype("float64"), layer.direction.numpy().astype("float64")
    for _ in range(3):
        inner = matrix @ outer / np.linalg.norm(matrix @ outer)
        outer = inner @ matrix / np.linalg.norm(inner @ matrix)
        layer.normalized_kernel(training=True)
        np.testing.assert_allclose(layer.direction, outer, atol=1e-5)
    np.testing.assert_allclose(layer.normalized_kernel(), layer.kernel / np.linalg.norm(matrix @ outer), rtol=1e-4)


def test_the_gradient_is_orthogonal_to_the_kernel(layer):
    # W / σ doesn't change along W
    for _ in range(50):
        layer.normalized_kernel(training=True)
    pictures = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(pictures) ** 2)
    gradient = tape.gradient(loss, layer.kernel).numpy()
    cosine = np.sum(gradient * layer.kernel) / np.linalg.norm(gradient) / np.linalg.norm(layer.kernel)
    assert abs(cosine) < 1e-3


def test_it_is_a_convolution_with_that_kernel(layer):
    plain = keras.layers.Conv2D(6, 3, strides=2)
    plain.build((None, None, None, 4))
    layer.bias.assign(np.arange(6))
    plain.set_weights([layer.normalized_kernel().numpy(), layer.bias.numpy()])
    pictures = np.random.default_rng(0).normal(size=(2, 9, 8, 4)).astype("float32")
    np.testing.assert_allclose(layer(pictures), plain(pictures), atol=1e-5)
    active = SpectralConv2D(6, 3, strides=2, activation="relu")
    active.build((None, None, None, 4))
    active.set_weights(layer.get_weights())
    np.testing.assert_allclose(active(pictures), np.maximum(plain(pictures), 0), atol=1e-5)


def test_it_is_saved_with_its_direction(layer, tmp_path):
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, layer(inputs))
    layer.normalized_kernel(training=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True).layers[-1]
    np.testing.assert_array_equal(again.direction, layer.direction)
    np.testing.assert_array_equal(again.normalized_kernel(), layer.normalized_kernel())
