"""What is chosen where nothing is asked for: terms, network, optimizer and parameterization of a method."""

import logging
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from tfstyle import (
    LBFGS,
    Backbone,
    Canvas,
    ContentTerm,
    GaussianKernel,
    InputError,
    LinearKernel,
    MeanAndDeviation,
    Mixture,
    StyleTerm,
    TotalVariationTerm,
)
from tfstyle.features import loading
from tfstyle.features.loading import backbone_weights
from tfstyle.losses.registry import STATISTICS
from tfstyle.optimization.parameterization import Fourier, Pixels
from tfstyle.pipelines import build, methods
from tfstyle.pipelines.build import Branch


@pytest.mark.parametrize("name", methods.METHODS)
def test_the_terms_are_the_methods(vgg, name):
    method = methods.get(name)
    objective = build.objective([Branch(method, vgg)], 77)
    assert objective.tile == 77
    content, style, *edges = objective.terms  # no method has total variation of its own
    assert [term.weight for term in edges] == ([method.edge_weight] if method.edge_weight else [])
    assert isinstance(content, ContentTerm)
    assert isinstance(style, StyleTerm)
    assert content.backbone is style.backbone is vgg
    assert content.layers == (method.content_layers or (vgg.content_layer,))
    assert style.layers == (method.style_layers or vgg.style_layers)
    assert (content.weight, style.weight) == (method.content_weight, method.style_weight)
    assert content.normalization == method.content_normalization
    assert style.normalize_losses == method.normalize_losses
    assert style.layer_weights is None
    if len(method.statistics) > 1:
        assert [type(part) for part, _ in style.statistic.parts] == [STATISTICS[name] for name in method.statistics]
        return
    assert type(style.statistic) is STATISTICS[method.statistic]
    assert style.statistic.get_config().items() >= method.statistic_options.items()


class Brightness(MeanAndDeviation):
    """A statistic of one's own."""


def test_a_new_statistic_is_one_line_in_the_registry(monkeypatch):
    monkeypatch.setitem(sys.modules, "brightness", sys.modules[__name__])
    monkeypatch.setitem(STATISTICS._places, "brightness", "brightness:Brightness")
    method = methods.get("gatys").replace(
        statistic="brightness:1,gram:3", statistic_options={"brightness": {"epsilon": 1e-3}}
    )
    (first, _), _ = build.statistic(method).parts
    assert (type(first), first.epsilon) == (Brightness, 1e-3)


def test_an_option_that_a_statistic_has_not_is_refused():
    method = replace(methods.get("gatys"), statistic_options={"normalisation": "paper"})
    with pytest.raises(InputError, match="option of the statistic gram 'normalisation': did you mean normalization"):
        build.statistic(method)


def test_several_statistics_are_a_mixture():
    method = methods.get("gatys").replace(
        statistic="linear:1,gaussian:3", statistic_options={"gaussian": {"bandwidth": 2.0}}
    )
    mixture = build.statistic(method)
    assert isinstance(mixture, Mixture)
    (linear, first), (gaussian, second) = mixture.parts
    assert (type(linear), type(gaussian), gaussian.bandwidth) == (LinearKernel, GaussianKernel, 2.0)
    assert (first, second) == (0.25, 0.75)


def test_total_variation_is_a_term_where_it_has_weight(vgg):
    method = methods.get("gatys").for_backbone("VGG19", trained=False)
    smooth = build.objective([Branch(method, vgg)]).terms[-1]
    assert isinstance(smooth, TotalVariationTerm)
    assert smooth.weight == method.tv_weight == 0.1
    without = build.objective([Branch(method.replace(tv_weight=0), vgg)])
    assert without.names == ("content", "style")


def test_layers_of_none_are_the_backbones(vgg):
    method = replace(methods.get("gatys"), content_layers=None, style_layers=None)
    content, style = build.objective([Branch(method, vgg)]).terms
    assert content.layers == (vgg.content_layer,)
    assert style.layers == vgg.style_layers


def test_an_ensemble_is_the_weighted_sum_of_its_networks(vgg, photo, painting):
    other = Backbone("VGG16", "random", seed=3)
    method = methods.get("li2017-batchnorm").replace(
        style_layers=("block1_conv1", "block2_conv1"), content_layers=("block2_conv1",)
    )
    smoothed = method.replace(tv_weight=0.5)
    weights = {vgg: 1e-3, other: 20.0}
    canvas = build.compose(
        [Branch(smoothed, network, weight) for network, weight in weights.items()], photo, [painting]
    )
    names = ("content_vgg19", "style_vgg19", "content_vgg16", "style_vgg16", "total_variation")
    assert canvas.objective.names == names
    picture = np.random.default_rng(1).random((1, *photo.shape)).astype("float32")
    found = canvas.objective(picture, canvas.targets)
    for network, weight in weights.items():
        alone = build.compose([Branch(method, network)], photo, [painting])
        for name, loss in alone.objective(picture, alone.targets).items():
            both = found[f"{name}_{network.name.lower()}"]
            np.testing.assert_allclose(both, weight * np.asarray(loss), rtol=1e-5)
    tv = build.compose([Branch(smoothed, vgg)], photo, [painting])
    np.testing.assert_allclose(found["total_variation"], tv.objective(picture, tv.targets)["total_variation"])


