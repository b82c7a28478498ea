"""`tfstyle compare` and `tfstyle reproduce`: their options, and what they do."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tfstyle.cli import options as option_types, output
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.settings import options_of
from tfstyle.experiments import EXPERIMENTS
from tfstyle.experiments.settings import CompareSettings, ReproduceSettings

if TYPE_CHECKING:
    from tfstyle.experiments.base import Outcome

COLUMNS = ("backbone", "treatment", "weights", "style_reached", "ssim", "edge_agreement", "noise", "seconds")
LIST = "`tfstyle reproduce --list` prints the experiments"


def add_compare(parser: argparse.ArgumentParser) -> None:
    """`tfstyle compare`."""
    parser.description = (
        "Paint CONTENT in the style of STYLE with several networks, all else the same. The folder gets a "
        "grid of images, a table of scores by networks that did not paint, and a report. Finished images are kept: "
        "the same command goes on after a break."
    )
    parser.add_argument("content", metavar="CONTENT", help="the content image, usually a photograph")
    parser.add_argument("style", metavar="STYLE", help="the style image, usually a painting")
    _add_output(parser, "comparison")
    option_types.add_options(parser, CompareSettings)
    parser.set_defaults(run=compare)


def add_reproduce(parser: argparse.ArgumentParser) -> None:
    """`tfstyle reproduce`."""
    parser.description = (
        "Run a paper's figure or table into a folder: report.html, which needs nothing else, figures, "
        "results.csv and results.json. Finished runs are kept: the same command goes on after a break."
    )
    parser.epilog = f"{LIST} with their papers, what they need and how long they take."
    parser.add_argument("name", metavar="NAME", nargs="?", help=", ".join(EXPERIMENTS))
    parser.add_argument("--list", action="store_true", help="print the experiments and stop")
    _add_output(parser, "NAME")
    option_types.add_options(parser, ReproduceSettings, skip=("domains",))
    parser.add_argument(
        "--domain",
        action="append",
        type=option_types.named,
        default=argparse.SUPPRESS,
        dest="domains",
        metavar="NAME=DIR",
        help=f"{options_of(ReproduceSettings)['domains'].help} Repeat the option for several.",
    )
    parser.set_defaults(run=reproduce)


def _add_output(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "-o", "--output", metavar="DIR", help=f"a new folder, or the one to go on in (default: {default})"
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    parser.add_argument("--json", action="store_true", help="print the results as JSON on stdout")


def compare(options: argparse.Namespace) -> int:
    """`tfstyle compare`: several networks on one pair."""
    from tfstyle.core import table
    from tfstyle.experiments import report, run

    folder = options.output or "comparison"
    settings = option_types.given_options(options, CompareSettings)
    return _run(
        options,
        folder,
        lambda: run.compare(options.content, folder=folder, **settings, progress=_progress(options)),
        lambda outcome: table.as_text(outcome.rows, report.headings(COLUMNS)),
    )


def reproduce(options: argparse.Namespace) -> int:
    """`tfstyle reproduce`: a paper's experiment."""
    if options.list:
        return _list(options)
    if options.name is None:
        raise InputError(f"there is no experiment: give its NAME; {LIST}")
    from tfstyle import experiments
    from tfstyle.experiments import report, run

    experiment = experiments.get(options.name)
    folder = options.output or options.name
    settings = option_types.given_options(options, ReproduceSettings)
    settings["domains"] = _domains(getattr(options, "domains", ()))
    return _run(
        options,
        folder,
        lambda: run.reproduce(experiment, folder, **settings, progress=_progress(options)),
        lambda outcome: report.findings_text(experiment.findings(outcome)),
    )


def _list(options: argparse.Namespace) -> int:
    """Print the experiments: name, title, paper, what they need and how long they take."""
    experiments = [EXPERIMENTS[name] for name in EXPERIMENTS]
    if options.json:
        names = ("name", "title", "reference", "needs", "duration")
        records = [{name: getattr(each, name) for name in names} for each in experiments]
        output.print_text(json.dumps(records, indent=2) + "\n")
        return 0
    for each in experiments:
        output.print_text(f"{each.name}\n    {each.title}\n    {each.reference}\n    needs: {each.needs}\n")
        output.print_text(f"    takes: {each.duration} on two processor cores, minutes with --quick\n")
    return 0


def _domains(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The folders of the domains, each of which may be given once."""
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            raise InputError(f"--domain {name} is given {count} times: give one folder of each")
    return dict(pairs)


def _progress(options: argparse.Namespace) -> bool | None:
    return False if options.quiet else None


def _run(
    options: argparse.Namespace, folder: str, run: Callable[[], Outcome], shown: Callable[[Outcome], str]
) -> int:
    """Run an experiment and print its results.

    Args:
        options: Of the command line.
        folder: Where the results go.
        run: Runs it.
        shown: Gives the text to print.

    Returns:
        The exit code: 1 if a run stopped early, 130 after Ctrl-C.
    """
    try:
        outcome = run()
    except KeyboardInterrupt:
        output.print_error(f"interrupted: the same command goes on with the finished runs in {files.shown(folder)}")
        return output.INTERRUPTED
    if options.json:
        with open(os.path.join(folder, "results.json")) as file:
            output.print_text(file.read())
    elif not options.quiet:
        output.print_text(shown(outcome))
        output.print_text(f"wrote {files.shown(os.path.join(folder, 'report.html'))}\n")
    stopped = [row["run"] for row in outcome.rows if row["stopped"]]
    for name in stopped:
        output.print_error(f"{name} stopped early: its image is the best until then")
    return 1 if stopped else 0
