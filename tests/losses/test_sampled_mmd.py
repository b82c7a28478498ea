"""The linear-time estimate of MMD² against NumPy in float64, and its random pairs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings, strategies as st

from tfstyle import Backbone, Canvas, InputError, Objective, PairedDiscrepancyTerm
from tfstyle.images.masks import Regions
from tfstyle.losses.sampled_mmd import STYLE_POSITIONS
from tfstyle.losses.term import References
from tfstyle.losses.tiles import WHOLE

LAYERS = ["block1_conv1", "block2_conv1"]


@pytest.fixture(scope="module")
def raw():
    """VGG19 with random weights, without normalisation, so that features are as NumPy sees them."""
    return Backbone("VGG19", "random", normalize=False)


def pictures(seed, height=40, width=50, batch=1):
    return np.random.default_rng(seed).random((batch, height, width, 3), "float32")


def term_of(backbone, **options):
    return PairedDiscrepancyTerm(backbone, ["a"], **options)


def loss_of(term, f, targets, seed):
    """The loss of features (height, width, channels), as an objective has it."""
    targets = {**targets, "seeds": tf.constant([seed], "int64")}
    return term.loss(term.sums({"a": tf.constant(f[None])}, targets, {"a": WHOLE}), targets).numpy()[0]


def targets_of(term, s):
    style = term.reference_sums({"a": tf.constant(s[None])}, {"a": WHOLE}, None)
    return term.targets(References({}, {}, [style], [[1.0]]))


@pytest.mark.large
@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_it_is_unbiased_and_its_deviation_falls_with_the_pairs(raw, seed):
    random = np.random.default_rng(seed)
    f, s = random.gamma(2.0, size=(5, 7, 3)), 1.5 * random.gamma(2.0, size=(6, 6, 3))
    deviations = []
    for pairs in (100, 1600):
        term = term_of(raw, bandwidth=2.0, pairs=pairs)
        targets = targets_of(term, s)
        x, y = f.reshape(-1, 3), np.asarray(targets["a"]["sample"][0])

        def mean(x, y):
            return np.exp(-np.sum((x[:, None] - y) ** 2, axis=-1) / 8).mean()

        expected = mean(x, x) + mean(y, y) - 2 * mean(x, y)
        found = [loss_of(term, f, targets, n) for n in range(60)]
        deviations.append(np.std(found))
        assert abs(np.mean(found) - expected) < 4.5 * np.std(found) / np.sqrt(60)
    assert 2.5 < deviations[0] / deviations[1] < 6


def test_the_bandwidth_is_the_median_and_the_sample_is_of_the_style(raw):
    s = np.random.default_rng(0).gamma(2.0, size=(20, 30, 3))
    term = term_of(raw)
    found = targets_of(term, s)["a"]
    sample = found["sample"].numpy()[0]
    points = s.reshape(-1, 3)
    assert {tuple(each) for each in sample} <= {tuple(each) for each in points}
    distances = np.linalg.norm(points[:, None] - points, axis=-1)[np.triu_indices(600, 1)]
    np.testing.assert_allclose(found["bandwidth"], [np.median(distances)], rtol=0.05)


def test_each_style_has_its_share_of_the_mix(raw):
    term = term_of(raw)
    styles = [{"a": tf.fill([1, STYLE_POSITIONS, 2], value)} for value in (1.0, 2.0, 3.0)]
    sample = term.targets(References({}, {}, styles, [[0.25, 0.0, 0.75]]))["a"]["sample"].numpy()
    values, counts = np.unique(sample[0, :, 0], return_counts=True)
    assert dict(zip(values, counts, strict=True)) == {1.0: STYLE_POSITIONS // 4, 3.0: 3 * STYLE_POSITIONS // 4}


def test_pairs_are_the_pictures_own(vgg):
    """One picture has one loss, alone and among others; one that differs at all has other pairs."""
    objective = Objective([PairedDiscrepancyTerm(vgg, LAYERS, pairs=50)])
    content, picture = pictures(0), pictures(1)
    targets = objective.targets(content, [pictures(2)])
    first, again = (objective(picture, targets)["mmd"].numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    both = objective(np.concatenate([picture, content]), targets)["mmd"].numpy()
    np.testing.assert_allclose(both[0], first[0], rtol=1e-4)
    near = picture.copy()
    near[0, 3, 4, 1] = np.nextafter(near[0, 3, 4, 1], np.float32(1))
    assert abs(objective(near, targets)["mmd"].numpy()[0] - first[0]) > 1e-4 * abs(first[0])


def test_tiles_have_the_targets_the_loss_and_the_gradient_of_the_whole(vgg):
    content, style, picture = pictures(0, 90, 120), pictures(1, 120, 90), tf.constant(pictures(2, 90, 120) ** 2)
    found = []
    for tile in (None, 64):
        objective = Objective([PairedDiscrepancyTerm(vgg, LAYERS, pairs=200)], tile)
        targets = objective.targets(content, [style])

        @tf.function
        def run(objective=objective, targets=targets):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                loss = objective(picture, targets)["mmd"]
            return loss, tape.gradient(loss, picture)

        found.append((*keras.tree.flatten(targets["terms"]), *run()))
    for whole, tiled in zip(*found, strict=True):
        assert np.linalg.norm(tiled - whole) <= 1e-3 * np.linalg.norm(whole)


def test_a_painting_comes_nearer_its_style_and_can_be_saved(vgg, photo, painting, tmp_path):
    canvas = Canvas(Objective([PairedDiscrepancyTerm(vgg, LAYERS)]), photo, [painting, painting[:, ::-1]])
    canvas.compile("adam")
    canvas.optimizer.learning_rate = 0.02
    canvas.fit(steps=1)
    start = float(canvas.last_losses[0, 0])
    canvas.fit(steps=15)
    assert float(canvas.last_losses[0, 0]) < 0.8 * start
    canvas.save(tmp_path / "canvas.keras")
    again = keras.saving.load_model(tmp_path / "canvas.keras")
    for a, b in zip(keras.tree.flatten(again.targets), keras.tree.flatten(canvas.targets), strict=True):
        np.testing.assert_array_equal(a, b)


def test_regions_are_refused(vgg):
    masks = np.ones((2, 40, 50), "float32") / 2
    regions = Regions(masks, (None,), np.ones((2, 1)), ("a", "b"))
    with pytest.raises(InputError, match="mmd term can't use masks: leave them out, or use GaussianKernel"):
        Objective([PairedDiscrepancyTerm(vgg, LAYERS)]).targets(pictures(0), [pictures(1)], None, regions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bandwidth": 0.0}, "mmd bandwidth 0 is not above 0: give more, or None for the median"),
        ({"pairs": 0}, "mmd pairs 0 is not a whole number from 1"),
        ({"pairs": 1.5}, "mmd pairs 1.5 is not a whole number from 1"),
        ({"weight": -1}, "mmd weight -1 is negative: give 0 or more"),
    ],
)
def test_bad_arguments_are_refused(raw, options, message):
    with pytest.raises(InputError) as error:
        term_of(raw, **options)
    assert str(error.value) == message


def test_serialisation_round_trip(raw):
    objective = Objective([PairedDiscrepancyTerm(raw, LAYERS, 2.0, 1.5, 30, "pairs")])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    (term,) = again.terms
    config = term.get_config()
    config.pop("backbone")
    assert config == {"layers": tuple(LAYERS), "weight": 2.0, "name": "pairs", "bandwidth": 1.5, "pairs": 30}
