"""The options of `transfer` and `apply`, each declared once.

The order of the fields is the order of the keywords in Python and of the options in the command line's help.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.progress import progress_option
from tfstyle.core.settings import SEEDS, Settings, as_list, option, settings
from tfstyle.features.weights import weights_option
from tfstyle.images import color_transfer
from tfstyle.losses.registry import STATISTICS
from tfstyle.pipelines import methods
from tfstyle.pipelines.method import Method

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

MAXIMUM_SIDE = 65535  # of a JPEG, the smallest bound of the formats
INITS = ("content", "noise", "adain")

_STYLE, _SIZE, _WHERE, _COLOR = "style images", "size", "regions", "colours"
_NETWORK, _LOSS, _OPTIMIZATION = "method and network", "losses", "optimisation"
_DEPTH, _MACHINE, _LONG = "depth", "speed and memory", "long work"


def _word_or_int(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _size(text: str) -> int | str | None:
    return None if text == "native" else _word_or_int(text)


def _number_or_file(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _file_or_none(text: str) -> str | None:
    return None if text == "none" else text


def _colors() -> tuple[str, ...]:
    return (*color_transfer.KINDS, "none")


@settings
class StyleSettings(Settings):
    """What `transfer` and `apply` share: style images, size, regions and colours."""

    styles: images.Source | Sequence[images.Source] | None = option(
        default=None,
        help="The style image, or several for a blend; paths, PIL images or arrays `(height, width[, channels])`. On "
        "the command line, repeat the option for several.",
        metavar="STYLE",
        flag="style",
        repeatable=True,
        file=True,
        group=_STYLE,
        kw_only=False,
    )
    style_weights: Sequence[float] | None = option(
        default=None,
        help="Weight of each style image, at least 0; they are scaled to sum to 1.",
        metavar="0.7,0.3",
        unset="equal weights",
        group=_STYLE,
    )
    size: int | None = option(
        default=512,
        help="Longer side of the result in pixels; the content image gives the aspect ratio. None "
        "(`native` on the command line) keeps its size.",
        metavar="PIXELS|native",
        parse=_size,
        low=1,
        high=MAXIMUM_SIDE,
        group=_SIZE,
    )
    content_masks: images.Source | Sequence[images.Source] | None = option(
        default=None,
        help="Where to paint: a grey mask, painted where it is white; one for each style image, to give each its "
        "place; or an image of flat colours, each a region that takes its style from the same colour of the style "
        "mask.",
        metavar="FILE",
        flag="content-mask",
        repeatable=True,
        file=True,
        group=_WHERE,
    )
    style_masks: images.Source | Sequence[images.Source | None] | None = option(
        default=None,
        help="Which part of each style image counts: a grey mask, or regions in the colours of the content mask; one "
        "for each style image, None (on the command line `none`) for all of it.",
        metavar="FILE",
        flag="style-mask",
        repeatable=True,
        parse=_file_or_none,
        file=True,
        group=_WHERE,
    )
    preserve_color: Literal["luminance", "ink", "statistics", "histogram", "none"] | None = option(
        default=None,
        help="Keep the colours of the content image. `luminance` paints brushwork only; `ink` does so with the "
        "lightness of the style image; `statistics` and `histogram` recolour the style image first, `histogram` "
        "more strongly; `none` switches off what the method does.",
        unset="the method's",
        recipe=True,
        group=_COLOR,
    )

    @property
    def style_sources(self) -> list[Any]:
        """The style images as a list."""
        return as_list(self.styles)


@settings
class BatchTransferSettings(StyleSettings):
    """The options of `transfer_batch` and `transfer_styles`.

    Raises:
        InputError: An option can't be used.
    """

    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("checkpoint", "checkpoint_every", "resume"), "is for one picture: leave it out, or use transfer"
    )

    style_scale: float | None = option(
        default=None,
        help="Size of the style images relative to the result: 2 for larger strokes, 0.5 for finer ones.",
        metavar="F",
        above=0,
        unset="the method's",
        recipe=True,
        group=_STYLE,
    )
    method: str | Method = option(
        default="gatys",
        help="The recipe: the name of one of `tfstyle methods`, or in Python a `Method`.",
        metavar="NAME",
        recorded=False,
        group=_NETWORK,
    )
    backbone: str | Backbone | Mapping[str | Backbone, float] = option(
        default="auto",
        help="The network that measures content and style: VGG19Mini (fast, comes with the package) or any "
        "keras.applications network, such as VGG19 or InceptionV3. Several with weights form one loss: "
        "`VGG19:1e-3,InceptionV3:1`. `auto` is the method's network if its ImageNet weights can be had, else "
        "VGG19Mini.",
        metavar="NAME|NAME:W,...",
        recorded=False,
        group=_NETWORK,
    )
    weights: str | os.PathLike[str] | None = weights_option(file=True, group=_NETWORK)
    pooling: Literal["max", "avg"] | None = option(
        default=None,
        help="Pooling of the network: `avg` in place of `max` gives smoother pictures.",
        unset="the method's",
        recipe=True,
        group=_NETWORK,
    )
    input_scaling: Literal["own", "unit", "symmetric"] | None = option(
        default=None,
        help="Range of the network's input: `own` is what it was trained on, `unit` is [0, 1], `symmetric` [-1, 1]. "
        "Use `unit` or `symmetric` to give several networks the same input.",
        unset="the method's",
        recipe=True,
        group=_NETWORK,
    )
    activation_smoothing: bool | None = option(
        default=None,
        help="Apply a softmax over the channels of the features (Wang et al. 2021). Helps ResNet and other networks "
        "whose results show little style.",
        unset="the method's",
        recipe=True,
        group=_NETWORK,
    )
    content_layers: str | Sequence[str] | None = option(
        default=None,
        help="Layers whose features are compared with the content image.",
        metavar="L,...",
        unset="the network's",
        recipe=True,
        group=_LOSS,
    )
    style_layers: str | Sequence[str] | None = option(
        default=None,
        help="Layers whose statistics are compared with the style images.",
        metavar="L,...",
        unset="the network's",
        recipe=True,
        group=_LOSS,
    )
    content_weight: float | None = option(
        default=None,
        help="Weight of the content loss: raise it to keep more of the content image.",
        metavar="W",
        low=0,
        unset="the method's",
        recipe=True,
        group=_LOSS,
    )
    style_weight: float | None = option(
        default=None,
        help="Weight of the style loss: raise it for a stronger style.",
        metavar="W",
        low=0,
        unset="the method's",
        recipe=True,
        group=_LOSS,
    )
    tv_weight: float | None = option(
        default=None,
        help="Weight of the total variation: raise it to smooth noise away.",
        metavar="W",
        low=0,
        unset="the method's",
        recipe=True,
        group=_LOSS,
    )
    edge_weight: float | None = option(
        default=None,
        help="Weight of the edge loss, which keeps the outlines of the content image where strokes break them up; "
        "start with 0.1.",
        metavar="W",
        low=0,
        unset="the method's",
        recipe=True,
        group=_LOSS,
    )
    statistic: str | None = option(
        default=None,
        help=f"Statistic that describes the style: {', '.join(STATISTICS)}; moments is calmer than gram. A weighted "
        "mixture is `linear:1,gaussian:0.5`.",
        metavar="NAME|NAME:W,...",
        unset="the method's",
        recipe=True,
        group=_LOSS,
    )
    normalize_losses: bool | None = option(
        default=None,
        help="Divide the style loss of each layer by its initial value, so that no layer dominates, and use weights "
        "that suit this. False keeps the method's own weights on every network.",
        unset="yes, unless the network is a trained VGG",
        recipe=True,
        group=_LOSS,
    )
    balance_gradients: bool = option(
        default=False,
        help="Balance several networks by gradient norm, so that weights of 1:1 give them equal influence.",
        group=_LOSS,
    )
    saturation: float | None = option(
        default=None,
        help="With preserve_color luminance or ink: how much of the content image's colour returns, from 0 (grey on "
        "the tint of the style's paper) to 1.",
        metavar="0..1",
        low=0,
        high=1,
        unset="the method's",
        recipe=True,
        group=_COLOR,
    )
    blank_areas: float | None = option(
        default=None,
        help="Leave flat areas blank, such as sky and mist, that are brighter than this: lower it for more blank "
        "paper; 1 for none; 0.5 suits most photographs.",
        metavar="0..1",
        above=0,
        high=1,
        unset="the method's",
        recipe=True,
        group=_COLOR,
    )
    scales: int | None = option(
        default=None,
        help="Number of sizes to paint one after the other, each twice the one before: more give bolder strokes, 1 "
        "paints the full size only.",
        metavar="N",
        low=1,
        high=12,
        unset="as many as start at about 512 pixels",
        group=_SIZE,
    )
    warm_start: bool = option(
        default=False,
        help="Carry the optimizer's state from one scale to the next. A fresh start mostly did better in our trials.",
        group=_OPTIMIZATION,
    )
    steps: int | None = option(
        default=None,
        help="Optimisation steps at the first scale; each further scale takes half as many as the one before.",
        metavar="N",
        low=1,
        unset="the method's, mostly 300",
        recipe=True,
        group=_OPTIMIZATION,
    )
    optimizer: Literal["lbfgs", "adam"] | None = option(
        default=None,
        help="`lbfgs` needs fewer steps, `adam` less memory.",
        unset="the method's",
        recipe=True,
        group=_OPTIMIZATION,
    )
    learning_rate: float | None = option(
        default=None,
        help="Learning rate: lower it if the picture flickers or the loss rises.",
        metavar="R",
        above=0,
        unset="1 for L-BFGS, for Adam 10/255 of the pixels' range",
        group=_OPTIMIZATION,
    )
    init: images.Source | None = option(
        default=None,
        help="Initial image: `content`, `noise`, `adain` for the result of `tfstyle apply`, or a picture.",
        metavar="content|noise|adain|FILE",
        unset="the method's",
        file=True,
        group=_OPTIMIZATION,
    )
    parameterization: Literal["pixels", "fourier"] | None = option(
        default=None,
        help="What is optimised: `pixels`, or the picture's decorrelated spectrum (`fourier`, Mordvintsev et al. "
        "2018), which removes the grain that networks other than VGG leave.",
        unset="pixels, but fourier for untrained networks",
        recipe=True,
        group=_OPTIMIZATION,
    )
    seed: int = option(
        default=0,
        help="Seed of the noise and of random weights.",
        metavar="N",
        low=0,
        high=SEEDS,
        group=_OPTIMIZATION,
    )
    precision: Literal["auto", "float32", "bfloat16"] = option(
        default="auto",
        help="Precision of the network's convolutions; picture, statistics and losses are always float32. `auto` "
        "measures which is faster; use float32 for figures that are to be compared.",
        recorded=False,
        group=_MACHINE,
    )
    tile: int | Literal["auto", "off"] = option(
        default="auto",
        help="Side of the tiles to work in, in pixels; the result is the same. `auto` uses tiles where memory is "
        "short.",
        metavar="auto|off|PIXELS",
        low=1,
        high=MAXIMUM_SIDE,
        parse=_word_or_int,
        recorded=False,
        group=_MACHINE,
    )
    callbacks: Sequence[Any] = option(
        default=(),
        help="Keras callbacks of the optimisation.",
        flag=False,
        recorded=False,
    )
    progress: bool | None = progress_option()

    @cached_property
    def base_method(self) -> Method:
        """The method as it is."""
        return methods.get(self.method) if isinstance(self.method, str) else self.method

    @cached_property
    def recipe(self) -> Method:
        """The method with the options that are given in place of its own."""
        return self.base_method.replace(**self.overrides())

    def overrides(self) -> dict[str, Any]:
        """The options that are given and take the place of the method's fields."""
        given = super().overrides()
        layers = {name: tuple(as_list(given[name])) for name in ("content_layers", "style_layers") if name in given}
        return given | layers


