"""The command line's commands of experiments: what can be asked for, and what they do."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tfstyle.cli import options as argument_types, output as writing
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.experiments import BACKBONES, EXPERIMENTS

if TYPE_CHECKING:
    from tfstyle.experiments.base import Outcome


def add_compare(subparsers: Any) -> None:
    """`tfstyle compare`."""
    parser = subparsers.add_parser(
        "compare",
        help="paint one pair with several networks, and score them side by side",
        description="Paint CONTENT in the style of STYLE with several networks, all else the same: a grid of "
        "pictures, a table of scores by networks that did not paint, and a report. Finished pictures are kept, so "
        "that the same command goes on where it was broken off.",
    )
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph")
    add("style", metavar="STYLE", help="the painting")
    add(
        "--backbones",
        type=argument_types.names,
        metavar="NAME,...",
        default=",".join(BACKBONES),
        help="any keras.applications networks; those without ImageNet weights on this machine or for download run "
        "with random ones, and everything says so (default: %(default)s)",
    )
    add(
        "--treatments",
        type=argument_types.names,
        metavar="NAME,...",
        default="raw,balanced",
        help="raw has the same weights for every network, as papers compare them; balanced divides each layer's loss "
        "by its start, for networks that raw weights leave unpainted; smoothed and fourier add smoothed activations "
        "or the Fourier spectrum to that, against grain and peaks (default: %(default)s)",
    )
    add("-o", "--output", metavar="DIR", default="comparison", help="a new folder, or the one to go on in")
    _add_size(parser)
    parser.set_defaults(run=compare)


def add_reproduce(subparsers: Any) -> None:
    """`tfstyle reproduce`."""
    parser = subparsers.add_parser(
        "reproduce",
        help="run a paper's experiment into a report: what it reports, and what is found",
        description="Run a paper's figure or table into a folder: report.html, which needs nothing else, figures, "
        "results.csv and results.json. Finished runs are kept, so that the same command goes on where it was broken "
        "off.",
    )
    add = parser.add_argument
    add("name", metavar="NAME", help=", ".join(EXPERIMENTS))
    add("-o", "--output", metavar="DIR", help="a new folder, or the one to go on in (default: NAME)")
    add(
        "--quick",
        action="store_true",
        help="fewer runs, smaller pictures and fewer steps, to see in under four minutes that all works; it proves "
        "nothing",
    )
    add(
        "--content",
        action="append",
        metavar="FILE",
        help="your photograph instead of the sample; once for each, where an experiment takes several",
    )
    add(
        "--style",
        action="append",
        metavar="FILE",
        help="your painting instead of the sample; once for each, where an experiment takes several",
    )
    add(
        "--domain",
        action="append",
        type=argument_types.named,
        metavar="NAME=DIR",
        help="a folder of your pictures instead of the package's own, for experiments that train on domains: "
        "photo=DIR, ink=DIR and so on, once for each; ink-photo=DIR for photographs of ink's own. The last tenth by "
        "name isn't trained on, and is what is measured",
    )
    add(
        "--trained",
        metavar="DIR",
        help="with --domain, take the trainings in DIR that `tfstyle train` has left there, as DIR/ink-cyclegan, "
        "instead of training; all pictures of --domain, or 128 of them, are measured then: give some that were not "
        "trained on",
    )
    _add_size(parser)
    parser.set_defaults(run=reproduce)


def _add_size(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--size", type=int, metavar="PIXELS", help="longer side: smaller is quicker, larger shows finer strokes")
    add("--steps", type=int, metavar="N", help="optimisation steps of each picture: fewer are quicker")
    add("--seed", type=int, metavar="N", default=0, help="of noise and of random weights (default: %(default)s)")
    add(
        "--weights",
        choices=("imagenet", "random"),
        default="imagenet",
        help="random for untrained networks throughout (default: imagenet where there are any, else random)",
    )
    add(
        "--private",
        action="store_true",
        help="leave content and style pictures out of figures and report, to publish these where those may not be",
    )
    add("--quiet", action="store_true", help="print errors only")
    add("--json", action="store_true", help="print results.json on stdout")


def compare(options: argparse.Namespace) -> int:
    """`tfstyle compare`: several networks on one pair."""
    from tfstyle.experiments import report
    from tfstyle.experiments.run import compare as run

    def done() -> Outcome:
        return run(
            options.content,
            options.style,
            options.output,
            backbones=options.backbones,
            treatments=options.treatments,
            **_given(options),
        )

    def shown(outcome: Outcome) -> str:
        columns = ["backbone", "treatment", "weights", "style_reached", "ssim", "edge_agreement", "noise", "seconds"]
        return report.table_text(outcome.rows, columns)

    return _finished(options, options.output, done, shown)


def reproduce(options: argparse.Namespace) -> int:
    """`tfstyle reproduce`: a paper's experiment."""
    from tfstyle import experiments
    from tfstyle.experiments import report
    from tfstyle.experiments.run import reproduce as run

    what = experiments.get(options.name)
    folder = options.output or options.name

    def done() -> Outcome:
        return run(
            what,
            folder,
            quick=options.quick,
            contents=options.content or (),
            styles=options.style or (),
            domains=_domains(options.domain or ()),
            trained=options.trained,
            **_given(options),
        )

    return _finished(options, folder, done, lambda outcome: report.findings_text(what.findings(outcome)))


def _domains(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    for name, count in Counter(name for name, _ in given).items():
        if count > 1:
            raise InputError(f"--domain {name} is given {count} times: give one folder of each")
    return dict(given)


def _given(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "size": options.size,
        "steps": options.steps,
        "seed": options.seed,
        "private": options.private,
        "weights": "random" if options.weights == "random" else None,
        "progress": False if options.quiet else None,
    }


def _finished(options: argparse.Namespace, folder: str, done: Any, shown: Any) -> int:
    """Run an experiment and say what came out; the exit code."""
    try:
        outcome = done()
    except KeyboardInterrupt:
        writing.print_error(f"interrupted: the same command goes on with what {files.shown(folder)} has")
        return writing.INTERRUPTED
    if options.json:
        with open(os.path.join(folder, "results.json")) as file:
            writing.print_text(file.read())
    elif not options.quiet:
        writing.print_text(shown(outcome))
        writing.print_text(f"wrote {files.shown(os.path.join(folder, 'report.html'))}\n")
    stopped = [row["run"] for row in outcome.rows if row["stopped"]]
    for name in stopped:
        writing.print_error(f"{name} stopped before its time: its picture is the best until then")
    return 1 if stopped else 0
