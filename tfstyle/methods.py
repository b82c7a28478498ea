"""The papers' recipes as data: each constant with the place it comes from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from math import inf, isfinite
from typing import Any, Literal

from tfstyle.errors import InputError, check_whole, unknown

OPTIMIZERS = ("lbfgs", "adam")
STATISTICS = ("gram", "moments", "linear", "polynomial", "gaussian", "wasserstein")
POOLINGS = ("max", "avg")
PARAMETERIZATIONS = ("pixels", "fourier")
INPUT_SCALINGS = ("own", "unit", "symmetric")


def shares(statistic: str) -> dict[str, float]:
    """The statistics asked for, each with its weight; of several they are divided by their sum.

    Args:
        statistic: The name of one, or several with weights as `"linear:1,gaussian:0.5"`.

    Raises:
        InputError: A name that there isn't or that is given twice, or a weight that is no number above 0.
    """
    found: dict[str, float] = {}
    for part in statistic.split(","):
        name, colon, number = (text.strip() for text in part.partition(":"))
        if name not in STATISTICS:
            raise unknown("statistic", name, STATISTICS)
        if name in found:
            raise InputError(f"statistic {name} is named twice: give it once, with the sum of its weights")
        try:
            weight = float(number) if colon else 1.0
        except ValueError:
            raise InputError(f"statistic {part.strip()!r} has no number after the colon: give NAME:WEIGHT") from None
        if not 0 < weight < inf:
            raise InputError(f"statistic {name} has the weight {weight:g}: give a number above 0")
        found[name] = weight
    return {name: weight / sum(found.values()) for name, weight in found.items()}


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
        parts = shares(self.statistic)
        if len(parts) > 1 and (others := [name for name in self.statistic_options if name not in parts]):
            raise unknown("statistic with options", others[0], parts)
        for kind, known in (
            ("optimizer", OPTIMIZERS),
            ("pooling", POOLINGS),
            ("input_scaling", INPUT_SCALINGS),
            ("parameterization", PARAMETERIZATIONS),
        ):
            if getattr(self, kind) not in known:
                raise unknown(kind.replace("_", " "), getattr(self, kind), known)
        for kind in ("content_weight", "style_weight", "tv_weight", "edge_weight"):
            weight = getattr(self, kind)
            if not (weight >= 0 and isfinite(weight)):
                raise InputError(f"{kind.replace('_', ' ')} {weight:g} can't be used: give a number from 0 upwards")
        if not 0 < self.style_scale < inf:
            raise InputError(f"style scale {self.style_scale:g} can't be used: give a number above 0")
        if not 0 <= self.saturation <= 1:
            raise InputError(f"saturation {self.saturation:g} can't be used: give a number from 0 to 1")
        if not 0 < self.voids <= 1:
            raise InputError(f"voids {self.voids:g} can't be used: give a brightness above 0, up to 1 for none")
        check_whole("steps", self.steps, 1, 10_000_000)

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
        are the other backbone's own. With `balance` of True that is so for VGG, too, and with False for none: its
        weights stay the recipe's.
        """
        is_vgg = backbone in ("VGG16", "VGG19")
        adapted = self if is_vgg else replace(self, content_layers=None, style_layers=None)
        if balance is False or (trained and (self.balance or (is_vgg and not balance))):
            return adapted
        constants = BALANCED if trained else UNTRAINED
        return replace(adapted, **constants, sources=self.sources | dict.fromkeys(constants, "chosen"))

    def record(self) -> dict[str, Any]:
        """All fields, as JSON can hold them."""
        return asdict(self)


_GATYS_2016 = "Gatys, Ecker, Bethge 2016, Image Style Transfer Using Convolutional Neural Networks (CVPR)"

_LI_2017 = "Li, Wang, Liu, Hou 2017, Demystifying Neural Style Transfer (IJCAI)"
_LI_LAYERS = "Li 2017, section 5"


