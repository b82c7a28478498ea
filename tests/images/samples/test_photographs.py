"""Photographs of scikit-image."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from skimage import data

from tfstyle import samples
from tfstyle.core.errors import InputError


def _python(code: str) -> str:
    """What a fresh process prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    return run.stdout.strip()


@pytest.mark.parametrize("name", samples.CONTENTS)
def test_content_is_the_photograph_of_scikit_image(name: str) -> None:
    picture = samples.content(name)
    photograph = getattr(data, name)()
    assert picture.dtype == np.float32
    assert picture.shape == photograph.shape
    np.testing.assert_array_equal(np.rint(picture * 255).astype(np.uint8), photograph)
    assert 0 <= picture.min() < picture.max() <= 1


def test_contents_need_no_network() -> None:
    code = """
import socket
def refuse(*args, **kwargs):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
from tfstyle import samples
print(sum(samples.content(name).size > 0 for name in samples.CONTENTS))
"""
    assert _python(code) == str(len(samples.CONTENTS))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="'roket': did you mean rocket"):
        samples.content("roket")


def test_importing_is_light() -> None:
    code = """
import sys, tfstyle
before = set(sys.modules)
from tfstyle import samples
print({"scipy", "skimage", "tensorflow"} & (set(sys.modules) - before))
"""
    assert _python(code) == "set()"


def test_the_motorcycle_has_a_true_disparity(monkeypatch):
    monkeypatch.setenv("TFSTYLE_OFFLINE", "1")
    try:
        picture, disparity = samples.motorcycle()
    except InputError as error:
        pytest.skip(str(error))
    assert (picture.shape, disparity.shape) == ((500, 741, 3), (500, 741))
    assert 0.8 < np.isfinite(disparity).mean() < 1
    assert np.nanmin(disparity) > 0


def test_without_the_motorcycle_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    from skimage.data import _fetchers

    for name in ("data_dir", "_LEGACY_DATA_DIR"):
        monkeypatch.setattr(_fetchers, name, str(tmp_path), raising=False)
    monkeypatch.setenv("TFSTYLE_OFFLINE", "1")
    with pytest.raises(InputError, match=r"motorcycle .* \$TFSTYLE_OFFLINE is set: unset it"):
        samples.motorcycle()
    monkeypatch.setenv("TFSTYLE_OFFLINE", "0")
    monkeypatch.setattr("skimage.data.stereo_motorcycle", _without_pooch)
    with pytest.raises(InputError, match=r"\(no pooch\): pip install pooch, and try with a network$"):
        samples.motorcycle()


def _without_pooch():
    raise ModuleNotFoundError("no pooch")
