"""A feed-forward model and its styles, for one picture after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfstyle import images
from tfstyle.images import color_transfer, masks as masks_room
from tfstyle.images.picture import Picture
from tfstyle.models.adain import guidance
from tfstyle.models.adain.depth_adain import DepthAdaIN
from tfstyle.models.adain.style_code import StyleCode


class Stylizer:
    """Pictures in a mix of styles, each of which is encoded once.

    Args:
        model: An `AdaIN`, or what else has `encode_style` and `stylize` as that has.
        paintings: The style pictures, of any sizes.
        mix: Their weights, which sum to 1.
        alpha: As for `AdaIN.stylize`.
        content_masks: As `tfstyle.images.masks.regions` takes them, segmentations too.
        style_masks: Likewise.
        preserve_color: One of `tfstyle.images.color_transfer.KINDS`, or None. Styles are recoloured for each
            picture then, and encoded anew.
        depth: What makes the strength vary with how near things are; None for what the model does by itself.
    """

    def __init__(
        self,
        model: Any,
        paintings: Sequence[Picture],
        mix: Sequence[float],
        alpha: float | images.Source = 1.0,
        content_masks: Sequence[images.Source] = (),
        style_masks: Sequence[images.Source | None] = (),
        preserve_color: str | None = None,
        depth: guidance.DepthStrength | None = None,
    ) -> None:
        self.model = model
        self.paintings = list(paintings)
        self.mix = list(mix)
        self.alpha = alpha
        self.content_masks = list(content_masks)
        self.style_masks = list(style_masks)
        self.preserve_color = preserve_color
        self.depth = depth
        self._codes: dict[tuple[int, bytes], StyleCode] = {}

    def paint(self, photo: Picture) -> np.ndarray:
        """The picture in the styles: float32 (height, width, 3) in [0, 1], of its own size.

        Raises:
            InputError: A picture is too small for the model's encoder, or a mask or map doesn't fit it.
        """
        shown, paintings = photo, self.paintings
        if self.preserve_color is not None:
            self._codes.clear()
            shown, paintings = color_transfer.preprocess(self.preserve_color, photo, paintings, self.mix)
        where = self._regions(photo)
        codes = []
        for region, weights in enumerate(where.style_weights.tolist()):
            used = [k for k, weight in enumerate(weights) if weight > 0]
            each = [self._code(k, paintings[k], where.styles[k], region) for k in used]
            codes.append(StyleCode.mix(each, [weights[k] for k in used]))
        everywhere = len(codes) == 1 and (where.content == 1).all()
        own: dict[str, Any] = {"depth": None} if self.depth and isinstance(self.model, DepthAdaIN) else {}
        painted = self.model.stylize(
            shown, codes, alpha=self.strength(photo), masks=() if everywhere else list(where.content), **own
        )
        return (
            painted
            if self.preserve_color is None
            else color_transfer.postprocess(self.preserve_color, painted, photo)
        )

    def strength(self, photo: Picture) -> float | images.Source:
        """How much of the style a picture gets: a number, or a map of its shape."""
        return self.alpha if self.depth is None else self.depth.of(photo, self.alpha)

    def cover(self, photo: Picture) -> np.ndarray:
        """How much of each pixel is painted: float32 (height, width) in [0, 1], 1 where there are no masks."""
        return np.minimum(self._regions(photo).content.sum(axis=0), 1)

    def _regions(self, photo: Picture) -> masks_room.Regions:
        size, sizes = photo.rgb.shape[:2], [painting.rgb.shape[:2] for painting in self.paintings]
        return masks_room.regions(self.content_masks, self.style_masks, self.mix, size, sizes)

    def _code(self, number: int, painting: Picture, masks: np.ndarray | None, region: int) -> StyleCode:
        """The style of a painting, or of what of it belongs to a region by its masks (regions, height, width)."""
        mask = None if masks is None or (masks[region] == 1).all() else masks[region]
        key = number, b"" if mask is None else mask.tobytes()
        if key not in self._codes:
            self._codes[key] = self.model.encode_style(painting, mask)
        return self._codes[key]
