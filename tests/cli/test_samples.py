"""`tfstyle samples`: pictures for the guides."""

import numpy as np

from tfstyle import images, samples
from tfstyle.cli.main import main


def test_samples_are_written_once_and_never_replaced(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(samples, "style", lambda name: np.zeros((8, 8, 3), "float32"))  # which take seconds to draw
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    assert main(["samples", "-o", str(tmp_path)]) == 0
    names = {"photo.jpg", "cup.jpg", "painting.jpg", "mosaic.jpg", "ink.jpg"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (tmp_path / "photo.jpg").read_bytes() == b"mine"
    assert images.load(tmp_path / "cup.jpg").rgb.shape == samples.content("coffee").shape
    assert capsys.readouterr().out.count("wrote ") == 4
    assert main(["samples", "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["samples", "-o", str(tmp_path / "file" / "folder")]) == 2
    assert "could not make the folder" in capsys.readouterr().err
