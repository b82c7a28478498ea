"""Metrics of depth: whether a result treats near and far differently."""

from __future__ import annotations

import numpy as np

from tfstyle.images.luminance import luminance

NEAR_QUANTILE, FAR_QUANTILE = 2 / 3, 1 / 3  # of inverse depth: the third above is near, the third below far (chosen)
_DEPTH_STEP = 0.08  # change of inverse depth over 2 pixels at the outline of a thing (chosen)


def color_change(content: np.ndarray, result: np.ndarray) -> np.ndarray:
    """The colour difference of each pixel between content image and result, in ΔE (CIE 1976).

    Args:
        content: The content image, `(height, width, 3)`, RGB in [0, 1].
        result: The result, `(height, width, 3)`, RGB in [0, 1].

    Returns:
        float64 `(height, width)`, from 0 upwards.
    """
    from skimage import color  # not above: it takes a while to import

    return np.linalg.norm(color.rgb2lab(result) - color.rgb2lab(content), axis=-1).astype(np.float64)


def near_and_far(inverse_depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the nearest and of the farthest third of the pixels.

    Args:
        inverse_depth: `(height, width)` in any unit, larger is nearer; NaN where it is unknown.

    Returns:
        Two bool arrays `(height, width)`; pixels of unknown depth are in neither.

    Examples:
        >>> near, far = near_and_far(np.array([[0.0, 0.5, 1.0]]))
        >>> near.tolist(), far.tolist()
        ([[False, False, True]], [[True, False, False]])
    """
    low, high = np.nanquantile(inverse_depth, [FAR_QUANTILE, NEAR_QUANTILE])
    return inverse_depth >= high, inverse_depth <= low


def separation(content: np.ndarray, result: np.ndarray, inverse_depth: np.ndarray) -> float:
    """Mean colour change of the farthest third of the pixels, divided by that of the nearest third.

    Args:
        content: The content image, `(height, width, 3)`, RGB in [0, 1].
        result: The result, `(height, width, 3)`, RGB in [0, 1].
        inverse_depth: Of the content image, `(height, width)` in any unit, larger is nearer; NaN where it is unknown.

    Returns:
        A number from 0 upwards: 1 if near and far change alike, more if far changes more.
    """
    change, (near, far) = color_change(content, result), near_and_far(inverse_depth)
    return float(change[far].mean() / max(change[near].mean(), 1e-6))


def profile(content: np.ndarray, result: np.ndarray, inverse_depth: np.ndarray, bins: int = 8) -> list[float]:
    """Mean colour change as a function of depth.

    Args:
        content: The content image, `(height, width, 3)`, RGB in [0, 1].
        result: The result, `(height, width, 3)`, RGB in [0, 1].
        inverse_depth: Of the content image, `(height, width)` in any unit, larger is nearer; NaN where it is unknown.
        bins: Number of bins, each with the same number of pixels.

    Returns:
        The mean of each bin in ΔE, from the farthest to the nearest.
    """
    known = np.isfinite(inverse_depth)
    change = color_change(content, result)[known][np.argsort(inverse_depth[known], kind="stable")]
    return [float(part.mean()) for part in np.array_split(change, bins)]


def outline_contrast(image: np.ndarray, inverse_depth: np.ndarray) -> float:
    """Strength of edges at steps of depth, relative to edges elsewhere.

    It is the ratio of the mean gradients of luminance at steps of inverse depth (more than 0.08 over 2 pixels, and
    one pixel around them) and everywhere else.

    Args:
        image: `(height, width, 3)`, RGB in [0, 1].
        inverse_depth: Of the image, `(height, width)` in [0, 1], larger is nearer; NaN where it is unknown.

    Returns:
        A number from 0 upwards. It is 1 if outlines are no clearer than texture, and if there is no step.
    """
    from scipy import ndimage

    down, across = np.gradient(np.where(np.isfinite(inverse_depth), inverse_depth, 0.0))
    known = ndimage.binary_erosion(np.isfinite(inverse_depth), iterations=2)
    steps = ndimage.binary_dilation((np.hypot(down, across) > _DEPTH_STEP / 2) & known) & known
    if not steps.any() or steps.all():
        return 1.0
    gradient = np.hypot(*np.gradient(luminance(image)[..., 0].astype(np.float64)))
    return float(gradient[steps].mean() / max(gradient[~steps & known].mean(), 1e-9))
