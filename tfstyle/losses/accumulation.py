"""A picture as an objective sees it before anything is optimised: the sums of its features, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.images.masks import downsample
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.tiling import Grid, Window, added

Tensor = Any
Nest = Any
MANY = 9  # tiles, from which on compiling the tour pays (chosen)
Features = list[Mapping[str, Tensor]]  # of each backbone, by layer, and last the pixels
Windows = list[Mapping[str, Window]]


class Look:
    """A picture's features, all at once, or computed anew in tiles whenever they are asked for.

    Args:
        picture: `(batch, height, width, 3)`, RGB in [0, 1].
        grid: How it is cut; None for the whole at once, whose features are kept until `forget`.
        features: From pictures to their features.
        windows: From the grid and a tile's index to what of each layer that is.
    """

    def __init__(
        self,
        picture: Tensor,
        grid: Grid | None,
        features: Callable[[Tensor], Features],
        windows: Callable[..., Windows],
    ) -> None:
        self._picture = picture
        self._grid = grid
        self._features = features
        self._windows = windows
        self._seen: Features | None = None

    def summed(self, part: Callable[[Features, Windows], Nest]) -> Nest:
        """The sum of `part(features, windows)` over tiles."""
        return self.toured(part, None)[0]

    def toured(
        self, part: Callable[[Features, Windows], Nest], kept: Sequence[Sequence[str]] | None
    ) -> tuple[Nest, list[dict[str, Tensor]]]:
        """The sum of `part(features, windows)` over tiles, and the whole features of layers, in one tour.

        Args:
            part: Gives a nest of tensors that add up.
            kept: For each backbone, and last the pixels, the layers whose features are put together; None for none.
        """
        windows = self._windows(self._grid, 0)
        kept = [()] * len(windows) if kept is None else kept
        if self._grid is None:
            features = self._at_once()
            return part(features, windows), self._of(features, kept)
        whole: list[dict[str, np.ndarray]] = [{} for _ in kept]
        sums = added(self._visits(part, kept, whole))
        return sums, [{layer: ops.convert_to_tensor(each) for layer, each in found.items()} for found in whole]

    def _visits(
        self,
        part: Callable[[Features, Windows], Nest],
        kept: Sequence[Sequence[str]],
        whole: list[dict[str, np.ndarray]],
    ) -> Iterator[Nest]:
        """The part of each tile, whose kept features are pasted into the whole."""
        grid = self._grid
        assert grid is not None

        def visit(crop: Tensor, index: Tensor) -> tuple[Nest, list[dict[str, Tensor]]]:
            features = self._features(crop)
            return part(features, self._windows(grid, index)), self._of(features, kept)

        if grid.number >= MANY:  # compiled, convolutions are fused with what follows: less time and memory
            visit = tf.function(visit)
        for index in range(grid.number):
            sums, found = visit(grid.crop(self._picture, index), tf.constant(index))
            for layers, there, result in zip(found, self._windows(grid, index), whole, strict=True):
                for layer, values in layers.items():
                    here = ops.convert_to_numpy(values)
                    if layer not in result:
                        shape = here.shape[0], *there[layer].whole(here.shape[1:3]), here.shape[3]
                        result[layer] = np.zeros(shape, here.dtype)
                    there[layer].paste(here, result[layer])
            yield sums

    def _at_once(self) -> Features:
        """The features of the whole, which are computed once."""
        if self._seen is None:
            self._seen = self._features(self._picture)
        return self._seen

    @staticmethod
    def _of(features: Features, kept: Sequence[Sequence[str]]) -> list[dict[str, Tensor]]:
        return [{layer: each[layer] for layer in layers} for each, layers in zip(features, kept, strict=True)]

    def masks(self, regions: np.ndarray) -> list[dict[str, Tensor]]:
        """The regions `(regions, height, width)` at each layer's resolution: `(1, regions, height, width)`."""
        windows = self._windows(self._grid, 0)
        features = self._at_once() if self._grid is None else self._features(self._grid.crop(self._picture, 0))
        return [
            {
                layer: ops.convert_to_tensor(downsample(regions, there[layer].whole(values.shape[1:3]))[None])
                for layer, values in layers.items()
            }
            for layers, there in zip(features, windows, strict=True)
        ]

    def forget(self) -> None:
        """Give the features' memory back."""
        self._seen = None


def mean_activations(looks: Sequence[Look], index: int) -> dict[str, Tensor]:
    """Mean |F| of each layer of backbone `index`, each picture having equal say: `(batch, 1, 1, 1)`."""

    def sums(features: Features, windows: Windows) -> dict[str, dict[str, Tensor]]:
        found = {}
        for layer, values in features[index].items():
            sizes = ops.mean(ops.abs(at_least_float32(values)), axis=-1, keepdims=True)
            weights = windows[index][layer].weights(values.shape[1:3])
            weights = ops.ones_like(sizes[:1]) if weights is None else ops.cast(weights, sizes.dtype)[..., None]
            total, count = (ops.sum(x, axis=(1, 2, 3), keepdims=True) for x in (sizes * weights, weights))
            found[layer] = {"total": total, "count": count}
        return found

    means = [look.summed(sums) for look in looks]
    return {
        layer: sum(each[layer]["total"] / each[layer]["count"] for each in means) / len(means) for layer in means[0]
    }
