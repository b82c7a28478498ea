"""Trained models for places without Keras: as a TensorFlow SavedModel, for TensorFlow Lite, or as ONNX."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError, unknown
from tfstyle.core.runtime import without_greetings
from tfstyle.images import samples
from tfstyle.models.adain.adain import AdaIN
from tfstyle.models.adversarial.base import AdversarialModel
from tfstyle.models.signatures import Signature, of

Format = Literal["saved_model", "tflite", "onnx"]
Run = Callable[..., dict[str, np.ndarray]]

FORMATS: tuple[Format, ...] = ("saved_model", "tflite", "onnx")
BOUND = 0.5 / 255  # chosen: half a level of 8 bits is the most by which an exported model may be off
_SUFFIXES: dict[str, Format] = {".tflite": "tflite", ".onnx": "onnx"}
_OPSET = 18  # of ONNX: the newest that tf2onnx 1.17 writes
_SIDE = 256  # pixels of the pictures that models of any size are compared on: U-Nets need so many
_ALPHA = 0.75  # of AdaIN's (chosen): neither all of the style nor none


@dataclass(frozen=True)
class Export:
    """What was written, and how near it is to the model.

    Attributes:
        paths: The folder or files.
        signatures: As "stylize(content, style, alpha)".
        differences: The largest absolute difference from the model's pictures in [0, 1], by what was called.
    """

    paths: tuple[Path, ...]
    signatures: tuple[str, ...]
    differences: dict[str, float]


def export(model: keras.Model, path: str | os.PathLike[str], format: Format | None = None) -> Export:
    """Write a trained model so that it runs without Keras and tfstyle, after it was compared with the model.

    An `AdaIN` has three signatures, of RGB pictures `(batch, height, width, 3)` in [0, 1] of any size and number:

    - `stylize(content, style, alpha)` to `{"picture"}`, of the content's size; alpha is a number from 0 to 1;
    - `encode_style(style)` to `{"mean", "deviation"}`, each `(batch, channels)`: a `StyleCode`'s;
    - `stylize_with_code(content, mean, deviation, alpha)` to `{"picture"}`, for many contents in one style.

    Any other model is one from pictures to pictures: `paint(pictures)` to `{"picture"}`. Of a `CycleGAN` that is its
    generator from photographs to paintings. A `GAN`'s, and a `WGAN`'s that was trained without photographs, has
    `generate(noise)` to `{"picture"}`, of normal noise `(batch, model.noise)`.

    A SavedModel and a file for TensorFlow Lite have all signatures in them (a SavedModel calls the first
    `serving_default`, too). ONNX has but one in a file: `OUT.onnx` is the first, beside it are
    `OUT-encode_style.onnx` and so on.

    Args:
        model: An `AdaIN`, a `CycleGAN` or its like, or a model from pictures to pictures.
        path: The folder of a SavedModel, which must not be there yet, or a file that ends in .tflite or .onnx.
        format: `"saved_model"`, `"tflite"` or `"onnx"`; None for that of the path's suffix.

    Raises:
        InputError: Packages for ONNX are missing, the model can't be converted, it paints otherwise than the model by
            more than `BOUND` once it is, or it can't be written. Nothing is written then.
    """
    path = Path(path)
    kind = _format(path, format)
    if kind == "onnx":
        _tf2onnx()  # which may be missing
    model = _in_float32(model)
    signatures = of(model)
    functions = [tf.function(each.function).get_concrete_function(**each.inputs) for each in signatures]
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tfstyle-") as folder:
        made, failure = Path(folder) / "model", None
        with without_greetings():
            try:
                written = _WRITERS[kind](model, signatures, functions, made)
                differences = _differences(model, written.runs)
            except Exception as error:  # what converters raise has nothing in common
                failure = error
        if failure:
            reason = files.reason(failure)[:200]
            raise InputError(
                f"the {type(model).__name__} can't be converted to {kind} ({reason}): try another format"
            ) from failure
        worst = max(differences.values())
        if not worst <= BOUND:
            raise InputError(
                f"as {kind} the {type(model).__name__} paints otherwise, by up to {worst * 255:.3g}/255, and nothing "
                f"was written: try another format"
            )
        return Export(_moved(path, made, written.data), tuple(map(str, signatures)), differences)


@dataclass(frozen=True)
class _Written:
    """A converted model: a folder, or what is in files, by what is added to the output's name; and how it is run."""

    data: dict[str, bytes]
    runs: dict[str, Run]


def _format(path: Path, format: str | None) -> Format:
    """The format asked for, of a path that can be written."""
    kind = _SUFFIXES.get(path.suffix.lower(), "saved_model") if format is None else format
    if kind not in FORMATS:
        raise unknown("format", kind, FORMATS)
    name = files.shown(path)
    if kind == "saved_model" and path.exists():
        raise InputError(f"could not write {name}: there is one already; choose another name")
    if kind != "saved_model" and _SUFFIXES.get(path.suffix.lower()) != kind:
        raise InputError(f"could not write {name} as {kind}: end its name in .{kind}")
    files.check_place(path)
    return kind


def _in_float32(model: keras.Model) -> keras.Model:
    """A model of tfstyle that computes in float32, as half precision is not for all formats; any other as it is."""
    if isinstance(model, AdversarialModel) and model.compute_dtype != "float32":
        whole = type(model).from_config({**model.get_config(), "dtype": "float32"})
        for own, network in zip(whole.generators(), model.generators(), strict=True):
            own.set_weights(network.get_weights())
        return whole
    if not isinstance(model, AdaIN):
        return model
    config = model.get_config()
    backbone = config["encoder"]["backbone"]["config"]
    if (model.decoder.compute_dtype, model.encoder.backbone.compute_dtype) == ("float32", "float32"):
        return model
    backbone["precision"], config["dtype"] = "float32", "float32"
    full = type(model).from_config(config)
    full.decoder.set_weights(model.decoder.get_weights())
    for layer, scale in model.encoder.scales.items():
        full.encoder.scales[layer].assign(scale)
    return full


