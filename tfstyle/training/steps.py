"""Trainings counted in steps, as those of the scripts: batches read ahead, a log, and a checkpoint."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tfstyle.core import files
from tfstyle.core.errors import InputError


def run_steps(
    train: Callable[..., Mapping[str, float]],
    batches: Callable[[int], tuple[np.ndarray, ...]],
    *,
    start: int,
    stop: int,
    every: int,
    evaluate: Callable[[], Mapping[str, float]],
    save: Callable[[], None],
    log: Path,
    ahead: int = 1,
) -> Iterator[dict[str, str]]:
    """Train in steps; at intervals evaluate, log and save.

    Args:
        train: Makes a step on a batch, and returns its losses by name.
        batches: Returns the batch of a step.
        start: Number of the first step.
        stop: Number of steps of the whole training.
        every: Steps between two rows of the log.
        evaluate: Returns what is measured at each row by name; the log has `held_out_` before it.
        save: Writes a checkpoint.
        log: File of the log, CSV.
        ahead: Batches that are read while steps before are computed.

    Yields:
        Each row of the log.
    """
    rows = read_log(log, start)
    begin, losses = time.perf_counter(), []
    for step, batch in enumerate(prefetched(batches, start, stop, ahead), start + 1):
        losses.append(train(*batch))
        if step % every and step != stop:
            continue
        row = {"step": step, "seconds_per_step": (time.perf_counter() - begin) / len(losses)}
        row |= {name: float(np.mean([each[name] for each in losses])) for name in losses[0]}
        row |= {f"held_out_{name}": value for name, value in evaluate().items()}
        rows.append({name: str(value) if name == "step" else f"{value:.5g}" for name, value in row.items()})
        write_log(log, rows)
        save()
        yield rows[-1]
        begin, losses = time.perf_counter(), []


def prefetched(batches: Callable[[int], Any], start: int, stop: int, ahead: int = 1) -> Iterator[Any]:
    """The batch of each step, read while the steps before are computed."""
    with ThreadPoolExecutor(1) as reader:
        coming = [reader.submit(batches, step) for step in range(start, min(start + ahead, stop))]
        for step in range(start, stop):
            batch = coming.pop(0).result()
            if step + ahead < stop:
                coming.append(reader.submit(batches, step + ahead))
            yield batch


def read_log(path: Path, step: int) -> list[dict[str, str]]:
    """The rows of a log up to a step; later ones belong to steps after the checkpoint."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["step"]) <= step]


def write_log(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write a log, completely or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.atomic_write(path, text.getvalue().encode())


def save_checkpoint(
    path: str | os.PathLike[str], variables: Sequence[Any], step: int, settings: Mapping[str, Any]
) -> None:
    """Write a checkpoint, completely or not at all.

    Args:
        path: A `.npz` file.
        variables: All that the training depends on, in a fixed order.
        step: Number of steps done.
        settings: Settings that a continued training must share.
    """
    data = io.BytesIO()
    arrays: dict[str, Any] = {f"{i:04}": np.asarray(variable) for i, variable in enumerate(variables)}
    np.savez(data, step=step, settings=json.dumps(settings, sort_keys=True), **arrays)
    files.atomic_write(path, data.getvalue())


def restore_checkpoint(path: str | os.PathLike[str], variables: Sequence[Any], settings: Mapping[str, Any]) -> int:
    """Set variables to their values in a checkpoint; the number of steps done.

    Raises:
        InputError: The checkpoint can't be read, or belongs to a training with other settings.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        before = json.loads(str(arrays["settings"]))
    except Exception as error:  # NumPy and zipfile raise errors of many kinds
        problem = f"checkpoint {files.shown(path)} can't be read: {files.reason(error)}"
        raise InputError(f"{problem}; delete it to train anew") from error
    if different := [name for name in settings if before.get(name) != settings[name]]:
        raise InputError(
            f"checkpoint {files.shown(path)} belongs to a training with another {' and '.join(different)}: use its "
            f"settings, or another folder"
        )
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"{i:04}"])
    return int(arrays["step"])
