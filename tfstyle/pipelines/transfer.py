"""One call from pictures to painted pictures: what the command line and the notebooks stand on."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tfstyle import images
from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.features import weights as weights_room
from tfstyle.features.loading import shares
from tfstyle.images import color_transfer
from tfstyle.pipelines import methods
from tfstyle.pipelines.method import Method
from tfstyle.pipelines.result import Result
from tfstyle.pipelines.runner import Painter
from tfstyle.pipelines.settings import Settings

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

log = logging.getLogger("tfstyle")

PRECISIONS = ("auto", "float32", "bfloat16")
STARTS = ("content", "noise", "adain")
MAXIMUM_SIDE = 65535  # of a JPEG, the least that the formats hold


def transfer(
    content: images.Source,
    styles: images.Source | Sequence[images.Source],
    *,
    method: str | Method = "gatys",
    backbone: str | Backbone | Mapping[str | Backbone, float] = "auto",
    weights: str | os.PathLike[str] | None = None,
    pooling: Literal["max", "avg"] | None = None,
    input_scaling: Literal["own", "unit", "symmetric"] | None = None,
    smoothing: bool | None = None,
    content_layers: str | Sequence[str] | None = None,
    style_layers: str | Sequence[str] | None = None,
    content_weight: float | None = None,
    style_weight: float | None = None,
    tv_weight: float | None = None,
    balance: bool | None = None,
    calibrate: bool = False,
    edge_weight: float | None = None,
    statistic: str | None = None,
    style_blend: Sequence[float] | None = None,
    size: int | None = 512,
    scales: int | None = None,
    style_scale: float | None = None,
    carry_over: bool = False,
    steps: int | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    init: str | images.Source | None = None,
    content_mask: images.Source | Sequence[images.Source] | None = None,
    style_mask: images.Source | Sequence[images.Source | None] | None = None,
    preserve_color: Literal["luminance", "ink", "statistics", "histogram", "none"] | None = None,
    saturation: float | None = None,
    voids: float | None = None,
    parameterization: Literal["pixels", "fourier"] | None = None,
    seed: int = 0,
    precision: Literal["float32", "bfloat16", "auto"] = "auto",
    tile: int | Literal["auto", "off"] = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 20,
    resume: bool = False,
    callbacks: Sequence[Any] = (),
    progress: bool | None = None,
) -> Result:
    """Paint the content picture in the style of others.

    Whatever is None is the method's. On Ctrl-C, and when the loss stops being finite, the best picture so
    far is returned, and `settings["stopped"]` says so.

    Args:
        content: The photograph: path, PIL image, or array `(height, width[, channels])`.
        styles: The painting, or a list of several.
        method: Name of a recipe (see `tfstyle.pipelines.methods`), or a `Method` of your own.
        backbone: Name of a `keras.applications` model, `"VGG19Mini"`, or a `Backbone`; `"auto"` is the method's
            backbone with ImageNet weights where they can be had, else `VGG19Mini`, and a log line says which. Several
            side by side, each with the factor of its losses: `"VGG19:1e-3,InceptionV3:1"`, or a dictionary from
            names or networks to weights; what isn't of a network, as the steps, is the first's.
        weights: `"imagenet"`, `"embedded"` (of `VGG19Mini`), `"random"` or the path of a weights file.
        pooling: `"max"` or `"avg"`.
        input_scaling: What the networks see: `"own"` for what each was trained on, `"unit"` for RGB in [0, 1],
            `"symmetric"` for [-1, 1].
        smoothing: Whether features pass a softmax over channels, for residual networks; see `Backbone`.
        content_layers: Layers whose features are kept.
        style_layers: Layers whose statistics are matched.
        content_weight: Weight of the content loss, at least 0.
        style_weight: Weight of the style loss, at least 0.
        tv_weight: Weight of the total variation, at least 0: smooths.
        balance: Whether each layer's style loss is divided by its value for the content picture. None for: where
            the network isn't VGG or isn't trained, together with weights that suit it; False keeps the method's
            weights on all.
        calibrate: Of several networks, whether their weights are shares of the gradient at the content picture, so
            that equal ones have equal say; else they are factors of the losses, whose scales differ by far.
        edge_weight: Weight of how far the edges in luminance are from the photograph's, at least 0: keeps outlines
            where strokes would break them up.
        statistic: What style is measured by: `"gram"`, `"moments"`, `"linear"`, `"polynomial"`, `"gaussian"`,
            `"wasserstein"`, or several with weights as `"linear:1,gaussian:0.5"`.
        style_blend: Weight of each style, at least 0; they are divided by their sum. None for equal ones.
        size: Longer side of the result, in pixels; the aspect is the content's. None for the content's own.
        scales: Number of sizes to paint at, one after the other, each twice the one before: a large picture gets
            the strokes of a small one. None for as many as begin at about 512 pixels; 1 for the full size only.
        style_scale: Factor of the styles' sizes, which are brought to the picture's: larger ones make larger strokes.
        carry_over: Whether the optimizer's state goes from one scale to the next; else each begins anew, which ended
            1 to 8 % lower in nearly all trials (`tfstyle.optimization.scales`).
        steps: Number of optimisation steps, each one evaluation of the loss and its gradient; at the first scale,
            each further one taking half of those of the one before.
        optimizer: `"lbfgs"` or `"adam"`.
        learning_rate: Of the optimizer; 1 for L-BFGS, and for Adam 10/255 of a pixel's range.
        init: What the optimisation begins with: `"content"`, `"noise"`, `"adain"` for what the feed-forward model
            that comes with the package paints at the first scale (see `apply`), or a picture.
        content_mask: Where on the picture is painted: a grey mask (white is painted in all styles), as many as
            styles (one for each), or a picture whose flat colours are regions; see `tfstyle.images.masks`.
        style_mask: What of each style counts: a grey mask, or regions of the same colours; one for each style, or
            None.
        preserve_color: Keep the photograph's colours: `"luminance"` paints in grey and puts the photograph's colours
            on it; `"ink"` likewise, in the light and dark of the painting; `"statistics"` and `"histogram"` recolour
            the styles like the photograph first; `"none"` does nothing, where the method has a way of its own.
        saturation: With `"luminance"` or `"ink"`, how much of the photograph's colours comes back: 1 for all, 0 for
            grey on the tint of the styles' paper.
        voids: Brightness, from 0 to 1 in the photograph's own range, above which what is flat is left as bare paper;
            1 for none.
        parameterization: What is optimised: `"pixels"`, or `"fourier"` for the picture's decorrelated spectrum. None
            for pixels, but of untrained networks, which leave grain in them, for the spectrum if masks leave nothing
            bare.
        seed: Of the noise and of random weights.
        precision: `"float32"`; `"bfloat16"` for convolutions in bfloat16, with the picture, statistics and
            losses in float32; or `"auto"` for what this machine does faster, by a short probe.
        tile: Side, in pixels, of the tiles that the picture is worked on in, which bounds the memory and changes
            nothing else; `"off"`, or `"auto"` for tiles where the memory would not hold the whole.
        checkpoint: A folder in which the unfinished painting is kept, and removed from when it is done.
        checkpoint_every: Steps between two checkpoints.
        resume: Go on from the checkpoint, if there is one.
        callbacks: Keras callbacks.
        progress: Whether to draw a live bar on stderr; None for: if stdout is a terminal.

    Returns:
        The picture, the losses by step, and all settings.

    Raises:
        InputError: Something given can't be used; one line names it and the fix.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks".
    """
    result = unfinished(
        content,
        styles,
        method=method,
        backbone=backbone,
        weights=weights,
        pooling=pooling,
        input_scaling=input_scaling,
        smoothing=smoothing,
        content_layers=content_layers,
        style_layers=style_layers,
        content_weight=content_weight,
        style_weight=style_weight,
        tv_weight=tv_weight,
        balance=balance,
        calibrate=calibrate,
        edge_weight=edge_weight,
        statistic=statistic,
        style_blend=style_blend,
        size=size,
        scales=scales,
        style_scale=style_scale,
        carry_over=carry_over,
        steps=steps,
        optimizer=optimizer,
        learning_rate=learning_rate,
        init=init,
        content_mask=content_mask,
        style_mask=style_mask,
        preserve_color=preserve_color,
        saturation=saturation,
        voids=voids,
        parameterization=parameterization,
        seed=seed,
        precision=precision,
        tile=tile,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        callbacks=callbacks,
        progress=progress,
    )
    finish(result, checkpoint)
    return result


def unfinished(content: images.Source, styles: images.Source | Sequence[images.Source], **settings: Any) -> Result:
    """As `transfer`, but the checkpoint stays until `finish`, so that the result can be saved before."""
    asked = checked(styles, **{**(transfer.__kwdefaults__ or {}), **settings})
    return Painter(asked).paint([images.load(content)])[0]


def finish(result: Result, checkpoint: str | os.PathLike[str] | None) -> None:
    """Remove the checkpoint, if there is one, of a painting that has not stopped before its time."""
    if checkpoint is not None and not result.settings["stopped"]:
        from tfstyle.optimization.checkpoint import remove

        remove(checkpoint)


def checked(
    styles: images.Source | Sequence[images.Source],
    *,
    method: str | Method,
    backbone: str | Backbone | Mapping[str | Backbone, float],
    pooling: Literal["max", "avg"] | None,
    input_scaling: Literal["own", "unit", "symmetric"] | None,
    smoothing: bool | None,
    content_layers: str | Sequence[str] | None,
    style_layers: str | Sequence[str] | None,
    content_weight: float | None,
    style_weight: float | None,
    tv_weight: float | None,
    balance: bool | None,
    edge_weight: float | None,
    statistic: str | None,
    style_scale: float | None,
    preserve_color: str | None,
    saturation: float | None,
    voids: float | None,
    style_blend: Sequence[float] | None,
    steps: int | None,
    optimizer: str | None,
    init: str | images.Source | None,
    parameterization: Literal["pixels", "fourier"] | None,
    content_mask: images.Source | Sequence[images.Source] | None,
    style_mask: images.Source | Sequence[images.Source | None] | None,
    **others: Any,
) -> Settings:
    """The settings of `transfer`, checked before TensorFlow is imported, which takes seconds."""
    recipe = methods.get(method) if isinstance(method, str) else method
    given = {
        "content_layers": _layers(content_layers),
        "style_layers": _layers(style_layers),
        "content_weight": content_weight,
        "style_weight": style_weight,
        "tv_weight": tv_weight,
        "edge_weight": edge_weight,
        "statistic": statistic,
        "style_scale": style_scale,
        "preserve_color": preserve_color,
        "saturation": saturation,
        "voids": voids,
        "steps": steps,
        "optimizer": optimizer,
        "pooling": pooling,
        "input_scaling": input_scaling,
        "smoothing": smoothing,
        "balance": balance,
        "parameterization": parameterization,
    }
    own = recipe.override(**given)
    rate = others["learning_rate"]
    if rate is not None and not 0 < rate < float("inf"):
        raise InputError(f"learning rate {rate:g} can't be used: give a number above 0")
    if others["precision"] not in PRECISIONS:
        raise unknown("precision", others["precision"], PRECISIONS)
    if own.preserve_color not in (None, *color_transfer.KINDS):
        raise unknown("preserve color", own.preserve_color, (*color_transfer.KINDS, "none"))
    check_whole("seed", others["seed"], 0, 2**32 - 1)
    check_whole("checkpoint every", others["checkpoint_every"], 1, 10_000_000)
    for name, low, high in (("size", 1, MAXIMUM_SIDE), ("scales", 1, 12)):
        if others[name] is not None:
            check_whole(name, others[name], low, high)
    if others["tile"] not in ("auto", "off"):
        check_whole("tile", others["tile"], 1, MAXIMUM_SIDE)
    if others["resume"] and others["checkpoint"] is None:
        raise InputError("there is nothing to resume: give the folder of the checkpoint, too")
    pictures = listed(styles)
    if not pictures:
        raise InputError("there is no style picture: give at least one")
    mix = blended(style_blend, len(pictures))
    paintings = [images.load(picture) for picture in pictures]
    networks = shares(backbone)
    if others["calibrate"] and len(networks) < 2:
        raise InputError("calibrate is for several networks: name two or more, or leave it out")
    start = recipe.init if init is None else init
    if not (isinstance(start, str) and start in STARTS):
        start = images.load(start)
    if isinstance(start, str) and start == "adain":
        weights_room.adain()  # which may be missing
    return Settings(
        recipe=recipe,
        given=given,
        backbones=networks,
        pooling=pooling,
        paintings=paintings,
        mix=mix,
        init=start,
        content_masks=[images.load(mask) for mask in listed(content_mask)],
        style_masks=[None if mask is None else images.load(mask) for mask in listed(style_mask)],
        style_scale=own.style_scale,
        preserve_color=own.preserve_color,
        saturation=own.saturation,
        voids=own.voids,
        **others,
    )


def listed(sources: Any) -> list[Any]:
    """One source, several, or None, as a list."""
    if sources is None:
        return []
    return list(sources) if isinstance(sources, (list, tuple)) else [sources]


def _layers(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else (names,) if isinstance(names, str) else tuple(names)


def blended(blend: Sequence[float] | None, number: int) -> list[float]:
    """The weights of a number of styles, which sum to 1; None for equal ones.

    Raises:
        InputError: Not as many weights, a negative one, or none above 0.
    """
    if blend is None:
        return [1 / number] * number
    weights = [float(weight) for weight in blend]
    shown = ",".join(f"{weight:g}" for weight in weights)
    if len(weights) != number:
        raise InputError(f"style blend {shown} has {len(weights)} weights for {number} style pictures: give {number}")
    if not all(0 <= weight < float("inf") for weight in weights) or not sum(weights) > 0:
        raise InputError(f"style blend {shown} must be numbers from 0 upwards that are not all 0")
    return [weight / sum(weights) for weight in weights]
