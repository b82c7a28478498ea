"""Preprocessing and padding against NumPy."""

import keras
import numpy as np
import pytest
from hypothesis import given, strategies as st

from tfstyle.layers import CropTo, PadToMultiple, Preprocessing


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((2, 5, 7, 3), "float32")


def test_vgg_and_resnet_see_bgr_less_the_mean_colour(pictures):
    want = pictures.astype("float64")[..., ::-1] * 255 - [103.939, 116.779, 123.68]
    for name in ("VGG19", "ResNet50"):
        np.testing.assert_allclose(Preprocessing(name)(pictures).numpy(), want, atol=1e-4)


def test_inception_nasnet_and_mobilenet_see_minus_one_to_one(pictures):
    for name in ("InceptionV3", "NASNetMobile", "MobileNetV2"):
        np.testing.assert_allclose(Preprocessing(name)(pictures).numpy(), pictures * 2.0 - 1, atol=1e-6)


@given(height=st.integers(8, 40), width=st.integers(8, 40), multiple=st.integers(1, 8))
def test_padding_is_numpys_reflection_at_the_bottom_and_the_right(height, width, multiple):
    picture = np.random.default_rng(0).random((1, height, width, 3), "float32")
    layer = PadToMultiple(multiple)
    found = layer(picture).numpy()
    pads = ((0, 0), (0, -height % multiple), (0, -width % multiple), (0, 0))
    np.testing.assert_array_equal(found, np.pad(picture, pads, mode="reflect"))
    assert found.shape[1] % multiple == found.shape[2] % multiple == 0
    assert layer.compute_output_shape(picture.shape) == found.shape


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (2, 9), (3, 5), (17, 4)])
def test_sides_shorter_than_their_padding_are_reflected_again_and_again(size):
    picture = np.random.default_rng(0).random((1, *size, 3), "float32")
    layer = PadToMultiple(4, least=16)
    found = layer(picture)
    rows, columns = (max(side + -side % 4, 16) - side for side in size)
    np.testing.assert_array_equal(found, np.pad(picture, ((0, 0), (0, rows), (0, columns), (0, 0)), mode="reflect"))
    assert layer.compute_output_shape(picture.shape) == found.shape


def test_cropping_undoes_padding(pictures):
    layer = CropTo()
    np.testing.assert_array_equal(layer((PadToMultiple(8)(pictures), pictures)), pictures)
    inputs = keras.Input((None, 7, 3))
    assert layer((PadToMultiple(8)(inputs), inputs)).shape == (None, None, 7, 3)


def test_sizes_that_are_not_known_stay_unknown():
    assert PadToMultiple(32)(keras.Input((None, 40, 3))).shape == (None, None, 64, 3)


@pytest.mark.parametrize("layer", [Preprocessing("VGG16"), PadToMultiple(16)], ids=lambda layer: layer.name)
def test_saving_in_a_model(layer, pictures, tmp_path):
    inputs = keras.Input((None, None, 3))
    padded = np.pad(pictures, ((0, 0), (0, 11), (0, 9), (0, 0)))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(padded).numpy(), model(padded).numpy())
    assert again.layers[-1].get_config() == layer.get_config()
