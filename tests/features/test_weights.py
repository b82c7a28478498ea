"""Where weights are found, in order, and what is said when they aren't."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tfstyle import Backbone, InputError
from tfstyle.features import weights


@pytest.fixture(scope="module")
def vgg16_file(tmp_path_factory):
    """VGG16 in Keras 3's format."""
    path = tmp_path_factory.mktemp("made") / "vgg16_made_notop.weights.h5"
    keras.applications.VGG16(include_top=False, weights=None).save_weights(path)
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache" / "models"
    folder.mkdir(parents=True)
    monkeypatch.setattr("tfstyle.features.weights.cache_folders", lambda: [folder])
    return folder


def put(source, folder, name):
    folder.mkdir(exist_ok=True)
    os.link(source, folder / name)
    return folder / name


def test_a_path_comes_first_then_the_folder_then_the_cache(vgg16_file, tmp_path, cache, monkeypatch):
    in_cache = put(vgg16_file, cache, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
    assert weights.find("VGG16") == weights.WeightsFile(in_cache, "Keras cache")
    in_folder = put(vgg16_file, tmp_path / "folder", "vgg16_notop.weights.h5")
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path / "folder"))
    assert weights.find("VGG16") == weights.WeightsFile(in_folder, "$TFSTYLE_WEIGHTS")
    assert weights.find("VGG16", vgg16_file) == weights.WeightsFile(vgg16_file, "path")


def test_the_record_names_the_file_and_its_sha256(vgg16_file):
    record = weights.find("VGG16", vgg16_file).record()
    assert record == {
        "name": vgg16_file.name,
        "source": "path",
        "file": vgg16_file.name,
        "sha256": hashlib.sha256(vgg16_file.read_bytes()).hexdigest(),
    }


def test_values_are_those_of_the_file(vgg16_file):
    plain = keras.applications.VGG16(include_top=False, weights=None)
    plain.load_weights(vgg16_file)
    backbone = Backbone("VGG16", vgg16_file)
    for a, b in zip(plain.get_weights(), backbone._application.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_keras_older_format_loads(tmp_path, monkeypatch):
    """The files that keras.applications downloads are of this format."""
    model = keras.applications.VGG16(include_top=False, weights=None)
    import h5py
    from keras.src.legacy.saving import legacy_h5_format  # the only writer of it that is left

    path = tmp_path / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path))
    backbone = Backbone("VGG16")
    np.testing.assert_array_equal(
        backbone._layers["block5_conv3"].kernel.numpy(), model.get_layer("block5_conv3").kernel.numpy()
    )


