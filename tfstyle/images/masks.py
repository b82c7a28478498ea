"""Where on a picture which style is painted: soft masks and coloured segmentations, as arrays.

The guidance channels of Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", section 4.
A *mask* is grey: 1 where it is white, 0 where it is black or transparent, soft in between. A *segmentation* has
colours: each is a region. A picture with at least one pixel that isn't grey is a segmentation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfstyle.core.errors import InputError
from tfstyle.images.io import Source, load
from tfstyle.images.picture import Picture, fitted_shape, quantized

_GREY = 8 / 255  # chosen: channels no further apart are grey; lossy files and colour profiles are off by less
_LEAST_PART = 0.01  # chosen: of the pixels; what covers less is an edge, smeared by smoothing or a lossy file
_COVERED_PART = 0.5  # chosen: of the pixels, by such colours together; below it's a photograph, given by mistake
_SAME_COLOUR = 16  # chosen, in levels of 8 bits: JPEG changes flat colours by less, palettes' are further apart
_SHAPE_TOLERANCE = 0.02  # chosen: how far off a mask's sides may be once it is brought to its picture's size


@dataclass(frozen=True, eq=False)
class Regions:
    """Where the regions of a picture are, and of which styles, seen where, each is painted.

    Attributes:
        content: float32 (regions, height, width) in [0, 1]: how much of each pixel belongs to each region.
        styles: For each style, float32 (regions, its height, its width) in [0, 1]: how much each pixel counts in
            the style of each region; all zeros where `mix` is. None: all pixels count alike.
        mix: float64 (regions, styles): the styles' weights in each region, which sum to 1.
        names: What messages call each region: its colour as "#ff0000", its mask, or "the whole picture".
    """

    content: np.ndarray
    styles: tuple[np.ndarray | None, ...]
    mix: np.ndarray
    names: tuple[str, ...]

    @property
    def everywhere(self) -> bool:
        """Whether all of every picture is one region, as if there were no masks."""
        return len(self.mix) == 1 and all(mask is None or (mask == 1).all() for mask in (self.content, *self.styles))


def regions(
    content_masks: Sequence[Source],
    style_masks: Sequence[Source | None],
    mix: Sequence[float],
    content_shape: tuple[int, int],
    style_shapes: Sequence[tuple[int, int]],
) -> Regions:
    """The regions that masks describe.

    - One grey content mask: one region, painted in the mix of all styles.
    - As many grey content masks as styles, and more than one: region k is painted in style k alone, whatever the
      mix. Regions may overlap, and need not cover the picture.
    - No content mask: one region, the whole picture, in the mix of all styles.
    - With any of these, grey style masks: what of each style counts. None: all of it does.
    - A segmentation as content mask, and one for each style: in each region, the styles that have its colour are
      mixed, each seen where it has the colour. Their weights are scaled to sum to 1. Colours that the content
      lacks are ignored; what is transparent belongs to no region.

    A segmentation's colours are those that cover at least 1 % of it, counting colours within 16 levels as the more
    frequent one; each pixel has the nearest of them. Of two segmentations, colours within 16 levels are the same.

    Args:
        content_masks: None, one, or one for each style.
        style_masks: None at all, or one for each style, each of which may be None.
        mix: The styles' weights, which sum to 1.
        content_shape: (height, width) of the content picture, which its masks are resized to.
        style_shapes: (height, width) of each style picture, likewise.

    Raises:
        InputError: Numbers or kinds of masks that aren't listed above; a mask that can't be read, is all black, is a
            photograph, or has another shape than its picture; a colour of the content that no style has.
    """
    styles = len(mix)
    if len(content_masks) not in (0, 1, styles):
        fix = "give one" if styles == 1 else "give one, or one for each style"
        raise InputError(f"{_counted(len(content_masks), 'content mask')} for {_counted(styles, 'style')}: {fix}")
    if len(style_masks) not in (0, styles):
        problem = f"{_counted(len(style_masks), 'style mask')} for {_counted(styles, 'style')}"
        raise InputError(f"{problem}: give one for each style, or none")
    own = [_loaded(source, "content mask", k, len(content_masks)) for k, source in enumerate(content_masks)]
    theirs = [
        None if source is None else _loaded(source, "style mask", k, styles) for k, source in enumerate(style_masks)
    ] or [None] * styles
    for mask in own:
        _check_shape(mask, content_shape, "the content picture")
    for k, (each, shape) in enumerate(zip(theirs, style_shapes, strict=True)):
        if each is not None:
            _check_shape(each, shape, "the style picture" if styles == 1 else f"style picture {k + 1}")

    if coloured := [mask for mask in own if _is_segmentation(mask)]:
        if len(own) > 1:
            raise InputError(f"{coloured[0].name} is a segmentation, having colours: give it alone, or make it grey")
        return _by_colour(coloured[0], theirs, mix, content_shape, style_shapes)
    for each in theirs:
        if each is not None and _is_segmentation(each):
            fix = "give a segmentation as the content mask too, or make it grey"
            raise InputError(f"{each.name} is a segmentation, having colours: {fix}")
    where = [_soft(mask, content_shape) for mask in own] or [np.ones(content_shape, np.float32)]
    seen = [None if m is None else _soft(m, shape) for m, shape in zip(theirs, style_shapes, strict=True)]
    return Regions(
        np.stack(where),
        tuple(None if mask is None else np.repeat(mask[None], len(where), axis=0) for mask in seen),
        np.asarray([mix], np.float64) if len(where) == 1 else np.eye(styles),
        tuple(mask.name for mask in own) or ("the whole picture",),
    )


def leave_bare(content_masks: Sequence[Picture]) -> bool:
    """Whether content masks, as `regions` takes them, leave anything of a picture unpainted."""
    if not content_masks:
        return False
    shape = content_masks[0].rgb.shape[:2]
    painted = [np.ones(shape) if _is_segmentation(mask) else _soft(mask, shape) for mask in content_masks]
    return not np.all(np.max(painted, axis=0))


def without(where: Regions, voids: Sequence[Source], style_shapes: Sequence[tuple[int, int]]) -> Regions:
    """The regions without what is bare paper: it is not painted, and of a style it doesn't count.

    Args:
        where: The regions.
        voids: Grey masks, of the content picture and of each style: white is paper, and what is soft is partly so.
        style_shapes: (height, width) of each style picture.

    Raises:
        InputError: Nothing of a region would be painted, or nothing be left of a style in it.
    """
    shapes = [where.content.shape[1:], *style_shapes]
    inked = [1 - load(each, shape).rgb[..., 0] for each, shape in zip(voids, shapes, strict=True)]
    whole = [np.ones((len(where.mix), *shape), np.float32) for shape in style_shapes]
    seen = [ones if mask is None else mask for mask, ones in zip(where.styles, whole, strict=True)]
    content, *styles = (mask * ink for mask, ink in zip((where.content, *seen), inked, strict=True))
    for before, after, what in [
        (where.content, content, "the content picture"),
        *((mask, style, f"style {k + 1}") for k, (mask, style) in enumerate(zip(seen, styles, strict=True))),
    ]:
        if (before.any(axis=(1, 2)) & ~after.any(axis=(1, 2))).any():
            raise InputError(f"a region of {what} is bare paper all over: raise the brightness of voids")
    return replace(where, content=content, styles=tuple(styles))


def grey(source: Source, shape: tuple[int, int], role: str) -> np.ndarray:
    """A grey picture that says something of each pixel of the content picture: float32 (*shape) in [0, 1].

    Args:
        source: The picture, black where it is transparent.
        shape: (height, width) of the content picture, which it is resized to.
        role: What messages call it, where it has no name.

    Raises:
        InputError: It can't be read, has colours, or has another shape than the content picture.
    """
    mask = _loaded(source, role, 0, 1)
    _check_shape(mask, shape, "the content picture")
    if _is_segmentation(mask):
        raise InputError(f"{mask.name} has colours: make it grey")
    return _weights(mask.resized(shape))


def shrunk(weights: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Weights at a layer's resolution: each cell gets the mean over the area it covers.

    The mean over all positions stays what it was, and ones stay exactly ones.

    Args:
        weights: (regions, height, width).
        shape: (height, width) of the layer; it need not divide the weights' size.

    Returns:
        A new float32 (regions, *shape).
    """
    rows, columns = (_shares(old, new) for old, new in zip(weights.shape[1:], shape, strict=True))
    return (rows @ weights.astype(np.float64) @ columns.T).astype(np.float32)


