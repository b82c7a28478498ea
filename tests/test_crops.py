"""What is held out, and crops that are the same whenever they are asked for."""

import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.crops import Crops, split


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eleven pictures of one colour each, of 20x30 to 30x40 pixels, and a file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(11):
        images.save(np.full((20 + i, 30 + i, 3), i / 11, "float32"), folder / f"{i:02}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_the_last_tenth_rounded_up_is_held_out(folder):
    train, held_out = split(folder)
    assert [path.name for path in train] == [f"{i:02}.png" for i in range(9)]
    assert [path.name for path in held_out] == ["09.png", "10.png"]


def test_a_folder_without_pictures_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"no file in it ends in \.jpg, \.jpeg, \.png, \.webp$"):
        split(tmp_path)
    with pytest.raises(InputError, match="can't be listed: No such file or directory"):
        split(tmp_path / "none")


def test_crops_are_those_of_the_step_whatever_was_asked_before(folder):
    paths = split(folder)[0]
    one, other = Crops(paths, 16, 3, seed=1), Crops(paths, 16, 3, seed=1)
    later = [one(step) for step in range(5)][4]
    np.testing.assert_array_equal(other(4), later)
    assert later.shape == (3, 16, 16, 3)
    assert later.dtype == np.float32
    assert not np.array_equal(Crops(paths, 16, 3, seed=2)(4), later)


def test_an_epoch_has_each_picture_once_and_each_epoch_another_order(folder):
    crops = Crops(split(folder)[0], 16, 3)
    epochs = [np.round(np.concatenate([crops(3 * e + i)[:, 0, 0, 0] for i in range(3)]) * 11) for e in range(2)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(9))] * 2
    assert list(epochs[0]) != list(epochs[1])


def test_crops_are_parts_of_the_picture_some_mirrored_and_some_reduced(tmp_path):
    columns = np.broadcast_to(np.linspace(0, 1, 64, dtype="float32")[:, None], (48, 64, 3))
    images.save(columns, tmp_path / "ramp.png")
    crops = Crops([tmp_path / "ramp.png"], 16, 64)(0)
    slopes = (crops[:, 8, 12, 0] - crops[:, 8, 4, 0]) * 63 / 8  # 1 for a crop at its own size, 3 for the whole height
    assert (slopes < 0).any()
    assert (slopes > 0).any()
    assert 0.9 < np.abs(slopes).min() < 1.3
    assert 2.5 < np.abs(slopes).max() < 3.1


def test_a_picture_smaller_than_a_crop_is_enlarged(folder):
    assert Crops(split(folder)[0], 32, 2)(0).shape == (2, 32, 32, 3)
