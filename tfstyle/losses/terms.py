"""Terms: losses on one backbone's layers or on pixels, each a function of sums over positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import keras
from keras import ops

from tfstyle.core.errors import InputError
from tfstyle.features.backbone import Backbone
from tfstyle.losses.statistics import GramMatrix, Statistic, at_least_float32, blend
from tfstyle.losses.tiling import Window

Tensor = Any
Features = Mapping[str, Tensor]
Windows = Mapping[str, Window]
Masks = Mapping[str, Tensor]  # by layer: (1, regions, height, width) at the layer's resolution
Sums = dict[str, Any]
Targets = dict[str, Any]

LEAST_START = 1e-6  # of the style's own size (chosen)
PIXELS = "pixels"  # the one "layer" of terms that look at the picture itself


class Term:
    """A loss on one backbone's layers, or on pixels, with its weight.

    A term adds up what it needs over positions (`sums`), and its loss is a function of these sums: so pictures
    can be worked on in tiles.

    Args:
        backbone: Whose features it is a loss on; None for pixels.
        layers: One layer's name or several.
        weight: Factor of the loss, at least 0.
        name: Under which the loss is reported.
    """

    def __init__(self, backbone: Backbone | None, layers: str | Iterable[str], weight: float, name: str) -> None:
        if not weight >= 0:
            raise InputError(f"{name} weight {weight:g} is negative: give 0 or more")
        self.backbone = backbone
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        if not self.layers:
            raise InputError(f"the {name} term has no layers: name at least one")
        self.weight = float(weight)
        self.name = name

    @property
    def kept_layers(self) -> tuple[str, ...]:
        """The layers whose features of the content picture are the target, position by position."""
        return ()

    @property
    def draws(self) -> bool:
        """Whether `sums` and `loss` draw at random, and find `"seeds"` `(batch,)` in `targets`, new in each step."""
        return False

    @property
    def sampled_layers(self) -> tuple[str, ...]:
        """The layers of which `constants` needs a sample of the style pictures' features."""
        return ()

    def constants(self, samples: Features) -> Targets:
        """What must be known of the styles before anything is summed, by layer; `sums` finds it in `targets`.

        Args:
            samples: By layer, features `(1 or batch, positions, channels)` at random positions of all style pictures.
        """
        return {}

    def survey(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """Sums over positions of the content or of a style picture, which `targets` needs.

        Args:
            features: Of the picture or of a tile.
            windows: What of each layer that is.
            masks: The regions; None for one region that is the whole picture.
            constants: What `constants` found; None for a term without `sampled_layers`.
        """
        return {}

    def targets(
        self,
        kept: Features,
        content: Sums,
        styles: Sequence[Sums],
        mix: Sequence[Sequence[float]],
        masks: Masks | None,
    ) -> Targets:
        """What the loss compares with; computed once per canvas.

        Args:
            kept: Features of the content picture at `kept_layers`.
            content: What `survey` found of the content picture.
            styles: What it found of each style picture.
            mix: The weights of the styles in each region, `(regions, styles)`; each row sums to 1.
            masks: The regions of the content picture.
        """
        return {}

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """What the loss is a function of: sums over positions, each `(batch, ...)`."""
        raise NotImplementedError

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """The loss before its weight, of shape `(batch,)`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        backbone = keras.saving.serialize_keras_object(self.backbone)
        return {"backbone": backbone, "layers": self.layers, "weight": self.weight, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Term:
        """The term that `get_config` described."""
        return cls(**{key: _deserialize(value) for key, value in config.items()})


@keras.saving.register_keras_serializable(package="tfstyle")
class ContentTerm(Term):
    """How far the features are from the content picture's own.

    With F the features and P the content's, the loss of a layer is, by `normalization`:

    - `"mean"`: mean over positions and channels of (F − P)².
    - `"paper"`: ½ Σ (F − P)², equation 1 of Gatys et al. 2016.
    - `"relative"`: mean (F − P)² / mean P², a loss without units: 1 is a picture with nothing of the content.

    Several layers are averaged.

    Args:
        backbone: Whose features.
        layers: One layer's name or several; None for the backbone's content layer.
        weight: Factor of the loss.
        normalization: One of the three above.
        name: Under which the loss is reported.
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
    def kept_layers(self) -> tuple[str, ...]:
        """All of them."""
        return self.layers

    def survey(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """Σ P² and the number of values, by layer."""
        return {layer: _squares(features[layer], windows[layer]) for layer in self.layers}

    def targets(
        self,
        kept: Features,
        content: Sums,
        styles: Sequence[Sums],
        mix: Sequence[Sequence[float]],
        masks: Masks | None,
    ) -> Targets:
        """By layer: the content's features P and mean P²."""
        return {
            layer: {"features": kept[layer], "size": content[layer]["squares"] / content[layer]["count"]}
            for layer in self.layers
        }

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """Σ (F − P)² and the number of values, by layer."""
        found = {}
        for layer in self.layers:
            here = at_least_float32(features[layer])
            target = windows[layer].cut(targets[layer]["features"], here.shape[1:3])
            found[layer] = _squares(here - ops.cast(target, here.dtype), windows[layer])
        return found

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        return sum(self._layer(sums[layer], targets[layer]["size"]) for layer in self.layers) / len(self.layers)

    def _layer(self, sums: Sums, size: Tensor) -> Tensor:
        if self.normalization == "paper":
            return sums["squares"] / 2
        mean = sums["squares"] / sums["count"]
        return mean if self.normalization == "mean" else mean / (size + keras.config.epsilon())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "normalization": self.normalization}


@keras.saving.register_keras_serializable(package="tfstyle")
class StyleTerm(Term):
    """How far the statistics of the features are from the style's: the weighted sum over layers.

    Where a picture has several regions, each with its own style, their losses are weighted by their area, so
    that every pixel has the same say (chosen).

    Args:
        backbone: Whose features.
        layers: Names of layers; None for the backbone's style layers.
        statistic: What is compared, see `tfstyle.losses.statistics`.
        weight: Factor of the loss.
        layer_weights: One factor per layer; None for 1 / number of layers, as wₗ in Gatys et al. 2016.
        balance: Divide each layer's loss by its value for the content picture, so that every layer has
            the same say in every backbone, and a picture with nothing of the style has the loss 1 (chosen;
            without it the layer with the largest features rules). Of a mixture of statistics, whose units differ,
            each part is divided by its own value, and what its weight says is how much of the loss it has then.
        name: Under which the loss is reported.

    Reference:
        Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", section 4 (regions).
    """

    def __init__(
        self,
        backbone: Backbone,
        layers: Iterable[str] | None = None,
        statistic: Statistic | None = None,
        weight: float = 1.0,
        layer_weights: Sequence[float] | None = None,
        balance: bool = False,
        name: str = "style",
    ) -> None:
        layers = backbone.style_layers if layers is None else layers
        super().__init__(backbone, layers, weight, name)
        if layer_weights is not None and len(layer_weights) != len(self.layers):
            raise InputError(f"{len(layer_weights)} layer weights for {len(self.layers)} layers: give one for each")
        self.statistic = GramMatrix() if statistic is None else statistic
        self.layer_weights = None if layer_weights is None else tuple(layer_weights)
        self.balance = balance

    @property
    def sampled_layers(self) -> tuple[str, ...]:
        """All of them, for a statistic that needs a sample."""
        return self.layers if self.statistic.needs_sample else ()

    def constants(self, samples: Features) -> Targets:
        """The statistic's constants, by layer: one kernel for all regions and styles, so that they can be mixed."""
        return {layer: self.statistic.constants(samples[layer]) for layer in self.sampled_layers}

    def survey(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """The statistic's sums, by layer and region."""
        return self._sums(features, windows, masks or {}, constants or {})

    def _sums(self, features: Features, windows: Windows, masks: Mapping[str, Tensor], constants: Targets) -> Sums:
        found = {}
        for layer in self.layers:
            statistic = self.statistic.bound(constants.get(layer, {}))
            regions = ops.unstack(masks[layer], axis=1) if layer in masks else [None]
            shape = features[layer].shape[1:3]
            weights = [windows[layer].weights(shape, mask) for mask in regions]
            found[layer] = [statistic.sums(features[layer], each) for each in weights]
        return found

    def targets(
        self,
        kept: Features,
        content: Sums,
        styles: Sequence[Sums],
        mix: Sequence[Sequence[float]],
        masks: Masks | None,
    ) -> Targets:
        """By layer: its masks if any, and for each region the mix of the styles' averages and its loss's factor."""
        result: Targets = {}
        weights = self.layer_weights or (1 / len(self.layers),) * len(self.layers)
        for layer, weight in zip(self.layers, weights, strict=True):
            areas = [sums["count"] for sums in content[layer]]
            regions = []
            for region, shares in enumerate(mix):
                # A style without masks is the same in all regions; one that a region lacks has no average there.
                taking_part = [
                    (style[layer][min(region, len(style[layer]) - 1)], share)
                    for style, share in zip(styles, shares, strict=True)
                    if share > 0
                ]
                averages = blend([self.statistic.averages(s) for s, _ in taking_part], [w for _, w in taking_part])
                area = (areas[region] / sum(areas))[:, None]
                factor = weight * area * self._factors(content[layer][region], averages)
                regions.append({"averages": averages, "factor": factor})
            result[layer] = {"regions": regions, **({} if masks is None else {"masks": masks[layer]})}
        return result

    def _factors(self, content: Sums, averages: dict[str, Tensor]) -> Tensor:
        """The shares of the statistic's parts, with balance over their losses for the content picture.

        The shape is `(batch, parts)`; of all but mixtures there is one part, and its share is 1.
        """
        start = self.statistic.distances(self.statistic.averages(content), averages)
        shares = ops.convert_to_tensor([self.statistic.shares], start.dtype)
        if not self.balance:
            return ops.broadcast_to(shares, start.shape)
        # A content picture that has the style already must not make rounding errors count.
        size = self.statistic.distances({key: ops.zeros_like(value) for key, value in averages.items()}, averages)
        return shares / ops.maximum(start, LEAST_START * size)

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """The statistic's sums, by layer and region."""
        masks = {layer: targets[layer]["masks"] for layer in self.layers if "masks" in targets[layer]}
        return self._sums(features, windows, masks, targets.get("constants", {}))

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        return sum(
            ops.sum(
                region["factor"] * self.statistic.distances(self.statistic.averages(found), region["averages"]),
                axis=-1,
            )
            for layer in self.layers
            for found, region in zip(sums[layer], targets[layer]["regions"], strict=True)
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "statistic": keras.saving.serialize_keras_object(self.statistic),
            "layer_weights": self.layer_weights,
            "balance": self.balance,
        }


@keras.saving.register_keras_serializable(package="tfstyle")
class TotalVariationTerm(Term):
    """How much neighbouring pixels differ: anisotropic and squared.

    The loss is Σ (x[i+1, j] − x[i, j])² + Σ (x[i, j+1] − x[i, j])² over pixels and colours in [0, 1], divided by
    height · width · 3 so that it means the same at any size.

    Args:
        weight: Factor of the loss.
        name: Under which the loss is reported.

    Reference:
        Mahendran & Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them", section 3 (β = 2).
    """

    def __init__(self, weight: float = 1.0, name: str = "total_variation") -> None:
        super().__init__(None, [PIXELS], weight, name)

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """Σ of the squared differences between each pixel and its neighbours below and at the right."""
        x = features[PIXELS]
        weights = windows[PIXELS].weights(x.shape[1:3])
        down, right = ops.square(x[:, 1:] - x[:, :-1]), ops.square(x[:, :, 1:] - x[:, :, :-1])
        if weights is not None:
            weights = ops.cast(weights, x.dtype)[..., None]
            down, right = down * weights[:, :-1], right * weights[:, :, :-1]
        squares = ops.sum(down, axis=(1, 2, 3)) + ops.sum(right, axis=(1, 2, 3))
        return {"squares": squares, "count": _count(x, weights)}

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        return sums["squares"] / sums["count"]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"weight": self.weight, "name": self.name}


def _squares(x: Tensor, window: Window) -> Sums:
    """Σ x² and the number of values that the window owns, each `(batch,)`."""
    x = at_least_float32(x)
    weights = window.weights(x.shape[1:3])
    if weights is not None:
        weights = ops.cast(weights, x.dtype)[..., None]
    squares = ops.square(x) if weights is None else ops.square(x) * weights
    return {"squares": ops.sum(squares, axis=(1, 2, 3)), "count": _count(x, weights)}


def _count(x: Tensor, weights: Tensor | None) -> Tensor:
    batch, height, width, channels = x.shape
    positions = height * width if weights is None else ops.sum(weights)
    return ops.zeros((batch,), x.dtype) + positions * channels


def _deserialize(value: Any) -> Any:
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
