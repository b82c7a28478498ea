"""Features of all layers that terms need: one forward pass for each backbone, whatever the number of terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.features.receptive_field import ReceptiveField
from tfstyle.losses.accumulation import AllFeatures, AllWindows
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.term import PIXELS, Term
from tfstyle.losses.tiles import WHOLE, Grid, Halo, spans


class FeatureExtractor:
    """Features of the layers that terms need, of pictures or of tiles.

    Args:
        terms: The terms.

    Attributes:
        backbones: The backbones of the terms.
        layers_by_backbone: Each backbone with the layers that terms need.
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        self.backbones: tuple[Backbone, ...] = tuple(
            {id(term.backbone): term.backbone for term in terms if term.backbone}.values()
        )
        self.layers_by_backbone = [
            (backbone, sorted({layer for term in terms if term.backbone is backbone for layer in term.layers}))
            for backbone in self.backbones
        ]

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels, that all backbones take."""
        return max((backbone.minimum_side for backbone in self.backbones), default=1)

    @property
    def halo(self) -> Halo:
        """The pixels that tiles need around those that they own.

        Raises:
            InputError: A layer of a backbone sees the whole picture.
        """
        fields = [ReceptiveField(1, 1, 1)]  # terms on pixels look at neighbouring pixels
        for backbone, layers in self.layers_by_backbone:
            fields += backbone.receptive_fields(layers).values()
        stride = math.lcm(*(field.stride for field in fields), *(b.multiple for b in self.backbones))
        before, after = (
            math.ceil(max(getattr(field, side) for field in fields) / stride) * stride for side in ("before", "after")
        )
        lacking = self.minimum_side - before - after  # a tile must be large enough for the networks, too
        return Halo(stride, before, after + max(0, math.ceil(lacking / stride)) * stride)

    def grid(self, height: int, width: int, tile: int | None) -> Grid | None:
        """The tiles of a picture. None if it fits into one.

        Args:
            height: Height of the picture, in pixels.
            width: Width of the picture, in pixels.
            tile: Longest side of a tile, in pixels. None for no tiles.

        Raises:
            InputError: The tile is too small for the layers, or a layer sees the whole picture.
        """
        if tile is None or max(height, width) <= tile:
            return None
        halo = self.halo
        return Grid(spans(height, tile, halo), spans(width, tile, halo))

    def __call__(self, pictures: Tensor) -> AllFeatures:
        """Features of each backbone, in the precision that it computes in, and last the pixels."""
        return [*(backbone(pictures, layers) for backbone, layers in self.layers_by_backbone), {PIXELS: pictures}]

    def windows(self, grid: Grid | None = None, index: Tensor = 0) -> AllWindows:
        """For each backbone, and last the pixels, the part of each layer that a tile covers.

        Args:
            grid: The tiles. None for the whole picture.
            index: Number of the tile.
        """
        if grid is None:
            return [*(dict.fromkeys(layers, WHOLE) for _, layers in self.layers_by_backbone), {PIXELS: WHOLE}]
        windows: AllWindows = [
            {layer: grid.window(index, field.stride) for layer, field in backbone.receptive_fields(layers).items()}
            for backbone, layers in self.layers_by_backbone
        ]
        return [*windows, {PIXELS: grid.window(index)}]

    def select(
        self,
        term: Term,
        everything: Sequence[Mapping[str, Any]],
        scales: Mapping[str, Any] | None = None,
        layers: Iterable[str] | None = None,
    ) -> Any:
        """The features, windows or masks of one term's backbone, or of the pixels.

        Args:
            term: The term.
            everything: What each backbone, and last the pixels, has by layer.
            scales: Factors of normalised backbones' layers, by the number of the backbone, for features.
            layers: Layers to select where there are scales. None for the term's layers.
        """
        index = len(self.backbones) if term.backbone is None else self.backbones.index(term.backbone)
        scale = (scales or {}).get(str(index))
        if scale is None:
            return everything[index]
        layers = term.layers if layers is None else layers
        return {layer: at_least_float32(everything[index][layer]) * scale[layer] for layer in layers}
