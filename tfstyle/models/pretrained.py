"""Trained models by name or by file: the one that comes with the package, and those that Keras has saved."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.features import weights as weights_room
from tfstyle.features.backbone import Backbone
from tfstyle.models.adain.adain import AdaIN

EMBEDDED = "embedded"
RUN_MODEL = "model.keras"  # in the folder of a training run
_ENCODER = "VGG19Mini"
_SHA256 = "encoder_sha256"  # attribute of the embedded file: which weights of VGG19Mini the decoder belongs to


def load(source: str | os.PathLike[str] = EMBEDDED) -> Any:
    """A trained model that stylizes.

    Args:
        source: `"embedded"` for the `AdaIN` on `VGG19Mini` that comes with the package; or the path of a model that
            Keras has saved, `.keras`, or of the folder of a training run, with `model.keras` in it.

    Returns:
        The model, in float32 if it is the embedded one; no code of the file is run.

    Raises:
        InputError: It isn't there, can't be read, has no weights to be had, or is a model that doesn't stylize.
    """
    if str(source) == EMBEDDED:
        return embedded()
    model = read(source)
    if not hasattr(model, "stylize"):
        raise InputError(
            f"{files.shown(source)} has a {type(model).__name__}, which doesn't stylize: give an AdaIN or CycleGAN"
        )
    return model


def read(path: str | os.PathLike[str]) -> keras.Model:
    """Any model that Keras has saved; see `load`.

    Raises:
        InputError: It isn't there, or can't be read.
    """
    place = Path(path).expanduser()
    name = files.shown(path)
    if place.is_dir():
        place = place / RUN_MODEL
        if not place.is_file():
            raise InputError(f"there is no {RUN_MODEL} in the folder {name}: give a training run's folder or a model")
    if not place.is_file():
        raise InputError(f"model {name} does not exist: give 'embedded', a .keras file or a training run's folder")
    if place.suffix != ".keras":
        raise InputError(f"{name} is no saved model: give one whose name ends in .keras")
    fix = "give one that model.save has written"
    if not zipfile.is_zipfile(place):
        raise InputError(f"{name} can't be read as a model (it is no archive): {fix}")
    try:
        model = keras.saving.load_model(place, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # what garbage makes Keras raise has nothing in common
        reason = re.split(r"(?<=\w)[.:;,] |\n", files.reason(error))[0]
        raise InputError(f"{name} can't be read as a model ({reason}): {fix}") from error
    if not isinstance(model, keras.Model):
        raise InputError(f"{name} has a {type(model).__name__}, which is no model: give a saved model")
    return model


def embedded() -> AdaIN:
    """The AdaIN that comes with the package: on `VGG19Mini` with embedded weights, at relu4_1.

    Raises:
        InputError: Its file is missing or damaged.
    """
    path = weights_room.adain()
    model = _untrained()
    try:
        with h5py.File(path) as file:
            belongs = file.attrs.get(_SHA256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.load_weights(path)
    except Exception as error:  # likewise
        raise InputError(
            f"{files.shown(path)}, which comes with the package, is damaged: install tfstyle again"
        ) from error
    if belongs != model.encoder.backbone.weights_record["sha256"]:
        warnings.warn(
            f"{path.name} was trained with other weights of {_ENCODER} than those embedded: unless they are nearly "
            f"the same, it can't paint",
            stacklevel=2,
        )
    return model


def write_embedded(model: AdaIN, path: str | os.PathLike[str] = weights_room.ADAIN) -> int:
    """Write a trained model's decoder, in float16, and its encoder's scales as the file that `embedded` reads.

    Args:
        model: An `AdaIN(Backbone("VGG19Mini", padding="reflection"))`, trained.
        path: What is written, completely or not at all.

    Returns:
        Its bytes.

    Examples:
        >>> write_embedded(load("runs/adain"))  # a training run's folder

    Raises:
        InputError: Another encoder or layer, weights that float16 can't hold, or a file that can't be written.
    """
    half = _untrained("float16")
    encoder, own = model.encoder.backbone.get_config(), half.encoder.backbone.get_config()
    for key in ("name", "weights", "pooling", "padding", "input_scaling", "activation_smoothing"):
        if encoder[key] != own[key]:
            raise InputError(f"the encoder has {key} {encoder[key]!r}, and the embedded one {own[key]!r}: use that")
    if (model.layer, set(model.encoder.layers)) != (half.layer, set(half.encoder.layers)):
        raise InputError(f"the model decodes {model.layer}, and the embedded one {half.layer}: train that")
    given = model.decoder.get_weights()
    if not all(np.abs(each).max() <= np.finfo("float16").max for each in given):
        raise InputError("the decoder has weights that float16 can't hold: train it anew")
    half.decoder.set_weights(given)
    for layer, scale in model.encoder.scales.items():
        half.encoder.scales[layer].assign(scale)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "adain.weights.h5"
        half.save_weights(made)
        with h5py.File(made, "a") as file:
            file.attrs[_SHA256] = half.encoder.backbone.weights_record["sha256"]
        data = made.read_bytes()
    files.atomic_write(path, data)
    return len(data)


def _untrained(dtype: str = "float32") -> AdaIN:
    backbone = Backbone(_ENCODER, EMBEDDED, padding="reflection", precision="float32")
    return AdaIN(backbone, dtype=dtype)
