"""Targets: what the terms of an objective compare a picture with, computed once before an optimisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.images.masks import Regions
from tfstyle.losses.accumulation import AllFeatures, AllWindows, FeatureAccumulator, mean_activations
from tfstyle.losses.extraction import FeatureExtractor
from tfstyle.losses.term import Features, Masks, References, Sums, Targets, Term

SAMPLED_POSITIONS = 256  # of each style image (chosen)


class TargetBuilder:
    """Computes the targets of terms from a content image and style images.

    A style image without any weight is left out.

    Args:
        extractor: Features of the layers that the terms need.
        terms: The terms with their names.
        tile: Longest side of a tile, in pixels. None for no tiles.
        content: `(batch, height, width, 3)`, RGB in [0, 1].
        styles: Images of any sizes, each `(1, height, width, 3)`, RGB in [0, 1].
        style_weights: Weights of the style images, which sum to 1. None for equal weights.
        regions: Regions with style weights of their own. None for all styles everywhere.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        terms: Sequence[tuple[str, Term]],
        tile: int | None,
        content: Tensor,
        styles: Sequence[Tensor],
        style_weights: Sequence[float] | None,
        regions: Regions | None,
    ) -> None:
        self._extractor = extractor
        self._terms = terms
        if regions is None:
            rows = [list(style_weights or [1 / len(styles)] * len(styles))]
            masks: list[np.ndarray | None] = [None] * (1 + len(styles))
        else:
            rows = regions.style_weights.tolist()
            masks = [regions.content, *regions.styles]
        used = [k for k in range(len(styles)) if any(row[k] > 0 for row in rows)]
        self._style_weights = [[row[k] for k in used] for row in rows]
        self._masks = [masks[0], *(masks[1 + k] for k in used)]
        self._images = []
        for image in (content, *(styles[k] for k in used)):
            height, width = image.shape[1:3]
            grid = extractor.grid(height, width, tile)
            self._images.append(FeatureAccumulator(image, grid, extractor, extractor.windows))

    def build(self) -> Targets:
        """The targets: `"scales"` of normalised backbones' layers, and `"terms"`."""
        scales = self._scales()
        constants = {
            name: {"constants": term.constants(self._samples(term, scales))} if term.sampled_layers else {}
            for name, term in self._terms
        }
        content_masks, sums, content_features = self._accumulate(scales, constants)
        content_sums, *style_sums = sums
        targets = {}
        for name, term in self._terms:
            references = References(
                content_features=self._extractor.select(term, content_features, scales, term.target_layers),
                content_sums=content_sums[name],
                style_sums=[each[name] for each in style_sums],
                style_weights=self._style_weights,
                masks=None if content_masks is None else self._extractor.select(term, content_masks),
            )
            targets[name] = {**term.targets(references), **constants[name]}
        return {"scales": scales, "terms": targets}

    def _accumulate(
        self, scales: Mapping[str, Any], constants: Mapping[str, Any]
    ) -> tuple[list[Masks] | None, list[dict[str, Sums]], list[Features]]:
        """The content image's masks, each image's sums by term, and the content image's features at target layers."""
        masks_of_images: list[Any] = []
        sums_of_images: list[dict[str, Sums]] = []
        content_features: list[Features] = []
        for index, (image, regions) in enumerate(zip(self._images, self._masks, strict=True)):
            masks = None if regions is None else image.masks(regions)
            function = self._reference_sums(scales, masks, constants)
            sums, features = image.accumulate(function, None if index else self._target_layers)
            image.release()
            masks_of_images.append(masks)
            sums_of_images.append(sums)
            content_features = content_features or list(features)
        return masks_of_images[0], sums_of_images, content_features

    def _reference_sums(
        self, scales: Mapping[str, Any], masks: Sequence[Masks] | None, constants: Mapping[str, Any]
    ) -> Callable[[AllFeatures, AllWindows], dict[str, Sums]]:
        """The reference sums of each term, as a function of features and windows."""
        select = self._extractor.select
        return lambda features, windows: {
            name: term.reference_sums(
                select(term, features, scales),
                select(term, windows),
                None if masks is None else select(term, masks),
                **constants[name],
            )
            for name, term in self._terms
        }

    def _scales(self) -> dict[str, dict[str, Tensor]]:
        """By the number of a normalised backbone, the factor of each layer that makes its mean activation 1."""
        return {
            str(index): {
                layer: 1 / (mean + keras.config.epsilon())
                for layer, mean in mean_activations(self._images, index).items()
            }
            for index, backbone in enumerate(self._extractor.backbones)
            if backbone.normalize
        }

    def _samples(self, term: Term, scales: Mapping[str, Any]) -> Features:
        """Features of the style images at random positions, by layer of one term."""
        places = np.random.default_rng(0).random((1, SAMPLED_POSITIONS, 2))

        def sample(features: AllFeatures, windows: AllWindows) -> Features:
            term_features = self._extractor.select(term, features, scales)
            term_windows = self._extractor.select(term, windows)
            return {layer: term_windows[layer].sample(term_features[layer], places) for layer in term.sampled_layers}

        samples = [image.sums(sample) for image in self._images[1:]]
        return {layer: ops.concatenate([each[layer] for each in samples], axis=1) for layer in term.sampled_layers}

    @property
    def _target_layers(self) -> list[list[str]]:
        """Of each backbone, and last of the pixels, the layers whose content features are targets."""
        return [
            sorted({layer for _, term in self._terms if term.backbone is backbone for layer in term.target_layers})
            for backbone in (*self._extractor.backbones, None)
        ]


def side_by_side(targets: Sequence[Targets]) -> Targets:
    """The targets of a batch of pictures that have style images, weights and regions of their own.

    Args:
        targets: The targets of each picture, all of one objective, one size and one number of regions.
    """
    return keras.tree.map_structure(lambda *parts: ops.concatenate(parts, axis=0), *targets)
