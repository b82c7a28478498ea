"""Oil styles: the runs, the montage, and what is measured of strokes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from tfstyle import experiments
from tfstyle.experiments.base import Outcome
from tfstyle.experiments.papers.jiang2020 import strokes

pytestmark = pytest.mark.usefixtures("eager")


def striped(width, contrast=0.5, side=200):
    """Stripes of a width, in pixels."""
    bright = np.arange(side) // width % 2
    return np.broadcast_to(0.5 + contrast * (bright - 0.5), (side, side))[..., None].repeat(3, axis=-1)


@pytest.fixture
def outcome(setup):
    setup = replace(setup, styles=setup.styles * 2)
    runs = experiments.get("jiang2020").runs(setup)
    numbers = {"ssim": 0.5, "style_reached": 0.25, "strokes": 2.0}
    rows = [{"run": run.name, **run.facts, **numbers} for run in runs]
    return Outcome(setup, runs, rows, {}, lambda name: setup.contents[0])


def test_each_style_is_painted_by_both_methods(outcome):
    assert [(run.facts["method"], run.styles) for run in outcome.runs] == [
        ("jiang2020", (0,)), ("jiang2020", (1,)), ("gatys", (0,)), ("gatys", (1,))
    ]  # fmt: skip


def test_strokes_are_the_contrast_between_two_blurs():
    stripes = {width: strokes(striped(width)) for width in (1, 5, 100)}
    assert stripes[5] > 3 * stripes[1]  # grain is finer than strokes
    assert stripes[5] > 3 * stripes[100]  # and shapes are wider
    assert strokes(striped(5, 0.25)) == pytest.approx(stripes[5] / 2, rel=1e-5)
    assert strokes(np.full((50, 50, 3), 0.3)) == pytest.approx(0, abs=1e-7)
    fine, coarse = (ndimage.gaussian_filter(striped(5)[..., 0], sigma) for sigma in (0.8, 4))
    assert stripes[5] == pytest.approx((fine - coarse).std(), rel=1e-5)


def test_strokes_are_measured_against_the_photographs(outcome):
    derived = experiments.get("jiang2020").derived(outcome)  # every picture is the photograph
    assert [row["strokes"] for row in derived] == pytest.approx([1.0] * 4)


def test_the_montage_and_what_is_found(outcome):
    experiment = experiments.get("jiang2020")
    figure = experiment.figures(outcome)["montage"]
    assert len(figure.cells) == 1 + 2 + 4  # content image, style images, results
    private = replace(outcome, setup=replace(outcome.setup, private=True))
    without = experiment.figures(private)["montage"]
    assert len(without.cells) == len(figure.cells) - 3
    (finding,) = experiment.findings(outcome)
    assert finding.evidence == (
        "jiang2020 against gatys, mean over 2 styles: strokes 2.00 against 2.00; style reached 0.25 against 0.25; "
        "SSIM 0.50 against 0.50."
    )


def test_constants_are_chosen_where_no_source_has_them(outcome):
    constants = experiments.get("jiang2020").constants(outcome.setup)
    assert {constant.name for constant in constants} >= {"style layers", "style scale", "size, steps, images"}
    assert {constant.kind for constant in constants if constant.name in ("style scale", "steps")} == {"chosen"}