def _shares(old: int, new: int) -> np.ndarray:
    """How much of each of `new` cells each of `old` pixels covers: float64 (new, old), rows sum to 1."""
    pixels, cells = np.arange(old + 1) * new, np.arange(new + 1) * old  # borders, in a unit that makes both whole
    ends = np.minimum(cells[1:, None], pixels[None, 1:])
    return np.maximum(ends - np.maximum(cells[:-1, None], pixels[None, :-1]), 0) / old


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _loaded(source: Source, role: str, index: int, number: int) -> Picture:
    """A mask; what isn't a file or a `Picture`, and so has no name, gets one."""
    named = isinstance(source, str | os.PathLike | Picture)
    return load(source, name=None if named else f"the {role}" if number == 1 else f"{role} {index + 1}")


def _check_shape(mask: Picture, shape: tuple[int, int], of: str) -> None:
    own = mask.rgb.shape[:2]
    sides = zip(fitted_shape(own[0], own[1], max(shape)), shape, strict=True)
    if any(abs(side - wanted) > max(1, _SHAPE_TOLERANCE * wanted) for side, wanted in sides):
        problem = f"{mask.name} has {own[1]}x{own[0]} pixels, and {of} {shape[1]}x{shape[0]}, another shape"
        raise InputError(f"{problem}: give a mask of the same shape")


