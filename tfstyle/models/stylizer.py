"""A model and its styles, each encoded once, for one content image after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfstyle import images
from tfstyle.images import color_transfer, masks
from tfstyle.images.picture import Picture
from tfstyle.models.depth.strength import DepthStrength
from tfstyle.models.interfaces import EstimatesDepth, Stylizes


class Stylizer:
    """Paints content images in a mixture of styles.

    Args:
        model: A model that takes style images.
        styles: The style images, of any sizes.
        style_weights: One for each style; they sum to 1.
        alpha: Strength of the style from 0 to 1: a number, or a grey image of the content's shape.
        content_masks: Regions of the content image, as `tfstyle.images.masks.regions` takes them.
        style_masks: The parts of the styles that belong to these regions, as `tfstyle.images.masks.regions` takes
            them.
        preserve_color: One of `tfstyle.images.color_transfer.KINDS`, or None. Styles are recoloured, and so encoded
            anew, for each content image.
        depth: Lets the strength vary with depth; None for the model's own depth module, if it has one.
    """

    def __init__(
        self,
        model: Stylizes,
        styles: Sequence[Picture],
        style_weights: Sequence[float],
        alpha: float | images.Source = 1.0,
        content_masks: Sequence[images.Source] = (),
        style_masks: Sequence[images.Source | None] = (),
        preserve_color: str | None = None,
        depth: DepthStrength | None = None,
    ) -> None:
        self.model = model
        self.styles = list(styles)
        self.style_weights = list(style_weights)
        self.alpha = alpha
        self.content_masks = list(content_masks)
        self.style_masks = list(style_masks)
        self.preserve_color = preserve_color
        self.depth = depth
        self._codes: dict[tuple[int, bytes], Any] = {}

    def paint(self, content: Picture) -> np.ndarray:
        """The content image in the styles: float32 `(height, width, 3)` in [0, 1], of its own size.

        Raises:
            InputError: An image is too small for the model, or a mask or map doesn't fit it.
        """
        source, styles = content, self.styles
        if self.preserve_color is not None:
            self._codes.clear()
            source, styles = color_transfer.preprocess(self.preserve_color, content, styles, self.style_weights)
        regions = self._regions(content)
        codes = []
        for region, weights in enumerate(regions.style_weights.tolist()):
            used = [k for k, weight in enumerate(weights) if weight > 0]
            region_codes = [self._code(k, styles[k], regions.styles[k], region) for k in used]
            codes.append(self.model.mix_styles(region_codes, [weights[k] for k in used]))
        everywhere = len(codes) == 1 and (regions.content == 1).all()
        painted = self.model.paint(
            source,
            codes,
            alpha=self._strength(content, source),
            content_masks=None if everywhere else regions.content,
        )
        if self.preserve_color is None:
            return painted
        return color_transfer.postprocess(self.preserve_color, painted, content)

    def cover(self, content: Picture) -> np.ndarray:
        """How much of each pixel is painted: float32 `(height, width)` in [0, 1]; 1 where there are no masks."""
        return np.minimum(self._regions(content).content.sum(axis=0), 1)

    def _strength(self, content: Picture, source: Picture) -> float | images.Source:
        """The strength of the style: a number, or a map of the content's shape."""
        if self.depth is not None:
            return self.depth.of(content, self.alpha)
        if isinstance(self.model, EstimatesDepth):
            return DepthStrength(self.model.inverse_depth).of(source, self.alpha)
        return self.alpha

    def _regions(self, content: Picture) -> masks.Regions:
        sizes = [style.rgb.shape[:2] for style in self.styles]
        return masks.regions(self.content_masks, self.style_masks, self.style_weights, content.rgb.shape[:2], sizes)

    def _code(self, number: int, style: Picture, style_masks: np.ndarray | None, region: int) -> Any:
        """The code of a style, or of the part of it that its masks (regions, height, width) assign to a region."""
        mask = None if style_masks is None or (style_masks[region] == 1).all() else style_masks[region]
        key = number, b"" if mask is None else mask.tobytes()
        if key not in self._codes:
            self._codes[key] = self.model.encode_style(style, mask)
        return self._codes[key]
