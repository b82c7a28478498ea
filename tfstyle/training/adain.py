"""`tfstyle train adain`: what can be asked for, and what it does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.training import shared

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tfstyle.training.crops import Crops

VALIDATED = 8  # batches, always the same ones (chosen)
SAMPLED = 4  # contents and styles of the sample grid (chosen)


def add_adain(networks: Any) -> None:
    """Its parser."""
    parser = networks.add_parser(
        "adain",
        help="any style in one pass (Huang & Belongie 2017)",
        description="Train AdaIN's decoder. Without options, as in the paper, but for its 160,000 steps.",
        epilog=shared.EPILOG,
    )
    add = parser.add_argument
    add("--contents", nargs="+", metavar="DIR", required=True, help="folders of photographs: thousands, of all kinds")
    add("--styles", nargs="+", metavar="DIR", required=True, help="folders of paintings, likewise")
    add(
        "--backbone",
        default="auto",
        help="the encoder: VGG19 as in the paper, or vgg19mini, which is some ten times quicker and comes with the "
        "package; or another network (default: auto, VGG19 with ImageNet weights if they can be had, else vgg19mini)",
    )
    add(
        "--weights",
        metavar="imagenet|embedded|random|PATH",
        help="the encoder's weights (default: imagenet; embedded, which come with the package, for vgg19mini)",
    )
    add(
        "--start",
        metavar="embedded|PATH",
        help="begin with a trained decoder, on the same backbone, instead of a new one: embedded, a saved "
        "model or another RUN",
    )
    add("--epochs", type=int, metavar="N", default=16, help="of the whole training (default: %(default)s)")
    add("--steps", type=int, metavar="N", default=1000, help="of an epoch (default: %(default)s)")
    add("--batch", type=int, metavar="N", default=8, help="pairs a step (default: %(default)s, the paper's)")
    add("--size", type=int, metavar="PIXELS", default=256, help="of the crops (default: %(default)s, the paper's)")
    add(
        "--resize",
        type=int,
        metavar="PIXELS",
        default=512,
        help="the pictures' shorter side before the cropping: lower it for small pictures (default: %(default)s, the "
        "paper's)",
    )
    add("--content-weight", type=float, metavar="W", default=1.0, help="default: %(default)s")
    add(
        "--style-weight",
        type=float,
        metavar="W",
        help="raise it for more of the styles (default: 0.01 with --reduction sum, 10 with mean)",
    )
    add(
        "--reduction",
        choices=("sum", "mean"),
        default="sum",
        help="of the style loss over channels: sum as in the authors' code, mean as in PyTorch's best known "
        "(default: %(default)s)",
    )
    add(
        "--learning-rate",
        type=float,
        metavar="R",
        default=1e-4,
        help="at the start; raise it for short trainings (default: %(default)s, the paper's)",
    )
    add(
        "--decay",
        type=float,
        metavar="D",
        default=5e-5,
        help="the learning rate falls as 1 / (1 + D step); raise it for short trainings (default: %(default)s, the "
        "paper's)",
    )
    add(
        "--validation-split",
        type=float,
        metavar="F",
        default=0.1,
        help="this part of each folder, the last by name, isn't trained on, but evaluated after each epoch, and "
        "painted in samples/ (default: %(default)s; 0 for none)",
    )
    shared.add_run(add)
    parser.set_defaults(run=train_adain, done="trained")


def train_adain(options: argparse.Namespace) -> int:
    """`tfstyle train adain`."""
    from tfstyle.core.runtime import import_tensorflow

    shared.check_lengths(options)
    import_tensorflow()
    from tfstyle.training import datasets
    from tfstyle.training.run import Run

    halves = [_halves(folders, options, place) for place, folders in enumerate((options.contents, options.styles))]
    (contents, held_contents), (styles, held_styles) = halves
    run = Run(options.output, _settings(options, contents, styles), options.resume)
    model = run.model(lambda: _adain(options))
    validation = samples = None
    if held_contents and held_styles:
        validation = datasets.fixed(held_contents, held_styles, VALIDATED)
        samples = lambda model: _grid(model, held_contents, held_styles)  # noqa: E731
    held = "" if held_contents is None else ", the rest is held out"
    return shared.follow(
        options,
        run,
        model,
        lambda epoch: datasets.unpaired(contents, styles, steps=options.steps, epoch=epoch),
        [crops for half in halves for crops in half if crops is not None],
        steps=options.steps,
        before=f"{len(contents.paths)} contents, {len(styles.paths)} styles to train on{held}",
        validation=validation,
        samples=samples,
    )


def _halves(folders: list[str], options: argparse.Namespace, place: int) -> tuple[Crops, Crops | None]:
    """Crops to train on, and those that are held out, if any."""
    from tfstyle.training.crops import Crops, split

    parts = [split(folder, options.validation_split) for folder in folders]
    train, held_out = ([path for part in parts for path in part[i]] for i in (0, 1))
    if not train:
        raise InputError(f"nothing in {files.shown(folders[0])} is left to train on: give more pictures")

    def crops(paths: list[Path]) -> Crops:
        return Crops(
            paths,
            options.size,
            options.batch,
            options.seed + place,
            resize=options.resize,
            flip=False,  # as in the authors' code
        )

    return crops(train), crops(held_out) if held_out else None


def _settings(options: argparse.Namespace, contents: Crops, styles: Crops) -> dict[str, Any]:
    """What a training that goes on must have in common with its beginning."""
    names = (
        *("backbone", "weights", "start", "steps", "batch", "size", "resize", "content_weight", "style_weight"),
        *("reduction", "learning_rate", "decay", "validation_split", "seed", "precision"),
    )
    given = {name: getattr(options, name) for name in names}
    return {"network": "adain", **given, "contents": contents.known_by, "styles": styles.known_by}


def _adain(options: argparse.Namespace) -> keras.Model:
    """A new model, compiled."""
    from tfstyle.features.backbone import Backbone
    from tfstyle.features.loading import log_backbone, resolve_auto
    from tfstyle.models import pretrained
    from tfstyle.models.adain.adain import AdaIN, adam

    if not options.learning_rate > 0:
        raise InputError(f"learning rate {options.learning_rate:g} can't be used: give more than 0")
    if not options.decay >= 0:
        raise InputError(f"decay {options.decay:g} can't be used: give 0 or more")
    name, fallback = resolve_auto(options.backbone, options.weights, "VGG19")
    encoder = Backbone(name, options.weights, seed=options.seed, precision=options.precision, padding="reflection")
    log_backbone(encoder, fallback, "training on")
    model = AdaIN(encoder, seed=options.seed, dtype=shared.policy(options))
    if options.start is not None:
        model.take_decoder(pretrained.load(options.start))
    model.compile(
        adam(options.learning_rate, options.decay),
        content_weight=options.content_weight,
        style_weight=options.style_weight,
        reduction=options.reduction,
    )
    return model


def _grid(model: keras.Model, contents: Crops, styles: Crops) -> np.ndarray:
    """The first held-out contents painted in the first held-out styles."""
    from tfstyle.images.grids import Cell, grid

    photos, paintings = contents(0)[:SAMPLED], styles(0)[:SAMPLED]
    rows: list[list[Cell | None]] = [[None, *map(Cell, paintings)]]
    for photo in photos:
        painted = model.predict((photo[None].repeat(len(paintings), 0), paintings), verbose=0)
        rows.append([Cell(photo), *map(Cell, painted)])
    return grid(rows, gap=4)