def _is_segmentation(mask: Picture) -> bool:
    return bool(np.ptp(mask.rgb, axis=-1).max() > _GREY)


def _soft(mask: Picture, shape: tuple[int, int]) -> np.ndarray:
    """A grey mask as float32 (*shape) in [0, 1]."""
    weights = _weights(mask.resized(shape))
    if not weights.any():
        raise InputError(f"{mask.name} is black or transparent all over: make white what it is for")
    return weights


def _weights(mask: Picture) -> np.ndarray:
    return mask.rgb.mean(axis=-1) * (1 if mask.alpha is None else mask.alpha)


def _by_colour(
    content: Picture,
    styles: Sequence[Picture | None],
    mix: Sequence[float],
    content_shape: tuple[int, int],
    style_shapes: Sequence[tuple[int, int]],
) -> Regions:
    """Regions of the content's segmentation, and of each style's the parts with the same colours."""
    colours, labels = _palette(content)
    present = [mask for mask in styles if mask is not None]
    if len(present) < len(styles):
        fix = "give each style a mask in the same colours, or give grey content masks, one for each style"
        if present:
            problem = f"a segmentation, but style {list(styles).index(None) + 1} has none"
        else:
            number = _counted(len(colours), "colour")
            problem = f"a segmentation in {number}, and no style mask tells which style is for which"
        raise InputError(f"{content.name} is {problem}: {fix}")
    names = tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in colours)
    seen = []
    for mask, shape in zip(present, style_shapes, strict=True):
        own, own_labels = _palette(mask)
        distance = _distance(own, colours)
        same = np.where(distance.min(axis=1) <= _SAME_COLOUR, distance.argmin(axis=1), -1)
        seen.append(_one_hot(np.append(same, -1)[own_labels], len(colours), shape))
    has = np.array([mask.any(axis=(1, 2)) for mask in seen]).T  # (regions, styles)
    weights = has * np.asarray(mix, np.float64)
    for name, total in zip(names, weights.sum(axis=1), strict=True):
        if total == 0:
            problem = f"the colour {name} of {content.name} covers 1 % of no mask of a style that has weight"
            raise InputError(f"{problem}: paint it into one, or over in {content.name}")
    weights /= weights.sum(axis=1, keepdims=True)
    return Regions(_one_hot(labels, len(colours), content_shape), tuple(seen), weights, names)


def _palette(mask: Picture) -> tuple[np.ndarray, np.ndarray]:
    """A segmentation's colours, int (n, 3) in levels of 8 bits, and which each pixel has, or −1 if transparent."""
    levels = quantized(mask.rgb, 8).astype(np.int64)
    visible = np.ones(levels.shape[:2], bool) if mask.alpha is None else mask.alpha > 0
    codes = levels @ np.array([65536, 256, 1])
    different, which, counts = np.unique(codes[visible], return_inverse=True, return_counts=True)
    different = different[:, None] // np.array([65536, 256, 1]) % 256

    left, found = np.argsort(-counts, kind="stable"), []
    covered, least = 0, _LEAST_PART * counts.sum()
    while left.size and counts[left[0]] >= least / 10:  # flat colours have peaks, and photographs would take long
        near = _distance(different[left], different[left[:1]])[:, 0] <= _SAME_COLOUR
        if (count := counts[left[near]].sum()) >= least:
            found.append(left[0])
            covered += count
        left = left[~near]
    if covered <= _COVERED_PART * counts.sum():
        raise InputError(f"{mask.name} is not a mask: give one that is grey, or that has few, flat colours")
    colours = different[found]
    nearest = _distance(different, colours).argmin(axis=1)
    labels = np.full(levels.shape[:2], -1)
    labels[visible] = nearest[which.ravel()]
    return colours, labels


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances between colours: int (n, 3) and (m, 3) to (n, m)."""
    return np.sqrt((a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1))  # exact, being integers


def _one_hot(labels: np.ndarray, number: int, shape: tuple[int, int]) -> np.ndarray:
    """Float32 (number, *shape) in [0, 1]: labels 0 to number − 1, soft at edges; with the rest, −1, they sum to 1."""
    channels = [load((labels == k).astype(np.float32), shape).rgb[..., 0] for k in range(-1, number)]
    stacked = np.stack(channels)
    return (stacked / stacked.sum(axis=0))[1:]
