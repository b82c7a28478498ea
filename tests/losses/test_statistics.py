"""Statistics against NumPy in float64, and the identities that make them additive."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, strategies as st

from tfstyle import GramMatrix, MeanAndDeviation
from tfstyle.losses.statistics import combine

STATISTICS = [
    GramMatrix("positions"),
    GramMatrix("positions_channels"),
    GramMatrix("paper"),
    MeanAndDeviation(),
]


def features(seed, batch=2, height=5, width=7, channels=4):
    return np.random.default_rng(seed).gamma(2.0, size=(batch, height, width, channels)).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float64")


def gram64(f):
    flat = f.astype("float64").reshape(len(f), -1, f.shape[-1])
    return np.einsum("bmi,bmj->bij", flat, flat)


def test_gram_matrix_is_the_formula():
    f = features(0)
    raw = gram64(f)
    for normalization, factor in (("positions", 35), ("positions_channels", 35 * 4)):
        statistic = GramMatrix(normalization)
        np.testing.assert_allclose(numpy(statistic.describe(statistic(f))["gram"]), raw / factor, rtol=1e-6)


@pytest.mark.parametrize("weighting", [None, 1, 2], ids=["plain", "one for all", "each its own"])
def test_gram_gradients_are_the_formulas(weighting):
    random = np.random.default_rng(3)
    f, u = random.normal(size=(2, 5, 7, 4)), random.normal(size=(2, 4, 4))
    w = np.ones((2, 5, 7)) if weighting is None else random.random((weighting, 5, 7))
    f_tensor, w_tensor = tf.constant(f), tf.constant(w)
    with tf.GradientTape() as tape:
        tape.watch([f_tensor, w_tensor])
        gram = GramMatrix("positions").sums(f_tensor, None if weighting is None else w_tensor)["gram"]
        loss = tf.reduce_sum(gram * u)
    by_features, by_weights = tape.gradient(loss, [f_tensor, w_tensor])
    flat = f.reshape(2, 35, 4)
    slopes = np.einsum("bmi,bij->bmj", flat, u + u.transpose(0, 2, 1)).reshape(f.shape)
    np.testing.assert_allclose(by_features, slopes * w[..., None], rtol=1e-12, atol=1e-12)
    if weighting is not None:
        each = np.einsum("bmi,bij,bmj->bm", flat, u, flat).reshape(2, 5, 7)
        expected = each if weighting == 2 else each.sum(axis=0, keepdims=True)
        np.testing.assert_allclose(by_weights, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("positions", lambda g, a, m, n: np.mean((g / m - a / m) ** 2, axis=(1, 2))),
        ("positions_channels", lambda g, a, m, n: np.mean((g / m / n - a / m / n) ** 2, axis=(1, 2))),
        ("paper", lambda g, a, m, n: np.sum((g - a) ** 2, axis=(1, 2)) / (4 * n**2 * m**2)),
    ],
)
def test_gram_distance_is_the_published_loss(normalization, expected):
    f, s = features(1), features(2)
    statistic = GramMatrix(normalization)
    np.testing.assert_allclose(
        numpy(statistic.distance(statistic(f), statistic(s))), expected(gram64(f), gram64(s), 35, 4), rtol=1e-5
    )


def test_the_papers_loss_compares_averages_when_sizes_differ():
    f, s = features(1, height=5), features(2, height=10)
    statistic = GramMatrix("paper")
    expected = np.sum((gram64(f) - gram64(s) * 35 / 70) ** 2, axis=(1, 2)) / (4 * 4**2 * 35**2)
    np.testing.assert_allclose(numpy(statistic.distance(statistic(f), statistic(s))), expected, rtol=1e-5)


def test_mean_and_deviation_are_numpys():
    f, s = features(3), features(4)
    statistic = MeanAndDeviation(epsilon=0.0)
    described = statistic.describe(statistic(f))
    f64, s64 = f.astype("float64"), s.astype("float64")
    np.testing.assert_allclose(numpy(described["mean"]), f64.mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(numpy(described["deviation"]), f64.std((1, 2)), rtol=1e-5)
    expected = np.mean((f64.mean((1, 2)) - s64.mean((1, 2))) ** 2, -1) + np.mean(
        (f64.std((1, 2)) - s64.std((1, 2))) ** 2, -1
    )
    np.testing.assert_allclose(numpy(statistic.distance(statistic(f), statistic(s))), expected, rtol=1e-4)


def test_a_constant_channel_has_a_finite_gradient():
    import tensorflow as tf

    statistic = MeanAndDeviation()
    target = statistic(features(5))
    flat = tf.ones((2, 5, 7, 4))
    with tf.GradientTape() as tape:
        tape.watch(flat)
        loss = tf.reduce_sum(statistic.distance(statistic(flat), target))
    assert np.isfinite(tape.gradient(loss, flat).numpy()).all()


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
@given(seed=st.integers(0, 1000), cut=st.integers(1, 4))
def test_sums_of_tiles_add_up_to_the_picture(statistic, seed, cut):
    f = features(seed)
    whole = statistic.sums(f)
    top, bottom = statistic.sums(f[:, :cut]), statistic.sums(f[:, cut:])
    for key, value in whole.items():
        np.testing.assert_allclose(numpy(top[key]) + numpy(bottom[key]), numpy(value), rtol=1e-5)


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
@given(seed=st.integers(0, 1000))
def test_where_positions_stand_does_not_matter(statistic, seed):
    f = features(seed)
    shuffled = np.random.default_rng(seed).permutation(f.reshape(2, 35, 4), axis=1).reshape(2, 7, 5, 4)
    assert (numpy(statistic.distance(statistic(f), statistic(shuffled))) < 1e-9).all()


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
@given(seed=st.integers(0, 1000))
def test_distance_is_zero_to_itself_positive_to_others_and_symmetric(statistic, seed):
    a, b = statistic(features(seed)), statistic(features(seed + 1))
    assert (numpy(statistic.distance(a, a)) == 0).all()
    assert (numpy(statistic.distance(a, b)) > 0).all()
    np.testing.assert_array_equal(numpy(statistic.distance(a, b)), numpy(statistic.distance(b, a)))


@given(seed=st.integers(0, 1000))
def test_a_gram_matrix_is_symmetric_and_has_no_negative_eigenvalue(seed):
    gram = numpy(GramMatrix("positions")(features(seed))["gram"])
    np.testing.assert_allclose(gram, gram.transpose(0, 2, 1), rtol=1e-6)
    assert np.linalg.eigvalsh(gram).min() > -1e-5


def test_a_blend_of_styles_is_the_average_over_both_pictures():
    a, b = features(6, batch=1), features(7, batch=1)
    statistic = GramMatrix("positions")
    both = np.concatenate([a, b], axis=1)  # as large again: every position counts the same
    np.testing.assert_allclose(
        numpy(combine([statistic(a), statistic(b)], [0.5, 0.5])["gram"]), numpy(statistic(both)["gram"]), rtol=1e-6
    )
    np.testing.assert_array_equal(
        numpy(combine([statistic(a), statistic(b)], [1.0, 0.0])["gram"]), numpy(statistic(a)["gram"])
    )


def test_half_precision_features_are_summed_in_float32():
    f = np.full((1, 64, 64, 2), 3.0, "float16")  # the sum of squares, 36864, has no float16 neighbour within 16
    sums = GramMatrix("positions").sums(keras.ops.convert_to_tensor(f + np.float16(0.01)))
    assert keras.backend.standardize_dtype(sums["gram"].dtype) == "float32"
    value = float(np.float16(3.01)) ** 2 * 4096
    np.testing.assert_allclose(numpy(sums["gram"]), value, rtol=1e-5)


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
def test_serialisation_round_trip(statistic):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(statistic))
    assert type(again) is type(statistic)
    assert again.get_config() == statistic.get_config()


def test_an_unknown_normalization_is_refused():
    with pytest.raises(ValueError, match="normalization must be 'positions', 'positions_channels' or 'paper'"):
        GramMatrix("pixels")
