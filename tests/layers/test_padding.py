"""Padding by reflection against NumPy."""

import keras
import numpy as np
import pytest

from tfstyle.layers import ReflectionPadding2D


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
