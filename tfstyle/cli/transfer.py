"""`tfstyle transfer` and `tfstyle demo`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.cli import apply
from tfstyle.cli.folders import check_one_content, content_files, paint_contents, paint_styles
from tfstyle.cli.options import (
    add_options,
    add_output_options,
    add_pictures,
    add_result_options,
    contents_and_styles,
    given_options,
)
from tfstyle.cli.output import check_apart, default_name, output_path, write
from tfstyle.core.errors import InputError, check_whole
from tfstyle.pipelines.settings import ApplySettings, BatchTransferSettings, TransferSettings

if TYPE_CHECKING:
    from tfstyle.optimization.callbacks import Preview

_ONE_PICTURE = ("checkpoint", "checkpoint_every", "resume", "preview_every")


def add_transfer(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle transfer`."""
    parser.description = (
        "Paint a content image in the style of one or more style images, by optimisation. With several style images "
        "the result is a blend; with --each there is one result for each."
    )
    parser.usage = "%(prog)s CONTENT STYLE... [-o OUT.png] [options]"
    add_pictures(parser)
    parser.add_argument(
        "--preview-every",
        type=int,
        metavar="N",
        default=argparse.SUPPRESS,
        help="write OUT-step0000N.png every N steps, to watch the picture grow",
    )
    add_options(parser, TransferSettings)
    add_result_options(parser)
    parser.set_defaults(run=transfer)


def transfer(options: argparse.Namespace) -> int:
    """`tfstyle transfer`: one picture, many of them, or one in each of several styles."""
    given = given_options(options, TransferSettings)
    contents, styles = contents_and_styles(options.pictures, given.pop("styles", None))
    given["styles"] = styles
    if len(contents) == 1 and not Path(contents[0]).is_dir() and not options.each:
        one = TransferSettings(**given, progress=_progress(options))
        output = output_path(options, f"{default_name(contents, one.style_sources)}.png")
        return _transfer_one(options, contents[0], output, one)
    for name in _ONE_PICTURE:
        if hasattr(options, name):
            raise InputError(f"--{name.replace('_', '-')} is for one picture: leave it out, or paint one picture")
    settings = BatchTransferSettings(**given, progress=_progress(options))
    if options.each:
        from tfstyle.pipelines.batch import transfer_styles

        content = check_one_content(contents)
        folder = output_path(options, f"{Path(content).stem}-styles")
        return paint_styles(options, content, folder, settings, lambda: transfer_styles(content, **settings.given()))
    from tfstyle.pipelines.batch import transfer_batch

    paths = content_files(contents)
    folder = output_path(options, default_name(contents, settings.style_sources))
    return paint_contents(options, paths, folder, settings, lambda: transfer_batch(paths, **settings.given()))


def _transfer_one(options: argparse.Namespace, content: Any, output: Path, settings: TransferSettings) -> int:
    """Paint one picture, write it and report it."""
    from tfstyle.pipelines.result import check_writable
    from tfstyle.pipelines.transfer import remove_checkpoint, transfer_resumable

    check_writable(output, bits=options.bits)
    sources = [content, *settings.input_files()]
    check_apart([output], sources)
    if hasattr(options, "preview_every"):
        settings = replace(settings, callbacks=[_preview(output, options.preview_every, sources)])
    result = transfer_resumable(content, settings)
    code = write(options, result, output, options.bits, resumable=settings.checkpoint is not None)
    remove_checkpoint(result, settings.checkpoint)
    return code


def _progress(options: argparse.Namespace) -> bool | None:
    return False if options.quiet else None


def _preview(output: Path, every: int, sources: Sequence[Any]) -> Preview:
    from tfstyle.core.runtime import import_tensorflow

    check_whole("preview-every", every, 1, 10_000_000)
    import_tensorflow()
    from tfstyle.optimization.callbacks import Preview

    preview = Preview(output, every)
    check_apart(preview.existing(), sources)
    return preview


def add_demo(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle demo`."""
    parser.description = (
        "Paint a bundled photograph in a bundled style: by a feed-forward network into OUT-adain.png, then by "
        "optimisation into OUT.png. Nothing but tfstyle is needed."
    )
    add = parser.add_argument
    add("-o", "--output", metavar="OUT.png", default="tfstyle-demo.png", help="the result (default: %(default)s)")
    add("--content", default="chelsea", help="astronaut, chelsea, coffee or rocket (default: %(default)s)")
    add("--style", default="impasto", help="impasto, ink or mosaic (default: %(default)s)")
    add("--size", type=int, metavar="PIXELS", default=384, help="longer side in pixels (default: %(default)s)")
    add("--steps", type=int, metavar="N", default=60, help="optimisation steps (default: %(default)s)")
    add_output_options(parser)
    parser.set_defaults(run=demo, bits=8)


def demo(options: argparse.Namespace) -> int:
    """`tfstyle demo`: a bundled picture in a bundled style, in one pass and by optimisation."""
    from tfstyle import images
    from tfstyle.images import samples
    from tfstyle.pipelines.result import check_writable

    check_whole("size", options.size, 64, 4096)  # the style image is painted at that size, which takes a while
    content = images.Picture(samples.content(options.content), None, f"sample {options.content}")
    style = images.Picture(samples.style(options.style, options.size), None, f"sample {options.style}")
    settings = TransferSettings(
        styles=[style], size=options.size, steps=options.steps, scales=1, progress=_progress(options)
    )
    output = Path(options.output)
    one_pass = output.with_name(f"{output.stem}-adain{output.suffix}")
    for path in (output, one_pass):
        check_writable(path)
    apply.apply_one(options, content, one_pass, ApplySettings(styles=[style], size=options.size))
    return _transfer_one(options, content, output, settings)
