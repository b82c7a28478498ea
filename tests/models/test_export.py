"""Models exported: they paint what the model paints, in pictures of any size and number."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import Backbone, InputError
from tfstyle.cli.main import main
from tfstyle.models import GAN, WGAN, AdaIN, AttentionCycleGAN, CycleGAN

exporting = importlib.import_module("tfstyle.models.export")  # `tfstyle.models.export` itself is the function

NAMES = [
    "stylize(content, style, alpha)",
    "encode_style(style)",
    "stylize_with_code(content, mean, deviation, alpha)",
]


@pytest.fixture(scope="module")
def model():
    """An untrained AdaIN of two levels."""
    return AdaIN(Backbone("VGG19Mini", padding="reflection"), "block3_conv1", seed=0)


@pytest.fixture(scope="module")
def generator():
    """A small network from pictures to pictures, with upsampling in it."""
    layers = keras.layers
    return keras.Sequential([
        keras.Input((None, None, 3)),
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.UpSampling2D(2),
        layers.Conv2D(3, 3, padding="same", activation="sigmoid"),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(0)
    return random.random((2, 37, 50, 3), "float32"), random.random((1, 41, 35, 3), "float32") ** 2


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wanted(model, contents, style, alpha):
    return np.stack([model.stylize(content, style[0], alpha=alpha) for content in contents])


@pytest.mark.large
def test_a_saved_model_needs_neither_keras_nor_tfstyle(model, pictures):
    made = exporting.export(model, "adain")
    assert made.paths == (Path("adain"),)
    assert list(made.signatures) == NAMES
    assert list(made.differences) == ["stylize", "encode_style, stylize_with_code"]
    assert max(made.differences.values()) < 1e-4
    contents, style = pictures
    np.savez("given.npz", contents=contents, style=style)
    code = """
import numpy as np, tensorflow as tf
data, alpha = np.load("given.npz"), tf.constant(0.25)
run = tf.saved_model.load("adain").signatures
contents, style = (tf.constant(data[name]) for name in ("contents", "style"))
code = run["encode_style"](style=style)
np.savez("found.npz", whole=run["stylize"](content=contents, style=style, alpha=alpha)["picture"],
    parts=run["stylize_with_code"](content=contents, alpha=alpha, **code)["picture"],
    default=run["serving_default"](content=contents, style=style, alpha=alpha)["picture"], **code)
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": ""}, timeout=300)
    found = np.load("found.npz")
    for name in ("whole", "parts", "default"):
        np.testing.assert_allclose(found[name], wanted(model, contents, style, 0.25), atol=1e-4)
    own = model.encode_style(style[0])
    np.testing.assert_allclose(found["mean"][0], own.mean, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found["deviation"][0], own.deviation, rtol=1e-3, atol=1e-3)


@pytest.mark.large
def test_tensorflow_lite_has_all_signatures_in_one_file(model, pictures):
    made = exporting.export(model, "adain.tflite")
    assert [path.name for path in Path().iterdir()] == ["adain.tflite"]
    assert max(made.differences.values()) < 1e-4
    contents, style = pictures
    interpreter = tf.lite.Interpreter("adain.tflite")
    assert sorted(interpreter.get_signature_list()) == ["encode_style", "stylize", "stylize_with_code"]
    run = interpreter.get_signature_runner("stylize")
    found = run(content=contents, style=style, alpha=np.float32(0.25))["picture"]
    np.testing.assert_allclose(found, wanted(model, contents, style, 0.25), atol=1e-4)


@pytest.mark.large
@pytest.mark.skipif(importlib.util.find_spec("tf2onnx") is None, reason="needs pip install 'tfstyle[onnx]'")
def test_onnx_has_a_file_for_each_signature(model, pictures):
    import onnxruntime

    made = exporting.export(model, "adain.onnx")
    names = ["adain.onnx", "adain-encode_style.onnx", "adain-stylize_with_code.onnx"]
    assert [path.name for path in made.paths] == names
    assert sorted(path.name for path in Path().iterdir()) == sorted(names)
    assert max(made.differences.values()) < 1e-4
    contents, style = pictures
    alpha = np.array(0.25, np.float32)
    whole, encode, paint = (onnxruntime.InferenceSession(name) for name in names)
    want = wanted(model, contents, style, 0.25)
    np.testing.assert_allclose(
        whole.run(["picture"], {"content": contents, "style": style, "alpha": alpha})[0], want, atol=1e-4
    )
    mean, deviation = encode.run(["mean", "deviation"], {"style": style})
    given = {"content": contents, "mean": mean, "deviation": deviation, "alpha": alpha}
    np.testing.assert_allclose(paint.run(["picture"], given)[0], want, atol=1e-4)


