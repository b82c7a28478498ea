"""The command line where it writes into a folder: a picture for each of many, and for each of many styles."""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.cli.output import INTERRUPTED, check_apart, complain, helpers, say, write
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.interrupts import uninterrupted

if TYPE_CHECKING:
    from tfstyle.pipelines.result import Result

GRID = "grid.png"  # of all results, beside them


def paint_folder(options: argparse.Namespace, given: dict[str, Any]) -> int:
    """Paint all pictures of a folder into another; those that can't be are reported at the end."""
    from tfstyle import images
    from tfstyle.pipelines.batch import transfer_batch

    folder = Path(given.pop("content"))
    found = images.of_folder(folder)
    if "preview_every" in given:
        raise InputError("previews are of one picture: leave out --preview-every, or paint one picture")
    target = Path(given.pop("output", f"{folder.resolve().name}-{Path(given['styles'][0]).stem}"))
    return paint_many(options, found, [f"{name}.png" for name in _names(found)], target, given, transfer_batch)


def paint_many(
    options: argparse.Namespace,
    found: Sequence[Path],
    names: Sequence[str],
    target: Path,
    given: dict[str, Any],
    paint: Callable[..., Iterator[Result | InputError]],
) -> int:
    """Paint pictures into a folder, each into a file of its name; those that can't be are reported at the end.

    Args:
        options: Of the command line.
        found: The pictures.
        names: Of the outputs.
        target: The folder.
        given: What `paint` is asked for besides the pictures.
        paint: `tfstyle.transfer_batch`, or what is called as that is.
    """
    styles = given.pop("styles", None)  # which a model may have learned
    if target.exists() and not target.is_dir():
        raise InputError(
            f"{files.shown(target)} is a file, and the pictures of a folder are to be written: give a folder"
        )
    outputs = [target / name for name in names]
    check_apart(outputs, [*found, *(styles or []), *helpers(given)])
    results = paint(found, styles, **given, progress=False if options.quiet else None)
    _make_folder(target, outputs, options.bits)

    def until_interrupted() -> Iterator[Result | InputError]:
        for result in results:
            yield result
            if not isinstance(result, InputError) and result.settings["stopped"] == "interrupted":
                return

    return _write_all(options, found, outputs, until_interrupted(), "pictures", [])


def paint_each(
    options: argparse.Namespace, given: dict[str, Any], paint: Callable[..., Iterator[Result | InputError]]
) -> int:
    """Paint a picture in each style into a folder, and a grid of all; styles that can't be used come at the end.

    Args:
        options: Of the command line.
        given: What `paint` is asked for.
        paint: `tfstyle.transfer_styles`, or what is called as that is.
    """
    from tfstyle.images import grids

    if "preview_every" in given:
        raise InputError("previews are of one picture: leave out --preview-every, or paint in one style")
    content, styles = given.pop("content"), given.pop("styles")
    target = Path(given.pop("output", f"{Path(content).stem}-styles"))
    if target.exists() and not target.is_dir():
        raise InputError(f"{files.shown(target)} is a file, and one picture a style is to be written: give a folder")
    outputs, page = [target / f"{name}.png" for name in distinct_names(styles, Path(GRID).stem)], target / GRID
    check_apart([*outputs, page], [content, *styles, *helpers(given)])
    results = paint(content, styles, **given, progress=False if options.quiet else None)
    if target.is_dir():
        grids.check_writable(page)
    _make_folder(target, outputs, options.bits)
    done: list[tuple[str, Path, Result]] = []
    code = _write_all(options, styles, outputs, results, "styles", done)
    if done:
        with uninterrupted(forget=True):
            _write_grid(page, content, done)
        if not options.json and not options.quiet:
            say(f"wrote {files.shown(page)}\n")
    return code


def _write_grid(page: Path, content: str, done: Sequence[tuple[str, Path, Result]]) -> None:
    """The content, and each style above what was painted in it, as one picture."""
    from tfstyle import images
    from tfstyle.images import grids

    side = min(grids.LARGEST_SIDE, max(done[0][2].image.shape[:2]))

    def cell(path: str) -> grids.Cell:
        picture = images.load(path, side)  # styles may be large: no more of them is kept than may be seen
        return grids.Cell(grids.on_white(picture.rgb, picture.alpha), files.shown(Path(path).name))

    painted = [
        (cell(style), grids.Cell(grids.on_white(result.image, result.alpha), files.shown(output.name)))
        for style, output, result in done
    ]
    grids.save(grids.overview(cell(content), painted), page)


def _make_folder(target: Path, outputs: Sequence[Path], bits: int) -> None:
    """The folder that the outputs are to be written in, and see that they can be."""
    from tfstyle.pipelines.result import check_writable

    files.make_folder(target)
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
    """Write the results that come, and note what was `done`; the exit code. What failed is said at the end."""
    code, seen, failed = 0, 0, []
    try:
        for source, output, result in zip(sources, outputs, results, strict=False):  # fewer after Ctrl-C
            if isinstance(result, InputError):
                failed.append(f"{files.shown(source)} was left out: {result}")
            else:
                code = max(code, write(options, result, output, options.bits))
                done.append((source, output, result))
            seen += 1
    except KeyboardInterrupt:  # before there was anything of the picture
        code = INTERRUPTED
    finally:
        for line in failed:
            complain(line)
    if failed:
        complain(f"{len(failed)} of {len(sources)} {noun} were left out")
    if code == INTERRUPTED:
        complain(f"interrupted: {len(sources) - seen} of {len(sources)} {noun} were not painted")
    return max(code, 2 if failed else 0)


def _names(found: list[Path]) -> list[str]:
    """The names of the outputs: those of the pictures without their suffixes, but where these tell them apart."""
    stems = Counter(path.stem.casefold() for path in found)  # as some file systems have it
    names = [path.stem if stems[path.stem.casefold()] == 1 else path.name for path in found]
    unique = len({name.casefold() for name in names}) == len(names)
    return names if unique else [path.name for path in found]


def distinct_names(sources: Sequence[str | Path], *others: str) -> list[str]:
    """The names of the outputs, numbered where pictures of several folders have one name; none is another's."""
    different = list(dict.fromkeys(Path(source).name for source in sources))
    names = dict(zip(different, _names([Path(name) for name in different]), strict=True))
    taken, found = {name.casefold() for name in others}, []
    for source in sources:
        name = names[Path(source).name]
        numbered = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
        found.append(next(each for each in numbered if each.casefold() not in taken))
        taken.add(found[-1].casefold())
    return found
