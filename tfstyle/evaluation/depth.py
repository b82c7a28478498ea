"""How well a painted picture keeps near and far apart."""

from __future__ import annotations

import numpy as np

from tfstyle.images.color_transfer import luminance

NEAR, FAR = 2 / 3, 1 / 3  # chosen: what of the pixels, in the order of proximity, is near and far
_STEP = 0.08  # chosen: by which proximity changes over 2 pixels where one thing ends before another


def change(content: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """How far each pixel's colour is from the content's, in ΔE (CIE 1976): float64 (height, width).

    Args:
        content: `(height, width, 3)`, RGB in [0, 1].
        picture: The same.
    """
    from skimage import color  # not above: it takes a while to import

    return np.linalg.norm(color.rgb2lab(picture) - color.rgb2lab(content), axis=-1).astype(np.float64)


def thirds(proximity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest and the farthest third of the pixels, as masks; unknown proximity, NaN, is in neither."""
    low, high = np.nanquantile(proximity, [FAR, NEAR])
    return proximity >= high, proximity <= low


def separation(content: np.ndarray, picture: np.ndarray, proximity: np.ndarray) -> float:
    """How much more the farthest third of the pixels has changed than the nearest: the ratio of mean `change`s.

    1 is a picture in which near and far are painted alike.

    Args:
        content: `(height, width, 3)`, RGB in [0, 1].
        picture: The same.
        proximity: `(height, width)`; of any scale, more is nearer.
    """
    changed, (near, far) = change(content, picture), thirds(proximity)
    return float(changed[far].mean() / max(changed[near].mean(), 1e-6))


def profile(content: np.ndarray, picture: np.ndarray, proximity: np.ndarray, bins: int = 8) -> list[float]:
    """The mean `change` of the pixels from the farthest to the nearest, in as many bins of equal size."""
    known = np.isfinite(proximity)
    changed = change(content, picture)[known][np.argsort(proximity[known], kind="stable")]
    return [float(part.mean()) for part in np.array_split(changed, bins)]


def outline_contrast(picture: np.ndarray, proximity: np.ndarray) -> float:
    """How much stronger the edges of a picture are where one thing ends before another than elsewhere.

    The ratio of the mean gradients of luminance, at steps of proximity (more than 0.08 over 2 pixels) and one pixel
    around them, and everywhere else. 1 is a picture whose outlines are no clearer than its texture; where there is no
    step it is 1.

    Args:
        picture: `(height, width, 3)`, RGB in [0, 1].
        proximity: `(height, width)` in [0, 1].
    """
    from scipy import ndimage

    down, across = np.gradient(np.where(np.isfinite(proximity), proximity, 0.0))
    known = ndimage.binary_erosion(np.isfinite(proximity), iterations=2)
    steps = ndimage.binary_dilation((np.hypot(down, across) > _STEP / 2) & known) & known
    if not steps.any() or steps.all():
        return 1.0
    gradient = np.hypot(*np.gradient(luminance(picture)[..., 0].astype(np.float64)))
    return float(gradient[steps].mean() / max(gradient[~steps & known].mean(), 1e-9))
