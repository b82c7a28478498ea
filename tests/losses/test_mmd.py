"""Maximum mean discrepancies against double sums over all pairs of positions, in NumPy and float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, strategies as st

from tfstyle import (
    Canvas,
    GaussianKernel,
    GaussianWasserstein,
    GramMatrix,
    LinearKernel,
    MeanAndDeviation,
    Mixture,
    Objective,
    PolynomialKernel,
    StyleTerm,
)
from tfstyle.images.masks import Regions
from tfstyle.losses.statistics import Statistic

STATISTICS = [
    LinearKernel(),
    PolynomialKernel(),
    PolynomialKernel(1, 2.0),
    PolynomialKernel(2, 0.7),
    PolynomialKernel(3, 0.5, features=20, seed=4),
    GaussianKernel(1.5, features=30),
    Mixture([(LinearKernel(), 2.0), (MeanAndDeviation(), 0.5), (GaussianKernel(3.0, features=10), 1.0)]),
]
LAYERS = ["block1_conv1", "block2_conv1"]


def features(seed, batch=2, height=5, width=7, channels=4, dtype="float64"):
    return np.random.default_rng(seed).gamma(2.0, size=(batch, height, width, channels)).astype(dtype)


def flat(f):
    return f.reshape(-1, f.shape[-1])


def mmd(kernel, f, s):
    """MMD² of one picture's features from another's: the means of k over all pairs."""
    f, s = flat(f), flat(s)
    return kernel(f, f).mean() + kernel(s, s).mean() - 2 * kernel(f, s).mean()


def polynomial(degree, offset):
    return lambda f, s: (f @ s.T + offset) ** degree


def gaussian(bandwidth):
    return lambda f, s: np.exp(-np.sum((f[:, None] - s) ** 2, axis=-1) / (2 * bandwidth**2))


def distance(statistic, f, s):
    return np.asarray(statistic.distance(statistic(f), statistic(s)))


@pytest.mark.parametrize(
    ("statistic", "kernel"),
    [
        (LinearKernel(), polynomial(1, 0)),
        (PolynomialKernel(1, 2.0), polynomial(1, 2)),
        (PolynomialKernel(), polynomial(2, 0)),
        (PolynomialKernel(2, 0.7), polynomial(2, 0.7)),
    ],
    ids=lambda each: repr(each) if isinstance(each, Statistic) else "",
)
@given(seed=st.integers(0, 1000))
def test_kernels_of_low_degree_are_the_double_sums(statistic, kernel, seed):
    f, s = features(seed), features(seed + 1, batch=1, height=9)
    expected = [mmd(kernel, each, s[0]) for each in f]
    np.testing.assert_allclose(distance(statistic, f, s), expected, rtol=1e-9)


@given(seed=st.integers(0, 1000))
def test_of_degree_2_it_is_the_loss_of_gram_matrices(seed):
    f, s = features(seed), features(seed + 1, height=9)
    gram = 4**2 * distance(GramMatrix("positions"), f, s)  # a mean over the entries
    np.testing.assert_allclose(distance(PolynomialKernel(2, 0.0), f, s), gram, rtol=1e-12)


def test_random_features_of_high_degree_are_the_polynomial_of_their_signs():
    f, s = features(0), features(1)
    statistic = PolynomialKernel(3, 0.5, features=20, seed=4)
    signs = np.asarray(statistic.signs(5))
    assert signs.shape == (3, 5, 20)
    assert set(np.unique(signs)) == {-1, 1}

    def kernel(f, s):
        f, s = (np.c_[x, np.full(len(x), np.sqrt(0.5))] for x in (f, s))
        f, s = ((x @ signs[0]) * (x @ signs[1]) * (x @ signs[2]) for x in (f, s))
        return f @ s.T / 20

    expected = [mmd(kernel, f[i], s[i]) for i in range(2)]
    np.testing.assert_allclose(distance(statistic, f, s), expected, rtol=1e-9)


@pytest.mark.parametrize(("degree", "offset"), [(3, 0.0), (3, 1.0), (4, 0.5)])
def test_random_features_of_high_degree_are_unbiased(degree, offset):
    f, s = (features(seed, batch=1, channels=2) / 4 for seed in (2, 3))
    found = [distance(PolynomialKernel(degree, offset, 5000, seed), f, s)[0] for seed in range(40)]
    expected = mmd(polynomial(degree, offset), f, s)
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / np.sqrt(40)
    assert np.std(found) < 0.15 * expected


def test_random_frequencies_are_the_cosines_of_differences():
    f, s = features(0), features(1)
    statistic = GaussianKernel(1.5, features=30)
    frequencies = np.asarray(statistic.frequencies(4), "float64") / 1.5

    def kernel(f, s):
        return np.mean(np.cos((f[:, None] - s) @ frequencies), axis=-1)

    expected = [mmd(kernel, f[i], s[i]) for i in range(2)]
    np.testing.assert_allclose(distance(statistic, f, s), expected, rtol=1e-9)


@pytest.mark.parametrize("bandwidth", [0.8, 2.0, 5.0])
def test_random_frequencies_are_unbiased_and_close_in_on_the_gaussian_kernel(bandwidth):
    f, s = features(2, batch=1), 1.3 * features(3, batch=1, height=9)
    expected = mmd(gaussian(bandwidth), f, s)
    found = [distance(GaussianKernel(bandwidth, 500, seed), f, s)[0] for seed in range(40)]
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / np.sqrt(40)
    np.testing.assert_allclose(distance(GaussianKernel(bandwidth, 100_000), f, s), expected, rtol=0.03)


def test_seeds_are_kept_to():
    f, s = features(0), features(1)
    for make in (lambda seed: GaussianKernel(2.0, seed=seed), lambda seed: PolynomialKernel(3, seed=seed)):
        first, again, other = (distance(make(seed), f, s) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert (first != other).all()


@given(seed=st.integers(0, 1000))
def test_the_bandwidth_is_the_median_distance_of_the_sample(seed):
    sample = features(seed, batch=1)
    points = flat(sample)
    distances = np.linalg.norm(points[:, None] - points, axis=-1)[np.triu_indices(35, 1)]
    found = GaussianKernel().constants(tf.constant(points[None]))["bandwidth"]
    assert found.shape == (1,)
    np.testing.assert_allclose(found[0], np.median(distances), rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.3, 1e4])
def test_a_style_that_is_the_same_everywhere_has_the_bandwidth_1(value):
    for dtype in ("float32", "float64"):
        found = GaussianKernel().constants(tf.fill([1, 50, 3], tf.constant(value, dtype)))
        np.testing.assert_array_equal(found["bandwidth"], [1])


def test_a_bound_kernel_has_its_bandwidth_and_leaves_the_other_without():
    f, s = features(0), features(1)
    kernel = GaussianKernel()
    bound = kernel.with_constants({"bandwidth": tf.constant([1.5], "float64")})
    np.testing.assert_array_equal(distance(bound, f, s), distance(GaussianKernel(1.5), f, s))
    with pytest.raises(ValueError, match="bandwidth is not known: give one, or call with_constants"):
        kernel(f)
    given_one = GaussianKernel(2.0)
    assert not given_one.needs_sample
    assert given_one.constants(tf.constant(flat(f)[None])) == {}
    assert given_one.with_constants({}) is given_one


def test_a_mixture_is_the_weighted_sum_of_its_parts():
    f, s = features(0), features(1)
    parts = [(LinearKernel(), 2.0), (GaussianKernel(1.5), 30.0), (GaussianWasserstein(), 0.5), (GramMatrix(), 0.0)]
    expected = sum(weight * distance(part, f, s) for part, weight in parts)
    np.testing.assert_allclose(distance(Mixture(parts), f, s), expected, rtol=1e-12)
    described = Mixture(parts).describe(Mixture(parts)(f))
    gram = GramMatrix()
    np.testing.assert_array_equal(described["3.gram"], gram.describe(gram(f))["gram"])


def test_a_mixture_binds_each_part():
    sample = tf.constant(flat(features(2))[None])
    nested = Mixture([(GaussianKernel(seed=3), 1.0)])
    mixture = Mixture([(GaussianKernel(1.5), 1.0), (GaussianKernel(), 2.0), (LinearKernel(), 1.0), (nested, 1.0)])
    constants = mixture.constants(sample)
    assert set(constants) == {"1", "3"}
    median = constants["1"]["bandwidth"]
    np.testing.assert_array_equal(constants["3"]["0"]["bandwidth"], median)
    same = Mixture(
        [(GaussianKernel(s, seed=n), w) for s, n, w in ((1.5, 0, 1.0), (float(median[0]), 0, 2.0))]
        + [(LinearKernel(), 1.0), (GaussianKernel(float(median[0]), seed=3), 1.0)]
    )
    f, s = features(0), features(1)
    np.testing.assert_allclose(distance(mixture.with_constants(constants), f, s), distance(same, f, s), rtol=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
@given(seed=st.integers(0, 1000), cut=st.integers(1, 4))
def test_sums_of_tiles_add_up_to_the_picture(statistic, seed, cut):
    f = features(seed)
    top, bottom = statistic.sums(f[:, :cut]), statistic.sums(f[:, cut:])
    for key, value in statistic.sums(f).items():
        np.testing.assert_allclose(top[key] + bottom[key], value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
@given(seed=st.integers(0, 1000))
def test_a_whole_weight_is_a_repetition(statistic, seed):
    f = features(seed)
    weights = np.random.default_rng(seed).integers(1, 4, (1, 5, 7))
    repeated = np.repeat(f.reshape(2, 35, 1, 4), weights.ravel(), axis=1)
    for key, value in statistic(repeated).items():
        np.testing.assert_allclose(statistic(f, weights)[key], value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
@given(seed=st.integers(0, 1000))
def test_distance_is_zero_to_itself_positive_to_others_and_symmetric(statistic, seed):
    a, b = statistic(features(seed)), statistic(features(seed + 1))
    assert (np.asarray(statistic.distance(a, a)) == 0).all()
    assert (np.asarray(statistic.distance(a, b)) > 0).all()
    np.testing.assert_array_equal(statistic.distance(a, b), statistic.distance(b, a))


@pytest.mark.parametrize("weighting", [None, 1, 2], ids=["plain", "one for all", "each its own"])
@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
def test_gradients_are_those_of_finite_differences(statistic, weighting):
    random = np.random.default_rng(0)
    at = [features(1)] + ([] if weighting is None else [1 + random.random((weighting, 5, 7))])
    steps = [random.normal(size=each.shape) * 1e-5 for each in at]
    target = statistic(features(2))

    def loss(*at):
        return tf.reduce_sum(statistic.distance(statistic(*at), target))

    tensors = [tf.constant(each) for each in at]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = loss(*tensors)
    found = sum(np.sum(slope * step) for slope, step in zip(tape.gradient(value, tensors), steps, strict=True))
    ahead, behind = (loss(*(x + sign * step for x, step in zip(at, steps, strict=True))) for sign in (1, -1))
    np.testing.assert_allclose((ahead - behind) / 2, found, rtol=1e-4)


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
@pytest.mark.parametrize("kind", ["zero", "equal", "constant"])
def test_gradients_are_finite(statistic, kind):
    style = features(3, dtype="float32")
    f = tf.constant({"zero": np.zeros_like(style), "equal": style, "constant": np.ones_like(style)}[kind])
    with tf.GradientTape() as tape:
        tape.watch(f)
        loss = statistic.distance(statistic(f), statistic(style))
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, f)).all()


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
def test_compiled_sums_are_the_same(statistic):
    f, w = tf.constant(features(0)), tf.constant(np.random.default_rng(0).random((1, 5, 7)))
    compiled = tf.function(lambda f, w: statistic.sums(f, w))(f, w)
    for key, value in statistic.sums(f, w).items():
        np.testing.assert_allclose(compiled[key], value, rtol=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS, ids=repr)
def test_half_precision_features_are_summed_in_float32(statistic):
    f = tf.cast(features(0), "bfloat16")
    for key, value in statistic.sums(f).items():
        assert value.dtype == "float32"
        np.testing.assert_array_equal(value, statistic.sums(tf.cast(f, "float32"))[key])


def test_half_precision_features_have_a_bandwidth():
    sample = tf.cast(np.random.default_rng(0).random((1, 20, 3)), "bfloat16")
    found = GaussianKernel().constants(sample)["bandwidth"]
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, GaussianKernel().constants(tf.cast(sample, "float32"))["bandwidth"])


@pytest.mark.parametrize("statistic", [*STATISTICS, GaussianKernel(), Mixture([(GaussianKernel(), 1.0)])], ids=repr)
def test_serialisation_round_trip(statistic):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(statistic))
    assert type(again) is type(statistic)
    assert again.get_config() == statistic.get_config()
    assert repr(again) == repr(statistic)


def test_parts_of_a_mixture_are_balanced_each_by_itself(vgg, photo, painting):
    """Whatever their units: at the start each has its share of the loss, and later its own fall times that."""
    parts = [(LinearKernel(), 0.3), (PolynomialKernel(), 0.5), (MeanAndDeviation(), 0.2)]
    statistics = (Mixture(parts), *(each for each, _ in parts))
    terms = [StyleTerm(vgg, LAYERS, statistic, normalize_losses=True) for statistic in statistics]
    objective = Objective(terms)
    targets = objective.targets(photo[None], [painting[None]])
    np.testing.assert_allclose(objective(photo[None], targets)["style"], 1, rtol=1e-5)
    x = np.random.default_rng(0).random((1, *photo.shape), "float32")
    mixed, *each = objective(x, targets).values()
    np.testing.assert_allclose(mixed, sum(w * loss for loss, (_, w) in zip(each, parts, strict=True)), rtol=1e-5)
    plain = Objective([StyleTerm(vgg, LAYERS, part) for part in (Mixture(parts), *(each for each, _ in parts))])
    mixed, *each = plain(x, plain.targets(photo[None], [painting[None]])).values()
    np.testing.assert_allclose(mixed, sum(w * loss for loss, (_, w) in zip(each, parts, strict=True)), rtol=1e-5)


def evaluate(objective, picture, targets):
    """The losses and the gradient of their sum, compiled as in the step."""

    @tf.function
    def run(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            losses = list(objective(pictures, targets).values())
            loss = tf.add_n(losses)
        return losses, tape.gradient(loss, pictures)

    return run(tf.constant(picture))


ADAPTIVE = Mixture([(GaussianKernel(features=40), 1.0), (LinearKernel(), 0.1)])


@pytest.mark.large
@pytest.mark.parametrize("regions", [False, True], ids=["one region", "regions"])
def test_tiles_have_the_bandwidth_the_losses_and_the_gradient_of_the_whole(vgg, regions):
    random = np.random.default_rng(1)
    content, style, other, picture = (
        random.random((1, *sides, 3), "float32") for sides in ((90, 120), (120, 90), (70, 130), (90, 120))
    )
    seen = None
    if regions:
        masks = random.random((2, 90, 120), "float32"), random.random((2, 120, 90), "float32")
        seen = Regions(masks[0], (masks[1], None), np.array([[1, 0], [0.3, 0.7]]), ("a", "b"))
    terms = [StyleTerm(vgg, LAYERS, ADAPTIVE, normalize_losses=True), StyleTerm(vgg, LAYERS)]
    found = []
    for objective in (Objective(terms), Objective(terms, 64)):
        targets = objective.targets(content, [style, other], None if regions else [0.3, 0.7], seen)
        assert "constants" not in targets["terms"]["style_2"]
        found.append((targets["terms"]["style"]["constants"], *evaluate(objective, picture, targets)))
    (constants, losses, gradient), (of_tiles, losses_of_tiles, gradient_of_tiles) = found
    for layer in LAYERS:
        np.testing.assert_allclose(of_tiles[layer]["0"]["bandwidth"], constants[layer]["0"]["bandwidth"], rtol=1e-4)
    np.testing.assert_allclose(losses_of_tiles, losses, rtol=1e-3)
    assert np.linalg.norm(gradient_of_tiles - gradient) <= 1e-3 * np.linalg.norm(gradient)


def test_the_bandwidth_is_that_of_all_positions_nearly(vgg, painting):
    """A sample of 256 positions stands for all 2304."""
    objective = Objective([StyleTerm(vgg, LAYERS[:1], GaussianKernel())])
    targets = objective.targets(painting[None, ::-1], [painting[None]])
    scale = targets["scales"]["0"][LAYERS[0]]
    points = flat(np.asarray(vgg(painting[None], LAYERS[:1])[LAYERS[0]] * scale, "float64"))[::3]
    distances = np.linalg.norm(points[:, None] - points, axis=-1)[np.triu_indices(len(points), 1)]
    found = targets["terms"]["style"]["constants"][LAYERS[0]]["bandwidth"]
    np.testing.assert_allclose(found, np.median(distances), rtol=0.1)


def test_a_painting_comes_nearer_its_style_and_can_be_saved(vgg, photo, painting, tmp_path):
    canvas = Canvas(Objective([StyleTerm(vgg, LAYERS, ADAPTIVE, normalize_losses=True)]), photo, [painting])
    canvas.compile("adam")
    canvas.optimizer.learning_rate = 0.02
    canvas.fit(steps=10)
    assert canvas.last_losses[0, 0] < 0.9
    canvas.save(tmp_path / "canvas.keras")
    again = keras.saving.load_model(tmp_path / "canvas.keras")
    for a, b in zip(keras.tree.flatten(again.targets), keras.tree.flatten(canvas.targets), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PolynomialKernel(0), "degree must be a whole number from 1, not 0"),
        (lambda: PolynomialKernel(2.5), "degree must be a whole number from 1, not 2.5"),
        (lambda: PolynomialKernel(2, -1.0), "offset must be 0 or more, not -1.0"),
        (lambda: PolynomialKernel(2, float("nan")), "offset must be 0 or more, not nan"),
        (lambda: PolynomialKernel(3, features=0), "features must be a whole number from 1, not 0"),
        (lambda: GaussianKernel(0.0), "bandwidth must be above 0, or None for the style's median, not 0.0"),
        (lambda: GaussianKernel(features=1.5), "features must be a whole number from 1, not 1.5"),
        (lambda: Mixture([]), "a mixture needs at least one part"),
        (lambda: Mixture([(LinearKernel(), -2)]), "the weight of LinearKernel() must be 0 or more, not -2"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (compared as a whole)
        make()
    assert str(error.value) == message
