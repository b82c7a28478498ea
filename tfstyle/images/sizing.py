"""Sizes of pictures for optimisations and networks."""

from __future__ import annotations

import math

import numpy as np

from tfstyle.core.errors import InputError
from tfstyle.images.io import Source, load
from tfstyle.images.picture import Picture

LEAST_SIDE = 8
"""The shortest side of a picture, in pixels (chosen)."""
MAXIMUM_SIDE = 65535
"""The longest side of a picture, in pixels: that of JPEG, the smallest bound of the file formats."""
_LARGEST_HINT = 4096  # the largest size that a message recommends, in pixels (chosen)


def sized(source: Source, size: int | None, minimum: int, scale: float = 1.0) -> Picture:
    """A picture at its working size, which must be large enough for the backbones.

    Args:
        source: The picture.
        size: Longer side in pixels; None for the native one.
        minimum: The shortest side in pixels that the backbones accept.
        scale: Factor of the size.

    Raises:
        InputError: The picture can't be read, or is too small; the message names a size that is large enough.
    """
    picture = load(source)
    longer, shorter = max(picture.rgb.shape[:2]), min(picture.rgb.shape[:2])
    if shorter < LEAST_SIDE:
        height, width = picture.rgb.shape[:2]
        raise InputError(
            f"{picture.name} is {width}x{height} pixels: give a picture of at least {LEAST_SIDE} pixels a side"
        )
    if size is not None or scale != 1:
        picture = picture.resized(max(1, round((longer if size is None else size) * scale)))
    height, width = picture.rgb.shape[:2]
    if min(height, width) >= minimum:
        return picture
    needed = longer * minimum / shorter
    options = [*([] if size is None else [f"size {size}"]), *([] if scale == 1 else [f"style scale {scale:g}"])]
    at = f" at {' and '.join(options)}" if options else ""
    fix = "crop it to a less narrow shape" if needed > _LARGEST_HINT else "use a larger style scale"
    if needed / scale <= _LARGEST_HINT:
        fix = f"use size {math.ceil(needed / scale)} or more"
    raise InputError(
        f"{picture.name} is {width}x{height} pixels{at}, and the backbone needs at least {minimum} a side: {fix}"
    )


def center_square(source: Source, size: int) -> np.ndarray:
    """The largest square in the middle of a picture, resized.

    Args:
        source: The picture.
        size: Side of the result, in pixels.

    Returns:
        float32 `(size, size, 3)`, RGB in [0, 1].

    Raises:
        InputError: The picture can't be read.

    Examples:
        >>> center_square(np.eye(6)[:, 2:4], 2)[..., 0].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    rgb = load(source).rgb
    side = min(rgb.shape[:2])
    top, left = ((length - side) // 2 for length in rgb.shape[:2])
    return load(np.ascontiguousarray(rgb[top : top + side, left : left + side]), (size, size)).rgb
