"""Pictures side by side, each with its own mix of styles: what each is alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import (
    Backbone,
    Canvas,
    ContentTerm,
    GaussianKernel,
    GaussianWasserstein,
    GramMatrix,
    InputError,
    LinearKernel,
    MeanAndDeviation,
    Mixture,
    Objective,
    PairedDiscrepancyTerm,
    PolynomialKernel,
    StyleTerm,
    TotalVariationTerm,
)
from tfstyle.images.masks import regions
from tfstyle.losses.targets import side_by_side

LAYERS = ["block1_conv1", "block2_conv1"]
STATISTICS = {
    "gram": GramMatrix(),
    "paper": GramMatrix("paper"),
    "moments": MeanAndDeviation(),
    "linear": LinearKernel(),
    "polynomial": PolynomialKernel(3, 1.0, features=16),
    "gaussian": GaussianKernel(features=16),
    "wasserstein": GaussianWasserstein(),
    "mixture": Mixture([(GramMatrix(), 1.0), (GaussianKernel(features=8), 2.0)]),
}
MIX = [[1.0, 0.0, 0.0], [0.0, 0.25, 0.75], [0.2, 0.3, 0.5]]


@pytest.fixture(scope="module")
def normalized():
    return Backbone("VGG16", "random", pooling="avg", normalize=True, precision="float32")


@pytest.fixture(scope="module")
def pictures(photo):
    return np.stack([photo, photo[::-1], 1 - photo])


@pytest.fixture(scope="module")
def styles(painting):
    """Three, of different sizes."""
    return [painting, 1 - painting[:40], painting[:, :36, ::-1] ** 2]


def batch(array):
    return tf.constant(np.asarray(array))[None]


def evaluate(objective, pictures, targets):
    """Losses by term, `(batch,)`, and the gradient of each picture's sum."""
    pictures = tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        losses = objective(pictures, targets)
        total = sum(losses.values())
    return {name: loss.numpy() for name, loss in losses.items()}, tape.gradient(total, pictures).numpy()


def masks_of(picture):
    """Two, grey and soft."""
    ramp = np.linspace(0, 1, picture.shape[1], dtype="float32")[None].repeat(picture.shape[0], axis=0)
    return [ramp, 1 - ramp / 2]


@pytest.mark.parametrize(
    ("kind", "tile", "guided"),
    [
        *((kind, None, guided) for kind in STATISTICS for guided in (False, True)),
        *((kind, 36, True) for kind in ("gram", "gaussian")),  # tiles take their time
    ],
)
def test_losses_and_gradients_are_those_of_each_picture_alone(normalized, pictures, styles, kind, tile, guided):
    """With a normalised network, whose scales are of a picture and its styles; balanced, which is by the picture."""
    statistic = STATISTICS[kind]
    objective = Objective(
        [
            ContentTerm(normalized, "block2_conv1"),
            StyleTerm(normalized, LAYERS[:1], statistic, normalize_losses=True),
            StyleTerm(normalized, LAYERS[1:], statistic, weight=3.0),
            PairedDiscrepancyTerm(normalized, LAYERS[:1], pairs=64),
            TotalVariationTerm(1e-3),
        ][: 3 if guided else 5],
        tile=tile,
    )
    seen = np.stack([np.asarray(picture) for picture in pictures])[:, ::-1].copy()
    alone, together = [], []
    for content, row in zip(pictures, MIX, strict=True):
        own = [k for k, weight in enumerate(row) if weight]
        of_masks = None
        if guided:
            of_masks = regions(
                masks_of(content)[:1],
                [masks_of(styles[k])[k % 2] for k in own],
                [row[k] for k in own],
                content.shape[:2],
                [styles[k].shape[:2] for k in own],
            )
        targets = objective.targets(batch(content), [batch(styles[k]) for k in own], [row[k] for k in own], of_masks)
        together.append(targets)
        alone.append(evaluate(objective, seen[len(alone)][None], targets))
    losses, gradient = evaluate(objective, seen, side_by_side(together))
    for index, (own, slope) in enumerate(alone):
        for name, values in own.items():
            np.testing.assert_allclose(losses[name][index], values[0], rtol=1e-5)
        np.testing.assert_allclose(gradient[index], slope[0], rtol=1e-3, atol=2e-5 * np.abs(slope).max())
    assert np.ptp(losses["style"]) > 1e-3 * losses["style"].max()


