"""`tfstyle train`."""

from __future__ import annotations

import argparse
import sys

from tfstyle.cli.options import add_options, given_options
from tfstyle.cli.output import INTERRUPTED, print_error, print_text
from tfstyle.core import files
from tfstyle.core.settings import options_of
from tfstyle.training import TRAININGS, TrainingSettings


def add_train(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle train`."""
    parser.description = (
        "Train a network on folders of images, into a folder: model.keras after each epoch, log.csv, samples/, and "
        "index.html, which shows the training. `tfstyle domains` generates images to try it on."
    )
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    for name, settings in TRAININGS.items():
        _add_network(networks.add_parser(name, help=settings.summary), settings)


def _add_network(parser: argparse.ArgumentParser, settings: type[TrainingSettings]) -> None:
    """The arguments of one training."""
    parser.description = settings.description
    parser.epilog = "RUN/index.html shows the training. `tfstyle apply --model RUN` uses the trained model."
    options = options_of(settings)
    for name in settings.image_folders:
        parser.add_argument(
            f"--{name}",
            nargs="+",
            metavar=options[name].metavar,
            required=name in settings.required_options(),
            default=argparse.SUPPRESS,
            help=options[name].help,
        )
    parser.add_argument(
        "-o", "--output", metavar=options["output"].metavar, required=True, help=options["output"].help
    )
    add_options(parser, settings, skip=("output", *settings.image_folders))
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    parser.set_defaults(run=train, settings=settings)


def train(options: argparse.Namespace) -> int:
    """`tfstyle train NETWORK`: train and report; the exit code."""
    settings: TrainingSettings = options.settings(**given_options(options, options.settings))
    verbose = 0 if options.quiet else 1 if sys.stdout is not None and sys.stdout.isatty() else 2
    try:
        result = settings.run(verbose=verbose)
    except KeyboardInterrupt:
        print_error(
            f"interrupted: the same command with --resume continues from the last finished epoch of "
            f"{files.shown(settings.output)}"
        )
        return INTERRUPTED
    if not options.quiet:
        print_text(f"wrote {files.shown(result.folder.model)} after {result.epochs} epochs\n")
    return 0
