"""Masks: which part of a picture is painted in which style, and which part of a style image counts.

A *mask* is grey: 1 where it is white, 0 where it is black or transparent, soft in between. A *segmentation* has
colours, and each is the label of a region. A picture with at least one pixel that is not grey is a segmentation.

Reference:
    Gatys, Ecker, Bethge, Hertzmann, Shechtman 2017, "Controlling Perceptual Factors in Neural Style Transfer",
    section 4: the guidance channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfstyle.core.errors import InputError
from tfstyle.images.io import Source, load, load_named
from tfstyle.images.picture import Picture, fitted_shape
from tfstyle.images.segmentation import SAME_COLOUR, distances, is_segmentation, one_hot, palette

_SHAPE_TOLERANCE = 0.02  # relative error of a mask's sides after resizing to its picture (chosen)


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of a content image, and the styles in which each is painted.

    Attributes:
        content: float32 `(regions, height, width)` in [0, 1]: how much each pixel belongs to each region.
        styles: For each style image, float32 `(regions, its height, its width)` in [0, 1]: how much each pixel counts
            in the style of each region; all zeros where the style weight is 0. None: all pixels count.
        style_weights: float64 `(regions, styles)`: the weights of the styles in each region, which sum to 1.
        names: The name of each region for messages: its colour as "#ff0000", its mask, or "the whole picture".
    """

    content: np.ndarray
    styles: tuple[np.ndarray | None, ...]
    style_weights: np.ndarray
    names: tuple[str, ...]

    @property
    def everywhere(self) -> bool:
        """Whether there is one region that covers all pictures entirely, as without masks."""
        masks = (self.content, *self.styles)
        return len(self.style_weights) == 1 and all(mask is None or (mask == 1).all() for mask in masks)


def regions(
    content_masks: Sequence[Source],
    style_masks: Sequence[Source | None],
    style_weights: Sequence[float],
    content_shape: tuple[int, int],
    style_shapes: Sequence[tuple[int, int]],
) -> Regions:
    """The regions that masks describe.

    - No content mask: one region, the whole picture, painted in all styles by their weights.
    - One grey content mask: one region, painted in all styles by their weights.
    - Several grey content masks, as many as style images: region k is painted in style k alone, whatever the style
      weights. Regions may overlap, and need not cover the picture.
    - With any of these, grey style masks: the part of each style image that counts. None: all of it counts.
    - A segmentation as content mask, and one for each style image: each region is painted in the styles whose
      segmentation has its colour, by their weights, which are scaled to sum to 1. The pixels of that colour count.
      Colours that the content mask lacks are ignored. Transparent pixels belong to no region.

    The colours of a segmentation are those that cover at least 1 % of it; see `tfstyle.images.segmentation.palette`.
    Colours of two segmentations are equal if they differ by at most 16 levels of 8 bits.

    Args:
        content_masks: No mask, one, or one for each style image.
        style_masks: No mask, or one for each style image, each of which may be None.
        style_weights: The weight of each style image; they sum to 1.
        content_shape: (height, width) of the content image in pixels; content masks are resized to it.
        style_shapes: (height, width) of each style image in pixels; its mask is resized to it.

    Raises:
        InputError: The number or kind of masks is none of the above; a mask can't be read, is black everywhere, is a
            photograph, or has another shape than its picture; or no style has a colour of the content mask.

    Examples:
        >>> left = np.zeros((4, 6))
        >>> left[:, :3] = 1
        >>> found = regions([left, 1 - left], [], [0.5, 0.5], (4, 6), [(4, 6), (4, 6)])
        >>> found.content.shape, found.style_weights.tolist()
        ((2, 4, 6), [[1.0, 0.0], [0.0, 1.0]])
    """
    number = len(style_weights)
    content, styles = _load_masks(content_masks, style_masks, number)
    _check_shapes(content, styles, content_shape, style_shapes)
    if segmentations := [mask for mask in content if is_segmentation(mask)]:
        if len(content) > 1:
            name = segmentations[0].name
            raise InputError(f"{name} is a segmentation, having colours: give it alone, or make it grey")
        return _regions_of_segmentations(content[0], styles, style_weights, content_shape, style_shapes)
    for mask in styles:
        if mask is not None and is_segmentation(mask):
            fix = "give a segmentation as the content mask too, or make it grey"
            raise InputError(f"{mask.name} is a segmentation, having colours: {fix}")
    content_weights = [_soft(mask, content_shape) for mask in content] or [np.ones(content_shape, np.float32)]
    counted = [None if mask is None else _soft(mask, shape) for mask, shape in zip(styles, style_shapes, strict=True)]
    return Regions(
        np.stack(content_weights),
        tuple(None if mask is None else np.repeat(mask[None], len(content_weights), axis=0) for mask in counted),
        np.asarray([style_weights], np.float64) if len(content_weights) == 1 else np.eye(number),
        tuple(mask.name for mask in content) or ("the whole picture",),
    )


