"""Tiles: losses and gradients are those of the whole picture."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings, strategies as st

from tfstyle import (
    Backbone,
    ContentTerm,
    GramMatrix,
    InputError,
    MeanAndDeviation,
    Objective,
    StyleTerm,
    TotalVariationTerm,
)
from tfstyle.images.masks import Regions
from tfstyle.losses.tiles import WHOLE, Grid, Halo, spans
from tfstyle.losses.two_pass import two_pass


@given(st.integers(1, 3000), st.integers(0, 5), st.integers(0, 12), st.integers(0, 12), st.integers(0, 400))
def test_every_pixel_has_one_owner_with_its_halo(side, power, before, after, more):
    stride = 2**power
    halo = Halo(stride, before * stride, after * stride)
    tile = halo.least_tile + more
    cut = spans(side, tile, halo)
    assert cut.length <= max(tile, 1)
    assert cut.bounds[0] == 0
    assert cut.bounds[-1] > side
    assert len(cut.starts) == len(cut.bounds) - 1
    assert (side - cut.length) % stride == 0
    for i, start in enumerate(cut.starts):
        first, end = cut.bounds[i], min(cut.bounds[i + 1], side)
        assert first < end
        assert start % stride == first % stride == 0
        assert start <= max(0, first - halo.before)
        assert min(side, end + halo.after) <= start + cut.length <= side


def test_tiles_are_as_few_as_can_be_and_of_even_size():
    cut = spans(2048, 1024, Halo(16, 96, 96))
    assert cut.starts == (0, 624, 1232)
    assert cut.length == 816  # the least for three tiles: 192 of halo, and a third of the rest


def evaluate(objective, picture, targets, compiled=True):
    """Losses by name and the gradient of their sum, compiled as in the step or not."""

    def run(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            losses = objective(pictures, targets)
            loss = tf.add_n([tf.reduce_sum(value) for value in losses.values()])
        return losses, tape.gradient(loss, pictures)

    losses, gradient = (tf.function(run) if compiled else run)(tf.constant(picture))
    return {name: value.numpy() for name, value in losses.items()}, gradient.numpy()


def compare(terms, tile, shape, tolerance, dtype="float32", regions=None):
    """Tiled against whole: targets, losses and gradient; in float64 not compiled, which takes longer."""
    random = np.random.default_rng(0)
    content, style, picture = (random.random((1, *sides, 3)).astype(dtype) for sides in (shape, shape[::-1], shape))
    whole, tiled = Objective(terms), Objective(terms, tile)
    grid = tiled.grid(*shape)
    assert grid.number > 1
    targets = [objective.targets(content, [style], None, regions) for objective in (whole, tiled)]
    for a, b in zip(*map(keras.tree.flatten, targets), strict=True):
        a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
        assert np.abs(a - b).max() <= tolerance * np.abs(a).max()
    (losses, gradient), (of_tiles, gradient_of_tiles) = (
        evaluate(objective, picture, found, compiled=dtype == "float32")
        for objective, found in zip((whole, tiled), targets, strict=True)
    )
    for name, value in losses.items():
        np.testing.assert_allclose(of_tiles[name], value, rtol=tolerance)
    assert np.linalg.norm(gradient_of_tiles - gradient) <= tolerance * np.linalg.norm(gradient)
    return grid


def terms_of(backbone, statistic=None):
    return [
        ContentTerm(backbone, weight=0.3, normalization="relative"),
        StyleTerm(backbone, statistic=statistic, normalize_losses=True),
        TotalVariationTerm(10.0),
    ]


def test_tiled_equals_whole_on_the_default_layers(vgg):
    compare(terms_of(vgg), 250, (261, 311), 1e-4)


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("name", "shape", "tile"),
    [
        ("VGG19", (303, 77), 250),
        ("InceptionV3", (1101, 83), 880),
        ("ResNet50", (507, 77), 400),
        ("NASNetMobile", (1299, 33), 1190),
    ],
)
def test_tiled_equals_whole_to_rounding_in_float64(name, shape, tile, float64):
    compare(terms_of(Backbone(name, "random"), MeanAndDeviation()), tile, shape, 1e-10, "float64")


def test_padding_by_parity_is_that_of_the_whole(float64):
    """Xception's strided layers pad "same": where depends on the size of what they get."""
    backbone = Backbone("Xception", "random")
    layers = ["block1_conv2_act", "add", "block4_sepconv1_act"]
    terms = [StyleTerm(backbone, layers, normalize_losses=True), ContentTerm(backbone, "add")]
    for width in (201, 202, 204):
        compare(terms, 150, (75, width), 1e-10, "float64")


