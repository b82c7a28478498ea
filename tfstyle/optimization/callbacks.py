"""Keras callbacks of a canvas: the log of its steps, a progress bar, and previews on disk."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.progress import Bar

if TYPE_CHECKING:
    from rich.console import Console

log = logging.getLogger("tfstyle")


class StepLog(keras.callbacks.Callback):
    """Appends the losses of each step to `step_logs` of the canvas, and stops when they are not finite."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start after the steps that are done."""
        self._logged = self.model.steps_done

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Append the losses of the steps of the last call."""
        done, names = self.model.steps_done, ("step", "loss", *self.model.objective.names)
        steps = range(self._logged + 1, done + 1)
        for step, losses in zip(steps, self.model.recent_losses(len(steps)), strict=True):
            for step_log, row in zip(self.model.step_logs, losses.tolist(), strict=True):
                for name, value in zip(names, (step, *row), strict=True):
                    step_log.setdefault(name, []).append(value)
        self._logged = done
        self.model.stop_training |= self.model.diverged


class ProgressBar(keras.callbacks.Callback):
    """A progress bar on the terminal: step, loss by term, time left.

    Args:
        console: Console of the bar. None for stderr, as stdout is for results.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self._console = console
        self._bar = Bar("", visible=False)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Draw the bar."""
        self._start = self.model.steps_done
        total = self.params["epochs"] * self.params["steps"]
        height, width = self.model.best_pixels.shape[1:3]
        self._bar = Bar(f"painting {width}x{height}", total, console=self._console)
        self._bar.update(0, "compiling …")
        self._bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar."""
        losses = "  ".join(f"{name} {value:.3g}" for name, value in (logs or {}).items())
        self._bar.update(self.model.steps_done - self._start, losses)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Leave the finished bar."""
        self.close()

    def close(self) -> None:
        """Stop the bar, also after an interruption."""
        self._bar.stop()


class Preview(keras.callbacks.Callback):
    """Writes the best picture so far every few steps: `OUT-step00050.png` beside `OUT.png`.

    A preview that can't be written is reported once, and the optimisation continues without previews.

    Args:
        path: Path of the output, whose name the previews' names begin with.
        every: Number of steps between two previews.

    Examples:
        >>> preview = Preview("out.png", every=50)
        >>> canvas.fit(steps=300, callbacks=[preview])  # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str], every: int) -> None:
        super().__init__()
        self.path = Path(path)
        self.every = every
        self._failed = False

    def existing(self) -> list[Path]:
        """Files that have the name of a preview already, such as previews of an earlier optimisation."""
        name = re.compile(rf"{re.escape(self.path.stem)}-step\d{{5,}}{re.escape(self.path.suffix)}")
        return [path for path in self.path.parent.iterdir() if name.fullmatch(path.name)]

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start after the steps that are done."""
        self._passed = self._step() // self.every

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a preview if one is due."""
        step = self._step()
        due, self._passed = step // self.every > self._passed, step // self.every
        if self._failed or not due:
            return
        try:
            target = self.path.with_name(f"{self.path.stem}-step{step:05d}{self.path.suffix}")
            images.save(self.model.finish(self.model.picture), target, alpha=self.model.alpha)
        except InputError as error:
            self._failed = True
            log.warning("no more previews: %s", error)

    def _step(self) -> int:
        """The number of steps so far over all scales."""
        return self.model.steps_before + self.model.steps_done
