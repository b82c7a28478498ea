"""Convolutions padded as in PyTorch, against PyTorch and against padding by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle.layers import PaddedConv2D, UpsamplingConv2DTranspose

# torch.nn.functional of PyTorch 2.15 for sin(n) as (1, 4, 6, 2) and kernels cos(n): conv2d with one of (2, 2, 3, 3),
# stride 2, padding 1; conv_transpose2d with one of (2, 1, 3, 3), stride 2, padding 1 and output_padding 1.
GOLDEN_CONVOLUTION = [
    -0.08915,
    -0.43226,
    0.082773,
    0.421012,
    -0.446505,
    -0.268888,
    -0.672654,
    -0.957396,
    0.927991,
    0.872481,
    -1.035567,
    -0.220526,
]
GOLDEN_TRANSPOSED = [
    0.76359,
    -0.466298,
    -0.375494,
    0.778819,
    -0.272712,
    -0.551842,
    -1.185134,
    -0.266389,
    1.406848,
    -0.904522,
    -0.65402,
    1.448858,
    0.064293,
    0.680874,
    -0.63098,
    -0.155713,
    0.760579,
    -0.477312,
]


def waves():
    return np.sin(np.arange(48)).reshape(1, 4, 6, 2).astype("float32")


def kernel(*shape):
    """In PyTorch's order (out, in, height, width), turned into Keras'."""
    return np.cos(np.arange(np.prod(shape))).reshape(shape).transpose(2, 3, 1, 0)


def made(kind, weights, *args, **kwargs):
    layer = kind(*args, use_bias=False, **kwargs)
    layer.build((None, None, None, 2))
    layer.kernel.assign(weights)
    return layer


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-5), ("bfloat16", 0.05)])
def test_they_are_pytorchs(dtype, tolerance):
    layer = made(PaddedConv2D, kernel(2, 2, 3, 3), 2, 3, strides=2, dtype=dtype)
    found = tf.cast(layer(tf.cast(waves(), dtype)), "float64")
    np.testing.assert_allclose(np.ravel(found), GOLDEN_CONVOLUTION, atol=tolerance)
    layer = made(UpsamplingConv2DTranspose, kernel(2, 1, 3, 3), 1, dtype=dtype)
    found = tf.cast(layer(tf.cast(waves(), dtype)), "float64")
    assert found.shape == (1, 8, 12, 1)
    np.testing.assert_allclose(np.ravel(found[:, ::3, ::2]), GOLDEN_TRANSPOSED, atol=tolerance)


@pytest.mark.parametrize(("size", "strides", "pad"), [(3, 2, 1), (4, 2, 1), (4, 1, 1), (5, 1, 2)])
def test_padding_within_and_before_are_the_same_to_the_second_gradient(size, strides, pad):
    features = np.random.default_rng(0).normal(size=(2, 7, 10, 2)).astype("float32")
    layer = PaddedConv2D(3, size, strides=strides, pad=pad, activation="tanh")
    layer.build((None, None, None, 2))
    plain = keras.layers.Conv2D(3, size, strides=strides, activation="tanh")
    plain.build((None, None, None, 2))
    plain.set_weights(layer.get_weights())
    found = []
    for network in (layer, lambda x: plain(tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]]))):
        x = tf.constant(features)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = network(x)
                value = tf.reduce_sum(y**2)
            first = inner.gradient(value, x)
            squares = tf.reduce_sum(first**2)
        found.append((y, first, outer.gradient(squares, x)))
    assert layer.compute_output_shape(features.shape) == found[0][0].shape
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_gradients_of_the_transposed_one_do_not_depend_on_the_precision():
    features = np.random.default_rng(0).normal(size=(2, 5, 4, 2))
    single = made(UpsamplingConv2DTranspose, kernel(2, 3, 3, 3), 3)
    double = made(UpsamplingConv2DTranspose, kernel(2, 3, 3, 3), 3, dtype="float64")
    found = []
    for layer, dtype in ((single, "float32"), (double, "float64")):
        x = tf.constant(features, dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) ** 3)
        found.append(tape.gradient(loss, [x, layer.trainable_variables[0]]))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-2)


def test_sizes_that_are_not_known_stay_unknown():
    inputs = keras.Input((None, 8, 2))
    assert PaddedConv2D(3, 4, strides=2)(inputs).shape == (None, None, 4, 3)
    assert UpsamplingConv2DTranspose(5)(inputs).shape == (None, None, 16, 5)


def test_padding_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"^padding .same. is not .valid.: give pad, rows and columns of zeros$"):
        PaddedConv2D(4, 3, padding="same")
