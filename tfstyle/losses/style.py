"""Style loss: the distance of a statistic of features from that of the style images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from tfstyle.core.errors import InputError
from tfstyle.core.saving import renamed_keys
from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.losses.statistics import Averages, GramMatrix, Statistic, combine
from tfstyle.losses.term import Features, Masks, References, Sums, Targets, Term, Windows

LEAST_INITIAL_LOSS = 1e-6  # of the loss of features that are all zero (chosen)


@keras.saving.register_keras_serializable(package="tfstyle")
class StyleTerm(Term):
    """Distance of a statistic of the features from that of the style images: a weighted sum over layers.

    A picture may have several regions, each with styles of its own. The losses of regions are weighted by their
    areas, so that every pixel counts alike (chosen).

    Args:
        backbone: The backbone.
        layers: Names of layers. None for the backbone's style layers.
        statistic: The statistic that is compared. None for `GramMatrix()`.
        weight: Factor of the loss, at least 0.
        layer_weights: Weight of each layer. None for 1 / number of layers, as wₗ in Gatys et al. 2016, section 3.
        normalize_losses: Whether the loss of each layer is divided by its value for the content image. All layers
            then count alike in every backbone, and a picture with nothing of the style has the loss 1 (chosen).
            Otherwise the layer with the largest features dominates. The parts of a `Mixture`, whose units differ, are
            divided one by one.
        name: Name under which the loss is reported.

    Raises:
        InputError: The weight is negative, there are no layers, or there is not one layer weight for each layer.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", section 2.2;
        Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", section 4 (regions).
    """

    def __init__(
        self,
        backbone: Backbone,
        layers: Iterable[str] | None = None,
        statistic: Statistic | None = None,
        weight: float = 1.0,
        layer_weights: Sequence[float] | None = None,
        normalize_losses: bool = False,
        name: str = "style",
    ) -> None:
        layers = backbone.style_layers if layers is None else layers
        super().__init__(backbone, layers, weight, name)
        if layer_weights is not None and len(layer_weights) != len(self.layers):
            raise InputError(f"{len(layer_weights)} layer weights for {len(self.layers)} layers: give one for each")
        self.statistic = GramMatrix() if statistic is None else statistic
        self.layer_weights = None if layer_weights is None else tuple(layer_weights)
        self.normalize_losses = normalize_losses

    @property
    def sampled_layers(self) -> tuple[str, ...]:
        """All layers, if the statistic needs a sample."""
        return self.layers if self.statistic.needs_sample else ()

    def constants(self, samples: Features) -> Targets:
        """By layer the constants of the statistic. All regions and styles share them, so that they can be mixed."""
        return {layer: self.statistic.constants(samples[layer]) for layer in self.sampled_layers}

    def reference_sums(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """By layer the sums of the statistic in each region."""
        return self._sums(features, windows, masks or {}, constants or {})

    def _sums(self, features: Features, windows: Windows, masks: Mapping[str, Tensor], constants: Targets) -> Sums:
        sums = {}
        for layer in self.layers:
            statistic = self.statistic.with_constants(constants.get(layer, {}))
            regions = ops.unstack(masks[layer], axis=1) if layer in masks else [None]
            shape = features[layer].shape[1:3]
            weights = [windows[layer].weights(shape, mask) for mask in regions]
            sums[layer] = [statistic.sums(features[layer], each) for each in weights]
        return sums

    def targets(self, references: References) -> Targets:
        """By layer: for each region the averages of its mix of styles and the factor of its loss; masks if any."""
        layer_weights = self.layer_weights or (1 / len(self.layers),) * len(self.layers)
        targets: Targets = {}
        for layer, layer_weight in zip(self.layers, layer_weights, strict=True):
            content_sums = references.content_sums[layer]
            areas = [sums["count"] for sums in content_sums]
            regions = []
            for region, style_weights in enumerate(references.style_weights):
                averages = self._style_averages(references.style_sums, layer, region, style_weights)
                area = (areas[region] / sum(areas))[:, None]
                factor = layer_weight * area * self._factors(content_sums[region], averages)
                regions.append({"averages": averages, "factor": factor})
            targets[layer] = {"regions": regions}
            if references.masks is not None:
                targets[layer]["masks"] = references.masks[layer]
        return targets

    def _style_averages(
        self, style_sums: Sequence[Sums], layer: str, region: int, style_weights: Sequence[float]
    ) -> Averages:
        """The averages of a mix of styles in one region.

        A style image without masks has the sums of the whole image for all regions. A style that a region lacks has
        no positions there, hence no average, and is left out.
        """
        pairs = [
            (sums[layer][min(region, len(sums[layer]) - 1)], weight)
            for sums, weight in zip(style_sums, style_weights, strict=True)
            if weight > 0
        ]
        return combine([self.statistic.averages(sums) for sums, _ in pairs], [weight for _, weight in pairs])

    def _factors(self, content_sums: Sums, averages: Averages) -> Tensor:
        """Factors of the losses of the statistic's parts, `(batch, parts)`.

        They are the weights of the parts, divided with `normalize_losses` by the losses for the content image.
        """
        initial = self.statistic.distances(self.statistic.averages(content_sums), averages)
        part_weights = ops.convert_to_tensor([self.statistic.part_weights], initial.dtype)
        if not self.normalize_losses:
            return ops.broadcast_to(part_weights, initial.shape)
        # A content image that has the style already must not turn rounding errors into losses.
        size = self.statistic.distances({key: ops.zeros_like(value) for key, value in averages.items()}, averages)
        return part_weights / ops.maximum(initial, LEAST_INITIAL_LOSS * size)

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """By layer the sums of the statistic in each region."""
        masks = {layer: targets[layer]["masks"] for layer in self.layers if "masks" in targets[layer]}
        return self._sums(features, windows, masks, targets.get("constants", {}))

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """The weighted sum over layers, regions and parts of the statistic, `(batch,)`."""
        return sum(
            ops.sum(
                region["factor"] * self.statistic.distances(self.statistic.averages(region_sums), region["averages"]),
                axis=-1,
            )
            for layer in self.layers
            for region_sums, region in zip(sums[layer], targets[layer]["regions"], strict=True)
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "statistic": keras.saving.serialize_keras_object(self.statistic),
            "layer_weights": self.layer_weights,
            "normalize_losses": self.normalize_losses,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Term:
        """The term with the configuration of `get_config`."""
        return super().from_config(renamed_keys(config, {"balance": "normalize_losses"}))
