"""DepthMini: its layers, any size of pictures, gradients, saving, and the weights that come with the package."""

import subprocess
import sys
import tomllib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfstyle
from tfstyle import InputError, samples
from tfstyle.features.vgg19mini import VGG19Mini
from tfstyle.models.depth import DepthMini, estimate
from tfstyle.models.depth.depth_mini import EMBEDDED, Coordinates, Doubled, network
from tfstyle.training.depth_mini import Scenes, agreement


@pytest.fixture(scope="module")
def mini():
    return DepthMini()


@pytest.fixture(scope="module")
def picture():
    return samples.scene("street", (64, 90), seed=2)[0]


def test_coordinates_go_from_above_to_below_and_from_left_to_right():
    found = Coordinates()(np.zeros((2, 4, 5, 3), "float32")).numpy()
    assert found.shape == (2, 4, 5, 5)
    np.testing.assert_allclose(found[1, :, 2, 3], [-0.75, -0.25, 0.25, 0.75])
    np.testing.assert_allclose(found[0, 1, :, 4], [-0.8, -0.4, 0, 0.4, 0.8], atol=1e-6)


def test_doubling_keeps_what_is_linear_and_the_mean():
    ramp = np.arange(6, dtype="float32").reshape(1, 1, 6, 1).repeat(3, axis=1)
    found = Doubled()(ramp).numpy()
    assert found.shape == (1, 6, 12, 1)
    np.testing.assert_allclose(np.diff(found[0, 0, 1:-1, 0]), 0.5, atol=1e-6)
    assert found.mean() == pytest.approx(ramp.mean())


def test_the_encoder_is_vgg19minis():
    made = network()
    own = [layer for layer in VGG19Mini().layers if isinstance(layer, keras.layers.Conv2D)]
    taken = [layer for layer in made.layers if layer.name.startswith("block") and "_conv" in layer.name]
    for layer, other in zip(taken, own, strict=False):
        assert layer.kernel.shape == other.kernel.shape
        assert other.name.startswith(layer.name)
    assert made.count_params() < 1_000_000
    assert made(np.zeros((1, 64, 96, 3), "float32")).shape == (1, 32, 48, 1)


def test_a_seed_gives_the_same_network_whatever_keras_own_is():
    keras.utils.set_random_seed(1)
    one = network(seed=3).get_weights()
    keras.utils.set_random_seed(2)
    for a, b in zip(one, network(seed=3).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(network(seed=4).get_weights()[0], one[0])


@pytest.mark.parametrize("size", [(64, 64), (40, 130), (211, 96)])
def test_pictures_of_any_size_one_by_one_as_in_a_batch(size):
    model = DepthMini(None, side=64, seed=1)
    pictures = np.random.default_rng(0).random((2, *size, 3), "float32")
    found = model(pictures).numpy()
    assert found.shape == (2, *size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.min((1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(found.max((1, 2)), 1, atol=1e-6)
    np.testing.assert_allclose(model(pictures[1:])[0], found[1], atol=1e-4)
    traced = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, 3))])(pictures)
    np.testing.assert_allclose(traced, found, atol=1e-4)


def test_gradients_flow_to_the_pictures(picture):
    model, pictures = DepthMini(None, side=64), tf.constant(picture[None])
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        value = tf.reduce_sum(model(pictures) ** 2)
    gradient = tape.gradient(value, pictures).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_half_precision_sees_about_the_same(picture):
    found = {}
    for policy in ("float32", "mixed_bfloat16"):
        model = DepthMini(dtype=policy, side=64)
        found[policy] = estimate(model, picture)
    assert np.corrcoef(found["float32"].ravel(), found["mixed_bfloat16"].ravel())[0, 1] > 0.98


@pytest.mark.large
def test_saved_and_loaded_in_a_fresh_process(tmp_path, picture):
    model = DepthMini(None, side=64, seed=5)
    model.save(tmp_path / "depth.keras")
    np.save(tmp_path / "picture.npy", picture)
    code = (
        "import keras, numpy as np, tfstyle.models; model = keras.saving.load_model('depth.keras'); "
        "np.save('found.npy', model(np.load('picture.npy')[None])[0])"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, env=_environment(), timeout=300
    )
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), estimate(model, picture), atol=1e-5)


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": str(Path(tfstyle.__file__).parents[1])}


def test_frozen_it_stays_frozen_through_its_configuration():
    model = DepthMini(None, side=64)
    assert model.trainable_variables
    model.trainable = False
    again = DepthMini.from_config(model.get_config())
    assert not again.trainable_variables
    assert not again.network.trainable_variables
    assert again.side == 64


def test_weights_that_are_none(tmp_path):
    (tmp_path / "broken.weights.h5").write_bytes(b"nothing")
    for name in ("broken.weights.h5", "gone.weights.h5"):
        with pytest.raises(
            InputError, match=rf"{name} can't be loaded as the weights of DepthMini \(.*\): give a file"
        ):
            DepthMini(tmp_path / name)


def test_the_embedded_weights_are_small_and_in_the_package():
    assert EMBEDDED.stat().st_size < 1_500_000
    project = tomllib.loads((Path(tfstyle.__file__).parents[1] / "pyproject.toml").read_text())
    assert "embedded/*.weights.h5" in project["tool"]["setuptools"]["package-data"]["tfstyle"]


def test_it_tells_near_from_far_in_scenes_it_has_not_seen(mini):
    """Better than the rule that what is lower in the picture is nearer."""
    scenes = Scenes(160, 10, seed=99)
    pictures, truth = scenes(0)
    found = mini(pictures).numpy().reshape(10, 80, 2, 80, 2).mean(axis=(2, 4))
    lower = np.repeat(np.arange(80.0)[:, None], 80, axis=1)
    own, rule = (
        np.mean([agreement(t, f)["rank"] for t, f in zip(truth, maps, strict=True)]) for maps in (found, [lower] * 10)
    )
    assert own > 0.75
    assert own > rule + 0.1


def test_it_tells_near_from_far_in_a_photograph_with_known_depth(mini):
    try:
        photograph, disparity = samples.motorcycle()
    except InputError as error:
        pytest.skip(str(error))
    assert agreement(disparity, estimate(mini, photograph))["rank"] > 0.3
