"""The frozen encoder: its scales, what of it is saved, and whose weights it finds again."""

import hashlib
import warnings
import zipfile

import h5py
import keras
import numpy as np
import pytest

from tfstyle import Backbone, InputError, images, samples
from tfstyle.models.adain.encoder import SIDE, Encoder, backbone_config, backbone_from_config

LAYERS = ("block1_conv1", "block2_conv1")


@pytest.fixture
def encoder(vgg):
    return Encoder(vgg, LAYERS)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((3, 32, 40, 3), "float32")


def test_features_are_the_backbones_over_one_factor_a_layer(encoder, vgg, pictures):
    plain, found = vgg(pictures, LAYERS), encoder(pictures)
    assert set(found) == set(LAYERS)
    for layer in LAYERS:
        scale = encoder.scales[layer].numpy()
        assert len(scale) == plain[layer].shape[-1]
        assert (scale == scale[0]).all()
        np.testing.assert_allclose(found[layer], plain[layer] / scale[0], rtol=1e-5)


def test_mean_activations_of_the_sample_photographs_are_1(encoder):
    photographs = [images.load(samples.content(name), SIDE).rgb[None] for name in samples.CONTENTS]
    for layer in LAYERS:
        means = [np.abs(encoder(photograph)[layer]).mean() for photograph in photographs]
        assert np.mean(means) == pytest.approx(1, rel=1e-4)


def test_adapted_each_filter_has_a_mean_activation_of_1(encoder, pictures):
    encoder.adapt([pictures[:2], pictures[2:]])
    for layer, features in encoder(pictures).items():
        means = np.abs(features).mean(axis=(0, 1, 2))
        floor = encoder.scales[layer].numpy().min()
        active = encoder.scales[layer].numpy() > floor
        np.testing.assert_allclose(means[active], 1, rtol=1e-4)
        assert (means <= 1.0001).all()


def test_sizes_that_are_not_known_are_taken_and_small_ones_refused(encoder, pictures):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, encoder(inputs))
    for layer, features in model(pictures).items():
        np.testing.assert_allclose(features, encoder(pictures)[layer], rtol=1e-5)
    with pytest.raises(InputError, match="too small for VGG19"):
        encoder(pictures[:, :31])


def test_weights_are_shown_frozen_and_not_saved(encoder, vgg, pictures, tmp_path):
    assert encoder.trainable_weights == []
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, encoder(inputs))
    model.trainable = True
    assert model.trainable_weights == []
    assert model.count_params() == 64 + 128 + vgg.extractor(LAYERS).count_params()
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    shapes = []
    with h5py.File(tmp_path / "model.weights.h5") as file:
        file.visititems(lambda _, item: shapes.append(item.shape) if isinstance(item, h5py.Dataset) else None)
    assert sorted(shapes) == [(64,), (128,)]
    encoder.scales["block1_conv1"].assign(np.arange(1, 65))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for layer, features in again(pictures).items():
        np.testing.assert_array_equal(features, model(pictures)[layer])


@pytest.fixture
def weights_file(tmp_path):
    """Random weights of VGG16 as a file."""
    path = tmp_path / "vgg16_notop.weights.h5"
    Backbone("VGG16", "random", seed=4)._application.save_weights(path)
    return path


def test_a_backbone_comes_back_with_its_weights(weights_file):
    config = backbone_config(Backbone("VGG16", weights_file, pooling="avg"))
    assert config["weights_sha256"] == hashlib.sha256(weights_file.read_bytes()).hexdigest()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = backbone_from_config(config)
    assert (again.weights, again.pooling) == (str(weights_file), "avg")


def test_a_file_of_another_machine_is_looked_for(weights_file, tmp_path, monkeypatch):
    config = backbone_config(Backbone("VGG16", weights_file))
    folder = tmp_path / "weights"
    folder.mkdir()
    weights_file.rename(folder / weights_file.name)
    with pytest.raises(InputError, match="no ImageNet weights for VGG16"):
        backbone_from_config(config)
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert backbone_from_config(config).weights == "imagenet"


def test_other_weights_are_a_warning(weights_file):
    config = backbone_config(Backbone("VGG16", weights_file))
    Backbone("VGG16", "random", seed=5)._application.save_weights(weights_file)
    with pytest.warns(UserWarning, match="trained with other weights of VGG16"):
        backbone_from_config(config)


def normalised_vgg(vgg, layers, random, noise=0.0):
    """A PyTorch state dict of a VGG whose every filter is scaled, after a convolution of 1x1; and the scales."""
    state = {"0.weight": np.eye(3)[:, :, None, None], "0.bias": np.zeros(3)}
    scale, scales = np.ones(3), {}
    for place, layer in enumerate(x for x, _ in vgg.below(layers)[1] if isinstance(x, keras.layers.Conv2D)):
        kernel, before, scale = layer.kernel.numpy(), scale, random.uniform(1, 100, layer.filters)
        kernel = kernel * before[:, None] / scale * (1 + noise * random.normal(size=kernel.shape))
        state[f"{2 + 3 * place}.weight"] = kernel.transpose(3, 2, 0, 1)
        state[f"{2 + 3 * place}.bias"] = layer.bias.numpy() / scale
        scales[layer.name] = scale
    return state, scales


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_scales_of_a_normalised_vgg_follow_from_its_kernels(encoder, vgg, noise):
    state, scales = normalised_vgg(vgg, ("block3_conv2",), np.random.default_rng(0), noise)
    encoder.load_torch_scales(state)
    for layer in LAYERS:
        np.testing.assert_allclose(encoder.scales[layer], scales[layer], rtol=1e-5 + 2 * noise)


def test_another_networks_kernels_are_refused_and_nothing_changed(encoder, vgg):
    before = [scale.numpy() for scale in encoder.scales.values()]
    state, _ = normalised_vgg(vgg, LAYERS, np.random.default_rng(0), noise=0.5)
    short, _ = normalised_vgg(vgg, ["block1_conv2"], np.random.default_rng(0))
    for wrong, message in [
        (state, "state dict is of another VGG19: its block1_conv1 differs by more than scales"),
        (short, "state dict is not of VGG19: its convolution 3 differs"),
        ({}, "state dict is not of VGG19: its convolution 1 differs"),
    ]:
        with pytest.raises(InputError, match=message):
            encoder.load_torch_scales(wrong)
    for a, b in zip(before, encoder.scales.values(), strict=True):
        np.testing.assert_array_equal(a, b.numpy())
