"""The command line: parse, call, print."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tfstyle import __version__
from tfstyle.errors import InputError, check_whole

if TYPE_CHECKING:
    from tfstyle.callbacks import Preview
    from tfstyle.result import Result

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; None for the process's own.

    Returns:
        The exit code: 0; 1 if a painting stopped before its time, its best picture written; 2 after bad
        input; 130 after Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        with _logging(quiet=getattr(options, "quiet", False)):
            code = options.run(options)
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except InputError as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        _complain("interrupted before anything was painted")
        return INTERRUPTED
    except OSError as error:  # of stdout: all else that is written is watched over where it is written
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try, and complain, once more
        if not isinstance(error, BrokenPipeError):  # whose reader has gone, as in `tfstyle methods | head -1`
            _complain(f"could not write to stdout: {error.strerror}")
        return 2


def _complain(message: str) -> None:
    """One line on stderr."""
    print(f"tfstyle: {message}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for all bad input."""
        self.exit(2, f"tfstyle: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tfstyle",
        description="Neural style transfer: paint a photograph in the style of a painting.",
        epilog="Ctrl-C stops a painting and keeps the best picture so far. "
        "Weights are looked for in the folder $TFSTYLE_WEIGHTS, in Keras' cache, and then downloaded, "
        "which TFSTYLE_OFFLINE=1 forbids.",
    )
    parser.add_argument("--version", action="version", version=f"tfstyle {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_transfer(commands)
    _add_demo(commands)
    methods = commands.add_parser("methods", help="list the methods and where their constants come from")
    methods.add_argument("--json", action="store_true", help="print them as JSON, with each constant's source")
    methods.set_defaults(run=_methods)
    weights = commands.add_parser("weights", help="list the backbones and where their weights are found")
    weights.add_argument("--json", action="store_true", help="print them as JSON")
    weights.set_defaults(run=_weights)
    return parser


def _add_transfer(commands: Any) -> None:
    # What isn't given is left to tfstyle.transfer, so that defaults can't drift apart.
    parser = commands.add_parser(
        "transfer",
        help="paint a picture in the style of others",
        description="Paint CONTENT in the style of one or more STYLE pictures.",
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph (JPEG, PNG, WebP, TIFF)")
    add("styles", metavar="STYLE", nargs="+", help="the painting, or several for a blend")
    add("-o", "--output", metavar="OUT.png", help="the painted picture: .png, .jpg, .webp or .tif; OUT.json is "
        "written beside it (default: CONTENT-STYLE.png in this folder)")  # fmt: skip
    add("--method", help="the recipe, see `tfstyle methods` (default: gatys)")
    add("--backbone", help="any keras.applications network, as VGG19 or InceptionV3 (default: auto, the method's "
        "own with ImageNet weights if they can be had, else with random ones)")  # fmt: skip
    add("--weights", metavar="imagenet|random|PATH", help="the network's weights (default: imagenet)")
    add("--pooling", choices=("max", "avg"), help="avg replaces the network's max pooling: smoother pictures")
    add("--content-layers", type=_names, metavar="L,...", help="layers whose features are kept")
    add("--style-layers", type=_names, metavar="L,...", help="layers whose statistics are matched")
    add("--content-weight", type=float, metavar="W", help="raise it to keep more of the photograph")
    add("--style-weight", type=float, metavar="W", help="raise it for more of the painting")
    add("--tv-weight", type=float, metavar="W", help="total variation: raise it to smooth away noise")
    add("--style-blend", type=_numbers, metavar="0.7,0.3", help="the say of each STYLE (default: equal)")
    add("--size", type=int, metavar="PIXELS", help="longer side of the result (default: 512)")
    add("--steps", type=int, metavar="N", help="optimisation steps: more for a better likeness (default: 300)")
    add(
        "--optimizer",
        metavar="adam|lbfgs",
        help="lbfgs needs fewer steps, adam less memory (default: the method's)",
    )
    add(
        "--learning-rate",
        type=float,
        metavar="R",
        help="of the optimizer, if its own is too fast or too slow",
    )
    add(
        "--init",
        metavar="content|noise|FILE",
        help="what the painting begins with; FILE goes on from a picture",
    )
    add("--seed", type=int, metavar="N", help="of the noise and of random weights (default: 0)")
    add(
        "--precision",
        metavar="auto|float32|bfloat16",
        help="bfloat16 halves the time where the processor has it; float32 to compare figures with others' "
        "(default: auto, the faster one by a short probe)",
    )
    add("--bits", type=int, default=8, help="16 for deep PNG and TIFF files (default: 8)")
    add("--preview-every", type=int, metavar="N", help="write OUT-step00050.png and so on, to watch it grow")
    _add_talk(parser)
    parser.set_defaults(run=_transfer)


def _add_demo(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="paint a bundled sample, to see that all works",
        description="Paint a bundled photograph in a bundled style; nothing but tfstyle is needed.",
    )
    parser.add_argument("-o", "--output", metavar="OUT.png", default="tfstyle-demo.png", help="default: %(default)s")
    parser.add_argument(
        "--content", default="chelsea", help="astronaut, chelsea, coffee or rocket (default: %(default)s)"
    )
    parser.add_argument("--style", default="impasto", help="impasto, ink or mosaic (default: %(default)s)")
    parser.add_argument("--size", type=int, metavar="PIXELS", default=384, help="longer side (default: %(default)s)")
    parser.add_argument(
        "--steps", type=int, metavar="N", default=60, help="optimisation steps (default: %(default)s)"
    )
    _add_talk(parser)
    parser.set_defaults(run=_demo)


def _add_talk(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    parser.add_argument("--json", action="store_true", default=False,
                        help="print settings and result as one JSON object on stdout")  # fmt: skip


def _transfer(options: argparse.Namespace) -> int:
    given = vars(options).copy()
    for name in ("run", "json", "quiet", "bits"):
        given.pop(name)
    default = f"{Path(options.content).stem}-{Path(options.styles[0]).stem}.png"
    output = Path(given.pop("output", default))
    return _paint(options, output, options.bits, given)


def _demo(options: argparse.Namespace) -> int:
    from tfstyle import images, samples

    check_whole("size", options.size, 64, 4096)  # the style is painted at that size, which takes its time
    photo = images.Picture(samples.content(options.content), None, f"sample {options.content}")
    painting = images.Picture(samples.style(options.style, options.size), None, f"sample {options.style}")
    given = {"content": photo, "styles": [painting], "size": options.size, "steps": options.steps}
    return _paint(options, Path(options.output), 8, given)


def _paint(options: argparse.Namespace, output: Path, bits: int, given: dict[str, Any]) -> int:
    """Paint, write, and say so."""
    from tfstyle.painting import transfer
    from tfstyle.result import check_writable

    check_writable(output, bits=bits)
    for source in (given["content"], *given["styles"]):
        if isinstance(source, str) and _same_file(source, output):
            raise InputError(f"the output {output} is one of the pictures given: choose another name")
    every = given.pop("preview_every", None)
    callbacks = [] if every is None else [_preview(output, every)]
    result = transfer(**given, callbacks=callbacks, progress=False if options.quiet else None)
    with _uninterrupted():
        written, trouble = _save(result, output, bits)
    stopped = result.settings["stopped"]
    if options.json:
        print(json.dumps({"output": str(written), **result.record()}, allow_nan=False))
    elif not options.quiet:
        steps, seconds = result.settings["steps_done"], result.settings["seconds"]
        print(f"wrote {written} after {steps} steps, {seconds:.0f} s")
    if stopped:
        _complain(f"stopped before its time ({stopped}): {written} is the best picture until then")
    if trouble:
        _complain(trouble)
        return 2
    return INTERRUPTED if stopped == "interrupted" else 1 if stopped else 0


def _preview(output: Path, every: int) -> Preview:
    from tfstyle.runtime import import_tensorflow

    check_whole("preview-every", every, 1, 10_000_000)
    import_tensorflow()
    from tfstyle.callbacks import Preview

    return Preview(output, every)


def _same_file(path: str, other: Path) -> bool:
    with contextlib.suppress(OSError):  # one of them isn't there
        return os.path.samefile(path, other)
    return False


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
        return rescue, f"{error}; the picture is in {rescue}"


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


def _methods(options: argparse.Namespace) -> int:
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


def _weights(options: argparse.Namespace) -> int:
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


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str) -> list[float]:
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 0.7,0.3") from None


@contextlib.contextmanager
def _logging(quiet: bool) -> Iterator[None]:
    """Show our own log lines on stderr, none of TensorFlow's."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("tfstyle")
    log.addHandler(handler)
    log.setLevel(logging.ERROR if quiet else logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)


if __name__ == "__main__":
    sys.exit(main())
