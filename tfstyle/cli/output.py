"""Results written by the command line, and what it prints about them."""

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


def print_error(message: str) -> None:
    """Print one line on stderr."""
    print(f"tfstyle: {message}", file=sys.stderr)


def print_text(text: str) -> None:
    """Print text on stdout; characters that its encoding lacks, such as arrows, are replaced."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)


def default_name(contents: Sequence[Any], styles: Sequence[Any]) -> str:
    """CONTENT-STYLE, from the first of each."""
    first = Path(contents[0]).resolve()
    return f"{first.name if first.is_dir() else first.stem}-{Path(styles[0]).stem}"


def output_path(options: argparse.Namespace, default: str) -> Path:
    """The path of `--output`, or a default if there is none."""
    return Path(default if options.output is None else options.output)


def write(options: argparse.Namespace, result: Result, output: Path, bits: int, resumable: bool = False) -> int:
    """Write a result and report it.

    Args:
        options: The command's options, of which `json` and `quiet` count.
        result: The result.
        output: The picture's path.
        bits: Bits per channel.
        resumable: Whether the same command with `--resume` would continue.

    Returns:
        The exit code.
    """
    with uninterrupted(forget=True):
        written, problem = _save(result, output, bits)
    stopped = result.settings["stopped"]
    if options.json:
        print(json.dumps({"output": str(written), **result.record()}, allow_nan=False), flush=True)
    elif not options.quiet:
        steps, seconds = result.settings.get("steps_done"), result.settings["seconds"]
        took = f"in {seconds:.1f} s" if steps is None else f"after {steps} steps, {seconds:.0f} s"
        print_text(f"wrote {files.shown(written)} {took}\n")
    if stopped:
        more = "; the same command with --resume continues" if resumable and stopped == "interrupted" else ""
        print_error(f"stopped early ({stopped}): {files.shown(written)} is the best picture so far{more}")
    if problem:
        print_error(problem)
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


def check_apart(outputs: Sequence[Path], sources: Sequence[Any]) -> None:
    """See that no output would overwrite an input file, whatever names either has.

    Raises:
        InputError: One would.
    """
    inputs = {_identity(source) for source in sources if isinstance(source, (str, os.PathLike))} - {None}
    for output in outputs:
        if _identity(output) in inputs:
            raise InputError(f"the output {files.shown(output)} is one of the input files: choose another name")


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    with contextlib.suppress(OSError, ValueError):  # there is no such file
        stat = os.stat(path)
        return stat.st_dev, stat.st_ino
    return None
