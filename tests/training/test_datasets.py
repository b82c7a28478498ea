"""Unpaired batches: every epoch another, and the same ones wherever a training goes on."""

import numpy as np
import pytest

from tfstyle import InputError, data, images
from tfstyle.training.crops import Crops


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Seven red and five green pictures of one colour each, and a file that is none among the green ones."""
    folder = tmp_path_factory.mktemp("domains")
    for name, count, channel in (("red", 7, 0), ("green", 5, 1)):
        (folder / name).mkdir()
        for i in range(count):
            rgb = np.zeros((20 + i, 28, 3), "float32")
            rgb[..., channel] = (i + 1) / 10
            images.save(rgb, folder / name / f"{i}.png")
    (folder / "green" / "broken.png").write_bytes(b"no picture")
    return folder / "red", folder / "green"


def colours(dataset):
    """Which red and which green pictures each pair of an epoch has."""
    batches = [(first.numpy(), second.numpy()) for first, second in dataset]
    return [
        tuple(round(10 * float(value)) for value in pair)
        for first, second in batches
        for pair in zip(first[:, 0, 0, 0], second[:, 0, 0, 1], strict=True)
    ]


def test_each_iteration_is_another_epoch_with_all_pictures_and_other_partners(folders):
    dataset = data.unpaired(*folders, crop_size=16, resize=20)
    assert len(dataset) == 7
    epochs = [colours(dataset) for _ in range(3)]
    for epoch in epochs:
        assert sorted(red for red, _ in epoch) == [1, 2, 3, 4, 5, 6, 7]
        assert {green for _, green in epoch} <= {1, 2, 3, 4, 5}
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_a_later_epoch_is_the_same_one_whether_the_ones_before_were_seen(folders):
    dataset = data.unpaired(*folders, crop_size=16, resize=20, batch=2, seed=3)
    first, second = ([pair[0].numpy() for pair in dataset] for _ in range(2))
    again = [pair[0].numpy() for pair in data.unpaired(*folders, crop_size=16, resize=20, batch=2, seed=3, epoch=1)]
    np.testing.assert_array_equal(again, second)
    assert not np.array_equal(first, second)


def test_batches_are_pictures_of_the_size_asked_for_and_steps_are_an_epoch(folders):
    dataset = data.unpaired(*folders, crop_size=24, resize=32, batch=3, steps=2)
    assert dataset.options().autotune.enabled is False  # which now and then makes steps slower
    shapes = [tuple(half.shape) for pair in dataset for half in pair]
    assert shapes == [(3, 24, 24, 3)] * 4
    assert [tuple(spec.shape) for spec in dataset.element_spec] == [(3, 24, 24, 3)] * 2


def test_fit_takes_one_epoch_after_the_other(folders):
    import keras

    seen = []

    class Mean(keras.Model):
        def __init__(self):
            super().__init__()
            self.built = True

        def train_step(self, batch):
            seen.append(float(keras.ops.sum(batch[0])))
            return {"loss": keras.ops.zeros(())}

    model = Mean()
    model.compile(run_eagerly=True)
    model.fit(data.unpaired(*folders, crop_size=16, resize=20, batch=2), epochs=2, verbose=0, shuffle=False)
    want = data.unpaired(*folders, crop_size=16, resize=20, batch=2)
    np.testing.assert_allclose(seen, [float(pair[0].numpy().sum()) for _ in range(2) for pair in want], rtol=1e-6)


def test_a_file_that_cannot_be_read_is_skipped_and_noted(folders):
    first, second = (Crops(sorted(folder.iterdir()), 16, 2, resize=20) for folder in folders)
    for _ in data.unpaired(first, second):
        pass
    assert first.skipped == {}
    assert [path.name for path in second.skipped] == ["broken.png"]


def test_fixed_batches_are_the_first_ones_each_time(folders):
    first, second = (Crops(sorted(folder.glob("?.png")), 16, 2, resize=20) for folder in folders)
    dataset = data.fixed(first, second, 2)
    for _ in range(2):
        got = [half.numpy() for pair in dataset for half in pair]
        np.testing.assert_array_equal(got, [first(0), second(0), first(1), second(1)])


def test_folders_of_no_use_are_one_line(folders, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"none of 1 images can be read; .*a\.png"):
        data.unpaired(folders[0], tmp_path)
    with pytest.raises(InputError, match="resize 20 can't be used: give a whole number from 64"):
        data.unpaired(*folders, crop_size=64, resize=20)
    with pytest.raises(InputError, match="batches of 2 and 3 can't be paired: give both the same"):
        data.unpaired(*(Crops(list(folder.glob("?.png")), 16, n) for folder, n in zip(folders, (2, 3), strict=True)))
