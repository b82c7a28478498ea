"""The recipes: every constant has a source, and what a user may set is checked."""

import dataclasses
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from tfstyle import InputError, Method
from tfstyle.methods import BALANCED, METHODS, UNTRAINED, get

CONSTANTS = {
    "pooling", "normalize", "content_layers", "style_layers", "content_normalization", "content_weight",
    "style_weight", "tv_weight", "optimizer", "optimizer_options", "steps", "init",
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_every_constant_that_is_set_has_a_source(name):
    method = METHODS[name]
    plain = Method("plain", "", "")
    changed = {key for key in CONSTANTS if getattr(method, key) != getattr(plain, key)}
    assert changed <= set(method.sources)
    assert {"optimizer", "steps", "statistic", "content_weight"} <= set(method.sources)
    assert set(method.sources) <= {field.name for field in dataclasses.fields(Method)}
    assert method.name == name
    assert method.reference


def test_records_are_json():
    records = json.loads(json.dumps([method.record() for method in METHODS.values()]))
    assert [record["name"] for record in records] == list(METHODS)


def test_a_method_is_taken_as_it_is_on_the_network_of_its_paper():
    gatys = get("gatys")
    assert gatys.adapted("VGG19", trained=True) is gatys


def test_elsewhere_its_weights_give_way_to_balanced_ones():
    other = get("gatys").adapted("InceptionV3", trained=True)
    assert other.content_layers is other.style_layers is None
    assert {key: getattr(other, key) for key in BALANCED} == BALANCED
    untrained = get("gatys").adapted("VGG19", trained=False)
    assert untrained.style_layers == get("gatys").style_layers
    assert {key: getattr(untrained, key) for key in UNTRAINED} == UNTRAINED
    assert untrained.sources["content_weight"] == "chosen"
    moments = get("li2017-batchnorm").adapted("VGG19", trained=False)
    assert {key: getattr(moments, key) for key in UNTRAINED} == UNTRAINED
    assert get("li2017-batchnorm").adapted("VGG19", trained=True) is get("li2017-batchnorm")
    assert get("gatys").sources["content_weight"] != "chosen"


def test_balance_can_be_asked_for_and_forbidden():
    gatys = get("gatys")
    plain = gatys.adapted("InceptionV3", trained=True, balance=False)
    assert plain == replace(gatys, content_layers=None, style_layers=None)
    balanced = gatys.adapted("VGG19", trained=True, balance=True)
    assert {key: getattr(balanced, key) for key in BALANCED} == BALANCED
    assert balanced.style_layers == gatys.style_layers
    assert get("li2017-linear").adapted("VGG19", trained=True, balance=True) is get("li2017-linear")


def test_override_leaves_what_is_none():
    gatys = get("gatys")
    assert gatys.override(steps=None, content_weight=None) == gatys
    assert gatys.override(steps=7).steps == 7


def test_options_belong_to_their_optimizer():
    tutorial = get("tf-tutorial")
    assert tutorial.override(optimizer="adam").optimizer_options == tutorial.optimizer_options
    assert tutorial.override(optimizer="lbfgs").optimizer_options == {}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"optimizer": "adamw"}, "unknown optimizer 'adamw': did you mean adam?"),
        ({"optimizer": "rmsprop"}, "unknown optimizer 'rmsprop': use one of lbfgs, adam"),
        ({"statistic": "grams"}, "unknown statistic 'grams': did you mean gram?"),
        ({"input_scaling": "caffe"}, "unknown input scaling 'caffe': use one of own, unit, symmetric"),
        ({"parameterization": "wavelets"}, "unknown parameterization 'wavelets': use one of pixels, fourier"),
        ({"content_weight": -1.0}, "content weight -1 can't be used: give a number from 0 upwards"),
        ({"style_weight": float("inf")}, "style weight inf can't be used: give a number from 0 upwards"),
        ({"tv_weight": float("nan")}, "tv weight nan can't be used: give a number from 0 upwards"),
        ({"steps": 0}, "steps 0 can't be used: give a whole number from 1 to 10000000"),
        ({"steps": 2.5}, "steps 2.5 can't be used: give a whole number from 1 to 10000000"),
    ],
)
def test_bad_values(given, text):
    with pytest.raises(InputError) as error:
        get("gatys").override(**given)
    assert str(error.value) == text


def test_an_unknown_method_suggests_the_nearest():
    with pytest.raises(InputError) as error:
        get("gattys")
    assert str(error.value) == "unknown method 'gattys': did you mean gatys or gatys2016?"


def test_the_list_needs_no_keras():
    code = "import sys, tfstyle.methods; print('keras' in sys.modules, 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False False\n"
