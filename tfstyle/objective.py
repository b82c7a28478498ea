"""Terms, and the objective that is their sum: one forward pass per backbone, whatever the number of terms."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import keras
from keras import ops

from tfstyle.backbones import Backbone
from tfstyle.errors import InputError
from tfstyle.statistics import GramMatrix, Statistic, at_least_float32, blend

Tensor = Any
Features = Mapping[str, Tensor]
Targets = dict[str, Any]

LEAST_START = 1e-6  # of the style's own size (chosen)
PIXELS = "pixels"  # the one "layer" of terms that look at the picture itself


class Term:
    """A loss on one backbone's layers, or on pixels, with its weight.

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

    def targets(self, content: Features, styles: Sequence[Features], mix: Sequence[float]) -> Targets:
        """What the loss compares with; computed once per canvas.

        Args:
            content: Features of the content picture.
            styles: Features of each style picture.
            mix: Weights of the styles, which sum to 1.
        """
        return {}

    def loss(self, features: Features, targets: Targets) -> Tensor:
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

    def targets(self, content: Features, styles: Sequence[Features], mix: Sequence[float]) -> Targets:
        """The content's features, by layer."""
        return {layer: content[layer] for layer in self.layers}

    def loss(self, features: Features, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        return sum(self._layer(features[layer], targets[layer]) for layer in self.layers) / len(self.layers)

    def _layer(self, features: Tensor, target: Tensor) -> Tensor:
        squares = ops.square(features - target)
        if self.normalization == "paper":
            return ops.sum(squares, axis=(1, 2, 3)) / 2
        mean = ops.mean(squares, axis=(1, 2, 3))
        if self.normalization == "mean":
            return mean
        return mean / (ops.mean(ops.square(target), axis=(1, 2, 3)) + keras.config.epsilon())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "normalization": self.normalization}


