"""An unfinished painting on disk, so that it can go on after whatever has ended it."""

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

log = logging.getLogger("tfstyle")

NAME = "checkpoint.npz"
_UNFINISHED = ".checkpoint.tmp"  # one name, so that what a kill leaves of a write is replaced by the next
_SETTINGS, _STATE = "settings", "state"


class Checkpoint(keras.callbacks.Callback):
    """Writes the canvas, its optimizer's state and its history to `FOLDER/checkpoint.npz` every few steps.

    A file is written completely or not at all, and takes the place of the one before. One that can't be written
    does not stop the painting: it is reported once, the one before stays, and the next is tried.

    Args:
        folder: Where it is; there must be one.
        every: Number of steps between two writes.
        settings: Of the painting, as JSON can hold them; `read` compares them.

    Attributes:
        state: What else `read` shall return, as JSON can hold it: the scale, and the history until then.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int, settings: dict[str, Any]) -> None:
        super().__init__()
        self.path = Path(folder) / NAME
        self.every = every
        self.settings = settings
        self.state: dict[str, Any] = {}
        self._failed = False

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Count from where the canvas is."""
        self._passed = self.model.steps_done // self.every

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write, if it is due; not what a step has spoilt."""
        due, self._passed = self.model.steps_done // self.every > self._passed, self.model.steps_done // self.every
        if not due or self.model.diverged:
            return
        try:
            self.write()
        except (InputError, MemoryError) as error:
            if not self._failed:
                log.warning("painting goes on without a new checkpoint: %s", files.reason(error))
            self._failed = True

    def write(self) -> None:
        """Write the canvas as it is.

        Raises:
            InputError: The system refuses, or has no space.
        """
        variables = _variables(self.model)
        state = {**self.state, "step_log": self.model.step_log, "variables": len(variables)}
        text = {_SETTINGS: self.settings, _STATE: state}
        arrays: dict[str, Any] = {key: np.array(json.dumps(value)) for key, value in text.items()}
        for index, variable in enumerate(variables):
            arrays[f"variable_{index}"] = _Values(variable)
        with files.atomic_file(self.path, _UNFINISHED) as file:
            np.savez(file, **arrays)


def prepare(folder: str | os.PathLike[str], resume: bool) -> None:
    """Make the folder, and see that nothing unfinished is lost in it.

    Raises:
        InputError: It can't be made or written in, or has a checkpoint that isn't to be resumed.
    """
    files.make_folder(folder)
    path = Path(folder) / NAME
    files.check_place(path)
    if path.exists() and not resume:
        raise InputError(
            f"{files.shown(path)} is of an unfinished painting: resume it, or delete it, or choose another folder"
        )


def read(folder: str | os.PathLike[str], settings: dict[str, Any]) -> dict[str, Any] | None:
    """What `Checkpoint` had as state, with the `"step_log"` and `"arrays"` for `restore`; None without a file.

    Args:
        folder: As `Checkpoint` was given.
        settings: Must be those of the checkpoint.

    Raises:
        InputError: It is damaged, or of other settings; the message says which.
    """
    path = Path(folder) / NAME
    name = files.shown(path)
    try:
        with open(path, "rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}  # each is checked against its CRC
        theirs, state = (json.loads(str(arrays.pop(key))) for key in (_SETTINGS, _STATE))
        ours = json.loads(json.dumps(settings))  # tuples as lists
        different = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
        state["arrays"] = [arrays[f"variable_{index}"] for index in range(state.pop("variables"))]
        state["step_log"] = dict(state["step_log"])
    except FileNotFoundError:
        return None
    except (OSError, MemoryError) as error:  # which may pass
        raise InputError(
            f"could not read {name}: {files.reason(error)}; see to that, or delete it to begin anew"
        ) from error
    except Exception as error:  # of all sorts, as zipfile and NumPy have it
        raise InputError(f"{name} is damaged or no checkpoint: delete it to begin anew") from error
    if different:
        shown = "; ".join(_difference(key, theirs.get(key), ours.get(key)) for key in different)
        raise InputError(f"{name} is of other settings ({shown}): give those, or delete it to begin anew")
    return state


def restore(canvas: Any, state: dict[str, Any]) -> None:
    """Give a compiled canvas the variables and the history that `read` has found.

    Raises:
        InputError: They are not those of such a canvas.
    """
    variables = _variables(canvas)
    arrays = state["arrays"]
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        raise InputError("the checkpoint is not of this painting: delete it to begin anew")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    canvas.step_logs = [state["step_log"]]


def remove(folder: str | os.PathLike[str]) -> None:
    """Delete the checkpoint of a finished painting, and the folder if there is nothing else in it."""
    for name in (NAME, _UNFINISHED):
        path = Path(folder) / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # the painting is what counts
            log.warning("could not delete %s, which is done with: %s", files.shown(path), files.reason(error))
    with contextlib.suppress(OSError):  # there is something else in it
        os.rmdir(folder)


class _Values:
    """A variable, which NumPy asks for its values when their turn has come."""

    def __init__(self, variable: keras.Variable) -> None:
        self._variable = variable

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = np.asarray(self._variable)
        return values.astype(np.float32) if self._variable.dtype == "bfloat16" else values  # files don't know that


def _variables(canvas: Any) -> list[Any]:
    """All that changes while a canvas is painted; its targets don't."""
    own = [*canvas.parameters, canvas.best_pixels, canvas.best_losses, canvas.last_losses, canvas.steps]
    return own + list(canvas.optimizer.variables)


def _difference(key: str, theirs: Any, ours: Any) -> str:
    name = key.removesuffix("_sha256").replace("_", " ")
    if key.endswith("_sha256"):
        return f"another picture as {name}"
    return f"{name} was {_short(theirs)}, is {_short(ours)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:36]} ..."
