"""Depth Anything of KerasHub: what it is given and what is made of its answer, with a stand-in for KerasHub."""

import builtins
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError
from tfstyle.models.depth import DepthAnything, estimate


class _Estimator(keras.Model):
    """Answers with the first channel; `seen` is what it was given."""

    def call(self, pictures, training=None):
        self.seen = pictures
        return {"depths": 7.0 + 2.0 * pictures[..., 0]}


@pytest.fixture
def hub(monkeypatch):
    asked = []

    def from_preset(preset, depth_estimation_type):
        asked.append((preset, depth_estimation_type))
        if preset == "gone":
            raise ValueError("Unknown preset identifier.")
        return _Estimator()

    fake = SimpleNamespace(models=SimpleNamespace(DepthEstimator=SimpleNamespace(from_preset=from_preset)))
    monkeypatch.setitem(sys.modules, "keras_hub", fake)
    return asked


def test_pictures_are_resized_and_normalised_and_answers_scaled(hub):
    module = DepthAnything(side=28)
    assert hub == [("depth_anything_v2_small", "relative")]
    flat = np.broadcast_to(np.array([0.2, 0.4, 0.6], "float32"), (1, 20, 30, 3))
    module(flat)
    assert module.model.seen.shape == (1, 28, 28, 3)
    expected = (np.array([0.2, 0.4, 0.6]) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(module.model.seen[0, 5, 5], expected, rtol=1e-4)
    ramp = np.repeat(np.linspace(0, 1, 30, dtype="float32")[None, :, None], 20, axis=0).repeat(3, axis=2)
    found = estimate(module, ramp)
    assert (found.min(), found.max()) == (0, 1)
    np.testing.assert_allclose(found, ramp[..., 0], atol=0.03)
    assert not module.model.trainable


def test_gradients_flow_to_the_pictures(hub):
    module, pictures = DepthAnything(side=28), tf.random.stateless_uniform((1, 20, 30, 3), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        value = tf.reduce_sum(module(pictures) ** 2)
    assert float(tf.norm(tape.gradient(value, pictures))) > 0


def test_a_configuration_has_the_preset(hub):
    module = DepthAnything("some_preset", side=56)
    config = keras.saving.serialize_keras_object(module)
    again = keras.saving.deserialize_keras_object(config)
    assert (again.preset, again.side) == ("some_preset", 56)
    assert hub[-1] == ("some_preset", "relative")


def test_a_preset_that_cannot_be_loaded(hub):
    with pytest.raises(
        InputError,
        match=r"^the preset gone of .* can't be loaded \(Unknown preset identifier\.\): give another preset",
    ):
        DepthAnything("gone")


def test_without_keras_hub_the_message_names_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras_hub", raising=False)
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("keras_hub"):
            raise ModuleNotFoundError("No module named 'keras_hub'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(
        InputError,
        match=r"^Depth Anything needs KerasHub, .*'keras_hub'\): pip install \"tfstyle\[depth\]\", or use DepthMini",
    ):
        DepthAnything()
