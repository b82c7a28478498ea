"""The folder of an experiment: its finished runs, so that work goes on after a break."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.fingerprint import to_json
from tfstyle.images.picture import Picture

_MARK = "experiment.json"  # names the experiment of the folder; written first


class Folder:
    """A folder with `runs/NAME.png` and `runs/NAME.json` of each finished run.

    The record of a run is written after its image, each completely or not at all. So a run is finished if its record
    is there with the right fingerprint.

    Args:
        path: The folder; it is made if there is none.
        experiment: Name of the experiment.

    Raises:
        InputError: The folder can't be made or written in, or holds another experiment or other files.
    """

    def __init__(self, path: str | os.PathLike[str], experiment: str) -> None:
        self.path = Path(path)
        shown = files.shown(path)
        names = sorted(files.make_folder(path))
        if _MARK in names:
            other = _read(self.path / _MARK).get("experiment")
            if other != experiment:
                raise InputError(f"the folder {shown} holds {other or 'something else'}: give another folder")
        elif names:
            raise InputError(f"the folder {shown} has other files in it: give a new or an empty folder")
        files.atomic_write(self.path / _MARK, json.dumps({"experiment": experiment}).encode())
        for name in ("runs", "figures"):
            files.make_folder(self.path / name)

    def finished(self, name: str, fingerprint: str) -> dict[str, Any] | None:
        """The row of a finished run with that fingerprint; None if there is none."""
        record = _read(self._record_path(name))
        finished = record.get("fingerprint") == fingerprint and self.picture_path(name).is_file()
        return record["row"] if finished else None

    def has(self, name: str) -> bool:
        """Whether there is a finished run of that name, whatever its settings."""
        return self._record_path(name).is_file()

    def keep(self, name: str, picture: np.ndarray) -> Picture:
        """Write the image of a run, and read it again: what is scored is the file."""
        self._record_path(name).unlink(missing_ok=True)  # of a run with other settings
        images.save(picture, self.picture_path(name))
        return self.picture(name)

    def finish(self, name: str, fingerprint: str, row: dict[str, Any], record: dict[str, Any]) -> None:
        """Write the record of a finished run."""
        self.write(f"runs/{name}.json", {"fingerprint": fingerprint, "row": row, "record": record})

    def picture_path(self, name: str) -> Path:
        """The file of a run's image."""
        return self.path / "runs" / f"{name}.png"

    def picture(self, name: str) -> Picture:
        """The image of a run."""
        return images.load(self.picture_path(name))

    def write(self, name: str, data: dict[str, Any] | str | bytes) -> None:
        """Write a file of the folder completely or not at all; a dictionary becomes JSON."""
        if isinstance(data, dict):
            data = to_json(data)
        files.atomic_write(self.path / name, data.encode() if isinstance(data, str) else data)

    def read(self, name: str) -> dict[str, Any]:
        """The object in a JSON file of the folder; empty if there is none, or the file is damaged."""
        return _read(self.path / name)

    def _record_path(self, name: str) -> Path:
        return self.path / "runs" / f"{name}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
