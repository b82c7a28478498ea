"""The pictures of a job, loaded: style images, masks, initial image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.settings import as_list
from tfstyle.core.weighting import normalized
from tfstyle.images import masks
from tfstyle.images.picture import Picture
from tfstyle.pipelines.settings import StyleSettings


@dataclass(frozen=True, eq=False)
class Inputs:
    """Style images and what goes with them.

    Attributes:
        styles: The style images, of any sizes.
        style_weights: Their weights, which sum to 1; or a row of weights for each content image.
        content_masks: Masks or segmentations of the content image.
        style_masks: A mask or segmentation for each style image, None for all of it; or nothing.
        init: The name of an initial image, or the image.
    """

    styles: list[Picture]
    style_weights: list[float] | list[list[float]]
    content_masks: list[Picture]
    style_masks: list[Picture | None]
    init: str | Picture = "content"

    def one_each(self, numbers: Sequence[int]) -> Inputs:
        """Inputs for as many content images as numbers, each painted in the style image of that number alone."""
        return replace(
            self,
            styles=[self.styles[number] for number in numbers],
            style_weights=[[float(k == row) for k in range(len(numbers))] for row in range(len(numbers))],
            style_masks=[self.style_masks[number] for number in numbers] if any(self.style_masks) else [],
        )

    def of(self, index: int) -> Inputs:
        """Inputs for one of the content images."""
        if not isinstance(self.style_weights[0], list):
            return self
        return replace(self.one_each([index]), style_weights=[1.0])

    @property
    def weights(self) -> list[float]:
        """The weights of the style images, where all content images share them."""
        assert not any(isinstance(each, list) for each in self.style_weights)
        return [float(each) for each in self.style_weights if not isinstance(each, list)]

    @property
    def leaves_uncovered(self) -> bool:
        """Whether the content masks leave any part of the content image unpainted."""
        return masks.leaves_uncovered(self.content_masks)

    def record(self) -> dict[str, Any]:
        """What the result's record has of them, as JSON can hold it."""
        return {
            "styles": [style.name for style in self.styles],
            "styles_sha256": [style.sha256 for style in self.styles],
            "style_weights": self.style_weights,
            "content_masks": [mask.name for mask in self.content_masks],
            "style_masks": [None if mask is None else mask.name for mask in self.style_masks],
        }

    def fingerprint(self) -> dict[str, Any]:
        """What identifies them wherever the files lie: the SHA-256 of their pixels."""
        return {
            "styles_sha256": [style.sha256 for style in self.styles],
            "style_weights": self.style_weights,
            "content_masks_sha256": [mask.sha256 for mask in self.content_masks],
            "style_masks_sha256": [None if mask is None else mask.sha256 for mask in self.style_masks],
            "init": None if isinstance(self.init, Picture) else self.init,
            "init_sha256": self.init.sha256 if isinstance(self.init, Picture) else None,
        }


def load_inputs(settings: StyleSettings) -> Inputs:
    """Load style images and masks.

    Raises:
        InputError: There is no style image, one can't be read, or the weights don't fit them.
    """
    if not settings.style_sources:
        raise InputError("there is no style image: give at least one")
    style_weights = normalized(settings.style_weights, len(settings.style_sources))
    return Inputs(
        styles=[images.load(style) for style in settings.style_sources],
        style_weights=style_weights,
        content_masks=[images.load(mask) for mask in as_list(settings.content_masks)],
        style_masks=[None if mask is None else images.load(mask) for mask in as_list(settings.style_masks)],
    )


def check_one_each(settings: StyleSettings) -> tuple[list[Any], list[Any]]:
    """The style images and their masks, where the content image is painted once in each style.

    Returns:
        The style images, and as many masks, each of which may be None.

    Raises:
        InputError: An option is of use for a blend only, or there is not one style mask for each style image.
    """
    styles, style_masks = settings.style_sources, as_list(settings.style_masks)
    if settings.style_weights is not None:
        raise InputError("each style is painted by itself: leave out style weights")
    if not styles:
        raise InputError("there is no style image: give at least one")
    if len(style_masks) not in (0, len(styles)):
        raise InputError(
            f"there are {len(style_masks)} style masks for {len(styles)} style images: give one for each, or none"
        )
    if len(as_list(settings.content_masks)) > 1:
        raise InputError("each style is painted by itself: give one content mask")
    return styles, style_masks or [None] * len(styles)
