"""How much of which style goes where: weights, masks and maps, at the resolution of features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.images import masks
from tfstyle.images.picture import Picture
from tfstyle.layers import AdaptiveInstanceNormalization
from tfstyle.losses.statistics import at_least_float32
from tfstyle.models import depth

Tensor = Any

NEAR, FAR, CONTRAST, OFFSET = 0.3, 1.0, 10.0, 0.5  # of strength by proximity (chosen)


def shares(weights: Sequence[float] | None, number: int) -> list[float]:
    """The weights of a number of styles, scaled to sum to 1; None for equal ones.

    Raises:
        InputError: Not as many weights, a negative one, or none above 0.
    """
    weights = [1.0] * number if weights is None else [float(weight) for weight in weights]
    if not number or len(weights) != number:
        raise InputError(f"there are {len(weights)} weights for {number} styles: give one for each")
    if not all(0 <= weight < math.inf for weight in weights) or not sum(weights):
        raise InputError(f"weights {', '.join(f'{w:g}' for w in weights)} must be 0 or more, and not all 0")
    return [weight / sum(weights) for weight in weights]


def strength(alpha: float | images.Source, size: tuple[int, int]) -> np.ndarray:
    """How much of the style each pixel gets: float32 (1, height, width) in [0, 1].

    Args:
        alpha: One number for all, or a grey picture of the content's shape.
        size: (height, width) of the content.

    Raises:
        InputError: A number out of range, or a picture that can't be used.
    """
    if not isinstance(alpha, (int, float, np.number)):
        return masks.grey(alpha, size, "alpha")[None]
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha {alpha:g} can't be used: give a number from 0 to 1, or a grey picture")
    return np.full((1, *size), alpha, np.float32)


def by_proximity(proximity: np.ndarray, near: float, far: float, contrast: float, offset: float) -> np.ndarray:
    """The strength of the style by proximity p: far + (near − far) c(p), with c rising from c(0) = 0 to c(1) = 1.

    c(p) = (σ(p) − σ(0)) / (σ(1) − σ(0)), with σ(p) = 1 / (1 + exp(−contrast (p − offset))): near and far are told
    apart at the offset, the more sharply the greater the contrast; 0 is the limit, c(p) = p.

    Args:
        proximity: In [0, 1], 1 is near.
        near: Strength of the nearest point, in [0, 1].
        far: Of the farthest.
        contrast: 0 or more.
        offset: In [0, 1].

    Returns:
        float32 of the same shape, in [0, 1].

    Raises:
        InputError: A number out of range.

    Reference:
        Kitov, Kozlovtsev & Mishustina 2020, "Depth-Aware Arbitrary Style Transfer Using Instance Normalization"
        (arXiv:1906.01123v2), for a strength that varies with a proximity map which has an offset and a contrast; that
        they enter by a logistic function, and that its ends are kept, is chosen.
    """
    for name, value, high in (
        ("near", near, 1),
        ("far", far, 1),
        ("offset", offset, 1),
        ("contrast", contrast, 1000),
    ):
        if not 0 <= value <= high:
            raise InputError(f"{name} {value:g} can't be used: give a number from 0 to {high}")
    proximity = np.asarray(proximity, np.float64)
    if contrast > 1e-3:  # below it, rounding is greater than what the curve differs from a line
        ends = 1 / (1 + np.exp(-contrast * (np.array([0.0, 1.0]) - offset)))
        proximity = (1 / (1 + np.exp(-contrast * (proximity - offset))) - ends[0]) / (ends[1] - ends[0])
    return np.clip(far + (near - far) * proximity, 0, 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class DepthStrength:
    """A strength of the style that varies with the proximity that a depth module finds.

    Attributes:
        module: See `tfstyle.depth`.
        near: As for `by_proximity`, and so are the others.
    """

    module: depth.DepthModule
    near: float = NEAR
    far: float = FAR
    contrast: float = CONTRAST
    offset: float = OFFSET

    def of(self, photo: Picture, alpha: float | images.Source = 1.0) -> np.ndarray:
        """The strength for each pixel of a picture, times α: float32 (height, width) in [0, 1].

        Raises:
            InputError: A number or a map that can't be used, or what the module returns.
        """
        by_proximity(np.zeros(1), self.near, self.far, self.contrast, self.offset)  # before long work
        proximity = depth.estimate(self.module, photo.rgb)
        found = by_proximity(proximity, self.near, self.far, self.contrast, self.offset)
        return strength(alpha, photo.rgb.shape[:2])[0] * found


def shrunk(weights: np.ndarray, multiple: int, features: Tensor) -> Tensor:
    """Weights of pixels `(number, height, width)` as those of the positions of features.

    Args:
        weights: In [0, 1].
        multiple: What the pictures are padded to a multiple of, by reflection, before they are encoded.
        features: `(1, height, width, N)`.
    """
    pads = [(0, -side % multiple) for side in weights.shape[1:]]
    padded = np.pad(weights, [(0, 0), *pads], mode="reflect")
    return ops.convert_to_tensor(masks.downsample(padded, tuple(features.shape[1:3])))


def moved(
    adain: AdaptiveInstanceNormalization,
    features: Tensor,
    styles: Sequence[dict[str, Tensor]],
    cover: Tensor | None,
) -> Tensor:
    """Features with the statistics of the style of each region.

    Each region is normalised by its own statistics. Where regions overlap they are averaged, and what none covers
    stays as it is.

    Args:
        adain: The layer.
        features: `(1, height, width, N)`.
        styles: The statistics for each region.
        cover: How much of each position belongs to each region, `(regions, height, width)`; None for one that is
            everything.

    Reference:
        Huang & Belongie 2017, section 7.3, spatial control; as the authors' code has it, but for masks that are soft.
    """
    if cover is None:
        return adain((features, styles[0]))
    cover = ops.cast(cover, at_least_float32(features).dtype)[:, None, ..., None]  # (regions, 1, height, width, 1)
    parts = [
        cover[k] * at_least_float32(adain((features, style), weights=cover[k][..., 0]))
        for k, style in enumerate(styles)
    ]
    total = ops.sum(cover, axis=0)
    mixed = sum(parts) / ops.maximum(total, 1) + ops.maximum(1 - total, 0) * at_least_float32(features)
    return ops.cast(mixed, features.dtype)


def weakened(target: Tensor, features: Tensor, strength: Tensor) -> Tensor:
    """α t + (1 − α) f: equation 14 of Huang & Belongie 2017, with an α for each position, `(1, height, width)`."""
    strength = ops.cast(strength, at_least_float32(features).dtype)[..., None]
    mixed = strength * at_least_float32(target) + (1 - strength) * at_least_float32(features)
    return ops.cast(mixed, features.dtype)
