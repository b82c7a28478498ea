"""CycleGAN against AttentionCycleGAN: measures, figures and findings."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import experiments, images, samples
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Outcome
from tfstyle.experiments.papers import li2023
from tfstyle.experiments.run import reproduce
from tfstyle.experiments.unpaired.base import Unpaired
from tfstyle.models import AttentionCycleGAN

pytestmark = pytest.mark.usefixtures("eager")

NUMBERS = {
    "ssim": 0.5, "edge_agreement": 0.4, "luminance": 0.9, "copy_ratio": 0.8, "kid": 1.0, "protocol": "KID of tests",
    "number": 7, "parameters": 1000, "seconds_per_step": 0.5, "color_to_domain": 9.0, "size": 96,
}  # fmt: skip


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.setattr(Unpaired, "options", lambda self, setup: {"filters": 2, "blocks": 0, "pictures": 20})
    return experiments.get("li2023")


@pytest.fixture
def one(setup, tmp_path):
    contents = tuple(images.load(samples.scene(name, size)[0], name=name)
                     for name, size in (("street", 64), ("table", (64, 96))))  # fmt: skip
    style = images.load(samples.domain("ink", 0, 64), name="ink")
    return replace(setup, contents=contents, styles=(style,), size=64, steps=2, folder=tmp_path / "out")


def outcome_of(experiment, setup, **changes):
    """Every picture is its content; the numbers of the improved model are changed."""
    runs = experiment.runs(setup)
    rows = [{"run": run.name, **run.facts, **NUMBERS} for run in runs]
    contents = {run.name: setup.contents[run.content] for run in runs}
    found = {"ink-photo": NUMBERS, "ink-cyclegan": NUMBERS, "ink-attention-cyclegan": {**NUMBERS, **changes}}
    return Outcome(setup, runs, rows, found, lambda name: contents[name])


def test_each_content_by_both_models(experiment, one):
    assert [run.name for run in experiment.runs(one)] == [
        "1-ink-cyclegan", "2-ink-cyclegan", "1-ink-attention-cyclegan", "2-ink-attention-cyclegan"
    ]  # fmt: skip


def test_findings_say_what_was_measured(experiment, one):
    better = experiment.findings(outcome_of(experiment, one, ssim=0.7, edge_agreement=0.6, parameters=54321))
    assert [finding.claim for finding in better] == [li2023.KEEPS, None, None]
    assert better[0].verdict == AGREES
    assert better[0].evidence == (
        "by ResNets and by U-Nets with attention, of photographs, mean over 7 that were held out: edges agree "
        "by 0.40 and 0.60 (ink); SSIM 0.50 and 0.70 (ink); light and dark correlate by 0.90 and 0.90 (ink); "
        "photographs are changed by 0.80 and 0.80 (ink) of their contrast."
    )
    assert better[1].evidence == (
        "distance to the domain, ink: 1 of the photographs themselves, 1 by CycleGAN, 1 by AttentionCycleGAN (KID of "
        "tests)."
    )
    assert better[2].evidence.startswith("a generator has 1,000 parameters with ResNet, 54,321 with U-Net; a step of")
    assert better[2].evidence.endswith("0.50 s and 0.50 s on this machine, one pair of 96 pixels.")
    worse = experiment.findings(outcome_of(experiment, one, ssim=0.7, edge_agreement=0.3))
    assert worse[0].verdict == DISAGREES


def test_what_copies_and_quick_trials_are_no_evidence(experiment, one):
    copy = experiment.findings(outcome_of(experiment, one, ssim=1.0, edge_agreement=1.0, copy_ratio=0.05))
    assert copy[0].verdict == UNTESTED
    assert copy[0].evidence.endswith("With ink, the U-Net copies its input: it keeps all, and transfers little.")
    quick = outcome_of(experiment, replace(one, quick=True), ssim=1.0, edge_agreement=1.0)
    assert experiment.findings(quick)[0].verdict == UNTESTED


def test_attention_is_shown_beside_pictures_and_private_ones_have_no_content(experiment, one):
    model = AttentionCycleGAN(64, depth=4, filters=2, n_layers=2, pool_size=0, seed=0)
    experiment.model = lambda setup, target, kind: model

    def shown(setup):
        found = experiment.figures(outcome_of(experiment, setup))
        assert set(found) == {"pictures", "attention"}
        return [len(figure.cells) for figure in found.values()]

    assert shown(one) == [2 + 2 * 3, 2 * 6]
    assert shown(replace(one, private=True)) == [2 * 2, 2 * 5]


def test_maps_are_enlarged_by_rectangles():
    values = np.array([[0.0, 1.0], [2.0, 3.0]])
    np.testing.assert_array_equal(li2023._enlarged(values, (3, 4, 3)), [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]])


@pytest.mark.large
def test_it_runs_end_to_end(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(Unpaired, "contents", ("street", "table"))
    outcome = reproduce(experiment, tmp_path / "out", quick=True, size=64, steps=2, progress=False)
    assert len(outcome.rows) == 4
    for kind in ("cyclegan", "attention-cyclegan"):
        found = outcome.measurements[f"ink-{kind}"]
        assert found["seconds_per_step"] > 0
        assert found["steps"] == 2
        assert found["losses"]["cycle"] > 0
    parameters = [outcome.measurements[f"ink-{kind}"]["parameters"] for kind in ("cyclegan", "attention-cyclegan")]
    assert parameters[0] != parameters[1]
    names = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert names == {"pictures.png", "attention.png", "training.png"}
