"""`tfstyle export` and `tfstyle generate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfstyle.cli.output import print_text
from tfstyle.core import files
from tfstyle.core.errors import InputError, check_whole


def add_export(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle export`."""
    parser.description = (
        "Write a trained network so that it runs without tfstyle, and compare what it paints with what "
        "the network does. An AdaIN has three functions: stylize(content, style, alpha), encode_style(style) and "
        "stylize_with_code(content, mean, deviation, alpha), of pictures of any size in [0, 1]; a model that has "
        "learned one style, as a CycleGAN, has paint(pictures), from photographs to paintings; and one "
        "that makes pictures of noise, as a GAN, generate(noise)."
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
        print_text(f"wrote {', '.join(files.shown(path) for path in made.paths)}: {', '.join(made.signatures)}\n")
        for name, difference in made.differences.items():
            print_text(f"largest difference from the model, {name}: {difference:.2g} ({difference * 255:.2g}/255)\n")
    return 0


def add_generate(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle generate`."""
    parser.description = (
        "Generate pictures from noise by a trained gan, or by a wgan that was trained without photographs."
    )
    parser.epilog = "The same seed gives the same pictures, however many."
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
            f"{files.shown(options.model)} has a {type(model).__name__}, which makes no pictures from noise: give a "
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
        print_text(f"wrote {options.count} pictures into {files.shown(folder)}\n")
    return 0
