"""What a recipe is: everything that optimisation-based transfer must be told, with the source of each constant."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from tfstyle.core.errors import check_whole, unknown
from tfstyle.core.settings import LARGEST, Option, check_number, named_weights
from tfstyle.features.registry import spec_of
from tfstyle.losses.registry import STATISTICS
from tfstyle.optimization.registry import OPTIMIZERS, PARAMETERIZATIONS

BALANCED: dict[str, Any] = {
    "balance": True,
    "content_normalization": "relative",
    "content_weight": 0.1,
    "style_weight": 1.0,
    "optimizer_options": {},  # Adam's epsilon goes with the scale of the loss
}
# An untrained network can't tell noise from texture: it needs smoothing, waves instead of pixels, which else are left
# as grain, and average pooling, through which all pixels get a gradient.
UNTRAINED: dict[str, Any] = BALANCED | {
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
    "voids": Option(help="", above=0, high=1),
}


@dataclass(frozen=True)
class Method:
    """A recipe for optimisation-based transfer.

    Layers of None are the backbone's own defaults. Of a statistic that is several with weights, see `shares`, the
    options are by name, as `{"gaussian": {"bandwidth": 2.0}}`. `sources` says of each constant where it comes from;
    "chosen" marks those that no paper gives. `notes` say what was found when it was run.
    """

    name: str
    title: str
    reference: str
    backbone: str = "VGG19"
    pooling: Literal["max", "avg"] = "max"
    normalize: bool | None = None
    input_scaling: Literal["own", "unit", "symmetric"] = "own"
    smoothing: bool = False
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
    voids: float = 1.0
    balance: bool = False
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    optimizer_options: dict[str, Any] = field(default_factory=dict)
    steps: int = 300
    init: Literal["content", "noise"] = "content"
    parameterization: Literal["pixels", "fourier"] = "pixels"
    sources: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what a user may have set.

        Raises:
            InputError: A name that there isn't, a negative weight, or a number of steps below 1.
        """
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
        """The names of the statistics, each with its weight; the weights sum to 1.

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

    def override(self, **given: Any) -> Method:
        """The method with the given fields in place of its own; those given as None stay.

        As None can't be given, `preserve_color` is `"none"` for it.

        Options belong to their optimizer: another one comes without them. So do options and weights to their
        statistic, as those do to their backbone, see `adapted`.
        """
        given = {name: value for name, value in given.items() if value is not None}
        if given.get("statistic", self.statistic) != self.statistic:
            balanced = self.balance or given.get("balance") is False
            constants = {"statistic_options": {}, **({} if balanced else BALANCED)}
            sources = self.sources | dict.fromkeys(("statistic", *constants), "chosen")
            given = {**constants, "sources": sources, **given}
        if given.get("optimizer", self.optimizer) != self.optimizer:
            given = {"optimizer_options": {}} | given
        if given.get("preserve_color") == "none":
            given["preserve_color"] = None
        return replace(self, **given)

    def adapted(self, backbone: str, trained: bool, balance: bool | None = None) -> Method:
        """The method for a backbone that its constants were not found on.

        A recipe's weights belong to the scale of VGG's features: for other networks, and for untrained ones,
        each layer's loss is divided by its start, and weights for that take their place (chosen); the layers
        are the other backbone's own, but for VGG19Mini, which has VGG19's as far as it goes. With `balance` of True
        that is so for VGG, too, and with False for none: its weights stay the recipe's.
        """
        spec = spec_of(backbone)
        layers = {*(self.content_layers or ()), *(self.style_layers or ())}
        has_layers = spec.has_vgg_layers and layers.isdisjoint(spec.missing_vgg_layers)
        adapted = self if has_layers else replace(self, content_layers=None, style_layers=None)
        if balance is False or (trained and (self.balance or (spec.has_vgg_scale and not balance))):
            return adapted
        constants = UNTRAINED
        if trained:
            options = dict(spec.lbfgs_options) if self.optimizer == "lbfgs" else {}
            constants = BALANCED | {"optimizer_options": options, **spec.method_constants}
        return replace(adapted, **constants, sources=self.sources | dict.fromkeys(constants, "chosen"))

    def record(self) -> dict[str, Any]:
        """All fields, as JSON can hold them."""
        return asdict(self)
