"""Memory of an optimisation step: an estimate, and the tiles and the history of L-BFGS that fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfstyle.core.memory import GIB

if TYPE_CHECKING:
    from tfstyle.losses.objective import Objective

SHARE = 0.7  # of the free memory that a step may take (chosen), as estimates are rough
# Bytes that the pairs of L-BFGS may take (chosen): 20 pairs up to 2100 x 2100 pixels, in half precision from 1490 on.
HISTORY_BYTES = GIB
# Ratio of the areas of tiles with and without halo (chosen). Up to `OVERLAP`, a larger tile is worth its memory. With
# more than `MOST_OVERLAP`, tiles would save little memory beside the pictures and take many times as long.
OVERLAP, MOST_OVERLAP = 1.4, 2.0
MOST_PICTURES = 8  # in one step (chosen): each has an optimizer to compile, and Ctrl-C stops all of them
_PIXEL = 12  # bytes of three float32
_PICTURES = 9  # besides the pairs: pixels, best, gradient, last pixels and gradient, and temporaries of the step
_PLENTY = 16 * 2**10  # bytes per pixel that suffice for any network (chosen): small pictures need no estimate
_GRADIENTS = 1.6  # memory of features and their gradients divided by that of features (measured with VGG19)


@dataclass(frozen=True)
class History:
    """The pairs of L-BFGS.

    Attributes:
        pairs: Number of pairs.
        dtype: `"bfloat16"`, or None for the dtype of the variable.
    """

    pairs: int
    dtype: str | None = None

    @property
    def pixel_bytes(self) -> int:
        """Bytes per pixel of the picture."""
        return 2 * self.pairs * (_PIXEL if self.dtype is None else _PIXEL // 2)


def history(height: int, width: int, wanted: int) -> History:
    """The pairs of L-BFGS for a picture: as many as wanted, or as fit `HISTORY_BYTES` in half precision.

    Half as many pairs in full precision ended with a loss 4 to 8 % higher than pairs in half precision. As many pairs
    in full precision did no better (192 pixels, 60 steps, three pairs of pictures, 1 to 20 pairs of L-BFGS).

    Args:
        height: Height of the picture, in pixels.
        width: Width of the picture, in pixels.
        wanted: Number of pairs that are wanted.
    """
    fitting = HISTORY_BYTES // (_PIXEL * height * width)
    return History(wanted) if 2 * wanted <= fitting else History(max(1, min(wanted, fitting)), "bfloat16")


def step_bytes(objective: Objective, height: int, width: int, pairs: History) -> int:
    """Estimate of the bytes that a step on a whole picture takes."""
    return (_features(objective) + _PIXEL * _PICTURES + pairs.pixel_bytes) * height * width


def pictures_per_step(
    objective: Objective, height: int, width: int, pairs: History, free: int, tile: int | None = None
) -> int:
    """How many pictures of a size fit one step: from 1 to `MOST_PICTURES`.

    Args:
        objective: The objective.
        height: Height of a picture, in pixels.
        width: Width of a picture, in pixels.
        pairs: The pairs of L-BFGS.
        free: Free memory, in bytes.
        tile: Side of the tiles, in pixels. None for whole pictures.
    """
    pixels = height * width
    pixels_at_once = pixels if tile is None else min(pixels, tile**2)
    picture_bytes = _features(objective) * pixels_at_once + (_PIXEL * _PICTURES + pairs.pixel_bytes) * pixels
    return max(1, min(MOST_PICTURES, int(SHARE * free / picture_bytes)))


def _features(objective: Objective) -> int:
    """Bytes per pixel of the features that a gradient needs."""
    return math.ceil(_GRADIENTS * sum(b.feature_bytes(layers) for b, layers in objective.layers_by_backbone))


def tile(objective: Objective, height: int, width: int, pairs: History, free: int) -> int | None:
    """The side of the tiles that a picture needs, in pixels. None if the whole picture fits, or is too small to cut.

    Tiles are so large that their halos add `OVERLAP` to the work; or smaller if memory is short, but never so small
    that the halos add more than `MOST_OVERLAP`.

    Args:
        objective: The objective.
        height: Height of the picture, in pixels.
        width: Width of the picture, in pixels.
        pairs: The pairs of L-BFGS.
        free: Free memory, in bytes.

    Raises:
        InputError: A layer sees the whole picture.
    """
    if _PLENTY * height * width <= SHARE * free or step_bytes(objective, height, width, pairs) <= SHARE * free:
        return None
    halo = objective.halo
    spare = SHARE * free - (_PIXEL * _PICTURES + pairs.pixel_bytes) * height * width
    fits = math.isqrt(max(0, int(spare / _features(objective))))
    worth, least = (_side(halo.before + halo.after, overlap) for overlap in (OVERLAP, MOST_OVERLAP))
    side = max(halo.least_tile, least, min(fits, worth))
    return side if side < max(height, width) else None


def _side(halo: int, overlap: float) -> int:
    """The side of tiles, in pixels, whose halo (of both sides together) multiplies the work by `overlap`."""
    root = math.sqrt(overlap)
    return math.ceil(halo * root / (root - 1))
