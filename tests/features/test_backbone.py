"""Backbones against the plain Keras applications, and their names in any process."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from tfstyle import Backbone, InputError

TESTED = ["VGG16", "VGG19", "InceptionV3", "ResNet50", "NASNetMobile", "MobileNetV2"]
SIDE = 96


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((1, SIDE, SIDE, 3), "float32")


@pytest.mark.parametrize("name", TESTED)
def test_features_are_the_keras_applications_own(name, pictures):
    """Same weights, Keras' own preprocessing and its own static input shape: the same numbers."""
    backbone = Backbone(name, weights="random", seed=3)
    module = sys.modules[getattr(keras.applications, name).__module__]
    plain = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    plain.set_weights(backbone._application.get_weights())
    layers = (*backbone.style_layers, backbone.content_layer)
    by_position = {stable: i for i, stable in enumerate(backbone.layer_names)}
    names = {layer: plain.layers[by_position[layer]].output for layer in layers}
    expected = keras.Model(plain.input, names)(module.preprocess_input(pictures * 255.0), training=False)
    found = backbone(pictures, layers)
    assert set(found) == set(layers)
    for layer in layers:
        scale = np.abs(expected[layer].numpy()).max()
        np.testing.assert_allclose(found[layer].numpy() / scale, expected[layer].numpy() / scale, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "scaling", "seen"),
    [
        ("VGG16", "unit", lambda x: x),
        ("MobileNetV2", "unit", lambda x: x),
        ("VGG16", "symmetric", lambda x: 2 * x - 1),
    ],
)
def test_networks_can_be_shown_the_same_numbers(name, scaling, seen, pictures):
    backbone = Backbone(name, "random", input_scaling=scaling)
    layer = backbone.style_layers[0]
    plain = keras.Model(backbone._application.input, backbone._layers[layer].output)
    np.testing.assert_allclose(
        backbone(pictures, [layer])[layer], plain(seen(pictures), training=False), rtol=1e-4, atol=1e-5
    )
    again = Backbone.from_config(backbone.get_config())
    np.testing.assert_array_equal(again(pictures, [layer])[layer], backbone(pictures, [layer])[layer])


def test_an_unknown_input_scaling_is_refused():
    with pytest.raises(InputError, match="input scaling 'caffe': use one of own, unit, symmetric"):
        Backbone("VGG19", "random", input_scaling="caffe")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_smoothing_is_a_softmax_over_channels(pictures, precision):
    plain, smooth = (Backbone("VGG16", "random", precision=precision, activation_smoothing=s) for s in (False, True))
    layer = plain.style_layers[0]
    features = plain(pictures, [layer])[layer].numpy().astype("float64")
    powers = np.exp(features - features.max(axis=-1, keepdims=True))
    found = smooth(pictures, [layer])[layer].numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, powers / powers.sum(axis=-1, keepdims=True), rtol=1e-4, atol=1e-7)
    assert Backbone.from_config(smooth.get_config()).activation_smoothing is True


@pytest.mark.parametrize("name", TESTED)
def test_any_size_from_the_smallest_and_default_layers_get_coarser(name):
    backbone = Backbone(name, weights="random")
    side = backbone.minimum_side
    for height, width in ((side, side + 13), (side + 22, side + 5)):
        features = backbone(np.zeros((2, height, width, 3), "float32"), backbone.style_layers)
        areas = [features[layer].shape[1] * features[layer].shape[2] for layer in backbone.style_layers]
        assert areas == sorted(areas, reverse=True)
        assert all(features[layer].shape[0] == 2 for layer in backbone.style_layers)


def test_one_pixel_too_small_is_refused(vgg):
    with pytest.raises(InputError) as error:
        vgg(np.zeros((1, 31, 40, 3), "float32"))
    assert str(error.value) == "pictures of 40x31 pixels are too small for VGG19, which needs at least 32 a side"


