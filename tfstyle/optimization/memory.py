"""What memory there is, what a step needs, and the tiles and history that fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfstyle.core.memory import GIB

if TYPE_CHECKING:
    from tfstyle.losses.objective import Objective

SHARE = 0.7  # of the memory there is, that a step may take as a whole (chosen): estimates are rough
HISTORY_BYTES = GIB  # that L-BFGS's pairs may take (chosen): 20 up to 2100 x 2100 pixels, in half precision from 1490
# Tiles with their halo over tiles without: what is worth its memory; and the most, however short memory is, as still
# smaller tiles save little beside the pictures, and take many times as long (chosen).
OVERLAP, MOST_OVERLAP = 1.4, 2.0
TOGETHER = 8  # pictures in one step, at most (chosen): each has an optimizer to compile, and Ctrl-C stops them all
_PIXEL = 12  # bytes: three float32
_PICTURES = 9  # besides the pairs: pixels, best, gradient, last pixels and gradient, and the step's temporaries
_PLENTY = 16 * 2**10  # bytes per pixel, more than any network needs: small pictures need no estimate (chosen)
_GRADIENTS = 1.6  # features and their gradients, over features alone (measured with VGG19)


@dataclass(frozen=True)
class History:
    """L-BFGS's pairs.

    Attributes:
        pairs: Their number.
        dtype: `"bfloat16"`, or None for the variable's own.
    """

    pairs: int
    dtype: str | None = None

    @property
    def pixel_bytes(self) -> int:
        """What they take, per pixel."""
        return 2 * self.pairs * (_PIXEL if self.dtype is None else _PIXEL // 2)


def history(height: int, width: int, wanted: int) -> History:
    """As many pairs as wanted; or as `HISTORY_BYTES` hold, in half precision, and at least one.

    Half as many in full precision ended 4 to 8 % higher, and as many of them no lower (192 pixels, 60 steps, three
    pairs of pictures, 1 to 20 of L-BFGS's).
    """
    hold = HISTORY_BYTES // (_PIXEL * height * width)
    return History(wanted) if 2 * wanted <= hold else History(max(1, min(wanted, hold)), "bfloat16")


def step_bytes(objective: Objective, height: int, width: int, pairs: History) -> int:
    """Bytes that a step on a whole picture takes, roughly."""
    return (_features(objective) + _PIXEL * _PICTURES + pairs.pixel_bytes) * height * width


def together(
    objective: Objective, height: int, width: int, pairs: History, free: int, tile: int | None = None
) -> int:
    """How many pictures, as wholes or in tiles of a side, `free` bytes hold in one step; from 1 to `TOGETHER`."""
    pixels = height * width
    worked_on = pixels if tile is None else min(pixels, tile**2)
    each = _features(objective) * worked_on + (_PIXEL * _PICTURES + pairs.pixel_bytes) * pixels
    return max(1, min(TOGETHER, int(SHARE * free / each)))


def _features(objective: Objective) -> int:
    """Bytes per pixel of the features that a gradient needs."""
    return math.ceil(_GRADIENTS * sum(b.feature_bytes(layers) for b, layers in objective.layers_by_backbone))


def tile(objective: Objective, height: int, width: int, pairs: History, free: int) -> int | None:
    """The side of the tiles to work in, in pixels; None where `free` bytes hold the whole picture, or for tiny ones.

    They are as large as the overlap of their halos asks for, and smaller where that doesn't fit either, but never
    so small that the halos double the work.

    Raises:
        InputError: A layer looks at the whole picture.
    """
    if _PLENTY * height * width <= SHARE * free or step_bytes(objective, height, width, pairs) <= SHARE * free:
        return None
    halo = objective.halo
    spare = SHARE * free - (_PIXEL * _PICTURES + pairs.pixel_bytes) * height * width
    fits = math.isqrt(max(0, int(spare / _features(objective))))
    worth, least = (_side(halo.before + halo.after, overlap) for overlap in (OVERLAP, MOST_OVERLAP))
    found = max(halo.least_tile, least, min(fits, worth))
    return found if found < max(height, width) else None  # there is no cutting a picture that small


def _side(halo: int, overlap: float) -> int:
    """Of the tiles whose halo, on both sides together, makes the work so many times as much."""
    root = math.sqrt(overlap)
    return math.ceil(halo * root / (root - 1))
