"""An experiment that paints without a network, and scores that need none."""

from __future__ import annotations

import numpy as np
import pytest

from tfstyle import images
from tfstyle.evaluation import metrics
from tfstyle.experiments.backbones import Networks
from tfstyle.experiments.base import AGREES, Claim, Constant, Experiment, Finding, Outcome, Run, RunResult, Setup


class Blends(Experiment):
    """Blends of content and style; `painted` has the names of the runs that were painted."""

    name = "blends"
    title = "Blends <of> content & style"
    reference = "Nobody 2026"
    shares = (0.0, 0.5, 1.0)

    def __init__(self):
        self.painted = []
        self.measured = 0

    def runs(self, setup):
        return [Run(f"blend-{share}", f"{share} of the style", facts={"share": share}) for share in self.shares]

    def evaluation_networks(self, run, setup):
        return ("VGG19",)

    def constants(self, setup):
        return [Constant("share", "0 to 1", "reported", "Nobody 2026"), Constant("steps", str(setup.steps), "chosen")]

    def paint(self, run, setup):
        self.painted.append(run.name)
        content, style = setup.contents[0], setup.styles[0].resized(setup.contents[0].rgb.shape[:2])
        image = content.rgb + run.facts["share"] * (style.rgb - content.rgb)
        return RunResult(
            np.clip(image, 0, 1), seconds=0, steps_done=setup.steps, first_loss=1.0, best_loss=float("inf")
        )

    def measurements(self, setup):
        self.measured += 1
        return {"brightness": float(setup.contents[0].rgb.mean())}

    def derived(self, outcome):
        return [{"rank": index} for index, _ in enumerate(outcome.rows)]

    def figures(self, outcome):
        from tfstyle.experiments import figures

        pictures = [outcome.picture(run.name) for run in outcome.runs]
        return {"all_blends": figures.grid([pictures], [run.label for run in outcome.runs], ["row"], "Blends")}

    def findings(self, outcome):
        return [Finding(Claim("blends <blend>", "Nobody 2026, table 1"), AGREES, "0 & 1"), Finding(None, "", "more")]


@pytest.fixture
def blends(monkeypatch):
    """The experiment, with scores that need no network."""

    def scores(self, content, style, result, name):
        values = {name: float(np.mean(np.abs(result.rgb - content.rgb))) for name in metrics.METRICS}
        return {**values, "style_reached": values["ssim"]}

    monkeypatch.setattr("tfstyle.experiments.evaluator.Evaluator._scores", scores)
    return Blends()


@pytest.fixture
def setup(photo, painting):
    """Small pictures and random networks."""
    content, style = images.load(photo, name="<photo>"), images.load(painting, name="painting")
    return Setup((content,), (style,), 56, 3, False, 0, Networks(0, "random"))


@pytest.fixture
def outcome(blends, setup):
    """Made without a folder."""
    runs = blends.runs(setup)
    rows = [{"run": run.name, **run.facts, "ssim": 0.25, "judges": ["VGG19"], "stopped": None} for run in runs]
    return Outcome(setup, runs, rows, {"brightness": 0.5}, lambda name: setup.contents[0])
