"""Masks and colours through transfer() and the objective: what goes where, and what stays as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings, strategies as st
from PIL import Image

from tfstyle import (
    LBFGS,
    Backbone,
    Canvas,
    ContentTerm,
    GramMatrix,
    InputError,
    MeanAndDeviation,
    Objective,
    StyleTerm,
    images,
    samples,
    transfer,
)
from tfstyle.images import color_transfer
from tfstyle.images.luminance import luminance
from tfstyle.images.masks import Regions, downsample, regions
from tfstyle.images.picture import Picture
from tfstyle.optimization.callbacks import Preview

pytestmark = pytest.mark.usefixtures("eager")

LAYERS = ["block1_conv1", "block2_conv1"]
SHALLOW = {"content_layers": "block1_conv2", "style_layers": LAYERS, "tv_weight": 0}
QUICK = {"optimizer": "adam"}  # which is compiled sooner
YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])  # NTSC


@pytest.fixture(scope="module")
def paint(vgg):
    """transfer() on shallow layers of one network, at the pictures' own size."""

    def run(photo, styles, steps=3, **options):
        return transfer(
            photo, styles, **{"backbone": vgg, "size": None, "steps": steps, **SHALLOW, **QUICK, **options}
        )

    return run


def ones(picture):
    return np.ones(picture.shape[:2], "float32")


def columns(picture, begin, end):
    """A mask that is white from one column to another."""
    mask = np.zeros(picture.shape[:2], "float32")
    mask[:, begin:end] = 1
    return mask


def noise(*colour, side=40, seed=0):
    """A texture in shades of one colour."""
    grain = np.random.default_rng(seed).uniform(0.3, 1, (side, side, 1))
    return (grain * colour).astype("float32")


def same(first, second):
    np.testing.assert_array_equal(first.image, second.image)
    assert first.history == second.history


# Masks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["gatys", "li2017-batchnorm"])
def test_white_masks_are_as_good_as_none_to_the_last_bit(paint, photo, painting, method):
    size = {"method": method, "size": 48, "optimizer": "lbfgs"}  # to which photograph and masks are resized
    without = paint(photo, painting, **size)
    same(paint(photo, painting, content_masks=ones(photo), style_masks=ones(painting), **size), without)


@pytest.mark.parametrize("statistic", [GramMatrix(), MeanAndDeviation()], ids=repr)
@pytest.mark.parametrize("which", ["content", "style", "both"])
def test_a_region_that_is_all_of_the_picture_has_the_losses_of_none(vgg, photo, painting, statistic, which):
    objective = Objective([ContentTerm(vgg, LAYERS[0]), StyleTerm(vgg, LAYERS, statistic, normalize_losses=True)])
    of_style = None if which == "content" else ones(painting)[None]
    whole = Regions(ones(photo)[None], (of_style,), np.ones((1, 1)), ("white",))
    x = np.random.default_rng(0).random((1, *photo.shape), "float32")
    found = []
    for masks in (None, whole):
        targets = objective.targets(photo[None], [painting[None]], None, masks)
        found.append(objective(x, targets))
    for name, value in found[0].items():
        np.testing.assert_array_equal(found[1][name], value)


def test_outside_of_a_mask_the_photograph_stays(paint, photo, painting):
    result = paint(photo, painting, content_masks=columns(photo, 0, 20), optimizer="lbfgs")
    change = np.abs(result.image - photo).max(axis=(0, 2))
    assert change[:20].min() > 0.01  # every column within
    # Features of the layers see up to 8 pixels around, and what they see moves each step.
    assert change[40:].max() == 0
    assert change[20:30].max() > change[40:].max()


