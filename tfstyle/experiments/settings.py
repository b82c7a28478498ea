"""The options of `reproduce` and `compare`, each declared once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tfstyle import images
from tfstyle.core.settings import SEEDS, Settings, option
from tfstyle.experiments import BACKBONES

LEAST, LARGEST = 64, 4096  # pixels: networks need that many; experiments make many images, and samples take time


@dataclass(frozen=True, kw_only=True, eq=False)
class ExperimentSettings(Settings):
    """The options that all experiments share."""

    size: int | None = option(
        None,
        "Longer side of the images in pixels. Smaller is quicker; larger shows finer strokes.",
        metavar="PIXELS",
        low=LEAST,
        high=LARGEST,
        unset="the experiment's",
    )
    steps: int | None = option(
        None,
        "Steps of each optimisation or training. Fewer are quicker.",
        metavar="N",
        low=1,
        unset="the experiment's",
    )
    seed: int = option(0, "Seed of noise and of random weights.", metavar="N", low=0, high=SEEDS)
    weights: Literal["imagenet", "random"] = option(
        "imagenet",
        "`imagenet` takes ImageNet weights where they can be had, and random ones for the other networks; `random` "
        "takes untrained networks throughout.",
    )
    private: bool = option(
        False,
        "Leave the content and style images out of figures and report, and name their files only, to publish a "
        "report where these images may not be shown.",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ReproduceSettings(ExperimentSettings):
    """The options of `reproduce`; `folder` and `progress` are none of the command line's."""

    folder: str | os.PathLike[str] = field(kw_only=False)
    quick: bool = option(
        False, "Do a short trial of everything: fewer runs, smaller images, fewer steps. Its figures prove nothing."
    )
    contents: Sequence[images.Source] | None = option(
        None,
        "Content images in place of the samples; repeat the option where an experiment takes several.",
        metavar="FILE",
        flag="content",
        repeatable=True,
        file=True,
        unset="samples",
    )
    styles: Sequence[images.Source] | None = option(
        None,
        "Style images in place of the samples; repeat the option where an experiment takes several.",
        metavar="FILE",
        flag="style",
        repeatable=True,
        file=True,
        unset="samples",
    )
    domains: Mapping[str, str | os.PathLike[str]] | None = option(
        None,
        "Folders of your images in place of the package's, for experiments that train on domains: photo=DIR, ink=DIR "
        "and so on; ink-photo=DIR for photographs that only the domain ink learns from. The last tenth of each "
        "folder by name is not trained on but measured.",
        metavar="NAME=DIR",
        flag="domain",
        repeatable=True,
        unset="the package's own images",
    )
    trained: str | os.PathLike[str] | None = option(
        None,
        "A folder of finished trainings of `tfstyle train`, such as DIR/ink-cyclegan, in place of training; needs "
        "domains. All of their images, at most 128 of each, are measured: give images that were not trained on.",
        metavar="DIR",
        unset="none, train",
    )
    progress: bool | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class CompareSettings(ExperimentSettings):
    """The options of `compare`; `style`, `folder` and `progress` are none of the command line's."""

    style: images.Source = field(kw_only=False)
    folder: str | os.PathLike[str] = field(kw_only=False)
    backbones: Sequence[str] = option(
        BACKBONES,
        "Names of keras.applications networks. Those without ImageNet weights run with random ones, and all results "
        "say so.",
        metavar="NAME,...",
    )
    treatments: Sequence[str] = option(
        ("raw", "balanced"),
        "How the losses are weighted. `raw`: the same weights for every network, as papers compare them. `balanced`: "
        "each layer's loss is divided by its value at the start, for networks that raw weights leave unpainted. "
        "`smoothed` and `fourier`: balanced with smoothed activations or with the Fourier spectrum, against grain "
        "and peaks.",
        metavar="NAME,...",
    )
    progress: bool | None = None
