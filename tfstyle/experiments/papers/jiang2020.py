"""Jiang et al. 2020: one photograph in several oil styles, and how visible their strokes are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.experiments import figures
from tfstyle.experiments.base import Constant, Experiment, Finding, Outcome, Run, Setup
from tfstyle.images.luminance import luminance
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHOD = METHODS["jiang2020"]
COMPARED = ("jiang2020", "gatys")


class Oil(Experiment):
    """A photograph in each style, by the method tuned for strokes and by Gatys'."""

    name = "jiang2020"
    title = "Oil styles, and their strokes"
    reference = METHOD.reference
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
        """What the tuned method sets, and where it comes from."""
        given = {name: getattr(METHOD, name) for name in METHOD.sources if name not in ("steps", "statistic")}
        return [
            *(
                Constant(
                    name.replace("_", " "),
                    ", ".join(value) if isinstance(value, tuple) else str(value),
                    "chosen" if METHOD.sources[name].startswith("chosen") else "reported",
                    METHOD.sources[name].removeprefix("chosen").lstrip(": "),
                )
                for name, value in given.items()
            ),
            Constant("size, steps, pictures", f"{setup.size} pixels, {setup.steps} steps", "chosen"),
        ]

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """How visible strokes are: their contrast over the photograph's at the same places; see `strokes`."""
        start = strokes(outcome.setup.contents[0].rgb)
        return [{"strokes": strokes(outcome.picture(run.name).rgb) / max(start, 1e-6)} for run in outcome.runs]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """The montage: the photograph, and under each style what both methods make of it."""
        setup = outcome.setup
        photo, numbers = setup.contents[0], range(1, len(setup.styles) + 1)
        rows = {method: [outcome.row(method=method, style=number) for number in numbers] for method in COMPARED}
        notes = [
            ["", *(f"strokes {row['strokes']:.2f}, style {row['style_reached']:.2f}" for row in each)]
            for each in rows.values()
        ]
        montage = figures.grid(
            [
                [setup.shown(each.resized(photo.rgb.shape[:2])) for each in (photo, *setup.styles)],
                *([None, *(outcome.picture(row["run"]) for row in each)] for each in rows.values()),
            ],
            ["photograph", *(f"style {number}" for number in numbers)],
            ["", *rows],
            f"Oil styles: {setup.line(['VGG19'])}",
            [[""] * (1 + len(numbers)), *notes],
        )
        return {"montage": montage}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """What the tuned method changes."""
        rows = {method: [row for row in outcome.rows if row["method"] == method] for method in COMPARED}
        words = "; ".join(
            f"{label} {' against '.join(f'{np.mean([row[name] for row in each]):.2f}' for each in rows.values())}"
            for name, label in (("strokes", "strokes"), ("style_reached", "style reached"), ("ssim", "SSIM"))
        )
        return [
            Finding(None, "", f"{' against '.join(COMPARED)}, mean over {len(outcome.setup.styles)} styles: {words}.")
        ]


def strokes(rgb: np.ndarray) -> float:
    """The contrast of what is as wide as strokes: the deviation of the luminance between two blurs.

    The blurs' deviations are 0.4 % and 2 % of the longer side (chosen).
    """
    from scipy import ndimage  # not above: it takes a while to import

    y, side = luminance(rgb)[..., 0], max(rgb.shape[:2])
    fine, coarse = (ndimage.gaussian_filter(y, part * side) for part in (0.004, 0.02))
    return float((fine - coarse).std())
