"""Trained models by name or by file: those that come with the package, and those that Keras has saved."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path
from typing import Any

import keras

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.registry import Registry
from tfstyle.models.interfaces import Generates, Stylizes, Translates

DEFAULT = "embedded"
EMBEDDED = Registry("embedded model", {DEFAULT: "tfstyle.models.adain.embedded:load"})
"""The models that come with the package: functions without arguments, by name."""
RUN_MODEL = "model.keras"  # in the folder of a training run


def load(source: str | os.PathLike[str] = DEFAULT) -> Any:
    """A trained model that paints: it stylizes, translates or generates.

    Args:
        source: `"embedded"` for the `AdaIN` on `VGG19Mini` that comes with the package, in float32; or the path of a
            model that Keras has saved, `.keras`, or of the folder of a training run, which contains `model.keras`. No
            code of a file is run.

    Raises:
        InputError: A model that doesn't exist, can't be read, lacks its weights, or doesn't paint.

    Examples:
        >>> import tfstyle
        >>> type(tfstyle.models.load("embedded")).__name__
        'AdaIN'
    """
    model = read(source)
    if not isinstance(model, (Stylizes, Translates, Generates)):
        raise InputError(
            f"{files.shown(source)} has a {type(model).__name__}, which doesn't paint: give an AdaIN, CycleGAN, WGAN "
            f"or GAN"
        )
    return model


def read(source: str | os.PathLike[str] = DEFAULT) -> keras.Model:
    """Any trained model, of tfstyle or not, by name or by file.

    Args:
        source: As for `load`.

    Raises:
        InputError: A model that doesn't exist, can't be read, or lacks its weights.
    """
    return EMBEDDED[str(source)]() if str(source) in EMBEDDED else _read(source)


def _read(path: str | os.PathLike[str]) -> keras.Model:
    place = Path(os.path.expanduser(path))
    name = files.shown(path)
    if place.is_dir():
        place = place / RUN_MODEL
        if not place.is_file():
            raise InputError(f"there is no {RUN_MODEL} in the folder {name}: give a training run's folder or a model")
    if not place.is_file():
        names = ", ".join(repr(each) for each in EMBEDDED)
        raise InputError(f"model {name} does not exist: give {names}, a .keras file or a training run's folder")
    if place.suffix != ".keras":
        raise InputError(f"{name} is no saved model: give one whose name ends in .keras")
    fix = "give one that model.save has written"
    if not zipfile.is_zipfile(place):
        raise InputError(f"{name} can't be read as a model (it is no archive): {fix}")
    try:
        model = keras.saving.load_model(place, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # Keras raises errors of all kinds for damaged files
        reason = re.split(r"(?<=\w)[.:;,] |\n", files.reason(error))[0]
        raise InputError(f"{name} can't be read as a model ({reason}): {fix}") from error
    if not isinstance(model, keras.Model):
        raise InputError(f"{name} has a {type(model).__name__}, which is no model: give a saved model")
    return model