def _in_place_of_gram(
    name: str, title: str, kind: str, options: dict[str, Any], reference: str, layers: str, **sources: str
) -> Method:
    """Another statistic at Gatys' layers, each layer's loss divided by its start; `layers` is who else took them."""
    chosen = ("content_normalization", "content_weight", "style_weight", "optimizer", "steps")
    return Method(
        name=name,
        title=title,
        reference=reference,
        content_layers=("block4_conv2",),
        style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
        statistic=kind,
        statistic_options=options,
        content_normalization="relative",
        content_weight=0.1,
        style_weight=1.0,
        balance=True,
        sources={
            "content_layers": f"{layers} (conv4_2)",
            "style_layers": f"{layers} (conv1_1 to conv5_1, weight 1/5 each)",
            "balance": "chosen: each layer's loss divided by its start",
            **dict.fromkeys(chosen, "chosen"),
            **sources,
        },
    )


_SHALLOW = ("block1_conv1", "block2_conv1", "block3_conv1")
_XU_2024 = _in_place_of_gram(
    "xu2024",
    "MMD at shallow layers of VGG-19, for Chinese painting",
    "gaussian",
    {},
    "Xu, Hu, Lu 2024, Style migration of Chinese painting based on VGG-19 and MMD convolutional neural network "
    "models; the loss of Li, Wang, Liu, Hou 2017, Demystifying Neural Style Transfer",
    "Li 2017, section 5",
    style_layers="Xu 2024, abstract (shallow layers of VGG-19); which of them is chosen",
    statistic="Xu 2024, abstract (MMD); Li 2017, section 4.1 (Gaussian kernel, chosen among its kernels)",
)
_XU_2024 = replace(
    _XU_2024,
    style_layers=_SHALLOW,
    notes=(
        "Of the paper only the abstract could be read: it names VGG-19, its shallow layers and MMD, no constants.",
        "Content to style is 0.1; 0.3 keeps more of the photograph, 0.03 leaves more to the brush.",
    ),
)
_INK: dict[str, Any] = {"edge_weight": 0.05, "preserve_color": "ink", "saturation": 0.15, "voids": 0.5}

_TUTORIAL = ("content_layers", "style_layers", "statistic", "content_weight", "style_weight", "optimizer",
             "optimizer_options", "steps", "init")  # fmt: skip

