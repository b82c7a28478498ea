"""What is held out, and crops that are the same whenever they are asked for."""

import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.training.crops import Crops, split, split_folders


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
    with pytest.raises(InputError, match=r"^there is no picture in the folder "):
        split(tmp_path)
    with pytest.raises(InputError, match=r"^could not read the folder .*: No such file or directory$"):
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


def test_pictures_are_brought_to_a_shorter_side_and_crops_taken_at_that_scale(tmp_path):
    rows = np.broadcast_to(np.linspace(0, 1, 96, dtype="float32")[:, None, None], (96, 48, 3))
    images.save(rows, tmp_path / "ramp.png")
    crops = Crops([tmp_path / "ramp.png"], 16, 32, resize=24, flip=False)(0)
    assert crops.shape == (32, 16, 16, 3)
    slopes = (crops[:, 12, 8, 0] - crops[:, 4, 8, 0]) / 8 * 47  # 1 for the whole height at half its size
    np.testing.assert_allclose(slopes, 1, atol=0.1)
    assert np.ptp(crops[:, 0, 8, 0]) > 0.3  # from many places


def test_without_flip_nothing_is_mirrored(tmp_path):
    columns = np.broadcast_to(np.linspace(0, 1, 64, dtype="float32")[:, None], (48, 64, 3))
    images.save(columns, tmp_path / "ramp.png")
    crops = Crops([tmp_path / "ramp.png"], 16, 64, resize=48, flip=False)(0)
    assert (np.diff(crops[..., 0], axis=2) >= 0).all()


def test_pictures_are_the_same_whether_memory_has_room_for_them(folder):
    paths = split(folder)[0]
    kept, read_again = Crops(paths, 16, 4, resize=20), Crops(paths, 16, 4, resize=20, memory=0)
    for step in (0, 3, 0):
        np.testing.assert_array_equal(kept(step), read_again(step))


def test_another_part_is_held_out(folder):
    assert [len(half) for half in split(folder, 0)] == [11, 0]
    assert [len(half) for half in split(folder, 0.5)] == [5, 6]
    with pytest.raises(InputError, match=r"held out 1\.5 .*from 0 to less than 1"):
        split(folder, 1.5)


def test_each_of_several_folders_is_divided(folder, tmp_path):
    train, held_out = split_folders([folder, folder], 0.5)
    assert [path.name for path in train] == [f"{i:02}.png" for i in range(5)] * 2
    assert len(held_out) == 12
    assert split_folders([]) == ([], [])
    images.save(np.zeros((8, 8, 3), "float32"), tmp_path / "a.png")
    with pytest.raises(InputError, match="are held out: give more images, or held out 0"):
        split_folders([tmp_path])
