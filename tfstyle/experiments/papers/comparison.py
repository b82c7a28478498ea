"""Backbones compared under one recipe, and under treatments that mend the failures of some."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.core.errors import InputError, unknown
from tfstyle.core.runtime import import_tensorflow
from tfstyle.evaluation import metrics
from tfstyle.experiments import BACKBONES, figures
from tfstyle.experiments.backbones import NetworkOptions
from tfstyle.experiments.base import Constant, Experiment, Outcome, Run, Setup
from tfstyle.pipelines.method import NORMALIZED
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure

METHOD = METHODS["jin2021"]
SMOOTHED = NetworkOptions(activation_smoothing=True)


@dataclass(frozen=True)
class Treatment:
    """A way to paint that suits any network.

    Attributes:
        label: Its name in figures.
        settings: Options of `tfstyle.transfer`.
        network_options: Options of the network.
    """

    label: str
    settings: Mapping[str, Any]
    network_options: NetworkOptions = field(default_factory=NetworkOptions)


_BALANCED = {"normalize_losses": True, "parameterization": "pixels"}
TREATMENTS = {
    "raw": Treatment("same weights for\nevery network", {"normalize_losses": False, "parameterization": "pixels"}),
    "balanced": Treatment("each layer's loss over\nits value at the start", _BALANCED),
    "smoothed": Treatment("balanced, activations\nsmoothed (SWAG)", _BALANCED, SMOOTHED),
    "fourier": Treatment("balanced,\nFourier spectrum", {**_BALANCED, "parameterization": "fourier"}),
}


class Comparison(Experiment):
    """Every backbone under every treatment.

    Args:
        backbones: Names of networks.
        treatments: Names of `TREATMENTS`.

    Raises:
        InputError: An unknown network or treatment, or none.
    """

    name = "compare"
    title = "Backbones compared"

    def __init__(self, backbones: Sequence[str] = BACKBONES, treatments: Sequence[str] = tuple(TREATMENTS)) -> None:
        for kind, names in (("backbone", backbones), ("treatment", treatments)):
            if not names:
                raise InputError(f"there is no {kind}: name at least one")
        for treatment in treatments:
            if treatment not in TREATMENTS:
                raise unknown("treatment", treatment, TREATMENTS)
        self.backbones = tuple(dict.fromkeys(_canonical(backbones)))
        self.treatments = tuple(dict.fromkeys(treatments))

    def runs(self, setup: Setup) -> list[Run]:
        """A run for each backbone and treatment."""
        return [
            Run(
                name=f"{backbone}-{name}",
                label=f"{setup.networks.label(backbone)}, {name}",
                networks={backbone: 1.0},
                network_options=TREATMENTS[name].network_options,
                settings={"method": METHOD, **TREATMENTS[name].settings},
                facts={"backbone": backbone, "treatment": name},
            )
            for backbone in self.backbones
            for name in self.treatments
        ]

    def constants(self, setup: Setup) -> list[Constant]:
        """The constants of the recipe with their sources, and what the treatments change."""
        names = [name for name in METHOD.sources if name not in ("backbone", "steps")]
        weights = f"{NORMALIZED['content_weight']:g} and {NORMALIZED['style_weight']:g}"
        return [
            *(Constant.of_method(METHOD, name) for name in names),
            Constant("style and content layers", "the default layers of each network", "chosen"),
            Constant(
                "balanced: content and style weight",
                f"{weights}, each layer's loss over its value at the start",
                "chosen",
            ),
            Constant("smoothed", "softmax over channels", "reported", "Wang, Li & Vasconcelos 2021 (SWAG)"),
            Constant("size, steps, images", f"{setup.size} pixels, {setup.steps} steps", "chosen"),
            Constant("scored by", "the other networks with ImageNet weights; scores averaged", "chosen"),
        ]

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """Normalized entropy of each backbone's activations at its style layers, plain and smoothed.

        It is the mean over the content and the style image.
        """
        kinds = {"plain": NetworkOptions(), "smoothed": SMOOTHED}
        return {
            "entropy": {
                name: {
                    kind: _entropies(setup, name, options)
                    for kind, options in kinds.items()
                    if kind == "plain" or "smoothed" in self.treatments
                }
                for name in self.backbones
            }
        }

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """The grid of images, their scores, and the entropies."""
        caption = outcome.setup.caption(self.backbones)
        label = outcome.setup.networks.label
        labels = [label(name).replace(" (", "\n(").replace(", ", ",\n") for name in self.backbones]
        rows = {(row["backbone"], row["treatment"]): row for row in outcome.rows}
        treatments = [name for name in self.treatments if any(name == treatment for _, treatment in rows)]
        table = [[rows.get((backbone, name)) for name in treatments] for backbone in self.backbones]
        grid = figures.grid(
            [[None if row is None else outcome.picture(row["run"]) for row in line] for line in table],
            [TREATMENTS[name].label for name in treatments],
            labels,
            f"{self.title}\n{caption}",
            [["" if row is None else score_caption(row) for row in line] for line in table],
        )
        scores = figures.bars(
            labels,
            {
                name: [math.nan if row is None else row["style_reached"] for row in column]
                for name, column in zip(treatments, zip(*table, strict=True), strict=True)
            },
            f"Style reached: 0 is the content image, 1 the style image; by networks that did not paint\n{caption}",
            "style reached",
        )
        drawn: dict[str, Figure] = {"grid": grid, "style_reached": scores}
        if entropy := outcome.measurements.get("entropy"):
            drawn["entropy"] = figures.bars(
                labels,
                {
                    kind: [float(np.mean(list(entropy[name][kind].values()))) for name in self.backbones]
                    for kind in next(iter(entropy.values()))
                },
                f"Entropy of activations, 1 for even ones, mean over the style layers\n{caption}",
                "normalized entropy",
            )
        return drawn


def score_caption(row: Mapping[str, Any]) -> str:
    """The scores that stand below an image: style reached and SSIM."""
    return f"style {row['style_reached']:.2f}, SSIM {row['ssim']:.2f}"


def _canonical(backbones: Sequence[str]) -> Sequence[str]:
    """The names of networks as Keras spells them."""
    if set(backbones) <= set(BACKBONES):  # all others need TensorFlow, whose import takes seconds
        return backbones
    import_tensorflow()
    from tfstyle.features.network import names

    spelled = {name.lower(): name for name in names()}
    for name in backbones:
        if name.lower() not in spelled:
            raise unknown("backbone", name, names())
    return [spelled[name.lower()] for name in backbones]


def _entropies(setup: Setup, name: str, options: NetworkOptions) -> dict[str, float]:
    """The entropy at each style layer."""
    network = setup.networks.get(name, options)
    pictures = (setup.contents[0], setup.styles[0])
    features = [network(picture.rgb[None], network.style_layers) for picture in pictures]
    return {
        layer: float(np.mean([metrics.entropy(np.asarray(each[layer][0])) for each in features]))
        for layer in network.style_layers
    }
