"""What a canvas begins with: its pictures at the size that they are worked on, and where each style goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.images import masks
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import LEAST_SIDE, sized


@dataclass(frozen=True, eq=False)
class Inputs:
    """Pictures at the size that they are worked on.

    Attributes:
        photo: The content picture.
        paintings: The style pictures, of any sizes.
        start: float32 (height, width, 3): what the optimisation begins with.
        regions: Which style goes where; None for all of them everywhere.
    """

    photo: Picture
    paintings: list[Picture]
    start: np.ndarray
    regions: masks.Regions | None


def prepare(
    content: images.Source,
    styles: Sequence[images.Source],
    minimum: int,
    *,
    mix: Sequence[float] | None = None,
    init: str | images.Source = "content",
    size: int | None = None,
    style_scale: float = 1.0,
    content_masks: Sequence[images.Source] = (),
    style_masks: Sequence[images.Source | None] = (),
    voids: Sequence[images.Source] = (),
    seed: int = 0,
    masked: bool = False,
) -> Inputs:
    """Load all pictures at their size; `minimum` is the shortest side that the backbones take, in pixels.

    The other arguments are those of `tfstyle.Canvas`; `masked` pictures have regions even where no mask asks for any,
    as others beside them have.

    Raises:
        InputError: A picture or mask can't be read or used, or is too small for a backbone.
    """
    photo = sized(content, size, minimum)
    paintings = [sized(style, size, minimum, style_scale) for style in styles]
    regions = None
    if masked or len(content_masks) or any(mask is not None for mask in style_masks) or len(voids):
        shapes = [painting.rgb.shape[:2] for painting in paintings]
        regions = masks.regions(
            content_masks,
            style_masks,
            mix or [1 / len(paintings)] * len(paintings),
            photo.rgb.shape[:2],
            shapes,
        )
        if len(voids):
            regions = masks.exclude_blank(regions, voids, shapes)
        elif regions.everywhere and not masked:
            regions = None  # the same but for rounding, and less to do
    return Inputs(photo, paintings, _start(init, photo, seed), regions)


def for_each(
    mix: Sequence[Sequence[float]],
    number: int,
    styles: Sequence[images.Source],
    content_masks: Sequence[images.Source],
    style_masks: Sequence[images.Source | None],
) -> list[dict[str, Any]]:
    """What `prepare` is asked for each picture: the styles that have a weight in its row of the mix, and their masks.

    Args:
        mix: One row for each picture, of a weight for each style.
        number: Of pictures.
        styles: The style pictures of all.
        content_masks: Of each picture.
        style_masks: None at all, or one for each style, each of which may be None.

    Raises:
        InputError: The mix or the masks are not as many.
    """
    if len(mix) != number or any(len(row) != len(styles) or not any(row) for row in mix):
        raise InputError(
            f"the mix has not a row for each of {number} contents, of {len(styles)} weights that are not all 0: "
            f"give it those"
        )
    if len(style_masks) not in (0, len(styles)):
        raise InputError(
            f"there are {len(style_masks)} style masks for {len(styles)} styles: give one for each, or none"
        )
    masked = len(content_masks) > 0 or len(style_masks) > 0
    found = []
    for row in mix:
        own = [k for k, weight in enumerate(row) if weight > 0]
        found.append(
            {
                "styles": [styles[k] for k in own],
                "mix": [row[k] for k in own],
                "style_masks": [style_masks[k] for k in own] if len(style_masks) else [],
                "masked": masked,
            }
        )
    return found


def _start(init: str | images.Source, photo: Picture, seed: int) -> np.ndarray:
    if isinstance(init, str) and init == "content":
        return photo.rgb
    if isinstance(init, str) and init == "noise":
        return np.random.default_rng(seed).random(photo.rgb.shape, np.float32)
    return sized(init, None, LEAST_SIDE).resized(photo.rgb.shape[:2]).rgb