def leaves_uncovered(content_masks: Sequence[Picture]) -> bool:
    """Whether content masks leave any part of the content image unpainted.

    Args:
        content_masks: Masks for `regions`.

    Examples:
        >>> leaves_uncovered([]), leaves_uncovered([load(np.eye(8))])
        (False, True)
    """
    if not content_masks:
        return False
    shape = content_masks[0].rgb.shape[:2]
    covered = [np.ones(shape) if is_segmentation(mask) else _soft(mask, shape) for mask in content_masks]
    return not np.all(np.max(covered, axis=0))


def exclude_blank(
    regions: Regions, blank_masks: Sequence[Source], style_shapes: Sequence[tuple[int, int]]
) -> Regions:
    """The regions without blank areas: those of the content image are not painted, those of style images don't count.

    Args:
        regions: The regions.
        blank_masks: Grey masks, of the content image and of each style image: 1 where it is blank.
        style_shapes: (height, width) of each style image in pixels.

    Raises:
        InputError: A region of the content image or of a style image is entirely blank.
    """
    shapes = [regions.content.shape[1:], *style_shapes]
    painted = [1 - load(mask, shape).rgb[..., 0] for mask, shape in zip(blank_masks, shapes, strict=True)]
    whole = [np.ones((len(regions.style_weights), *shape), np.float32) for shape in style_shapes]
    counted = [ones if mask is None else mask for mask, ones in zip(regions.styles, whole, strict=True)]
    content, *styles = (mask * factor for mask, factor in zip((regions.content, *counted), painted, strict=True))
    for before, after, name in [
        (regions.content, content, "the content image"),
        *((mask, style, f"style image {k + 1}") for k, (mask, style) in enumerate(zip(counted, styles, strict=True))),
    ]:
        if (before.any(axis=(1, 2)) & ~after.any(axis=(1, 2))).any():
            raise InputError(f"a region of {name} is entirely blank: raise the brightness of blank areas")
    return replace(regions, content=content, styles=tuple(styles))


def grey(source: Source, shape: tuple[int, int], role: str) -> np.ndarray:
    """A grey picture as a number for each pixel of the content image.

    Args:
        source: The picture; transparent pixels count as black.
        shape: (height, width) of the content image in pixels, to which the picture is resized.
        role: What the picture is for, for messages, if it has no name.

    Returns:
        float32 `shape` in [0, 1].

    Raises:
        InputError: The picture can't be read, has colours, or has another shape than the content image.
    """
    mask = load_named(source, role)
    _check_shape(mask, shape, "the content image")
    if is_segmentation(mask):
        raise InputError(f"{mask.name} has colours: make it grey")
    return _weights(mask.resized(shape))


