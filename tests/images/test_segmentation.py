"""Palettes and labels of segmentations."""

import numpy as np
import pytest

from tfstyle import InputError
from tfstyle.images import load
from tfstyle.images.segmentation import is_segmentation, one_hot, palette


def test_a_palette_is_by_frequency_and_joins_colours_that_are_near():
    levels = np.zeros((10, 10, 3), np.uint8)
    levels[:6] = [200, 0, 0]
    levels[6:] = [0, 0, 200]
    levels[0, :3] = [205, 3, 0]  # as in a lossy file
    levels[9, 9] = [0, 200, 0]  # 1 %
    colours, labels = palette(load(levels))
    assert colours.tolist() == [[200, 0, 0], [0, 0, 200], [0, 200, 0]]
    assert (labels[:6] == 0).all()
    assert (labels[6:].ravel()[:-1] == 1).all()
    assert labels[9, 9] == 2


def test_transparent_pixels_have_no_label():
    levels = np.full((4, 4, 4), 255, np.uint8)
    levels[0, :, 3] = 0
    colours, labels = palette(load(levels))
    assert colours.tolist() == [[255, 255, 255]]
    assert (labels[0] == -1).all()
    assert (labels[1:] == 0).all()


def test_a_photograph_has_no_palette():
    photo = load(np.random.default_rng(0).random((64, 64, 3)), name="photo.jpg")
    with pytest.raises(InputError, match=r"photo\.jpg is not a mask: give one that is grey"):
        palette(photo)


def test_colours_make_a_segmentation():
    assert not is_segmentation(load(np.random.default_rng(0).random((4, 4))))
    assert is_segmentation(load(np.uint8([[[0, 0, 0], [9, 0, 0]]])))


def test_masks_sum_to_one_but_for_pixels_without_a_label():
    masks = one_hot(np.array([[0, 0, 1, 1], [0, 0, 1, 1]]), 2, (4, 8))
    assert masks.shape == (2, 4, 8)
    assert masks.dtype == np.float32
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-6)
    masks = one_hot(np.array([[0, 1], [-1, -1]]), 2, (2, 2))
    np.testing.assert_array_equal(masks, [[[1, 0], [0, 0]], [[0, 1], [0, 0]]])
