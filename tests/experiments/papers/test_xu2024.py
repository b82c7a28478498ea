"""Chinese painting: the runs, what is measured of paper and colour, and what is found."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import experiments, images
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Outcome
from tfstyle.pipelines import methods

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def made(setup, monkeypatch):
    """An outcome whose rows all have reached the same of the style."""

    def made(reached=0.5, trained=True, picture=None, quick=False):
        monkeypatch.setattr(type(setup.networks), "trained", lambda self, name: trained)
        asked = replace(setup, quick=quick)
        runs = experiments.get("xu2024").runs(asked)
        numbers = {"ssim": 0.25, "style_reached": reached, "edge_agreement": 0.5, "bare_paper": 0.1, "chroma": 0.2}
        rows = [{"run": run.name, **run.facts, **numbers} for run in runs]
        return Outcome(asked, runs, rows, {}, lambda name: setup.contents[0] if picture is None else picture)

    return made


def test_every_kernel_is_run_under_every_ratio(made):
    runs = made().runs
    assert len(runs) == len({run.name for run in runs}) == 24
    for run in runs:
        method = methods.get(run.settings["method"]).replace(statistic=run.settings["statistic"])
        assert method.style_layers == ("block1_conv1", "block2_conv1", "block3_conv1")  # shallow
    assert {run.settings["method"] for run in runs} == {"xu2024", "xu2024-ink"}
    assert len(made(quick=True).runs) == 8


def test_paper_and_colour_are_measured(made):
    half = np.ones((10, 20, 3), np.float32)
    half[:, 10:] = [0.5, 0.2, 0.1]
    (first, *_) = experiments.get("xu2024").derived(made(picture=images.load(half)))
    assert first["bare_paper"] == 0.5
    assert first["chroma"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("reached", "trained", "verdict"), [(0.5, True, AGREES), (-0.1, True, DISAGREES), (0.5, False, UNTESTED)]
)
def test_the_claim_is_that_distributions_come_nearer(made, reached, trained, verdict):
    found = experiments.get("xu2024").findings(made(reached, trained))
    assert found[0].verdict == verdict
    assert (
        found[0].evidence
        == f"style reached by other networks' features, {reached:.2f} to {reached:.2f} over 12 runs."
    )
    assert len(found) == 4
    assert "bare paper faithful 0.10, ink 0.10" in found[-1].evidence


@pytest.mark.parametrize("quick", [False, True])
def test_there_is_a_figure_for_each_variant(made, quick):
    drawn = experiments.get("xu2024").figures(made(trained=False, quick=quick))
    assert list(drawn) == ["kernels_faithful", "kernels_ink"]
    for figure in drawn.values():
        words = " ".join(figure.words)
        assert "56 pixels, 3 steps, seed 0" in words
        assert "VGG19 random" in words


def test_what_the_abstract_does_not_give_is_chosen(made):
    kinds = {constant.name: constant.kind for constant in experiments.get("xu2024").constants(made().setup)}
    assert kinds["network"] == kinds["loss"] == "reported"
    assert kinds["which layers"] == kinds["content to style"] == "chosen"
