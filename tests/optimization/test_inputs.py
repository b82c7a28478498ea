"""Pictures brought to the size that they are worked on, and what is said of those that can't be."""

import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tfstyle import InputError, images
from tfstyle.images.picture import Picture
from tfstyle.optimization.inputs import prepare


def picture(height, width, name="picture.png"):
    rgb = np.random.default_rng(height * width).random((height, width, 3), "float32")
    return Picture(rgb, None, name)


PHOTO, STYLE = picture(40, 60, "photo.png"), picture(90, 70, "style.png")


@pytest.mark.parametrize(
    ("options", "photo", "style"),
    [
        ({}, (40, 60), (90, 70)),
        ({"style_scale": 0.5}, (40, 60), (45, 35)),
        ({"style_scale": 2}, (40, 60), (180, 140)),
        ({"size": 120}, (80, 120), (120, 93)),
        ({"size": 120, "style_scale": 0.5}, (80, 120), (60, 47)),
        ({"size": 120, "style_scale": 1.5}, (80, 120), (180, 140)),
    ],
)
def test_styles_are_brought_to_the_size_and_the_scale(options, photo, style):
    found = prepare(PHOTO, [STYLE, PHOTO], 16, **options)
    assert found.content.rgb.shape[:2] == photo
    assert found.styles[0].rgb.shape[:2] == style
    assert found.initial is found.content.rgb
    assert found.regions is None
    np.testing.assert_array_equal(found.styles[0].rgb, STYLE.resized(style).rgb)
    assert max(found.styles[1].rgb.shape[:2]) == max(style) if "size" in options else True


@pytest.mark.parametrize(
    ("content", "style", "options", "text"),
    [
        (
            PHOTO, STYLE, {"size": 40},
            "photo.png is 40x27 pixels at size 40, and the backbone needs at least 32 a side: use size 48 or more",
        ),
        (
            PHOTO, STYLE, {"style_scale": 0.25},
            "style.png is 17x22 pixels at style scale 0.25, and the backbone needs at least 32 a side: "
            "use size 165 or more",
        ),
        (
            PHOTO, STYLE, {"size": 64, "style_scale": 0.5},
            "style.png is 25x32 pixels at size 64 and style scale 0.5, and the backbone needs at least 32 a side: "
            "use size 83 or more",
        ),
        (
            PHOTO, STYLE, {"size": 64, "style_scale": 0.005},
            "style.png is 1x1 pixels at size 64 and style scale 0.005, and the backbone needs at least 32 a side: "
            "use a larger style scale",
        ),
        (
            PHOTO, picture(8, 4000, "line.png"), {"size": 100, "style_scale": 2},
            "line.png is 200x1 pixels at size 100 and style scale 2, and the backbone needs at least 32 a side: "
            "crop it to a less narrow shape",
        ),
        (PHOTO, picture(7, 90, "line.png"), {"size": 64},
         "line.png is 90x7 pixels: give a picture of at least 8 pixels a side"),
    ],
)  # fmt: skip
def test_what_is_too_small_and_what_helps(content, style, options, text):
    with pytest.raises(InputError) as error:
        prepare(content, [style], 32, **options)
    assert str(error.value) == text


@given(st.integers(8, 60), st.integers(8, 60), st.integers(32, 90), st.sampled_from([0.3, 0.5, 1.0, 1.7]))
def test_the_size_that_is_said_to_help_helps(height, width, size, scale):
    content, style = picture(50, 50), picture(height, width)
    try:
        found = prepare(content, [style], 32, size=size, style_scale=scale)
    except InputError as error:
        needed = int(re.search(r"use size (\d+) or more", str(error))[1])
        assert needed > size
        found = prepare(content, [style], 32, size=needed, style_scale=scale)
    assert min(found.styles[0].rgb.shape[:2]) >= 32


def test_the_start_is_the_photo_noise_or_a_picture():
    one, again, other = (prepare(PHOTO, [STYLE], 32, init="noise", seed=seed).initial for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.5
    assert one.shape == (40, 60, 3)
    assert one.dtype == np.float32
    own = picture(10, 12)
    np.testing.assert_array_equal(prepare(PHOTO, [STYLE], 32, init=own).initial, own.resized((40, 60)).rgb)
    with pytest.raises(InputError, match="is 12x7 pixels: give a picture of at least 8 pixels a side"):
        prepare(PHOTO, [STYLE], 32, init=picture(7, 12))


def half(height, width):
    mask = np.zeros((height, width), "float32")
    mask[:, : width // 2] = 1
    return mask


def test_masks_are_brought_to_their_pictures_sizes():
    options = {"size": 120, "style_scale": 0.5, "content_masks": [half(40, 60)], "style_masks": [half(90, 70), None]}
    found = prepare(PHOTO, [STYLE, PHOTO], 32, style_weights=[0.3, 0.7], **options).regions
    assert found.content.shape == (1, 80, 120)
    assert found.styles[0].shape == (1, 60, 47)
    assert found.styles[1] is None
    assert found.content[0, :, :55].min() > 0.99
    assert found.content[0, :, 65:].max() < 0.01
    np.testing.assert_array_equal(found.style_weights, [[0.3, 0.7]])
    np.testing.assert_array_equal(prepare(PHOTO, [STYLE, PHOTO], 32, **options).regions.style_weights, [[0.5, 0.5]])


@given(st.integers(32, 90), st.integers(10, 90), st.integers(10, 90))
def test_white_masks_are_none(size, height, width):
    """At whatever sizes: resizing leaves white white."""
    content, style = picture(50, 50), picture(60, 45)
    white = [np.ones((n, n), "float32") for n in (height, width)]
    style_mask = np.ones((round(width * 4 / 3), width), "float32")
    options = {"size": 60 + size}
    for masks in ({"content_masks": white[:1]}, {"style_masks": [style_mask]},
                  {"content_masks": white[1:], "style_masks": [style_mask]}):  # fmt: skip
        try:
            assert prepare(content, [style], 32, **options, **masks).regions is None
        except InputError as error:
            assert "another shape" in str(error)  # noqa: PT017  (a mask of few pixels)
    nearly = white[0].copy()
    nearly[0, 0] = 254 / 255
    assert prepare(content, [style], 32, content_masks=[nearly]).regions is not None
    assert prepare(content, [style, style], 32, content_masks=[white[0]] * 2).regions is not None  # one style each


def test_an_unreadable_picture_is_named():
    with pytest.raises(InputError, match=r"nosuch\.png does not exist"):
        prepare(images.load(PHOTO.rgb), ["nosuch.png"], 32)
