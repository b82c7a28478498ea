"""Trained models for places without Keras: as a TensorFlow SavedModel, for TensorFlow Lite, or as ONNX."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from tfstyle.core import files
from tfstyle.core.errors import InputError, unknown
from tfstyle.core.runtime import without_greetings
from tfstyle.models.interfaces import Exports
from tfstyle.models.signatures import Function, Signature, of, samples_of

Format = Literal["saved_model", "tflite", "onnx"]

FORMATS: tuple[Format, ...] = ("saved_model", "tflite", "onnx")
BOUND = 0.5 / 255  # chosen: an exported model may differ by half a level of 8 bits
_SUFFIXES: dict[str, Format] = {".tflite": "tflite", ".onnx": "onnx"}
_OPSET = 18  # of ONNX: the newest that tf2onnx 1.17 writes


@dataclass(frozen=True)
class Export:
    """The files of an exported model, and how much it differs from the model.

    Attributes:
        paths: The folder or files.
        signatures: The functions, as "stylize(content, style, alpha)".
        differences: The largest absolute difference from the model's images in [0, 1], by the functions called.
    """

    paths: tuple[Path, ...]
    signatures: tuple[str, ...]
    differences: dict[str, float]


def export(model: keras.Model, path: str | os.PathLike[str], format: Format | None = None) -> Export:
    """Write a trained model in a format that needs neither Keras nor tfstyle, and compare it with the model.

    An `AdaIN` has three functions, of RGB images `(batch, height, width, 3)` in [0, 1] of any size and number:

    - `stylize(content, style, alpha)` returns `{"picture"}`, of the content's size; alpha is a number from 0 to 1;
    - `encode_style(style)` returns `{"mean", "deviation"}`, each `(batch, channels)`, as in a `StyleCode`;
    - `stylize_with_code(content, mean, deviation, alpha)` returns `{"picture"}`, for many contents in one style.

    A model from images to images has `paint(pictures)`, which returns `{"picture"}`. For a `CycleGAN` that is the
    generator from photographs to paintings. A `GAN`, and a `WGAN` that was trained without photographs, has
    `generate(noise)`, which returns `{"picture"}` for normal noise `(batch, model.latent_dim)`.

    A SavedModel and a TensorFlow Lite file contain all functions (in a SavedModel, the first is also the
    `serving_default`). An ONNX file contains one: `OUT.onnx` is the first, and `OUT-encode_style.onnx` and so on lie
    beside it.

    Args:
        model: An `AdaIN`, `CycleGAN`, `WGAN` or `GAN`, or any Keras model from images to images.
        path: The folder of a SavedModel, which must not exist yet, or a file that ends in .tflite or .onnx.
        format: `"saved_model"`, `"tflite"` or `"onnx"`; None for the format of the path's suffix.

    Raises:
        InputError: The packages for ONNX are missing, the model can't be converted, the result differs from the model
            by more than `BOUND`, or it can't be written. Nothing is written then.
    """
    path = Path(path)
    kind = _format(path, format)
    if kind == "onnx":
        _tf2onnx()  # before the work, as it may be missing
    if isinstance(model, Exports):  # not all formats have half precision
        model = model.in_float32()
    signatures = of(model)
    functions = [tf.function(each.function).get_concrete_function(**each.inputs) for each in signatures]
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tfstyle-") as folder:
        converted, failure = Path(folder) / "model", None
        with without_greetings():
            try:
                written = _WRITERS[kind](model, signatures, functions, converted)
                differences = _differences(model, written.functions)
            except Exception as error:  # converters raise errors of all kinds
                failure = error
        if failure:
            reason = files.reason(failure)[:200]
            raise InputError(
                f"the {type(model).__name__} can't be converted to {kind} ({reason}): try another format"
            ) from failure
        worst = max(differences.values())
        if not worst <= BOUND:
            raise InputError(
                f"the {type(model).__name__} differs by up to {worst * 255:.3g}/255 after conversion to {kind}, and "
                f"nothing was written: try another format"
            )
        return Export(_moved(path, converted, written.files), tuple(map(str, signatures)), differences)


@dataclass(frozen=True)
class _Converted:
    """A converted model.

    Attributes:
        files: The bytes of each file, by what is added to the output's name; none for a folder.
        functions: The exported functions by name.
    """

    files: dict[str, bytes]
    functions: dict[str, Function]


def _format(path: Path, format: str | None) -> Format:
    """The format of a path, after a check that it can be written."""
    kind = _SUFFIXES.get(path.suffix.lower(), "saved_model") if format is None else format
    if kind not in FORMATS:
        raise unknown("format", kind, FORMATS)
    name = files.shown(path)
    if kind == "saved_model" and path.exists():
        raise InputError(f"could not write {name}: it exists already; choose another name")
    if kind != "saved_model" and _SUFFIXES.get(path.suffix.lower()) != kind:
        raise InputError(f"could not write {name} as {kind}: end its name in .{kind}")
    files.check_place(path)
    return kind


def _saved_model(model: keras.Model, signatures: list[Signature], functions: list[Any], folder: Path) -> _Converted:
    module = tf.Module()
    module.variables_of_the_model = [variable.value for variable in model.variables]
    named = {each.name: function for each, function in zip(signatures, functions, strict=True)}
    tf.saved_model.save(module, str(folder), signatures={**named, "serving_default": functions[0]})
    loaded = tf.saved_model.load(str(folder))

    def call(name: str, **inputs: Any) -> dict[str, np.ndarray]:
        outputs = loaded.signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in outputs.items()}

    return _Converted({}, {each.name: _with_first(call, each.name) for each in signatures})


def _tflite(model: keras.Model, signatures: list[Signature], functions: list[Any], folder: Path) -> _Converted:
    _saved_model(model, signatures, functions, folder)
    names = [each.name for each in signatures]
    data = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=names).convert()
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it will move to that package
        interpreter = Interpreter(model_content=data)

    def call(name: str, **inputs: Any) -> dict[str, np.ndarray]:
        return interpreter.get_signature_runner(name)(**inputs)

    return _Converted({"": data}, {name: _with_first(call, name) for name in names})


def _onnx(model: keras.Model, signatures: list[Signature], functions: list[Any], folder: Path) -> _Converted:
    tf2onnx, onnxruntime = _tf2onnx()
    contents, calls = {}, {}
    for index, each in enumerate(signatures):
        inputs = list(each.inputs.values())
        function = tf.function(each.function, input_signature=inputs)
        proto, _ = tf2onnx.convert.from_function(function, input_signature=inputs, opset=_OPSET)
        data = proto.SerializeToString()
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

        def call(session: Any, **inputs: Any) -> dict[str, np.ndarray]:
            names = [output.name for output in session.get_outputs()]
            return dict(zip(names, session.run(names, inputs), strict=True))

        contents[f"-{each.name}" if index else ""] = data
        calls[each.name] = _with_first(call, session)
    return _Converted(contents, calls)


_WRITERS: dict[Format, Callable[..., _Converted]] = {"saved_model": _saved_model, "tflite": _tflite, "onnx": _onnx}


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


def _with_first(call: Callable[..., Any], first: Any) -> Function:
    """A function with its first argument fixed."""
    return lambda **inputs: call(first, **inputs)


def _differences(model: keras.Model, functions: dict[str, Function]) -> dict[str, float]:
    """The largest differences between the exported functions' images and the model's, by the functions called."""
    differences: dict[str, float] = {}
    for sample in samples_of(model):
        difference = _difference(sample.call(functions), sample.expected)
        differences[sample.name] = max(differences.get(sample.name, 0.0), difference)
    return differences


def _difference(images: np.ndarray, expected: np.ndarray) -> float:
    """The largest absolute difference; infinite where the shapes differ."""
    return float(np.abs(images - expected).max()) if images.shape == expected.shape else np.inf


def _moved(path: Path, converted: Path, contents: dict[str, bytes]) -> tuple[Path, ...]:
    """Move the converted model to its place; the paths of its folder or files."""
    if not contents:
        try:
            shutil.move(converted, path)
        except OSError as error:
            raise InputError(
                f"could not write {files.shown(path)}: {files.reason(error)}; choose another place"
            ) from error
        return (path,)
    data = {path.with_name(f"{path.stem}{suffix}{path.suffix}"): each for suffix, each in contents.items()}
    for place in data:
        files.check_place(place)
    for place, each in data.items():
        files.atomic_write(place, each)
    return tuple(data)
