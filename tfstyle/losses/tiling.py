"""Exact sums, losses and gradients over tiles: pictures of any size in bounded memory.

A loss that is a function of sums over positions, as all of tfstyle's are, needs two passes over the tiles of a
picture. The first adds up the sums; the gradient of the losses with respect to them is small; the second pulls it
back to the pixels, tile by tile. Each tile has a halo as wide as the receptive field, and answers for (owns)
positions outside of it only, so that the result is that of the whole picture, not an approximation.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle.core.errors import InputError
from tfstyle.core.gradients import custom_gradient

Tensor = Any
Nest = Any  # of tensors, as keras.tree has it
_END = 2**30  # beyond any picture


@dataclass(frozen=True)
class Halo:
    """What a tile needs around the positions that it owns.

    Attributes:
        stride: All tiles begin at multiples of it, so that strided layers sample the same positions, in pixels.
        before: Pixels at the top and the left.
        after: Pixels at the bottom and the right.
    """

    stride: int
    before: int
    after: int

    @property
    def least_tile(self) -> int:
        """The shortest side of a tile, in pixels, that any side of a picture can be cut to."""
        return self.before + self.after + 2 * self.stride - 1


@dataclass(frozen=True)
class Spans:
    """One side of a picture cut into tiles of one length.

    Attributes:
        length: Of each tile with its halo, in pixels.
        starts: Where each tile begins.
        bounds: Tile i owns the pixels from `bounds[i]` up to `bounds[i + 1]`; the last has no end.
    """

    length: int
    starts: tuple[int, ...]
    bounds: tuple[int, ...]


def spans(side: int, tile: int, halo: Halo) -> Spans:
    """Cut one side into as few tiles of at most `tile` pixels as possible.

    Tiles are as long as the side but for multiples of the stride: networks that pad by the parity of what they
    get ("same" with strides) then pad each tile as they pad the whole.

    Args:
        side: Of the picture, in pixels.
        tile: Longest side of a tile with its halo, in pixels.
        halo: Its halo.

    Raises:
        InputError: The tile leaves nothing to own.
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
    """The part of one layer that a tile holds, and which positions of it the tile owns.

    Attributes:
        begin: Row and column of the tile's first position in the whole layer; None if the tile is the whole.
        owned: First and last row (exclusive), first and last column that the tile owns, in the whole layer.
        last: Row and column where the last tile begins.
    """

    begin: tuple[Tensor, Tensor] | None = None
    owned: tuple[Tensor, Tensor, Tensor, Tensor] | None = None
    last: tuple[int, int] = (0, 0)

    def whole(self, shape: Sequence[int]) -> tuple[int, int]:
        """Height and width of the whole layer, from those of the tile's part."""
        return self.last[0] + shape[0], self.last[1] + shape[1]

    def paste(self, part: np.ndarray, whole: np.ndarray) -> None:
        """Put what the tile owns into its place in the whole layer; in eager mode."""
        top, bottom, left, right = (int(bound) for bound in self.owned or (0, _END, 0, _END))
        row, column = (int(begin) for begin in self.begin or (0, 0))
        whole[:, top:bottom, left:right] = part[:, top - row : bottom - row, left - column : right - column]

    def cut(self, whole: Tensor, shape: Sequence[int]) -> Tensor:
        """The tile's part, `shape` (height, width), of a whole layer `(batch, height, width, ...)`."""
        if self.begin is None:
            return whole
        begin = [0, *self.begin, *[0] * (len(whole.shape) - 3)]
        return tf.slice(whole, begin, [whole.shape[0], *shape, *whole.shape[3:]])

    def weights(self, shape: Sequence[int], mask: Tensor | None = None) -> Tensor | None:
        """How much each position of the tile, of `shape` (height, width), counts: `(1, height, width)`.

        0 in the halo, else 1, times the `mask` of the whole layer; None for 1 everywhere.
        """
        if self.begin is None or self.owned is None:
            return mask
        rows, columns = (begin + tf.range(side) for begin, side in zip(self.begin, shape, strict=True))
        top, bottom, left, right = self.owned
        own_rows = tf.logical_and(rows >= top, rows < bottom)
        own_columns = tf.logical_and(columns >= left, columns < right)
        own = tf.logical_and(own_rows[:, None], own_columns[None, :])[None]
        if mask is None:
            return tf.cast(own, "float32")
        mask = self.cut(mask, shape)
        return tf.where(own, mask, tf.zeros_like(mask))

    def sample(self, part: Tensor, places: Tensor) -> Tensor:
        """The features at some places of the whole layer: `(batch, number, channels)`.

        0 where another tile owns the place, so that the samples of tiles add up to that of the whole.

        Args:
            part: The tile's features, `(batch, height, width, channels)`.
            places: Parts in [0, 1) of the whole layer's height and width, `(1 or batch, number, 2)`.
        """
        batch, height, width, channels = part.shape
        sides = self.whole((height, width))
        row, column = self.begin or (0, 0)
        top, bottom, left, right = self.owned or (0, _END, 0, _END)
        rows, columns = (
            tf.minimum(tf.cast(places[..., axis] * side, "int32"), side - 1) for axis, side in enumerate(sides)
        )
        own = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
        here = tf.where(own, (rows - row) * width + columns - column, 0)
        here, own = (tf.broadcast_to(each, (batch, each.shape[1])) for each in (here, own))
        values = tf.gather(tf.reshape(part, (batch, height * width, channels)), here, batch_dims=1)
        return tf.where(own[..., None], values, tf.zeros_like(values))