@pytest.mark.large
def test_names_are_the_same_whatever_was_built_before():
    """In a fresh process, and after other networks were built in it."""
    code = (
        "import json, os, sys\n"
        "os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'\n"
        "from tfstyle import Backbone\n"
        "first = Backbone('InceptionV3', weights='random').layer_names\n"
        "Backbone('ResNet50', weights='random')\n"
        "second = Backbone('InceptionV3', weights='random').layer_names\n"
        "print(json.dumps([first, second]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    first, second = json.loads(run.stdout.splitlines()[-1])
    here = list(Backbone("InceptionV3", weights="random").layer_names)
    assert first == second == here
    assert {"activation", "activation_93", "conv2d", "mixed10"} <= set(here)
    assert "activation_94" not in here


@pytest.mark.large
def test_a_fresh_processs_names_are_keras_own():
    code = (
        "import json, keras\n"
        "model = keras.applications.InceptionV3(include_top=False, weights=None)\n"
        "print(json.dumps([layer.name for layer in model.layers]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert json.loads(run.stdout.splitlines()[-1]) == list(Backbone("InceptionV3", "random").layer_names)


def test_the_graph_is_cut_at_the_deepest_layer(vgg):
    names = [layer.name for layer in vgg.extractor(["block2_conv1", "block1_conv2"]).layers[-1].layers]
    assert names[-1] == "block2_conv1"
    assert "block2_conv2" not in names


def test_what_lies_below_a_layer_with_its_shapes(vgg):
    side, below = vgg.below(["block2_conv1"])
    assert [(layer.name, shape[1:]) for layer, shape in below[1:]] == [
        ("block1_conv1", (side, side, 64)),
        ("block1_conv2", (side, side, 64)),
        ("block1_pool", (side // 2, side // 2, 64)),
        ("block2_conv1", (side // 2, side // 2, 128)),
    ]


def test_sizes_that_are_not_known_are_not_refused(vgg):
    vgg.check_size(keras.KerasTensor((None, None, None, 3)))
    with pytest.raises(InputError):
        vgg.check_size(keras.KerasTensor((None, None, 31, 3)))


def test_nothing_is_trainable_and_batch_norm_ignores_the_batch():
    backbone = Backbone("MobileNetV2", weights="random")
    extractor = backbone.extractor(["block_3_expand_relu"])
    assert extractor.trainable_weights == []
    before = [w.numpy() for w in extractor.weights]
    one, other = np.random.default_rng(1).random((2, 1, 64, 64, 3), "float32")
    alone = extractor(one, training=True)["block_3_expand_relu"].numpy()
    together = extractor(np.concatenate([one, other]), training=True)["block_3_expand_relu"].numpy()
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4, atol=1e-5)
    for a, b in zip(before, extractor.weights, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_average_pooling_replaces_maximum_pooling(pictures):
    top, mean = Backbone("VGG19", "random"), Backbone("VGG19", "random", pooling="avg")
    layers = ["block1_conv2", "block2_conv1"]
    a, b = top(pictures, layers), mean(pictures, layers)
    np.testing.assert_array_equal(a["block1_conv2"].numpy(), b["block1_conv2"].numpy())
    convolution = mean._layers["block2_conv1"]
    pooled = b["block1_conv2"].numpy().reshape(1, SIDE // 2, 2, SIDE // 2, 2, 64).mean((2, 4))
    np.testing.assert_allclose(b["block2_conv1"].numpy(), convolution(pooled).numpy(), rtol=1e-4, atol=1e-3)
    assert np.abs(a["block2_conv1"].numpy() - b["block2_conv1"].numpy()).max() > 1


def test_padding_by_reflection_changes_borders_alone(vgg, pictures):
    layers = ["block1_conv1", "block1_conv2"]
    mirrored = Backbone("VGG19", "random", padding="reflection")
    plain, found = vgg(pictures, layers), mirrored(pictures, layers)
    for reach, layer in enumerate(layers, 1):
        inner = slice(reach, -reach)
        a, b = plain[layer].numpy(), found[layer].numpy()
        np.testing.assert_allclose(b[:, inner, inner], a[:, inner, inner], rtol=1e-3, atol=1e-2)
        assert np.abs(a - b)[:, 0].max() > 1
    below, kernel = found["block1_conv1"].numpy(), mirrored._layers["block1_conv2"]
    framed = np.pad(below, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    np.testing.assert_allclose(found["block1_conv2"], kernel(framed)[:, 1:-1, 1:-1], rtol=1e-3, atol=1e-2)
    assert mirrored.receptive_fields(layers) == vgg.receptive_fields(layers)
    assert Backbone.from_config(mirrored.get_config()).padding == "reflection"
    half = Backbone("VGG19", "random", padding="reflection", precision="bfloat16")
    assert keras.backend.standardize_dtype(half(pictures, layers)["block1_conv2"].dtype) == "bfloat16"


def test_an_unknown_padding_is_refused():
    with pytest.raises(InputError) as error:
        Backbone("VGG16", "random", padding="same")
    assert str(error.value) == "padding must be 'zeros' or 'reflection', not 'same'"


def test_random_weights_are_he_and_depend_on_the_seed_alone():
    keras.utils.set_random_seed(1)
    first = Backbone("VGG16", "random", seed=5)._layers["block3_conv2"].kernel.numpy()
    keras.utils.set_random_seed(2)
    state = np.random.get_state()[1].copy()
    again = Backbone("VGG16", "random", seed=5)._layers["block3_conv2"].kernel.numpy()
    assert (np.random.get_state()[1] == state).all()
    other = Backbone("VGG16", "random", seed=6)._layers["block3_conv2"].kernel.numpy()
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0
    np.testing.assert_allclose(first.std(), np.sqrt(2 / (9 * 256)), rtol=0.01)
    depthwise = Backbone("MobileNetV2", "random")._layers["block_6_depthwise"].kernel.numpy()
    np.testing.assert_allclose(depthwise.std(), np.sqrt(2 / 9), rtol=0.1)


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_bfloat16_is_for_convolutions_alone(pictures, pooling):
    policy = keras.config.dtype_policy()
    half = Backbone("VGG16", "random", pooling, precision="bfloat16")
    assert keras.config.dtype_policy() == policy
    assert half.compute_dtype == "bfloat16"
    extractor = half.extractor(["block3_conv1"])
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in extractor.weights} == {"float32"}
    assert {layer.compute_dtype for layer in extractor.layers[-1].layers[1:]} == {"bfloat16"}
    features = np.asarray(keras.ops.cast(half(pictures, ["block3_conv1"])["block3_conv1"], "float32"))
    whole = Backbone("VGG16", "random", pooling, precision="float32")(pictures, ["block3_conv1"])["block3_conv1"]
    error = np.linalg.norm(features - whole.numpy()) / np.linalg.norm(whole.numpy())
    assert 1e-5 < error < 0.02


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match="precision must be 'float32' or 'bfloat16', not 'float16'"):
        Backbone("VGG16", "random", precision="float16")


def test_an_unknown_backbone_suggests_the_nearest():
    with pytest.raises(InputError) as error:
        Backbone("vgg18")
    assert str(error.value) == "unknown backbone 'vgg18': did you mean VGG19 or VGG16 or VGG19Mini?"


def test_an_unknown_layer_suggests_the_nearest(vgg):
    with pytest.raises(InputError) as error:
        vgg.extractor(["block4_conv_2"])
    assert str(error.value).startswith("unknown layer of VGG19 'block4_conv_2': did you mean block4_conv2 or ")


def test_case_does_not_matter():
    assert Backbone("mobilenetv2", "random").name == "MobileNetV2"


def test_a_network_without_a_table_gets_layers_by_stride():
    backbone = Backbone("DenseNet121", weights="random")
    features = backbone(np.zeros((1, 64, 64, 3), "float32"))
    assert [64 // features[layer].shape[1] for layer in backbone.style_layers] == [2, 4, 8, 16]
    assert 64 // features[backbone.content_layer].shape[1] == 8


def test_channels_first_is_refused_with_the_fix(monkeypatch):
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    with pytest.raises(InputError, match=r"needs keras.config.set_image_data_format\('channels_last'\)"):
        Backbone("VGG19", "random")


def test_layers_whose_weights_are_all_zero_are_refused(tmp_path):
    model = keras.applications.VGG16(include_top=False, weights=None)
    model.get_layer("block5_conv1").kernel.assign(np.zeros((3, 3, 512, 512)))
    model.save_weights(tmp_path / "vgg16.weights.h5")
    backbone = Backbone("VGG16", tmp_path / "vgg16.weights.h5")
    backbone.extractor(["block4_conv3"])
    with pytest.raises(InputError, match=r"VGG16: .*block5_conv1 all zero.* use layers below block5_conv1, or give"):
        backbone.extractor(["block5_conv2"])


def test_the_configuration_of_older_files_has_another_name_for_activation_smoothing():
    config = Backbone("VGG19Mini", activation_smoothing=True).get_config()
    config["smoothing"] = config.pop("activation_smoothing")
    assert Backbone.from_config(config).activation_smoothing is True


def test_serialisation_round_trip(vgg):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(vgg))
    assert again.get_config() == vgg.get_config()


@pytest.mark.large
def test_an_extractor_is_a_keras_model_that_saves(tmp_path, pictures):
    backbone = Backbone("NASNetMobile", "random")
    extractor = backbone.extractor(["normal_concat_3"])
    extractor.save(tmp_path / "features.keras")
    code = (
        "import sys, numpy as np, keras, tfstyle.features.backbone\n"
        "model = keras.saving.load_model(sys.argv[1], safe_mode=True)\n"
        "pictures = np.random.default_rng(0).random((1, 96, 96, 3), 'float32')\n"
        "np.save(sys.argv[2], model(pictures)['normal_concat_3'])\n"
    )
    paths = [str(tmp_path / "features.keras"), str(tmp_path / "out.npy")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, capture_output=True, timeout=300)
    np.testing.assert_allclose(
        np.load(paths[1]), extractor(pictures)["normal_concat_3"].numpy(), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", ["VGG19", "InceptionV3", "ResNet50"])
def test_real_weights_see_edges_where_they_are(real_weights, name):
    """A vertical edge excites a trained first layer more beside it than away from it."""
    backbone = Backbone(name)
    picture = np.zeros((1, 128, 128, 3), "float32")
    picture[:, :, 64:] = 1
    layer = backbone.style_layers[0]
    response = backbone(picture, [layer])[layer].numpy()[0]
    change = np.abs(np.diff(response, axis=1)).sum((0, 2))
    middle = len(change) // 2
    assert change[middle - 4 : middle + 4].sum() > 0.5 * change[4:-4].sum()
