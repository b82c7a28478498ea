"""The command line: its commands, its exit codes, and what it does about errors and signals."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from tfstyle.cli.output import INTERRUPTED, print_error
from tfstyle.core.errors import InputError
from tfstyle.core.package import PACKAGE
from tfstyle.core.version import VERSION


@dataclass(frozen=True)
class Command:
    """A command, whose module is imported when it is used.

    Attributes:
        place: `"module:function"`; the function adds the command's arguments to a parser and sets `run`.
        help: One line.
        done: What it does to pictures, for the message of an interrupt.
    """

    place: str
    help: str
    done: str = "painted"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""
        module, _, function = self.place.partition(":")
        configure: Callable[[argparse.ArgumentParser], None] = getattr(importlib.import_module(module), function)
        configure(parser)
        parser.set_defaults(done=self.done)


COMMANDS = {
    "transfer": Command("tfstyle.cli.transfer:add_transfer", "paint in the style of pictures, by optimisation"),
    "apply": Command("tfstyle.cli.apply:add_apply", "paint in the style of pictures, by a trained network"),
    "demo": Command("tfstyle.cli.transfer:add_demo", "paint a bundled sample, to see that everything works"),
    "samples": Command("tfstyle.cli.samples:add_samples", "write sample pictures to try the commands on", "written"),
    "score": Command("tfstyle.cli.score:add_score", "measure content preservation and style similarity", "scored"),
    "train": Command("tfstyle.cli.train:add_train", "train a network on folders of pictures", "trained"),
    "domains": Command("tfstyle.cli.domains:add_domains", "generate pictures to try trainings on"),
    "generate": Command("tfstyle.cli.export:add_generate", "generate pictures from noise by a trained network"),
    "export": Command("tfstyle.cli.export:add_export", "export a network (SavedModel, TFLite, ONNX)", "exported"),
    "compare": Command("tfstyle.cli.experiments:add_compare", "compare backbones and methods side by side"),
    "reproduce": Command("tfstyle.cli.experiments:add_reproduce", "reproduce an experiment of a paper"),
    "methods": Command("tfstyle.cli.listings:add_methods", "list the methods and the sources of their constants"),
    "weights": Command("tfstyle.cli.listings:add_weights", "list the backbones and where their weights are found"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; None for the process's own.

    Returns:
        The exit code: 0; 1 if a painting stopped early and its best picture was written; 2 after bad input; 130
        after Ctrl-C or SIGTERM.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parsed(arguments)
    try:
        with _logging(quiet=getattr(options, "quiet", False)), _sigterm_as_interrupt():
            code: int = options.run(options)
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except InputError as error:
        print_error(str(error))
        return 2
    except KeyboardInterrupt:
        print_error(f"interrupted before anything was {options.done}")
        return INTERRUPTED
    except OSError as error:  # of stdout: all other writing is watched where it happens
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try, and complain, once more
        if not isinstance(error, BrokenPipeError):  # the reader has gone, as in `tfstyle methods | head -1`
            print_error(f"could not write to stdout: {error.strerror}")
        return 2


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; an unknown one ends the process with the nearest names."""
    command = _command_of(arguments)
    parser = build_parser(command)
    options, unknown = parser.parse_known_args(arguments)
    if hasattr(options, "pictures"):  # argparse takes them from one place only: PICTURE --size 64 PICTURE
        options.pictures += [argument for argument in unknown if not argument.startswith("-")]
        unknown = [argument for argument in unknown if argument.startswith("-")]
    if unknown:
        subparser = _innermost(parser, arguments)
        names = [name for action in subparser._actions for name in action.option_strings if name.startswith("--")]
        near = difflib.get_close_matches(unknown[0].partition("=")[0], names, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"see {subparser.prog} --help"
        parser.exit(2, f"tfstyle: unknown argument {unknown[0]}: {hint}\n")
    return options


def _innermost(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command among the arguments, and of the network to train if there is one."""
    for argument in arguments:
        subparsers = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        if subparsers and argument in subparsers[0].choices:
            parser = subparsers[0].choices[argument]
    return parser


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def add_argument(self, action: argparse.Action) -> None:
        """Make room for the indentation of commands, which argparse leaves out."""
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, "allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Print one line, as for all bad input, and exit."""
        self.exit(2, f"tfstyle: {message}; see {self.prog} --help\n")


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser of the command line.

    Args:
        command: The command that is configured; None for all of them, which imports their modules.
    """
    parser = _Parser(
        prog="tfstyle",
        description="Neural style transfer: paint a content image in the style of another.",
        epilog="Ctrl-C stops a painting and keeps the best picture so far. Weights are searched for in the folder "
        "$TFSTYLE_WEIGHTS and in Keras' cache, and then downloaded; TFSTYLE_OFFLINE=1 forbids downloads.",
    )
    parser.add_argument("--version", action="version", version=f"tfstyle {VERSION}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, entry in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=entry.help)
        if command is None or name == command:
            entry.configure(subparser)
    return parser


def _command_of(arguments: Sequence[str]) -> str:
    """The first argument that is no option; no command if there is none."""
    return next((argument for argument in arguments if not argument.startswith("-")), "")


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM works as Ctrl-C does: the best picture is kept, and checkpoints stay."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _logging(quiet: bool) -> Iterator[None]:
    """Show our own log lines on stderr, and none of TensorFlow's."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("tfstyle")
    log.addHandler(handler)
    log.setLevel(logging.ERROR if quiet else logging.INFO)
    showwarning = warnings.showwarning

    def show(message: Any, category: Any, filename: str, *more: Any, **others: Any) -> None:
        if filename.startswith(str(PACKAGE)):  # our own, as one line without its place in the code
            log.warning("%s", message)
        else:
            showwarning(message, category, filename, *more, **others)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = showwarning
        log.removeHandler(handler)


if __name__ == "__main__":
    sys.exit(main())