def test_shares_of_an_ensemble(vgg):
    assert backbone_weights("auto") == {"auto": 1.0}
    assert backbone_weights("vgg19:1e-3, InceptionV3:1") == {"vgg19": 1e-3, "InceptionV3": 1.0}
    assert backbone_weights("vgg19,resnet50") == {"vgg19": 1.0, "resnet50": 1.0}
    assert backbone_weights(vgg) == {vgg: 1.0}
    assert backbone_weights({vgg: 2.0, "VGG16": 0.5}) == {vgg: 2.0, "VGG16": 0.5}


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("vgg19:much", "backbone 'vgg19:much' has no number after the colon: give NAME:WEIGHT"),
        ("vgg19:0,vgg16", "backbone vgg19 has the weight 0: give a number above 0"),
        ("vgg19:-1", "backbone vgg19 has the weight -1: give a number above 0"),
        ("vgg19:nan", "backbone vgg19 has the weight nan: give a number above 0"),
        ("vgg19,VGG19", "backbone VGG19 is named twice: give it once, with the sum of its weights"),
        ({}, "there is no backbone: name at least one"),
    ],
)
def test_shares_that_can_not_be(backbone, message):
    with pytest.raises(InputError) as error:
        backbone_weights(backbone)
    assert str(error.value) == message


def test_a_canvas_of_a_method(vgg, photo, painting):
    method = methods.get("li2017-batchnorm")
    options = {"style_scale": 0.8, "content_masks": [np.eye(40, 60, dtype="float32")], "parameterization": Fourier()}
    canvas = build.compose([Branch(method, vgg)], photo, [painting, photo], [0.2, 0.8], "noise", 60, 3, **options)
    assert isinstance(canvas, Canvas)
    assert canvas.objective.names == ("content", "style")
    assert canvas.parameterization is options["parameterization"]
    assert canvas.picture.shape == (40, 60, 3)
    np.testing.assert_array_equal(canvas.picture, np.random.default_rng(3).random((40, 60, 3), np.float32))
    assert canvas._options.style_scale == 0.8
    assert "masks" in canvas.targets["terms"]["style"]["block1_conv1"]
    with pytest.raises(InputError, match="unknown layer of VGG19 'block9'"):
        build.compose([Branch(method.replace(style_layers=("block9",)), vgg)], photo, [painting])


class Recorded(Backbone):
    """A backbone that is never built, and knows what was asked for."""

    def __init__(self, name, weights, **options):
        self.name = name
        self.asked = {"weights": weights, **options}
        self.weights_record = {"name": str(weights), "source": "nowhere"}
        self.pooling = options["pooling"]


@pytest.fixture
def networks(monkeypatch):
    monkeypatch.setattr("tfstyle.features.backbone.Backbone", Recorded)
    monkeypatch.setattr(loading, "faster", lambda: "bfloat16")


GATYS, PAPER = methods.get("gatys"), methods.get("gatys2016")
NONE = {"pooling": None, "precision": "float32", "seed": 5}


@pytest.mark.parametrize(
    ("backbone", "weights", "recipe", "others", "name", "expected"),
    [
        ("VGG16", None, GATYS, {}, "VGG16", {"weights": None, "pooling": "max", "normalize": None}),
        ("VGG16", "random", GATYS, {}, "VGG16", {"weights": "random", "pooling": "avg"}),
        ("VGG16", "file.h5", PAPER, {}, "VGG16", {"weights": "file.h5", "pooling": "avg", "normalize": True}),
        ("VGG16", "file.h5", PAPER, {"pooling": "max"}, "VGG16", {"pooling": "max", "seed": 5}),
        ("VGG16", "random", GATYS, {"pooling": "max"}, "VGG16", {"pooling": "max", "precision": "float32"}),
        ("auto", None, GATYS, {"precision": "auto"}, "VGG19Mini", {"weights": None, "precision": "bfloat16"}),
        ("auto", "embedded", GATYS, {}, "VGG19Mini", {"weights": "embedded", "pooling": "max"}),
        ("auto", "random", GATYS, {}, "VGG19", {"weights": "random", "pooling": "avg"}),
        ("auto", "imagenet", GATYS, {}, "VGG19", {"weights": "imagenet", "pooling": "max"}),
        ("auto", None, replace(GATYS, backbone="ResNet50"), {}, "VGG19Mini", {"weights": None, "pooling": "max"}),
    ],
)
def test_the_network_is_the_one_asked_for_or_the_methods(networks, backbone, weights, recipe, others, name, expected):
    found = build.network(backbone, weights, recipe, **{**NONE, **others})
    assert found.name == name
    assert found.asked.items() >= expected.items()