@pytest.mark.parametrize("statistic", STATISTICS.values(), ids=STATISTICS.keys())
def test_distances_in_float64_are_those_of_each_alone(statistic):
    """Averages of several pictures, against one for each."""
    random = np.random.default_rng(0)
    features, style = (tf.constant(random.random((3, 9, 10, 5))) for _ in range(2))
    with_constants = statistic.with_constants(statistic.constants(tf.reshape(style, (3, -1, 5))))
    together = with_constants.distance(with_constants(features), with_constants(style)).numpy()
    for index in range(3):
        one = slice(index, index + 1)
        alone = statistic.with_constants(statistic.constants(tf.reshape(style[one], (1, -1, 5))))
        found = alone.distance(alone(features[one]), alone(style[one])).numpy()
        np.testing.assert_allclose(together[one], found, rtol=1e-9)


def test_a_style_without_a_share_has_no_say(normalized, pictures, styles):
    objective = Objective([StyleTerm(normalized, LAYERS, GaussianKernel(features=16), normalize_losses=True)])
    content = batch(pictures[0])
    given = [objective.targets(content, [batch(each) for each in styles], [0, 1, 0])]
    given.append(objective.targets(content, [batch(styles[1])], [1.0]))
    for a, b in zip(*(keras.tree.flatten(each) for each in given), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_canvas_paints_each_picture_in_its_own_mix(normalized, pictures, styles, tmp_path):
    objective = Objective(
        [ContentTerm(normalized, "block2_conv1", 0.1), StyleTerm(normalized, LAYERS, normalize_losses=True)]
    )

    def painted(*args, **options):
        canvas = Canvas(objective, *args, **options)
        canvas.compile("adam")
        canvas.fit(steps=3)
        return canvas

    canvas = painted(list(pictures), styles, MIX)
    for index, (content, row) in enumerate(zip(pictures, MIX, strict=True)):
        own = [k for k, weight in enumerate(row) if weight]
        alone = painted(content, [styles[k] for k in own], [row[k] for k in own])
        np.testing.assert_allclose(canvas.step_logs[index]["loss"], alone.step_log["loss"], rtol=1e-4)
        np.testing.assert_allclose(canvas.pictures[index], alone.picture, atol=1e-3)
    canvas.save(tmp_path / "canvas.keras")
    again = keras.saving.load_model(tmp_path / "canvas.keras")
    np.testing.assert_array_equal(again.pictures, canvas.pictures)
    older = {**canvas.get_config(), "mixed_each": True}  # as older files have it
    older.pop("weights_by_picture")
    assert Canvas.from_config(older).get_config() == canvas.get_config()
    losses = objective(tf.constant(pictures), canvas.targets)["style"]
    np.testing.assert_allclose(again.objective(tf.constant(pictures), again.targets)["style"], losses, rtol=1e-5)


def test_masks_of_one_style_only_leave_the_others_as_they_are(normalized, pictures, styles):
    """Also where the pictures begin anew with other masks."""
    objective = Objective([StyleTerm(normalized, LAYERS)])
    contents, two = list(pictures[:2]), styles[:2]
    mask = masks_of(two[0])[0]
    rows = [[1.0, 0.0], [0.0, 1.0]]
    canvas = Canvas(objective, contents, two, rows, style_masks=[mask, None])
    found = objective(tf.constant(pictures[:2]), canvas.targets)["style"]
    masked = Canvas(objective, contents[0], two[:1], style_masks=[mask])
    bare = Canvas(objective, contents[1], two[1:])
    expected = [
        objective(tf.constant(pictures[k : k + 1]), c.targets)["style"][0] for k, c in enumerate((masked, bare))
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    canvas.restart(contents, two[::-1], style_masks=[None, mask])
    found = objective(tf.constant(pictures[:2]), canvas.targets)["style"]
    masked = Canvas(objective, contents[1], two[:1], style_masks=[mask])
    np.testing.assert_allclose(found[1], objective(tf.constant(pictures[1:2]), masked.targets)["style"][0], rtol=1e-5)


@pytest.mark.parametrize("mix", [[[1.0, 0.0]], [[1.0, 0.0], [1.0]], [[1.0, 0.0], [0.0, 0.0]]], ids=str)
def test_a_mix_that_does_not_fit_is_refused(normalized, pictures, styles, mix):
    with pytest.raises(InputError, match="style weights don't fit 2 contents and 2 styles: give a row for each"):
        Canvas(Objective([TotalVariationTerm()]), list(pictures[:2]), styles[:2], mix)
