"""WGAN against CycleGAN: the runs, measures, figures and findings."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import experiments, images, samples
from tfstyle.core.errors import InputError
from tfstyle.evaluation import metrics
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Outcome
from tfstyle.experiments.papers import shi2020
from tfstyle.experiments.run import reproduce
from tfstyle.experiments.unpaired.base import Unpaired

pytestmark = pytest.mark.usefixtures("eager")

DOMAINS, MODELS = ("sketch", "ink"), ("wgan", "cyclegan")


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.setattr(Unpaired, "options", lambda self, setup: {"filters": 2, "blocks": 0, "pictures": 20})
    return experiments.get("shi2020")


@pytest.fixture
def two(setup, tmp_path):
    """Two contents, and a picture of each domain."""
    contents = tuple(images.load(samples.scene(name, 64)[0], name=name) for name in ("street", "table"))
    styles = tuple(images.load(samples.domain(name, 0, 64), name=name) for name in DOMAINS)
    return replace(setup, contents=contents, styles=styles, size=64, steps=2, folder=tmp_path / "out")


def test_each_content_by_both_models_of_both_domains(experiment, two):
    runs = experiment.runs(two)
    assert [run.name for run in runs] == [
        *("1-sketch-wgan", "2-sketch-wgan", "1-sketch-cyclegan", "2-sketch-cyclegan"),
        *("1-ink-wgan", "2-ink-wgan", "1-ink-cyclegan", "2-ink-cyclegan"),
    ]
    assert [run.styles for run in runs] == [(0,)] * 4 + [(1,)] * 4


def outcome_of(experiment, setup, better=None, **changes):
    """Every picture is its content; the numbers of one model are changed."""
    runs = experiment.runs(setup)
    numbers = {"ssim": 0.5, "content_gap": 0.3, "luminance": 0.9, "color_to_domain": 10.0, "kid": 1.0}
    numbers |= {"protocol": "KID of tests", "number": 7}
    rows = [{"run": run.name, **run.facts, **numbers} for run in runs]
    contents = {run.name: setup.contents[run.content] for run in runs}
    found = {
        f"{domain}-{kind}": {**numbers, **(changes if kind == better else {})}
        for domain in DOMAINS
        for kind in ("photo", *MODELS)
    }
    return Outcome(setup, runs, rows, found, lambda name: contents[name])


def test_measures_of_the_content_itself(experiment, two):
    outcome = outcome_of(experiment, two)
    for run, row in zip(outcome.runs, experiment.derived(outcome), strict=True):
        own, other = two.contents[run.content].rgb, two.contents[1 - run.content].rgb
        assert row["luminance"] == pytest.approx(1)
        assert row["content_gap"] == pytest.approx(0.5 - metrics.ssim(other, own))
        assert row["kid"] == 1
        palette = experiment.palette(two, run.facts["domain"])
        assert palette.shape == (2 * 64, 64, 3)
        assert row["color_to_domain"] == pytest.approx(metrics.color_distance(palette, own))
    alone = replace(two, contents=two.contents[:1])
    assert {row["content_gap"] for row in experiment.derived(outcome_of(experiment, alone))} == {None}


def shown(figure):
    return len(figure.cells)


def test_the_figure_has_all_rows_and_private_ones_no_content(experiment, two):
    (figure,) = experiment.figures(outcome_of(experiment, two)).values()
    assert shown(figure) == 2 + 4 * 3
    (figure,) = experiment.figures(outcome_of(experiment, replace(two, private=True))).values()
    assert shown(figure) == 4 * 2
    apart = replace(two, painted_for={"sketch": (0,), "ink": (1,)})
    (figure,) = experiment.figures(outcome_of(experiment, apart)).values()
    assert shown(figure) == 2 * (1 + 2 * 2)


def verdicts(experiment, outcome):
    return [finding.verdict for finding in experiment.findings(outcome)[:2]]


def test_findings_say_what_was_measured(experiment, two):
    found = experiment.findings(outcome_of(experiment, two, "cyclegan", color_to_domain=5.0))
    assert [finding.claim for finding in found] == [shi2020.KEEP, shi2020.COLOURS, None]
    assert found[1].evidence == (
        "ΔE from the domain's colours, sketch: 10.0 by WGAN, 5.0 by CycleGAN; ink: 10.0 by WGAN, 5.0 by CycleGAN; of "
        "the photographs 10.0 (sketch), 10.0 (ink)."
    )
    assert found[0].evidence.startswith(
        "SSIM with the photograph, mean over 7 that were held out; sketch: 0.50 by WGAN, 0.50 by CycleGAN; ink: "
    )
    assert found[2].evidence.endswith("(KID of tests).")
    assert verdicts(experiment, outcome_of(experiment, two, "cyclegan", color_to_domain=5.0)) == [AGREES, AGREES]
    assert verdicts(experiment, outcome_of(experiment, two, "wgan", color_to_domain=5.0)) == [AGREES, DISAGREES]
    assert verdicts(experiment, outcome_of(experiment, two, "wgan", content_gap=0.05)) == [DISAGREES, DISAGREES]
    quick = replace(two, quick=True)
    assert verdicts(experiment, outcome_of(experiment, quick)) == [UNTESTED, UNTESTED]


def test_how_many_photographs_is_said_of_each_domain_if_they_differ(experiment, two):
    outcome = outcome_of(experiment, two)
    outcome.measurements["ink-photo"]["number"] = 3
    assert (
        "mean over those that were held out, 7 (sketch), 3 (ink); sketch: "
        in experiment.findings(outcome)[0].evidence
    )


def test_constants_tell_the_papers_from_what_is_chosen(experiment, two):
    constants = experiment.constants(two)
    assert [each.name for each in constants if each.kind == "reported"] == ["what is compared", "CycleGAN", "WGAN"]
    (domains,) = (each.value for each in constants if each.name == "domains")
    assert domains == (
        "20 of tfstyle.samples.domain each; the last 10% of each domain by name are not trained on, and are "
        "measured, 128 at most"
    )


def test_a_domain_is_no_picture_that_one_gives(experiment, tmp_path):
    with pytest.raises(InputError, match="shi2020 takes at most 0 style images: leave out 1"):
        reproduce(experiment, tmp_path / "out", styles=[np.zeros((64, 64, 3))])


@pytest.mark.large
def test_it_runs_end_to_end_and_is_kept(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(Unpaired, "contents", ("street", "table"))
    monkeypatch.setattr(shi2020.Shi2020WGANAndCycleGAN, "styles", ("sketch",))
    given = {"quick": True, "size": 64, "steps": 2, "progress": False}
    outcome = reproduce(experiment, tmp_path / "out", **given)
    assert len(outcome.rows) == 4
    assert {row["steps_done"] for row in outcome.rows} == {2}
    assert all(np.isfinite(row["kid"]) for row in outcome.rows)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "training sketch-cyclegan" in page
    assert (tmp_path / "out" / "figures" / "training.png").exists()
    monkeypatch.setattr(shi2020.Shi2020WGANAndCycleGAN, "model", None)  # nothing is trained, or asked for, again
    again = reproduce("shi2020", tmp_path / "out", **given)
    assert again.measurements == outcome.measurements