def downsample(weights: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Weights at the resolution of a layer: each cell has the mean over the area that it covers.

    The mean over all positions does not change, and weights of 1 remain exactly 1.

    Args:
        weights: `(regions, height, width)`.
        shape: (height, width) of the layer; it need not divide that of the weights.

    Returns:
        A new float32 `(regions, *shape)`.

    Examples:
        >>> downsample(np.array([[[0.0, 1.0, 1.0, 1.0]]]), (1, 2)).tolist()
        [[[0.5, 1.0]]]
    """
    rows, columns = (_overlaps(pixels, cells) for pixels, cells in zip(weights.shape[1:], shape, strict=True))
    return (rows @ weights.astype(np.float64) @ columns.T).astype(np.float32)


def _overlaps(pixels: int, cells: int) -> np.ndarray:
    """The share of each cell that each pixel covers: float64 (cells, pixels), rows sum to 1."""
    # Borders in a unit in which both are whole numbers.
    pixel_borders, cell_borders = np.arange(pixels + 1) * cells, np.arange(cells + 1) * pixels
    ends = np.minimum(cell_borders[1:, None], pixel_borders[None, 1:])
    return np.maximum(ends - np.maximum(cell_borders[:-1, None], pixel_borders[None, :-1]), 0) / pixels


def _load_masks(
    content_masks: Sequence[Source], style_masks: Sequence[Source | None], styles: int
) -> tuple[list[Picture], list[Picture | None]]:
    """The masks as pictures, and None for each style image without one."""
    if len(content_masks) not in (0, 1, styles):
        problem = f"{_counted(len(content_masks), 'content mask')} for {_counted(styles, 'style image')}"
        raise InputError(f"{problem}: {'give one' if styles == 1 else 'give one, or one for each style image'}")
    if len(style_masks) not in (0, styles):
        problem = f"{_counted(len(style_masks), 'style mask')} for {_counted(styles, 'style image')}"
        raise InputError(f"{problem}: give one for each style image, or none")
    content = [load_named(mask, "content mask", k, len(content_masks)) for k, mask in enumerate(content_masks)]
    style = [
        None if mask is None else load_named(mask, "style mask", k, styles) for k, mask in enumerate(style_masks)
    ]
    return content, style or [None] * styles


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _check_shapes(
    content: Sequence[Picture],
    styles: Sequence[Picture | None],
    content_shape: tuple[int, int],
    style_shapes: Sequence[tuple[int, int]],
) -> None:
    """Check that masks have the shapes of their pictures."""
    for mask in content:
        _check_shape(mask, content_shape, "the content image")
    for k, (style_mask, shape) in enumerate(zip(styles, style_shapes, strict=True)):
        if style_mask is not None:
            _check_shape(style_mask, shape, "the style image" if len(styles) == 1 else f"style image {k + 1}")


def _check_shape(mask: Picture, shape: tuple[int, int], name: str) -> None:
    height, width = mask.rgb.shape[:2]
    sides = zip(fitted_shape(height, width, max(shape)), shape, strict=True)
    if any(abs(side - wanted) > max(1, _SHAPE_TOLERANCE * wanted) for side, wanted in sides):
        problem = f"{mask.name} has {width}x{height} pixels, and {name} {shape[1]}x{shape[0]}, another shape"
        raise InputError(f"{problem}: give a mask of the same shape")


def _soft(mask: Picture, shape: tuple[int, int]) -> np.ndarray:
    """A grey mask that is not black everywhere, resized: float32 shape in [0, 1]."""
    weights = _weights(mask.resized(shape))
    if not weights.any():
        raise InputError(f"{mask.name} is black or transparent all over: make white what it is for")
    return weights


def _weights(mask: Picture) -> np.ndarray:
    """The mean of the channels, and 0 where the mask is transparent: float32 (height, width)."""
    return mask.rgb.mean(axis=-1) * (1 if mask.alpha is None else mask.alpha)


def _regions_of_segmentations(
    content: Picture,
    styles: Sequence[Picture | None],
    style_weights: Sequence[float],
    content_shape: tuple[int, int],
    style_shapes: Sequence[tuple[int, int]],
) -> Regions:
    """The regions of the content's segmentation, and the parts of each style image with the same colours."""
    colours, labels = palette(content)
    style_masks = [mask for mask in styles if mask is not None]
    if len(style_masks) < len(styles):
        fix = "give each style image a mask in the same colours, or give grey content masks, one for each style image"
        if style_masks:
            problem = f"a segmentation, but style image {list(styles).index(None) + 1} has none"
        else:
            problem = f"a segmentation in {_counted(len(colours), 'colour')}, and there is no style mask"
        raise InputError(f"{content.name} is {problem}: {fix}")
    names = tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in colours)
    counted = []
    for mask, shape in zip(style_masks, style_shapes, strict=True):
        style_colours, style_labels = palette(mask)
        distance = distances(style_colours, colours)
        regions_of_colours = np.where(distance.min(axis=1) <= SAME_COLOUR, distance.argmin(axis=1), -1)
        counted.append(one_hot(np.append(regions_of_colours, -1)[style_labels], len(colours), shape))
    has_region = np.array([mask.any(axis=(1, 2)) for mask in counted]).T  # (regions, styles)
    weights = has_region * np.asarray(style_weights, np.float64)
    for name, total in zip(names, weights.sum(axis=1), strict=True):
        if total == 0:
            problem = f"the colour {name} of {content.name} covers 1 % of no mask of a style image that has weight"
            raise InputError(f"{problem}: paint it into one, or over in {content.name}")
    weights /= weights.sum(axis=1, keepdims=True)
    return Regions(one_hot(labels, len(colours), content_shape), tuple(counted), weights, names)
