"""What the command line's commands do: call, write, say so."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle import files
from tfstyle.errors import InputError, check_whole

if TYPE_CHECKING:
    from tfstyle.callbacks import Preview
    from tfstyle.result import Result

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
GRID = "grid.png"  # of all results, beside them
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm")  # taken from a folder


def complain(message: str) -> None:
    """One line on stderr."""
    print(f"tfstyle: {message}", file=sys.stderr)


def transfer(options: argparse.Namespace) -> int:
    """`tfstyle transfer`: one picture, a folder of them, or one in each of several styles."""
    given = vars(options).copy()
    for name in ("run", "json", "quiet", "bits"):
        given.pop(name)
    if masks := given.pop("style_mask", None):
        given["style_mask"] = [None if mask == "none" else mask for mask in masks]
    each = given.pop("each", False)
    if os.path.isdir(options.content):
        if each:
            raise InputError(f"{files.shown(options.content)} is a folder, and --each is for one picture: give that")
        return _paint_folder(options, given)
    if each:
        return _paint_each(options, given)
    default = f"{Path(options.content).stem}-{Path(options.styles[0]).stem}.png"
    output = Path(given.pop("output", default))
    return _paint(options, output, options.bits, given)


def demo(options: argparse.Namespace) -> int:
    """`tfstyle demo`: a bundled picture in a bundled style."""
    from tfstyle import images, samples

    check_whole("size", options.size, 64, 4096)  # the style is painted at that size, which takes its time
    photo = images.Picture(samples.content(options.content), None, f"sample {options.content}")
    painting = images.Picture(samples.style(options.style, options.size), None, f"sample {options.style}")
    given = {"content": photo, "styles": [painting], "size": options.size, "steps": options.steps, "scales": 1}
    return _paint(options, Path(options.output), 8, given)


def _paint(options: argparse.Namespace, output: Path, bits: int, given: dict[str, Any]) -> int:
    """Paint, write, and say so."""
    from tfstyle.painting import finish, unfinished
    from tfstyle.result import check_writable

    check_writable(output, bits=bits)
    _check_apart([output], [given["content"], *given["styles"], *_helpers(given)])
    every = given.pop("preview_every", None)
    callbacks = [] if every is None else [_preview(output, every)]
    result = unfinished(**given, callbacks=callbacks, progress=False if options.quiet else None)
    code = _written(options, result, output, bits)
    finish(result, given.get("checkpoint"))
    return code


def _paint_folder(options: argparse.Namespace, given: dict[str, Any]) -> int:
    """Paint all pictures of a folder into another; those that can't be are reported at the end."""
    from tfstyle.batches import transfer_batch

    folder = Path(given.pop("content"))
    found = _pictures(folder)
    if "preview_every" in given:
        raise InputError("previews are of one picture: leave out --preview-every, or paint one picture")
    styles = given.pop("styles")
    target = Path(given.pop("output", f"{folder.resolve().name}-{Path(styles[0]).stem}"))
    if target.exists() and not target.is_dir():
        raise InputError(
            f"{files.shown(target)} is a file, and the pictures of a folder are to be written: give a folder"
        )
    outputs = [target / f"{name}.png" for name in _names(found)]
    _check_apart(outputs, [*found, *styles, *_helpers(given)])
    results = transfer_batch(found, styles, **given, progress=False if options.quiet else None)
    _make_folder(target, outputs, options.bits)

    def until_interrupted() -> Iterator[Result | InputError]:
        for result in results:
            yield result
            if not isinstance(result, InputError) and result.settings["stopped"] == "interrupted":
                return

    return _write_all(options, found, outputs, until_interrupted(), "pictures", [])


def _paint_each(options: argparse.Namespace, given: dict[str, Any]) -> int:
    """Paint a picture in each style into a folder, and a grid of all; styles that can't be used come at the end."""
    from tfstyle import grids
    from tfstyle.batches import transfer_styles

    if "preview_every" in given:
        raise InputError("previews are of one picture: leave out --preview-every, or paint in one style")
    content, styles = given.pop("content"), given.pop("styles")
    target = Path(given.pop("output", f"{Path(content).stem}-styles"))
    if target.exists() and not target.is_dir():
        raise InputError(f"{files.shown(target)} is a file, and one picture a style is to be written: give a folder")
    outputs, page = [target / f"{name}.png" for name in _style_names(styles)], target / GRID
    _check_apart([*outputs, page], [content, *styles, *_helpers(given)])
    results = transfer_styles(content, styles, **given, progress=False if options.quiet else None)
    if target.is_dir():
        grids.check_writable(page)
    _make_folder(target, outputs, options.bits)
    done: list[tuple[str, Path, Result]] = []
    code = _write_all(options, styles, outputs, results, "styles", done)
    if done:
        with _uninterrupted():
            _write_grid(page, content, done)
        if not options.json and not options.quiet:
            print(f"wrote {files.shown(page)}", flush=True)
    return code


def _write_grid(page: Path, content: str, done: Sequence[tuple[str, Path, Result]]) -> None:
    """The content, and each style above what was painted in it, as one picture."""
    from tfstyle import grids, images

    def cell(path: str) -> grids.Cell:
        # Styles of some size may be large; no more of them is kept than is seen.
        picture = images.load(path, grids.LARGEST_SIDE)
        return grids.Cell(grids.on_white(picture.rgb, picture.alpha), files.shown(Path(path).name))

    painted = [
        (cell(style), grids.Cell(grids.on_white(result.image, result.alpha), files.shown(output.name)))
        for style, output, result in done
    ]
    grids.save(grids.overview(cell(content), painted), page)