WHOLE = Window()


@dataclass(frozen=True)
class Grid:
    """A picture cut into tiles of one size.

    Attributes:
        rows: Its height.
        columns: Its width.
    """

    rows: Spans
    columns: Spans

    @property
    def number(self) -> int:
        """Of tiles."""
        return len(self.rows.starts) * len(self.columns.starts)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of each tile with its halo, in pixels."""
        return self.rows.length, self.columns.length

    def window(self, index: Tensor, stride: int = 1) -> Window:
        """The window of tile `index` in a layer of a stride; in the picture itself that is 1."""
        across = len(self.columns.starts)
        begin, owned = [], []
        for side, i in ((self.rows, index // across), (self.columns, index % across)):
            begin.append(tf.gather(side.starts, i) // stride)
            owned += [tf.gather(side.bounds, i + end) // stride for end in (0, 1)]
        last = self.rows.starts[-1] // stride, self.columns.starts[-1] // stride
        return Window((begin[0], begin[1]), (owned[0], owned[1], owned[2], owned[3]), last)

    def crop(self, pictures: Tensor, index: Tensor) -> Tensor:
        """Tile `index` of pictures `(batch, height, width, channels)`, with its halo."""
        return self.window(index).cut(pictures, self.shape)


def added(parts: Iterable[Nest]) -> Nest:
    """The sum of nests of one structure, in eager mode."""
    return functools.reduce(lambda a, b: keras.tree.map_structure(tf.add, a, b), parts)


def total(part: Callable[[Tensor], Nest], number: int) -> Nest:
    """The sum of `part(i)` over tiles i from 0; one at a time, in eager mode and in a graph."""
    if tf.executing_eagerly():
        return added(part(tf.constant(index)) for index in range(number))
    compiled = tf.function(part).get_concrete_function(tf.TensorSpec((), tf.int32))
    shapes = keras.tree.flatten(compiled.structured_outputs)

    def add(index: Tensor, so_far: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        more = keras.tree.flatten(compiled(index))
        return index + 1, [a + b for a, b in zip(so_far, more, strict=True)]

    _, sums = tf.while_loop(
        lambda index, so_far: index < number,
        add,
        (tf.constant(0), [tf.zeros(each.shape, each.dtype) for each in shapes]),
        parallel_iterations=1,
    )
    return keras.tree.pack_sequence_as(compiled.structured_outputs, sums)


def two_pass(
    sums: Callable[[Tensor, Tensor], Nest],
    losses: Callable[[Nest], list[Tensor]],
    pictures: Tensor,
    grid: Grid,
) -> list[Tensor]:
    """Losses of whole pictures, with exact gradients, in the memory of a tile.

    Args:
        sums: From a crop of the pictures and its tile's index to additive sums.
        losses: From the sums of the whole to the losses.
        pictures: `(batch, height, width, channels)`.
        grid: How they are cut.

    Returns:
        The losses; their gradient with respect to `pictures` takes the second pass.
    """

    @custom_gradient
    def evaluate(pictures: Tensor) -> tuple[list[Tensor], Callable[..., Tensor]]:
        whole = total(lambda index: sums(grid.crop(pictures, index), index), grid.number)

        def gradient(*upstream: Tensor, variables: Sequence[Any] = ()) -> Any:
            leaves = keras.tree.flatten(whole)
            with tf.GradientTape() as tape:
                tape.watch(leaves)
                values = losses(keras.tree.pack_sequence_as(whole, leaves))
            slopes = tape.gradient(values, leaves, list(upstream), unconnected_gradients=tf.UnconnectedGradients.ZERO)

            def pull_back(index: Tensor, so_far: Tensor) -> tuple[Tensor, Tensor]:
                crop = grid.crop(pictures, index)
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(crop)
                    part = keras.tree.flatten(sums(crop, index))
                here = tape.gradient(part, crop, slopes)
                return index + 1, _patched(so_far, here, grid.window(index).begin)

            _, result = tf.while_loop(
                lambda index, so_far: index < grid.number,
                pull_back,
                (_after(slopes, 0), tf.zeros_like(pictures)),
                parallel_iterations=1,
            )
            # The networks' weights are frozen, but TensorFlow asks for their gradients.
            return (result, [None] * len(variables)) if variables else result

        return losses(whole), gradient

    return evaluate(pictures)


def _after(tensors: Sequence[Tensor], number: int) -> Tensor:
    """The number, but not before the tensors are there.

    What of a loop's first iteration needs nothing but its counter would begin at once, beside what comes before the
    loop, and take the memory of a second tile.
    """
    with tf.control_dependencies(tensors):
        return tf.identity(tf.constant(number))


def _patched(whole: Tensor, part: Tensor, begin: Any) -> Tensor:
    """`whole` with `part` added at (row, column) `begin`, in its own memory where TensorFlow can."""
    height, width = part.shape[1:3]
    start = tf.stack([0, *begin, 0])
    end = start + tf.stack([part.shape[0], height, width, part.shape[3]])
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=whole,
        begin=start,
        end=end,
        strides=tf.ones_like(start),
        value=tf.slice(whole, start, end - start) + part,
    )
