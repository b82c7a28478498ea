"""The folder of an experiment: its finished runs, so that what was broken off goes on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.images.picture import Picture

_MARK = "experiment.json"  # says whose folder it is; written first


class Folder:
    """A folder with `runs/NAME.png` and `runs/NAME.json` of each finished run.

    The record is written after the picture, each completely or not at all: a run is finished if its record is there
    with the fingerprint asked for.

    Args:
        path: Of the folder, which is made if there is none.
        experiment: Name of the experiment.

    Raises:
        InputError: It can't be made or written in, holds another experiment, or files of someone else.
    """

    def __init__(self, path: str | os.PathLike[str], experiment: str) -> None:
        self.path = Path(path)
        shown = files.shown(path)
        inside = sorted(files.make_folder(path))
        if _MARK in inside:
            found = _read(self.path / _MARK).get("experiment")
            if found != experiment:
                raise InputError(f"the folder {shown} holds {found or 'something else'}: give another folder")
        elif inside:
            raise InputError(f"the folder {shown} has other files in it: give a new or an empty folder")
        files.atomic_write(self.path / _MARK, json.dumps({"experiment": experiment}).encode())
        try:
            for name in ("runs", "figures"):
                (self.path / name).mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"could not write in {shown}: {files.reason(error)}; choose another place") from error

    def finished(self, name: str, fingerprint: str) -> dict[str, Any] | None:
        """The row of a run that is finished and has that fingerprint."""
        record = _read(self._record(name))
        there = record.get("fingerprint") == fingerprint and self.picture_path(name).is_file()
        return record["row"] if there else None

    def has(self, name: str) -> bool:
        """Whether there is a finished run of that name, whatever its settings."""
        return self._record(name).is_file()

    def keep(self, name: str, picture: np.ndarray) -> Picture:
        """Write a run's picture; what is returned has been read again, as what is judged is the file."""
        self._record(name).unlink(missing_ok=True)  # of a run with other settings
        images.save(picture, self.picture_path(name))
        return self.picture(name)

    def finish(self, name: str, fingerprint: str, row: dict[str, Any], record: dict[str, Any]) -> None:
        """Write that a run is finished."""
        self.write(f"runs/{name}.json", {"fingerprint": fingerprint, "row": row, "record": record})

    def picture_path(self, name: str) -> Path:
        """Where a run's picture is."""
        return self.path / "runs" / f"{name}.png"

    def picture(self, name: str) -> Picture:
        """A run's picture."""
        return images.load(self.picture_path(name))

    def write(self, name: str, data: dict[str, Any] | str | bytes) -> None:
        """Write a file of the folder, completely or not at all; a dictionary as JSON."""
        data = text(data) if isinstance(data, dict) else data
        files.atomic_write(self.path / name, data.encode() if isinstance(data, str) else data)

    def read(self, name: str) -> dict[str, Any]:
        """What a file of JSON in the folder holds; nothing where there is none, or it is damaged."""
        return _read(self.path / name)

    def _record(self, name: str) -> Path:
        return self.path / "runs" / f"{name}.json"


def fingerprint(settings: Any) -> str:
    """SHA-256, in hexadecimal, of settings: dictionaries, dataclasses, pictures, numbers and strings."""
    return hashlib.sha256(text(settings).encode()).hexdigest()


def text(value: Any) -> str:
    """JSON; what isn't a finite number is null."""
    return json.dumps(_plain(value), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Picture):
        return {"name": value.name, "sha256": value.sha256}
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)


def _read(path: Path) -> dict[str, Any]:
    """What a file of JSON holds; nothing where there is none, or it is damaged."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
