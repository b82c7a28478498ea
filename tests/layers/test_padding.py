"""Padding by reflection against NumPy."""

import keras
import numpy as np
import pytest

from tfstyle.layers import ReflectedConvolution, ReflectionPadding2D


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((2, 5, 7, 3), "float32")


@pytest.mark.parametrize(
    ("padding", "pads"),
    [(1, ((1, 1), (1, 1))), ((2, 3), ((2, 2), (3, 3))), (((0, 4), (1, 2)), ((0, 4), (1, 2))), (0, ((0, 0), (0, 0)))],
)
def test_it_is_numpys_reflection(padding, pads, pictures):
    layer = ReflectionPadding2D(padding)
    found = layer(pictures)
    np.testing.assert_array_equal(found, np.pad(pictures, ((0, 0), *pads, (0, 0)), mode="reflect"))
    assert layer.compute_output_shape(pictures.shape) == found.shape


def test_sizes_that_are_not_known_stay_unknown():
    assert ReflectionPadding2D(2)(keras.Input((None, 40, 3))).shape == (None, None, 44, 3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_precisions(dtype, pictures):
    found = ReflectionPadding2D(1, dtype=dtype)(keras.ops.cast(pictures, dtype))
    assert keras.backend.standardize_dtype(found.dtype) == dtype


def test_saving_in_a_model(pictures, tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, ReflectionPadding2D(((1, 2), (3, 4)))(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(pictures), model(pictures))
    assert again.layers[-1].padding == ((1, 2), (3, 4))


@pytest.fixture
def convolution():
    layer = keras.layers.Conv2D(4, (3, 5), dilation_rate=(2, 1), padding="same", activation="relu")
    layer.build((None, None, None, 3))
    layer.bias.assign(np.linspace(-0.5, 0.5, 4))
    return layer


def test_a_convolution_with_its_own_weights_and_another_padding(convolution, pictures):
    layer = ReflectedConvolution(convolution)
    valid = keras.layers.Conv2D(4, (3, 5), dilation_rate=(2, 1), activation="relu")
    valid.build((None, None, None, 3))
    valid.set_weights(convolution.get_weights())
    want = valid(np.pad(pictures, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect"))
    np.testing.assert_allclose(layer(pictures), want, rtol=1e-5, atol=1e-6)
    inner = convolution(pictures)[:, 2:-2, 2:-2]
    np.testing.assert_allclose(layer(pictures)[:, 2:-2, 2:-2], inner, rtol=1e-5, atol=1e-6)
    assert layer.weights == convolution.weights
    assert layer(keras.Input((None, 7, 3))).shape == (None, None, 7, 4)


def test_which_convolutions_are_padded():
    fits = ReflectedConvolution.fits
    assert fits(keras.layers.Conv2D(4, 3, padding="same"))
    for layer in (
        keras.layers.Conv2D(4, 3),
        keras.layers.Conv2D(4, 1, padding="same"),
        keras.layers.Conv2D(4, 4, padding="same"),
        keras.layers.Conv2D(4, 3, strides=2, padding="same"),
        keras.layers.DepthwiseConv2D(3, padding="same"),
    ):
        assert not fits(layer)


def test_a_reflected_convolution_is_saved(convolution, pictures, tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, ReflectedConvolution(convolution)(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(pictures), model(pictures))