def _saved_model(model: keras.Model, signatures: list[Signature], functions: list[Any], folder: Path) -> _Written:
    module = tf.Module()
    module.variables_of_the_model = [variable.value for variable in model.variables]
    named = {each.name: function for each, function in zip(signatures, functions, strict=True)}
    tf.saved_model.save(module, str(folder), signatures={**named, "serving_default": functions[0]})
    loaded = tf.saved_model.load(str(folder))

    def run(name: str, **given: Any) -> dict[str, np.ndarray]:
        found = loaded.signatures[name](**{key: tf.constant(value) for key, value in given.items()})
        return {key: value.numpy() for key, value in found.items()}

    return _Written({}, {each.name: _bound(run, each.name) for each in signatures})


def _tflite(model: keras.Model, signatures: list[Signature], functions: list[Any], folder: Path) -> _Written:
    _saved_model(model, signatures, functions, folder)
    names = [each.name for each in signatures]
    data = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=names).convert()
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its move to that package
        interpreter = Interpreter(model_content=data)

    def run(name: str, **given: Any) -> dict[str, np.ndarray]:
        return interpreter.get_signature_runner(name)(**given)

    return _Written({"": data}, {name: _bound(run, name) for name in names})


def _onnx(model: keras.Model, signatures: list[Signature], functions: list[Any], folder: Path) -> _Written:
    tf2onnx, onnxruntime = _tf2onnx()
    data, runs = {}, {}
    for index, each in enumerate(signatures):
        inputs = list(each.inputs.values())
        function = tf.function(each.function, input_signature=inputs)
        proto, _ = tf2onnx.convert.from_function(function, input_signature=inputs, opset=_OPSET)
        made = proto.SerializeToString()
        session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])

        def run(session: Any, **given: Any) -> dict[str, np.ndarray]:
            names = [output.name for output in session.get_outputs()]
            return dict(zip(names, session.run(names, given), strict=True))

        data[f"-{each.name}" if index else ""] = made
        runs[each.name] = _bound(run, session)
    return _Written(data, runs)


_WRITERS: dict[str, Callable[..., _Written]] = {"saved_model": _saved_model, "tflite": _tflite, "onnx": _onnx}


def _tf2onnx() -> tuple[Any, Any]:
    try:
        import onnxruntime
        import tf2onnx
        import tf2onnx.convert
    except ImportError as error:
        raise InputError(
            f"ONNX needs the package {error.name}, which is missing: pip install 'tfstyle[onnx]'"
        ) from error
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    return tf2onnx, onnxruntime


def _bound(run: Callable[..., Any], first: Any) -> Run:
    return lambda **given: run(first, **given)


def _differences(model: keras.Model, runs: dict[str, Run]) -> dict[str, float]:
    """The largest differences from the model's own pictures, on sample pictures of two sizes, or on noise."""
    if "generate" in runs:
        noise = np.random.default_rng(0).standard_normal((2, model.noise), np.float32)
        want = np.clip(ops.convert_to_numpy(model(noise, training=False)), 0, 1)
        return {"generate": _largest([(runs["generate"](noise=noise)["picture"], want)])}
    if not isinstance(model, AdaIN):
        height, width = (side or _SIDE for side in of(model)[0].inputs["pictures"].shape[1:3])
        pictures = images.load(samples.content("chelsea"), (height, width)).rgb[None]
        want = ops.convert_to_numpy(model(pictures, training=False))
        return {"paint": _largest([(runs["paint"](pictures=pictures)["picture"], want)])}
    least = model.encoder.backbone.minimum_side
    alpha = np.array(_ALPHA, np.float32)
    whole, parts = [], []
    for name, sides, number in (("chelsea", (least + 19, least + 34), 1), ("coffee", (least + 40, least + 8), 2)):
        contents = np.stack([images.load(samples.content(name), sides).rgb] * number)
        contents[-1] = contents[-1][::-1]
        style = images.load(samples.style("impasto", 64), (least + 16, least + 11)).rgb
        want = np.stack([model.stylize(content, style, alpha=_ALPHA) for content in contents])
        code = runs["encode_style"](style=style[None])
        whole.append((runs["stylize"](content=contents, style=style[None], alpha=alpha)["picture"], want))
        parts.append((runs["stylize_with_code"](content=contents, alpha=alpha, **code)["picture"], want))
    return {"stylize": _largest(whole), "encode_style, stylize_with_code": _largest(parts)}


def _largest(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """The largest absolute difference; infinite where shapes differ."""
    return max(float(np.abs(a - b).max()) if a.shape == b.shape else np.inf for a, b in pairs)


def _moved(path: Path, made: Path, data: dict[str, bytes]) -> tuple[Path, ...]:
    """Put what was made in its place."""
    if not data:
        try:
            shutil.move(made, path)
        except OSError as error:
            raise InputError(
                f"could not write {files.shown(path)}: {files.reason(error)}; choose another place"
            ) from error
        return (path,)
    paths = {path.with_name(f"{path.stem}{added}{path.suffix}"): each for added, each in data.items()}
    for place in paths:
        files.check_place(place)
    for place, each in paths.items():
        files.atomic_write(place, each)
    return tuple(paths)
