"""Voids: what of a photograph would be left as bare paper, as ink painting leaves sky, mist and water.

A void is bright and flat: brighter than a threshold in the photograph's own range, and without detail. Found
where it has no detail, it is grown up to the edges of what is dark, which the smoothing respects.

Reference:
    He, Sun, Tang 2010, "Guided Image Filtering", section 3.1 (smoothing that keeps edges). The rest is chosen.
"""

from __future__ import annotations

import numpy as np

from tfstyle.images.color_transfer import luminance
from tfstyle.images.picture import Picture, made_picture

_RADIUS = 0.01  # of the longer side (chosen), so that all scales of a picture have the same voids
_SOFT = 0.1  # half the range of brightness over which paper becomes paint (chosen)
# Deviations of the brightness: up to the one all is flat, from the other nothing (chosen).
_FLAT, _DETAIL = 0.03, 0.09
# Variances above which the smoothing keeps edges, of masks and of the paper's tone (chosen).
_EDGE, _TONE = 1e-3, 1e-2
_LIFT = 0.95  # of the paper's tone, which and all above it becomes white (chosen): grain is less than that


def found(picture: Picture, brightness: float) -> np.ndarray:
    """Where the voids of a picture are: float32 (height, width), 1 where paper is left and 0 where it is painted.

    Args:
        picture: The photograph.
        brightness: Above which there is paper: from 0, the 1st percentile of the photograph's luminance, to 1, its
            99th.
    """
    from scipy import ndimage  # not above: it takes a while to import

    y = luminance(picture.rgb)[..., 0]
    low, high = np.percentile(y, [1, 99])
    y = np.clip((y - low) / max(high - low, 1 / 255), 0, 1)
    radius = _radius(y.shape)
    deviation = np.sqrt(np.maximum(_mean(y * y, 2 * radius) - _mean(y, 2 * radius) ** 2, 0))
    bright = _ramp(_smoothed(y, radius, _EDGE), brightness - _SOFT, brightness + _SOFT)
    flat = bright * (1 - _ramp(deviation, _FLAT, _DETAIL))
    grown = ndimage.gaussian_filter(ndimage.maximum_filter(flat, 4 * radius + 1), radius, mode="nearest")
    soft = ndimage.gaussian_filter(np.minimum(bright, grown), radius / 2, mode="nearest")
    return _ramp(soft, 0.02, 0.98).astype(np.float32)  # what is void is so wholly, and stays as it is (chosen)


def lifted(picture: Picture, voids: np.ndarray) -> Picture:
    """The picture with its voids lifted to white, without colour; what is darker than the paper there stays so.

    In a void the luminance is divided by the paper's tone, which is that of the surroundings.

    Args:
        picture: The photograph.
        voids: What `found` says of it, (height, width).
    """
    y = luminance(picture.rgb)
    tone = _smoothed(y[..., 0], 2 * _radius(y.shape[:2]), _TONE)[..., None]
    white = np.clip(y / np.maximum(_LIFT * tone, 1 / 255), 0, 1)
    rgb = picture.rgb + voids[..., None] * (white - picture.rgb)
    return made_picture(rgb.astype(np.float32), picture.alpha, picture.name)


def _radius(shape: tuple[int, ...]) -> int:
    return max(1, round(_RADIUS * max(shape)))


def _ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """From 0 at `low` to 1 at `high`, without a kink at either."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _mean(x: np.ndarray, radius: int) -> np.ndarray:
    """Of the square around each pixel."""
    from scipy import ndimage

    return ndimage.uniform_filter(x, 2 * radius + 1, mode="nearest")


def _smoothed(y: np.ndarray, radius: int, variance: float) -> np.ndarray:
    """The guided filter of a picture by itself: what varies by less than `variance` is smoothed away."""
    mean = _mean(y, radius)
    own = np.maximum(_mean(y * y, radius) - mean**2, 0)
    gain = own / (own + variance)
    return _mean(gain, radius) * y + _mean(mean - gain * mean, radius)
