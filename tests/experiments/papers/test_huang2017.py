"""AdaIN against optimisation: the runs, what they are painted by, figures and findings."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import Backbone, experiments, images
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Outcome
from tfstyle.experiments.papers import huang2017
from tfstyle.experiments.run import reproduce
from tfstyle.models import AdaIN

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def model():
    """Untrained, of two levels."""
    return AdaIN(Backbone("VGG19Mini", padding="reflection"), "block2_conv1", seed=0)


@pytest.fixture(autouse=True)
def _embedded(model, monkeypatch):
    monkeypatch.setattr(huang2017, "_embedded", lambda: model)


@pytest.fixture
def experiment():
    return experiments.get("huang2017")


@pytest.fixture
def pair(setup):
    """One content, two styles."""
    other = images.load(np.ascontiguousarray(setup.styles[0].rgb[::-1]) * 0.5, name="other")
    return replace(setup, styles=(setup.styles[0], other), steps=12)


def test_every_pair_by_both_ways_and_each_control_once(experiment, pair):
    runs = experiment.runs(pair)
    ways = [run.facts["way"] for run in runs]
    assert ways[:8] == ["adain", "gatys 2", "gatys 4", "gatys 12"] * 2
    assert ways[8:] == ["alpha"] * 5 + ["color"] + ["mix"] * 5 + ["regions"]
    assert len({run.name for run in runs}) == len(runs)
    assert {run.settings["steps"] for run in runs if "VGG19" in run.networks} == {2, 4, 12}
    alone = experiment.runs(replace(pair, styles=pair.styles[:1]))
    assert {run.facts["way"] for run in alone} == {"adain", "gatys 2", "gatys 4", "gatys 12", "alpha", "color"}


def test_controls_are_the_models_own(experiment, pair, model):
    photo, styles = pair.contents[0], list(pair.styles)

    def painted(way, value=None):
        (run,) = [r for r in experiment.runs(pair) if r.facts["way"] == way and r.facts.get("value", value) == value][
            :1
        ]
        return experiment.paint(run, pair).image

    np.testing.assert_array_equal(painted("adain"), model.stylize(photo, styles[0]))
    np.testing.assert_array_equal(painted("alpha", 0.25), model.stylize(photo, styles[0], alpha=0.25))
    np.testing.assert_array_equal(painted("mix", 0.75), model.stylize(photo, styles, style_weights=[0.25, 0.75]))
    np.testing.assert_array_equal(painted("color"), model.stylize(photo, styles[0], preserve_color="statistics"))
    masks = np.zeros((2, *photo.rgb.shape[:2]), "float32")
    masks[0, :, : photo.rgb.shape[1] // 2] = 1
    masks[1] = 1 - masks[0]
    np.testing.assert_array_equal(painted("regions"), model.stylize(photo, styles, content_masks=list(masks)))


def outcome_of(experiment, setup, picture=None, **changes):
    """Rows in which everything holds but for what is changed, by way."""
    rows = []
    for run in experiment.runs(setup):
        way, value = run.facts["way"], run.facts.get("value", 0.0)
        row = {"run": run.name, **run.facts, "style_reached": 0.5, "ssim": 0.5, "seconds": 0.1, "color_shift": 30.0}
        if way.startswith("gatys"):
            row |= {"style_reached": {2: 0.4, 4: 0.6, 12: 0.8}[run.settings["steps"]], "seconds": 20.0}
        elif way == "alpha":
            row |= {"style_reached": value, "ssim": 1 - value / 2}
        elif way == "mix":
            row |= {"to_style_1": 10 + value, "to_style_2": 10 - value}
        elif way == "regions":
            row |= {"to_own_style": 10.0, "to_other_style": 20.0}
        elif way == "color":
            row["color_shift"] = 5.0
        rows.append({**row, **changes.get(way.split()[0], {})})
    runs = experiment.runs(setup)
    return Outcome(setup, runs, rows, {}, picture or (lambda name: setup.contents[0]))


def test_findings_say_what_was_measured(experiment, pair, monkeypatch):
    monkeypatch.setattr(pair.networks, "trained", lambda name: True)
    found = experiment.findings(outcome_of(experiment, pair))
    assert [finding.verdict for finding in found] == [AGREES] * 6
    assert found[0].evidence.startswith(
        "style reached, mean over all pairs: 0.50 by AdaIN; by optimisation 0.40 after 2 iterations, 0.60 after 4 "
        "iterations, 0.80 after 12 iterations."
    )
    assert found[1].evidence.startswith("0.10 s against 20.0 s for 12 iterations: 200 times, ")
    assert found[2].evidence == (
        "with α of 0.00, 0.25, 0.50, 0.75, 1.00: style reached 0.00, 0.25, 0.50, 0.75, 1.00, SSIM 1.00, 0.88, 0.75, "
        "0.62, 0.50."
    )
    assert found[4].evidence == "kept colours are 5.0 ΔE from the content image's, other colours 30.0."
    assert found[5].evidence == (
        "the colours of a half are 10.0 ΔE from those of its own style, 20.0 from those of the other."
    )
    worse = outcome_of(
        experiment,
        pair,
        adain={"style_reached": 0.1, "seconds": 1.0},
        alpha={"ssim": 0.5},
        mix={"to_style_1": 1.0},
        color={"color_shift": 29.0},
        regions={"to_own_style": 30.0},
    )
    assert [finding.verdict for finding in experiment.findings(worse)] == [DISAGREES] * 6


def test_random_networks_and_quick_trials_test_no_claim_on_optimisation(experiment, pair):
    random = experiment.findings(outcome_of(experiment, pair))
    assert random[0].verdict == UNTESTED
    quick = experiment.findings(outcome_of(experiment, replace(pair, quick=True)))
    assert [finding.verdict for finding in quick[:2]] == [UNTESTED] * 2


def test_colours_are_measured_against_the_styles(experiment, pair):
    styles = {run.name: run for run in experiment.runs(pair)}
    halves = np.concatenate([pair.styles[0].rgb[:, :20], pair.styles[1].rgb[:, :20]], axis=1)

    def picture(name):
        if styles[name].facts["way"] == "mix":
            return pair.styles[round(styles[name].facts["value"])]
        return images.load(halves)

    rows = experiment.derived(outcome_of(experiment, pair, picture))
    mixes = [row for row in rows if "to_style_1" in row]
    assert len(mixes) == 5
    assert mixes[0]["to_style_1"] == 0 < mixes[0]["to_style_2"]
    assert mixes[-1]["to_style_2"] == 0 < mixes[-1]["to_style_1"]
    assert rows[-1]["to_own_style"] < rows[-1]["to_other_style"]


def test_figures_have_all_pictures_and_private_ones_neither_content_nor_style(experiment, pair):
    outcome = outcome_of(experiment, pair)
    found = experiment.figures(outcome)
    assert set(found) == {"pairs", "controls"}

    assert len(found["pairs"].cells) == 2 + 1 + 2 + 2
    assert len(found["controls"].cells) == 5 + 5 + 2
    private = experiment.figures(replace(outcome, setup=replace(pair, private=True)))
    assert len(private["pairs"].cells) == 2 + 2


@pytest.mark.large
def test_it_runs_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(huang2017.Huang2017AdaIN, "contents", ("chelsea",))
    monkeypatch.setattr(huang2017.Huang2017AdaIN, "styles", ("mosaic", "ink"))
    monkeypatch.setattr(huang2017.Huang2017AdaIN, "evaluation_networks", lambda self, run, setup: ("VGG19Mini",))
    monkeypatch.setattr(huang2017, "OPTIMIZED", "VGG19Mini")
    outcome = reproduce("huang2017", tmp_path / "out", quick=True, size=64, steps=6, progress=False)
    assert len(outcome.rows) == 20
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
