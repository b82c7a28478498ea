"""Training into a folder: the model and its log after each epoch, samples to look at, and going on exactly."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle.core import files
from tfstyle.core.errors import InputError, check_whole
from tfstyle.core.interrupts import uninterrupted
from tfstyle.images import grids
from tfstyle.training import page as training_page

MODEL, LOG, SETTINGS, SAMPLES, PAGE = "model.keras", "log.csv", "training.json", "samples", "index.html"


class Run:
    """A training's folder: `training.json` (its settings), `model.keras`, `log.csv`, `samples/epoch-0001.png`, and
    `index.html` to look at, which needs nothing else.

    The model is written last in an epoch, with its optimizer, completely or not at all: whatever ends the training,
    `fit` goes on from the last epoch that was finished, and what comes out is what an uninterrupted training gives.

    Args:
        folder: Which is made if there is none.
        settings: Of the training, as JSON can hold them; those of one that is resumed must be the same.
        resume: Whether a training in the folder goes on; there need be none. One without a finished epoch is begun
            anew in any case.

    Raises:
        InputError: There is a training and it isn't to be resumed, or it has other settings; or the folder can't be
            made, or has other files in it.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any], resume: bool = False) -> None:
        self.folder = Path(folder)
        shown = files.shown(folder)
        self.settings = wanted = json.loads(json.dumps(settings))  # tuples as lists
        inside = files.make_folder(folder)
        strange = sorted(name for name in inside - {SAMPLES} if not name.startswith(".tfstyle-"))
        if strange and SETTINGS not in inside:
            raise InputError(
                f"the folder {shown} has other files in it, as {files.shown(strange[0])}: give a new folder"
            )
        files.make_folder(self.folder / SAMPLES)
        if MODEL not in inside:
            (self.folder / LOG).unlink(missing_ok=True)  # of an epoch that was not finished
            files.atomic_write(self.folder / SETTINGS, (json.dumps(wanted, indent=2) + "\n").encode())
            return
        if not resume:
            raise InputError(f"there is a training in {shown}: go on with it by --resume, or give another folder")
        try:
            found = json.loads((self.folder / SETTINGS).read_text())
            different = [key for key in sorted({*found, *wanted}) if found.get(key) != wanted.get(key)]
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(
                f"{files.shown(self.folder / SETTINGS)} is damaged: delete {shown} to begin anew"
            ) from error
        if different:
            said = "; ".join(f"{key} was {found.get(key)!r}, is {wanted.get(key)!r}" for key in different)
            raise InputError(f"the training in {shown} is of other settings ({said}): give those, or another folder")

    def model(self, make: Callable[[], keras.Model]) -> keras.Model:
        """The model as the last finished epoch left it; or a new one, which `make` gives compiled.

        Raises:
            InputError: The folder's model is damaged, or there is not enough memory for a new one.
        """
        path = self.folder / MODEL
        if not path.exists():
            with _enough_memory():
                return make()
        try:
            return keras.saving.load_model(path)
        except Exception as error:  # of all sorts, as Keras and zipfile have it
            raise InputError(
                f"could not load {files.shown(path)} ({files.reason(error)}): delete the folder to begin anew"
            ) from error

    def fit(
        self,
        model: keras.Model,
        dataset: Callable[[int], Any],
        *,
        epochs: int,
        steps: int,
        validation: Any = None,
        samples: Callable[[keras.Model], np.ndarray] | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: Any = "auto",
    ) -> int:
        """Train, on from the epochs that the model has seen; the number of epochs it has seen then.

        Args:
            model: As `model` gave it.
            dataset: Gives the dataset that begins with an epoch of that number, from 0.
            epochs: Of the whole training, those of before included.
            steps: Of an epoch, which the dataset has.
            validation: A dataset to evaluate after each epoch; None for none.
            samples: Gives the picture that each epoch leaves in `samples/`; None for none.
            callbacks: More of Keras' own kind.
            verbose: Keras' progress: 1 for bars, 2 for lines, 0 for silence.

        Raises:
            InputError: Losses are no longer finite, a file can't be written, or there is not enough memory; what the
                last epoch has left stays as it was.
        """
        check_whole("epochs", epochs, 1, 1_000_000)
        seen = steps_done(model) // steps
        if seen < epochs:
            keep = _Keep(self, samples, epochs)
            with _enough_memory():
                model.fit(
                    dataset(seen),
                    epochs=epochs,
                    initial_epoch=seen,
                    validation_data=validation,
                    callbacks=[*callbacks, keep],
                    verbose=verbose,
                    shuffle=False,  # the dataset is
                )
        return steps_done(model) // steps

    def rows(self) -> list[dict[str, float]]:
        """The log's rows, one for each epoch."""
        return _rows(self.folder)

    def keep(
        self,
        model: keras.Model,
        epoch: int,
        logs: Mapping[str, float],
        sample: np.ndarray | None,
        epochs: int | None = None,
    ) -> None:
        """Write all that an epoch, counted from 1, has left; the model last, since it says that the epoch is done.

        Args:
            model: Which is trained.
            epoch: Its number.
            logs: Its losses and whatever else was measured, by name.
            sample: Its picture.
            epochs: Of the whole training, for the page, which reloads itself until then.
        """
        row = {"epoch": epoch, **{name: float(value) for name, value in logs.items()}}
        rows = [*(row for row in self.rows() if row["epoch"] < epoch), row]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**old, "epoch": int(old["epoch"])} for old in rows)
        files.atomic_write(self.folder / LOG, text.getvalue().encode())
        if sample is not None:
            grids.save(sample, self._sample(epoch))
        shown = [dict(row) for row in csv.DictReader(io.StringIO(text.getvalue()))]
        pictures = {number: self._sample(number) for number in range(1, epoch + 1) if self._sample(number).exists()}
        page = training_page.html(files.shown(self.folder.name), self.settings, shown, pictures, epochs)
        files.atomic_write(self.folder / PAGE, page.encode())
        save_model(model, self.folder / MODEL)

    @property
    def page(self) -> Path:
        """Where the training can be looked at."""
        return self.folder / PAGE

    def _sample(self, epoch: int) -> Path:
        return self.folder / SAMPLES / f"epoch-{epoch:04}.png"


