"""The command line: what can be asked for, and when to ask for it."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from tfstyle.cli import apply, domains, experiments, options as argument_types, output, train, transfer as commands
from tfstyle.core.errors import InputError
from tfstyle.core.package import PACKAGE
from tfstyle.core.version import VERSION


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
        output.complain(str(error))
        return 2
    except KeyboardInterrupt:
        output.complain(f"interrupted before anything was {getattr(options, 'done', 'painted')}")
        return output.INTERRUPTED
    except OSError as error:  # of stdout: all else that is written is watched over where it is written
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try, and complain, once more
        if not isinstance(error, BrokenPipeError):  # whose reader has gone, as in `tfstyle methods | head -1`
            output.complain(f"could not write to stdout: {error.strerror}")
        return 2


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
    parser.add_argument("--version", action="version", version=f"tfstyle {VERSION}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_transfer(subparsers)
    apply.add_apply(subparsers)
    _add_demo(subparsers)
    _add_score(subparsers)
    train.add_train(subparsers)
    domains.add_domains(subparsers)
    apply.add_generate(subparsers)
    apply.add_export(subparsers)
    experiments.add_compare(subparsers)
    experiments.add_reproduce(subparsers)
    methods = subparsers.add_parser("methods", help="list the methods and where their constants come from")
    methods.add_argument("--json", action="store_true", help="print them as JSON, with each constant's source")
    methods.set_defaults(run=commands.methods)
    weights = subparsers.add_parser("weights", help="list the backbones and where their weights are found")
    weights.add_argument("--json", action="store_true", help="print them as JSON")
    weights.set_defaults(run=commands.weights)
    return parser


def _add_transfer(subparsers: Any) -> None:
    # What isn't given is left to tfstyle.transfer, so that defaults can't drift apart.
    parser = subparsers.add_parser(
        "transfer",
        help="paint a picture in the style of others",
        description="Paint CONTENT in the style of one or more STYLE pictures.",
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add(
        "content",
        metavar="CONTENT",
        help="the photograph (JPEG, PNG, WebP, TIFF), or a folder: each of its pictures "
        "is painted into the folder OUT",
    )
    add("styles", metavar="STYLE", nargs="+", help="the painting, or several for a blend; or, with --each, for each")
    add(
        "--each",
        action="store_true",
        help="paint CONTENT in each STYLE instead of in their blend; OUT is a folder (default: CONTENT-styles), in "
        "which grid.png has all of them side by side",
    )
    add(
        "-o",
        "--output",
        metavar="OUT.png",
        help="the painted picture: .png, .jpg, .webp or .tif; OUT.json is "
        "written beside it (default: CONTENT-STYLE.png in this folder)",
    )
    add("--method", help="the recipe, see `tfstyle methods` (default: gatys)")
    add(
        "--backbone",
        help="any keras.applications network, as VGG19 or InceptionV3, or vgg19mini, which is quick and comes with "
        "the package (default: auto, the method's own with ImageNet weights if they can be had, else vgg19mini); "
        "several side by side, each with the factor of its losses, as VGG19:1e-3,InceptionV3:1, for a style that two "
        "networks see",
    )
    add(
        "--weights",
        metavar="imagenet|embedded|random|PATH",
        help="the network's weights (default: imagenet; embedded, which come with the package, for vgg19mini)",
    )
    add("--pooling", choices=("max", "avg"), help="avg replaces the network's max pooling: smoother pictures")
    add(
        "--input-scaling",
        metavar="own|unit|symmetric",
        help="what the networks see: own for what each was trained on; unit for [0, 1] or symmetric for [-1, 1] to "
        "give several networks the same numbers (default: own)",
    )
    add(
        "--smoothing",
        action="store_true",
        help="a softmax over the features' channels: for ResNet and others whose paintings show little style",
    )
    add("--content-layers", type=argument_types.names, metavar="L,...", help="layers whose features are kept")
    add("--style-layers", type=argument_types.names, metavar="L,...", help="layers whose statistics are matched")
    add("--content-weight", type=float, metavar="W", help="raise it to keep more of the photograph")
    add("--style-weight", type=float, metavar="W", help="raise it for more of the painting")
    add("--tv-weight", type=float, metavar="W", help="total variation: raise it to smooth away noise")
    add(
        "--balance",
        action=argparse.BooleanOptionalAction,
        help="divide each layer's style loss by its start, so that none rules; --no-balance keeps the method's "
        "weights on networks that they weren't found on (default: balanced but for VGG)",
    )
    add(
        "--calibrate",
        action="store_true",
        help="of several networks, let weights be shares of the gradient at the start: 1:1 is equal say",
    )
    add(
        "--edge-weight",
        type=float,
        metavar="W",
        help="raise it to keep the photograph's outlines where strokes break them up; 0.1 is a beginning",
    )
    add(
        "--statistic",
        metavar="NAME|NAME:W,...",
        help="what style is measured by: gram, moments (calmer), linear, polynomial, gaussian, wasserstein, or "
        "several with weights as linear:1,gaussian:0.5, to have something of each (default: the method's)",
    )
    add(
        "--style-blend", type=argument_types.numbers, metavar="0.7,0.3", help="the say of each STYLE (default: equal)"
    )
    add(
        "--content-mask",
        action="append",
        metavar="FILE",
        help="paint only where this picture is white; once for each "
        "STYLE to give each its place; or a picture whose flat colours are regions, with a --style-mask of the same",
    )
    add(
        "--style-mask",
        action="append",
        metavar="FILE",
        help="take the style only from where this picture is white, or "
        "from regions of the same colour; once for each STYLE, `none` for all of it",
    )
    add(
        "--preserve-color",
        metavar="luminance|ink|statistics|histogram|none",
        help="keep the photograph's colours: luminance for brushwork only, ink for brushwork in the light and dark "
        "of the painting, statistics for a style recoloured like the photograph, histogram where that is too pale "
        "(default: the method's)",
    )
    add(
        "--saturation",
        type=float,
        metavar="0..1",
        help="with --preserve-color luminance or ink, lower it for less colour; 0 leaves the tint of the paper alone",
    )
    add(
        "--voids",
        type=float,
        metavar="0..1",
        help="leave what is flat and brighter than this, as sky and mist, as bare paper: lower it for more, 1 for "
        "none; 0.5 suits most photographs",
    )
    add("--size", type=int, metavar="PIXELS", help="longer side of the result (default: 512)")
    add(
        "--scales",
        type=int,
        metavar="N",
        help="paint N sizes, each twice the one before: more for bolder strokes, 1 for "
        "the full size only (default: as many as begin at about 512 pixels)",
    )
    add(
        "--style-scale",
        type=float,
        metavar="F",
        help="size of the style beside the picture: 2 for larger strokes, 0.5 for finer ones (default: the method's)",
    )
    add(
        "--carry-over",
        action="store_true",
        help="let the optimizer's state go from one scale to the next, as others' tools do; in most of our trials "
        "beginning anew did better (default: begin anew)",
    )
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
        metavar="content|noise|adain|FILE",
        help="what the painting begins with: adain for what `tfstyle apply` paints; FILE goes on from a picture "
        "(default: the method's)",
    )
    add(
        "--parameterization",
        metavar="pixels|fourier",
        help="fourier optimises waves instead of pixels: for networks "
        "other than VGG, which else leave grain (default: pixels, but fourier for untrained networks)",
    )
    add("--seed", type=int, metavar="N", help="of the noise and of random weights (default: 0)")
    add(
        "--precision",
        metavar="auto|float32|bfloat16",
        help="bfloat16 halves the time where the processor has it; float32 to compare figures with others' "
        "(default: auto, the faster one by a short probe)",
    )
    add(
        "--tile",
        type=argument_types.tile,
        metavar="auto|off|PIXELS",
        help="work in tiles, to bound the memory; the picture is the "
        "same (default: auto, tiles where the memory would not hold the whole)",
    )
    add("--checkpoint", metavar="DIR", help="keep the unfinished painting there, for long work that may be cut off")
    add("--checkpoint-every", type=int, metavar="N", help="steps between two checkpoints (default: 20)")
    add("--resume", action="store_true", help="go on from the checkpoint, if there is one")
    add("--bits", type=int, default=8, help="16 for deep PNG and TIFF files (default: 8)")
    add("--preview-every", type=int, metavar="N", help="write OUT-step00050.png and so on, to watch it grow")
    argument_types.add_talk(parser)
    parser.set_defaults(run=commands.transfer)


def _add_demo(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "demo",
        help="paint a bundled sample, to see that all works",
        description="Paint a bundled photograph in a bundled style: at once by a feed-forward network, into "
        "OUT-adain.png, then by optimisation, into OUT.png; nothing but tfstyle is needed.",
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
    argument_types.add_talk(parser)
    parser.set_defaults(run=commands.demo)


def _add_score(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "score",
        help="measure how much of the content results have kept, and how near they have come to the style",
        description="Score each RESULT: content kept (ssim, edge_agreement, content_distance), style reached "
        "(gram_distance, mmd, wasserstein, color_distance), and noise. Arrows say which way is better; the network "
        "is asked for other layers than those that are optimised by default.",
    )
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph")
    add("style", metavar="STYLE", help="the painting")
    add(
        "results",
        metavar="RESULT",
        nargs="+",
        help="a painted picture, or several to compare; one of another size than CONTENT is resized to it",
    )
    add(
        "--backbone",
        default="auto",
        help="the judging network: for what was painted with VGG another one judges more freely, as ResNet50; for "
        "what was painted with another, VGG19 (default: auto, VGG19 with ImageNet weights if they can be had, else "
        "vgg19mini)",
    )
    add(
        "--weights",
        metavar="imagenet|embedded|random|PATH",
        help="the network's weights (default: imagenet; embedded, which come with the package, for vgg19mini)",
    )
    add(
        "--size",
        type=int,
        metavar="PIXELS",
        help="longer side at which all are compared: give one for figures of different runs (default: that of the "
        "smallest of CONTENT and RESULTs, at most 512)",
    )
    add(
        "--format",
        choices=("table", "json", "csv"),
        help="table to read; csv for spreadsheets, a line for each RESULT; json for programs, with layers, weights "
        "and what each metric means (default: by FILE's suffix, else table)",
    )
    add("-o", "--output", metavar="FILE", help="write there, to keep the scores (default: stdout)")
    add("--quiet", action="store_true", help="print scores and errors only")
    parser.set_defaults(run=commands.score, done="scored")


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
    show = warnings.showwarning

    def shown(message: Any, category: Any, filename: str, *more: Any, **others: Any) -> None:
        if str(PACKAGE) in filename:  # our own, as one line without its place in the code
            log.warning("%s", message)
        else:
            show(message, category, filename, *more, **others)

    warnings.showwarning = shown
    try:
        yield
    finally:
        warnings.showwarning = show
        log.removeHandler(handler)


if __name__ == "__main__":
    sys.exit(main())
