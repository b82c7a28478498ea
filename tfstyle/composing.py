"""From a method to a canvas: network, terms, optimizer and tiles, chosen where nothing is asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from tfstyle import images, memory, methods, weights as weights_room
from tfstyle.errors import InputError
from tfstyle.methods import Method
from tfstyle.precision import faster

if TYPE_CHECKING:
    import keras

    from tfstyle.backbones import Backbone
    from tfstyle.canvas import Canvas
    from tfstyle.objective import Objective
    from tfstyle.parameterizations import Pixels

log = logging.getLogger("tfstyle")

ADAM_RATE = 10 / 255  # Johnson 2015, neural-style: 10 on pixels of 0 to 255


def compose(
    method: Method,
    backbone: Backbone,
    content: images.Source | Sequence[images.Source],
    styles: Sequence[images.Source],
    mix: Sequence[float] | None = None,
    init: str | images.Source = "content",
    size: int | None = None,
    seed: int = 0,
    *,
    tile: int | None = None,
    **options: Any,
) -> Canvas:
    """The canvas of a method: its terms on one backbone, and the pictures.

    Args:
        method: The recipe.
        backbone: The network of all terms.
        content: The content picture, or several of one size.
        styles: The style pictures.
        mix: Weights of the styles, which sum to 1; None for equal ones.
        init: `"content"`, `"noise"` or a picture.
        size: Longer side in pixels; None for the pictures' own.
        seed: Of the noise.
        tile: Longest side of the tiles to work in, in pixels; None for no tiles.
        **options: As for `Canvas`.

    Raises:
        InputError: An unknown layer or statistic, or a picture that can't be used.
    """
    from tfstyle.canvas import Canvas

    return Canvas(objective(method, backbone, tile), content, styles, mix, init, size, seed=seed, **options)


def objective(method: Method, backbone: Backbone, tile: int | None = None) -> Objective:
    """The terms of a method on one backbone.

    Raises:
        InputError: An unknown layer or statistic.
    """
    from tfstyle.objective import Objective
    from tfstyle.statistics import GramMatrix, MeanAndDeviation
    from tfstyle.terms import ContentTerm, StyleTerm, Term, TotalVariationTerm

    statistics = {"gram": GramMatrix, "moments": MeanAndDeviation}
    terms: list[Term] = [
        ContentTerm(backbone, method.content_layers, method.content_weight, method.content_normalization),
        StyleTerm(
            backbone,
            method.style_layers,
            statistics[method.statistic](**method.statistic_options),
            method.style_weight,
            balance=method.balance,
        ),
    ]
    if method.tv_weight:
        terms.append(TotalVariationTerm(method.tv_weight))
    return Objective(terms, tile)


def network(
    backbone: str | Backbone,
    weights: str | os.PathLike[str] | None,
    recipe: Method,
    pooling: Literal["max", "avg"] | None,
    precision: Literal["float32", "bfloat16", "auto"],
    seed: int,
    task: str = "painting",
) -> Backbone:
    """The backbone asked for; "auto" is the method's, with the weights that there are. The log line says for what."""
    from tfstyle import backbones

    if isinstance(backbone, backbones.Backbone):
        if weights is not None or pooling not in (None, backbone.pooling):
            raise InputError(f"{backbone!r} has its weights and pooling already: leave out weights and pooling")
        return backbone
    name = recipe.backbone if backbone == "auto" else backbone
    fallback = False
    if weights is None and backbone == "auto":
        try:
            weights_room.find(name)
        except weights_room.NotFoundError:
            fallback = True
    chosen = "random" if fallback else "imagenet" if weights is None else weights
    found = backbones.Backbone(
        name,
        chosen,
        pooling=pooling or (methods.UNTRAINED["pooling"] if str(chosen) == "random" else recipe.pooling),
        normalize=recipe.normalize,
        seed=seed,
        precision=faster() if precision == "auto" else precision,
    )
    record = found.weights_record
    log.log(
        logging.WARNING if fallback else logging.INFO,
        "%s with %s, weights %s (%s)%s",
        task,
        found.name,
        record["name"],
        record["source"],
        ", for want of ImageNet's, which do better: `tfstyle weights` says where they are looked for"
        if fallback
        else "",
    )
    return found


def optimizer(
    recipe: Method, learning_rate: float | None, height: int, width: int, smoothness: float
) -> keras.optimizers.Optimizer:
    """The method's optimizer for a picture of a size; L-BFGS with as many pairs as memory is meant to hold."""
    import keras

    from tfstyle.optimizers import LBFGS

    options = recipe.optimizer_options | ({} if learning_rate is None else {"learning_rate": learning_rate})
    if recipe.optimizer == "lbfgs":
        lbfgs = LBFGS(**{"smoothness": smoothness, **options})
        wanted, lbfgs.history = lbfgs.history, memory.history(height, width, lbfgs.history)
        if lbfgs.history < wanted:
            lbfgs.smoothness = 0.0  # it takes as much as five pairs, and a coarser scale has done its work
        return lbfgs
    return keras.optimizers.Adam(**{"learning_rate": ADAM_RATE, "name": "adam", **options})


def parameterization(name: str, grey: bool) -> Pixels:
    """What is optimised, by its name; `grey` for the luminance only."""
    from tfstyle.parameterizations import Fourier, Pixels

    return {"pixels": Pixels, "fourier": Fourier}[name](grey)


def tile(
    recipe: Method, backbone: Backbone, height: int, width: int, wanted: int | Literal["auto", "off"]
) -> int | None:
    """The tiles to work in: as wanted, or those that memory asks for, which a log line then says.

    Raises:
        InputError: A tile that is too small, or a network that can't be worked on in tiles.
    """
    if wanted == "off":
        return None
    whole = objective(recipe, backbone)
    if wanted != "auto":
        found: int | None = wanted
    else:
        pairs = memory.history(height, width, 20) if recipe.optimizer == "lbfgs" else 1
        free = memory.available()
        found = memory.tile(whole, height, width, pairs, free)
        if found is not None:
            log.info(
                "working in tiles of %d pixels: a step at %dx%d needs about %s, and there are %s",
                found,
                width,
                height,
                memory.gigabytes(memory.step_bytes(whole, height, width, pairs)),
                memory.gigabytes(free),
            )
    if found is not None:
        whole.tile = found
        whole.grid(height, width)  # which refuses what can't be
    return found


def steps_per_call() -> int:
    """One step a call keeps the bar and Ctrl-C alive where a step is slow; on a GPU ten are quick."""
    import tensorflow as tf

    return 10 if tf.config.list_physical_devices("GPU") else 1
