"""Training of AdaIN: any style in one pass."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from tfstyle.core.settings import option, settings
from tfstyle.core.signatures import documented
from tfstyle.training.settings import Folders, TrainingSettings, redeclare

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tfstyle.training.crops import Crops
    from tfstyle.training.trainer import Trainer

VALIDATED = 8  # batches of held-out images, the same ones after each epoch (chosen)
SHOWN = 4  # held-out contents and styles of the samples (chosen)


@documented
@settings
class AdaINTraining(TrainingSettings):
    """A training of AdaIN's decoder; by default that of the paper, but for its 160,000 steps.

    Args:
        {options}

    Examples:
        >>> result = AdaINTraining(contents="photos/", styles="paintings/", output="run").run()
        >>> picture = result.model.stylize("photo.jpg", "painting.jpg")

    Reference:
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", section
        6, and the authors' code.
    """

    network: ClassVar[str] = "adain"
    summary: ClassVar[str] = "any style in one pass (Huang & Belongie 2017)"
    description: ClassVar[str] = (
        "Train AdaIN's decoder. The defaults are those of the paper, but for its 160,000 steps."
    )
    image_folders: ClassVar[tuple[str, ...]] = ("contents", "styles")

    contents: Folders = option(
        default=...,
        help="Folders of content images: thousands of photographs of all kinds.",
        metavar="DIR",
        group="images",
        recorded=False,
    )
    styles: Folders = option(
        default=...,
        help="Folders of style images: thousands of paintings of all kinds.",
        metavar="DIR",
        group="images",
        recorded=False,
    )
    epochs: int = redeclare(TrainingSettings, "epochs", 16)
    steps: int = redeclare(TrainingSettings, "steps", 1000)
    batch: int = redeclare(TrainingSettings, "batch", 8)
    crop_size: int = redeclare(TrainingSettings, "crop_size", 256)
    resize: int = redeclare(TrainingSettings, "resize", 512)
    held_out: float = redeclare(TrainingSettings, "held_out", 0.1)
    backbone: str = option(
        default="auto",
        help="Network of the encoder: VGG19 as in the paper, vgg19mini, which trains some ten times faster and comes "
        "with the package, or another network. auto is VGG19 if its ImageNet weights are available, else vgg19mini.",
        group="network",
    )
    weights: str | os.PathLike[str] | None = option(
        default=None,
        help="Weights of the encoder.",
        metavar="imagenet|embedded|random|PATH",
        unset="imagenet, and the embedded ones for vgg19mini",
        group="network",
    )
    start: str | os.PathLike[str] | None = option(
        default=None,
        help="Trained decoder to start from, on the same backbone: embedded, a saved model, or the folder of a "
        "training.",
        metavar="embedded|PATH",
        unset="a new decoder",
        group="network",
    )
    content_weight: float | None = option(
        default=None,
        help="Weight of the content loss: raise it to keep more of the content.",
        metavar="W",
        low=0,
        unset="1, the paper's",
        group="losses",
    )
    style_weight: float | None = option(
        default=None,
        help="Weight of the style loss: raise it for stronger styles.",
        metavar="W",
        low=0,
        unset="0.01 with reduction sum, 10 with mean",
        group="losses",
    )
    reduction: Literal["sum", "mean"] = option(
        default="sum",
        help="How the style loss is reduced over channels: sum as in the authors' code, or mean as in the best known "
        "PyTorch implementation.",
        group="losses",
    )
    learning_rate: float | None = option(
        default=None,
        help="Learning rate of the first step: raise it for short trainings.",
        metavar="R",
        above=0,
        unset="0.0001, the paper's",
        group="training",
    )
    decay: float | None = option(
        default=None,
        help="Decay D of the learning rate, which falls as 1 / (1 + D step): raise it for short trainings.",
        metavar="D",
        low=0,
        unset="5e-05, the paper's",
        group="training",
    )

    def resolved(self) -> Self:
        """These settings with the model's defaults in place of None."""
        from tfstyle.models.adain.adain import AdaIN, adam

        return self.with_defaults(("content_weight", "learning_rate", "decay"), AdaIN.compile, adam)

    def trainer(self) -> Trainer:
        """See `TrainingSettings.trainer`."""
        from tfstyle.training import datasets
        from tfstyle.training.crops import split_folders
        from tfstyle.training.folder import TrainingFolder
        from tfstyle.training.trainer import Trainer

        settings = self.resolved()
        paths = [split_folders(folders, self.held_out) for folders in self.folders().values()]
        (contents, held_contents), (styles, held_styles) = (
            (self._crops(train, place), self._crops(held_out, place) if held_out else None)
            for place, (train, held_out) in enumerate(paths)
        )
        fingerprint = {
            **settings.fingerprint(), "contents": contents.fingerprint, "styles": styles.fingerprint
        }  # fmt: skip
        folder = TrainingFolder(self.output, fingerprint, self.resume)
        model = folder.load_or_build(settings.build)
        validation = samples = None
        if held_contents is not None and held_styles is not None:
            validation = datasets.fixed(held_contents, held_styles, VALIDATED)
            content_images, style_images = held_contents(0)[:SHOWN], held_styles(0)[:SHOWN]
            samples = lambda model: _samples(model, content_images, style_images)  # noqa: E731
        return Trainer(
            folder,
            model,
            self.epochs,
            self.steps,
            lambda epoch: datasets.unpaired(contents, styles, steps=self.steps, epoch=epoch),
            [crops for crops in (contents, held_contents, styles, held_styles) if crops is not None],
            f"{len(contents.paths)} contents and {len(styles.paths)} styles",
            validation,
            samples,
        )

    def _crops(self, paths: Sequence[Path], place: int) -> Crops:
        """Crops of contents (place 0) or styles (1), which are not mirrored, as in the authors' code."""
        from tfstyle.training.crops import Crops

        return Crops(paths, self.crop_size, self.batch, self.seed + place, resize=self.resize, flip=False)

    def build(self) -> keras.Model:
        """A new model, compiled.

        Raises:
            InputError: The weights are not available, or the decoder to start from belongs to another encoder.
        """
        from tfstyle.features.loading import load_backbone
        from tfstyle.models import pretrained
        from tfstyle.models.adain.adain import AdaIN, adam

        encoder = load_backbone(
            self.backbone,
            self.weights,
            pooling="max",
            seed=self.seed,
            precision=self.precision,
            padding="reflection",
            task="training",
        )
        model = AdaIN(encoder, seed=self.seed, dtype=self.policy)
        if self.start is not None:
            model.copy_weights(pretrained.load(self.start))
        rates: dict[str, Any] = {name: getattr(self, name) for name in ("learning_rate", "decay")}
        losses = {name: getattr(self, name) for name in ("content_weight", "style_weight", "reduction")}
        model.compile(adam(**rates), **losses)
        return model


def _samples(model: keras.Model, contents: np.ndarray, styles: np.ndarray) -> np.ndarray:
    """The style images in the first row; below it, in each row, a content in each of the styles."""
    from tfstyle.training.samples import sample_grid

    rows: list[list[np.ndarray | None]] = [[None, *styles]]
    for content in contents:
        rows.append([content, *model.predict((content[None].repeat(len(styles), 0), styles), verbose=0)])
    return sample_grid(rows)
