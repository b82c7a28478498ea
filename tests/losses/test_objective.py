"""The objective: a sum of terms, which share backbones and gradients."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import (
    Backbone,
    ContentTerm,
    EdgeTerm,
    GaussianKernel,
    GaussianWasserstein,
    GramMatrix,
    InputError,
    MeanAndDeviation,
    Mixture,
    Objective,
    PairedDiscrepancyTerm,
    StyleTerm,
    TotalVariationTerm,
)

LAYERS = ["block1_conv1", "block2_conv1"]


@pytest.fixture(scope="module")
def pictures_and_two_backbones(raw):
    """A batch of two contents, a style, and two networks whose features differ by far."""
    random = np.random.default_rng(3)
    content, style = (tf.constant(random.random((n, 100, 84, 3)), "float32") for n in (2, 1))
    return content, style, raw, Backbone("MobileNetV2", "random")


def test_the_content_picture_has_no_content_loss_and_the_style_picture_no_style_loss(vgg, photo, painting, losses):
    objective = Objective([ContentTerm(vgg), StyleTerm(vgg)])
    at_content = losses(objective, photo, photo, [painting])
    at_style = losses(objective, painting, painting, [painting])
    assert at_content["content"] == 0 < at_content["style"]
    assert at_style["style"] < 1e-9 * at_content["style"]


def test_one_forward_pass_per_backbone_whatever_the_number_of_terms(vgg, photo, painting, monkeypatch):
    calls = []
    original = Backbone.__call__

    def counted(self, pictures, layers=None):
        calls.append(tuple(layers))
        return original(self, pictures, layers)

    other = Backbone("MobileNetV2", "random")
    objective = Objective(
        [ContentTerm(vgg), StyleTerm(vgg), StyleTerm(vgg, ["block5_conv2"]), StyleTerm(other), TotalVariationTerm()]
    )
    targets = objective.targets(photo[None], [painting[None]])
    monkeypatch.setattr(Backbone, "__call__", counted)
    terms = objective(photo[None], targets)
    assert list(terms) == ["content", "style", "style_2", "style_3", "total_variation"]
    assert len(calls) == 2
    assert set(calls[0]) == {*vgg.style_layers, "block4_conv2", "block5_conv2"}


def test_batches_are_independent(vgg, photo, painting, picture):
    objective = Objective([ContentTerm(vgg), StyleTerm(vgg), TotalVariationTerm()])
    targets = objective.targets(photo[None], [painting[None]])
    both = objective(np.stack([picture, photo]), targets)
    for index, x in enumerate((picture, photo)):
        for name, value in objective(x[None], targets).items():
            np.testing.assert_allclose(both[name][index], value[0], rtol=2e-4, atol=1e-6)


def test_the_tensorflow_tutorials_loss_and_gradient(real_weights, gram_of):
    """Loss and gradient as plain TensorFlow has them, and the style loss in NumPy in float64 besides."""
    vgg = Backbone("VGG19")
    random = np.random.default_rng(0)
    content, style, start = (random.random((1, 64, 80, 3), "float32") for _ in range(3))
    style_layers = [f"block{i}_conv1" for i in range(1, 6)]
    objective = Objective(
        [
            ContentTerm(vgg, "block5_conv2", weight=1e4),
            StyleTerm(vgg, style_layers, GramMatrix("positions"), weight=1e-2),
        ]
    )
    targets = objective.targets(content, [style])

    plain = keras.applications.VGG19(include_top=False, weights=None)
    plain.load_weights(real_weights / "vgg19_imagenet_notop.weights.h5")
    network = keras.Model(plain.input, [plain.get_layer(n).output for n in (*style_layers, "block5_conv2")])

    def network_features(x):
        return network(keras.applications.vgg19.preprocess_input(x * 255.0))

    def extract(x):
        *styles, last = network_features(x)
        grams = [
            tf.einsum("bijc,bijd->bcd", f, f) / tf.cast(tf.shape(f)[1] * tf.shape(f)[2], tf.float32) for f in styles
        ]
        return grams, last

    style_targets, content_target = extract(tf.constant(style))[0], extract(tf.constant(content))[1]
    x = tf.constant(start)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        grams, last = extract(x)
        style_loss = tf.add_n([tf.reduce_mean((g - t) ** 2) for g, t in zip(grams, style_targets, strict=True)])
        theirs = style_loss * 1e-2 / 5 + tf.reduce_mean((last - content_target) ** 2) * 1e4
        terms = objective(x, targets)
        ours = tf.reduce_sum(terms["content"] + terms["style"])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    exact = [
        np.mean((gram_of(f) - gram_of(s)) ** 2)
        for f, s in zip(network_features(x)[:-1], network_features(style)[:-1], strict=True)
    ]
    np.testing.assert_allclose(float(terms["style"][0]), np.mean(exact) * 1e-2, rtol=1e-5)
    gradient, reference = tape.gradient(ours, x).numpy(), tape.gradient(theirs, x).numpy()
    assert np.linalg.norm(gradient - reference) <= 1e-5 * np.linalg.norm(reference)


def test_serialisation_shares_backbones_again(vgg, photo, painting, picture, losses):
    objective = Objective(
        [
            ContentTerm(vgg, "block2_conv2", 2.0, "relative"),
            StyleTerm(vgg, LAYERS, MeanAndDeviation(), 3.0, [0.2, 0.8], normalize_losses=True),
            TotalVariationTerm(4.0),
        ]
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert len(again.backbones) == 1
    assert {term.backbone for term in again.terms} == {again.backbones[0], None}
    assert losses(again, picture, photo, [painting]) == pytest.approx(
        losses(objective, picture, photo, [painting]), rel=1e-6
    )


def test_every_term_has_a_name_of_its_own(vgg):
    named = [StyleTerm(vgg, LAYERS, name=name) for name in ("style", "style_3", "style", "style", "loss")]
    assert Objective(named).names == ("style", "style_3", "style_2", "style_4", "loss_2")


def test_shares_are_of_the_gradient_at_the_content_picture(pictures_and_two_backbones):
    content, style, first, second = pictures_and_two_backbones

    def gradients(objective):
        """Of each backbone's losses at the content picture."""
        targets = objective.targets(content, [style])
        found = []
        for backbone in objective.backbones:
            with tf.GradientTape() as tape:
                tape.watch(content)
                losses = objective(content, targets)
                total = sum(losses[n] for n, t in zip(objective.names, objective.terms, strict=True)
                            if t.backbone is backbone)  # fmt: skip
            found.append(tape.gradient(total, content).numpy())
        return found

    def terms():
        yield from (ContentTerm(first, name="a"), StyleTerm(first, name="b", weight=300.0))
        yield from (ContentTerm(second, name="c"), StyleTerm(second, name="d"), TotalVariationTerm(0.1))

    plain, shared = gradients(Objective(terms())), gradients(Objective(terms(), gradient_shares=[1, 3]))
    assert np.allclose(shared[0], plain[0], rtol=1e-5, atol=1e-9 * np.abs(plain[0]).max())
    norms = [np.sqrt(np.sum(np.square(each, dtype=np.float64), axis=(1, 2, 3))) for each in shared]
    assert np.allclose(norms[1] / norms[0], 3, rtol=1e-4)  # of each picture of the batch
    assert not np.allclose(*(np.linalg.norm(each) for each in plain), rtol=0.1)


