"""The Wasserstein distance between Gaussians against SciPy's roots of matrices, in float64."""

import keras
import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf
from hypothesis import given, settings, strategies as st

from tfstyle import GaussianWasserstein, Objective, StyleTerm
from tfstyle.losses.statistics import combine


def features(seed, batch=2, height=5, width=7, channels=4, dtype="float64"):
    return np.random.default_rng(seed).gamma(2.0, size=(batch, height, width, channels)).astype(dtype)


def fitted(f, blur=0.0):
    """Mean and covariance of one picture's features."""
    flat = f.reshape(-1, f.shape[-1])
    return flat.mean(axis=0), np.cov(flat.T, bias=True) + blur * np.eye(f.shape[-1])


def wasserstein(f, s, blur=0.0):
    (mean, covariance), (style_mean, style_covariance) = fitted(f, blur), fitted(s, blur)
    root = scipy.linalg.sqrtm(style_covariance)
    cross = scipy.linalg.sqrtm(root @ covariance @ root).real
    return np.sum((mean - style_mean) ** 2) + np.trace(covariance + style_covariance - 2 * cross)


def blur(f, s, epsilon):
    return epsilon * (np.mean(f**2) + np.mean(s**2)) / 2


def slope(statistic, f, target):
    """Distance and its gradient with respect to the features."""
    f = tf.constant(f)
    with tf.GradientTape() as tape:
        tape.watch(f)
        distance = statistic.distance(statistic(f), target)
    return distance.numpy(), tape.gradient(distance, f).numpy()


@given(seed=st.integers(0, 1000), epsilon=st.sampled_from([1e-12, 1e-4, 0.1]))
def test_distance_is_the_formula(seed, epsilon):
    f, s = features(seed), features(seed + 1, batch=1, height=9)
    s *= 3
    statistic = GaussianWasserstein(epsilon)
    expected = [wasserstein(each, s[0], blur(each, s[0], epsilon)) for each in f]
    np.testing.assert_allclose(statistic.distance(statistic(f), statistic(s)), expected, rtol=1e-6)


def test_description_is_numpys():
    f = features(0)
    statistic = GaussianWasserstein()
    described = statistic.describe(statistic(f))
    for i, each in enumerate(f):
        mean, covariance = fitted(each)
        np.testing.assert_allclose(described["mean"][i], mean, rtol=1e-12)
        np.testing.assert_allclose(described["covariance"][i], covariance, rtol=1e-10)


@given(seed=st.integers(0, 1000))
def test_one_channel_is_the_known_formula(seed):
    f, s = features(seed, channels=1), features(seed + 1, channels=1)
    expected = (f.mean((1, 2)) - s.mean((1, 2))) ** 2 + (f.std((1, 2)) - s.std((1, 2))) ** 2
    statistic = GaussianWasserstein(1e-14)
    np.testing.assert_allclose(statistic.distance(statistic(f), statistic(s)), expected[:, 0], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("channels", [3, 40], ids=["regular", "singular"])
def test_gradients_are_those_of_finite_differences(channels):
    f, s = features(1, channels=channels), features(2, batch=1, channels=channels)
    f[..., 0] = 0  # a dead channel
    statistic = GaussianWasserstein()
    target = statistic(s)
    _, gradient = slope(statistic, f, target)
    for seed in range(3):
        direction = np.random.default_rng(seed).normal(size=f.shape) * 1e-4
        ahead, behind = (statistic.distance(statistic(f + sign * direction), target) for sign in (1, -1))
        found = np.sum(gradient * direction, axis=(1, 2, 3))
        np.testing.assert_allclose((ahead - behind) / 2, found, rtol=1e-4)


def test_the_styles_gradient_is_that_of_finite_differences():
    statistic = GaussianWasserstein()
    f, s = statistic(features(1)), features(2)
    s_tensor = tf.constant(s)
    with tf.GradientTape() as tape:
        tape.watch(s_tensor)
        distance = statistic.distance(f, statistic(s_tensor))
    direction = np.random.default_rng(0).normal(size=s.shape) * 1e-4
    ahead, behind = (statistic.distance(f, statistic(s + sign * direction)) for sign in (1, -1))
    found = np.sum(tape.gradient(distance, s_tensor) * direction, axis=(1, 2, 3))
    np.testing.assert_allclose((ahead - behind) / 2, found, rtol=1e-5)


@given(seed=st.integers(0, 1000), channels=st.sampled_from([2, 50]))
def test_distance_is_zero_to_itself_positive_to_others_and_symmetric(seed, channels):
    statistic = GaussianWasserstein()
    f, s = (features(each, channels=channels) for each in (seed, seed + 1))
    a, b = statistic(f), statistic(s)
    size = np.mean(f**2) * channels
    distance, gradient = slope(statistic, f, a)
    assert (np.abs(distance) < 1e-10 * size).all()
    assert np.abs(gradient).max() < 1e-8
    np.testing.assert_allclose(statistic.distance(a, b), statistic.distance(b, a), rtol=1e-8)
    assert (statistic.distance(a, b).numpy() > 1e-3 * size).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["zero", "equal", "constant", "one position"])
