"""WGAN against CycleGAN: the runs, what is trained, measures, figures and findings."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import experiments, images, metrics, samples
from tfstyle.errors import InputError
from tfstyle.experiments import shi2020
from tfstyle.experiments.experiment import AGREES, DISAGREES, UNTESTED, Outcome
from tfstyle.experiments.reproducing import reproduce


@pytest.fixture
def experiment():
    return experiments.get("shi2020")


@pytest.fixture
def two(setup):
    """Two contents, and a picture of each domain."""
    contents = tuple(images.load(samples.scene(name, 64)[0], name=name) for name in ("street", "table"))
    styles = tuple(images.load(samples.domain(name, 0, 64), name=name) for name in shi2020.DOMAINS)
    return replace(setup, contents=contents, styles=styles, size=64, steps=2)


def test_each_content_by_both_models_of_both_domains(experiment, two):
    runs = experiment.runs(two)
    assert [run.name for run in runs] == [
        *("1-sketch-wgan", "2-sketch-wgan", "1-sketch-cyclegan", "2-sketch-cyclegan"),
        *("1-ink-wgan", "2-ink-wgan", "1-ink-cyclegan", "2-ink-cyclegan"),
    ]
    assert [run.styles for run in runs] == [(0,)] * 4 + [(1,)] * 4


def test_batches_are_crops_of_both_domains_the_same_for_a_seed():
    sets = [[np.full((9, 9, 3), value, "float32") for value in values] for values in ((0.1, 0.2), (0.8,))]
    first, again, other = (list(shi2020._batches(sets, 8, 20, seed)) for seed in (0, 0, 1))
    assert len(first) == 20
    assert all(x.shape == y.shape == (1, 8, 8, 3) for x, y in first)
    assert {round(float(x.mean()), 3) for x, _ in first} == {0.1, 0.2}
    assert {round(float(y.mean()), 3) for _, y in first} == {0.8}
    np.testing.assert_array_equal([x for x, _ in first], [x for x, _ in again])
    assert any((x != y).any() for (x, _), (y, _) in zip(first, other, strict=True))


def test_both_generators_take_as_many_steps():
    tiny = {"filters": 2, "blocks": 0, "pictures": 2}
    for kind in shi2020.MODELS:
        model = shi2020._trained(kind, "sketch", 64, 2, 0, **tiny)
        assert int(model.generator_optimizer.iterations) == 2
        assert shi2020._trained(kind, "sketch", 64, 2, 0, **tiny) is model


def outcome_of(experiment, setup, better=None, **changes):
    """Every picture is its content; the numbers of one model are changed."""
    runs = experiment.runs(setup)
    numbers = {"ssim": 0.5, "content_gap": 0.3, "luminance": 0.9, "color_to_domain": 10.0, "kid": 1.0}
    rows = [
        {"run": run.name, **run.facts, **numbers, **(changes if run.facts["model"] == better else {})} for run in runs
    ]
    contents = {run.name: setup.contents[run.content] for run in runs}
    kids = {
        f"{domain}-{kind}": {"kid": 0.5, "protocol": "KID of tests"}
        for domain in shi2020.DOMAINS
        for kind in ("photo", *shi2020.MODELS)
    }
    return Outcome(setup, runs, rows, kids, lambda name: contents[name])


def test_measures_of_the_content_itself(experiment, two):
    outcome = outcome_of(experiment, two)
    for run, row in zip(outcome.runs, experiment.derived(outcome), strict=True):
        own, other = two.contents[run.content].rgb, two.contents[1 - run.content].rgb
        assert row["luminance"] == pytest.approx(1)
        assert row["content_gap"] == pytest.approx(0.5 - metrics.ssim(other, own))
        assert row["kid"] == 0.5
        domain = [samples.domain(run.facts["domain"], 10_000 + i, 64) for i in range(8)]
        assert row["color_to_domain"] == pytest.approx(metrics.color_distance(np.concatenate(domain), own))
    alone = replace(two, contents=two.contents[:1])
    assert {row["content_gap"] for row in experiment.derived(outcome_of(experiment, alone))} == {None}


def test_the_figure_has_four_rows_and_private_ones_no_content(experiment, two):
    outcome = outcome_of(experiment, two)
    (figure,) = experiment.figures(outcome).values()
    assert sum(bool(axes.images) for axes in figure.axes) == 2 + 4 * 3
    private = replace(outcome, setup=replace(two, private=True))
    (figure,) = experiment.figures(private).values()
    assert sum(bool(axes.images) for axes in figure.axes) == 4 * 3


def verdicts(experiment, outcome):
    return [finding.verdict for finding in experiment.findings(outcome)[:2]]


def test_findings_say_what_was_measured(experiment, two):
    found = experiment.findings(outcome_of(experiment, two, "CycleGAN", color_to_domain=5.0))
    assert [finding.claim for finding in found] == [shi2020.KEEP, shi2020.COLOURS, None]
    assert found[1].evidence == (
        "ΔE from the domain's colours, sketch: 10.0 by WGAN, 5.0 by CycleGAN; ink: 10.0 by WGAN, 5.0 by CycleGAN."
    )
    assert found[0].evidence.startswith("WGAN: SSIM 0.50, 0.30 above that with other contents, light and dark")
    assert found[2].evidence.endswith("(KID of tests).")
    assert verdicts(experiment, outcome_of(experiment, two, "CycleGAN", color_to_domain=5.0)) == [AGREES, AGREES]
    assert verdicts(experiment, outcome_of(experiment, two, "WGAN", color_to_domain=5.0)) == [AGREES, DISAGREES]
    assert verdicts(experiment, outcome_of(experiment, two, "WGAN", content_gap=0.05)) == [DISAGREES, DISAGREES]
    quick = replace(two, quick=True)
    assert verdicts(experiment, outcome_of(experiment, quick)) == [UNTESTED, UNTESTED]


def test_a_domain_is_no_picture_that_one_gives(experiment, tmp_path):
    with pytest.raises(InputError) as error:
        reproduce(experiment, tmp_path / "out", styles=[np.zeros((64, 64, 3))])
    assert str(error.value) == "shi2020 takes 0 style picture, not 1"


def test_it_runs_end_to_end_and_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(shi2020.Unpaired, "contents", ("street", "table"))
    monkeypatch.setattr(shi2020, "_options", lambda setup: {"filters": 2, "blocks": 0, "pictures": 2})
    outcome = reproduce("shi2020", tmp_path / "out", quick=True, size=64, steps=1, progress=False)
    assert len(outcome.rows) == 8
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert all(np.isfinite(row["kid"]) for row in outcome.rows)
    monkeypatch.setattr(shi2020, "_trained", None)  # nothing is trained again
    again = reproduce("shi2020", tmp_path / "out", quick=True, size=64, steps=1, progress=False)
    assert again.measurements == outcome.measurements
