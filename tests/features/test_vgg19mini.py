"""VGG19Mini: VGG19's layers, where its weights come from, and what takes its place when."""

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import tfstyle
from tfstyle import Backbone, InputError, images
from tfstyle.cli.main import main
from tfstyle.features import weights
from tfstyle.features.registry import BACKBONES
from tfstyle.features.vgg19mini import TAPS, VGG19Mini
from tfstyle.layers import ChannelProjection
from tfstyle.models.adain.encoder import backbone_config, backbone_from_config

ROOT = Path(tfstyle.__file__).parent


@pytest.fixture(scope="module")
def mini():
    return Backbone("vgg19mini")


@pytest.fixture(scope="module")
def small_file(tmp_path_factory):
    """VGG19Mini's weights with too few filters."""
    path = tmp_path_factory.mktemp("made") / "small.weights.h5"
    VGG19Mini(widths=(4, 4, 4, 4, 4)).save_weights(path)
    return path


def test_layers_are_vgg19s_with_fewer_filters(vgg, mini):
    large, small = ({layer.name: (layer, shape) for layer, shape in each.below(TAPS)[1]} for each in (vgg, mini))
    for tap in TAPS:
        mixing, shape = small[tap]
        assert (type(mixing), shape) == (ChannelProjection, small[f"{tap}_filters"][1])
        small[tap] = small.pop(f"{tap}_filters")
    assert mini.layer_names[0] == vgg.layer_names[0]
    for name in list(small)[1:]:
        (one, shape), (other, expected) = small[name], large[name]
        assert (type(one), one.strides, one.padding) == (type(other), other.strides, other.padding)
        assert shape[:-1] == expected[:-1]
        if isinstance(one, keras.layers.Conv2D):
            assert (one.kernel_size, one.activation) == (other.kernel_size, other.activation)
            assert shape[-1] <= expected[-1] / 2
    assert set(TAPS) == {mini.content_layer, *mini.style_layers}
    assert (mini.style_layers, mini.content_layer) == (vgg.style_layers, vgg.content_layer)


def test_it_sees_what_vgg19_sees(mini, photo):
    pictures = photo[None]
    plain = keras.Model(mini._application.input, mini._layers["block1_conv2"].output)
    expected = plain(keras.applications.vgg19.preprocess_input(pictures * 255.0))
    np.testing.assert_allclose(mini(pictures, ["block1_conv2"])["block1_conv2"], expected, rtol=1e-4, atol=1e-4)


def test_embedded_weights_are_trained_normalised_and_said_to_be_embedded(mini):
    assert (mini.weights, mini.trained, mini.normalize) == ("embedded", True, False)
    path = ROOT / "embedded" / "vgg19mini.weights.h5"
    assert path.stat().st_size < 4_000_000
    assert mini.weights_record == weights.WeightsFile(path, "this package").record()
    assert (mini.weights_record["name"], mini.weights_record["file"]) == ("embedded", path.name)
    photographs = [images.load(tfstyle.samples.content(name), 128).rgb for name in tfstyle.samples.CONTENTS]
    found = [mini(photograph[None]) for photograph in photographs]
    for layer in TAPS:
        assert 0.5 < np.mean([np.abs(features[layer]).mean() for features in found]) < 2
    filters = [f"{tap}_filters" for tap in TAPS]
    for layer in filters:
        means = np.mean([np.mean(mini(p[None], filters)[layer], axis=(0, 1, 2)) for p in photographs], axis=0)
        assert 0.5 < means.mean() < 2
        assert np.median(means) > 0.25