def _make_folder(target: Path, outputs: Sequence[Path], bits: int) -> None:
    """The folder that the outputs are to be written in, and see that they can be."""
    from tfstyle.result import check_writable

    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"could not make the folder {files.shown(target)}: {files.reason(error)}; choose another place"
        ) from error
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
                code = max(code, _written(options, result, output, options.bits))
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


def _pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, by their names."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())
    except OSError as error:
        raise InputError(f"could not read the folder {files.shown(folder)}: {files.reason(error)}") from error
    if not found:
        raise InputError(
            f"there is no picture in the folder {files.shown(folder)}: put some there ({', '.join(PICTURES)})"
        )
    return found


def _names(found: list[Path]) -> list[str]:
    """The names of the outputs: those of the pictures without their suffixes, but where these tell them apart."""
    stems = Counter(path.stem.casefold() for path in found)  # as some file systems have it
    names = [path.stem if stems[path.stem.casefold()] == 1 else path.name for path in found]
    unique = len({name.casefold() for name in names}) == len(names)
    return names if unique else [path.name for path in found]


def _style_names(styles: Sequence[str]) -> list[str]:
    """The names of the outputs, numbered where styles of several folders have one name; none is the grid's."""
    different = list(dict.fromkeys(Path(style).name for style in styles))
    names = dict(zip(different, _names([Path(name) for name in different]), strict=True))
    taken, found = {Path(GRID).stem.casefold()}, []
    for style in styles:
        name = names[Path(style).name]
        numbered = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
        found.append(next(each for each in numbered if each.casefold() not in taken))
        taken.add(found[-1].casefold())
    return found


def _written(options: argparse.Namespace, result: Result, output: Path, bits: int) -> int:
    """Write a result and say so; the exit code."""
    with _uninterrupted():
        written, trouble = _save(result, output, bits)
    stopped = result.settings["stopped"]
    if options.json:
        print(json.dumps({"output": str(written), **result.record()}, allow_nan=False), flush=True)
    elif not options.quiet:
        steps, seconds = result.settings["steps_done"], result.settings["seconds"]
        print(f"wrote {files.shown(written)} after {steps} steps, {seconds:.0f} s", flush=True)
    if stopped:
        complain(f"stopped before its time ({stopped}): {files.shown(written)} is the best picture until then")
    if trouble:
        complain(trouble)
        return 2
    return INTERRUPTED if stopped == "interrupted" else 1 if stopped else 0


def _helpers(given: dict[str, Any]) -> list[Any]:
    """The pictures among what is given, besides contents and styles."""
    return [given.get("init"), *given.get("content_mask", []), *given.get("style_mask", [])]


def _check_apart(outputs: Sequence[Path], sources: Sequence[Any]) -> None:
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


def _preview(output: Path, every: int) -> Preview:
    from tfstyle.runtime import import_tensorflow

    check_whole("preview-every", every, 1, 10_000_000)
    import_tensorflow()
    from tfstyle.callbacks import Preview

    return Preview(output, every)


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


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits: what is done is about to be written."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # only the main thread may
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def score(options: argparse.Namespace) -> int:
    """`tfstyle score`: what results have kept of the content and reached of the style."""
    from tfstyle import scoring

    sources = [options.content, options.style, *options.results]
    suffix = ""
    if options.output is not None:
        files.check_place(options.output)
        _check_apart([Path(options.output)], sources)
        suffix = Path(options.output).suffix.lower()
    report = scoring.report(
        options.content,
        options.style,
        options.results,
        backbone=options.backbone,
        weights=options.weights,
        size=options.size,
    )
    kind = options.format or {".json": "json", ".csv": "csv"}.get(suffix, "table")
    text = getattr(report, kind)()
    if options.output is None:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)  # not all have arrows
    else:
        files.atomic_write(options.output, text.encode())
        if not options.quiet:
            print(f"wrote {files.shown(options.output)}", flush=True)
    return 0


def methods(options: argparse.Namespace) -> int:
    """`tfstyle methods`: the recipes."""
    from tfstyle.methods import METHODS

    if options.json:
        print(json.dumps([method.record() for method in METHODS.values()], indent=2))
        return 0
    for method in METHODS.values():
        weights = f"content weight {method.content_weight:g}, style weight {method.style_weight:g}"
        print(f"{method.name}\n    {method.title}\n    {method.reference}")
        print(f"    {weights}, {method.optimizer}, {method.steps} steps")
        for note in method.notes:
            print(f"    note: {note}")
    return 0


def weights(options: argparse.Namespace) -> int:
    """`tfstyle weights`: where they are found."""
    from tfstyle import weights

    rows = weights.inventory()
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    folder = weights.folder()
    print(f"folder ${weights.FOLDER_VARIABLE}: {folder or 'not set'}")
    print(f"Keras cache: {weights.cache_folders()[0]}")
    for row in rows:
        found = (
            f"{row['file']} ({row['source']})" if row["file"] else "not on this machine: downloaded when asked for"
        )
        print(f"{row['backbone']:13} {found}")
    print("random        always: --weights random, an untrained network of any kind")
    return 0
