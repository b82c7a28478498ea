"""Content loss: the squared difference of features from those of the content image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import keras
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.term import Features, Masks, References, Sums, Targets, Term, Windows
from tfstyle.losses.tiles import Window


@keras.saving.register_keras_serializable(package="tfstyle")
class ContentTerm(Term):
    """Squared difference of features from those of the content image.

    F are the features and P those of the content image. The loss of a layer depends on `normalization`:

    - `"mean"`: the mean of (F − P)² over positions and channels.
    - `"paper"`: ½ Σ (F − P)², equation 1 of Gatys et al. 2016.
    - `"relative"`: mean (F − P)² / mean P², which has no units. A picture with nothing of the content has about 1.

    The losses of several layers are averaged.

    Args:
        backbone: The backbone.
        layers: Name of one layer or of several. None for the backbone's content layer.
        weight: Factor of the loss, at least 0.
        normalization: `"mean"`, `"paper"` or `"relative"`.
        name: Name under which the loss is reported.

    Raises:
        InputError: The weight is negative, or there are no layers.
        ValueError: The normalization is none of these.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", section 2.1.
    """

    def __init__(
        self,
        backbone: Backbone,
        layers: str | Iterable[str] | None = None,
        weight: float = 1.0,
        normalization: Literal["mean", "paper", "relative"] = "mean",
        name: str = "content",
    ) -> None:
        layers = backbone.content_layer if layers is None else layers
        super().__init__(backbone, layers, weight, name)
        if normalization not in ("mean", "paper", "relative"):
            raise ValueError(f"normalization must be 'mean', 'paper' or 'relative', not {normalization!r}")
        self.normalization = normalization

    @property
    def target_layers(self) -> tuple[str, ...]:
        """All layers."""
        return self.layers

    def reference_sums(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """By layer Σ P² and the number of values."""
        return {layer: squares(features[layer], windows[layer]) for layer in self.layers}

    def targets(self, references: References) -> Targets:
        """By layer the features P of the content image, and mean P²."""
        targets = {}
        for layer in self.layers:
            sums = references.content_sums[layer]
            size = sums["squares"] / sums["count"]
            targets[layer] = {"features": references.content_features[layer], "size": size}
        return targets

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """By layer Σ (F − P)² and the number of values."""
        sums = {}
        for layer in self.layers:
            values = at_least_float32(features[layer])
            target = windows[layer].cut(targets[layer]["features"], values.shape[1:3])
            sums[layer] = squares(values - ops.cast(target, values.dtype), windows[layer])
        return sums

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """The mean over layers of the losses by the formula of the class, `(batch,)`."""
        return sum(self._layer(sums[layer], targets[layer]["size"]) for layer in self.layers) / len(self.layers)

    def _layer(self, sums: Sums, size: Tensor) -> Tensor:
        if self.normalization == "paper":
            return sums["squares"] / 2
        mean = sums["squares"] / sums["count"]
        return mean if self.normalization == "mean" else mean / (size + keras.config.epsilon())

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "normalization": self.normalization}


def squares(values: Tensor, window: Window) -> Sums:
    """`"squares"`, Σ x² over the positions that the window owns, and `"count"`, their number; each `(batch,)`."""
    values = at_least_float32(values)
    weights = window.weights(values.shape[1:3])
    if weights is not None:
        weights = ops.cast(weights, values.dtype)[..., None]
    weighted = ops.square(values) if weights is None else ops.square(values) * weights
    return {"squares": ops.sum(weighted, axis=(1, 2, 3)), "count": count(values, weights)}


def count(values: Tensor, weights: Tensor | None) -> Tensor:
    """The number of values, those of a position counted by its weight, `(batch,)`.

    Args:
        values: `(batch, height, width, channels)`.
        weights: `(1, height, width, 1)`. None for 1 everywhere.
    """
    batch, height, width, channels = values.shape
    positions = height * width if weights is None else ops.sum(weights)
    return ops.zeros((batch,), values.dtype) + positions * channels
