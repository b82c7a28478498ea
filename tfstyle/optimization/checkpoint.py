"""Checkpoints: an unfinished optimisation on disk, which can be resumed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.fingerprint import differences

log = logging.getLogger("tfstyle")

NAME = "checkpoint.npz"
_TEMPORARY = ".checkpoint.tmp"  # always this name, so that the next write replaces what a killed one has left
_SETTINGS, _STATE = "settings", "state"


class Checkpoint(keras.callbacks.Callback):
    """Writes the canvas, the state of its optimizer and its history to `FOLDER/checkpoint.npz` every few steps.

    A file is written completely or not at all, and replaces the file before. If it can't be written, that is reported
    once, the file before stays, and the optimisation continues.

    Args:
        folder: The folder, which exists.
        every: Number of steps between two writes.
        settings: Settings of the optimisation, as JSON can hold them, which `read` compares.

    Attributes:
        state: What else `read` returns, as JSON can hold it: the scale, and the history of earlier scales.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int, settings: dict[str, Any]) -> None:
        super().__init__()
        self.path = Path(folder) / NAME
        self.every = every
        self.settings = settings
        self.state: dict[str, Any] = {}
        self._failed = False

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start after the steps that are done."""
        self._passed = self.model.steps_done // self.every

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write if it is due, unless the loss is not finite."""
        due, self._passed = self.model.steps_done // self.every > self._passed, self.model.steps_done // self.every
        if not due or self.model.diverged:
            return
        try:
            self.write()
        except (InputError, MemoryError) as error:
            if not self._failed:
                log.warning("the optimisation continues without a new checkpoint: %s", files.reason(error))
            self._failed = True

    def write(self) -> None:
        """Write the canvas.

        Raises:
            InputError: The file can't be written.
        """
        variables = _variables(self.model)
        state = {**self.state, "step_log": self.model.step_log, "variables": len(variables)}
        text = {_SETTINGS: self.settings, _STATE: state}
        arrays: dict[str, Any] = {key: np.array(json.dumps(value)) for key, value in text.items()}
        for index, variable in enumerate(variables):
            arrays[f"variable_{index}"] = _Values(variable)
        with files.atomic_file(self.path, _TEMPORARY) as file:
            np.savez(file, **arrays)


def prepare(folder: str | os.PathLike[str], resume: bool) -> None:
    """Make the folder of a checkpoint.

    Args:
        folder: The folder.
        resume: Whether a checkpoint in it is to be resumed.

    Raises:
        InputError: The folder can't be made or written in, or has a checkpoint although `resume` is false.
    """
    files.make_folder(folder)
    path = Path(folder) / NAME
    files.check_place(path)
    if path.exists() and not resume:
        raise InputError(
            f"{files.shown(path)} belongs to an unfinished optimisation: resume it, delete it, or give another folder"
        )


def read(folder: str | os.PathLike[str], settings: dict[str, Any]) -> dict[str, Any] | None:
    """The `state` of a checkpoint, with `"step_log"` and `"arrays"` for `restore`. None if there is no checkpoint.

    Args:
        folder: The folder of the checkpoint.
        settings: Settings of the optimisation, which must be those of the checkpoint.

    Raises:
        InputError: The checkpoint is damaged, or has other settings. The message names them.
    """
    path = Path(folder) / NAME
    name = files.shown(path)
    try:
        with open(path, "rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}  # each is checked against its CRC
        saved, state = (json.loads(str(arrays.pop(key))) for key in (_SETTINGS, _STATE))
        different = differences(saved, settings)
        state["arrays"] = [arrays[f"variable_{index}"] for index in range(state.pop("variables"))]
        state["step_log"] = dict(state["step_log"])
    except FileNotFoundError:
        return None
    except (OSError, MemoryError) as error:  # a temporary problem
        raise InputError(
            f"could not read {name}: {files.reason(error)}; solve that, or delete it to start again"
        ) from error
    except Exception as error:  # zipfile and NumPy raise many kinds
        raise InputError(f"{name} is damaged or no checkpoint: delete it to start again") from error
    if different:
        raise InputError(
            f"{name} has other settings ({'; '.join(different)}): give those, or delete it to start again"
        )
    return state


def restore(canvas: Any, state: dict[str, Any]) -> None:
    """Restore the variables and the history of a canvas.

    Args:
        canvas: A compiled canvas.
        state: Result of `read`.

    Raises:
        InputError: The checkpoint does not fit the canvas.
    """
    variables = _variables(canvas)
    arrays = state["arrays"]
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        raise InputError("the checkpoint does not fit this optimisation: delete it to start again")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    canvas.step_logs = [state["step_log"]]


def remove(folder: str | os.PathLike[str]) -> None:
    """Delete the checkpoint of a finished optimisation, and its folder if that is empty then."""
    for name in (NAME, _TEMPORARY):
        path = Path(folder) / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # no reason to lose the result
            log.warning("could not delete %s, which is no longer needed: %s", files.shown(path), files.reason(error))
    with contextlib.suppress(OSError):  # the folder is not empty
        os.rmdir(folder)


class _Values:
    """A variable whose values are copied to memory only when NumPy writes them."""

    def __init__(self, variable: keras.Variable) -> None:
        self._variable = variable

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = np.asarray(self._variable)
        # Files of NumPy can't hold bfloat16.
        return values.astype(np.float32) if self._variable.dtype == "bfloat16" else values


def _variables(canvas: Any) -> list[Any]:
    """All variables that change during an optimisation; targets don't."""
    state = [*canvas.parameters, canvas.best_pixels, canvas.best_losses, canvas.last_losses, canvas.steps]
    return state + list(canvas.optimizer.variables)
