"""What a recipe is told, adapted to other networks, and checked."""

from dataclasses import replace

import pytest

from tfstyle import InputError
from tfstyle.pipelines.method import NORMALIZED, UNTRAINED
from tfstyle.pipelines.methods import get


def test_a_method_is_taken_as_it_is_on_the_network_of_its_paper():
    gatys = get("gatys")
    assert gatys.for_backbone("VGG19", trained=True) is gatys


def test_elsewhere_its_weights_give_way_to_balanced_ones():
    other = get("gatys").for_backbone("InceptionV3", trained=True)
    assert other.content_layers is other.style_layers is None
    assert {key: getattr(other, key) for key in NORMALIZED} == NORMALIZED
    untrained = get("gatys").for_backbone("VGG19", trained=False)
    assert untrained.style_layers == get("gatys").style_layers
    assert {key: getattr(untrained, key) for key in UNTRAINED} == UNTRAINED
    assert untrained.sources["content_weight"] == "chosen"
    moments = get("li2017-batchnorm").for_backbone("VGG19", trained=False)
    assert {key: getattr(moments, key) for key in UNTRAINED} == UNTRAINED
    assert get("li2017-batchnorm").for_backbone("VGG19", trained=True) is get("li2017-batchnorm")
    assert get("gatys").sources["content_weight"] != "chosen"


def test_balance_can_be_asked_for_and_forbidden():
    gatys = get("gatys")
    plain = gatys.for_backbone("InceptionV3", trained=True, normalize_losses=False)
    assert plain == replace(gatys, content_layers=None, style_layers=None)
    balanced = gatys.for_backbone("VGG19", trained=True, normalize_losses=True)
    assert {key: getattr(balanced, key) for key in NORMALIZED} == NORMALIZED
    assert balanced.style_layers == gatys.style_layers
    assert get("li2017-linear").for_backbone("VGG19", trained=True, normalize_losses=True) is get("li2017-linear")


def test_override_leaves_what_is_none():
    gatys = get("gatys")
    assert gatys.replace(steps=None, content_weight=None) == gatys
    assert gatys.replace(steps=7).steps == 7


def test_several_statistics_share_their_weights():
    def statistics(text):
        return replace(get("gatys"), statistic=text, statistic_options={}).statistics

    assert statistics("gram") == {"gram": 1.0}
    assert statistics("linear:1, gaussian:3") == {"linear": 0.25, "gaussian": 0.75}
    assert statistics("gram,linear") == {"gram": 0.5, "linear": 0.5}


def test_options_are_those_of_the_statistic_or_by_its_name():
    plain = replace(get("gatys"), statistic="gaussian", statistic_options={"bandwidth": 2.0})
    assert plain.options_of("gaussian") == {"bandwidth": 2.0}
    by_name = {"gaussian": {"bandwidth": 2.0}}
    for statistic in ("gaussian", "gaussian,linear"):
        method = replace(plain, statistic=statistic, statistic_options=by_name)
        assert method.options_of("gaussian") == {"bandwidth": 2.0}
    assert method.options_of("linear") == {}


def test_another_statistic_comes_with_weights_for_it():
    gatys = get("gatys")
    assert gatys.replace(statistic="gram") == gatys
    other = gatys.replace(statistic="linear:1,gaussian:1")
    assert other.statistic_options == {}
    assert {key: getattr(other, key) for key in NORMALIZED} == NORMALIZED
    assert other.sources["statistic"] == other.sources["content_weight"] == "chosen"
    assert gatys.replace(statistic="linear", content_weight=7.0).content_weight == 7
    balanced = get("li2017-polynomial").replace(statistic="gram")
    assert (balanced.statistic_options, balanced.sources["content_weight"]) == ({}, "chosen")


def test_a_methods_way_to_keep_colours_can_be_given_up():
    ink = get("xu2024-ink")
    assert ink.preserve_color == "ink"
    assert ink.replace(preserve_color=None).preserve_color == "ink"
    assert ink.replace(preserve_color="none").preserve_color is None


