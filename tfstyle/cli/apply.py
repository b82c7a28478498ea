"""`tfstyle apply`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfstyle.cli.folders import check_one_content, content_files, paint_contents, paint_styles
from tfstyle.cli.options import add_options, add_pictures, add_result_options, contents_and_styles, given_options
from tfstyle.cli.output import check_apart, default_name, output_path, write
from tfstyle.core.errors import InputError
from tfstyle.pipelines.settings import ApplyBatchSettings, ApplySettings


def add_apply(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle apply`."""
    parser.description = (
        "Paint content images in the style of one or more style images by a feed-forward network, in one pass: less "
        "faithful to the style than `tfstyle transfer`, and hundreds of times faster. A --model that has learned one "
        "style, such as a trained cyclegan, needs no style image and takes no option but --size."
    )
    parser.usage = "%(prog)s CONTENT [STYLE...] [-o OUT.png] [options]"
    add_pictures(parser, styles_optional=True)
    add_options(parser, ApplyBatchSettings)
    add_result_options(parser)
    parser.set_defaults(run=apply)


def apply(options: argparse.Namespace) -> int:
    """`tfstyle apply`: one picture, many of them, or one in each of several styles."""
    given = given_options(options, ApplyBatchSettings)
    model, styles = given.get("model", "embedded"), given.pop("styles", None)
    ApplyBatchSettings(**given, styles=styles or options.pictures)  # checks options before a model is loaded
    learned = _has_learned(model, options.pictures, styles)
    contents, styles = contents_and_styles(options.pictures, styles, learned)
    settings = ApplyBatchSettings(**given, styles=styles, progress=False if options.quiet else None)
    if options.each:
        if styles is None:
            raise InputError("--each is for several style images: give them with --style")
        from tfstyle.pipelines.apply import apply_styles

        content = check_one_content(contents)
        folder = output_path(options, f"{Path(content).stem}-styles")
        return paint_styles(options, content, folder, settings, lambda: apply_styles(content, **settings.given()))
    name = default_name(contents, styles or [os.path.normpath(model)])
    if len(contents) == 1 and not Path(contents[0]).is_dir():
        return apply_one(options, contents[0], output_path(options, f"{name}.png"), settings)
    from tfstyle.pipelines.apply import apply_batch

    paths = content_files(contents)
    folder = output_path(options, name)
    return paint_contents(options, paths, folder, settings, lambda: apply_batch(paths, **settings.given()))


def apply_one(options: argparse.Namespace, content: Any, output: Path, settings: ApplySettings) -> int:
    """Paint one picture by a feed-forward model, write it and report it."""
    from tfstyle import images
    from tfstyle.pipelines.apply import pipeline
    from tfstyle.pipelines.result import check_writable

    check_writable(output, bits=options.bits)
    check_apart([output], [content, *settings.input_files()])
    return write(options, pipeline(settings).run(images.load(content)), output, options.bits)


def _has_learned(model: str, pictures: Sequence[str], styles: Sequence[str] | None) -> bool:
    """Whether the positional arguments are all content images, since the model has learned one style."""
    if model == "embedded" or styles:
        return False
    if len(pictures) == 1:  # a model that needs style images says so when it is loaded
        return True
    from tfstyle.models.interfaces import Stylizes
    from tfstyle.pipelines.apply import load_model

    return not isinstance(load_model(model)[0], Stylizes)
