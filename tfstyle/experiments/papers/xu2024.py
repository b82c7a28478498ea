"""Xu, Hu & Lu 2024: Chinese painting by MMD at shallow layers of VGG-19; kernels and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.experiments import figures
from tfstyle.experiments.base import (
    Claim,
    Constant,
    Experiment,
    Finding,
    Outcome,
    Run,
    Setup,
    finding,
    observation,
)
from tfstyle.experiments.papers.comparison import score_caption
from tfstyle.images.luminance import luminance
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure

SOURCE = "Xu, Hu & Lu 2024, abstract"
NEARER = Claim("MMD at shallow layers of VGG-19 lessens the difference between the distributions of features", SOURCE)
METHOD = METHODS["xu2024"]
KERNELS = {
    "linear": "linear",
    "polynomial": "polynomial",
    "gaussian": "gaussian",
    "mixture": "linear:1,polynomial:1,gaussian:1",
}
RATIOS = (0.3, 0.1, 0.03)  # content to style weight, each loss over its size at the start (chosen)
QUICK_RATIOS = (0.1,)
VARIANTS = {"xu2024": "faithful", "xu2024-ink": "ink"}
BLANK = 0.9  # luminance above which a pixel is blank paper (chosen)


class Xu2024ChinesePainting(Experiment):
    """Every kernel under every ratio: as the paper has it, and with the options for ink on paper."""

    name = "xu2024"
    title = "Chinese painting by MMD: kernels, and content against style weight"
    reference = METHOD.reference
    needs = "ImageNet weights of VGG19 and ResNet50"
    duration = "about 15 minutes"
    styles = ("ink",)
    size = 256
    steps = 100
    columns = ("bare_paper", "chroma", *Experiment.columns)

    def runs(self, setup: Setup) -> list[Run]:
        """All variants, kernels and ratios; one ratio in a quick trial."""
        return [
            Run(
                name=f"{variant}-{kernel}-{ratio:g}",
                label=f"{variant}, {kernel}, {ratio:g}",
                networks={"VGG19": 1.0},
                settings={"method": method, "statistic": statistic, "content_weight": ratio},
                facts={"variant": variant, "kernel": kernel, "ratio": ratio},
            )
            for method, variant in VARIANTS.items()
            for kernel, statistic in KERNELS.items()
            for ratio in (QUICK_RATIOS if setup.quick else RATIOS)
        ]

    def constants(self, setup: Setup) -> list[Constant]:
        """The abstract gives the network and the loss; all else is chosen."""
        ink = METHODS["xu2024-ink"]
        return [
            Constant("network", "VGG-19, shallow layers", "reported", SOURCE),
            Constant("loss", "MMD", "reported", SOURCE),
            Constant("which layers", ", ".join(METHOD.style_layers or ()), "chosen"),
            Constant(
                "kernels",
                "; ".join(KERNELS.values()),
                "reported",
                "Li et al. 2017, section 4.1; their mixture chosen",
            ),
            Constant("content to style", ", ".join(f"{ratio:g}" for ratio in RATIOS), "chosen"),
            Constant("optimizer, initialization", f"{METHOD.optimizer}, {METHOD.init}", "chosen"),
            Constant(
                "ink: blank areas, saturation, edge weight",
                f"{ink.blank_areas:g}, {ink.saturation:g}, {ink.edge_weight:g}",
                "chosen",
            ),
            Constant("size, steps, images", f"{setup.size} pixels, {setup.steps} steps", "chosen"),
        ]

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """The share of pixels that are blank paper, and the mean range of the colours, 0 for grey."""
        pictures = [outcome.picture(run.name).rgb for run in outcome.runs]
        return [
            {
                "bare_paper": float((luminance(rgb) > BLANK).mean()),
                "chroma": float(np.ptp(rgb, axis=-1).mean()),
            }
            for rgb in pictures
        ]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Kernels by ratios, one figure for each variant, beside the content and the style image."""
        setup = outcome.setup
        ratios = list(dict.fromkeys(row["ratio"] for row in outcome.rows))
        inputs = [setup.shown(setup.contents[0]), setup.shown(setup.styles[0]), None, None]
        drawn: dict[str, Figure] = {}
        for variant in VARIANTS.values():
            rows = [
                [outcome.row(variant=variant, kernel=kernel, ratio=ratio) for ratio in ratios] for kernel in KERNELS
            ]
            drawn[f"kernels_{variant}"] = figures.grid(
                [
                    [first, *(outcome.picture(row["run"]) for row in line)]
                    for first, line in zip(inputs, rows, strict=True)
                ],
                ["content image,\nstyle image", *(f"content to style {ratio:g}" for ratio in ratios)],
                list(KERNELS),
                f"MMD at shallow layers, {variant}: {setup.caption(['VGG19'])}",
                [["", *map(score_caption, line)] for line in rows],
            )
        return drawn

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Whether MMD falls, and what kernels, ratios and the options for ink change."""
        faithful = outcome.rows_of(variant="faithful")
        reached = [row["style_reached"] for row in faithful]
        findings = [
            finding(
                NEARER,
                f"style reached by other networks' features, {min(reached):.2f} to {max(reached):.2f} over "
                f"{len(faithful)} runs.",
                holds=min(reached) > 0,
                tested=outcome.setup.networks.trained("VGG19"),
            ),
            observation(f"style reached by kernel, mean over ratios: {_means(faithful, 'kernel', 'style_reached')}."),
        ]
        if not outcome.setup.quick:
            style, ssim = (_means(faithful, "ratio", column) for column in ("style_reached", "ssim"))
            findings.append(observation(f"by content to style, mean over kernels: style {style}; SSIM {ssim}."))
        changes = "; ".join(
            f"{column.replace('_', ' ')} {_means(outcome.rows, 'variant', column)}" for column in _INK_COLUMNS
        )
        return [*findings, observation(f"what the options for ink change, mean over runs: {changes}.")]


_INK_COLUMNS = ("bare_paper", "chroma", "edge_agreement", "style_reached")


def _means(rows: Sequence[Mapping[str, Any]], fact: str, column: str) -> str:
    """Means of a column for each value of a fact, in words."""
    values = dict.fromkeys(row[fact] for row in rows)
    means = {value: np.mean([row[column] for row in rows if row[fact] == value]) for value in values}
    return ", ".join(f"{value} {mean:.2f}" for value, mean in means.items())