def test_options_belong_to_their_optimizer():
    tutorial = get("tf-tutorial")
    assert tutorial.replace(optimizer="adam").optimizer_options == tutorial.optimizer_options
    assert tutorial.replace(optimizer="lbfgs").optimizer_options == {}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"optimizer": "adamw"}, "unknown optimizer 'adamw': did you mean adam?"),
        ({"optimizer": "rmsprop"}, "unknown optimizer 'rmsprop': use one of lbfgs, adam"),
        ({"statistic": "grams"}, "unknown statistic 'grams': did you mean gram?"),
        ({"input_scaling": "caffe"}, "unknown input scaling 'caffe': use one of own, unit, symmetric"),
        ({"parameterization": "wavelets"}, "unknown parameterization 'wavelets': use one of pixels, fourier"),
        ({"statistic": "linear:1,gausian:2"}, "unknown statistic 'gausian': did you mean gaussian?"),
        ({"statistic": "linear:x"}, "statistic 'linear:x' has no number after the colon: give NAME:WEIGHT"),
        ({"statistic": "linear:0,gram"}, "statistic linear has the weight 0: give a number above 0"),
        ({"statistic": "gram:inf"}, "statistic gram has the weight inf: give a number above 0"),
        (
            {"statistic": "gram,linear,gram"},
            "statistic gram is named twice: give it once, with the sum of its weights",
        ),
        (
            {"statistic": "gram,linear", "statistic_options": {"gaussian": {}}},
            "unknown statistic with options 'gaussian': use one of gram, linear",
        ),
        ({"edge_weight": -1.0}, "edge weight -1 can't be used: give a number from 0 upwards"),
        ({"style_scale": 0.0}, "style scale 0 can't be used: give a number above 0"),
        ({"saturation": 1.5}, "saturation 1.5 can't be used: give a number from 0 to 1"),
        ({"blank_areas": 0.0}, "blank areas 0 can't be used: give a number above 0, up to 1"),
        ({"content_weight": -1.0}, "content weight -1 can't be used: give a number from 0 upwards"),
        ({"style_weight": float("inf")}, "style weight inf can't be used: give a number from 0 upwards"),
        ({"tv_weight": float("nan")}, "tv weight nan can't be used: give a number from 0 upwards"),
        ({"steps": 0}, "steps 0 can't be used: give a whole number from 1 to 10000000"),
        ({"steps": 2.5}, "steps 2.5 can't be used: give a whole number from 1 to 10000000"),
    ],
)
def test_bad_values(given, text):
    with pytest.raises(InputError) as error:
        get("gatys").replace(**given)
    assert str(error.value) == text


def test_vgg19mini_has_a_methods_layers_as_far_as_it_goes():
    shallow, deep = get("xu2024"), get("tf-tutorial")
    assert shallow.for_backbone("VGG19Mini", trained=True).style_layers == (
        "block1_conv1",
        "block2_conv1",
        "block3_conv1",
    )
    assert deep.content_layers == ("block5_conv2",)
    adapted = deep.for_backbone("VGG19Mini", trained=True)
    assert (adapted.content_layers, adapted.style_layers) == (None, None)
    assert (adapted.normalize_losses, adapted.content_normalization) == (True, "relative")
    assert (adapted.content_weight, adapted.style_weight) == (0.02, 1.0)


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        (("block5_conv1",), True),
        (("block5_conv2",), False),
        (("block1_conv1", "block5_conv4"), False),
        (("block5_pool",), False),
        (("block3_conv1_filters",), True),
        (("conv4",), True),  # no layer of VGG: an error that names it is better than other layers in silence
        (("block10_conv1",), True),
    ],
)
def test_only_layers_that_vgg19mini_lacks_give_way_to_its_own(layers, kept):
    method = replace(get("gatys"), style_layers=layers)
    assert method.for_backbone("VGG19Mini", trained=True).style_layers == (layers if kept else None)


def test_on_vgg19mini_lbfgs_keeps_fewer_pairs_and_adam_knows_of_none():
    assert get("gatys").for_backbone("VGG19Mini", trained=True).optimizer_options == {"history": 10}
    assert get("gatys").for_backbone("VGG19Mini", trained=True).replace(optimizer="adam").optimizer_options == {}
    assert get("tf-tutorial").for_backbone("VGG19Mini", trained=True).optimizer_options == {}