@pytest.mark.large
def test_shares_are_the_same_in_tiles(pictures_and_two_backbones):
    content, style, first, second = pictures_and_two_backbones
    terms = [StyleTerm(first, first.style_layers[:2]), StyleTerm(second, second.style_layers[:2])]
    whole = Objective(terms, gradient_shares=[1, 2]).targets(content, [style])["factors"]
    tiled = Objective(terms, tile=64, gradient_shares=[1, 2])
    assert tiled.grid(*content.shape[1:3]) is not None
    for name, factor in tiled.targets(content, [style])["factors"].items():
        assert np.allclose(factor, whole[name], rtol=1e-4)


def test_shares_come_back_from_the_configuration(pictures_and_two_backbones):
    _, _, first, second = pictures_and_two_backbones
    objective = Objective([StyleTerm(first), StyleTerm(second)], gradient_shares=[1, 0.5])
    assert Objective.from_config(objective.get_config()).gradient_shares == (1.0, 0.5)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([1.0], "1 gradient shares for 2 backbones: give one for each"),
        ([1, 0], r"gradient shares \(1.0, 0.0\) can't be used: give numbers above 0"),
    ],
)
def test_shares_are_positive_and_one_for_each_backbone(pictures_and_two_backbones, shares, message):
    _, _, first, second = pictures_and_two_backbones
    with pytest.raises(InputError, match=message):
        Objective([StyleTerm(first), StyleTerm(second)], gradient_shares=shares)


def test_the_configuration_of_older_files_has_another_name_for_gradient_shares(pictures_and_two_backbones):
    _, _, first, second = pictures_and_two_backbones
    config = Objective([StyleTerm(first), StyleTerm(second)], gradient_shares=[1, 0.5]).get_config()
    config["shares"] = config.pop("gradient_shares")
    assert Objective.from_config(config).gradient_shares == (1.0, 0.5)


def test_an_objective_needs_a_term():
    with pytest.raises(InputError, match="needs at least one term"):
        Objective([])


def test_its_repr_is_a_line_for_each_term(vgg):
    objective = Objective([StyleTerm(vgg, LAYERS), StyleTerm(vgg, LAYERS), TotalVariationTerm()], tile=300)
    names = [line.strip().split("(")[0] for line in repr(objective).splitlines()]
    assert names[:3] == ["Objective", "style: StyleTerm", "style_2: StyleTerm"]
    assert names[3:] == ["total_variation: TotalVariationTerm", "tile=300,", ")"]


def test_a_fresh_process_knows_all_terms_and_statistics(tmp_path):
    """Which an objective imports when it is loaded."""
    backbone = Backbone("VGG19Mini")
    mixture = Mixture([(GramMatrix(), 1.0), (GaussianKernel(), 2.0), (GaussianWasserstein(), 1.0)])
    terms = [StyleTerm(backbone, LAYERS, mixture), EdgeTerm(), PairedDiscrepancyTerm(backbone, LAYERS)]
    config = keras.saving.serialize_keras_object(Objective(terms))
    path = tmp_path / "objective.json"
    path.write_text(json.dumps(config))
    code = (
        "import json, sys, keras, tfstyle.losses.objective\n"
        "print(keras.saving.deserialize_keras_object(json.load(open(sys.argv[1]))))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=300
    )
    assert run.stdout.strip() == repr(Objective(terms))
