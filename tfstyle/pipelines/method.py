"""Methods: recipes of optimisation-based style transfer, with the source of each constant."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from tfstyle.core.errors import check_whole, unknown
from tfstyle.core.settings import LARGEST, Option, check_number
from tfstyle.core.weighting import named_weights
from tfstyle.features.registry import spec_of
from tfstyle.losses.registry import STATISTICS
from tfstyle.optimization.registry import OPTIMIZERS, PARAMETERIZATIONS

# Weights that suit losses which are normalised (chosen).
NORMALIZED: dict[str, Any] = {
    "normalize_losses": True,
    "content_normalization": "relative",
    "content_weight": 0.1,
    "style_weight": 1.0,
    "optimizer_options": {},  # Adam's epsilon depends on the scale of the loss
}
# Constants for untrained networks, which can't tell noise from texture (chosen). Total variation and a spectrum in
# place of pixels remove grain. Average pooling gives every pixel a gradient.
UNTRAINED: dict[str, Any] = NORMALIZED | {
    "content_weight": 0.3,
    "tv_weight": 0.1,
    "pooling": "avg",
    "parameterization": "fourier",
}
_CHOICES = {"pooling": ("max", "avg"), "input_scaling": ("own", "unit", "symmetric")}
_BOUNDS = {
    **dict.fromkeys(("content_weight", "style_weight", "tv_weight", "edge_weight"), Option(help="", low=0)),
    "style_scale": Option(help="", above=0),
    "saturation": Option(help="", low=0, high=1),
    "blank_areas": Option(help="", above=0, high=1),
}


@dataclass(frozen=True)
class Method:
    """A recipe of optimisation-based style transfer.

    Attributes:
        name: Name by which users ask for the method.
        title: What it does, in one line.
        reference: Its publications.
        backbone: Network that its constants were found on.
        pooling: `"max"`, or `"avg"` for average pooling in place of max pooling.
        normalize: Whether features are scaled to a mean activation of 1; see `Backbone`.
        input_scaling: Range of the network's input; see `Backbone`.
        activation_smoothing: Whether features pass a softmax over channels; see `Backbone`.
        content_layers: Layers of the content loss. None for the network's.
        style_layers: Layers of the style loss. None for the network's.
        statistic: Name of a statistic, or several with weights: `"linear:1,gaussian:0.5"`.
        statistic_options: Options of the statistic; or options by the names of statistics, such as
            `{"gaussian": {"bandwidth": 2.0}}`.
        content_normalization: See `ContentTerm`.
        content_weight: Weight of the content loss, at least 0.
        style_weight: Weight of the style loss, at least 0.
        tv_weight: Weight of the total variation, at least 0.
        edge_weight: Weight of the edge loss, at least 0.
        style_scale: Factor of the sizes of style images, above 0.
        preserve_color: How the content image's colours are kept; see `tfstyle.images.color_transfer`. None for not.
        saturation: How much of the content image's colour returns, from 0 to 1.
        blank_areas: Brightness above which flat areas stay blank, above 0 up to 1 for none.
        normalize_losses: Whether each layer's style loss is divided by its initial value; see `StyleTerm`.
        optimizer: Name of the optimizer.
        optimizer_options: Options of the optimizer.
        steps: Number of optimisation steps at the first scale.
        init: The initial image, `"content"` or `"noise"`.
        parameterization: What is optimised, `"pixels"` or `"fourier"`.
        sources: Where each constant comes from, by the name of its field. "chosen": no publication gives it.
        notes: Findings when the method was run.

    Raises:
        InputError: A name is unknown, or a number is out of its range.

    Examples:
        >>> from tfstyle import METHODS
        >>> METHODS["gatys"].replace(style_weight=1000.0, steps=100).style_weight
        1000.0
    """

    name: str
    title: str
    reference: str
    backbone: str = "VGG19"
    pooling: Literal["max", "avg"] = "max"
    normalize: bool | None = None
    input_scaling: Literal["own", "unit", "symmetric"] = "own"
    activation_smoothing: bool = False
    content_layers: tuple[str, ...] | None = None
    style_layers: tuple[str, ...] | None = None
    statistic: str = "gram"
    statistic_options: dict[str, Any] = field(default_factory=dict)
    content_normalization: Literal["mean", "paper", "relative"] = "mean"
    content_weight: float = 1.0
    style_weight: float = 1.0
    tv_weight: float = 0.0
    edge_weight: float = 0.0
    style_scale: float = 1.0
    preserve_color: str | None = None
    saturation: float = 1.0
    blank_areas: float = 1.0
    normalize_losses: bool = False
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    optimizer_options: dict[str, Any] = field(default_factory=dict)
    steps: int = 300
    init: Literal["content", "noise"] = "content"
    parameterization: Literal["pixels", "fourier"] = "pixels"
    sources: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the fields that a user may have set."""
        statistics = self.statistics
        if len(statistics) > 1:
            for name in self.statistic_options:
                if name not in statistics:
                    raise unknown("statistic with options", name, statistics)
        OPTIMIZERS.check(self.optimizer)
        PARAMETERIZATIONS.check(self.parameterization)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise unknown(name.replace("_", " "), getattr(self, name), choices)
        for name, bounds in _BOUNDS.items():
            check_number(name.replace("_", " "), getattr(self, name), bounds)
        check_whole("steps", self.steps, 1, LARGEST)

    @property
    def statistics(self) -> dict[str, float]:
        """The names of the statistics, each with its weight. The weights sum to 1.

        Raises:
            InputError: A statistic is unknown or named twice, or a weight is not a number above 0.
        """
        weights = named_weights(self.statistic, "statistic")
        for name in weights:
            STATISTICS.check(name)
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def options_of(self, statistic: str) -> dict[str, Any]:
        """The options of one of the statistics."""
        if len(self.statistics) == 1 and statistic not in self.statistic_options:
            return self.statistic_options
        return dict(self.statistic_options.get(statistic, {}))

    def replace(self, **fields: Any) -> Method:
        """The method with new values for some fields. A value of None leaves a field as it is.

        A new statistic gets no options, and weights for normalised losses, if there are none among the fields. A new
        optimizer gets no options.

        Args:
            **fields: Fields of the method. `preserve_color` may be `"none"`, which sets it to None.

        Raises:
            InputError: A name is unknown, or a number is out of its range.
        """
        fields = {name: value for name, value in fields.items() if value is not None}
        if fields.get("statistic", self.statistic) != self.statistic:
            keeps_weights = self.normalize_losses or fields.get("normalize_losses") is False
            constants = {"statistic_options": {}, **({} if keeps_weights else NORMALIZED)}
            sources = self.sources | dict.fromkeys(("statistic", *constants), "chosen")
            fields = {**constants, "sources": sources, **fields}
        if fields.get("optimizer", self.optimizer) != self.optimizer:
            fields = {"optimizer_options": {}} | fields
        if fields.get("preserve_color") == "none":
            fields["preserve_color"] = None
        return dataclasses.replace(self, **fields)

    def for_backbone(self, backbone: str, trained: bool, normalize_losses: bool | None = None) -> Method:
        """The method for a backbone that its constants were not found on.

        The weights of a method suit the scale of the features of trained VGG networks. For other networks, losses are
        normalised, with weights that suit that (chosen). A network that lacks some of the method's layers gets its
        own default layers.

        Args:
            backbone: Name of the network.
            trained: Whether its weights are trained.
            normalize_losses: True for normalised losses on trained VGG networks, too. False for the method's weights
                on all networks. None for neither.
        """
        spec = spec_of(backbone)
        layers = {*(self.content_layers or ()), *(self.style_layers or ())}
        has_layers = spec.has_vgg_layers and layers.isdisjoint(spec.missing_vgg_layers)
        method = self if has_layers else dataclasses.replace(self, content_layers=None, style_layers=None)
        suits = trained and (self.normalize_losses or (spec.has_vgg_scale and not normalize_losses))
        if suits or normalize_losses is False:
            return method
        constants = UNTRAINED
        if trained:
            options = dict(spec.lbfgs_options) if self.optimizer == "lbfgs" else {}
            constants = NORMALIZED | {"optimizer_options": options, **spec.method_constants}
        return dataclasses.replace(method, **constants, sources=self.sources | dict.fromkeys(constants, "chosen"))

    def record(self) -> dict[str, Any]:
        """All fields, as JSON can hold them."""
        return dataclasses.asdict(self)