METHODS = {
    method.name: method
    for method in (
        Method(
            name="gatys",
            title="Content and Gram style loss on VGG-19, with the weights most used since",
            reference=f"{_GATYS_2016}; the VGG-19 flow of Wu 2021",
            content_layers=("block4_conv2",),
            style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
            statistic_options={"normalization": "positions_channels"},
            content_weight=5.0,
            style_weight=500.0,
            sources={
                "content_layers": "Gatys 2016, section 3 (conv4_2)",
                "style_layers": "Gatys 2016, section 3 (conv1_1 to conv5_1, weight 1/5 each)",
                "statistic": "Johnson 2015, neural-style: Gram matrix over positions times channels",
                "content_weight": "Johnson 2015, neural-style: 5",
                "style_weight": "Johnson 2015, neural-style: 100 for each of five layers, here 500 for their mean",
                "optimizer": "Gatys 2016, section 2.3 (L-BFGS)",
                "steps": "chosen",
                "init": "Gatys 2016, section 3.3 (the content picture)",
            },
        ),
        Method(
            name="gatys2016",
            title="As the paper's equations have it: average pooling, normalised VGG-19, from white noise",
            reference=_GATYS_2016,
            pooling="avg",
            normalize=True,
            content_layers=("block4_conv2",),
            style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
            statistic_options={"normalization": "paper"},
            content_normalization="paper",
            content_weight=1e-3,
            style_weight=1.0,
            steps=500,
            init="noise",
            sources={
                "pooling": "Gatys 2016, section 2 (average pooling)",
                "normalize": "Gatys 2016, section 2; there by filter and over ImageNet, here by layer and over the "
                "pictures at hand (chosen)",
                "content_layers": "Gatys 2016, section 3 (conv4_2)",
                "style_layers": "Gatys 2016, section 3 (conv1_1 to conv5_1, weight 1/5 each)",
                "statistic": "Gatys 2016, equations 3 to 5",
                "content_normalization": "Gatys 2016, equation 1",
                "content_weight": "Gatys 2016, section 3 (content to style 1e-3)",
                "optimizer": "Gatys 2016, section 2.3 (L-BFGS)",
                "steps": "chosen",
                "init": "Gatys 2016, section 3 (white noise)",
            },
            notes=(
                "As printed, equation 1 sums over all features while equations 4 and 5 average: at 1e-3 the content "
                "rules and hardly any style is seen (224 pixels, 250 steps, ImageNet weights); a content weight of "
                "1e-6 paints.",
            ),
        ),
        Method(
            name="tf-tutorial",
            title="TensorFlow's tutorial: Gram over positions, Adam",
            reference="TensorFlow documentation, Neural style transfer (tutorials/generative/style_transfer)",
            content_layers=("block5_conv2",),
            style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
            statistic_options={"normalization": "positions"},
            content_weight=1e4,
            style_weight=1e-2,
            optimizer="adam",
            optimizer_options={"learning_rate": 0.02, "beta_1": 0.99, "epsilon": 0.1},
            steps=1000,
            sources=dict.fromkeys(_TUTORIAL, "TensorFlow tutorial")
            | {"tv_weight": "0: the tutorial's first run, without its total variation term"},
        ),
        _in_place_of_gram(
            "li2017-batchnorm",
            "Means and deviations of the features instead of Gram matrices",
            "moments",
            {},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.2 (batch normalisation statistics)",
        ),
        _in_place_of_gram(
            "li2017-linear",
            "MMD under the linear kernel: the means of the features",
            "linear",
            {},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.1 (linear kernel)",
        ),
        _in_place_of_gram(
            "li2017-polynomial",
            "MMD under the polynomial kernel of degree 2: Gram matrices by another name",
            "polynomial",
            {"degree": 2, "offset": 0.0},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.1 (polynomial kernel with c = 0 and d = 2)",
        ),
        _in_place_of_gram(
            "li2017-gaussian",
            "MMD under the Gaussian kernel",
            "gaussian",
            {},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.1 (Gaussian kernel); there from sampled pairs, here by random Fourier "
            "features, with the same loss at every evaluation (chosen)",
            statistic_options="chosen: the median distance between the style's positions as bandwidth",
        ),
        replace(
            _in_place_of_gram(
                "adain-statistics",
                "Means and deviations at relu1_1 to relu4_1, the style loss of AdaIN, optimised",
                "moments",
                {},
                "Huang & Belongie 2017, Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization",
                "Huang & Belongie 2017, section 6",
                content_layers="Huang & Belongie 2017, equation 12 (relu4_1); there of AdaIN's output, here of the "
                "content picture (chosen)",
                style_layers="Huang & Belongie 2017, equation 13 (relu1_1 to relu4_1, the same weight each)",
                statistic="Huang & Belongie 2017, equation 13; there roots of its squares, channels summed",
            ),
            content_layers=("block4_conv1",),
            style_layers=(*_SHALLOW, "block4_conv1"),
        ),
        _XU_2024,
        replace(
            _XU_2024,
            name="xu2024-ink",
            title="The same as ink on paper: bare paper where the photograph is bright, outlines, little colour",
            **_INK,
            sources=_XU_2024.sources | dict.fromkeys(_INK, "chosen"),
        ),
        replace(
            _in_place_of_gram(
                "jiang2020",
                "Content and Gram style loss on VGG-19, tuned for the visible strokes of oil painting",
                "gram",
                {},
                "Jiang 2020, oil painting style transfer by VGG; the losses of Gatys, Ecker, Bethge 2016",
                "Gatys 2016, section 3",
                statistic="Gatys 2016, equation 5; over positions times channels (chosen)",
                style_layers="chosen: conv1_1 to conv4_1, as conv5_1 brings the painting's objects",
                style_scale="chosen: strokes twice as large as the painting's own",
            ),
            style_layers=(*_SHALLOW, "block4_conv1"),
            content_weight=0.03,
            style_scale=2.0,
        ),
        _in_place_of_gram(
            "wasserstein",
            "Wasserstein-2 distance between Gaussians of the features' means and covariances",
            "wasserstein",
            {},
            "Mroueh 2019, Wasserstein Style Transfer; the distance of Dowson & Landau 1982",
            "Gatys 2016, section 3",
            statistic="Dowson & Landau 1982; Mroueh 2019 (a style as a Gaussian of features)",
        ),
    )
}

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


def get(name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: There is none; the nearest names are suggested.
    """
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]
