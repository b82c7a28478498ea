"""What is done to pictures before an optimisation, and undone after it: blank areas and kept colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfstyle.images import blank_areas, color_transfer
from tfstyle.images.picture import Picture, make_picture
from tfstyle.pipelines.inputs import Inputs
from tfstyle.pipelines.method import Method


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """The pictures that an optimisation sees.

    Attributes:
        contents: The content images.
        styles: The style images.
        blank_masks: White where paper stays blank: in the content image, then in each style image; or nothing.
        originals: The content images whose colours return.
    """

    contents: list[Picture]
    styles: list[Picture]
    blank_masks: list[Picture]
    originals: list[Picture]


class Preprocessing:
    """Blank areas and kept colours, as a method asks for them.

    Args:
        method: The method, of which `blank_areas`, `preserve_color` and `saturation` count.
        size: Longer side of the result in pixels; None for the content image's.
    """

    def __init__(self, method: Method, size: int | None) -> None:
        self.blank_areas = method.blank_areas
        self.preserve_color = method.preserve_color
        self.saturation = method.saturation
        self.size = size

    @property
    def contents_independent(self) -> bool:
        """Whether several content images can share a step: no style image is changed for one of them."""
        return self.preserve_color is None and self.blank_areas == 1

    @property
    def styles_independent(self) -> bool:
        """Whether several styles can share a step: the content image is changed for none of them."""
        return self.preserve_color != "ink" and self.blank_areas == 1

    def before(self, contents: Sequence[Picture], inputs: Inputs) -> Preprocessed:
        """The pictures that the optimisation sees; where pictures depend on each other, of one content image only."""
        originals, blank_masks = list(contents), self._blank_masks(contents[0], inputs)
        if blank_masks:
            size = self.size or max(contents[0].rgb.shape[:2])
            originals = [blank_areas.whiten(contents[0].resized(size), blank_masks[0].rgb[..., 0])]
        seen, styles = list(originals), inputs.styles
        if self.preserve_color is not None:
            weights = inputs.of(0).weights if self.preserve_color == "ink" else None
            content, styles = color_transfer.preprocess(self.preserve_color, originals[0], inputs.styles, weights)
            seen = [content] * len(contents)
        if blank_masks:  # white again, whatever recolouring has made of them
            seen = [blank_areas.whiten(seen[0], blank_masks[0].rgb[..., 0])]
        return Preprocessed(seen, styles, blank_masks, originals)

    def after(self, painted: np.ndarray, original: Picture, inputs: Inputs) -> np.ndarray:
        """A painted picture with the colours that are kept: float32 (height, width, 3) in [0, 1]."""
        if self.preserve_color is None:
            return painted
        tint = color_transfer.paper_color(inputs.styles, inputs.weights) if self.saturation < 1 else None
        return color_transfer.postprocess(self.preserve_color, painted, original, self.saturation, tint)

    def _blank_masks(self, content: Picture, inputs: Inputs) -> list[Picture]:
        if self.blank_areas == 1:
            return []
        size = self.size or max(content.rgb.shape[:2])
        masks = [blank_areas.detect(picture.resized(size), self.blank_areas) for picture in (content, *inputs.styles)]
        return [make_picture(mask[..., None].repeat(3, axis=-1), None, "the blank areas") for mask in masks]
