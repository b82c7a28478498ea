"""Tiles: how a picture is cut into overlapping parts, each of which owns some positions of every layer.

A tile has a halo as wide as the receptive fields of the layers, so that the features which it owns are those of the
whole picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor

# The end of what a last tile owns: it owns everything up to the end of the picture, which is nearer than that.
_END = 2**30


@dataclass(frozen=True)
class Halo:
    """The pixels that a tile needs around those that it owns.

    Attributes:
        stride: Every tile begins at a multiple of this, in pixels, so that strided layers sample the same positions.
        before: Pixels at the top and at the left.
        after: Pixels at the bottom and at the right.
    """

    stride: int
    before: int
    after: int

    @property
    def least_tile(self) -> int:
        """The shortest side of a tile, in pixels, that works for a picture of any size."""
        return self.before + self.after + 2 * self.stride - 1


@dataclass(frozen=True)
class Spans:
    """One side of a picture, cut into tiles of one length.

    Attributes:
        length: Length of each tile with its halo, in pixels.
        starts: First pixel of each tile.
        bounds: Tile i owns the pixels from `bounds[i]` up to `bounds[i + 1]`. The last tile has no end.
    """

    length: int
    starts: tuple[int, ...]
    bounds: tuple[int, ...]


def spans(side: int, tile: int, halo: Halo) -> Spans:
    """Cut one side of a picture into as few tiles as possible.

    The length of a tile differs from the side by a multiple of the stride. Networks whose padding depends on the
    size ("same" with strides) then pad each tile as they pad the whole.

    Args:
        side: Side of the picture, in pixels.
        tile: Longest side of a tile with its halo, in pixels.
        halo: The halo of a tile.

    Raises:
        InputError: The tile is so small that it owns nothing.

    Examples:
        >>> spans(100, 60, Halo(stride=4, before=8, after=8))
        Spans(length=60, starts=(0, 40), bounds=(0, 48, 1073741824))
    """
    if side <= tile:
        return Spans(side, (0,), (0, _END))
    if tile < halo.least_tile:
        raise InputError(f"tile {tile} is too small for these layers: give {halo.least_tile} or more")
    fixed = halo.before + halo.after + side % halo.stride
    longest = (tile - fixed) // halo.stride * halo.stride
    number = math.ceil((side - fixed) / longest)
    step = math.ceil((side - fixed) / number / halo.stride) * halo.stride  # tiles of even size
    length = fixed + step
    starts = tuple(min(i * step, side - length) for i in range(number))
    bounds = (0, *(start + halo.before for start in starts[1:]), _END)
    return Spans(length, starts, bounds)


@dataclass(frozen=True)
class Window:
    """The part of one layer that a tile covers, and the positions of it that the tile owns.

    Attributes:
        begin: Row and column of the tile's first position in the whole layer. None if the tile is the whole picture.
        owned: First and last row (exclusive), first and last column (exclusive) that the tile owns, in the whole
            layer. None if the tile is the whole picture.
        last: Row and column where the last tile begins.
    """

    begin: tuple[Tensor, Tensor] | None = None
    owned: tuple[Tensor, Tensor, Tensor, Tensor] | None = None
    last: tuple[int, int] = (0, 0)

    def whole_shape(self, shape: Sequence[int]) -> tuple[int, int]:
        """Height and width of the whole layer, from the height and width of the tile's part."""
        return self.last[0] + shape[0], self.last[1] + shape[1]

    def paste(self, part: np.ndarray, whole: np.ndarray) -> None:
        """Copy what the tile owns into its place in the whole layer, in eager mode.

        Args:
            part: The tile's part, `(batch, height, width, channels)`.
            whole: The whole layer, which is changed.
        """
        top, bottom, left, right = (int(bound) for bound in self.owned or (0, _END, 0, _END))
        row, column = (int(begin) for begin in self.begin or (0, 0))
        whole[:, top:bottom, left:right] = part[:, top - row : bottom - row, left - column : right - column]

    def cut(self, whole: Tensor, shape: Sequence[int]) -> Tensor:
        """The tile's part of a whole layer.

        Args:
            whole: The whole layer, `(batch, height, width, ...)`.
            shape: Height and width of the tile's part.
        """
        if self.begin is None:
            return whole
        begin = [0, *self.begin, *[0] * (len(whole.shape) - 3)]
        return tf.slice(whole, begin, [whole.shape[0], *shape, *whole.shape[3:]])

    def weights(self, shape: Sequence[int], mask: Tensor | None = None) -> Tensor | None:
        """The weight of each position of the tile's part, `(1, height, width)`; None for 1 everywhere.

        A weight is 0 in the halo, and 1 or the value of the mask elsewhere.

        Args:
            shape: Height and width of the tile's part.
            mask: A mask of the whole layer, `(1, height, width)`.
        """
        if self.begin is None or self.owned is None:
            return mask
        rows, columns = (begin + tf.range(side) for begin, side in zip(self.begin, shape, strict=True))
        top, bottom, left, right = self.owned
        owned_rows = tf.logical_and(rows >= top, rows < bottom)
        owned_columns = tf.logical_and(columns >= left, columns < right)
        owned = tf.logical_and(owned_rows[:, None], owned_columns[None, :])[None]
        if mask is None:
            return tf.cast(owned, "float32")
        mask = self.cut(mask, shape)
        return tf.where(owned, mask, tf.zeros_like(mask))

    def sample(self, part: Tensor, places: Tensor) -> Tensor:
        """The features at some places of the whole layer: `(batch, number, channels)`.

        They are 0 where another tile owns the place, so that the samples of all tiles add up to that of the whole.

        Args:
            part: The tile's features, `(batch, height, width, channels)`.
            places: Rows and columns as parts in [0, 1) of the whole layer's sides, `(1 or batch, number, 2)`.
        """
        batch, height, width, channels = part.shape
        sides = self.whole_shape((height, width))
        row, column = self.begin or (0, 0)
        top, bottom, left, right = self.owned or (0, _END, 0, _END)
        rows, columns = (
            tf.minimum(tf.cast(places[..., axis] * side, "int32"), side - 1) for axis, side in enumerate(sides)
        )
        owned = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
        indices = tf.where(owned, (rows - row) * width + columns - column, 0)
        indices, owned = (tf.broadcast_to(each, (batch, each.shape[1])) for each in (indices, owned))
        values = tf.gather(tf.reshape(part, (batch, height * width, channels)), indices, batch_dims=1)
        return tf.where(owned[..., None], values, tf.zeros_like(values))


