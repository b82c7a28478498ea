"""Xu, Hu & Lu 2024: Chinese painting by MMD at shallow layers of VGG-19; kernels, and content to style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.experiments import figures
from tfstyle.experiments.base import Claim, Constant, Experiment, Finding, Outcome, Run, Setup, verdict
from tfstyle.images.color_transfer import luminance
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = "Xu, Hu & Lu 2024, abstract"
NEARER = Claim("MMD at shallow layers of VGG-19 lessens the difference between the distributions of features", SOURCE)
METHOD = METHODS["xu2024"]
KERNELS = {
    "linear": "linear",
    "polynomial": "polynomial",
    "gaussian": "gaussian",
    "mixture": "linear:1,polynomial:1,gaussian:1",
}
RATIOS = (0.3, 0.1, 0.03)  # content to style, each loss over its size at the start (chosen)
QUICK_RATIOS = (0.1,)
VARIANTS = {"xu2024": "faithful", "xu2024-ink": "ink"}
PAPER = 0.9  # of the luminance, from which on it is bare paper (chosen)


class Ink(Experiment):
    """Every kernel under every ratio, as the paper has it and with what makes a photograph ink on paper."""

    name = "xu2024"
    title = "Chinese painting by MMD: kernels, and content to style"
    reference = METHOD.reference
    contents = ("chelsea",)
    styles = ("ink",)
    size = 256
    steps = 100
    columns = ("bare_paper", "chroma", *Experiment.columns)

    def runs(self, setup: Setup) -> list[Run]:
        """All of them; of a quick trial one ratio."""
        return [
            Run(
                name=f"{words}-{kernel}-{ratio:g}",
                label=f"{words}, {kernel}, {ratio:g}",
                networks={"VGG19": 1.0},
                settings={"method": method, "statistic": statistic, "content_weight": ratio},
                facts={"variant": words, "kernel": kernel, "ratio": ratio},
            )
            for method, words in VARIANTS.items()
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
                "kernels", "; ".join(KERNELS.values()), "reported", "Li et al. 2017, section 4.1; their mix chosen"
            ),
            Constant("content to style", ", ".join(f"{ratio:g}" for ratio in RATIOS), "chosen"),
            Constant("optimizer, start", f"{METHOD.optimizer}, {METHOD.init}", "chosen"),
            Constant(
                "ink: voids, saturation, edge weight",
                f"{ink.blank_areas:g}, {ink.saturation:g}, {ink.edge_weight:g}",
                "chosen",
            ),
            Constant("size, steps, pictures", f"{setup.size} pixels, {setup.steps} steps", "chosen"),
        ]

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """The share of pixels that are bare paper, and the mean range of the colours, 0 for grey."""
        pictures = [outcome.picture(run.name).rgb for run in outcome.runs]
        return [
            {
                "bare_paper": float((luminance(rgb) > PAPER).mean()),
                "chroma": float(np.ptp(rgb, axis=-1).mean()),
            }
            for rgb in pictures
        ]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Kernels by ratios, one figure for each variant, beside photograph and painting."""
        setup = outcome.setup
        ratios = list(dict.fromkeys(row["ratio"] for row in outcome.rows))
        shape = setup.contents[0].rgb.shape[:2]
        photo, style = (setup.shown(each.resized(shape)) for each in (setup.contents[0], setup.styles[0]))
        found = {}
        for words in VARIANTS.values():
            rows = [
                [outcome.row(variant=words, kernel=kernel, ratio=ratio) for ratio in ratios] for kernel in KERNELS
            ]
            found[f"kernels_{words}"] = figures.grid(
                [
                    [first, *(outcome.picture(row["run"]) for row in each)]
                    for first, each in zip((photo, style, None, None), rows, strict=True)
                ],
                ["photograph,\npainting", *(f"content to\nstyle {ratio:g}" for ratio in ratios)],
                list(KERNELS),
                f"MMD at shallow layers, {words}: {setup.line(['VGG19'])}",
                [
                    ["", *(f"style {row['style_reached']:.2f}, SSIM {row['ssim']:.2f}" for row in each)]
                    for each in rows
                ],
            )
        return found

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Whether MMD falls, what kernels and ratios change, and what the ink options do."""
        tested = outcome.setup.networks.trained("VGG19")
        faithful = [row for row in outcome.rows if row["variant"] == "faithful"]
        reached = {row["run"]: row["style_reached"] for row in faithful}
        words = (
            f"style reached by other networks' features, {min(reached.values()):.2f} to {max(reached.values()):.2f}"
        )
        found = [Finding(NEARER, verdict(min(reached.values()) > 0, tested), f"{words} over {len(faithful)} runs.")]
        by_kernel = _means(faithful, "kernel", "style_reached")
        found.append(Finding(None, "", f"style reached by kernel, mean over ratios: {by_kernel}."))
        if not outcome.setup.quick:
            ratios = f"style {_means(faithful, 'ratio', 'style_reached')}; SSIM {_means(faithful, 'ratio', 'ssim')}"
            found.append(Finding(None, "", f"by content to style, mean over kernels: {ratios}."))
        ink = "; ".join(f"{name.replace('_', ' ')} {_means(outcome.rows, 'variant', name)}" for name in _INK)
        found.append(Finding(None, "", f"what the ink options change, mean over runs: {ink}."))
        return found


_INK = ("bare_paper", "chroma", "edge_agreement", "style_reached")


def _means(rows: list[dict[str, Any]], by: str, name: str) -> str:
    """Means of a column, by the values of another."""
    values = dict.fromkeys(row[by] for row in rows)
    means = {value: np.mean([row[name] for row in rows if row[by] == value]) for value in values}
    return ", ".join(f"{value} {mean:.2f}" for value, mean in means.items())
