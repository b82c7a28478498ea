"""Blank areas: the parts of a picture that stay blank paper, as sky, mist and water do in ink painting (liubai).

A blank area is bright and flat: brighter than a threshold relative to the picture's own range, and without detail. It
is detected where there is no detail, and grown up to the edges of dark areas.

Reference:
    He, Sun, Tang 2010, "Guided Image Filtering", section 3.1, for the smoothing that keeps edges. The rest is chosen.
"""

from __future__ import annotations

import numpy as np

from tfstyle.images.luminance import luminance
from tfstyle.images.picture import Picture, make_picture

_RADIUS = 0.01  # of windows, relative to the longer side (chosen): all scales of a picture have the same blank areas
_SOFT = 0.1  # half the range of brightness between blank and painted (chosen)
_FLAT, _DETAIL = 0.03, 0.09  # deviation of brightness: below the first all is flat, above the second nothing (chosen)
_MASK_EDGE, _TONE_EDGE = 1e-3, 1e-2  # variance at which the guided filter keeps edges, in masks and tones (chosen)
_WHITE = 0.95  # share of the paper's tone that becomes white (chosen): the grain of paper varies less


def detect(picture: Picture, brightness: float) -> np.ndarray:
    """Find the blank areas of a picture.

    Args:
        picture: The picture.
        brightness: Threshold of the brightness, from 0 (the 1st percentile of the picture's luminance) to 1 (the
            99th).

    Returns:
        float32 `(height, width)` in [0, 1]: 1 where the picture is blank, 0 where it is painted.

    Examples:
        >>> rgb = np.full((40, 40, 3), 0.9, np.float32)
        >>> rgb[20:] = 0.1
        >>> mask = detect(make_picture(rgb, None, "bright sky"), brightness=0.5)
        >>> float(mask[10, 20]), float(mask[30, 20])
        (1.0, 0.0)
    """
    from scipy import ndimage  # not above: it takes a while to import

    y = luminance(picture.rgb)[..., 0]
    low, high = np.percentile(y, [1, 99])
    y = np.clip((y - low) / max(high - low, 1 / 255), 0, 1)
    radius = _radius(y.shape)
    deviation = np.sqrt(np.maximum(_box_mean(y * y, 2 * radius) - _box_mean(y, 2 * radius) ** 2, 0))
    bright = _smoothstep(_guided_filter(y, radius, _MASK_EDGE), brightness - _SOFT, brightness + _SOFT)
    flat = bright * (1 - _smoothstep(deviation, _FLAT, _DETAIL))
    grown = ndimage.gaussian_filter(ndimage.maximum_filter(flat, 4 * radius + 1), radius, mode="nearest")
    soft = ndimage.gaussian_filter(np.minimum(bright, grown), radius / 2, mode="nearest")
    return _smoothstep(soft, 0.02, 0.98).astype(np.float32)  # exactly 0 and 1 near both ends (chosen)


def whiten(picture: Picture, mask: np.ndarray) -> Picture:
    """Make blank areas white and colourless; lines that are darker than the paper stay.

    There the luminance is divided by the tone of the paper, which is the luminance of the surroundings.

    Args:
        picture: The picture.
        mask: Its blank areas by `detect`, `(height, width)` in [0, 1].
    """
    y = luminance(picture.rgb)
    tone = _guided_filter(y[..., 0], 2 * _radius(y.shape[:2]), _TONE_EDGE)[..., None]
    white = np.clip(y / np.maximum(_WHITE * tone, 1 / 255), 0, 1)
    rgb = picture.rgb + mask[..., None] * (white - picture.rgb)
    return make_picture(rgb.astype(np.float32), picture.alpha, picture.name)


def _radius(shape: tuple[int, ...]) -> int:
    """Radius of windows in pixels."""
    return max(1, round(_RADIUS * max(shape)))


def _smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """The cubic from 0 at `low` to 1 at `high` whose slope is 0 at both."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _box_mean(x: np.ndarray, radius: int) -> np.ndarray:
    """The mean over the square of 2 radius + 1 pixels around each pixel."""
    from scipy import ndimage

    return ndimage.uniform_filter(x, 2 * radius + 1, mode="nearest")


def _guided_filter(y: np.ndarray, radius: int, variance: float) -> np.ndarray:
    """The guided filter of a grey picture (height, width), guided by itself: smooths areas of less than the variance.

    `tfstyle.models.depth.guided_filter` is the filter with a guide in colour, for tensors.
    """
    mean = _box_mean(y, radius)
    local_variance = np.maximum(_box_mean(y * y, radius) - mean**2, 0)
    gain = local_variance / (local_variance + variance)
    return _box_mean(gain, radius) * y + _box_mean(mean - gain * mean, radius)
