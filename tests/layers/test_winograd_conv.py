"""Convolutions by minimal filtering: those of NumPy and TensorFlow, forwards, backwards and twice backwards."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings, strategies as st

from tfstyle.layers import WinogradConv2D, winograd_conv


def drawn(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).normal(size=shape)


def by_hand(features, kernel):
    """The definition, in float64."""
    rows, columns = features.shape[1] - 2, features.shape[2] - 2
    parts = [features[:, i : i + rows, j : j + columns] @ kernel[i, j] for i in range(3) for j in range(3)]
    return np.sum(parts, 0)


def distance(found, expected):
    return np.linalg.norm(np.asarray(found, float) - expected) / np.linalg.norm(expected)


def all_gradients(convolution, features, kernel):
    """Of a loss with every derivative of both, and of the squared norm of those once more."""
    features, kernel = tf.constant(features), tf.constant(kernel)
    with tf.GradientTape() as outer:
        outer.watch([features, kernel])
        with tf.GradientTape() as inner:
            inner.watch([features, kernel])
            loss = tf.reduce_sum(tf.sin(convolution(features, kernel)))
        once = inner.gradient(loss, [features, kernel])
        square = tf.add_n([tf.reduce_sum(each**2) for each in once])
    return [*once, *outer.gradient(square, [features, kernel])]


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(3, 15),
    width=st.integers(3, 15),
    batch=st.integers(1, 3),
    channels=st.integers(1, 5),
    filters=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_it_is_the_convolution_for_any_size(height, width, batch, channels, filters, seed):
    features, kernel = drawn(batch, height, width, channels, seed=seed), drawn(3, 3, channels, filters, seed=seed)
    found = winograd_conv.winograd_convolution(tf.constant(features, tf.float32), tf.constant(kernel, tf.float32))
    expected = by_hand(features, kernel)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.linalg.norm(kernel) * np.abs(features).max())


@pytest.mark.parametrize("size", [(10, 10), (9, 12), (3, 4)])
def test_gradients_are_those_of_the_plain_convolution_twice_over(size):
    features, kernel = drawn(2, *size, 5), drawn(3, 3, 5, 4) / 6

    def plain(features, kernel):
        return tf.nn.conv2d(features, kernel, 1, "VALID")

    expected = all_gradients(plain, features, kernel)
    found = all_gradients(winograd_conv.winograd_convolution, features.astype("float32"), kernel.astype("float32"))
    for one, other in zip(found, expected, strict=True):
        assert distance(one, other) < 3e-5


def test_rounding_is_small_over_many_channels():
    features, kernel = drawn(1, 26, 22, 256), drawn(3, 3, 256, 64) / 48
    expected = by_hand(features, kernel)
    single = tf.constant(features, tf.float32), tf.constant(kernel, tf.float32)
    assert distance(winograd_conv.winograd_convolution(*single), expected) < 2.5e-6


@pytest.mark.parametrize(
    ("channels", "dtype", "shape", "gpus", "chosen"),
    [
        (64, "float32", (None, 6, 6), [], True),
        (63, "float32", (None, 6, 6), [], False),
        (64, "mixed_bfloat16", (None, 6, 6), [], False),
        (64, "float32", (2, None, 6), [], False),
        (64, "float32", (2, 6, 6), ["one"], False),
    ],
)
def test_it_is_chosen_where_it_is_faster(channels, dtype, shape, gpus, chosen, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: gpus)
    layer = WinogradConv2D(64, dtype=dtype, activation="relu")
    layer.build((None, None, None, channels))
    layer.bias.assign(drawn(64))
    taken = []
    monkeypatch.setattr(
        winograd_conv, "winograd_convolution", lambda *given: taken.append(1) or tf.nn.conv2d(*given, 1, "VALID")
    )
    call = tf.function(layer, input_signature=[tf.TensorSpec((*shape, channels))])
    features = drawn(2, 6, 6, channels)
    found = call(tf.constant(features, tf.float32))
    assert bool(taken) is chosen
    kernel, bias = (keras.ops.convert_to_numpy(each).astype(float) for each in (layer.kernel, layer.bias))
    expected = np.maximum(by_hand(features, kernel) + bias, 0)
    assert distance(tf.cast(found, "float32"), expected) < (0.02 if "bfloat16" in dtype else 1e-5)


def test_round_trip(tmp_path):
    inputs = keras.Input((8, 8, 64))
    model = keras.Model(inputs, WinogradConv2D(64, use_bias=False, name="one")(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.get_layer("one"), WinogradConv2D)
    features = drawn(1, 8, 8, 64).astype("float32")
    assert np.array_equal(loaded(features), model(features))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": 5}, "kernel_size (5, 5) is not (3, 3)"),
        ({"strides": 2}, "strides (2, 2) is not (1, 1)"),
        ({"dilation_rate": 2}, "dilation_rate (2, 2) is not (1, 1)"),
        ({"groups": 2}, "groups 2 is not 1"),
        ({"padding": "same"}, "padding 'same' is not 'valid'"),
        ({"data_format": "channels_first"}, "data_format 'channels_first' is not 'channels_last'"),
    ],
)
def test_what_it_cannot_compute_is_refused(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}: use keras.layers.Conv2D$"):
        WinogradConv2D(4, **options)
