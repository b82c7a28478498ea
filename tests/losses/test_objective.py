"""Terms against NumPy in float64, and the objective that is their sum."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, strategies as st

from tfstyle import (
    Backbone,
    ContentTerm,
    GramMatrix,
    InputError,
    MeanAndDeviation,
    Objective,
    StyleTerm,
    TotalVariationTerm,
)

LAYERS = ["block1_conv1", "block2_conv1"]


def double(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float64")


def gram(f):
    flat = f.reshape(-1, f.shape[-1])
    return flat.T @ flat / len(flat)


@pytest.fixture(scope="module")
def raw():
    """VGG19 with random weights, without normalisation, so that features are as NumPy sees them."""
    return Backbone("VGG19", "random", normalize=False)


@pytest.fixture(scope="module")
def pictures_and_two_backbones(raw):
    """A batch of two contents, a style, and two networks whose features differ by far."""
    random = np.random.default_rng(3)
    content, style = (tf.constant(random.random((n, 100, 84, 3)), "float32") for n in (2, 1))
    return content, style, raw, Backbone("MobileNetV2", "random")


def losses(objective, picture, content, styles, mix=None):
    targets = objective.targets(content[None], [style[None] for style in styles], mix)
    return {name: float(value[0]) for name, value in objective(picture[None], targets).items()}


@pytest.fixture(scope="module")
def picture(photo):
    return np.random.default_rng(0).random(photo.shape, "float32")


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("mean", lambda f, p: np.mean((f - p) ** 2)),
        ("paper", lambda f, p: np.sum((f - p) ** 2) / 2),
        ("relative", lambda f, p: np.mean((f - p) ** 2) / np.mean(p**2)),
    ],
)
def test_content_loss_is_the_formula(raw, picture, photo, painting, normalization, expected):
    objective = Objective([ContentTerm(raw, LAYERS, 3.0, normalization)])
    f, p = (raw(x[None], LAYERS) for x in (picture, photo))
    want = 3 * np.mean([expected(double(f[layer]), double(p[layer])) for layer in LAYERS])
    np.testing.assert_allclose(losses(objective, picture, photo, [painting])["content"], want, rtol=1e-5)


def test_style_loss_is_the_weighted_sum_over_layers(raw, picture, photo, painting):
    f, s = (raw(x[None], LAYERS) for x in (picture, painting))
    each = [np.mean((gram(double(f[layer])[0]) - gram(double(s[layer])[0])) ** 2) for layer in LAYERS]
    statistic = GramMatrix("positions")
    by_default = Objective([StyleTerm(raw, LAYERS, statistic, 2.0)])
    weighted = Objective([StyleTerm(raw, LAYERS, statistic, 2.0, layer_weights=[0.9, 0.3])])
    np.testing.assert_allclose(losses(by_default, picture, photo, [painting])["style"], np.sum(each), rtol=1e-5)
    np.testing.assert_allclose(
        losses(weighted, picture, photo, [painting])["style"], 2 * np.dot([0.9, 0.3], each), rtol=1e-5
    )


def test_total_variation_is_the_formula(picture, photo, painting):
    x = picture.astype("float64")
    want = 7 * (np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2)) / x.size
    objective = Objective([TotalVariationTerm(7.0)])
    np.testing.assert_allclose(losses(objective, picture, photo, [painting])["total_variation"], want, rtol=1e-5)
    flat = np.full_like(picture, 0.3)
    assert losses(objective, flat, photo, [painting])["total_variation"] == 0


def test_the_content_picture_has_no_content_loss_and_the_style_picture_no_style_loss(vgg, photo, painting):
    objective = Objective([ContentTerm(vgg), StyleTerm(vgg)])
    at_content = losses(objective, photo, photo, [painting])
    at_style = losses(objective, painting, painting, [painting])
    assert at_content["content"] == 0 < at_content["style"]
    assert at_style["style"] < 1e-9 * at_content["style"]


def test_a_balanced_style_loss_starts_at_one_in_every_layer(vgg, photo, painting):
    for layer in LAYERS:
        for statistic in (GramMatrix(), MeanAndDeviation()):
            objective = Objective([StyleTerm(vgg, [layer], statistic, weight=5.0, balance=True)])
            np.testing.assert_allclose(losses(objective, photo, photo, [painting])["style"], 5, rtol=1e-5)


def test_a_normalised_backbone_has_unit_mean_activation(photo, painting):
    backbone = Backbone("ResNet50", "random")
    objective = Objective([StyleTerm(backbone)])
    scales = objective.targets(photo[None], [painting[None]])["scales"]["0"]
    means = {
        layer: np.mean([np.abs(double(backbone(x[None], [layer])[layer])).mean() for x in (photo, painting)])
        for layer in backbone.style_layers
    }
    for layer in backbone.style_layers:
        np.testing.assert_allclose(double(scales[layer]).item() * means[layer], 1, rtol=1e-5)
    assert max(means.values()) > 100 * min(means.values())  # which is why


def test_normalising_forgets_the_scale_of_the_weights(photo, painting, picture):
    """Twice the kernel is the same normalised network."""
    backbone = Backbone("VGG16", "random")
    objective = Objective([ContentTerm(backbone), StyleTerm(backbone)])
    before = losses(objective, picture, photo, [painting])
    kernel = backbone._layers["block1_conv2"].kernel
    kernel.assign(kernel * 2.0)
    after = losses(objective, picture, photo, [painting])
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-3)


@given(st.floats(0, 1))
def test_the_loss_of_a_blend_is_that_of_the_mixed_gram_matrix(vgg_raw_small, weight):
    backbone, picture, photo, styles = vgg_raw_small
    layer = "block1_conv1"
    grams = [gram(double(backbone(x[None], [layer])[layer])[0]) for x in (picture, *styles)]
    want = np.mean((grams[0] - weight * grams[1] - (1 - weight) * grams[2]) ** 2)
    objective = Objective([StyleTerm(backbone, [layer], GramMatrix("positions"))])
    found = losses(objective, picture, photo, styles, [weight, 1 - weight])["style"]
    np.testing.assert_allclose(found, want, rtol=1e-4)


@pytest.fixture(scope="module")
def vgg_raw_small(raw):
    random = np.random.default_rng(1)
    return raw, *random.random((2, 32, 40, 3), "float32"), list(random.random((2, 33, 36, 3), "float32"))


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


def test_the_tensorflow_tutorials_loss_and_gradient(real_weights):
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
        np.mean((gram(double(f)[0]) - gram(double(s)[0])) ** 2)
        for f, s in zip(network_features(x)[:-1], network_features(style)[:-1], strict=True)
    ]
    np.testing.assert_allclose(float(terms["style"][0]), np.mean(exact) * 1e-2, rtol=1e-5)
    gradient, reference = tape.gradient(ours, x).numpy(), tape.gradient(theirs, x).numpy()
    assert np.linalg.norm(gradient - reference) <= 1e-5 * np.linalg.norm(reference)


def test_serialisation_shares_backbones_again(vgg, photo, painting, picture):
    objective = Objective(
        [
            ContentTerm(vgg, "block2_conv2", 2.0, "relative"),
            StyleTerm(vgg, LAYERS, MeanAndDeviation(), 3.0, [0.2, 0.8], balance=True),
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


def test_a_content_picture_that_has_the_style_already_stays_calm(vgg, painting):
    objective = Objective([StyleTerm(vgg, balance=True)])
    nudged = np.clip(painting + np.random.default_rng(0).normal(0, 1e-3, painting.shape), 0, 1).astype("float32")
    assert losses(objective, nudged, painting, [painting])["style"] < 10


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda vgg: ContentTerm(vgg, weight=-1), "content weight -1 is negative: give 0 or more"),
        (lambda vgg: StyleTerm(vgg, weight=float("nan")), "style weight nan is negative: give 0 or more"),
        (
            lambda vgg: StyleTerm(vgg, LAYERS, layer_weights=[1]),
            "1 layer weights for 2 layers: give one for each",
        ),
        (lambda vgg: Objective([]), "an objective needs at least one term"),
    ],
)
def test_bad_terms(vgg, make, text):
    with pytest.raises(InputError) as error:
        make(vgg)
    assert str(error.value) == text


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

    plain, shared = gradients(Objective(terms())), gradients(Objective(terms(), shares=[1, 3]))
    assert np.allclose(shared[0], plain[0], rtol=1e-5, atol=1e-9 * np.abs(plain[0]).max())
    norms = [np.sqrt(np.sum(np.square(each, dtype=np.float64), axis=(1, 2, 3))) for each in shared]
    assert np.allclose(norms[1] / norms[0], 3, rtol=1e-4)  # of each picture of the batch
    assert not np.allclose(*(np.linalg.norm(each) for each in plain), rtol=0.1)


@pytest.mark.large
def test_shares_are_the_same_in_tiles(pictures_and_two_backbones):
    content, style, first, second = pictures_and_two_backbones
    terms = [StyleTerm(first, first.style_layers[:2]), StyleTerm(second, second.style_layers[:2])]
    whole = Objective(terms, shares=[1, 2]).targets(content, [style])["factors"]
    tiled = Objective(terms, tile=64, shares=[1, 2])
    assert tiled.grid(*content.shape[1:3]) is not None
    for name, factor in tiled.targets(content, [style])["factors"].items():
        assert np.allclose(factor, whole[name], rtol=1e-4)


def test_shares_come_back_from_the_configuration(pictures_and_two_backbones):
    _, _, first, second = pictures_and_two_backbones
    objective = Objective([StyleTerm(first), StyleTerm(second)], shares=[1, 0.5])
    assert Objective.from_config(objective.get_config()).shares == (1.0, 0.5)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([1.0], "1 shares for 2 backbones: give one for each"),
        ([1, 0], r"shares \(1.0, 0.0\) must be numbers above 0"),
    ],
)
def test_shares_are_positive_and_one_for_each_backbone(pictures_and_two_backbones, shares, message):
    _, _, first, second = pictures_and_two_backbones
    with pytest.raises(InputError, match=f"^{message}$"):
        Objective([StyleTerm(first), StyleTerm(second)], shares=shares)
