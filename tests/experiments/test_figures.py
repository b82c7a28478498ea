"""Figures: grids and plots, without matplotlib's global state, in small files."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfstyle import images
from tfstyle.experiments import figures


def test_a_grid_of_noise_is_small_and_has_its_pictures_in_place():
    noise = images.load(np.random.default_rng(0).random((300, 400, 3), np.float32))
    red = images.load(np.broadcast_to(np.float32([1, 0, 0]), (30, 40, 3)))
    data = figures.png(figures.grid([[noise] * 4, [red, None, noise, noise]] * 2, list("abcd"), ["row"] * 4, "Title"))
    assert len(data) < figures.MOST_BYTES
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)
    is_red = (shown[..., 0] > 240) & (shown[..., 1:].max(axis=-1) < 20)
    assert is_red.sum() == pytest.approx(2 * 210 * 157.5, rel=0.03)
    assert np.median(np.flatnonzero(is_red.any(axis=0))) < shown.shape[1] / 3  # the first column


def test_first_rows_and_columns_without_pictures_are_left_out():
    """As those of pictures that are not to be published."""
    grey = images.load(np.full((30, 40, 3), 0.5, np.float32))
    rows = [[None, None, None], [None, grey, None], [None, grey, grey]]
    figure = figures.grid(rows, ["a", "b", "c"], ["1", "2", "3"], "Title", [["x", "y", "z"]] * 3)
    assert figure.words == ["Title", "b", "c", "2", "3", "y", "y", "z"]
    assert [[cell is not None for cell in row] for row in figure.rows] == [[True, False], [True, True]]


def test_a_large_grid_of_noise_is_small_too():
    random = np.random.default_rng(0)
    noise = [[images.load(random.random((150, 200, 3), np.float32)) for _ in range(8)] for _ in range(5)]
    data = figures.png(figures.grid(noise, [""] * 8, [""] * 5, "Title"))
    assert len(data) < figures.MOST_BYTES
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert shown[-1, 0].tolist() == [255, 255, 255]
    assert shown.min() < 60


def test_curves_and_bars_are_drawn():
    curve = figures.curves({"a": ([1, 2, 3], [0, 1, 0]), "b": ([1, 2], [1, 1])}, "Two\nlines", "x", "y", {"mark": 2})
    bars = figures.bars(["one", "two"], {"a": [1, 2], "b": [float("nan"), 1]}, "Bars", "y")
    for figure in (curve, bars):
        shown = np.asarray(Image.open(io.BytesIO(figures.png(figure))).convert("RGB"))
        assert np.ptp(shown.reshape(-1, 3), axis=0).min() > 100
        assert shown[0, -1].tolist() == [255, 255, 255]


def test_nothing_global_of_matplotlib_is_touched():
    code = (
        "import sys; from tfstyle.experiments import figures; import numpy as np; "
        "figures.png(figures.bars(['a'], {'b': [1]}, 't', 'y')); print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout) == (0, "False\n"), run.stderr
