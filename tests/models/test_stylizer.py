"""A model and its styles: what is encoded, and how often."""

import numpy as np
import pytest

from tfstyle import Backbone, images
from tfstyle.models import AdaIN, StyleCode
from tfstyle.models.stylizer import Stylizer


@pytest.fixture(scope="module")
def model():
    return AdaIN(Backbone("VGG19Mini", padding="reflection"), "block2_conv1", seed=0)


@pytest.fixture(scope="module")
def pictures(photo, painting):
    return images.load(photo), images.load(painting), images.load(1 - painting[::-1])


@pytest.fixture
def encoded(monkeypatch):
    """The masks of all styles that are encoded."""
    masks = []
    original = AdaIN.encode_style

    def encode_style(self, style, style_mask=None):
        masks.append(style_mask)
        return original(self, style, style_mask)

    monkeypatch.setattr(AdaIN, "encode_style", encode_style)
    return masks


def halves(shape):
    left = np.zeros(shape, np.float32)
    left[:, : shape[1] // 2] = 1
    return left, 1 - left


def test_a_mix_is_that_of_the_model(model, pictures):
    photo, *paintings = pictures
    found = Stylizer(model, paintings, [0.25, 0.75], alpha=0.5).paint(photo)
    np.testing.assert_allclose(found, model.stylize(photo, paintings, style_weights=[1, 3], alpha=0.5), atol=1e-6)
    assert found.dtype == np.float32


def test_styles_without_weight_are_not_encoded(model, pictures, encoded):
    photo, *paintings = pictures
    found = Stylizer(model, paintings, [1.0, 0.0]).paint(photo)
    assert len(encoded) == 1
    np.testing.assert_array_equal(found, model.stylize(photo, paintings[0]))


def test_each_style_and_mask_is_encoded_once(model, pictures, encoded):
    photo, *paintings = pictures
    left, right = halves(photo.rgb.shape[:2])
    seen, _ = halves(paintings[0].rgb.shape[:2])
    stylizer = Stylizer(model, paintings, [0.5, 0.5], content_masks=[left, right], style_masks=[seen, None])
    first = stylizer.paint(photo)
    assert [mask is None for mask in encoded] == [False, True]
    np.testing.assert_array_equal(stylizer.paint(photo), first)
    assert len(encoded) == 2


def test_a_mask_that_is_all_white_changes_nothing(model, pictures, encoded):
    photo, painting, _ = pictures
    whole = [np.ones(picture.rgb.shape[:2], np.float32) for picture in (photo, painting)]
    masked = Stylizer(model, [painting], [1.0], content_masks=whole[:1], style_masks=whole[1:])
    np.testing.assert_array_equal(masked.paint(photo), Stylizer(model, [painting], [1.0]).paint(photo))
    assert encoded == [None, None]


def test_the_cover_is_the_sum_of_the_masks(model, pictures):
    photo, *paintings = pictures
    shape = photo.rgb.shape[:2]
    left, right = halves(shape)
    np.testing.assert_array_equal(Stylizer(model, paintings, [0.5, 0.5]).cover(photo), np.ones(shape))
    for masks, want in [([left], left), ([0.5 * left, right], 0.5 * left + right), ([left, left], left)]:
        found = Stylizer(model, paintings, [0.5, 0.5], content_masks=masks).cover(photo)
        np.testing.assert_allclose(found, want, atol=1e-6)


def test_colours_of_one_picture_do_not_stay_for_the_next(model, pictures):
    photo, painting, other = pictures
    stylizer = Stylizer(model, [painting], [1.0], preserve_color="statistics")
    for content in (photo, other, photo):
        want = model.stylize(content, painting, preserve_color="statistics")
        np.testing.assert_allclose(stylizer.paint(content), want, atol=1e-6)


def test_a_code_is_a_styles(model, pictures):
    stylizer = Stylizer(model, [pictures[1]], [1.0])
    stylizer.paint(pictures[0])
    (code,) = stylizer._codes.values()
    assert isinstance(code, StyleCode)
    np.testing.assert_array_equal(code.mean, model.encode_style(pictures[1]).mean)
