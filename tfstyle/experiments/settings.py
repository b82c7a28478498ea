"""The options of `reproduce` and `compare`, each declared once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal

from tfstyle import images
from tfstyle.core.progress import progress_option
from tfstyle.core.settings import SEEDS, Settings, option, settings
from tfstyle.experiments import BACKBONES

_INPUTS, _LENGTH, _COMPARISON = "inputs", "size, length and weights", "comparison"
LEAST, LARGEST = 64, 4096  # pixels: networks need that many; experiments make many images, and samples take time


@settings
class ExperimentSettings(Settings):
    """The options that all experiments share."""

    size: int | None = option(
        default=None,
        help="Longer side of the images in pixels. Smaller is quicker; larger shows finer strokes.",
        metavar="PIXELS",
        low=LEAST,
        high=LARGEST,
        unset="the experiment's",
        group=_LENGTH,
    )
    steps: int | None = option(
        default=None,
        help="Steps of each optimisation or training. Fewer are quicker.",
        metavar="N",
        low=1,
        unset="the experiment's",
        group=_LENGTH,
    )
    seed: int = option(
        default=0, help="Seed of noise and of random weights.", metavar="N", low=0, high=SEEDS, group=_LENGTH
    )
    weights: Literal["imagenet", "random"] = option(
        default="imagenet",
        help="`imagenet` takes ImageNet weights where they can be had, and random ones for the other networks; "
        "`random` takes untrained networks throughout.",
        group=_LENGTH,
    )
    private: bool = option(
        default=False,
        help="Leave the content and style images out of figures and report, and name their files only, to publish a "
        "report where these images may not be shown.",
        group=_INPUTS,
    )
    progress: bool | None = progress_option()


@settings
class ReproduceSettings(ExperimentSettings):
    """The options of `reproduce`."""

    folder: str | os.PathLike[str] = option(
        default=..., help="The folder of the results; it is made if there is none.", flag=False, kw_only=False
    )
    quick: bool = option(
        default=False,
        help="Do a short trial of everything: fewer runs, smaller images, fewer steps. Its figures prove nothing.",
        group=_LENGTH,
    )
    contents: Sequence[images.Source] | None = option(
        default=None,
        help="Content images in place of the samples. On the command line, repeat the option for several.",
        metavar="FILE",
        flag="content",
        repeatable=True,
        file=True,
        unset="samples",
        group=_INPUTS,
    )
    styles: Sequence[images.Source] | None = option(
        default=None,
        help="Style images in place of the samples. On the command line, repeat the option for several.",
        metavar="FILE",
        flag="style",
        repeatable=True,
        file=True,
        unset="samples",
        group=_INPUTS,
    )
    domains: Mapping[str, str | os.PathLike[str]] | None = option(
        default=None,
        help="Folders of your images in place of the package's, for experiments that train on domains: photo=DIR, "
        "ink=DIR and so on; ink-photo=DIR for photographs that only the domain ink learns from. The last tenth of "
        "each folder by name is not trained on but measured.",
        metavar="NAME=DIR",
        flag="domain",
        repeatable=True,
        unset="the package's own images",
        group=_INPUTS,
    )
    trained: str | os.PathLike[str] | None = option(
        default=None,
        help="A folder of finished trainings of `tfstyle train`, such as DIR/ink-cyclegan, in place of training; "
        "needs domains. All of their images, at most 128 of each, are measured: give images not trained on.",
        metavar="DIR",
        unset="to train",
        group=_INPUTS,
    )


@settings
class CompareSettings(ExperimentSettings):
    """The options of `compare`."""

    style: images.Source = option(default=..., help="The style image.", flag=False, file=True, kw_only=False)
    folder: str | os.PathLike[str] = option(
        default=..., help="The folder of the results; it is made if there is none.", flag=False, kw_only=False
    )
    backbones: Sequence[str] = option(
        default=BACKBONES,
        help="Names of keras.applications networks. Those without ImageNet weights run with random ones, and all "
        "results say so.",
        metavar="NAME,...",
        group=_COMPARISON,
    )
    treatments: Sequence[str] = option(
        default=("raw", "balanced"),
        help="How the losses are weighted. `raw`: the same weights for every network, as papers compare them. "
        "`balanced`: each layer's loss is divided by its value at the start, for networks that raw weights leave "
        "unpainted. `smoothed` and `fourier`: balanced with smoothed activations or with the Fourier spectrum, "
        "against grain and peaks.",
        metavar="NAME,...",
        group=_COMPARISON,
    )
