"""Measurements of translations: those of the photographs themselves, and squares of images."""

import numpy as np
import pytest

from tfstyle import Backbone, images, samples
from tfstyle.evaluation import metrics
from tfstyle.experiments.unpaired.measures import evenly_spaced, load_squares, measure

pytestmark = pytest.mark.usefixtures("eager")


def test_photographs_themselves_keep_everything_and_are_far_from_the_domain():
    backbone = Backbone("VGG19Mini", "embedded")
    photos = [samples.domain("photo", number, 64) for number in range(4)]
    domain = [samples.domain("ink", number, 64) for number in range(4)]
    same = measure(photos, photos, domain, backbone, 64)
    assert same["ssim"] == pytest.approx(1)
    assert same["edge_agreement"] == pytest.approx(1)
    assert same["luminance"] == pytest.approx(1)
    assert same["copy_ratio"] == 0
    others = np.mean([metrics.ssim(photos[i - 1], photos[i]) for i in range(4)])
    assert same["content_gap"] == pytest.approx(1 - others)
    painted = measure(photos, domain, domain, backbone, 64)
    assert painted["kid"] < same["kid"]
    assert painted["color_to_domain"] < same["color_to_domain"]
    assert painted["content_gap"] < 0.3


def test_squares_are_the_middle_and_files_that_cannot_be_read_are_left_out(tmp_path):
    rgb = np.zeros((40, 60, 3), "float32")
    rgb[:, 10:50] = 1
    images.save(rgb, tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    (square,) = load_squares([tmp_path / "a.png", tmp_path / "b.png"], 20)
    np.testing.assert_allclose(square, np.ones((20, 20, 3)), atol=1e-6)


def test_evenly_spaced_items_begin_with_the_first():
    assert evenly_spaced(range(10), 3) == [0, 3, 6]
    assert evenly_spaced(range(2), 3) == [0, 1]