@pytest.mark.large
def test_a_fresh_process_loads_the_same_features(mini):
    picture = np.linspace(0, 1, 48 * 32 * 3, dtype="float32").reshape(1, 48, 32, 3)
    code = (
        "import numpy as np; from tfstyle import Backbone; "
        "picture = np.linspace(0, 1, 48 * 32 * 3, dtype='float32').reshape(1, 48, 32, 3); "
        "found = Backbone('VGG19Mini', 'embedded')(picture); "
        "print(sorted((name, float(np.mean(each))) for name, each in found.items()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    expected = sorted((name, float(np.mean(each))) for name, each in mini(picture).items())
    for (name, found), (other, value) in zip(eval(run.stdout), expected, strict=True):
        assert (name, found) == (other, pytest.approx(value, rel=1e-4))


def test_weights_are_a_path_or_random_too(mini, tmp_path):
    path = tmp_path / "own.weights.h5"
    mini._application.save_weights(path)
    own = Backbone("VGG19Mini", path)
    np.testing.assert_array_equal(own._layers["block5_conv1"].mixing, mini._layers["block5_conv1"].mixing)
    assert own.weights_record["name"] == "own.weights.h5"
    random = Backbone("VGG19Mini", "random", seed=2)
    assert (random.trained, random.normalize, random.weights_record["source"]) == (False, True, "He, seed 2")


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("VGG19Mini", "imagenet", "there are no imagenet weights for VGG19Mini: use 'embedded', 'random' or a file"),
        ("VGG19", "embedded", "there are no embedded weights for VGG19: use 'imagenet', 'random' or a file"),
        ("VGG19Mini", "no.h5", "weights no.h5 does not exist: give a file, 'embedded' or 'random'"),
    ],
)
def test_weights_that_there_are_not(name, given, message):
    with pytest.raises(InputError) as error:
        Backbone(name, given)
    assert str(error.value) == message


def test_a_file_that_does_not_fit_or_is_damaged_is_one_line(small_file, tmp_path):
    with pytest.raises(InputError) as error:
        Backbone("VGG19Mini", small_file)
    assert str(error.value) == (
        f"{small_file} does not hold the weights of VGG19Mini: layer block1_conv1_filters needs the shape "
        "(3, 3, 3, 16), the "
        "file has (3, 3, 3, 4); give a file made for tfstyle.features.vgg19mini.VGG19Mini(include_top=False)"
    )
    (tmp_path / "broken.h5").write_bytes(small_file.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"broken\.h5 can't be read as weights .*: the file is damaged or not HDF5"):
        Backbone("VGG19Mini", tmp_path / "broken.h5")


def test_an_installation_without_the_file_says_so(monkeypatch):
    monkeypatch.setitem(BACKBONES, "VGG19Mini", replace(BACKBONES["VGG19Mini"], weights_file="gone.weights.h5"))
    with pytest.raises(
        weights.NotFoundError, match=r"gone\.weights\.h5, which comes with the package, is missing: in"
    ):
        Backbone("VGG19Mini")


def test_there_is_no_classifier():
    with pytest.raises(ValueError, match="VGG19Mini has no classifier"):
        VGG19Mini(include_top=True)


def test_the_network_loads_a_file_as_keras_applications_do(mini, tmp_path):
    network = VGG19Mini(weights=str(ROOT / "embedded" / "vgg19mini.weights.h5"), input_shape=(64, 64, 3))
    assert network.output_shape[-1] == (None, 4, 4, 256)
    assert network.dtype == "float32"
    np.testing.assert_array_equal(network.get_layer("block3_conv4").kernel, mini._layers["block3_conv4"].kernel)


def test_the_wheel_has_the_weights_and_their_notice():
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())
    assert "embedded/*.weights.h5" in project["tool"]["setuptools"]["package-data"]["tfstyle"]
    assert "NOTICE" in project["project"]["license-files"]
    notice = (ROOT.parent / "NOTICE").read_text()
    for part in ("Simonyan", "Zisserman", "CC BY 4.0", "vgg19mini.weights.h5"):
        assert part in notice


def test_a_saved_model_finds_the_embedded_weights_again(mini):
    config = backbone_config(mini)
    assert config["backbone"]["config"]["weights"] == "embedded"
    again = backbone_from_config(config)
    assert again.weights_record == mini.weights_record
    config["backbone"]["config"]["weights"] = "elsewhere/vgg19mini.weights.h5"  # as on another machine
    assert backbone_from_config(config).weights == "embedded"


def test_the_command_line_paints_with_it(photo, painting, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    given = ["--size", "48", "--steps", "2", "--precision", "float32", "--quiet", "-o", "out.png"]
    assert main(["transfer", "photo.png", "painting.png", "--backbone", "vgg19mini", *given]) == 0
    record = json.loads(Path("out.json").read_text())
    assert (record["backbone"], record["weights"]["name"]) == ("VGG19Mini", "embedded")
    assert record["style_layers"] == [f"block{i}_conv1" for i in range(1, 6)]
    wrong = ["--backbone", "VGG19", "--weights", "embedded"]
    assert main(["transfer", "photo.png", "painting.png", *wrong, *given]) == 2
    assert "there are no embedded weights for VGG19" in capsys.readouterr().err


def test_weights_are_listed(capsys):
    assert main(["weights"]) == 0
    assert "vgg19mini.weights.h5 (this package)" in capsys.readouterr().out