@pytest.mark.parametrize(
    ("backbone", "name", "matches"),
    [
        ("VGG19", "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", True),
        ("VGG19", "vgg19_imagenet_notop.weights.h5", True),
        ("VGG19", "vgg19_weights_tf_dim_ordering_tf_kernels.h5", False),
        ("VGG19", "vgg16_notop.h5", False),
        ("VGG19", "vgg19_notop.txt", False),
        ("InceptionV3", "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5", True),
        ("InceptionV3", "inceptionv3_imagenet_to_mixed8_notop.weights.h5", True),
        ("InceptionV3", "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5", False),
        ("ResNet50", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", True),
        ("ResNet50", "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5", False),
        ("NASNetMobile", "nasnet_mobile_no_top.h5", True),
        ("MobileNetV2", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", True),
        ("MobileNet", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", False),
    ],
)
def test_files_are_known_by_their_names(backbone, name, matches, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path))
    found = weights.cached(backbone)
    assert (found is not None and found.path.name == name) is matches


def test_a_read_only_cache_is_read(vgg16_file, cache):
    put(vgg16_file, cache, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.weights.h5")
    cache.chmod(0o555)
    try:
        assert Backbone("VGG16").weights_record["source"] == "Keras cache"
    finally:
        cache.chmod(0o755)


def test_nothing_found_lists_every_place_and_what_to_do(cache, tmp_path, monkeypatch):
    with pytest.raises(weights.NotFoundError) as error:
        weights.find("VGG16")
    assert str(error.value) == (
        f"no ImageNet weights for VGG16: tried the folder $TFSTYLE_WEIGHTS (not set); the Keras cache {cache} "
        "(no VGG16 without top in it); no download ($TFSTYLE_OFFLINE is set). Give a file with --weights PATH "
        "(weights=), put one into a folder named by $TFSTYLE_WEIGHTS, or use --backbone vgg19mini, which comes "
        "with the package"
    )
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path))
    with pytest.raises(weights.NotFoundError, match=r"TFSTYLE_WEIGHTS=.* \(no vgg16\*notop\*\.h5 in it\)"):
        weights.find("VGG16")


def test_a_download_that_fails_is_one_of_the_places(cache, monkeypatch):
    monkeypatch.delenv("TFSTYLE_OFFLINE")

    def fail(**kwargs):
        print("Downloading data from somewhere")
        raise Exception("URL fetch failure on https://x/y.h5: None -- [Errno -2] Name or service not known")

    monkeypatch.setattr(keras.applications, "VGG16", fail)
    with pytest.raises(weights.NotFoundError, match=r"a download \(\[Errno -2\] Name or service not known\)\. Give"):
        weights.find("VGG16")


def test_a_download_goes_through_keras_and_leaves_stdout_alone(vgg16_file, cache, monkeypatch, capsys):
    monkeypatch.delenv("TFSTYLE_OFFLINE")

    def download(include_top, weights):
        assert (include_top, weights) == (False, "imagenet")
        print("Downloading data from somewhere")
        put(vgg16_file, cache, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.weights.h5")

    monkeypatch.setattr(keras.applications, "VGG16", download)
    assert weights.find("VGG16").source == "download"
    output = capsys.readouterr()
    assert output.out == ""
    assert "Downloading" in output.err


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.h5", "weights missing.h5 does not exist: give a file, 'imagenet' or 'random'"),
        (".", "weights . is a folder: give a file, or set $TFSTYLE_WEIGHTS to the folder"),
        ("w.pt", "weights w.pt is not a Keras weights file: its name must end in .h5 or .keras"),
    ],
)
def test_a_path_that_cannot_be_weights(path, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pt").write_bytes(b"x")
    with pytest.raises(InputError) as error:
        Backbone("VGG16", path)
    assert str(error.value) == message


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", None], ids=["empty", "text", "truncated"])
def test_a_damaged_file_is_named(content, vgg16_file, tmp_path):
    path = tmp_path / "broken.weights.h5"
    path.write_bytes(vgg16_file.read_bytes()[:100_000] if content is None else content)
    with pytest.raises(InputError) as error:
        Backbone("VGG16", path)
    assert str(error.value).startswith(f"{path} can't be read as weights (")
    assert str(error.value).endswith("): the file is damaged or not HDF5; get it again")
    assert "\n" not in str(error.value)


def test_another_models_file_is_named_with_the_mismatch(vgg16_file):
    with pytest.raises(InputError) as error:
        Backbone("MobileNetV2", vgg16_file)
    assert str(error.value).startswith(f"{vgg16_file} does not hold the weights of MobileNetV2: ")
    assert str(error.value).endswith("give a file made for keras.applications.MobileNetV2(include_top=False)")
    assert "\n" not in str(error.value)


def test_a_wrong_shape_is_named(tmp_path):
    keras.applications.ResNet50(include_top=False, weights=None).save_weights(tmp_path / "r.weights.h5")
    with pytest.raises(InputError, match=r"layer block1_conv1 needs the shape \(3, 3, 3, 64\), the file has \(7, 7"):
        Backbone("VGG16", tmp_path / "r.weights.h5")


@pytest.mark.large
def test_a_weights_file_cannot_run_code(tmp_path):
    """A .keras archive whose model would run code when loaded as a model: only its weights are read."""
    code = (
        "import sys, keras\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: print('pwned') or x)])\n"
        "model.save(sys.argv[1])\n"
    )
    path = tmp_path / "evil.keras"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, timeout=300)
    run = subprocess.run(
        [sys.executable, "-c", f"from tfstyle import Backbone; Backbone('VGG16', {str(path)!r})"],
        capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert run.returncode != 0
    assert "pwned" not in run.stdout + run.stderr
    assert "does not hold the weights of VGG16" in run.stderr


def test_keras_cache_is_looked_for_in_keras_home(vgg16_file, tmp_path):
    """In a process of its own, without the fixtures' patch."""
    put(vgg16_file, tmp_path / "models", "vgg16_weights_notop.weights.h5")
    code = "from tfstyle.features import weights; print(weights.find('VGG16').source)"
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=300)
    assert run.stdout == "Keras cache\n"


def test_inventory_says_what_is_here(vgg16_file, cache):
    put(vgg16_file, cache, "vgg16_weights_notop.weights.h5")
    rows = {row["backbone"]: row for row in weights.inventory()}
    assert rows["VGG16"]["source"] == "Keras cache"
    assert len(rows["VGG16"]["sha256"]) == 64
    assert rows["VGG19"] == {"backbone": "VGG19", "file": None, "source": None, "sha256": None}


def test_a_user_without_a_home_folder_has_the_other_places(monkeypatch):
    """As in containers that run with a user id of their own."""
    monkeypatch.undo()  # the fixtures' patch
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as it is where nobody knows the home
    assert weights.cache_folders()[0] == Path("~/.keras/models")
    with pytest.raises(InputError, match=r"weights ~/w\.h5 does not exist"):
        weights.find("VGG16", "~/w.h5")