@pytest.mark.parametrize("format", ["saved_model", "tflite"])
def test_generators_are_exported_by_their_pictures(generator, pictures, format):
    path = Path("out" if format == "saved_model" else "out.tflite")
    made = exporting.export(generator, path, format)
    assert made.signatures == ("paint(pictures)",)
    assert made.differences["paint"] < 1e-4
    given = pictures[0][:, :36]  # an even size, as it halves and doubles
    if format == "saved_model":
        found = tf.saved_model.load(str(path)).signatures["paint"](pictures=tf.constant(given))["picture"]
    else:
        found = tf.lite.Interpreter(str(path)).get_signature_runner("paint")(pictures=given)["picture"]
    np.testing.assert_allclose(found, generator(given), atol=1e-4)


@pytest.mark.parametrize("format", ["saved_model", "tflite"])
def test_a_cyclegan_is_exported_from_photographs_to_paintings(pictures, format):
    model = CycleGAN(32, blocks=1, filters=4, n_layers=2, pool_size=0, seed=0)
    path = Path("out" if format == "saved_model" else "out.tflite")
    made = exporting.export(model, path)
    assert made.signatures == ("paint(pictures)",)
    assert made.differences["paint"] < 1e-4
    given = pictures[0]  # of odd sides
    if format == "saved_model":
        found = tf.saved_model.load(str(path)).signatures["paint"](pictures=tf.constant(given))["picture"]
    else:
        found = tf.lite.Interpreter(str(path)).get_signature_runner("paint")(pictures=given)["picture"]
    np.testing.assert_allclose(found, [model.stylize(each) for each in given], atol=1e-4)


def test_half_precision_and_attention_are_exported_in_full():
    model = AttentionCycleGAN(32, depth=3, filters=4, n_layers=2, pool_size=0, seed=0, dtype="mixed_bfloat16")
    made = exporting.export(model, "out")
    assert made.differences["paint"] < 1e-4
    assert model.generator.get_layer("down1").compute_dtype == "bfloat16"  # is left as it was


NOISY = [(GAN, {}), (GAN, {"architecture": "maxout", "channels": 1}), (WGAN, {"lipschitz": "penalty"})]


@pytest.mark.parametrize("format", ["saved_model", "tflite"])
@pytest.mark.parametrize(("kind", "options"), NOISY)
def test_what_makes_pictures_of_noise(format, kind, options, tmp_path):
    model = kind(8, filters=2, seed=0, **options)
    path = tmp_path / ("out.tflite" if format == "tflite" else "out")
    made = exporting.export(model, path)
    assert made.signatures == ("generate(noise)",)
    assert made.differences["generate"] < 1e-4
    noise = np.random.default_rng(1).standard_normal((3, model.latent_dim), np.float32)
    if format == "saved_model":
        found = tf.saved_model.load(str(path)).signatures["generate"](noise=tf.constant(noise))["picture"]
    else:
        found = tf.lite.Interpreter(str(path)).get_signature_runner("generate")(noise=noise)["picture"]
    np.testing.assert_allclose(found, np.clip(model(noise), 0, 1), atol=1e-4)


@pytest.mark.large
def test_what_was_trained_in_half_precision_is_exported_in_full(pictures):
    backbone = Backbone("VGG19Mini", padding="reflection", precision="bfloat16")
    model = AdaIN(backbone, "block2_conv1", seed=0, dtype="mixed_bfloat16")
    model.encoder.scales["block2_conv1"].assign(model.encoder.scales["block2_conv1"] * 1.5)
    assert exporting.export(model, "adain.tflite").differences["stylize"] < 1e-4
    contents, style = pictures
    run = tf.lite.Interpreter("adain.tflite").get_signature_runner("stylize")
    found = run(content=contents, style=style, alpha=np.float32(1))["picture"]
    assert 1e-4 < np.abs(found - wanted(model, contents, style, 1)).max() < 0.05