def test_the_weights_that_are_there_are_taken_and_said(networks, caplog, monkeypatch, tmp_path):
    (tmp_path / "vgg19_imagenet_notop.weights.h5").write_bytes(b"")
    with caplog.at_level(logging.INFO, "tfstyle"):
        assert build.network("auto", None, GATYS, **NONE).name == "VGG19Mini"
        monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path))
        assert build.network("auto", None, GATYS, **NONE).name == "VGG19"
    fallback, found = caplog.records
    assert (fallback.levelname, found.levelname) == ("WARNING", "INFO")
    assert "there are no ImageNet weights" in fallback.getMessage()
    assert found.getMessage() == "painting with VGG19, weights None (nowhere)"


def test_a_network_of_ones_own_is_taken_as_it_is(vgg):
    assert build.network(vgg, None, GATYS, **NONE) is vgg
    assert build.network(vgg, None, GATYS, **NONE | {"pooling": "max"}) is vgg
    for weights, pooling in (("random", None), (None, "avg")):
        with pytest.raises(InputError, match="has its weights and pooling already: leave out weights and pooling"):
            build.network(vgg, weights, GATYS, **NONE | {"pooling": pooling})


def test_a_network_of_ones_own_has_its_input_scaling_and_smoothing(vgg):
    for given, text in (
        ({"input_scaling": "unit"}, "VGG19.* has its input scaling already: leave out input scaling"),
        ({"activation_smoothing": True}, "VGG19.* has no activation smoothing: leave it out, or build it with"),
    ):
        with pytest.raises(InputError, match=text):
            build.network(vgg, None, replace(GATYS, **given), **NONE)
    unit = Backbone("VGG19", "random", input_scaling="unit")
    assert build.network(unit, None, replace(GATYS, input_scaling="unit"), **NONE) is unit


def test_branches_of_balanced_gradients_have_shares_instead_of_factors(vgg):
    branches = [Branch(GATYS, vgg, 2.0), Branch(GATYS, Backbone("VGG16", "random"), 3.0)]
    plain, balanced = (build.objective(branches, balance_gradients=wanted) for wanted in (False, True))
    assert (plain.gradient_shares, balanced.gradient_shares) == ((), (2.0, 3.0))
    weight = GATYS.content_weight
    assert [term.weight for term in plain.terms[::2]] == [2 * weight, 3 * weight]
    assert [term.weight for term in balanced.terms[::2]] == [weight, weight]


def test_the_optimizer_is_the_methods():
    lbfgs = build.optimizer(GATYS, None, 64, 64, 0.5)
    assert isinstance(lbfgs, LBFGS)
    assert (lbfgs.history, float(lbfgs.learning_rate), lbfgs.smoothness) == (20, 1.0, 0.5)
    own = replace(GATYS, optimizer_options={"history": 7, "smoothness": 0.1})
    lbfgs = build.optimizer(own, 0.5, 64, 64, 0.5)
    assert (lbfgs.history, float(lbfgs.learning_rate), lbfgs.smoothness) == (7, 0.5, 0.1)
    tutorial = build.optimizer(methods.get("tf-tutorial"), None, 64, 64, 0.5)
    assert isinstance(tutorial, keras.optimizers.Adam)
    assert [tutorial.beta_1, tutorial.epsilon, float(tutorial.learning_rate)] == pytest.approx([0.99, 0.1, 0.02])
    adam = GATYS.replace(optimizer="adam")
    assert float(build.optimizer(adam, None, 64, 64, 0.5).learning_rate) == pytest.approx(10 / 255)
    assert float(build.optimizer(adam, 0.3, 64, 64, 0.5).learning_rate) == pytest.approx(0.3)


@pytest.mark.parametrize(("name", "kind"), [("pixels", Pixels), ("fourier", Fourier)])
@pytest.mark.parametrize("grey", [False, True])
def test_the_parameterization_has_its_name(name, kind, grey):
    found = build.parameterization(name, grey)
    assert type(found) is kind
    assert found.grey is grey


def test_a_gpu_takes_several_steps_a_call(monkeypatch):
    for devices, steps in (([], 1), (["a GPU"], 10)):
        monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind, devices=devices: devices)
        assert build.steps_per_call() == steps