@keras.saving.register_keras_serializable(package="tfstyle")
class StyleTerm(Term):
    """How far the statistics of the features are from the style's: the weighted sum over layers.

    Args:
        backbone: Whose features.
        layers: Names of layers; None for the backbone's style layers.
        statistic: What is compared, see `tfstyle.statistics`.
        weight: Factor of the loss.
        layer_weights: One factor per layer; None for 1 / number of layers, as wₗ in Gatys et al. 2016.
        balance: Divide each layer's loss by its value for the content picture, so that every layer has
            the same say in every backbone, and a picture with nothing of the style has the loss 1 (chosen;
            without it the layer with the largest features rules).
        name: Under which the loss is reported.
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

    def targets(self, content: Features, styles: Sequence[Features], mix: Sequence[float]) -> Targets:
        """By layer: the mix of the styles' averages, and the factor of the layer's loss."""
        result: Targets = {}
        weights = self.layer_weights or (1 / len(self.layers),) * len(self.layers)
        for layer, weight in zip(self.layers, weights, strict=True):
            averages = blend([self.statistic(style[layer]) for style in styles], list(mix))
            result[layer] = {"averages": averages, "factor": weight * self._balance(content[layer], averages)}
        return result

    def _balance(self, content: Tensor, averages: dict[str, Tensor]) -> Tensor:
        """One over the layer's loss for the content picture, or 1 without balance; shape `(batch,)`."""
        start = self.statistic.distance(self.statistic(content), averages)
        if not self.balance:
            return ops.ones_like(start)
        # A content picture that has the style already must not make rounding errors count.
        size = self.statistic.distance({key: ops.zeros_like(value) for key, value in averages.items()}, averages)
        return 1 / ops.maximum(start, LEAST_START * size)

    def loss(self, features: Features, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        return sum(
            targets[layer]["factor"]
            * self.statistic.distance(self.statistic(features[layer]), targets[layer]["averages"])
            for layer in self.layers
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

    def loss(self, features: Features, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        x = features[PIXELS]
        down = ops.sum(ops.square(x[:, 1:] - x[:, :-1]), axis=(1, 2, 3))
        right = ops.sum(ops.square(x[:, :, 1:] - x[:, :, :-1]), axis=(1, 2, 3))
        return (down + right) / (x.shape[1] * x.shape[2] * x.shape[3])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"weight": self.weight, "name": self.name}


@keras.saving.register_keras_serializable(package="tfstyle")
class Objective:
    """The sum of terms.

    Each backbone runs once per evaluation, cut at the deepest layer that a term asks for.

    Args:
        terms: At least one; those of one name are numbered (`style`, `style_2`, ...).

    Examples:
        >>> vgg = Backbone("VGG19")
        >>> objective = Objective([
        ...     ContentTerm(vgg, "block4_conv2", weight=5.0),
        ...     StyleTerm(vgg, statistic=GramMatrix(), weight=100.0),
        ... ])
        >>> targets = objective.targets(content, [style])
        >>> objective(pictures, targets)  # {"content": (batch,), "style": (batch,)}
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms = tuple(terms)
        if not self.terms:
            raise InputError("an objective needs at least one term")
        names = ["loss"]  # the sum's own
        for term in self.terms:
            numbered = (term.name if n == 1 else f"{term.name}_{n}" for n in itertools.count(1))
            names.append(next(name for name in numbered if name not in names))
        self.names = tuple(names[1:])
        self.backbones = tuple({id(t.backbone): t.backbone for t in self.terms if t.backbone}.values())
        self._layers = [
            sorted({layer for term in self.terms if term.backbone is backbone for layer in term.layers})
            for backbone in self.backbones
        ]

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels, that all backbones take."""
        return max((backbone.minimum_side for backbone in self.backbones), default=1)

    def targets(self, content: Tensor, styles: Sequence[Tensor], mix: Sequence[float] | None = None) -> Targets:
        """All that the terms compare with; computed once, never in the step.

        Args:
            content: `(batch, height, width, 3)`, RGB in [0, 1].
            styles: Pictures of any sizes, each `(1, height, width, 3)`.
            mix: Weights of the styles, which sum to 1; None for equal ones.

        Returns:
            Nested dictionaries of tensors: `"scales"` of normalised backbones' layers, and `"terms"`.
        """
        mix = [1 / len(styles)] * len(styles) if mix is None else mix
        of_content = self._features(content)
        of_styles = [self._features(style) for style in styles]
        scales = {
            str(index): {layer: _unit_mean([f[index][layer] for f in (of_content, *of_styles)]) for layer in layers}
            for index, (backbone, layers) in enumerate(zip(self.backbones, self._layers, strict=True))
            if backbone.normalize
        }
        terms = {}
        for name, term in zip(self.names, self.terms, strict=True):
            views = [self._view(term, features, scales) for features in (of_content, *of_styles)]
            terms[name] = term.targets(views[0], views[1:], mix)
        return {"scales": scales, "terms": terms}

    def __call__(self, pictures: Tensor, targets: Targets) -> dict[str, Tensor]:
        """The weighted loss of each term, of shape `(batch,)`, by name.

        Args:
            pictures: `(batch, height, width, 3)`, RGB in [0, 1].
            targets: What `targets` returned.
        """
        features = self._features(pictures)
        return {
            name: term.weight * term.loss(self._view(term, features, targets["scales"]), targets["terms"][name])
            for name, term in zip(self.names, self.terms, strict=True)
        }

    def _features(self, pictures: Tensor) -> list[Features]:
        """Features of each backbone in at least float32, whatever the backbones run in, and last the pixels."""
        found: list[Features] = [
            {layer: at_least_float32(features) for layer, features in backbone(pictures, layers).items()}
            for backbone, layers in zip(self.backbones, self._layers, strict=True)
        ]
        return [*found, {PIXELS: pictures}]

    def _view(self, term: Term, features: list[Features], scales: dict[str, Targets]) -> Features:
        """What one term sees of all features: its backbone's layers, normalised if it says so."""
        if term.backbone is None:
            return features[-1]
        index = next(i for i, backbone in enumerate(self.backbones) if backbone is term.backbone)
        scale = scales.get(str(index))
        if scale is None:
            return features[index]
        return {layer: features[index][layer] * scale[layer] for layer in term.layers}

    def get_config(self) -> dict[str, Any]:
        """The backbones, and the terms with numbers in place of their backbones."""
        terms = [keras.saving.serialize_keras_object(term) for term in self.terms]
        for term, serialized in zip(self.terms, terms, strict=True):
            if term.backbone is not None:
                serialized["config"]["backbone"] = self.backbones.index(term.backbone)
        return {"backbones": [keras.saving.serialize_keras_object(b) for b in self.backbones], "terms": terms}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Objective:
        """The objective that `get_config` described, its terms sharing backbones again."""
        backbones = [keras.saving.deserialize_keras_object(backbone) for backbone in config["backbones"]]
        terms = []
        for serialized in config["terms"]:
            options = dict(serialized["config"])
            if "backbone" in options:
                options["backbone"] = backbones[options["backbone"]]
            terms.append(keras.saving.get_registered_object(serialized["registered_name"]).from_config(options))
        return cls(terms)


def _unit_mean(pictures: Sequence[Tensor]) -> Tensor:
    """The factor, one a layer, that gives it the mean activation 1 over several pictures' features."""
    means = [ops.mean(ops.abs(features)) for features in pictures]
    return 1 / (sum(means) / len(means) + keras.config.epsilon())


def _deserialize(value: Any) -> Any:
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