def test_soft_masks_paint_more_where_they_are_brighter(vgg, photo, painting):
    """The gradient of the style loss goes with the mask."""
    objective = Objective([StyleTerm(vgg, [LAYERS[0]])])
    ramp = np.tile(np.linspace(0, 1, 56, dtype="float32"), (40, 1))
    x = tf.constant(np.random.default_rng(0).random((1, 40, 56, 3), "float32"))
    masks = Regions(ramp[None], (None,), np.ones((1, 1)), ("ramp",))
    targets = objective.targets(x, [painting[None]], None, masks)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(objective(x, targets)["style"])
    sizes = np.abs(tape.gradient(loss, x).numpy()).mean(axis=(0, 1, 3))
    first, second, third, fourth = (part.mean() for part in np.array_split(sizes[2:-2], 4))
    np.testing.assert_allclose([second / first, third / first, fourth / first], [3, 5, 7], rtol=0.3)


RED, BLUE = noise(1, 0.1, 0.1), noise(0.1, 0.1, 1, seed=1)


def test_each_half_takes_its_own_style(paint):
    photo = np.random.default_rng(2).uniform(0.4, 0.6, (40, 64, 1)).repeat(3, axis=-1).astype("float32")
    left, right = columns(photo, 0, 32), columns(photo, 32, 64)
    options = {"steps": 12, "content_weight": 0.01, "style_layers": ["block1_conv1"]}
    options |= {"learning_rate": 0.03, "parameterization": "pixels"}
    result = paint(photo, [RED, BLUE], content_masks=[left, right], **options).image
    both = paint(photo, [RED, BLUE], **options).image

    def redness(picture):
        return (picture[..., 0] - picture[..., 2]).mean()

    assert redness(result[:, :28]) > 0.15
    assert redness(result[:, 36:]) < -0.15
    assert abs(redness(both[:, :28]) - redness(both[:, 36:])) < 0.1


def test_a_segmentation_is_its_soft_masks(paint, photo):
    """Style 1 has all of the one colour, and style 2 all of the other: each content region is painted in one."""
    segmentation = np.where(columns(photo, 0, 30)[..., None] > 0, [1, 0, 0], [0, 0, 1]).astype("float32")
    flat = [np.tile(np.float32(colour), (40, 40, 1)) for colour in ((1, 0, 0), (0, 0, 1))]
    coloured = paint(photo, [RED, BLUE], content_masks=segmentation, style_masks=flat)
    soft = paint(photo, [RED, BLUE], content_masks=[columns(photo, 0, 30), columns(photo, 30, 56)])
    np.testing.assert_allclose(coloured.image, soft.image, atol=1e-5)
    np.testing.assert_allclose(coloured.history["loss"], soft.history["loss"], rtol=1e-5)
    assert np.abs(soft.image - paint(photo, [RED, BLUE]).image).max() > 0.01
    assert coloured.settings["content_masks"] == ["the array"]
    assert coloured.settings["style_masks"] == ["the array", "the array"]


def test_masks_go_along_to_the_next_scale(paint, photo, painting):
    result = paint(photo, painting, size=112, scales=2, content_masks=columns(photo, 0, 20), steps=2)
    assert result.image.shape == (74, 112, 3)
    small, large = images.load(photo, 56), images.load(photo, 112).rgb
    enlarged = small.resized((74, 112)).rgb  # of the first scale, what the second began with
    change = np.abs(result.image - enlarged).max(axis=(0, 2))
    assert change[:35].min() > 0.01
    assert change[:35].mean() > 2 * change[80:].mean()
    assert np.abs(result.image - large).max(axis=(0, 2))[90:].max() < 0.5


