"""Adaptive instance normalisation against NumPy and against the published PyTorch implementation."""

import keras
import numpy as np
import pytest

from tfstyle.layers import AdaptiveInstanceNormalization

# What naoto0804/pytorch-AdaIN's functions give in PyTorch 2.13 for `waves` of these shapes, once computed.
GOLDEN_MEAN = [0.6711715, 0.6102642, 0.5346845]
GOLDEN_DEVIATION = [0.8760037, 0.8107916, 0.7556049]
GOLDEN = [
    [
        [1.9532679, 1.9560745, 1.5369921],
        [1.0194131, 0.2601973, -0.2158111],
        [-0.2413982, 0.1321515, 0.6022619],
        [1.1238476, 1.110779, 0.7053415],
    ],
    [
        [0.1570368, -0.4354836, -0.7330207],
        [-0.5977235, 0.0180227, 0.7059624],
        [1.4603509, 1.6089997, 1.3352277],
        [0.9708336, 0.3928448, 0.0865401],
    ],
    [
        [0.263273, 0.7268585, 1.2481773],
        [1.8509067, 1.7530963, 1.252037],
        [0.6447464, -0.1046669, -0.545884],
        [-0.5504959, -0.0957031, 0.4383901],
    ],
]


def waves(shape, seed):
    """Features that need no random numbers: float32 `shape`."""
    n = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    return (np.sin(n * 0.7 + seed) + 0.5 * np.cos(n * 0.13 * (seed + 1)) + 0.3 * seed).astype("float32")


@pytest.fixture(scope="module")
def layer():
    return AdaptiveInstanceNormalization()


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(2, 3, (2, 6, 5, 4)).astype("float32")


@pytest.fixture(scope="module")
def style():
    return np.random.default_rng(1).normal(-1, 7, (2, 3, 8, 4)).astype("float32")


def moments(features, weights=None, epsilon=1e-5):
    """μ and σ of one picture (height, width, N), in float64."""
    flat = features.astype("float64").reshape(-1, features.shape[-1])
    weights = np.ones(len(flat)) if weights is None else weights.astype("float64").ravel()
    mean = weights @ flat / weights.sum()
    variance = weights @ (flat - mean) ** 2 / weights.sum()
    count = max(weights.sum(), 2)
    return mean, np.sqrt(variance * count / (count - 1) + epsilon)


def test_it_is_the_published_implementation(layer):
    content, style = waves((1, 3, 4, 3), 1), waves((1, 5, 2, 3), 2)
    found = layer.statistics(style)
    np.testing.assert_allclose(found["mean"][0], GOLDEN_MEAN, atol=1e-5)
    np.testing.assert_allclose(found["deviation"][0], GOLDEN_DEVIATION, atol=1e-5)
    np.testing.assert_allclose(layer((content, found))[0], GOLDEN, atol=1e-5)


def test_against_numpy(layer, features, style):
    found = layer((features, layer.statistics(style))).numpy()
    for picture, other, result in zip(features, style, found, strict=True):
        (mean, deviation), (style_mean, style_deviation) = moments(picture), moments(other)
        want = style_deviation * (picture.astype("float64") - mean) / deviation + style_mean
        np.testing.assert_allclose(result, want, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.std(result, axis=(0, 1), ddof=1), style_deviation, rtol=1e-5)


def test_weights_count_positions(layer, features, style):
    weights = np.random.default_rng(2).random((2, 6, 5)).astype("float32")
    found = layer((features, layer.statistics(style)), weights=weights).numpy()
    for picture, weight, other, result in zip(features, weights, style, found, strict=True):
        (mean, deviation), (style_mean, style_deviation) = moments(picture, weight), moments(other)
        want = style_deviation * (picture.astype("float64") - mean) / deviation + style_mean
        np.testing.assert_allclose(result, want, rtol=1e-4, atol=1e-4)


def test_ones_as_weights_are_none_and_zeros_leave_out(layer, features):
    plain = layer.statistics(features)
    ones = layer.statistics(features, np.ones((1, 6, 5), "float32"))
    half = np.zeros((1, 6, 5), "float32")
    half[:, :3] = 1
    part, cut = layer.statistics(features, half), layer.statistics(features[:, :3])
    for key in plain:
        np.testing.assert_allclose(ones[key], plain[key], rtol=1e-6)
        np.testing.assert_allclose(part[key], cut[key], rtol=1e-6)


@pytest.mark.parametrize("weight", [0.0, 0.01, 1.0])
def test_one_position_or_none_has_statistics_too(layer, weight):
    features = np.full((1, 1, 1, 2), 3.0, "float32")
    found = layer.statistics(features, np.full((1, 1, 1), weight, "float32"))
    np.testing.assert_allclose(found["deviation"], np.sqrt(1e-5) * np.ones((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found["mean"], 3.0 * (weight > 0) * np.ones((1, 2)), rtol=1e-5)


def test_a_picture_in_its_own_style_is_itself_and_one_style_serves_a_batch(layer, features, style):
    np.testing.assert_allclose(layer((features, layer.statistics(features))), features, rtol=1e-5, atol=1e-5)
    one = layer.statistics(style[:1])
    both = {key: np.repeat(value, 2, axis=0) for key, value in one.items()}
    np.testing.assert_array_equal(layer((features, one)), layer((features, both)))


def test_a_style_that_is_large_and_even_keeps_its_deviation(layer):
    """Where the mean of squares less the squared mean would have lost it."""
    features = 1e4 + np.random.default_rng(3).normal(0, 0.1, (1, 16, 16, 3))
    found = layer.statistics(features.astype("float32"))["deviation"][0]
    np.testing.assert_allclose(found, moments(features.astype("float32")[0])[1], rtol=1e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_precision_of_the_features_is_kept_and_statistics_have_more(layer, features, style, dtype):
    wide = AdaptiveInstanceNormalization(dtype="float64") if dtype == "float64" else layer
    found = wide.statistics(keras.ops.cast(style, dtype))
    assert found["mean"].dtype == ("float64" if dtype == "float64" else "float32")
    result = wide((keras.ops.cast(features, dtype), found))
    assert keras.backend.standardize_dtype(result.dtype) == dtype
    tolerance = {"float16": 2e-2, "bfloat16": 2e-1}.get(dtype, 1e-4)
    plain = layer((features, layer.statistics(style)))
    np.testing.assert_allclose(keras.ops.cast(result, "float32"), plain, atol=tolerance)


def test_in_a_functional_model_that_is_saved(features, style, tmp_path):
    inputs = keras.Input((None, None, 4))
    statistics = {"mean": keras.Input((4,)), "deviation": keras.Input((4,))}
    output = AdaptiveInstanceNormalization(epsilon=1e-3)((inputs, statistics))
    assert output.shape == (None, None, None, 4)
    model = keras.Model([inputs, statistics], output)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    given = [keras.ops.convert_to_tensor(features), AdaptiveInstanceNormalization().statistics(style)]
    np.testing.assert_array_equal(again(given), model(given))
    assert again.layers[-1].epsilon == 1e-3
