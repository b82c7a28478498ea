"""How much of the style goes where: numbers and masks of an image, at the resolution of features."""

from __future__ import annotations

import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.images import masks
from tfstyle.losses.statistics import at_least_float32


def alpha_map(alpha: float | images.Source, size: tuple[int, int]) -> np.ndarray:
    """The strength of the style for each pixel: float32 `(1, height, width)` in [0, 1].

    Args:
        alpha: One number for all pixels, or a grey image of the content's shape.
        size: (height, width) of the content image.

    Raises:
        InputError: A number out of range, or an image that can't be used.
    """
    if not isinstance(alpha, (int, float, np.number)):
        return masks.grey(alpha, size, "alpha")[None]
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha {alpha:g} can't be used: give a number from 0 to 1, or a grey picture")
    return np.full((1, *size), alpha, np.float32)


def downsample_mask(mask: np.ndarray, multiple: int, features: Tensor) -> Tensor:
    """Masks of an image at the resolution of its features: each position gets the mean over the area it covers.

    Args:
        mask: `(masks, height, width)` in [0, 1].
        multiple: Both sides of the image are padded by reflection to a multiple of this before it is encoded.
        features: `(1, rows, columns, channels)` of the padded image.

    Returns:
        float32 `(masks, rows, columns)`.
    """
    pads = [(0, -side % multiple) for side in mask.shape[1:]]
    padded = np.pad(mask, [(0, 0), *pads], mode="reflect")
    return ops.convert_to_tensor(masks.downsample(padded, tuple(features.shape[1:3])))


def interpolate_features(target: Tensor, features: Tensor, alpha: Tensor) -> Tensor:
    """α t + (1 − α) f, with an α for each position.

    Args:
        target: Features t in the style, `(batch, rows, columns, channels)`.
        features: Features f of the content image, of the same shape.
        alpha: α in [0, 1], `(1 or batch, rows, columns)`.

    Reference:
        Huang & Belongie 2017, equation 14.
    """
    alpha = ops.cast(alpha, at_least_float32(features).dtype)[..., None]
    mixed = alpha * at_least_float32(target) + (1 - alpha) * at_least_float32(features)
    return ops.cast(mixed, features.dtype)
