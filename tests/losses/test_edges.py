"""Edges: the formula against NumPy, tiles, and what the term is for."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tfstyle import EdgeTerm, InputError, Objective, StyleTerm, transfer

Y = np.array([0.299, 0.587, 0.114])


def gradient(picture):
    """Sobel's, over 8, of the luminance: float64 (2, height − 2, width − 2)."""
    y = picture.astype("float64") @ Y
    return np.stack([ndimage.sobel(y, axis)[1:-1, 1:-1] / 8 for axis in (0, 1)])


def loss(picture, content, tile=None):
    objective = Objective([EdgeTerm(7.0)], tile)
    targets = objective.targets(content[None], [content[None]])
    return float(objective(picture[None], targets)["edges"][0])


@pytest.fixture(scope="module")
def picture(photo):
    return np.random.default_rng(0).random(photo.shape, "float32")


def test_the_loss_is_the_formula(picture, photo):
    found, own = gradient(picture), gradient(photo)
    want = 7 * ((found - own) ** 2).sum(0).mean() / ((own**2).sum(0).mean() + 1 / 255**2)
    np.testing.assert_allclose(loss(picture, photo), want, rtol=1e-5)


def test_a_picture_without_edges_has_the_loss_1_and_the_photograph_none(photo):
    assert loss(photo, photo) == 0
    np.testing.assert_allclose(loss(np.full_like(photo, 0.3), photo), 7, rtol=1e-2)
    assert loss(photo, np.full_like(photo, 0.3)) < np.inf  # a content that has none itself


def test_only_outlines_count_not_what_is_between_them(photo):
    dark = photo * np.float32(0.5)
    np.testing.assert_allclose(loss(dark + np.float32(0.3), dark), 0, atol=1e-6)
    y = (photo @ Y).astype("float32")[..., None].repeat(3, axis=-1)
    np.testing.assert_allclose(loss(y, photo), 0, atol=1e-6)  # nor do colours


@pytest.mark.parametrize("network", [False, True], ids=["pixels alone", "beside a network"])
def test_tiled_equals_whole(vgg, network):
    random = np.random.default_rng(1)
    content, picture = (random.random((1, 90, 120, 3), "float32") for _ in range(2))
    terms = [EdgeTerm(2.0), *([StyleTerm(vgg, ["block1_conv1", "block2_conv1"])] if network else [])]
    found = []
    for tile in (None, 40):
        objective = Objective(terms, tile)
        assert (objective.grid(90, 120) is None) == (tile is None)
        targets = objective.targets(content, [content[:, :50]])
        x = tf.constant(picture)
        with tf.GradientTape() as tape:
            tape.watch(x)
            losses = objective(x, targets)
            total = tf.add_n(list(losses.values()))
        found.append((losses["edges"], targets["terms"]["edges"], tape.gradient(total, x)))
    (whole, targets, slopes), (tiled, targets_of_tiles, slopes_of_tiles) = found
    np.testing.assert_allclose(tiled, whole, rtol=1e-5)
    np.testing.assert_allclose(targets_of_tiles["size"], targets["size"], rtol=1e-5)
    np.testing.assert_array_equal(targets_of_tiles["luminance"], targets["luminance"])
    assert np.linalg.norm(slopes_of_tiles - slopes) <= 1e-4 * np.linalg.norm(slopes)


def test_serialisation_round_trip():
    term = EdgeTerm(0.5, "outlines")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert again.get_config() == term.get_config() == {"weight": 0.5, "name": "outlines"}
    with pytest.raises(InputError, match="edges weight -1 is negative: give 0 or more"):
        EdgeTerm(-1)


def test_with_a_weight_the_outlines_stay(photo, painting):
    given = {
        "size": 56,
        "steps": 8,
        "backbone": "VGG19",
        "weights": "random",
        "precision": "float32",
        "parameterization": "pixels",
        "init": "noise",
    }
    without = transfer(photo, painting, **given)
    kept = transfer(photo, painting, **given, edge_weight=1)
    assert "edges" not in without.history
    assert (kept.settings["edge_weight"], kept.settings["sources"]["tv_weight"]) == (1, "chosen")
    assert loss(kept.image, photo) < 0.5 * loss(without.image, photo)
