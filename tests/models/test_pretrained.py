"""Trained models by name or by file, and what is said of those that are none."""

import json
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

from tfstyle import Backbone, InputError
from tfstyle.features import weights
from tfstyle.models import AdaIN, load
from tfstyle.models.adain.embedded import write as write_embedded


@pytest.fixture(scope="module")
def trained():
    """As the embedded one, with a decoder that is at least its own."""
    model = AdaIN(Backbone("VGG19Mini", padding="reflection"), seed=1)
    model.encoder.scales["block4_conv1"].assign(model.encoder.scales["block4_conv1"] * 1.25)
    return model


@pytest.fixture
def file(trained, tmp_path, monkeypatch):
    path = tmp_path / "adain.weights.h5"
    monkeypatch.setattr(weights, "ADAIN", path)
    write_embedded(trained, path)
    return path


def test_the_embedded_model_is_what_was_written(trained, file, photo, painting):
    model = load()
    assert isinstance(model, AdaIN)
    assert model.encoder.backbone.get_config() == {
        **Backbone("VGG19Mini", padding="reflection").get_config(), "precision": "float32",
    }  # fmt: skip
    assert model.layer == "block4_conv1"
    assert model.dtype_policy.name == "float32"
    for found, given in zip(model.decoder.weights, trained.decoder.weights, strict=True):
        assert found.dtype == "float32"
        precise = 2.0**-11 if "stride1_conv2" not in found.path else 0  # the last convolution is full
        np.testing.assert_allclose(found.numpy(), given.numpy(), rtol=precise, atol=2.0**-24 * (precise > 0))
    for layer, scale in trained.encoder.scales.items():
        np.testing.assert_array_equal(model.encoder.scales[layer], scale)
    np.testing.assert_allclose(
        model.stylize(photo, painting), trained.stylize(photo, painting), atol=1e-3 * np.ptp(photo)
    )


def test_the_file_is_small_and_has_neither_encoder_nor_optimizer(trained, file):
    assert file.stat().st_size < 2.5 * sum(weight.numpy().size for weight in trained.decoder.weights)
    sizes = []
    with h5py.File(file) as data:
        data.visititems(lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
        assert data.attrs["encoder_sha256"] == weights.find("VGG19Mini").sha256
    scales = sum(scale.shape[0] for scale in trained.encoder.scales.values())
    decoder = sum(weight.numpy().size for weight in trained.decoder.weights)
    assert decoder + scales <= sum(sizes) < decoder + scales + 10


def test_where_it_is_missing_or_damaged_one_line_says_so(file):
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"adain.weights.h5, which comes with the package, is damaged: install"):
        load()
    file.unlink()
    with pytest.raises(InputError, match=r"adain.weights.h5, which comes with the package, is missing: install"):
        load("embedded")


def test_a_decoder_of_another_encoder_is_a_warning(file):
    with h5py.File(file, "a") as data:
        data.attrs["encoder_sha256"] = "0" * 64
    with pytest.warns(UserWarning, match="was trained with other weights of VGG19Mini"):
        load()


def test_the_decoder_that_comes_with_the_package_belongs_to_its_encoder():
    with h5py.File(weights.ADAIN) as data:
        assert data.attrs["encoder_sha256"] == weights.find("VGG19Mini").sha256


@pytest.mark.parametrize(
    ("backbone", "layer", "text"),
    [
        ({"padding": "zeros"}, None, "the encoder has padding 'zeros', and the embedded one 'reflection': use that"),
        ({"weights": "random"}, None, "the encoder has weights 'random', and the embedded one 'embedded': use that"),
        ({}, "block2_conv1", "the model decodes block2_conv1, and the embedded one block4_conv1: train that"),
    ],
)
def test_only_the_embedded_architecture_is_written(tmp_path, backbone, layer, text):
    model = AdaIN(Backbone("VGG19Mini", **{"padding": "reflection", **backbone}), layer)
    with pytest.raises(InputError) as error:
        write_embedded(model, tmp_path / "adain.weights.h5")
    assert str(error.value) == text
    assert list(tmp_path.iterdir()) == []


def test_what_float16_can_not_hold_is_refused(trained, tmp_path):
    before = trained.decoder.get_weights()
    try:
        trained.decoder.weights[0].assign(np.full(before[0].shape, 1e6))
        with pytest.raises(InputError, match="the decoder has weights that float16 can't hold"):
            write_embedded(trained, tmp_path / "adain.weights.h5")
    finally:
        trained.decoder.set_weights(before)


@pytest.mark.large
def test_saved_models_and_folders_of_training_runs_are_read_in_a_fresh_process(trained, tmp_path, painting):
    trained.save(tmp_path / "mine.keras")
    (tmp_path / "run").mkdir()
    (tmp_path / "mine.keras").rename(tmp_path / "run" / "model.keras")
    np.save(tmp_path / "painting.npy", painting)
    np.save(tmp_path / "want.npy", trained.stylize(painting, painting))
    code = (
        "import sys, numpy as np; from tfstyle import models; folder = sys.argv[1];"
        "painting, want = (np.load(f'{folder}/{name}.npy') for name in ('painting', 'want'));"
        "first, second = (models.load(f'{folder}/{name}') for name in ('run', 'run/model.keras'));"
        "np.testing.assert_allclose(first.stylize(painting, painting), want, atol=1e-4);"
        "np.testing.assert_allclose(second.stylize(painting, painting), want, atol=1e-4)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr


def test_what_is_no_model_that_stylizes_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.keras").write_text("I am no model")
    (tmp_path / "empty.keras").write_bytes(b"")
    (tmp_path / "picture.png").write_bytes(b"")
    (tmp_path / "run").mkdir()
    keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)], name="plain").save("plain.keras")
    with zipfile.ZipFile("plain.keras") as old, zipfile.ZipFile("foreign.keras", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                config.update(module="elsewhere", class_name="Unheard", registered_name="Unheard")
                data = json.dumps(config).encode()
            new.writestr(name, data)
    unsafe = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Lambda(lambda x: x)])
    unsafe.save("unsafe.keras")
    exact = {
        "nowhere.keras": "model nowhere.keras does not exist: give 'embedded', a .keras file or a training run's "
        "folder",
        "picture.png": "picture.png is no saved model: give one whose name ends in .keras",
        "run": "there is no model.keras in the folder run: give a training run's folder or a model",
        "plain.keras": "plain.keras has a Sequential, which doesn't paint: give an AdaIN, CycleGAN, WGAN or GAN",
    }
    for name, text in exact.items():
        with pytest.raises(InputError) as error:
            load(name)
        assert str(error.value) == text
    for name in ("text.keras", "empty.keras", "foreign.keras", "unsafe.keras"):
        with pytest.raises(InputError) as error:
            load(name)
        text = str(error.value)
        assert text.startswith(f"{name} can't be read as a model (")
        assert text.endswith("): give one that model.save has written")
        assert "\n" not in text
        assert len(text) < 300
