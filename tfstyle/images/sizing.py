"""Pictures resized for an optimisation or a network."""

from __future__ import annotations

import math

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.images.picture import Picture

LEAST_SIDE = 8  # pixels; less is no picture (chosen)


def sized(source: images.Source, size: int | None, minimum: int, scale: float = 1.0) -> Picture:
    """A picture at the size that it is worked on, which must leave the backbones enough of it.

    Args:
        source: The picture.
        size: Of the longer side, in pixels; None for its own.
        minimum: The shortest side that the backbones take, in pixels.
        scale: Factor of the size.

    Raises:
        InputError: It can't be read, or is too small; the message names a size that would do.
    """
    native = images.load(source)
    longer, shorter = max(native.rgb.shape[:2]), min(native.rgb.shape[:2])
    if shorter < LEAST_SIDE:
        height, width = native.rgb.shape[:2]
        raise InputError(
            f"{native.name} is {width}x{height} pixels: give a picture of at least {LEAST_SIDE} pixels a side"
        )
    if size is not None or scale != 1:
        native = native.resized(max(1, round((longer if size is None else size) * scale)))
    height, width = native.rgb.shape[:2]
    if min(height, width) >= minimum:
        return native
    needed = longer * minimum / shorter
    asked = [*([] if size is None else [f"size {size}"]), *([] if scale == 1 else [f"style scale {scale:g}"])]
    at = f" at {' and '.join(asked)}" if asked else ""
    fix = "crop it to a less narrow shape" if needed > 4096 else "use a larger style scale"
    if needed / scale <= 4096:
        fix = f"use size {math.ceil(needed / scale)} or more"
    raise InputError(
        f"{native.name} is {width}x{height} pixels{at}, and the backbone needs at least {minimum} a side: {fix}"
    )


def center_square(rgb: np.ndarray, size: int) -> np.ndarray:
    """The largest square in the middle of an image, resized.

    Args:
        rgb: float (height, width, 3) in [0, 1].
        size: Side of the result in pixels.

    Returns:
        float32 (size, size, 3) in [0, 1].
    """
    side = min(rgb.shape[:2])
    top, left = ((length - side) // 2 for length in rgb.shape[:2])
    square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    return images.load(square, (size, size)).rgb