WHOLE = Window()
"""The window of a picture that is not cut into tiles."""


@dataclass(frozen=True)
class Grid:
    """A picture cut into tiles of one size.

    Attributes:
        rows: The picture's height.
        columns: The picture's width.
    """

    rows: Spans
    columns: Spans

    @property
    def number(self) -> int:
        """Number of tiles."""
        return len(self.rows.starts) * len(self.columns.starts)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of each tile with its halo, in pixels."""
        return self.rows.length, self.columns.length

    def window(self, index: Tensor, stride: int = 1) -> Window:
        """The window of a tile in one layer.

        Args:
            index: Number of the tile, row by row.
            stride: Stride of the layer, in pixels; 1 for the picture itself.
        """
        tiles_per_row = len(self.columns.starts)
        begin, owned = [], []
        for side, i in ((self.rows, index // tiles_per_row), (self.columns, index % tiles_per_row)):
            begin.append(tf.gather(side.starts, i) // stride)
            owned += [tf.gather(side.bounds, i + end) // stride for end in (0, 1)]
        last = self.rows.starts[-1] // stride, self.columns.starts[-1] // stride
        return Window((begin[0], begin[1]), (owned[0], owned[1], owned[2], owned[3]), last)

    def crop(self, pictures: Tensor, index: Tensor) -> Tensor:
        """A tile of pictures `(batch, height, width, channels)`, with its halo."""
        return self.window(index).cut(pictures, self.shape)