def double(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float64")


weights = st.tuples(st.integers(0, 999), st.sampled_from(["any", "mostly black", "one pixel"]))


def random_mask(seed, kind, shape):
    random = np.random.default_rng(seed)
    mask = random.random(shape)
    if kind != "any":
        mask *= random.random(shape) < 0.1
        mask[0, 0] = 1
    if kind == "one pixel":
        mask *= 0
        mask[seed % shape[0], seed % shape[1]] = 0.7
    return mask.astype("float32")


@given(weights, st.integers(1, 2))
def test_weighted_statistics_are_numpys(which, batch):
    f = np.random.default_rng(which[0]).gamma(2.0, size=(batch, 5, 7, 4)).astype("float32")
    w = random_mask(*which, (5, 7))
    flat, shares = f.astype("float64").reshape(batch, 35, 4), w.astype("float64").ravel() / w.sum(dtype="float64")
    gram = np.einsum("m,bmi,bmj->bij", shares, flat, flat)  # Σ w f fᵀ / Σ w
    statistic = GramMatrix("positions")
    np.testing.assert_allclose(double(statistic.describe(statistic(f, w[None]))["gram"]), gram, rtol=1e-5)
    np.testing.assert_allclose(double(statistic.sums(f, w[None])["count"]), w.sum(), rtol=1e-6)

    mean = np.einsum("m,bmi->bi", shares, flat)
    variance = np.einsum("m,bmi->bi", shares, (flat - mean[:, None]) ** 2)
    statistic = MeanAndDeviation()
    described = statistic.describe(statistic(f, w[None]))
    np.testing.assert_allclose(double(described["mean"]), mean, rtol=1e-5)
    rounding = 1e-6 * (mean**2 + variance).max()  # of mean(f²) − μ² in float32
    np.testing.assert_allclose(double(described["deviation"]) ** 2, variance + 1e-5, rtol=1e-5, atol=rounding)


@pytest.fixture(scope="module")
def raw():
    """VGG19 with random weights, without normalisation, so that features are as NumPy sees them."""
    return Backbone("VGG19", "random", normalize=False)


def grams(backbone, picture, layer, masks):
    """The Gram matrix in each of the masks, brought to the layer's size: float64 (regions, channels, channels)."""
    f = double(backbone(picture[None], [layer])[layer])[0]
    w = downsample(masks, f.shape[:2]).astype("float64")
    return np.einsum("rhw,hwi,hwj->rij", w, f, f) / w.sum(axis=(1, 2))[:, None, None], w.sum(axis=(1, 2))


@settings(max_examples=10)
@given(st.integers(0, 999), st.integers(1, 3))
def test_the_loss_of_regions_is_the_formula(raw, photo, painting, seed, number):
    """Σ over regions of its part of the area, times the distance to the mix of the styles as seen there."""
    random = np.random.default_rng(seed)
    styles = [painting, random.random((36, 44, 3), "float32")]
    x = random.random(photo.shape, "float32")
    where = random.random((number, *photo.shape[:2]), "float32") * random.random((number, 1, 1), "float32")
    seen = (random.random((number, *painting.shape[:2]), "float32"), None)
    mix = random.dirichlet([1, 1], number)
    masks = Regions(where, seen, mix, ("",) * number)
    objective = Objective([StyleTerm(raw, LAYERS, GramMatrix("positions"), 3.0)])
    targets = objective.targets(photo[None], [style[None] for style in styles], None, masks)
    want = 0.0
    for layer in LAYERS:
        found, areas = grams(raw, x, layer, where)
        first, _ = grams(raw, styles[0], layer, seen[0])
        second, _ = grams(raw, styles[1], layer, np.ones((1, 36, 44)))
        mixed = mix[:, 0, None, None] * first + mix[:, 1, None, None] * second
        want += 3 / 2 * (areas / areas.sum() * ((found - mixed) ** 2).mean(axis=(1, 2))).sum()
        factors = [float(region["factor"][0, 0]) for region in targets["terms"]["style"][layer]["regions"]]
        assert sum(factors) == pytest.approx(1 / len(LAYERS), rel=1e-5)  # areas' parts sum to 1
    np.testing.assert_allclose(objective(x[None], targets)["style"][0], want, rtol=1e-4)

    order = random.permutation(number)
    other = Regions(where[order], (seen[0][order], None), mix[order], ("",) * number)
    again = objective.targets(photo[None], [style[None] for style in styles], None, other)
    np.testing.assert_allclose(objective(x[None], again)["style"][0], want, rtol=1e-4)


@pytest.mark.parametrize("statistic", [GramMatrix(), MeanAndDeviation()], ids=repr)
def test_balanced_regions_start_at_one_whatever_their_area(vgg, photo, painting, statistic):
    masks = Regions(np.stack([columns(photo, 0, 5), columns(photo, 5, 56)]), (None, None), np.eye(2), ("a", "b"))
    objective = Objective([StyleTerm(vgg, LAYERS, statistic, 4.0, normalize_losses=True)])
    targets = objective.targets(photo[None], [painting[None], RED[None]], None, masks)
    np.testing.assert_allclose(objective(photo[None], targets)["style"], [4], rtol=1e-5)


@pytest.mark.parametrize("number", [1, 2])
def test_masks_are_saved_with_the_canvas(vgg, photo, painting, number, tmp_path):
    objective = Objective(
        [ContentTerm(vgg, LAYERS[0], 0.1, "relative"), StyleTerm(vgg, LAYERS, normalize_losses=True)]
    )
    masks = [columns(photo, 0, 20), columns(photo, 15, 50)][:number]
    seen = [columns(painting, 10, 40), None][:number]
    canvas = Canvas(objective, photo, [painting, RED][:number], content_masks=masks, style_masks=seen)
    canvas.compile(LBFGS(history=3, initial_step=0.05))
    canvas.fit(steps=3)
    canvas.save(tmp_path / "canvas.keras")
    again = keras.saving.load_model(tmp_path / "canvas.keras")
    for ours, theirs in zip(keras.tree.flatten(canvas.targets), keras.tree.flatten(again.targets), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    for each in (canvas, again):
        each.fit(steps=3)
    np.testing.assert_allclose(again.picture, canvas.picture, atol=1e-3)
    assert again.best_loss == pytest.approx(canvas.best_loss, rel=1e-3)
    assert np.abs(canvas.picture - photo)[:, 70:].sum() == 0
    config = canvas.get_config()
    assert config["regions"] == number
    assert Canvas(objective, photo, [painting], content_masks=[ones(photo)]).get_config()["regions"] == 0


COLOURS = np.random.default_rng(0).random((37, 56, 3))
NOTHING = np.zeros((37, 56), "float32")
TWO = np.where(np.arange(56)[None, :, None] < 20, [1.0, 0, 0], [0, 0, 1.0]) * np.ones((37, 1, 1))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"content_masks": "nosuch.png"}, r"nosuch\.png does not exist; check the path"),
        ({"content_masks": NOTHING}, "array is black .*make white"),
        ({"content_masks": np.ones((20, 20))}, "20x20 pixels, .*content .*56x37.*same shape"),
        ({"style_masks": np.ones((20, 40))}, "40x20 pixels, .*style .*56x56.*same shape"),
        ({"content_masks": [NOTHING + 1] * 2}, "2 content masks for 1 style.*: give one"),
        ({"style_masks": [None, np.ones((48, 48))]}, "2 style masks for 1 style.*: give one for each"),
        ({"content_masks": COLOURS}, "array is not a mask: give one that is grey"),
        ({"content_masks": TWO}, "segmentation in 2 colours, .*no style mask"),
        ({"content_masks": TWO, "style_masks": np.tile([1.0, 0, 0], (48, 48, 1))}, "colour #0000ff .*paint it into"),
        ({"preserve_color": "luma"}, "preserve color 'luma': did you mean luminance"),
    ],
)
def test_bad_masks_are_refused_in_one_line(paint, photo, painting, options, match):
    with pytest.raises(InputError, match=match) as error:
        paint(photo, painting, **options)
    assert "\n" not in str(error.value)


