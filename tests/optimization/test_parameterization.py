"""What stands for a picture: there and back, within range, with a gradient; and painting in it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings, strategies as st

from tfstyle import LBFGS, Canvas, ContentTerm, Objective, StyleTerm, transfer
from tfstyle.layers.constraints import ValueRange
from tfstyle.optimization.parameterization import Fourier, Pixels

HALF_A_LEVEL = 0.5 / 255
SHALLOW = {"content_layers": "block1_conv2", "style_layers": ["block1_conv1", "block2_conv1"]}


def pictures(seed, height=9, width=14, low=0.01, high=0.99, grey=False):
    random = np.random.default_rng(seed).uniform(low, high, (2, height, width, 1 if grey else 3)).astype("float32")
    return np.repeat(random, 3, axis=-1) if grey else random


def back(parameterization, given_):
    variable = tf.constant(parameterization.variable(given_), given_.dtype)
    return parameterization(variable).numpy()


@given(st.integers(0, 99), st.booleans())
def test_pixels_are_the_picture(seed, grey):
    x = pictures(seed, low=0, high=1, grey=grey)
    np.testing.assert_array_equal(back(Pixels(grey), x), x)
    assert Pixels(grey).variable(x).shape == (2, 9, 14, 1 if grey else 3)


def test_the_grey_of_a_coloured_picture_is_its_luminance():
    x = pictures(0)
    y = x.astype("float64") @ [0.299, 0.587, 0.114]
    for parameterization in (Pixels(grey=True), Fourier(grey=True)):
        np.testing.assert_allclose(back(parameterization, x), np.repeat(y[..., None], 3, axis=-1), atol=2e-6)


@settings(max_examples=20)
@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 99), st.booleans(), st.sampled_from([0.0, 1.0, 1.5]))
def test_a_spectrum_goes_there_and_back(height, width, seed, grey, decay):
    x = pictures(seed, height, width, grey=grey)
    fourier = Fourier(grey, decay)
    assert fourier.variable(x).shape == (2, height, width, 1 if grey else 3)
    np.testing.assert_allclose(back(fourier, x), x, atol=1e-5)
    wide = pictures(seed, height, width, low=0, high=1, grey=grey)
    wide[:, ::2] = np.round(wide[:, ::2])  # black and white, which a sigmoid has not
    found = back(fourier, wide)
    assert np.abs(found - wide).max() <= HALF_A_LEVEL + 1e-5
    inside = (wide > HALF_A_LEVEL) & (wide < 1 - HALF_A_LEVEL)
    np.testing.assert_allclose(found[inside], wide[inside], atol=1e-5)


@given(st.integers(0, 99), st.floats(0.1, 1e4), st.booleans())
def test_no_spectrum_leaves_the_range(seed, size, grey):
    variable = np.random.default_rng(seed).normal(0, size, (1, 6, 7, 1 if grey else 3)).astype("float32")
    found = Fourier(grey)(tf.constant(variable)).numpy()
    assert found.shape == (1, 6, 7, 3)
    assert found.min() >= 0  # NaN is neither
    assert found.max() <= 1
    assert (np.ptp(found, axis=-1).max() == 0) == grey


def test_pixels_are_kept_in_range_by_a_constraint_and_spectra_by_a_sigmoid():
    assert Pixels().constraint.get_config() == ValueRange(0.0, 1.0).get_config()
    assert Fourier().constraint is None


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("kind", [Pixels, Fourier])
def test_the_gradient_is_that_of_finite_differences_in_float64(kind, grey):
    parameterization, random = kind(grey), np.random.default_rng(1)
    variable = tf.constant(parameterization.variable(pictures(2, 6, 7)), "float64")
    weights, direction = random.normal(size=(2, 6, 7, 3)), random.normal(size=variable.shape)

    def loss(variable):
        return tf.reduce_sum(parameterization(variable) ** 2 * weights)

    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = loss(variable)
    assert value.dtype == tf.float64
    step = 1e-5 * direction
    slope = (loss(variable + step) - loss(variable - step)) / 2e-5
    np.testing.assert_allclose(tf.reduce_sum(tape.gradient(value, variable) * direction), slope, rtol=1e-7)


def test_colours_are_decorrelated():
    """Photographs' channels go together; in the spectrum's colours they hardly do."""
    from tfstyle import images, samples

    photo = images.load(samples.content("coffee"), 128).rgb
    variable = Fourier().variable(photo[None])[0][1:, 1:]  # without the mean
    ours, pixels = (np.abs(np.corrcoef(x.reshape(-1, 3).T)[np.triu_indices(3, 1)]) for x in (variable, photo))
    assert ours.mean() < 0.5 * pixels.mean()


@pytest.mark.parametrize("parameterization", [Pixels(), Pixels(grey=True), Fourier(), Fourier(True, 1.5)])
def test_serialisation_round_trip(parameterization):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(parameterization))
    assert type(again) is type(parameterization)
    assert again.get_config() == parameterization.get_config()


def test_an_unfinished_spectrum_is_saved_and_goes_on(vgg, photo, painting, tmp_path):
    terms = [
        ContentTerm(vgg, "block1_conv2", 0.1, "relative"),
        StyleTerm(vgg, ["block1_conv1", "block2_conv1"], normalize_losses=True),
    ]
    canvas = Canvas(Objective(terms), photo, [painting], parameterization=Fourier(decay=0.8))
    canvas.compile(LBFGS(history=4))
    canvas.fit(steps=4)
    canvas.save(tmp_path / "canvas.keras")
    again = keras.saving.load_model(tmp_path / "canvas.keras")
    assert isinstance(again.parameterization, Fourier)
    assert again.parameterization.get_config() == {"grey": False, "decay": 0.8}
    assert again.pixels.constraint is None
    np.testing.assert_array_equal(again.pixels.numpy(), canvas.pixels.numpy())
    np.testing.assert_array_equal(again.picture, canvas.picture)
    for each in (canvas, again):
        each.fit(steps=3)
    np.testing.assert_allclose(again.picture, canvas.picture, atol=1e-3)
    assert again.best_loss == pytest.approx(canvas.best_loss, rel=1e-3)
    assert again.steps_done == 7


def test_painting_in_a_spectrum(vgg, photo, painting):
    shapes = []

    class Look(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            shapes.append(tuple(self.model.pixels.shape))

    options = {"backbone": vgg, "parameterization": "fourier", "callbacks": [Look()], **SHALLOW}
    result = transfer(photo, painting, size=56, steps=12, **options)
    assert result.settings["parameterization"] == "fourier"
    assert result.settings["best_loss"] < 0.5 * result.settings["first_loss"]
    assert result.image.min() >= 0
    assert result.image.max() <= 1
    grey = transfer(photo, painting, size=112, scales=2, steps=6, preserve_color="luminance", **options)
    assert grey.settings["best_loss"] < 0.8 * grey.settings["first_loss"]
    assert grey.image.shape == (74, 112, 3)
    assert shapes == [(1, 37, 56, 3), (1, 37, 56, 1), (1, 74, 112, 1)]
