"""The true inverse depth of samples: of the package's scenes, and of scikit-image's stereo pair."""

from __future__ import annotations

import functools

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.images import samples
from tfstyle.images.picture import Picture


def true_inverse_depth(content: Picture) -> np.ndarray | None:
    """The true inverse depth of a sample.

    Args:
        content: A content image; samples are known by their name, `"sample NAME"`.

    Returns:
        (height, width) in [0, 1], 1 is near; NaN where it is unknown. None if the image is no sample, or its depth is
        unknown.
    """
    name = content.name.removeprefix("sample ")
    shape = content.rgb.shape[:2]
    if name == content.name:
        return None
    if name in samples.SCENES:
        return samples.scene(name, shape)[1]
    if name != "motorcycle" or (pair := motorcycle()) is None:
        return None
    disparity = pair[1]
    low, high = np.nanmin(disparity), np.nanmax(disparity)
    scaled = images.load(np.nan_to_num((disparity - low) / (high - low)), shape).rgb[..., 0]
    known = images.load(np.isfinite(disparity).astype(np.float32), shape).rgb[..., 0] > 0.99
    return np.where(known, scaled, np.nan)


def filled(inverse_depth: np.ndarray) -> np.ndarray:
    """Inverse depth without holes: an unknown pixel gets the value of the nearest known one.

    Args:
        inverse_depth: (height, width), NaN where it is unknown.

    Returns:
        float32 (height, width).
    """
    from scipy import ndimage  # late: it takes a while to import

    unknown = ~np.isfinite(inverse_depth)
    if not unknown.any():
        return inverse_depth.astype(np.float32)
    rows, columns = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return inverse_depth[rows, columns].astype(np.float32)


@functools.cache
def motorcycle() -> tuple[np.ndarray, np.ndarray] | None:
    """The stereo pair's left image and disparity; None if it can't be had."""
    try:
        return samples.motorcycle()
    except InputError:
        return None
