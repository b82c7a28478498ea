"""A training that is ready to start or to continue, and its result."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.interrupts import uninterrupted
from tfstyle.training.crops import Crops
from tfstyle.training.folder import TrainingFolder
from tfstyle.training.memory import enough_memory

log = logging.getLogger("tfstyle")


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves.

    Attributes:
        model: The trained Keras model.
        folder: The training's folder: `result.folder.page` shows the training, `result.folder.model` is the model's
            file.
        log: Losses and other measurements of each epoch, by name.
    """

    model: Any
    folder: TrainingFolder
    log: list[dict[str, float]]

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.log)


@dataclass(frozen=True, eq=False)
class Trainer:
    """A training's folder, its model, and what the model is trained on.

    Attributes:
        folder: The training's folder.
        model: The compiled model, new or from the folder.
        epochs: Number of epochs of the whole training.
        steps: Training steps per epoch.
        dataset: Returns the dataset that begins with an epoch of a given number, from 0.
        crops: All crops that are read; they know which files could not be read.
        images: What is trained on, for the log: "7 photos and 5 paintings".
        validation: Dataset that is evaluated after each epoch, or None.
        samples: Returns the image that each epoch leaves in `samples/`; None for no image.
        callbacks: Keras callbacks, called before an epoch is written.
    """

    folder: TrainingFolder
    model: keras.Model
    epochs: int
    steps: int
    dataset: Callable[[int], Any]
    crops: Sequence[Crops] = ()
    images: str = "images"
    validation: Any = None
    samples: Callable[[keras.Model], np.ndarray] | None = None
    callbacks: list[keras.callbacks.Callback] = field(default_factory=list)

    def fit(self, *, verbose: Any = "auto", callbacks: Iterable[keras.callbacks.Callback] = ()) -> TrainingResult:
        """Train from the model's last finished epoch up to the last epoch.

        Args:
            verbose: Progress as in Keras' `fit`.
            callbacks: More Keras callbacks, called before an epoch is written.

        Raises:
            InputError: The losses are not finite, a file can't be written, or there is not enough memory; the last
                finished epoch stays as it was.
        """
        finished = steps_done(self.model) // self.steps
        if finished < self.epochs:
            log.info(
                "training on %s, epochs %d to %d of %d steps each; %s shows the progress",
                self.images,
                finished + 1,
                self.epochs,
                self.steps,
                files.shown(self.folder.page),
            )
            self._fit(finished, verbose, callbacks)
        return TrainingResult(self.model, self.folder, self.folder.rows())

    def _fit(self, finished: int, verbose: Any, callbacks: Iterable[keras.callbacks.Callback]) -> None:
        writer = _EpochWriter(self.folder, self.samples, self.epochs)
        try:
            with enough_memory():
                self.model.fit(
                    self.dataset(finished),
                    epochs=self.epochs,
                    initial_epoch=finished,
                    validation_data=self.validation,
                    callbacks=[*self.callbacks, *callbacks, writer],
                    verbose=verbose,
                    shuffle=False,  # the dataset is shuffled
                )
        finally:
            if skipped := self.skipped():
                log.warning("skipped %d files that can't be read, such as %s", len(skipped), files.shown(skipped[0]))

    def skipped(self) -> list[Path]:
        """Files that could not be read so far, sorted by name."""
        return sorted({path for each in self.crops for path in each.skipped})


def steps_done(model: keras.Model) -> int:
    """Batches that a model was trained on.

    A model's own count goes before that of its optimizer: a WGAN's generator learns from every fifth batch only.
    """
    return int(getattr(model, "step", model.optimizer.iterations))


class _EpochWriter(keras.callbacks.Callback):
    """Writes each epoch into the training's folder."""

    def __init__(
        self, folder: TrainingFolder, samples: Callable[[keras.Model], np.ndarray] | None, epochs: int
    ) -> None:
        super().__init__()
        self.folder, self.samples, self.epochs = folder, samples, epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch, if losses and weights are finite."""
        logs = logs or {}
        sizes = {variable.path: np.sum(np.abs(variable)) for variable in self.model.trainable_variables}
        infinite = [name for name, value in {**logs, **sizes}.items() if not math.isfinite(value)]  # ReLU hides NaN
        if infinite:
            kept = f"the model of epoch {epoch} is kept" if epoch else "nothing is kept"
            raise InputError(
                f"training diverged in epoch {epoch + 1}, {infinite[0]} is not finite; {kept}: train anew with a "
                f"lower learning rate"
            )
        with uninterrupted():
            sample = None if self.samples is None else self.samples(self.model)
            self.folder.write_epoch(self.model, epoch + 1, logs, sample, self.epochs)
