"""Inputs of a canvas: its images at the size that they are worked on, and where each style goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.images import masks
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import LEAST_SIDE, sized


@dataclass(frozen=True, eq=False)
class CanvasInputs:
    """Images at the size that they are worked on.

    Attributes:
        content: The content image.
        styles: The style images, of any sizes.
        initial: The initial image, float32 `(height, width, 3)` in [0, 1], of the content's size.
        style_weights: Weights of the style images, which sum to 1. None for equal weights.
        regions: Which style goes where. None for all styles everywhere.
    """

    content: Picture
    styles: list[Picture]
    initial: np.ndarray
    style_weights: Sequence[float] | None
    regions: masks.Regions | None


@dataclass(frozen=True, eq=False)
class CanvasOptions:
    """Options that all pictures of a canvas share.

    Attributes:
        style_weights: Weights of the style images, which sum to 1; or a row of weights for each picture. None for
            equal weights.
        size: Longer side of the content image, in pixels. None for its own size.
        style_scale: Factor of the sizes of the style images.
        content_masks: Masks of the content image.
        style_masks: A mask for each style image, or None for all of it; or no masks.
        blank_masks: Masks of the blank areas of the content image and of each style image; or no masks.
        seed: Seed of noise.
    """

    style_weights: Sequence[float] | Sequence[Sequence[float]] | None = None
    size: int | None = None
    style_scale: float = 1.0
    content_masks: Sequence[images.Source] = ()
    style_masks: Sequence[images.Source | None] = ()
    blank_masks: Sequence[images.Source] = ()
    seed: int = 0

    @property
    def weights_by_picture(self) -> bool:
        """Whether each picture has style weights of its own."""
        return self.style_weights is not None and np.ndim(self.style_weights[0]) > 0


def prepare(
    content: images.Source,
    styles: Sequence[images.Source],
    minimum: int,
    *,
    style_weights: Sequence[float] | None = None,
    init: images.Source = "content",
    size: int | None = None,
    style_scale: float = 1.0,
    content_masks: Sequence[images.Source] = (),
    style_masks: Sequence[images.Source | None] = (),
    blank_masks: Sequence[images.Source] = (),
    seed: int = 0,
    always_regions: bool = False,
) -> CanvasInputs:
    """Load the images of one picture at their size.

    Args:
        content: The content image.
        styles: The style images.
        minimum: Shortest side that the backbones take, in pixels.
        style_weights: Weights of the style images, which sum to 1. None for equal weights.
        init: `"content"`, `"noise"` or an initial image.
        size: Longer side of the content image, in pixels. None for its own size.
        style_scale: Factor of the sizes of the style images.
        content_masks: Masks of the content image.
        style_masks: A mask for each style image, or None for all of it; or no masks.
        blank_masks: Masks of the blank areas of the content image and of each style image; or no masks.
        seed: Seed of noise.
        always_regions: Whether there are regions even without masks, because other pictures of the batch have some.

    Raises:
        InputError: An image or a mask can't be read or used, or is too small for a backbone.
    """
    content_image = sized(content, size, minimum)
    style_images = [sized(style, size, minimum, style_scale) for style in styles]
    has_masks = len(content_masks) > 0 or any(mask is not None for mask in style_masks)
    regions = None
    if always_regions or has_masks or len(blank_masks):
        shapes = [style.rgb.shape[:2] for style in style_images]
        regions = masks.regions(
            content_masks,
            style_masks,
            style_weights or [1 / len(style_images)] * len(style_images),
            content_image.rgb.shape[:2],
            shapes,
        )
        if len(blank_masks):
            regions = masks.exclude_blank(regions, blank_masks, shapes)
        elif regions.everywhere and not always_regions:
            regions = None  # which differs by rounding only, and is less work
    initial = _initial_image(init, content_image, seed)
    return CanvasInputs(content_image, style_images, initial, style_weights, regions)


def prepare_batch(
    contents: Sequence[images.Source],
    styles: Sequence[images.Source],
    inits: Sequence[images.Source],
    minimum: int,
    options: CanvasOptions,
) -> list[CanvasInputs]:
    """Load the images of several pictures of one size.

    Args:
        contents: The content images.
        styles: The style images of all pictures.
        inits: `"content"`, `"noise"` or an initial image, for each content image.
        minimum: Shortest side that the backbones take, in pixels.
        options: What the pictures share. With a row of style weights for each picture, a picture has the style images
            whose weight in its row is above 0.

    Raises:
        InputError: An image or a mask can't be read or used; the contents differ in size; or there are not as many
            style weights or masks as there must be.
    """
    pictures = [(options, styles)] * len(contents)
    always_regions = False
    if options.weights_by_picture:
        pictures = _split(options, len(contents), styles)
        always_regions = len(options.content_masks) > 0 or len(options.style_masks) > 0
    inputs = [
        prepare(content, picture_styles, minimum, init=init, always_regions=always_regions, **vars(picture_options))
        for content, init, (picture_options, picture_styles) in zip(contents, inits, pictures, strict=True)
    ]
    for other in inputs[1:]:
        if other.content.rgb.shape != inputs[0].content.rgb.shape:
            raise InputError(f"{other.content.name} has not the size of {inputs[0].content.name}: paint it by itself")
    return inputs


def _split(
    options: CanvasOptions, number: int, styles: Sequence[images.Source]
) -> list[tuple[CanvasOptions, Sequence[images.Source]]]:
    """For each picture its options and its style images: those with a weight in its row of style weights.

    Raises:
        InputError: There is not one row of weights for each picture and one weight for each style image, or not one
            mask for each style image.
    """
    rows: Any = options.style_weights
    if len(rows) != number or any(len(row) != len(styles) or not any(row) for row in rows):
        raise InputError(
            f"the style weights don't fit {number} contents and {len(styles)} styles: give a row for each content, "
            f"with a weight for each style, not all 0"
        )
    if len(options.style_masks) not in (0, len(styles)):
        raise InputError(
            f"there are {len(options.style_masks)} style masks for {len(styles)} styles: give one for each, or none"
        )
    pictures: list[tuple[CanvasOptions, Sequence[images.Source]]] = []
    for row in rows:
        used = [k for k, weight in enumerate(row) if weight > 0]
        style_masks = [options.style_masks[k] for k in used] if len(options.style_masks) else []
        picture_options = replace(options, style_weights=[row[k] for k in used], style_masks=style_masks)
        pictures.append((picture_options, [styles[k] for k in used]))
    return pictures


def _initial_image(init: images.Source, content: Picture, seed: int) -> np.ndarray:
    if isinstance(init, str) and init == "content":
        return content.rgb
    if isinstance(init, str) and init == "noise":
        return np.random.default_rng(seed).random(content.rgb.shape, np.float32)
    return sized(init, None, LEAST_SIDE).resized(content.rgb.shape[:2]).rgb
