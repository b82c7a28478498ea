"""The hybrid's ratio: where the picture changes, and which reading that supports."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import experiments, images
from tfstyle.experiments.backbones import NetworkOptions
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Outcome
from tfstyle.experiments.papers import jin2021_hybrid


@pytest.fixture
def made(setup, monkeypatch):
    """An outcome whose pictures go from black to white around an exponent, by scaling."""

    def made(middles, trained=True):
        experiment = experiments.get("jin2021-hybrid")
        monkeypatch.setattr(type(setup.networks), "trained", lambda self, name: trained)
        runs = experiment.runs(setup)
        middles = {"calibrated": 0.0, **middles}

        def picture(name):
            run = next(run for run in runs if run.name == name)
            exponent = run.facts["exponent"]
            alone = float(run.facts["ratio"].startswith("VGG19"))
            middle = middles[run.facts["scaling"]]
            value = alone if exponent is None else 1 / (1 + 10.0 ** (middle - exponent))
            return images.load(np.full((8, 12, 3), value, np.float32))

        rows = [{"run": run.name, **run.facts, "style_reached": 0.5, "ssim": 0.5} for run in runs]
        starts = {name: {"VGG19": {"loss": 10.0 ** (-2 * middles[name]), "gradient": 10.0 ** -middles[name]},
                         "InceptionV3": {"loss": 1.0, "gradient": 1.0}} for name in ("own", "unit")}  # fmt: skip
        outcome = Outcome(setup, runs, rows, starts, picture)
        rows = [a | b for a, b in zip(rows, experiment.derived(outcome), strict=True)]
        return experiment, replace(outcome, rows=rows)

    return made


def test_a_change_about_minus_three_supports_the_negative_reading(made):
    experiment, outcome = made({"own": -10.0, "unit": -3.0})
    near = {row["run"]: row for row in outcome.rows}
    assert near["own-VGG19-only"]["toward_vgg"] == near["own-VGG19-only"]["vgg_share"] == 1
    assert near["unit-InceptionV3-only"]["toward_vgg"] == 0
    assert near["unit-1e-3"]["toward_vgg"] == pytest.approx(0.5)
    assert near["unit-1e-3"]["vgg_share"] == pytest.approx(0.5)
    assert near["own-1e+0"]["toward_vgg"] == pytest.approx(1, abs=1e-6)
    assert near["calibrated-0.9-to-0.1"]["vgg_share"] == pytest.approx(0.9)
    found = experiment.findings(outcome)
    assert [finding.verdict for finding in found] == [AGREES, DISAGREES, AGREES, "", "", ""]
    assert "own preprocessing: half-way at 10^-10.0; both fed [0, 1]: half-way at 10^-3.0" in found[2].evidence
    evidence = found[3].evidence
    assert "both fed [0, 1]: style loss 10^6.0, gradient norm 10^3.0, so that both have equal influence" in evidence
    assert "at w1:w2 = 10^-3.0" in evidence
    assert "all are within 0.05" in found[4].evidence


def test_a_change_about_three_supports_the_positive_reading(made):
    experiment, outcome = made({"own": -10.0, "unit": 3.0})
    assert [finding.verdict for finding in experiment.findings(outcome)][:3] == [AGREES, AGREES, DISAGREES]


def test_a_change_that_is_no_more_than_scatter_is_none(made, monkeypatch):
    """Where VGG-19 has all the say, pictures of one objective are as far apart as from the first to the last."""
    experiment, outcome = made({"own": -20.0, "unit": -20.0})
    rows = [row | {"toward_vgg": 0.6 + 0.3 * (i % 2)} for i, row in enumerate(outcome.rows)]
    found = experiment.findings(replace(outcome, rows=rows))
    assert found[0].verdict == DISAGREES
    assert "images of one objective that differs in scale only are up to 0.30 apart" in found[0].evidence


def test_without_a_change_neither(made):
    experiment, outcome = made({"own": -20.0, "unit": -20.0})
    found = experiment.findings(outcome)
    assert [finding.verdict for finding in found][:3] == [DISAGREES] * 3
    assert "never half-way in the sweep" in found[1].evidence


def test_of_random_networks_nothing_is_claimed(made):
    experiment, outcome = made({"own": -10.0, "unit": -3.0}, trained=False)
    assert [finding.verdict for finding in experiment.findings(outcome)][:3] == [UNTESTED] * 3


def test_figures_are_drawn(made):
    experiment, outcome = made({"own": -10.0, "unit": -3.0})
    drawn = experiment.figures(outcome)
    assert list(drawn) == ["pictures_own", "pictures_unit", "pictures_calibrated", "vgg_share", "toward_vgg",
                           "style_reached", "ssim"]  # fmt: skip
    assert [len(row) for row in drawn["pictures_own"].rows] == [7, 7]
    assert len(drawn["pictures_own"].cells) == 14


def test_quick_runs_have_both_readings(setup):
    experiment = experiments.get("jin2021-hybrid")
    names = [run.name for run in experiment.runs(replace(setup, quick=True))]
    assert len(set(names)) == len(names) == 11
    assert {"own-1e-3", "own-1e+3", "unit-1e-3", "unit-1e+3", "calibrated-0.5-to-0.5"} <= set(names)
    run = next(run for run in experiment.runs(setup) if run.name == "unit-1e-3")
    assert (dict(run.networks), run.network_options) == (
        {"VGG19": 1e-3, "InceptionV3": 1.0}, NetworkOptions(input_scaling="unit")
    )  # fmt: skip


@pytest.mark.large
def test_the_start_is_measured(setup, monkeypatch):
    monkeypatch.setattr(jin2021_hybrid, "NETWORKS", ("VGG16", "MobileNetV2"))
    measured = experiments.get("jin2021-hybrid").measurements(setup)
    assert set(measured) == {"own", "unit"}
    for found in measured.values():
        assert all(value > 0 for each in found.values() for value in each.values())
    assert measured["own"]["VGG16"]["loss"] != pytest.approx(measured["unit"]["VGG16"]["loss"], rel=0.1)
