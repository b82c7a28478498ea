"""DepthAdaIN: the depth loss, strength by proximity, what is shared with AdaIN, and saving."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfstyle
from tfstyle import InputError
from tfstyle.models import AdaIN, DepthAdaIN
from tfstyle.models.depth import DepthMini
from tfstyle.models.depth.strength import strength_by_depth

LAYER = "block2_conv1"
SIZE = 34, 38


@pytest.fixture
def depth():
    """Random, and small."""
    return DepthMini(None, side=32, seed=1)


@pytest.fixture
def model(vgg, depth):
    return DepthAdaIN(vgg, LAYER, seed=0, depth=depth)


@pytest.fixture(scope="module")
def contents():
    return np.random.default_rng(0).random((2, *SIZE, 3), "float32")


@pytest.fixture(scope="module")
def styles():
    return np.random.default_rng(1).random((2, 40, 32, 3), "float32") ** 2


@pytest.fixture(scope="module")
def ramp():
    """Near on the right."""
    return np.repeat(np.linspace(0, 1, SIZE[1], dtype="float32")[None], SIZE[0], axis=0)


def mean_channel(pictures):
    return tf.reduce_mean(pictures, axis=-1)


# Painting


def test_painting_is_adains_with_the_strength_by_proximity(model, contents, styles, ramp):
    given = {"near": 0.2, "far": 0.9, "depth_contrast": 5.0, "depth_offset": 0.3}
    found = model.stylize(contents[0], styles[0], depth=ramp, alpha=0.8, **given)
    plain = AdaIN(model.encoder.backbone, LAYER)
    plain.decoder.set_weights(model.decoder.get_weights())
    strength = 0.8 * strength_by_depth(ramp, 0.2, 0.9, 5.0, 0.3)
    np.testing.assert_allclose(found, plain.stylize(contents[0], styles[0], alpha=strength), atol=1e-5)
    np.testing.assert_array_equal(
        model.stylize(contents[0], styles[0], depth=None, alpha=0.8), plain.stylize(contents[0], styles[0], alpha=0.8)
    )


def test_near_keeps_the_content_and_far_takes_the_style(model, contents, styles, ramp):
    picture = model.stylize(contents[0], styles[0], depth=ramp, near=0.0, far=1.0, depth_contrast=1000.0)
    content, painted = (model.stylize(contents[0], styles[0], depth=None, alpha=alpha) for alpha in (0.0, 1.0))
    near, far = np.s_[:, 30:], np.s_[:, :8]  # beyond what the decoder mixes
    np.testing.assert_allclose(picture[near], content[near], atol=1e-5)
    np.testing.assert_allclose(picture[far], painted[far], atol=1e-5)
    assert np.abs(painted[near] - content[near]).max() > 1e-3


def test_auto_is_the_models_own_module(model, contents, styles):
    own = model.inverse_depth(contents[:1])[0].numpy()
    np.testing.assert_allclose(
        model.stylize(contents[0], styles[0]), model.stylize(contents[0], styles[0], depth=own), atol=2e-4
    )
    by_module = model.stylize(contents[0], styles[0], depth=mean_channel)
    np.testing.assert_allclose(
        by_module, model.stylize(contents[0], styles[0], depth=contents[0].mean(axis=-1)), atol=1e-4
    )


def test_a_map_may_be_a_file_and_goes_with_masks_and_mixes(model, contents, styles, ramp, tmp_path):
    np.save(tmp_path / "map.npy", ramp)
    mask = (ramp > 0.5).astype("float32")
    given = {"style_weights": [1, 3], "content_masks": mask, "preserve_color": "luminance"}
    found = model.stylize(contents[0], list(styles), depth=tmp_path / "map.npy", **given)
    np.testing.assert_array_equal(found, model.stylize(contents[0], list(styles), depth=ramp, **given))
    assert found.shape == (*SIZE, 3)


def test_maps_and_modules_that_are_none(vgg, model, contents, styles, ramp):
    with pytest.raises(InputError, match=r"^the depth map has 30x34 pixels, and the content image 38x34"):
        model.stylize(contents[0], styles[0], depth=ramp[:, :30])
    with pytest.raises(InputError, match=r"^the depth module returns the shape \(1, 34, 38, 3\)"):
        model.stylize(contents[0], styles[0], depth=lambda pictures: pictures)
    with pytest.raises(InputError, match=r"^near 2 can't be used"):
        model.stylize(contents[0], styles[0], depth=ramp, near=2)
    without = DepthAdaIN(vgg, LAYER, depth=None)
    with pytest.raises(InputError, match=r"^the model has no depth module: give depth, a map or a module"):
        without.stylize(contents[0], styles[0])
    with pytest.raises(InputError) as error:
        DepthAdaIN(vgg, LAYER, depth="far")
    assert str(error.value) == "depth 'far' is no depth module: give a Keras model, a callable, 'auto' or None"


# Training


def test_the_loss_is_adains_and_the_mean_square_of_proximities(model, depth, contents, styles):
    model.compile(depth_weight=30.0)
    pictures = model((contents, styles))
    found = float(model.compute_loss((contents, styles), y_pred=pictures))
    apart = np.asarray(depth(pictures), "float64") - np.asarray(depth(contents), "float64")
    model.compile(depth_weight=0.0)
    alone = float(model.compute_loss((contents, styles), y_pred=pictures))
    assert found - alone == pytest.approx(30 * (apart**2).mean(), rel=1e-3)


def test_a_depth_module_alone_shapes_the_picture(vgg, contents, styles):
    """With nothing but the depth loss, the decoder learns to keep what the module sees."""

    class Brightness(keras.layers.Layer):
        def call(self, pictures):
            return tf.reduce_mean(pictures, axis=-1)

    model = DepthAdaIN(vgg, LAYER, seed=0, depth=Brightness())
    model.compile(keras.optimizers.Adam(3e-3), content_weight=0, style_weight=0, depth_weight=1.0)
    history = model.fit(contents, styles, epochs=25, batch_size=2, verbose=0).history
    assert history["depth"][-1] < 0.3 * history["depth"][0]
    assert history["loss"] == pytest.approx(history["depth"], rel=1e-4)


def test_the_depth_module_is_frozen(model, depth, contents, styles):
    before = [weight.copy() for weight in depth.get_weights()]
    model.compile(keras.optimizers.Adam(1e-2))
    assert len(model.trainable_variables) == len(model.decoder.trainable_variables)
    history = model.fit(contents, styles, epochs=1, verbose=0).history
    assert set(history) == {"loss", "content", "style", "depth"}
    for a, b in zip(before, depth.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_by_depth_needs_a_gradient(vgg, contents, styles):
    for module in (mean_channel, None):
        model = DepthAdaIN(vgg, LAYER, depth=module)
        with pytest.raises(InputError) as error:
            model.compile()
        assert str(error.value) == (
            "the depth module has no gradient to train by: give a Keras model as depth, or compile with "
            "depth_weight=0"
        )
        model.compile(depth_weight=0)
        assert np.isfinite(model.fit(contents, styles, verbose=0).history["loss"][0])
    with pytest.raises(InputError, match=r"^depth_weight -1 is negative: give 0 or more"):
        model.compile(depth_weight=-1)


# AdaIN's weights, and saving


def test_adains_weights_are_taken_over(vgg, depth, contents, styles):
    plain = AdaIN(vgg, LAYER, seed=3)
    plain.encoder.scales[LAYER].assign(2 * plain.encoder.scales[LAYER])
    model = DepthAdaIN.from_adain(plain, depth)
    assert (model.layer, model.style_layers, model.seed) == (plain.layer, plain.style_layers, plain.seed)
    np.testing.assert_array_equal(
        model.stylize(contents[0], styles[0], depth=None), plain.stylize(contents[0], styles[0])
    )


@pytest.mark.large
def test_saved_and_loaded_in_a_fresh_process(tmp_path, contents, styles):
    encoder = tfstyle.Backbone("VGG19Mini", "embedded", precision="float32", padding="reflection")
    model = DepthAdaIN(encoder, LAYER, seed=0, depth=DepthMini(None, side=32, seed=7))
    model.compile(depth_weight=3.0, style_weight=0.02)
    model.fit(contents, styles, epochs=2, verbose=0)
    model.save(tmp_path / "depth.keras")
    np.savez(tmp_path / "pair.npz", content=contents[0], style=styles[0])
    code = """
import keras, numpy as np, tfstyle.models
model = keras.saving.load_model("depth.keras")
pair = np.load("pair.npz")
np.save("picture.npy", model.stylize(pair["content"], pair["style"], near=0.1))
print(model.depth_weight, model.style_weight, int(model.optimizer.iterations), model.depth.side)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(tfstyle.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stdout.split() == ["3.0", "0.02", "2", "32"]
    assert "Skipping" not in done.stderr  # the optimizer's state fits
    np.testing.assert_allclose(
        np.load(tmp_path / "picture.npy"), model.stylize(contents[0], styles[0], near=0.1), atol=1e-5
    )


def test_a_module_that_keras_does_not_know_is_left_out(vgg):
    model = DepthAdaIN(vgg, LAYER, depth=mean_channel)
    assert model.get_config()["depth"] is None
    again = DepthAdaIN.from_config(model.get_config())
    assert again.depth is None


def test_strength_of_a_flat_map_is_fars(model, contents, styles):
    flat = model.stylize(contents[0], styles[0], depth=np.zeros(SIZE, "float32"), far=0.6)
    np.testing.assert_allclose(flat, model.stylize(contents[0], styles[0], depth=None, alpha=0.6), atol=1e-6)
