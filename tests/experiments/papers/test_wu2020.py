"""AdaIN with the content's depth: the runs, what they are painted by, measures, figures and findings."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import Backbone, experiments, images, samples
from tfstyle.experiments.backbones import Networks
from tfstyle.experiments.base import AGREES, DISAGREES, Outcome
from tfstyle.experiments.papers import sample_depth, wu2020
from tfstyle.experiments.run import reproduce
from tfstyle.models import AdaIN, DepthAdaIN
from tfstyle.models.depth import DepthMini
from tfstyle.models.depth.strength import DepthStrength

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def model():
    """Untrained, of two levels."""
    plain = AdaIN(Backbone("VGG19Mini", padding="reflection"), "block2_conv1", seed=0)
    return DepthAdaIN.from_adain(plain, DepthMini(None, side=32, seed=1))


@pytest.fixture(scope="module", autouse=True)
def _small(model):
    """That model in place of the embedded one, trained on once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wu2020, "_embedded", lambda: model)
        patch.setattr(sample_depth, "motorcycle", lambda: None)
        patch.setattr(wu2020, "motorcycle", lambda: None)
        patch.setattr(wu2020, "CROP", 32)
        wu2020._tuned.cache_clear()
        yield
        wu2020._tuned.cache_clear()


@pytest.fixture
def experiment():
    return experiments.get("wu2020")


@pytest.fixture
def scene_setup(setup):
    """A scene with known depth, and a photograph without."""
    scene = images.load(samples.scene("street", 64)[0], name="sample street")
    return replace(setup, contents=(scene, setup.contents[0].resized((64, 64))), steps=2, size=64)


def test_every_variant_of_each_content_but_true_depth_where_there_is_none(experiment, scene_setup):
    runs = experiment.runs(scene_setup)
    assert [run.facts["variant"] for run in runs if run.content == 0] == list(wu2020.VARIANTS)
    assert [run.facts["variant"] for run in runs if run.content == 1] == [
        each for each in wu2020.VARIANTS if each != "true"
    ]
    assert len({run.name for run in runs}) == len(runs)


def test_the_truth_is_known_of_scenes_and_the_motorcycle(scene_setup, monkeypatch):
    scene, photo = scene_setup.contents
    np.testing.assert_array_equal(sample_depth.true_inverse_depth(scene), samples.scene("street", 64)[1])
    assert sample_depth.true_inverse_depth(photo) is None
    disparity = np.repeat(np.linspace(5, 50, 30)[:, None], 40, axis=1)
    disparity[:3] = np.nan
    monkeypatch.setattr(sample_depth, "motorcycle", lambda: (np.zeros((30, 40, 3)), disparity))
    found = sample_depth.true_inverse_depth(images.load(np.zeros((15, 20, 3)), name="sample motorcycle"))
    assert found.shape == (15, 20)
    assert np.isnan(found[0]).all()
    assert found[-1].mean() == pytest.approx(1, abs=0.03)
    filled = sample_depth.filled(found)
    assert np.isfinite(filled).all()
    np.testing.assert_allclose(filled[0], filled[2], atol=0.1)


def test_variants_are_painted_by_their_models(experiment, scene_setup, model):
    runs = {run.facts["variant"]: run for run in experiment.runs(scene_setup) if run.content == 0}
    photo, style = scene_setup.contents[0], scene_setup.styles[0]
    painted = {variant: experiment.paint(run, scene_setup).image for variant, run in runs.items()}
    np.testing.assert_array_equal(painted["plain"], model.stylize(photo, style, depth=None))
    np.testing.assert_array_equal(painted["found"], model.stylize(photo, style))
    true = model.stylize(photo, style, depth=samples.scene("street", 64)[1])
    np.testing.assert_allclose(painted["true"], true, atol=1e-6)
    mean = float(DepthStrength(model.inverse_depth).of(photo).mean())
    np.testing.assert_array_equal(painted["weaker"], model.stylize(photo, style, depth=None, alpha=mean))
    assert not np.array_equal(painted["tuned"], painted["plain"])
    assert not np.array_equal(painted["tuned"], painted["tuned-depth"])
    assert experiment.paint(runs["weaker"], scene_setup).details["alpha"] == mean


def outcome_of(experiment, setup, **changes):
    """Every picture is the content; the numbers of "found" are changed."""
    runs = experiment.runs(setup)
    numbers = {"ssim": 0.5, "style_reached": 0.25, "separation": 1.0, "depth_kept": 0.5, "outlines": 1.0}
    rows = [
        {"run": run.name, **run.facts, **numbers, **(changes if run.facts["variant"] == "found" else {})}
        for run in runs
    ]
    contents = {run.name: setup.contents[run.content] for run in runs}
    return Outcome(setup, runs, rows, {}, lambda name: contents[name])


def test_measures_of_the_content_itself(experiment, scene_setup):
    for row in experiment.derived(outcome_of(experiment, scene_setup)):
        assert row["depth_kept"] == pytest.approx(1)
        assert row["outlines"] == pytest.approx(1)
        assert row["separation"] == 0  # nothing has changed
    known = [row["depth_true"] for row in experiment.derived(outcome_of(experiment, scene_setup))]
    assert known[0] is not None
    assert known[-1] is None


def test_figures_have_all_pictures_and_private_ones_no_content(experiment, scene_setup):
    outcome = outcome_of(experiment, scene_setup)
    found = experiment.figures(outcome)
    assert set(found) == {"pictures", "change_by_proximity"}
    shown = len(found["pictures"].cells)
    assert shown == 2 * 9 - 1
    private = replace(outcome, setup=replace(scene_setup, private=True))
    assert len(experiment.figures(private)["pictures"].cells) == shown - 2


def test_findings_say_what_was_measured(experiment, scene_setup):
    scene_setup = replace(scene_setup, networks=Networks(0))
    better = experiment.findings(outcome_of(experiment, scene_setup, ssim=0.7, depth_kept=0.9, separation=2.0))
    assert better[0].claim == wu2020.KEEPS
    assert better[0].verdict == AGREES
    assert better[0].evidence == (
        "mean over 2 content images: change of the far third over that of the near third 1.00 by AdaIN, 1.00 weaker "
        "everywhere, 2.00 by depth; correlation of depth with the content image's 0.50 by AdaIN, 0.50 weaker "
        "everywhere, 0.90 by depth; SSIM 0.50 by AdaIN, 0.50 weaker everywhere, 0.70 by depth; outlines against "
        "texture, content image = 1 1.00 by AdaIN, 1.00 weaker everywhere, 1.00 by depth; style reached 0.25 by "
        "AdaIN, 0.25 weaker everywhere, 0.25 by depth."
    )
    assert "2 steps of fine-tuning" in better[-1].evidence
    worse = experiment.findings(outcome_of(experiment, scene_setup, ssim=0.4))
    assert worse[0].verdict == DISAGREES


def test_constants_are_chosen_but_for_the_quote(experiment, scene_setup):
    constants = experiment.constants(scene_setup)
    assert [each.name for each in constants if each.kind == "reported"] == ["what depth does"]


@pytest.mark.large
def test_it_runs_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(wu2020.Wu2020Depth, "contents", ("table",))
    monkeypatch.setattr(wu2020.Wu2020Depth, "evaluation_networks", lambda self, run, setup: ("VGG19Mini",))
    outcome = reproduce("wu2020", tmp_path / "out", quick=True, size=64, progress=False)
    assert len(outcome.rows) == 6
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert all(np.isfinite(row["separation"]) for row in outcome.rows)
