"""Scenes: sizes, ranges, seeds, and the errors of names and sizes."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from tfstyle import samples
from tfstyle.core.errors import InputError


@pytest.mark.parametrize("name", samples.SCENES)
def test_pictures_and_inverse_depth_have_the_size_and_the_range(name):
    picture, inverse_depth = samples.scene(name, (64, 80), seed=1)
    assert (picture.shape, inverse_depth.shape) == ((64, 80, 3), (64, 80))
    assert picture.dtype == inverse_depth.dtype == np.float32
    assert 0 <= picture.min() < picture.max() <= 1
    assert (inverse_depth.min(), inverse_depth.max()) == (0, 1)


def test_a_seed_gives_the_same_bytes_in_another_process():
    code = """
import hashlib
from tfstyle import samples
print(hashlib.sha256(b"".join(each.tobytes() for each in samples.scene("street", 64, 5))).hexdigest())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    here = b"".join(each.tobytes() for each in samples.scene("street", 64, 5))
    assert done.stdout.strip() == hashlib.sha256(here).hexdigest()
    assert np.abs(samples.scene("street", 64, 6)[0] - samples.scene("street", 64, 5)[0]).mean() > 0.02


def test_names_sizes_and_seeds_that_there_are_not():
    for arguments, message in [
        (("rom", 64, 0), "scene 'rom': did you mean room"),
        (("room", 63, 0), "63 × 63 pixels is too small: both sides must be 64 or more"),
        (("room", 64, -1), "seed -1 is negative: use 0 or more"),
    ]:
        with pytest.raises(InputError, match=message):
            samples.scene(*arguments)