def found(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """A training's settings and the rows of its log, as far as it has come; nothing of the folder is changed.

    Raises:
        InputError: There is none, of which an epoch was finished.
    """
    place, shown = Path(folder), files.shown(folder)
    if not (place / MODEL).is_file():
        raise InputError(f"there is no training in {shown}, or none with a finished epoch: give one's folder")
    try:
        settings = json.loads((place / SETTINGS).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{files.shown(place / SETTINGS)} is damaged or missing: train anew") from error
    if not (rows := _rows(place)):
        raise InputError(f"there is no {LOG} in {shown}: train anew")
    return settings, rows


@contextlib.contextmanager
def _enough_memory() -> Iterator[None]:
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise InputError("there is not enough memory: give a smaller size or batch, or fewer filters") from error


def _rows(folder: Path) -> list[dict[str, float]]:
    try:
        with open(folder / LOG, newline="") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{files.shown(folder / LOG)} is damaged: delete the folder to begin anew") from error


def steps_done(model: keras.Model) -> int:
    """Batches that a model has learned from: those of its first optimizer, or what it counts itself.

    A WGAN's generator learns from every fifth batch only, and so its optimizer counts a fifth of them.
    """
    return int(getattr(model, "step", model.optimizer.iterations))


class _Keep(keras.callbacks.Callback):
    """Writes what each epoch has left into its run's folder."""

    def __init__(self, run: Run, samples: Callable[[keras.Model], np.ndarray] | None, epochs: int) -> None:
        super().__init__()
        self.run, self.samples, self.epochs = run, samples, epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write it, if the losses are numbers."""
        logs = logs or {}
        sizes = {variable.path: np.sum(np.abs(variable)) for variable in self.model.trainable_variables}
        if bad := [name for name, value in {**logs, **sizes}.items() if not math.isfinite(value)]:  # ReLU hides NaN
            kept = f"the model of epoch {epoch} is kept" if epoch else "nothing is kept"
            raise InputError(
                f"training diverged in epoch {epoch + 1}, {bad[0]} is not finite; {kept}: train anew with a lower "
                f"learning rate"
            )
        with uninterrupted():
            sample = None if self.samples is None else self.samples(self.model)
            self.run.keep(self.model, epoch + 1, logs, sample, self.epochs)


def save_model(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Save a model as a `.keras` file, completely or not at all.

    Raises:
        InputError: It can't be written.
    """
    with files.atomic_file(path, ".tfstyle-model.keras") as file:  # Keras wants a name that ends so
        model.save(file.name)
