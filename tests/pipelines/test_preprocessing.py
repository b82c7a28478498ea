"""Blank areas and kept colours: what is done to pictures before an optimisation, and undone after it."""

from dataclasses import replace

import numpy as np
import pytest

from tfstyle import images
from tfstyle.images import color_transfer
from tfstyle.pipelines import methods
from tfstyle.pipelines.inputs import load_inputs
from tfstyle.pipelines.preprocessing import Preprocessing
from tfstyle.pipelines.settings import StyleSettings

PLAIN = methods.get("gatys")


def preprocessing(size=None, **options):
    return Preprocessing(replace(PLAIN, **options), size)


@pytest.fixture
def content(photo):
    """A photograph with a bright, flat sky."""
    sky = np.arange(photo.shape[0])[:, None, None] < 16
    return images.load(np.where(sky, np.float32(0.97), 0.6 * photo))


@pytest.fixture
def inputs(painting):
    return load_inputs(StyleSettings(styles=[painting, 0.5 * painting]))


def test_without_options_pictures_are_seen_as_they_are(content, inputs):
    plain = preprocessing()
    pictures = plain.before([content], inputs)
    assert (pictures.contents, pictures.originals, pictures.styles) == ([content], [content], inputs.styles)
    assert pictures.blank_masks == []
    painted = 1 - content.rgb
    assert plain.after(painted, content, inputs) is painted


def test_blank_areas_are_white_and_have_masks(content, inputs):
    pictures = preprocessing(blank_areas=0.5).before([content], inputs)
    assert len(pictures.blank_masks) == 3  # the content image's, and each style's
    sky = pictures.blank_masks[0].rgb[..., 0]
    assert sky[:10].min() > 0.9
    assert sky[-10:].max() < 0.1
    assert pictures.contents[0].rgb[:10].min() > 0.99
    np.testing.assert_allclose(pictures.contents[0].rgb[-10:], content.rgb[-10:], atol=1e-5)


def test_blank_areas_are_found_at_the_size_of_the_result(content, inputs):
    pictures = preprocessing(28, blank_areas=0.5).before([content], inputs)
    assert pictures.contents[0].rgb.shape == (18, 28, 3)
    assert pictures.blank_masks[0].rgb.shape[:2] == (18, 28)


@pytest.mark.parametrize("kind", color_transfer.KINDS)
def test_colours_return_after_the_optimisation_or_styles_take_them_before(kind, content, inputs):
    keeps = preprocessing(preserve_color=kind)
    pictures = keeps.before([content, content], inputs)
    grey = kind in color_transfer.GREY
    for picture in (*pictures.contents, *(pictures.styles if grey else [])):
        assert (np.ptp(picture.rgb, axis=-1).max() == 0) == grey
    assert len(pictures.contents) == 2
    assert pictures.styles[0] is not inputs.styles[0]
    painted = pictures.contents[0].rgb
    restored = keeps.after(painted, content, inputs)
    if kind == "luminance":
        np.testing.assert_allclose(restored, content.rgb, atol=1e-4)
    elif kind == "ink":
        assert np.ptp(restored, axis=-1).max() > 0.05
    else:
        np.testing.assert_array_equal(restored, painted)


def test_less_saturation_brings_back_less_colour(content, inputs):
    def restored(saturation):
        keeps = preprocessing(preserve_color="luminance", saturation=saturation)
        return keeps.after(keeps.before([content], inputs).contents[0].rgb, content, inputs)

    half, none = (np.abs(restored(1.0) - restored(saturation)).mean() for saturation in (0.5, 0.0))
    assert 0.01 < half < none


def test_blank_areas_are_white_whatever_colours_are_kept(content, inputs):
    pictures = preprocessing(preserve_color="ink", blank_areas=0.5).before([content], inputs)
    assert pictures.contents[0].rgb[:10].min() > 0.99


@pytest.mark.parametrize(
    ("options", "contents", "styles"),
    [
        ({}, True, True),
        ({"blank_areas": 0.5}, False, False),
        ({"preserve_color": "luminance"}, False, True),
        ({"preserve_color": "histogram"}, False, True),
        ({"preserve_color": "ink"}, False, False),
    ],
    ids=str,
)
def test_pictures_share_a_step_where_none_is_changed_for_another(options, contents, styles):
    process = preprocessing(**options)
    assert (process.contents_independent, process.styles_independent) == (contents, styles)
