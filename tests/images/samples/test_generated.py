"""Generated paintings: shapes, ranges and seeds, and that each shows what its description says."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage

from tfstyle import samples
from tfstyle.core.errors import InputError
from tfstyle.images.samples import impasto


@lru_cache
def _painting(name: str, size: int | tuple[int, int], seed: int = 0) -> np.ndarray:
    picture = samples.style(name, size, seed)
    picture.setflags(write=False)
    return picture


def _python(code: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    return done.stdout.strip()


def _saturation(picture: np.ndarray) -> np.ndarray:
    return picture.max(axis=-1) - picture.min(axis=-1)


@pytest.mark.parametrize("name", samples.STYLES)
@pytest.mark.parametrize("size", [97, (67, 131)])
def test_a_style_has_the_size_asked_for(name: str, size: int | tuple[int, int]) -> None:
    picture = _painting(name, size)
    assert picture.shape == ((size, size, 3) if isinstance(size, int) else (*size, 3))
    assert picture.dtype == np.float32
    assert picture.flags.c_contiguous
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert np.ptp(picture) > 0.5


def test_styles_are_of_512_pixels_unless_told() -> None:
    assert samples.style("ink").shape == (512, 512, 3)


def test_a_seed_gives_the_same_bytes_in_another_process() -> None:
    code = """
import hashlib
from tfstyle import samples
for name in samples.STYLES:
    print(hashlib.sha256(samples.style(name, (70, 91), 3).tobytes()).hexdigest())