# Colours -----------------------------------------------------------------------------------------------------------


def grey(rgb):
    return np.repeat(luminance(rgb), 3, axis=-1)


class Look(keras.callbacks.Callback):
    """Notes what is optimised, and writes previews beside a path."""

    def on_train_begin(self, logs=None):
        self.shape = tuple(self.model.pixels.shape)
        self.start = self.model.picture


def test_luminance_keeps_the_colours_and_looks_at_no_others(paint, painting, tmp_path):
    photo = (
        np.float32(0.3) + np.float32(0.4) * images.load(samples.content("coffee"), 48).rgb
    )  # colourful, with room before clipping
    look, preview = Look(), Preview(tmp_path / "out.png", 3)
    options = {"preserve_color": "luminance", "callbacks": [look, preview]}
    result = paint(photo, painting, **options)
    before, after = photo.astype("float64") @ YIQ.T, result.image.astype("float64") @ YIQ.T
    clipped = ((result.image == 0) | (result.image == 1)).any(axis=-1)
    assert clipped.mean() < 0.1
    assert np.abs(after - before)[..., 0].mean() > 0.003  # Y is painted
    np.testing.assert_allclose(after[~clipped][:, 1:], before[~clipped][:, 1:], atol=2e-4)  # NTSC rounds to 4 digits
    assert before[..., 1:].std() > 0.02

    assert look.shape == (1, *photo.shape[:2], 1)
    np.testing.assert_array_equal(look.start, grey(photo))
    same(paint(photo, grey(painting), **options), result)
    shown = np.asarray(Image.open(tmp_path / "out-step00003.png")) / 255
    inside = (shown > 0).all(axis=-1) & (shown < 1).all(axis=-1)
    np.testing.assert_allclose((shown @ YIQ.T)[inside][:, 1:], before[inside][:, 1:], atol=1.5 / 255)


