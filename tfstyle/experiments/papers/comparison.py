"""Backbones under one recipe, and under what cures the failures of some: a grid, a table, and entropies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.core.errors import InputError, unknown
from tfstyle.core.runtime import import_tensorflow
from tfstyle.evaluation import metrics
from tfstyle.experiments import BACKBONES, figures
from tfstyle.experiments.base import Constant, Experiment, Outcome, Run, Setup
from tfstyle.pipelines.method import NORMALIZED
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHOD = METHODS["jin2021"]


@dataclass(frozen=True)
class Treatment:
    """A way to paint with any network."""

    label: str
    settings: dict[str, Any]
    network_options: dict[str, Any] = field(default_factory=dict)


_EVEN = {"balance": True, "parameterization": "pixels"}
TREATMENTS = {
    "raw": Treatment("same weights for\nevery network", {"balance": False, "parameterization": "pixels"}),
    "balanced": Treatment("each layer's loss\nover its start", _EVEN),
    "smoothed": Treatment("balanced, activations\nsmoothed (SWAG)", _EVEN, {"activation_smoothing": True}),
    "fourier": Treatment("balanced,\nFourier spectrum", {**_EVEN, "parameterization": "fourier"}),
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
        for kind, given in (("backbone", backbones), ("treatment", treatments)):
            if not given:
                raise InputError(f"there is no {kind}: name at least one")
        for treatment in treatments:
            if treatment not in TREATMENTS:
                raise unknown("treatment", treatment, TREATMENTS)
        if not set(backbones) <= set(BACKBONES):  # all others take an import that takes seconds
            import_tensorflow()
            from tfstyle.features.network import names

            known = {name.lower(): name for name in names()}
            if wrong := [name for name in backbones if name.lower() not in known]:
                raise unknown("backbone", wrong[0], names())
            backbones = [known[name.lower()] for name in backbones]
        self.backbones = tuple(dict.fromkeys(backbones))
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
        """The recipe's constants, with their sources, and what the treatments change."""
        found = [
            _constant(name, getattr(METHOD, name), source)
            for name, source in METHOD.sources.items()
            if name not in ("backbone", "steps")
        ]
        even = (
            f"{NORMALIZED['content_weight']:g} and {NORMALIZED['style_weight']:g}, each layer's loss over its start"
        )
        return [
            *found,
            Constant("style and content layers", "the library's own for each network", "chosen"),
            Constant("balanced: content and style weight", even, "chosen"),
            Constant("smoothed", "softmax over channels", "reported", "Wang, Li & Vasconcelos 2021 (SWAG)"),
            Constant("size, steps, pictures", f"{setup.size} pixels, {setup.steps} steps", "chosen"),
            Constant("judges", "the other networks with ImageNet weights; scores averaged", "chosen"),
        ]

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """Normalised entropy of each backbone's activations at its style layers, plain and smoothed.

        The mean over the content and the style picture.
        """
        return {
            "entropy": {
                name: {
                    kind: _entropies(setup, name, options)
                    for kind, options in (("plain", {}), ("smoothed", {"activation_smoothing": True}))
                    if kind == "plain" or "smoothed" in self.treatments
                }
                for name in self.backbones
            }
        }

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """The grid of pictures, their scores, and the entropies."""
        setup = outcome.setup
        line = setup.line(self.backbones)
        labels = [setup.networks.label(name).replace(" (", "\n(").replace(", ", ",\n") for name in self.backbones]
        by_both = {(row["backbone"], row["treatment"]): row for row in outcome.rows}
        treatments = [name for name in self.treatments if any(name == treatment for _, treatment in by_both)]
        rows = [[by_both.get((backbone, name)) for name in treatments] for backbone in self.backbones]
        grid = figures.grid(
            [[None if row is None else outcome.picture(row["run"]) for row in each] for each in rows],
            [TREATMENTS[name].label for name in treatments],
            labels,
            f"{self.title}\n{line}",
            [["" if row is None else _note(row) for row in each] for each in rows],
        )
        columns = zip(*rows, strict=True)
        scores = figures.bars(
            labels,
            {
                name: [math.nan if row is None else row["style_reached"] for row in column]
                for name, column in zip(treatments, columns, strict=True)
            },
            f"Style reached, 0 the photograph, 1 the painting, by judges that did not paint\n{line}",
            "style reached",
        )
        found = {"grid": grid, "style_reached": scores}
        if entropy := outcome.measurements.get("entropy"):
            found["entropy"] = figures.bars(
                labels,
                {
                    kind: [float(np.mean(list(entropy[name][kind].values()))) for name in self.backbones]
                    for kind in next(iter(entropy.values()))
                },
                f"Entropy of activations, 1 for even ones, mean over style layers\n{line}",
                "normalised entropy",
            )
        return found


def _note(row: dict[str, Any]) -> str:
    return f"style {row['style_reached']:.2f}, SSIM {row['ssim']:.2f}"


def _constant(name: str, value: Any, source: str) -> Constant:
    shown = "the network's own" if value is None else str(value)
    if source.startswith("chosen"):
        return Constant(name.replace("_", " "), shown, "chosen", source.removeprefix("chosen").lstrip(": "))
    return Constant(name.replace("_", " "), shown, "reported", source)


def _entropies(setup: Setup, name: str, options: dict[str, Any]) -> dict[str, float]:
    """By style layer."""
    network = setup.networks.get(name, **options)
    seen = [network(picture.rgb[None], network.style_layers) for picture in (setup.contents[0], setup.styles[0])]
    return {
        layer: float(np.mean([metrics.entropy(np.asarray(features[layer][0])) for features in seen]))
        for layer in network.style_layers
    }
