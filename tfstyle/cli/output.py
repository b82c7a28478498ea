"""Results written by the command line, and what it says of them."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.interrupts import uninterrupted

if TYPE_CHECKING:
    from tfstyle.pipelines.result import Result

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def complain(message: str) -> None:
    """One line on stderr."""
    print(f"tfstyle: {message}", file=sys.stderr)


def say(text: str) -> None:
    """Text on stdout, as much of it as its encoding has: not all have arrows."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)


def write(options: argparse.Namespace, result: Result, output: Path, bits: int) -> int:
    """Write a result and say so; the exit code."""
    with uninterrupted(forget=True):
        written, trouble = _save(result, output, bits)
    stopped = result.settings["stopped"]
    if options.json:
        print(json.dumps({"output": str(written), **result.record()}, allow_nan=False), flush=True)
    elif not options.quiet:
        steps, seconds = result.settings.get("steps_done"), result.settings["seconds"]
        took = f"in {seconds:.1f} s" if steps is None else f"after {steps} steps, {seconds:.0f} s"
        say(f"wrote {files.shown(written)} {took}\n")
    if stopped:
        resumable = stopped == "interrupted" and getattr(options, "checkpoint", None)
        more = "; the same command with --resume goes on" if resumable else ""
        complain(f"stopped before its time ({stopped}): {files.shown(written)} is the best picture until then{more}")
    if trouble:
        complain(trouble)
        return 2
    return INTERRUPTED if stopped == "interrupted" else 1 if stopped else 0


def _save(result: Result, output: Path, bits: int) -> tuple[Path, str | None]:
    """Write the result; where that fails after all the work, write it to the temporary folder instead."""
    try:
        return result.save(output, bits=bits), None
    except InputError as error:
        try:
            rescue = Path(tempfile.mkdtemp(prefix="tfstyle-")) / output.name
            result.save(rescue, bits=bits)
        except (InputError, OSError):
            raise error from None
        return rescue, f"{error}; the picture is in {files.shown(rescue)}"


def helpers(given: dict[str, Any]) -> list[Any]:
    """The files among what is given, besides contents and styles."""
    alone = [given.get(name) for name in ("init", "alpha", "model", "depth")]
    return [*alone, *given.get("content_mask", []), *given.get("style_mask", [])]


def check_apart(outputs: Sequence[Path], sources: Sequence[Any]) -> None:
    """See that no output takes the place of a picture that is given, whatever either is called."""
    given = {_identity(source) for source in sources if isinstance(source, (str, os.PathLike))} - {None}
    for output in outputs:
        if _identity(output) in given:
            raise InputError(f"the output {files.shown(output)} is one of the pictures given: choose another name")


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    with contextlib.suppress(OSError, ValueError):  # it isn't there
        stat = os.stat(path)
        return stat.st_dev, stat.st_ino
    return None
