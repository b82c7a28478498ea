"""Sums and features of the images that an optimisation starts from, accumulated tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.images.masks import downsample
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.tiles import Grid, Window
from tfstyle.losses.two_pass import add_nests

Nest = Any  # nested lists and dictionaries of tensors, as in keras.tree
AllFeatures = list[Mapping[str, Tensor]]  # of each backbone by layer, and last of the pixels
AllWindows = list[Mapping[str, Window]]  # of each backbone by layer, and last of the pixels

COMPILED_TILES = 9  # number of tiles from which on compiling their function saves time (chosen)


class FeatureAccumulator:
    """Sums and features of one image, whose features are computed at once or in tiles.

    Args:
        image: `(batch, height, width, 3)`, RGB in [0, 1].
        grid: The tiles. None for the whole image at once, whose features are kept until `release`.
        features: Function from an image, or a tile of it, to its features.
        windows: Function from the grid and the number of a tile to the part of each layer that the tile covers.
    """

    def __init__(
        self,
        image: Tensor,
        grid: Grid | None,
        features: Callable[[Tensor], AllFeatures],
        windows: Callable[..., AllWindows],
    ) -> None:
        self._image = image
        self._grid = grid
        self._features = features
        self._windows = windows
        self._whole_features: AllFeatures | None = None

    def sums(self, function: Callable[[AllFeatures, AllWindows], Nest]) -> Nest:
        """The sum of `function(features, windows)` over tiles."""
        return self.accumulate(function, None)[0]

    def accumulate(
        self,
        function: Callable[[AllFeatures, AllWindows], Nest],
        target_layers: Sequence[Sequence[str]] | None,
    ) -> tuple[Nest, list[dict[str, Tensor]]]:
        """The sum of `function(features, windows)` over tiles, and the features of some layers of the whole image.

        Args:
            function: Gives a nest of tensors that add up.
            target_layers: Layers of each backbone, and last of the pixels, whose features are returned. None for no
                layers.
        """
        windows = self._windows(self._grid, 0)
        target_layers = [()] * len(windows) if target_layers is None else target_layers
        if self._grid is None:
            features = self._at_once()
            return function(features, windows), self._select(features, target_layers)
        whole: list[dict[str, np.ndarray]] = [{} for _ in target_layers]
        sums = add_nests(self._sums_of_tiles(function, target_layers, whole))
        return sums, [{layer: ops.convert_to_tensor(values) for layer, values in layers.items()} for layers in whole]

    def _sums_of_tiles(
        self,
        function: Callable[[AllFeatures, AllWindows], Nest],
        target_layers: Sequence[Sequence[str]],
        whole: list[dict[str, np.ndarray]],
    ) -> Iterator[Nest]:
        """The result of the function for each tile, whose target features are pasted into `whole`."""
        grid = self._grid
        assert grid is not None

        def of_tile(crop: Tensor, index: Tensor) -> tuple[Nest, list[dict[str, Tensor]]]:
            features = self._features(crop)
            return function(features, self._windows(grid, index)), self._select(features, target_layers)

        if grid.number >= COMPILED_TILES:  # compiled, convolutions are fused with what follows: less time and memory
            of_tile = tf.function(of_tile)
        for index in range(grid.number):
            sums, target_features = of_tile(grid.crop(self._image, index), tf.constant(index))
            for layers, windows, whole_layers in zip(target_features, self._windows(grid, index), whole, strict=True):
                for layer, tensor in layers.items():
                    values = ops.convert_to_numpy(tensor)
                    if layer not in whole_layers:
                        sides = windows[layer].whole_shape(values.shape[1:3])
                        whole_layers[layer] = np.zeros((values.shape[0], *sides, values.shape[3]), values.dtype)
                    windows[layer].paste(values, whole_layers[layer])
            yield sums

    def _at_once(self) -> AllFeatures:
        """The features of the whole image, which are computed once."""
        if self._whole_features is None:
            self._whole_features = self._features(self._image)
        return self._whole_features

    @staticmethod
    def _select(features: AllFeatures, target_layers: Sequence[Sequence[str]]) -> list[dict[str, Tensor]]:
        return [
            {layer: each[layer] for layer in layers} for each, layers in zip(features, target_layers, strict=True)
        ]

    def masks(self, regions: np.ndarray) -> list[dict[str, Tensor]]:
        """The regions at the resolution of each layer.

        Args:
            regions: `(regions, height, width)` in [0, 1].

        Returns:
            For each backbone, and last the pixels, by layer: `(1, regions, height, width)`.
        """
        windows = self._windows(self._grid, 0)
        features = self._at_once() if self._grid is None else self._features(self._grid.crop(self._image, 0))
        return [
            {
                layer: ops.convert_to_tensor(
                    downsample(regions, layer_windows[layer].whole_shape(values.shape[1:3]))[None]
                )
                for layer, values in layers.items()
            }
            for layers, layer_windows in zip(features, windows, strict=True)
        ]

    def release(self) -> None:
        """Free the memory of the features."""
        self._whole_features = None


def mean_activations(accumulators: Sequence[FeatureAccumulator], index: int) -> dict[str, Tensor]:
    """The mean of |F| by layer over several images, which count alike: `(batch, 1, 1, 1)`.

    Args:
        accumulators: The images.
        index: Number of the backbone.
    """

    def totals(features: AllFeatures, windows: AllWindows) -> dict[str, dict[str, Tensor]]:
        result = {}
        for layer, values in features[index].items():
            sizes = ops.mean(ops.abs(at_least_float32(values)), axis=-1, keepdims=True)
            weights = windows[index][layer].weights(values.shape[1:3])
            weights = ops.ones_like(sizes[:1]) if weights is None else ops.cast(weights, sizes.dtype)[..., None]
            total, count = (ops.sum(x, axis=(1, 2, 3), keepdims=True) for x in (sizes * weights, weights))
            result[layer] = {"total": total, "count": count}
        return result

    sums = [accumulator.sums(totals) for accumulator in accumulators]
    return {layer: sum(each[layer]["total"] / each[layer]["count"] for each in sums) / len(sums) for layer in sums[0]}