@settings
class TransferSettings(BatchTransferSettings):
    """The options of `transfer`.

    Raises:
        InputError: An option can't be used.
    """

    checkpoint: str | os.PathLike[str] | None = option(
        default=None,
        help="Folder for the unfinished painting, for long work that may be cut off; it is emptied at the end.",
        metavar="DIR",
        recorded=False,
        group=_LONG,
    )
    checkpoint_every: int = option(
        default=20,
        help="Steps between two checkpoints.",
        metavar="N",
        low=1,
        recorded=False,
        group=_LONG,
    )
    resume: bool = option(
        default=False,
        help="Continue from the checkpoint, if there is one, to the same picture as without the break.",
        recorded=False,
        group=_LONG,
    )

    def __post_init__(self) -> None:
        """Check every option."""
        super().__post_init__()
        if self.resume and self.checkpoint is None:
            raise InputError("there is nothing to resume: give the folder of the checkpoint, too")


@settings
class ApplySettings(StyleSettings):
    """The options of `apply`.

    Raises:
        InputError: An option can't be used.
    """

    style_scale: float = option(
        default=1.0,
        help="Size of the style images relative to the result: 2 for larger strokes, 0.5 for finer ones.",
        metavar="F",
        above=0,
        group=_STYLE,
    )
    model: Any = option(
        default="embedded",
        help="The network: `embedded`, a saved model (.keras), the folder of a training run, or in Python a model.",
        metavar="embedded|PATH",
        file=True,
        group=_NETWORK,
    )
    alpha: float | images.Source = option(
        default=1.0,
        help="Strength of the style from 0 to 1: lower it to keep more of the content image. A grey picture of the "
        "content image's shape sets it for each pixel, white for 1.",
        metavar="0..1|FILE",
        low=0,
        high=1,
        parse=_number_or_file,
        file=True,
        group=_STYLE,
    )
    depth: Any = option(
        default=None,
        help="Weaken the style where things are near: `auto` estimates depth by a small network; a file is a map of "
        "the content image in which white is near (.png, .tif, or .npy in [0, 1]); in Python also a depth module.",
        metavar="auto|FILE",
        unset="no depth, unless the model has its own",
        file=True,
        group=_DEPTH,
    )
    near: float = option(
        default=0.3,
        help="With depth: strength of the style at the nearest point, a factor of alpha.",
        metavar="0..1",
        low=0,
        high=1,
        group=_DEPTH,
    )
    far: float = option(
        default=1.0,
        help="With depth: strength of the style at the farthest point, a factor of alpha.",
        metavar="0..1",
        low=0,
        high=1,
        group=_DEPTH,
    )
    depth_contrast: float = option(
        default=10.0,
        help="With depth: how sharply near and far are separated; 0 for gradually.",
        metavar="F",
        low=0,
        group=_DEPTH,
    )
    depth_offset: float = option(
        default=0.5,
        help="With depth: the inverse depth, from 0 (far) to 1 (near), at which the strength is halfway.",
        metavar="0..1",
        low=0,
        high=1,
        group=_DEPTH,
    )

    def __post_init__(self) -> None:
        """Check every option."""
        super().__post_init__()
        if self.styles is None and self.model == ApplySettings.model:
            raise InputError("there is no style image: give at least one")


@settings
class ApplyBatchSettings(ApplySettings):
    """The options of `apply_batch` and `apply_styles`.

    Raises:
        InputError: An option can't be used.
    """

    progress: bool | None = progress_option()


DEPTH_OPTIONS: tuple[str, ...] = ("near", "far", "depth_contrast", "depth_offset")
"""Options of `apply` that need `depth`."""
