"""What the command line's commands do: call, write, say so."""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.cli.apply import paint_one
from tfstyle.cli.folders import paint_each, paint_folder
from tfstyle.cli.output import check_apart, helpers, say, write
from tfstyle.core import files
from tfstyle.core.errors import InputError, check_whole

if TYPE_CHECKING:
    from tfstyle.optimization.callbacks import Preview

log = logging.getLogger("tfstyle")


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
        return paint_folder(options, given)
    if each:
        from tfstyle.pipelines.batch import transfer_styles

        return paint_each(options, given, transfer_styles)
    default = f"{Path(options.content).stem}-{Path(options.styles[0]).stem}.png"
    output = Path(given.pop("output", default))
    return _paint(options, output, options.bits, given)


def demo(options: argparse.Namespace) -> int:
    """`tfstyle demo`: a bundled picture in a bundled style, at once by a feed-forward model, and optimised."""
    from tfstyle import images
    from tfstyle.images import samples
    from tfstyle.pipelines.result import check_writable

    check_whole("size", options.size, 64, 4096)  # the style is painted at that size, which takes its time
    photo = images.Picture(samples.content(options.content), None, f"sample {options.content}")
    painting = images.Picture(samples.style(options.style, options.size), None, f"sample {options.style}")
    given = {"content": photo, "styles": [painting], "size": options.size}
    output = Path(options.output)
    quick = output.with_name(f"{output.stem}-adain{output.suffix}")
    for path in (output, quick):
        check_writable(path)
    paint_one(options, quick, dict(given))
    return _paint(options, output, 8, {**given, "steps": options.steps, "scales": 1})


def _paint(options: argparse.Namespace, output: Path, bits: int, given: dict[str, Any]) -> int:
    """Paint, write, and say so."""
    from tfstyle.pipelines.result import check_writable
    from tfstyle.pipelines.transfer import finish, unfinished

    check_writable(output, bits=bits)
    sources = [given["content"], *given["styles"], *helpers(given)]
    check_apart([output], sources)
    every = given.pop("preview_every", None)
    callbacks = [] if every is None else [_preview(output, every, sources)]
    result = unfinished(**given, callbacks=callbacks, progress=False if options.quiet else None)
    code = write(options, result, output, bits)
    finish(result, given.get("checkpoint"))
    return code


def _preview(output: Path, every: int, sources: Sequence[Any]) -> Preview:
    from tfstyle.core.runtime import import_tensorflow

    check_whole("preview-every", every, 1, 10_000_000)
    import_tensorflow()
    from tfstyle.optimization.callbacks import Preview

    preview = Preview(output, every)
    check_apart(preview.existing(), sources)
    return preview


def score(options: argparse.Namespace) -> int:
    """`tfstyle score`: what results have kept of the content and reached of the style."""
    from tfstyle.evaluation import scores

    sources = [options.content, options.style, *options.results]
    suffix = ""
    if options.output is not None:
        files.check_place(options.output)
        check_apart([Path(options.output)], sources)
        suffix = Path(options.output).suffix.lower()
    report = scores.report(
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
        say(text)
    else:
        files.atomic_write(options.output, text.encode())
        if not options.quiet:
            say(f"wrote {files.shown(options.output)}\n")
    return 0


def methods(options: argparse.Namespace) -> int:
    """`tfstyle methods`: the recipes."""
    from tfstyle.pipelines.methods import METHODS

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
    from tfstyle.features import weights

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
