"""The AdaIN that comes with the package: on `VGG19Mini` with embedded weights, at relu4_1."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import h5py
import numpy as np

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.features import weights as weight_files
from tfstyle.features.backbone import Backbone
from tfstyle.models.adain.adain import AdaIN

_ENCODER = "VGG19Mini"
_SHA256 = "encoder_sha256"  # attribute of the file: the weights of VGG19Mini that the decoder was trained with


def load() -> AdaIN:
    """The AdaIN that comes with the package.

    Raises:
        InputError: Its file is missing or damaged.
    """
    path = weight_files.adain()
    model = _untrained()
    try:
        with h5py.File(path) as file:
            encoder_sha256 = file.attrs.get(_SHA256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.load_weights(path)
    except Exception as error:  # Keras and h5py raise errors of all kinds
        raise InputError(
            f"{files.shown(path)}, which comes with the package, is damaged: install tfstyle again"
        ) from error
    if encoder_sha256 != model.encoder.backbone.weights_record["sha256"]:
        warnings.warn(
            f"{path.name} was trained with other weights of {_ENCODER} than the embedded ones: it can't paint unless "
            f"they are nearly equal",
            stacklevel=2,
        )
    return model


def write(model: AdaIN, path: str | os.PathLike[str] = weight_files.ADAIN) -> int:
    """Write a trained model's decoder, in float16, and its encoder's scales, as the file that `load` reads.

    Args:
        model: A trained `AdaIN(Backbone("VGG19Mini", padding="reflection"))`.
        path: The file; it is written completely or not at all.

    Returns:
        The number of bytes.

    Examples:
        >>> write(tfstyle.models.load("runs/adain"))  # a training run's folder  # doctest: +SKIP

    Raises:
        InputError: Another encoder or layer, weights that exceed float16, or a file that can't be written.
    """
    half = _untrained("float16")
    config, expected = model.encoder.backbone.get_config(), half.encoder.backbone.get_config()
    for key in expected:
        if key not in ("precision", "seed") and config[key] != expected[key]:
            raise InputError(
                f"the encoder has {key} {config[key]!r}, and the embedded one {expected[key]!r}: use that"
            )
    if (model.layer, set(model.encoder.layers)) != (half.layer, set(half.encoder.layers)):
        raise InputError(f"the model decodes {model.layer}, and the embedded one {half.layer}: train that")
    weights = model.decoder.get_weights()
    if not all(np.abs(each).max() <= np.finfo("float16").max for each in weights):
        raise InputError("the decoder has weights that float16 can't hold: train it anew")
    half.decoder.set_weights(weights)
    for layer, scale in model.encoder.scales.items():
        half.encoder.scales[layer].assign(scale)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "adain.weights.h5"
        half.save_weights(place)
        with h5py.File(place, "a") as file:
            file.attrs[_SHA256] = half.encoder.backbone.weights_record["sha256"]
        data = place.read_bytes()
    files.atomic_write(path, data)
    return len(data)


def _untrained(dtype: str = "float32") -> AdaIN:
    backbone = Backbone(_ENCODER, "embedded", padding="reflection", precision="float32")
    return AdaIN(backbone, dtype=dtype)
