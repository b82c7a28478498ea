"""Sums and features of an image: the same at once, in few tiles and in many."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.losses import accumulation
from tfstyle.losses.accumulation import FeatureAccumulator, mean_activations
from tfstyle.losses.tiles import WHOLE, Grid, Halo, spans

SHAPE = 2, 60, 52, 3


def features(pictures):
    """One backbone with two layers that look at single pixels, and the pixels."""
    return [{"a": pictures**2, "b": 1 - pictures[..., :2]}, {"pixels": pictures}]


def windows(grid, index):
    window = WHOLE if grid is None else grid.window(index)
    return [{"a": window, "b": window}, {"pixels": window}]


def part(features, windows):
    weights = windows[0]["a"].weights(features[0]["a"].shape[1:3])
    weights = tf.ones((1, 1, 1)) if weights is None else tf.cast(weights, tf.float32)
    return {"sum": tf.reduce_sum(features[0]["a"] * weights[..., None], (1, 2)), "count": tf.reduce_sum(weights)}


@pytest.fixture
def picture():
    return tf.constant(np.random.default_rng(0).random(SHAPE, "float32"))


def accumulator(picture, tile=None):
    grid = None if tile is None else Grid(*(spans(side, tile, Halo(1, 2, 3)) for side in SHAPE[1:3]))
    return FeatureAccumulator(picture, grid, features, windows)


@pytest.mark.parametrize("tile", [None, 40, 20])
def test_a_tour_sums_and_keeps_what_the_whole_has(picture, tile):
    image = accumulator(picture, tile)
    sums, target_features = image.accumulate(part, [["b"], ["pixels"]])
    np.testing.assert_allclose(sums["sum"], np.sum(np.asarray(picture, "float64") ** 2, (1, 2)), rtol=1e-5)
    assert [list(layers) for layers in target_features] == [["b"], ["pixels"]]
    np.testing.assert_array_equal(target_features[0]["b"], 1 - picture[..., :2])
    np.testing.assert_array_equal(target_features[1]["pixels"], picture)
    np.testing.assert_array_equal(image.sums(part)["sum"], sums["sum"])


@pytest.mark.parametrize(("tile", "compiled"), [(40, False), (20, True)])
def test_many_tiles_are_compiled(picture, tile, compiled):
    calls = []
    image = accumulator(picture, tile)
    image.sums(lambda features, windows: calls.append(tf.executing_eagerly()) or part(features, windows))
    assert set(calls) == {not compiled}
    assert (len(calls) < accumulation.COMPILED_TILES) or not compiled


def test_the_whole_is_looked_at_once_until_it_is_forgotten(picture):
    calls = []
    image = FeatureAccumulator(picture, None, lambda x: calls.append(1) or features(x), windows)
    image.masks(np.ones((1, *SHAPE[1:3]), "float32"))
    for _ in range(3):
        image.sums(part)
    assert len(calls) == 1
    image.release()
    image.sums(part)
    assert len(calls) == 2


@pytest.mark.parametrize("tile", [None, 20])
def test_mean_activations_are_of_all_pictures_alike(picture, tile):
    found = mean_activations([accumulator(picture, tile), accumulator(picture / 2, tile)], 0)
    square = np.mean(np.asarray(picture, "float64") ** 2, (1, 2, 3))
    np.testing.assert_allclose(np.ravel(found["a"]), square * (1 + 0.25) / 2, rtol=1e-5)
    assert found["a"].shape == (2, 1, 1, 1)
    assert set(found) == {"a", "b"}


def test_masks_have_each_layers_size(picture):
    regions = np.random.default_rng(1).random((3, *SHAPE[1:3])).astype("float32")
    for tile in (None, 20):
        found = accumulator(picture, tile).masks(regions)
        np.testing.assert_allclose(found[0]["b"][0], regions, atol=1e-6)
