"""Jiang et al. 2020: one photograph in several oil styles, and how visible their strokes are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.experiments import figures
from tfstyle.experiments.base import Constant, Experiment, Finding, Outcome, Run, Setup, observation
from tfstyle.images.luminance import luminance
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure

METHOD = METHODS["jiang2020"]
COMPARED = ("jiang2020", "gatys")


class Jiang2020OilPainting(Experiment):
    """A content image in each style, by the method tuned for strokes and by Gatys'."""

    name = "jiang2020"
    title = "Oil styles, and their strokes"
    reference = METHOD.reference
    needs = "ImageNet weights of VGG19 and ResNet50"
    duration = "about 10 minutes"
    contents = ("coffee",)
    styles = ("impasto", "mosaic", "ink")
    most_styles = 8
    size = 320
    steps = 100
    columns = ("strokes", *Experiment.columns)

    def runs(self, setup: Setup) -> list[Run]:
        """A run for each style and method."""
        return [
            Run(
                name=f"{method}-{index + 1}",
                label=f"{method}, style {index + 1}",
                networks={"VGG19": 1.0},
                settings={"method": method},
                facts={"method": method, "style": index + 1},
                styles=(index,),
            )
            for method in COMPARED
            for index in range(len(setup.styles))
        ]

    def constants(self, setup: Setup) -> list[Constant]:
        """The constants of the tuned method, with their sources."""
        names = [name for name in METHOD.sources if name not in ("steps", "statistic")]
        return [
            *(Constant.of_method(METHOD, name) for name in names),
            Constant("size, steps, images", f"{setup.size} pixels, {setup.steps} steps", "chosen"),
        ]

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """How visible the strokes are: their contrast over that of the content image; see `strokes`."""
        start = strokes(outcome.setup.contents[0].rgb)
        return [{"strokes": strokes(outcome.picture(run.name).rgb) / max(start, 1e-6)} for run in outcome.runs]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """The montage: the content image, and each style image above what both methods make of it."""
        setup = outcome.setup
        numbers = range(1, len(setup.styles) + 1)
        rows = {method: [outcome.row(method=method, style=number) for number in numbers] for method in COMPARED}
        montage = figures.grid(
            [
                [setup.shown(picture) for picture in (setup.contents[0], *setup.styles)],
                *([None, *(outcome.picture(row["run"]) for row in line)] for line in rows.values()),
            ],
            ["content image", *(f"style {number}" for number in numbers)],
            ["", *rows],
            f"Oil styles: {setup.caption(['VGG19'])}",
            [[""] * (1 + len(numbers)), *(["", *map(_caption, line)] for line in rows.values())],
        )
        return {"montage": montage}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """What the tuned method changes."""
        rows = [outcome.rows_of(method=method) for method in COMPARED]
        words = []
        for column, name in (("strokes", "strokes"), ("style_reached", "style reached"), ("ssim", "SSIM")):
            means = [f"{np.mean([row[column] for row in each]):.2f}" for each in rows]
            words.append(f"{name} {' against '.join(means)}")
        number = len(outcome.setup.styles)
        return [observation(f"{' against '.join(COMPARED)}, mean over {number} styles: {'; '.join(words)}.")]


def strokes(rgb: np.ndarray) -> float:
    """The contrast of details as wide as strokes: the standard deviation of the luminance between two blurs.

    The Gaussian blurs have standard deviations of 0.4 % and 2 % of the longer side (chosen).

    Args:
        rgb: (height, width, 3), in [0, 1].
    """
    from scipy import ndimage  # late: it takes a while to import

    y, side = luminance(rgb)[..., 0], max(rgb.shape[:2])
    fine, coarse = (ndimage.gaussian_filter(y, share * side) for share in (0.004, 0.02))
    return float((fine - coarse).std())


def _caption(row: Mapping[str, Any]) -> str:
    return f"strokes {row['strokes']:.2f}, style {row['style_reached']:.2f}"