"""
    here = [hashlib.sha256(_painting(name, (70, 91), 3).tobytes()).hexdigest() for name in samples.STYLES]
    assert _python(code).split() == here


@pytest.mark.parametrize("name", samples.STYLES)
def test_another_seed_paints_another_picture(name: str) -> None:
    assert np.abs(_painting(name, 97, 0) - _painting(name, 97, 1)).mean() > 0.02


@pytest.mark.parametrize("name", samples.STYLES)
def test_the_global_random_state_is_neither_used_nor_changed(name: str) -> None:
    np.random.seed(1)
    first = samples.style(name, 64)
    after = np.random.random()
    np.random.seed(1)
    assert after == np.random.random()
    np.testing.assert_array_equal(first, _painting(name, 64))


@pytest.mark.parametrize(("name", "alike"), [("impasto", 0.975), ("ink", 0.983), ("mosaic", 0.94)])
def test_strokes_scale_with_the_size(name: str, alike: float) -> None:
    """A painting at twice the size is the same picture, stroke by stroke: reduced, it is the small one."""
    small = _painting(name, 128)
    reduced = _painting(name, 256).reshape(128, 2, 128, 2, 3).mean(axis=(1, 3))
    assert np.corrcoef(small.ravel(), reduced.ravel())[0, 1] > alike


def test_ink_is_grey_on_warm_paper_with_one_red_seal() -> None:
    picture = _painting("ink", 256)
    red = (picture[..., 0] - picture[..., 1] > 0.25) & (picture[..., 0] > 0.4)
    labels, count = ndimage.label(ndimage.binary_closing(red, iterations=3))
    assert count == 1
    rows, columns = ndimage.find_objects(labels)[0]
    assert abs((rows.stop - rows.start) - (columns.stop - columns.start)) <= 2  # square
    assert 0.05 < (rows.stop - rows.start) / 256 < 0.08
    outside = picture[~ndimage.binary_dilation(red, iterations=4)]
    assert _saturation(outside).max() < 0.2
    assert 0.6 < outside.mean() < 0.85  # paper for the most part
    assert np.percentile(outside, 1) < 0.15  # and ink that is black
    assert (outside[:, 0] - outside[:, 2]).mean() > 0.05  # warm


def test_ink_paper_has_texture_where_nothing_is_painted() -> None:
    sky = _painting("ink", 256)[4:16]
    warmth = sky[..., 2] / sky[..., 0]  # which the thin ink of clouds hardly changes
    assert 0.002 < (warmth - ndimage.gaussian_filter(warmth, 2)).std() < 0.02


def test_ink_mountains_are_dark_above_and_dissolve_into_mist() -> None:
    grey = _painting("ink", 256).mean(axis=-1)
    peaks, mist = grey[int(0.3 * 256) : int(0.5 * 256)], grey[int(0.64 * 256) : int(0.69 * 256)]
    assert mist.mean() > peaks.mean() + 0.12


def test_impasto_strokes_run_along_a_flow() -> None:
    """Neighbouring gradients agree on a direction (structure tensor), as they never do in noise."""

    def coherence(grey: np.ndarray) -> float:
        y, x = ndimage.sobel(grey, 0), ndimage.sobel(grey, 1)
        xx, yy, xy = (ndimage.gaussian_filter(product, 3) for product in (x * x, y * y, x * y))
        return float(np.mean(np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-9)))

    grey = _painting("impasto", 256).mean(axis=-1)
    shuffled = np.random.default_rng(0).permutation(grey.ravel()).reshape(grey.shape)
    assert coherence(grey) > 0.45
    assert coherence(grey) > 2 * coherence(shuffled)


def test_impasto_is_rich_everywhere() -> None:
    grey = _painting("impasto", 256).mean(axis=-1)
    contrast = [patch.std() for band in np.split(grey, 8) for patch in np.split(band, 8, axis=1)]
    assert min(contrast) > 0.03
    assert np.median(contrast) > 0.07


def test_impasto_has_a_blue_night_and_yellow_lamps() -> None:
    red, _, blue = np.moveaxis(_painting("impasto", 256), -1, 0)
    assert (blue - red > 0.15).mean() > 0.4
    assert 0.02 < (red[:150] - blue[:150] > 0.3).mean() < 0.35


def test_impasto_strokes_stand_out_lit_from_the_left_above() -> None:
    """One stroke, all of one colour, of a brush without bristles: what is seen of it is its two flanks."""
    rng = np.random.default_rng(0)
    surface = impasto._Surface((128, 128), rng)
    surface._bristles[:] = 0
    down = np.stack([np.full(9, 0.5), np.linspace(-0.2, 1.2, 9)], axis=-1)
    grey = np.full((1, 3), 0.5, np.float32)
    surface.add(down[None], np.array([0.1]), grey, grey, rng)
    shade = surface.lit()[40:70].mean(axis=(0, 2))
    assert shade.max() > shade[0] + 0.02
    assert shade.min() < shade[0] - 0.02
    assert shade.argmax() < 64 < shade.argmin()


def test_mosaic_tiles_are_even_and_set_in_dark_grout() -> None:
    picture = _painting("mosaic", 384)
    grey = picture.mean(axis=-1)
    dull = (_saturation(picture) < 0.12) & (grey < 0.33)
    assert 0.08 < dull.mean() < 0.4
    # Grout runs between the tiles, so that it cuts the rest into thousands of pieces.
    labels, count = ndimage.label(ndimage.binary_erosion(~dull))
    assert count > 800
    index = np.arange(1, count + 1)
    sizes = ndimage.sum_labels(np.ones_like(grey), labels, index)
    spread = ndimage.standard_deviation(grey, labels, index)[sizes > 8]
    tones = ndimage.mean(grey, labels, index)[sizes > 8]
    assert np.median(spread) < 0.06
    assert tones.std() > 2 * np.median(spread)
    assert tones.mean() > grey[dull].mean() + 0.15


def test_mosaic_has_a_warm_fish_in_blue_water_and_a_gold_frame() -> None:
    picture = ndimage.gaussian_filter(_painting("mosaic", 256), (4, 4, 0))
    warm = picture[..., 0] - picture[..., 2]
    assert warm[120:136, 104:152].mean() > 0.05
    for sea in (warm[30:60, 30:226], warm[70:180, 10:25]):
        assert sea.mean() < -0.15
    for frame in (warm[:4], warm[-4:], warm[:, :4], warm[:, -4:]):
        assert frame.mean() > 0.2


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="'pixel': use one of impasto, ink, mosaic"):
        samples.style("pixel")


@pytest.mark.parametrize(
    ("size", "shown"), [(63, "63 × 63"), (0, "0 × 0"), (-512, "-512 × -512"), ((512, 63), "512 × 63")]
)
def test_small_sizes_are_refused(size: int | tuple[int, int], shown: str) -> None:
    with pytest.raises(InputError, match=f"{shown} pixels is too small: both sides must be 64 or more"):
        samples.style("ink", size)


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(InputError, match="seed -1 is negative: use 0 or more"):
        samples.style("ink", 64, -1)