def test_gradients_are_finite(kind, dtype):
    style = features(3, batch=1, channels=60, dtype=dtype)
    style[..., ::2] = 0
    f = {
        "zero": np.zeros_like(style),
        "equal": style,
        "constant": np.ones_like(style),
        "one position": style[:, :1, :1],
    }[kind]
    statistic = GaussianWasserstein()
    for target in (style, np.zeros_like(style)):
        distance, gradient = slope(statistic, f, statistic(target))
        assert distance.dtype == gradient.dtype == dtype
        assert np.isfinite(distance).all()
        assert np.isfinite(gradient).all()


def test_features_that_are_not_finite_have_no_distance_and_raise_nothing():
    f = features(4)
    f[0, 0, 0, 0] = np.nan
    statistic = GaussianWasserstein()
    distance = statistic.distance(statistic(f), statistic(features(5))).numpy()
    assert np.isnan(distance[0])
    assert np.isfinite(distance[1])


@given(seed=st.integers(0, 1000), cut=st.integers(1, 4))
def test_sums_of_tiles_add_up_to_the_picture(seed, cut):
    f = features(seed)
    statistic = GaussianWasserstein()
    top, bottom = statistic.sums(f[:, :cut]), statistic.sums(f[:, cut:])
    for key, value in statistic.sums(f).items():
        np.testing.assert_allclose(top[key] + bottom[key], value, rtol=1e-12)


@given(seed=st.integers(0, 1000))
def test_a_whole_weight_is_a_repetition(seed):
    f = features(seed)
    weights = np.random.default_rng(seed).integers(1, 4, (1, 5, 7))
    repeated = np.repeat(f.reshape(2, 35, 1, 4), weights.ravel(), axis=1)
    statistic = GaussianWasserstein()
    for key, value in statistic(repeated).items():
        np.testing.assert_allclose(statistic(f, weights)[key], value, rtol=1e-12)


def test_a_blend_of_styles_is_the_gaussian_of_both_together():
    f, a, b = features(6), features(7, batch=1), features(8, batch=1)
    statistic = GaussianWasserstein()
    both = statistic(np.concatenate([a, b], axis=1))
    found = statistic.distance(statistic(f), combine([statistic(a), statistic(b)], [0.5, 0.5]))
    np.testing.assert_allclose(found, statistic.distance(statistic(f), both), rtol=1e-10)


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_it_is_the_loss_of_a_style_term(vgg, seed):
    random = np.random.default_rng(seed)
    picture, style = (random.random((1, 40, 34, 3), "float32") for _ in range(2))
    objective = Objective(
        [StyleTerm(vgg, ["block1_conv1", "block2_conv1"], GaussianWasserstein(), normalize_losses=True)]
    )
    targets = objective.targets(picture, [style])
    np.testing.assert_allclose(objective(picture, targets)["style"], 1, rtol=1e-4)
    assert abs(objective(style, targets)["style"][0]) < 1e-4


def test_serialisation_round_trip():
    statistic = GaussianWasserstein(0.01)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(statistic))
    assert type(again) is GaussianWasserstein
    assert again.get_config() == {"epsilon": 0.01}


@pytest.mark.parametrize("epsilon", [0, -1.0, float("nan"), float("inf")])
def test_a_bad_epsilon_is_refused(epsilon):
    with pytest.raises(ValueError, match=rf"^epsilon must be above 0, not {epsilon!r}$"):
        GaussianWasserstein(epsilon)
