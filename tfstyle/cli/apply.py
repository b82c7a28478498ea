"""The command line's commands of feed-forward models: what can be asked for, and what they do."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from tfstyle.cli import options as argument_types
from tfstyle.cli.folders import distinct_names, paint_each, paint_many
from tfstyle.cli.output import check_apart, helpers, say, write
from tfstyle.core import files
from tfstyle.core.errors import InputError, check_whole


def add_apply(subparsers: Any) -> None:
    """`tfstyle apply`."""
    # What isn't given is left to tfstyle.apply, so that defaults can't drift apart.
    parser = subparsers.add_parser(
        "apply",
        help="paint pictures by a trained network, in a moment",
        description="Paint each CONTENT in the style of one or more STYLE pictures, or in that which a --model has "
        "learned, by a feed-forward network, in one pass: less faithful to the style than `tfstyle transfer`, and "
        "hundreds of times quicker.",
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add(
        "contents",
        metavar="CONTENT",
        nargs="+",
        help="the photograph (JPEG, PNG, WebP, TIFF), or several, or folders of them: several are painted into the "
        "folder OUT",
    )
    add(
        "--style",
        metavar="STYLE",
        dest="styles",
        nargs="+",
        help="the painting, or several for a blend; or, with --each, for each. Not for a --model that has learned "
        "its own style, as cyclegan has: with that, nothing but --size is asked for",
    )
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
        help="the painted picture: .png, .jpg, .webp or .tif; OUT.json is written beside it; for several a folder "
        "(default: CONTENT-STYLE.png in this folder, or for several the folder CONTENT-STYLE)",
    )
    add(
        "--model",
        metavar="embedded|PATH",
        help="the network: a saved model, .keras, or the folder of a training run (default: embedded, an AdaIN that "
        "comes with the package)",
    )
    add(
        "--alpha",
        type=argument_types.number_or_file,
        metavar="0..1|FILE",
        help="how much of the style: lower it to keep more of the photograph; FILE is a grey picture of CONTENT's "
        "shape, white for all of the style (default: 1)",
    )
    add(
        *("--style-blend", "--blend"),
        type=argument_types.numbers,
        metavar="0.7,0.3",
        help="the say of each STYLE (default: equal)",
    )
    add(
        *("--content-mask", "--mask"),
        action="append",
        metavar="FILE",
        help="paint only where this picture is white; once for each STYLE to give each its place; or a picture whose "
        "flat colours are regions, with a --style-mask of the same",
    )
    add(
        "--style-mask",
        action="append",
        metavar="FILE",
        help="take the style only from where this picture is white, or from regions of the same colour; once for "
        "each STYLE, `none` for all of it",
    )
    add(
        "--preserve-color",
        metavar="luminance|ink|statistics|histogram|none",
        help="keep the photograph's colours: luminance for brushwork only, ink for brushwork in the light and dark "
        "of the painting, statistics for a style recoloured like the photograph, histogram where that is too pale "
        "(default: none)",
    )
    add(
        "--depth",
        metavar="auto|FILE",
        help="weaken the style where things are near: auto finds out by a small network what is near, FILE is a map "
        "of CONTENT, white is near (.png of 8 or 16 bits, .tif, or .npy in [0, 1])",
    )
    add(
        "--near",
        type=float,
        metavar="0..1",
        help="with --depth, how much of the style what is near gets (default: 0.3)",
    )
    add("--far", type=float, metavar="0..1", help="with --depth, how much what is far gets (default: 1)")
    add(
        "--depth-contrast",
        type=float,
        metavar="F",
        help="how sharply near and far are told apart, 0 for gradually (default: 10)",
    )
    add("--depth-offset", type=float, metavar="0..1", help="how near the middle of near and far is (default: 0.5)")
    add("--size", type=int, metavar="PIXELS", help="longer side of the result (default: 512)")
    add(
        "--style-scale",
        type=float,
        metavar="F",
        help="size of the style beside the picture: 2 for larger strokes, 0.5 for finer ones (default: 1)",
    )
    add("--bits", type=int, default=8, help="16 for deep PNG and TIFF files (default: 8)")
    argument_types.add_talk(parser)
    parser.set_defaults(run=apply)


def apply(options: argparse.Namespace) -> int:
    """`tfstyle apply`: one picture, several, or one in each of several styles."""
    given = vars(options).copy()
    for name in ("run", "json", "quiet", "bits"):
        given.pop(name)
    for name in ("near", "far", "depth_contrast", "depth_offset"):
        if name in given and "depth" not in given:
            raise InputError(f"--{name.replace('_', '-')} says nothing without --depth: give --depth auto, or a map")
    if masks := given.pop("style_mask", None):
        given["style_mask"] = [None if mask == "none" else mask for mask in masks]
    contents, each = given.pop("contents"), given.pop("each", False)
    several = len(contents) > 1 or os.path.isdir(contents[0])
    if "styles" not in given and each:
        raise InputError("--each is for several styles: give --style")
    if each:
        if several:
            given_twice = "are several pictures" if len(contents) > 1 else "is a folder"
            shown = ", ".join(files.shown(content) for content in contents)
            raise InputError(f"{shown} {given_twice}, and --each is for one picture: give that")
        from tfstyle.pipelines.apply import apply_styles

        return paint_each(options, {"content": contents[0], **given}, apply_styles)
    first = Path(contents[0]).resolve()
    style = given["styles"][0] if "styles" in given else os.path.normpath(given.get("model", "painted"))
    default = f"{first.name if first.is_dir() else first.stem}-{Path(style).stem}"
    if not several:
        return paint_one(options, Path(given.pop("output", f"{default}.png")), {"content": contents[0], **given})
    from tfstyle import images
    from tfstyle.pipelines.apply import apply_batch

    found: list[Path] = []
    for content in contents:
        found += images.of_folder(content) if os.path.isdir(content) else [Path(content)]
    names = [f"{name}.png" for name in distinct_names(found)]
    return paint_many(options, found, names, Path(given.pop("output", default)), given, apply_batch)


def paint_one(options: argparse.Namespace, output: Path, given: dict[str, Any]) -> int:
    """Paint one picture by a feed-forward model, write it, and say so."""
    from tfstyle.pipelines.apply import apply
    from tfstyle.pipelines.result import check_writable

    bits = getattr(options, "bits", 8)
    check_writable(output, bits=bits)
    check_apart([output], [given["content"], *given.get("styles", []), *helpers(given)])
    return write(options, apply(given.pop("content"), given.pop("styles", None), **given), output, bits)


def add_export(subparsers: Any) -> None:
    """`tfstyle export`."""
    parser = subparsers.add_parser(
        "export",
        help="write a trained network for places without Keras: SavedModel, TensorFlow Lite, ONNX",
        description="Write a trained network so that it runs without tfstyle, and compare what it paints with what "
        "the network does. An AdaIN has three functions: stylize(content, style, alpha), encode_style(style) and "
        "stylize_with_code(content, mean, deviation, alpha), of pictures of any size in [0, 1]; a model that has "
        "learned one style, as a CycleGAN, has paint(pictures), from photographs to paintings; and one "
        "that makes pictures of noise, as a GAN, generate(noise).",
    )
    add = parser.add_argument
    add(
        "model",
        metavar="MODEL",
        help="embedded, for the AdaIN that comes with the package; a saved model, .keras, of tfstyle or any from "
        "pictures to pictures; or the folder of a training run",
    )
    add(
        "--format",
        metavar="saved_model|tflite|onnx",
        help="saved_model for TensorFlow; tflite for phones; onnx for other runtimes, with a file for each function, "
        "which needs pip install 'tfstyle[onnx]' (default: by OUT's suffix, else saved_model)",
    )
    add(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="a new folder for saved_model, else OUT.tflite or OUT.onnx",
    )
    add("--quiet", action="store_true", help="print errors only")
    parser.set_defaults(run=export, done="exported")


def export(options: argparse.Namespace) -> int:
    """`tfstyle export`: a trained network in another format."""
    from tfstyle.core.runtime import import_tensorflow

    import_tensorflow()
    from tfstyle.models import pretrained
    from tfstyle.models.export import export

    made = export(pretrained.read(options.model), options.output, options.format)
    if not options.quiet:
        say(f"wrote {', '.join(files.shown(path) for path in made.paths)}: {', '.join(made.signatures)}\n")
        for name, difference in made.differences.items():
            say(f"largest difference from the model, {name}: {difference:.2g} ({difference * 255:.2g}/255)\n")
    return 0


def add_generate(subparsers: Any) -> None:
    """`tfstyle generate`."""
    parser = subparsers.add_parser(
        "generate",
        help="make pictures of noise by a trained gan or wgan",
        description="Make pictures of noise by a trained gan, or a wgan that was trained without photographs.",
        epilog="The same seed gives the same pictures, however many.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="a saved model, .keras, or the folder of a training run")
    add("-o", "--output", metavar="DIR", required=True, help="the folder, which is made if there is none")
    add("--count", type=int, metavar="N", default=16, help="of pictures (default: %(default)s)")
    add("--seed", type=int, metavar="N", default=0, help="of the noise, and in their names (default: %(default)s)")
    add("--quiet", action="store_true", help="print errors only")
    parser.set_defaults(run=generate, done="made")


def generate(options: argparse.Namespace) -> int:
    """`tfstyle generate`: pictures of noise."""
    from tfstyle.core.runtime import import_tensorflow

    check_whole("count", options.count, 1, 1_000_000)
    check_whole("seed", options.seed, 0, 2**32 - 1)
    import_tensorflow()
    from tfstyle import images
    from tfstyle.models import pretrained
    from tfstyle.models.interfaces import generates

    model = pretrained.read(options.model)
    if not generates(model):
        raise InputError(
            f"{files.shown(options.model)} has a {type(model).__name__}, which makes no pictures of noise: give a "
            f"trained gan, or a wgan without photographs"
        )
    if model.channels not in (1, 3):
        name = files.shown(options.model)
        raise InputError(f"{name} makes pictures of {model.channels} channels: give one of 1 or 3")
    folder = Path(options.output)
    files.make_folder(folder)
    for number, picture in enumerate(model.generate(options.count, options.seed)):
        rgb = picture.repeat(3, -1) if picture.shape[-1] == 1 else picture
        images.save(rgb, folder / f"{options.seed}-{number:06}.png")
    if not options.quiet:
        say(f"wrote {options.count} pictures into {files.shown(folder)}\n")
    return 0
