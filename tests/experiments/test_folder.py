"""The folder of an experiment keeps finished runs, and nobody else's files."""

import numpy as np
import pytest

from tfstyle import InputError
from tfstyle.experiments.folder import Folder

pytestmark = pytest.mark.usefixtures("eager")


def test_a_run_is_finished_with_its_picture_and_its_settings(tmp_path):
    place = Folder(tmp_path / "new" / "folder", "blends")
    image = np.full((9, 8, 3), 0.5, np.float32)
    assert place.finished("a", "f") is None
    kept = place.keep("a", image)
    assert np.abs(kept.rgb - image).max() < 1 / 255  # as the file has it
    assert place.finished("a", "f") is None
    place.finish("a", "f", {"ssim": 1.0}, {"steps": 3})
    again = Folder(tmp_path / "new" / "folder", "blends")
    assert again.finished("a", "f") == {"ssim": 1.0}
    assert again.finished("a", "other") is None
    assert again.has("a")
    again.keep("a", image)  # to be painted anew
    assert again.finished("a", "f") is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"fingerprint": "f"'])
def test_a_damaged_record_is_none(tmp_path, damage):
    place = Folder(tmp_path, "blends")
    place.keep("a", np.zeros((8, 8, 3), np.float32))
    place.finish("a", "f", {}, {})
    (tmp_path / "runs" / "a.json").write_text(damage)
    assert place.finished("a", "f") is None


def test_folders_of_others_are_refused(tmp_path):
    ours, others, file = tmp_path / "ours", tmp_path / "others", tmp_path / "file"
    Folder(ours, "blends")
    others.mkdir()
    (others / "thesis.txt").write_text("mine")
    file.write_text("")
    for path, message in (
        (ours, "ours holds blends: give another folder"),
        (others, "others has other files.*empty folder"),
        (file, "could not make the folder .*file: .*choose another place"),
    ):
        with pytest.raises(InputError, match=message):
            Folder(path, "colours")
    assert [path.name for path in others.iterdir()] == ["thesis.txt"]
