"""Folders of small pictures to train on."""

import numpy as np
import pytest

from tfstyle import images


def write_pictures(folder, number, side, seed):
    """Noise of several colours."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    for i in range(number):
        rgb = random.random((6, 8, 3)).astype("float32").repeat(side, 0).repeat(side, 1)
        images.save(rgb, folder / f"{i:02}.png")


@pytest.fixture(scope="session")
def contents_and_styles(tmp_path_factory):
    """A folder with eleven pictures in `contents` and eleven in `styles`."""
    folder = tmp_path_factory.mktemp("adain")
    write_pictures(folder / "contents", 11, 6, seed=0)
    write_pictures(folder / "styles", 11, 6, seed=1)
    return folder


@pytest.fixture(scope="session")
def domains(tmp_path_factory):
    """A folder with seven pictures in `photos` and five in `paintings`, and a painting that can't be read."""
    folder = tmp_path_factory.mktemp("domains")
    write_pictures(folder / "photos", 7, 7, seed=2)
    write_pictures(folder / "paintings", 5, 7, seed=3)
    (folder / "paintings" / "02a.png").write_bytes(b"no picture")
    return folder
