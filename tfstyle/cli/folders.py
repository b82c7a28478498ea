"""Commands that write into a folder: a picture for each content image, or for each style."""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.cli.output import INTERRUPTED, check_apart, print_error, print_text, write
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.interrupts import uninterrupted

if TYPE_CHECKING:
    from tfstyle.pipelines.result import Result
    from tfstyle.pipelines.settings import StyleSettings

GRID = "grid.png"  # of all results, beside them


def content_files(contents: Sequence[str]) -> list[Path]:
    """The content images among files and folders.

    Raises:
        InputError: There is no picture in one of the folders.
    """
    from tfstyle import images

    paths: list[Path] = []
    for content in contents:
        paths += images.of_folder(content) if Path(content).is_dir() else [Path(content)]
    return paths


def paint_contents(
    options: argparse.Namespace,
    contents: Sequence[Path],
    folder: Path,
    settings: StyleSettings,
    paint: Callable[[], Iterator[Result | InputError]],
) -> int:
    """Paint many content images into a folder; those that can't be used are reported at the end.

    Args:
        options: Of the command line.
        contents: The content images.
        folder: The folder to write into.
        settings: What is painted; its input files are not overwritten.
        paint: Starts the work.

    Returns:
        The exit code.
    """
    _check_folder(folder, "the pictures of a folder are to be written")
    outputs = [folder / f"{name}.png" for name in distinct_names(contents)]
    check_apart(outputs, [*contents, *settings.input_files()])
    results = paint()
    _make_folder(folder, outputs, options.bits)

    def until_interrupted() -> Iterator[Result | InputError]:
        for result in results:
            yield result
            if not isinstance(result, InputError) and result.settings["stopped"] == "interrupted":
                return

    return _write_all(options, contents, outputs, until_interrupted(), "pictures", [])


def paint_styles(
    options: argparse.Namespace,
    content: str,
    folder: Path,
    settings: StyleSettings,
    paint: Callable[[], Iterator[Result | InputError]],
) -> int:
    """Paint a content image in each style into a folder, with a grid of all; unusable styles are reported at the end.

    Args:
        options: Of the command line.
        content: The content image.
        folder: The folder to write into.
        settings: What is painted, with the style images.
        paint: Starts the work.

    Returns:
        The exit code.
    """
    from tfstyle.images import grids

    _check_folder(folder, "one picture for each style is to be written")
    styles = settings.style_sources
    outputs = [folder / f"{name}.png" for name in distinct_names(styles, Path(GRID).stem)]
    page = folder / GRID
    check_apart([*outputs, page], [content, *settings.input_files()])
    results = paint()
    if folder.is_dir():
        grids.check_writable(page)
    _make_folder(folder, outputs, options.bits)
    done: list[tuple[str, Path, Result]] = []
    code = _write_all(options, styles, outputs, results, "styles", done)
    if done:
        with uninterrupted(forget=True):
            _write_grid(page, content, done)
        if not options.json and not options.quiet:
            print_text(f"wrote {files.shown(page)}\n")
    return code


def check_one_content(contents: Sequence[str]) -> str:
    """The one content image of `--each`.

    Raises:
        InputError: There are several, or a folder.
    """
    if len(contents) == 1 and not Path(contents[0]).is_dir():
        return contents[0]
    several = "are several pictures" if len(contents) > 1 else "is a folder"
    shown = ", ".join(files.shown(content) for content in contents)
    raise InputError(f"{shown} {several}, and --each paints one content image: give one")


def _check_folder(folder: Path, purpose: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{files.shown(folder)} is a file, and {purpose}: give a folder")


def _write_grid(page: Path, content: str, done: Sequence[tuple[str, Path, Result]]) -> None:
    """The content image, and each style image above the result, as one picture."""
    from tfstyle import images
    from tfstyle.images import grids

    side = min(grids.LARGEST_SIDE, max(done[0][2].image.shape[:2]))

    def cell(path: str) -> grids.Cell:
        picture = images.load(path, side)  # style images may be large: keep no more of them than can be seen
        return grids.Cell(grids.on_white(picture.rgb, picture.alpha), files.shown(Path(path).name))

    pairs = [
        (cell(style), grids.Cell(grids.on_white(result.image, result.alpha), files.shown(output.name)))
        for style, output, result in done
    ]
    grids.save(grids.overview(cell(content), pairs), page)


def _make_folder(folder: Path, outputs: Sequence[Path], bits: int) -> None:
    """Make the folder, and see that the outputs can be written."""
    from tfstyle.pipelines.result import check_writable

    files.make_folder(folder)
    for output in outputs:
        check_writable(output, bits=bits)


def _write_all(
    options: argparse.Namespace,
    sources: Sequence[Any],
    outputs: Sequence[Path],
    results: Iterator[Result | InputError],
    noun: str,
    done: list[tuple[Any, Path, Result]],
) -> int:
    """Write the results as they come, add them to `done`, and report at the end what failed; the exit code."""
    code, finished, failures = 0, 0, []
    try:
        for source, output, result in zip(sources, outputs, results, strict=False):  # fewer after Ctrl-C
            if isinstance(result, InputError):
                failures.append(f"{files.shown(source)} was left out: {result}")
            else:
                code = max(code, write(options, result, output, options.bits))
                done.append((source, output, result))
            finished += 1
    except KeyboardInterrupt:  # before there was anything of the picture
        code = INTERRUPTED
    finally:
        for line in failures:
            print_error(line)
    if failures:
        print_error(f"{len(failures)} of {len(sources)} {noun} were left out")
    if code == INTERRUPTED:
        print_error(f"interrupted: {len(sources) - finished} of {len(sources)} {noun} were not painted")
    return max(code, 2 if failures else 0)


def _stems(paths: Sequence[Path]) -> list[str]:
    """The names of the outputs: the stems of the files, or their full names where stems are the same."""
    counts = Counter(path.stem.casefold() for path in paths)  # some file systems ignore case
    names = [path.stem if counts[path.stem.casefold()] == 1 else path.name for path in paths]
    unique = len({name.casefold() for name in names}) == len(names)
    return names if unique else [path.name for path in paths]


def distinct_names(sources: Sequence[str | Path], *taken: str) -> list[str]:
    """Names for the outputs of sources, numbered where files of several folders have the same name.

    Args:
        sources: The files.
        *taken: Names that none may have.
    """
    files_once = list(dict.fromkeys(Path(source).name for source in sources))
    stems = dict(zip(files_once, _stems([Path(name) for name in files_once]), strict=True))
    used, names = {name.casefold() for name in taken}, []
    for source in sources:
        stem = stems[Path(source).name]
        numbered = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2)))
        names.append(next(name for name in numbered if name.casefold() not in used))
        used.add(names[-1].casefold())
    return names
