"""Scores that can be compared between networks."""

import pytest

from tfstyle import images
from tfstyle.experiments.backbones import Networks
from tfstyle.experiments.evaluator import Evaluator

pytestmark = pytest.mark.usefixtures("eager")


def test_the_content_image_reaches_nothing_and_the_style_image_all(photo, painting):
    content = images.load(photo)
    style = images.load(painting, photo.shape[:2])
    evaluator = Evaluator(Networks(0, "random"))
    own, half, whole = (
        evaluator.scores(content, style, images.load(content.rgb + share * (style.rgb - content.rgb)), ["VGG16"])
        for share in (0, 0.7, 1)
    )
    assert own["style_reached"] == pytest.approx(0, abs=1e-6)
    assert whole["style_reached"] == pytest.approx(1, abs=1e-3)
    assert 0 < half["style_reached"] < 1
    assert own["color_shift"] == 0
    assert whole["color_shift"] > half["color_shift"] > 1
    assert whole["judges"] == ["VGG16"]
    assert whole["by_judge"]["VGG16"]["ssim"] == whole["ssim"] < 1


def test_networks_are_averaged(photo, painting, monkeypatch):
    values = iter([{"ssim": 1.0, "style_reached": 0.2}, {"ssim": 0.5, "style_reached": 0.4}])
    monkeypatch.setattr(Evaluator, "_scores", lambda self, *given: next(values))
    row = Evaluator(Networks()).scores(*(images.load(each) for each in (photo, painting, photo)), ["a", "b"])
    assert (row["ssim"], row["style_reached"]) == (0.75, pytest.approx(0.3))
    assert row["by_judge"]["b"] == {"ssim": 0.5, "style_reached": 0.4}
