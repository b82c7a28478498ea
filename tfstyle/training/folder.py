"""A training's folder: its settings, model, log, samples and page, written so that a training continues exactly."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfstyle import models  # noqa: F401 - registers the models, without which none can be loaded
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.fingerprint import differences
from tfstyle.core.table import as_csv
from tfstyle.images import grids
from tfstyle.models.pretrained import RUN_MODEL as MODEL
from tfstyle.training.memory import enough_memory
from tfstyle.training.page import page

LOG, SETTINGS, SAMPLES, PAGE = "log.csv", "training.json", "samples", "index.html"


class TrainingFolder:
    """A folder with `training.json` (settings), `model.keras`, `log.csv`, `samples/epoch-0001.png` and `index.html`.

    An epoch's model is written last, with its optimizer, completely or not at all. So whatever ends a training, it
    continues from the last finished epoch, and its result is that of an uninterrupted training.

    Args:
        folder: The folder, which is made if there is none.
        settings: Settings of the training that a continued one must share, as JSON can hold them.
        resume: Whether a training in the folder is continued; there need be none. A training without a finished
            epoch is started anew in any case.

    Raises:
        InputError: The folder holds a training and `resume` is False, or one with other settings; or the folder
            can't be made, or holds other files.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any], resume: bool = False) -> None:
        self.path = Path(folder)
        self.settings = json.loads(json.dumps(settings))  # tuples become lists
        shown = files.shown(folder)
        inside = files.make_folder(folder)
        foreign = sorted(name for name in inside - {SAMPLES} if not name.startswith(".tfstyle-"))
        if foreign and SETTINGS not in inside:
            raise InputError(
                f"the folder {shown} holds other files, such as {files.shown(foreign[0])}: choose a new folder"
            )
        files.make_folder(self.path / SAMPLES)
        if MODEL in inside:
            if not resume:
                raise InputError(f"there is a training in {shown}: continue it with resume, or choose another folder")
            self._check_settings()
            return
        (self.path / LOG).unlink(missing_ok=True)  # of an unfinished epoch
        files.atomic_write(self.path / SETTINGS, (json.dumps(self.settings, indent=2) + "\n").encode())

    def _check_settings(self) -> None:
        """See that the settings are those that the training was started with."""
        shown = files.shown(self.path)
        try:
            different = differences(json.loads((self.path / SETTINGS).read_text()), self.settings)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"{files.shown(self.path / SETTINGS)} is damaged: delete {shown} to train anew"
            ) from error
        if different:
            raise InputError(
                f"the training in {shown} has other settings ({'; '.join(different)}): use those, or choose another "
                f"folder"
            )

    def load_or_build(self, build: Callable[[], keras.Model]) -> keras.Model:
        """The model of the last finished epoch, or a new one.

        Args:
            build: Returns a new, compiled model.

        Raises:
            InputError: The model in the folder is damaged, or there is not enough memory for a new one.
        """
        path = self.path / MODEL
        if not path.exists():
            with enough_memory():
                return build()
        try:
            return keras.saving.load_model(path)
        except Exception as error:  # Keras and zipfile raise errors of many kinds
            raise InputError(
                f"could not load {files.shown(path)} ({files.reason(error)}): delete the folder to train anew"
            ) from error

    def rows(self) -> list[dict[str, float]]:
        """The rows of the log, one per finished epoch."""
        return _read_log(self.path)

    def write_epoch(
        self,
        model: keras.Model,
        epoch: int,
        logs: Mapping[str, float],
        sample: np.ndarray | None,
        epochs: int | None = None,
    ) -> None:
        """Write what an epoch leaves; the model last, since it marks the epoch as finished.

        Args:
            model: The model in training.
            epoch: Number of the epoch, from 1.
            logs: Losses and other measurements by name.
            sample: Image of the epoch's samples: float (height, width, 3) in [0, 1].
            epochs: Number of epochs of the whole training; until then the page reloads itself.
        """
        row = {"epoch": epoch, **{name: float(value) for name, value in logs.items()}}
        rows = [*(row for row in self.rows() if row["epoch"] < epoch), row]
        table = [{**each, "epoch": int(each["epoch"])} for each in rows]
        files.atomic_write(self.path / LOG, as_csv(table, row).encode())
        if sample is not None:
            grids.save(sample, self._sample(epoch))
        samples = {number: self._sample(number) for number in range(1, epoch + 1) if self._sample(number).exists()}
        html = page(files.shown(self.path.name), self.settings, table, samples, epochs)
        files.atomic_write(self.path / PAGE, html.encode())
        save_model(model, self.path / MODEL)

    @property
    def page(self) -> Path:
        """The page that shows the training."""
        return self.path / PAGE

    @property
    def model(self) -> Path:
        """The file of the model."""
        return self.path / MODEL

    def _sample(self, epoch: int) -> Path:
        return self.path / SAMPLES / f"epoch-{epoch:04}.png"


@dataclass(frozen=True)
class TrainingRecord:
    """What a training's folder tells of the training.

    Attributes:
        settings: Settings that the training was started with.
        rows: Rows of the log, one per finished epoch.
    """

    settings: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]]

    @property
    def generator_steps(self) -> int:
        """Steps of the generator so far, however many its critic has made."""
        return self.generator_steps_after(self.rows[-1])

    def generator_steps_after(self, row: Mapping[str, float]) -> int:
        """Steps of the generator at the end of an epoch of the log."""
        return int(row["epoch"]) * int(self.settings["steps"]) // int(self.settings.get("critic_steps") or 1)


def read_record(folder: str | os.PathLike[str]) -> TrainingRecord:
    """The record of the training in a folder, which is left as it is.

    Raises:
        InputError: The folder has no training, or none with a finished epoch.
    """
    path, shown = Path(folder), files.shown(folder)
    if not (path / MODEL).is_file():
        raise InputError(
            f"there is no training with a finished epoch in {shown}: give the output folder of `tfstyle train`"
        )
    try:
        settings = json.loads((path / SETTINGS).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{files.shown(path / SETTINGS)} is damaged or missing: train anew") from error
    if not (rows := _read_log(path)):
        raise InputError(f"there is no {LOG} in {shown}: train anew")
    return TrainingRecord(settings, rows)


def _read_log(folder: Path) -> list[dict[str, float]]:
    try:
        with open(folder / LOG, newline="") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{files.shown(folder / LOG)} is damaged: delete the folder to train anew") from error


def save_model(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Save a model as a `.keras` file, completely or not at all.

    Raises:
        InputError: The file can't be written.
    """
    with files.atomic_file(path, ".tfstyle-model.keras") as file:  # Keras wants a name with this suffix
        model.save(file.name)
