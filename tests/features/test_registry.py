"""What is known of networks by their names, and that one more network is one more entry."""

import subprocess
import sys

import keras
import pytest

from tfstyle import Backbone
from tfstyle.features import registry, weights
from tfstyle.features.loading import load_backbone
from tfstyle.features.network import names
from tfstyle.features.registry import BACKBONES, BackboneSpec, fallback, spec_of, tested
from tfstyle.pipelines.methods import get


def small_network(include_top=False, weights=None, input_shape=(None, None, 3)):
    """What `SMALL` builds."""
    assert (include_top, weights) == (False, None)
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="first")(inputs)
    outputs = keras.layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="second")(x)
    return keras.Model(inputs, outputs)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A second embedded network: its entry, and its file."""
    file = tmp_path / "small.weights.h5"
    small_network().save_weights(file)
    monkeypatch.setitem(sys.modules, "small_backbone", sys.modules[__name__])
    spec = BackboneSpec(
        name="Small",
        content_layer="second",
        style_layers=("first", "second"),
        preprocessing="VGG19",
        builder="small_backbone:small_network",
        weights_file=str(file),
        tested=True,
    )
    monkeypatch.setitem(BACKBONES, "Small", spec)
    return spec


def test_a_second_embedded_network_is_one_entry(small, photo):
    assert "Small" in names()
    assert "Small" in tested()
    backbone = Backbone("small")
    assert (backbone.name, backbone.weights, backbone.trained) == ("Small", "embedded", True)
    assert backbone.weights_record["source"] == "this package"
    assert set(backbone(photo[None])) == {"first", "second"}
    assert {row["backbone"]: row["source"] for row in weights.inventory()}["Small"] == "this package"
    assert get("gatys").for_backbone("Small", trained=True).style_layers is None


@pytest.mark.parametrize(("preferred", "asked"), [("VGG19", None), ("InceptionV3", None), ("VGG19", "embedded")])
def test_auto_still_works_beside_a_second_embedded_network(small, preferred, asked):
    assert fallback().name == "VGG19Mini"
    backbone = load_backbone("auto", asked, default=preferred)
    assert (backbone.name, backbone.weights_record["name"]) == ("VGG19Mini", "embedded")


def test_layers_and_sizes_are_those_of_the_networks():
    for name, spec in BACKBONES.items():
        assert spec.name == name
        if not spec.tested:
            continue
        backbone = Backbone(name, "random")
        named = {spec.content_layer, *spec.style_layers, *(spec.evaluation_layers or ((), ()))[1]}
        named |= {layer for layer in (spec.adain_layer, spec.kid_layer) if layer}
        assert named <= set(backbone.layer_names)
        assert not set(spec.missing_vgg_layers) & set(backbone.layer_names)
        if spec.has_vgg_layers:
            assert {f"block{n}_conv1" for n in range(1, 6)} <= set(backbone.layer_names)


def test_exactly_one_network_is_the_fallback_and_has_weights():
    assert [spec.name for spec in BACKBONES.values() if spec.is_fallback] == ["VGG19Mini"]
    assert fallback().weights_file


def test_a_network_without_an_entry_has_the_defaults():
    assert spec_of("DenseNet121") == BackboneSpec(name="DenseNet121")
    assert spec_of("DenseNet121").constructor == "keras.applications.DenseNet121"
    assert spec_of("VGG19Mini").constructor == "tfstyle.features.vgg19mini.VGG19Mini"


def test_the_registry_needs_no_keras():
    code = f"import sys, {registry.__name__}; print('keras' in sys.modules, 'numpy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300).stdout
        == "False False\n"
    )
