"""Blank areas: where a picture stays paper, and that regions exclude it."""

import numpy as np
import pytest

from tfstyle import InputError
from tfstyle.images import blank_areas
from tfstyle.images.masks import exclude_blank, regions
from tfstyle.images.picture import Picture


def scene(height=60, width=80):
    """A bright sky over dark ground with detail, and a mast in the sky."""
    rgb = np.full((height, width, 3), [0.6, 0.7, 0.8])
    ground = height * 6 // 10
    rgb[ground:] = np.random.default_rng(0).uniform(0.1, 0.5, (height - ground, width, 1))
    rgb[height // 6 :, width // 2 : width // 2 + width // 8] = 0.15
    return rgb.astype("float32")


def picture(rgb):
    return Picture(rgb, None, "the scene")


@pytest.mark.parametrize("factor", [1, 3])
def test_what_is_bright_and_flat_is_blank_up_to_its_edges(factor):
    mask = blank_areas.detect(picture(scene(60 * factor, 80 * factor)), 0.5)[::factor, ::factor]
    assert mask.dtype == np.float32
    assert (mask[:30, :34] == 1).all()  # the sky, to the last bit
    assert (mask[40:] < 0.05).all()  # the ground
    assert (mask[14:30, 42:48] < 0.05).all()  # the mast
    assert mask[20, 36] > 0.9 > 0.1 > mask[20, 44]
    assert ((mask >= 0) & (mask <= 1)).all()


def test_detail_is_not_blank_however_bright():
    rgb = scene()
    rgb[:30] = np.random.default_rng(1).uniform(0.5, 1, (30, 80, 1))
    assert blank_areas.detect(picture(rgb), 0.5)[:30].mean() < 0.2


def test_brightness_is_relative_to_the_photograph():
    first, second = (blank_areas.detect(picture(scene() * np.float32(gain)), 0.5) for gain in (1, 0.4))
    np.testing.assert_allclose(first, second, atol=0.02)
    flat = blank_areas.detect(picture(np.full((40, 40, 3), 0.5, "float32")), 0.5)
    assert np.isfinite(flat).all()


def test_a_higher_threshold_leaves_less():
    ramp = np.tile(np.linspace(0, 1, 200, dtype="float32")[None, :, None], (60, 1, 3))
    areas = [blank_areas.detect(picture(ramp), brightness).mean() for brightness in (0.3, 0.5, 0.7)]
    np.testing.assert_allclose(areas, [0.7, 0.5, 0.3], atol=0.03)


def test_blank_areas_become_white_and_their_lines_stay():
    rgb = scene()
    rgb[:30, 10] = 0.3  # thin, as a cable
    mask = blank_areas.detect(picture(rgb), 0.5)
    white = blank_areas.whiten(picture(rgb), mask).rgb
    assert (white[:25, 16:34] == 1).all()
    assert white[10, 10].max() < 0.8
    np.testing.assert_allclose(white[45:], rgb[45:], atol=1e-6)
    np.testing.assert_array_equal(blank_areas.whiten(picture(rgb), np.zeros_like(mask)).rgb, rgb)


def test_regions_lose_what_is_blank():
    random = np.random.default_rng(0)
    where = regions([random.random((6, 8), "float32")], [random.random((5, 7), "float32")], [1.0], (6, 8), [(5, 7)])
    masks = [random.random(shape).astype("float32") for shape in ((6, 8), (5, 7))]
    found = exclude_blank(where, masks, [(5, 7)])
    np.testing.assert_allclose(found.content, where.content * (1 - masks[0]), atol=1e-6)
    np.testing.assert_allclose(found.styles[0], where.styles[0] * (1 - masks[1]), atol=1e-6)
    np.testing.assert_array_equal(found.style_weights, where.style_weights)


@pytest.mark.parametrize(
    ("masks", "what"), [((np.ones, np.zeros), "the content image"), ((np.zeros, np.ones), "style image 1")]
)
def test_what_is_all_blank_is_refused(masks, what):
    where = regions([], [], [1.0], (6, 8), [(5, 7)])
    given = [make(shape, "float32") for make, shape in zip(masks, ((6, 8), (5, 7)), strict=True)]
    with pytest.raises(InputError, match=f"a region of {what} .*: raise the brightness of blank areas"):
        exclude_blank(where, given, [(5, 7)])
