"""The strength of the style by depth: weak near, strong far, or the other way round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.images.picture import Picture
from tfstyle.models.depth.inverse_depth import DepthModule, estimate
from tfstyle.models.guidance import alpha_map

NEAR, FAR, CONTRAST, OFFSET = 0.3, 1.0, 10.0, 0.5  # chosen
_BOUNDS = {"near": 1, "far": 1, "offset": 1, "contrast": 1000}
_LINEAR = 1e-3  # chosen: with less contrast, rounding errors exceed the difference between the curve and a line


def strength_by_depth(
    inverse_depth: np.ndarray, near: float, far: float, contrast: float, offset: float
) -> np.ndarray:
    """The strength of the style by inverse depth p: far + (near − far) c(p), where c rises from c(0) = 0 to c(1) = 1.

    c(p) = (σ(p) − σ(0)) / (σ(1) − σ(0)), with σ(p) = 1 / (1 + exp(−contrast (p − offset))). The offset separates near
    from far, the more sharply the greater the contrast. The limit for contrast 0 is c(p) = p.

    Args:
        inverse_depth: In [0, 1]; 1 is the nearest point.
        near: Strength at the nearest point, in [0, 1].
        far: Strength at the farthest point, in [0, 1].
        contrast: From 0 to 1000.
        offset: In [0, 1].

    Returns:
        float32 of the same shape, in [0, 1].

    Raises:
        InputError: A number out of range.

    Reference:
        Kitov, Kozlovtsev & Mishustina 2020, "Depth-Aware Arbitrary Style Transfer Using Instance Normalization"
        (arXiv:1906.01123v2), for a strength that varies with a map of inverse depth which has an offset and a
        contrast. The logistic function, and that its ends are kept, are chosen.
    """
    values = {"near": near, "far": far, "offset": offset, "contrast": contrast}
    for name, high in _BOUNDS.items():
        if not 0 <= values[name] <= high:
            raise InputError(f"{name} {values[name]:g} can't be used: give a number from 0 to {high}")
    curve = np.asarray(inverse_depth, np.float64)
    if contrast > _LINEAR:
        ends = 1 / (1 + np.exp(-contrast * (np.array([0.0, 1.0]) - offset)))
        curve = (1 / (1 + np.exp(-contrast * (curve - offset))) - ends[0]) / (ends[1] - ends[0])
    return np.clip(far + (near - far) * curve, 0, 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class DepthStrength:
    """A strength of the style that varies with the inverse depth which a depth module estimates.

    Attributes:
        module: The depth module, see `tfstyle.depth`.
        near: Strength at the nearest point, in [0, 1].
        far: Strength at the farthest point, in [0, 1].
        contrast: How sharply near and far are separated, from 0 (linearly) to 1000.
        offset: The inverse depth that separates near from far, in [0, 1].
    """

    module: DepthModule
    near: float = NEAR
    far: float = FAR
    contrast: float = CONTRAST
    offset: float = OFFSET

    def of(self, content: Picture, alpha: float | images.Source = 1.0) -> np.ndarray:
        """The strength for each pixel of an image, times α: float32 `(height, width)` in [0, 1].

        Args:
            content: The content image.
            alpha: α from 0 to 1: a number, or a grey image of the content's shape.

        Raises:
            InputError: A number or a map that can't be used, or a depth module that doesn't return inverse depth.
        """
        options = (self.near, self.far, self.contrast, self.offset)
        strength_by_depth(np.zeros(1), *options)  # checks them, before the network takes its time
        strength = strength_by_depth(estimate(self.module, content.rgb), *options)
        return alpha_map(alpha, content.rgb.shape[:2])[0] * strength
