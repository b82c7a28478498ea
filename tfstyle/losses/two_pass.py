"""Exact losses and gradients over tiles: pictures of any size in bounded memory.

All losses of tfstyle are functions of sums over positions. They need two passes over the tiles of a picture. The
first adds up the sums; the gradient of the losses with respect to the sums is small. The second pulls that gradient
back to the pixels, tile by tile. The result is that of the whole picture, not an approximation.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfstyle.core.gradients import custom_gradient
from tfstyle.core.typing import Tensor
from tfstyle.losses.tiles import Grid

Nest = Any  # nested lists and dictionaries of tensors, as in keras.tree


def add_nests(nests: Iterable[Nest]) -> Nest:
    """The sum of nests of one structure, in eager mode."""
    return functools.reduce(lambda a, b: keras.tree.map_structure(tf.add, a, b), nests)


def sum_over_tiles(function: Callable[[Tensor], Nest], number: int) -> Nest:
    """The sum of a function over all tiles, one tile at a time, in eager mode and in a graph.

    Args:
        function: From the number of a tile to a nest of tensors.
        number: Number of tiles.
    """
    if tf.executing_eagerly():
        return add_nests(function(tf.constant(index)) for index in range(number))
    compiled = tf.function(function).get_concrete_function(tf.TensorSpec((), tf.int32))
    shapes = keras.tree.flatten(compiled.structured_outputs)

    def add(index: Tensor, sums: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        values = keras.tree.flatten(compiled(index))
        return index + 1, [a + b for a, b in zip(sums, values, strict=True)]

    _, sums = tf.while_loop(
        lambda index, sums: index < number,
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
        sums: From a crop of the pictures and the number of its tile to additive sums.
        losses: From the sums of the whole pictures to the losses.
        pictures: `(batch, height, width, channels)`.
        grid: The tiles of the pictures.

    Returns:
        The losses. Their gradient with respect to `pictures` takes the second pass.
    """

    @custom_gradient
    def evaluate(pictures: Tensor) -> tuple[list[Tensor], Callable[..., Tensor]]:
        whole = sum_over_tiles(lambda index: sums(grid.crop(pictures, index), index), grid.number)

        def gradient(*upstream: Tensor, variables: Sequence[Any] = ()) -> Any:
            leaves = keras.tree.flatten(whole)
            with tf.GradientTape() as tape:
                tape.watch(leaves)
                values = losses(keras.tree.pack_sequence_as(whole, leaves))
            slopes = tape.gradient(values, leaves, list(upstream), unconnected_gradients=tf.UnconnectedGradients.ZERO)

            def pull_back(index: Tensor, gradients: Tensor) -> tuple[Tensor, Tensor]:
                crop = grid.crop(pictures, index)
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(crop)
                    part = keras.tree.flatten(sums(crop, index))
                of_crop = tape.gradient(part, crop, slopes)
                return index + 1, _add_at(gradients, of_crop, grid.window(index).begin)

            _, result = tf.while_loop(
                lambda index, gradients: index < grid.number,
                pull_back,
                (_after(slopes, 0), tf.zeros_like(pictures)),
                parallel_iterations=1,
            )
            # The networks' weights are frozen, but TensorFlow asks for their gradients.
            return (result, [None] * len(variables)) if variables else result

        return losses(whole), gradient

    return evaluate(pictures)


def _after(tensors: Sequence[Tensor], number: int) -> Tensor:
    """A constant that is computed after some tensors.

    The part of a loop's first iteration that depends on the counter alone would start at once, beside the work before
    the loop, and take the memory of a second tile.
    """
    with tf.control_dependencies(tensors):
        return tf.identity(tf.constant(number))


def _add_at(whole: Tensor, part: Tensor, begin: Any) -> Tensor:
    """Add a part to a whole, in the memory of the whole where TensorFlow can.

    Args:
        whole: `(batch, height, width, channels)`.
        part: `(batch, height, width, channels)` of a tile.
        begin: Row and column of the part in the whole.
    """
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