def test_the_model_is_left_as_it_was(generator):
    before = generator.to_json()
    exporting.export(generator, "out")
    assert generator.to_json() == before
    assert any(isinstance(layer, keras.layers.UpSampling2D) for layer in generator.layers)


def test_what_paints_otherwise_is_not_written(generator, monkeypatch):
    monkeypatch.setattr(exporting, "BOUND", -1.0)
    for name in ("out", "out.tflite"):
        with pytest.raises(InputError, match=r"the Sequential differs by up to .*/255 .*: try another format"):
            exporting.export(generator, name)
    assert list(Path().iterdir()) == []


def test_what_can_not_be_compared_is_off_by_more_than_anything():
    a, b = np.zeros((1, 2, 3)), np.ones((1, 2, 3))
    assert exporting._difference(a, 0.25 * b) == 0.25
    assert exporting._difference(a, b[:, :1]) == np.inf
    assert not exporting._difference(a, np.nan * b) <= exporting.BOUND


@pytest.mark.parametrize(
    ("path", "format", "text"),
    [
        ("out.bin", "tflite", r"could not write out\.bin as tflite: end its name in \.tflite"),
        ("out.onnx", "tflite", r"could not write out\.onnx as tflite: end its name in \.tflite"),
        ("out", "torch", "unknown format 'torch': use one of saved_model, tflite, onnx"),
        ("there", None, "could not write there: it exists already; choose another name"),
        ("nowhere/out", None, "could not write nowhere/out: there is no folder "),
        ("nowhere/out.tflite", None, r"could not write nowhere/out\.tflite: there is no folder "),
    ],
)
def test_bad_places_and_formats_are_one_line(generator, path, format, text):
    Path("there").mkdir()
    Path("there/mine.txt").write_text("mine")
    with pytest.raises(InputError, match=f"^{text}"):
        exporting.export(generator, path, format)
    assert [str(path) for path in Path().rglob("*")] == ["there", "there/mine.txt"]


def test_models_of_something_else_are_one_line():
    classifier = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    with pytest.raises(InputError, match=r"the Sequential is not from images to images, \(batch, height, width, 3"):
        exporting.export(classifier, "out")


def test_onnx_without_its_packages_names_the_extra(generator, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    generator.save("plain.keras")
    assert main(["export", "plain.keras", "-o", "out.onnx"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tfstyle: ONNX needs the package onnxruntime")
    assert line.endswith("pip install 'tfstyle[onnx]'")
    assert [path.name for path in Path().iterdir()] == ["plain.keras"]


@pytest.mark.large
def test_the_command_says_how_near_it_is(generator, capsys):
    generator.save("plain.keras")
    assert main(["export", "plain.keras", "--format", "tflite", "-o", "out.tflite"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "wrote out.tflite: paint(pictures)"
    assert second.startswith("largest difference from the model, paint: ")
    assert second.endswith("/255)")
    assert main(["export", "plain.keras", "-o", "out", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["export", "nowhere.keras", "-o", "other"]) == 2
    assert capsys.readouterr().err.startswith("tfstyle: model nowhere.keras does not exist: give 'embedded', ")


@pytest.mark.large
def test_a_process_of_its_own_makes_no_noise(generator):
    generator.save("plain.keras")
    command = [sys.executable, "-m", "tfstyle", "export", "plain.keras", "-o", "out.tflite"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("wrote out.tflite: paint(pictures)\nlargest difference from the model, paint: ")


def test_what_can_not_be_converted_is_one_line():
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Resizing(64, 64, interpolation="lanczos5")(inputs)  # TensorFlow Lite has no such thing
    network = keras.Model(inputs, outputs)
    with pytest.raises(InputError) as error:
        exporting.export(network, "out.tflite")
    assert str(error.value).startswith("the Functional can't be converted to tflite (")
    assert str(error.value).endswith("): try another format")
    assert "\n" not in str(error.value)
    assert list(Path().iterdir()) == []