@pytest.mark.parametrize("kind", ["statistics", "histogram"])
def test_the_style_is_recoloured_first(paint, photo, painting, kind):
    content, (style,) = color_transfer.preprocess(kind, images.load(photo), [Picture(painting, None, "the painting")])
    look = Look()
    result = paint(photo, painting, preserve_color=kind, callbacks=[look])
    same(result, paint(content.rgb, style.rgb))
    assert look.shape == (1, *photo.shape)
    assert result.settings["preserve_color"] == kind
    assert np.abs(style.rgb.mean(axis=(0, 1)) - photo.mean(axis=(0, 1))).max() < 0.03
    assert np.abs(painting.mean(axis=(0, 1)) - photo.mean(axis=(0, 1))).max() > 0.1
    if kind == "statistics":  # but for what is clipped
        ours, theirs = (np.cov(x.reshape(-1, 3).T) for x in (style.rgb, photo))
        np.testing.assert_allclose(ours, theirs, atol=0.2 * np.abs(theirs).max())


def test_a_grey_photograph_stays_grey(paint, photo, painting):
    result = paint(grey(photo), painting, preserve_color="luminance", steps=2)
    assert np.ptp(result.image, axis=-1).max() == 0
    assert np.abs(result.image - grey(photo)).max() > 0.005
    assert np.isfinite(result.history["loss"]).all()


@pytest.mark.parametrize("kind", color_transfer.KINDS)
def test_pictures_of_one_colour_do_no_harm(paint, photo, kind):
    flat = np.full((40, 40, 3), [0.2, 0.5, 0.9], "float32")
    for content, style in ((photo, flat), (np.full_like(photo, 0.4), RED)):
        result = paint(content, style, preserve_color=kind, steps=1, style_layers=LAYERS[:1])
        assert np.isfinite(result.image).all()
        assert np.isfinite(result.history["loss"]).all()
        assert result.settings["stopped"] is None


def test_masks_and_colours_go_together(paint, photo, painting):
    result = paint(
        photo, painting, content_masks=columns(photo, 0, 20), preserve_color="luminance", optimizer="lbfgs"
    )
    change = np.abs(result.image - photo).max(axis=(0, 2))
    assert change[:20].min() > 0.005
    assert change[40:].max() < 1e-6


def test_regions_of_one_region_and_no_mask_are_everywhere():
    """As `Regions.everywhere` has it, whatever the shapes."""
    options = [[], [ones(RED)], [columns(RED, 0, 40)], [columns(RED, 0, 39)]]
    found = [regions(masks, [], [0.5, 0.5], (40, 40), [(40, 40)] * 2).everywhere for masks in options]
    assert found == [True, True, True, False]
    assert regions([], [ones(RED), None], [0.5, 0.5], (40, 40), [(40, 40)] * 2).everywhere
    assert not regions([], [columns(RED, 3, 40), None], [0.5, 0.5], (40, 40), [(40, 40)] * 2).everywhere
    assert not regions([ones(RED)] * 2, [], [0.5, 0.5], (40, 40), [(40, 40)] * 2).everywhere