@settings(max_examples=6)
@given(
    st.integers(33, 90), st.integers(33, 90), st.integers(20, 50), st.sampled_from([GramMatrix(), MeanAndDeviation()])
)
def test_any_size_tile_and_statistic(vgg, height, width, more, statistic):
    layers = ["block1_conv1", "block2_conv1"]
    terms = [
        ContentTerm(vgg, "block2_conv1", 2.0, "paper"),
        StyleTerm(vgg, layers, statistic),
        TotalVariationTerm(3.0),
    ]
    tile = Objective(terms).halo.least_tile + more
    if max(height, width) > tile:
        compare(terms, tile, (height, width), 1e-4)


def test_tiled_regions_equal_whole_ones(vgg):
    terms = [StyleTerm(vgg, ["block1_conv1", "block3_conv1"], normalize_losses=True)]
    random = np.random.default_rng(1)
    masks = random.random((2, 90, 120)).astype("float32")
    regions = Regions(masks, (random.random((2, 120, 90)).astype("float32"),), np.ones((2, 1)), ("a", "b"))
    compare(terms, 64, (90, 120), 1e-4, regions=regions)


def test_a_canvas_in_tiles_paints_the_same_picture(vgg, photo, painting):
    from tfstyle import LBFGS, Canvas

    pictures = []
    for tile in (None, 50):
        terms = [
            ContentTerm(vgg, "block2_conv1", 0.1, "relative"),
            StyleTerm(vgg, ["block1_conv1"], normalize_losses=True),
        ]
        objective = Objective(terms, tile)
        canvas = Canvas(objective, photo, [painting])
        assert (objective.grid(*photo.shape[:2]) is None) == (tile is None)
        canvas.compile(LBFGS())
        canvas.fit(steps=6)
        pictures.append(canvas.picture)
    np.testing.assert_allclose(*pictures, atol=2e-3)


@given(st.integers(0, 999), st.integers(24, 70), st.integers(24, 70), st.integers(1, 2))
def test_samples_of_tiles_add_up_to_that_of_the_whole(seed, height, width, each):
    random = np.random.default_rng(seed)
    f, places = random.random((2, height // 2, width // 2, 3)), random.random((each, 40, 2))
    grid = Grid(spans(height, 24, Halo(2, 4, 4)), spans(width, 24, Halo(2, 4, 4)))
    windows = [grid.window(tf.constant(index), 2) for index in range(grid.number)]
    shape = [side // 2 for side in grid.shape]
    found = sum(window.sample(window.cut(f, shape), places).numpy() for window in windows)
    rows, columns = (np.floor(places[..., axis] * f.shape[1 + axis]).astype(int) for axis in (0, 1))
    np.testing.assert_array_equal(found, [f[i, rows[i % each], columns[i % each]] for i in range(2)])
    np.testing.assert_array_equal(WHOLE.sample(tf.constant(f), places), found)


def test_one_tile_is_in_memory_at_a_time():
    begun = []
    grid = Grid(spans(64, 24, Halo(4, 4, 4)), spans(64, 24, Halo(4, 4, 4)))

    def sums(crop, index):
        # Without state, TensorFlow is free to begin before a tile's turn.
        seen = tf.numpy_function(
            lambda i, _: begun.append(int(i)) or np.float32(1), [index, crop[0, 0]], tf.float32, stateful=False
        )
        return tf.reduce_sum(crop * tf.ensure_shape(seen, []))

    @tf.function
    def gradient(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            (loss,) = two_pass(sums, lambda whole: [whole**2], pictures, grid)
        return tape.gradient(loss, pictures)

    for _ in range(3):
        begun.clear()
        gradient(tf.ones((1, 64, 64, 3)))
        assert begun == 2 * list(range(grid.number))


def test_a_tile_that_is_too_small_is_refused_with_the_least(vgg):
    objective = Objective([StyleTerm(vgg)], 100)
    with pytest.raises(InputError, match=f"tile 100 is too small .*: give {objective.halo.least_tile} or more"):
        objective.grid(500, 500)
