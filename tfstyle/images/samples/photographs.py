"""Photographs that come with scikit-image."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tfstyle.core.errors import InputError, unknown
from tfstyle.core.files import reason

CONTENTS: tuple[str, ...] = ("astronaut", "chelsea", "coffee", "rocket")
"""The photographs that `content` reads."""


def content(name: str) -> np.ndarray:
    """A photograph of scikit-image, at its native size.

    Args:
        name: One of `CONTENTS`.

    Returns:
        float32 `(h, w, 3)`, RGB in [0, 1].

    Raises:
        InputError: There is no photograph of that name.

    Examples:
        >>> content("chelsea").shape
        (300, 451, 3)
    """
    if name not in CONTENTS:
        raise unknown("sample", name, CONTENTS)
    from skimage import data

    return np.asarray(getattr(data, name)(), np.float32) / 255


def motorcycle() -> tuple[np.ndarray, np.ndarray]:
    """The left picture of scikit-image's stereo pair of a motorcycle, and its true disparity.

    scikit-image 0.26 contains the pair. Other versions download it on first use. The download needs pooch, and
    `TFSTYLE_OFFLINE=1` forbids it.

    Returns:
        The picture, float32 `(500, 741, 3)`, RGB in [0, 1]; and the disparity in pixels, which is inverse depth up to
        scale and shift, float32 `(500, 741)`, NaN where it is unknown.

    Raises:
        InputError: The pair is not on this machine, and can't be downloaded.

    Reference:
        Scharstein et al. 2014, "High-resolution stereo datasets with subpixel-accurate ground truth".
    """
    from skimage import data
    from skimage.data import _fetchers

    folders = (getattr(_fetchers, name, "") for name in ("data_dir", "_LEGACY_DATA_DIR"))
    on_machine = any((Path(folder) / "motorcycle_disp.npz").is_file() for folder in folders)
    missing = "the stereo pair motorcycle is not on this machine"
    if not on_machine and os.environ.get("TFSTYLE_OFFLINE", "") not in ("", "0"):
        raise InputError(f"{missing}, and $TFSTYLE_OFFLINE is set: unset it, with pooch installed, to download it")
    try:
        left, _, disparity = data.stereo_motorcycle()
    except (ImportError, OSError) as error:  # without pooch, or without network
        raise InputError(f"{missing} ({reason(error)[:90]}): pip install pooch, and try with a network") from error
    known = np.isfinite(disparity)
    return np.asarray(left, np.float32) / 255, np.where(known, disparity, np.nan).astype(np.float32)
