"""Files are written completely or not at all."""

import os
import resource
import stat

import pytest

from tfstyle import InputError
from tfstyle.core.files import atomic_write


def message(function, *args):
    with pytest.raises(InputError) as error:
        function(*args)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_atomic_write_writes_and_replaces(tmp_path):
    atomic_write(tmp_path / "a.json", b"first")
    atomic_write(str(tmp_path / "a.json"), b"second")
    assert (tmp_path / "a.json").read_bytes() == b"second"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_write_the_system_breaks_off_leaves_nothing(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        text = message(atomic_write, path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert text == f"could not write {path}: File too large; choose another place"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_not_replaced():
    expected = "could not write /dev/null: it is a folder or a device; give the name of a file"
    assert message(atomic_write, "/dev/null", b"data") == expected
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
