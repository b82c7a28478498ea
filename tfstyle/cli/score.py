"""`tfstyle score`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfstyle.cli.options import add_options, given_options
from tfstyle.cli.output import check_apart, print_text
from tfstyle.core import files
from tfstyle.evaluation.scores import ScoreSettings, score

_FORMATS = {".json": "json", ".csv": "csv"}  # by the suffix of the file


def add_score(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle score`."""
    parser.description = (
        "Score results by eight metrics: content preservation (ssim, edge_agreement, content_distance), style "
        "similarity (gram_distance, mmd, wasserstein, color_distance) and noise. Arrows in the table show which "
        "values are better. Features are compared at layers that no method optimises by default."
    )
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the content image")
    add("style", metavar="STYLE", help="the style image")
    add("results", metavar="RESULT", nargs="+", help="a result, or several to compare")
    add("-o", "--output", metavar="FILE", help="write the scores to this file (default: stdout)")
    add(
        "--format",
        choices=("table", "json", "csv"),
        help="table to read; csv for spreadsheets, a line for each result; json for programs, with layers, weights "
        "and the meaning of each metric (default: by the suffix of FILE, else table)",
    )
    add("--quiet", action="store_true", help="print scores and errors only")
    add_options(parser, ScoreSettings)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """`tfstyle score`: the metrics of results as a table, as JSON or as CSV."""
    given = given_options(options, ScoreSettings)
    settings = ScoreSettings(**given)
    suffix = ""
    if options.output is not None:
        files.check_place(options.output)
        check_apart([Path(options.output)], [options.content, *settings.input_files()])
        suffix = Path(options.output).suffix.lower()
    scores = score(options.content, **given)
    text: str = getattr(scores, options.format or _FORMATS.get(suffix, "table"))()
    if options.output is None:
        print_text(text)
    else:
        files.atomic_write(options.output, text.encode())
        if not options.quiet:
            print_text(f"wrote {files.shown(options.output)}\n")
    return 0
