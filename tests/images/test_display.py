"""Pictures side by side."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from tfstyle import images


def test_pictures_stand_in_rows_with_titles():
    pictures = [np.full((4, 6, 3), value / 5, "float32") for value in range(5)]
    figure = images.show(pictures, ["a", "b"], columns=3, width=2, row_titles=["first", "second"])
    axes = figure.axes
    assert [axis.get_title() for axis in axes] == ["a", "b", "", "", "", ""]
    assert [axis.get_ylabel() for axis in axes] == ["first", "", "", "second", "", ""]
    for axis, picture in zip(axes, pictures, strict=False):
        (image,) = axis.get_images()
        np.testing.assert_array_equal(image.get_array(), picture)
    assert not axes[5].get_images()
    assert figure.get_figwidth() == 6


def test_grey_pictures_keep_their_brightness():
    (axis,) = images.show([np.full((4, 4), 0.25)]).axes
    (image,) = axis.get_images()
    assert image.to_rgba(0.25)[:3] == pytest.approx((0.25, 0.25, 0.25), abs=1 / 255)


def test_values_outside_the_range_are_clipped(tmp_path):
    figure = images.show([np.linspace(-1, 2, 48).reshape(4, 4, 3)])
    figure.savefig(tmp_path / "figure.png")
    (image,) = figure.axes[0].get_images()
    assert (image.get_array().min(), image.get_array().max()) == (0, 1)


def test_pyplot_knows_nothing_of_it():
    before = plt.get_fignums()
    images.show([np.zeros((2, 2, 3))])
    assert plt.get_fignums() == before


def test_notebooks_show_one_jpeg(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    images.show([np.zeros((2, 2, 3))])._ipython_display_()
    (image,) = shown
    assert image.data.startswith(b"\xff\xd8")
