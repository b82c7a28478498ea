"""One call from pictures to a painted picture: what the command line and the notebooks stand on."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tfstyle import images, methods, weights as weights_room
from tfstyle.errors import InputError, check_whole, unknown
from tfstyle.methods import Method
from tfstyle.pictures import fitted_shape
from tfstyle.precision import faster
from tfstyle.result import Result
from tfstyle.runtime import import_tensorflow

if TYPE_CHECKING:
    import keras

    from tfstyle.backbones import Backbone
    from tfstyle.canvas import Canvas

log = logging.getLogger("tfstyle")

PRECISIONS = ("auto", "float32", "bfloat16")
ADAM_RATE = 10 / 255  # Johnson 2015, neural-style: 10 on pixels of 0 to 255
MAXIMUM_SIDE = 65535  # of a JPEG, the least that the formats hold


def transfer(
    content: images.Source,
    styles: images.Source | Sequence[images.Source],
    *,
    method: str | Method = "gatys",
    backbone: str | Backbone = "auto",
    weights: str | os.PathLike[str] | None = None,
    pooling: Literal["max", "avg"] | None = None,
    content_layers: str | Sequence[str] | None = None,
    style_layers: str | Sequence[str] | None = None,
    content_weight: float | None = None,
    style_weight: float | None = None,
    tv_weight: float | None = None,
    style_blend: Sequence[float] | None = None,
    size: int | None = 512,
    steps: int | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    init: str | images.Source | None = None,
    seed: int = 0,
    precision: Literal["float32", "bfloat16", "auto"] = "auto",
    callbacks: Sequence[Any] = (),
    progress: bool | None = None,
) -> Result:
    """Paint the content picture in the style of others.

    Whatever is None is the method's. On Ctrl-C, and when the loss stops being finite, the best picture so
    far is returned, and `settings["stopped"]` says so.

    Args:
        content: The photograph: path, PIL image, or array `(height, width[, channels])`.
        styles: The painting, or a list of several.
        method: Name of a recipe (see `tfstyle.methods`), or a `Method` of your own.
        backbone: Name of a `keras.applications` model or a `Backbone`; `"auto"` is the method's backbone
            with ImageNet weights where they can be had, else with random ones, and a log line says which.
        weights: `"imagenet"`, `"random"` or the path of a weights file.
        pooling: `"max"` or `"avg"`.
        content_layers: Layers whose features are kept.
        style_layers: Layers whose statistics are matched.
        content_weight: Weight of the content loss, at least 0.
        style_weight: Weight of the style loss, at least 0.
        tv_weight: Weight of the total variation, at least 0: smooths.
        style_blend: Weight of each style, at least 0; they are divided by their sum. None for equal ones.
        size: Longer side of the result, in pixels; the aspect is the content's. None for the content's own.
        steps: Number of optimisation steps, each one evaluation of the loss and its gradient.
        optimizer: `"lbfgs"` or `"adam"`.
        learning_rate: Of the optimizer; 1 for L-BFGS, and for Adam 10/255 of a pixel's range.
        init: What the optimisation begins with: `"content"`, `"noise"`, or a picture.
        seed: Of the noise and of random weights.
        precision: `"float32"`; `"bfloat16"` for convolutions in bfloat16, with the picture, statistics and
            losses in float32; or `"auto"` for what this machine does faster, by a short probe.
        callbacks: Keras callbacks.
        progress: Whether to draw a live bar on stderr; None for: if stdout is a terminal.

    Returns:
        The picture, the losses by step, and all settings.

    Raises:
        InputError: Something given can't be used; one line names it and the fix.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks".
    """
    started = time.perf_counter()
    recipe = methods.get(method) if isinstance(method, str) else method
    given = {
        "content_layers": _layers(content_layers),
        "style_layers": _layers(style_layers),
        "content_weight": content_weight,
        "style_weight": style_weight,
        "tv_weight": tv_weight,
        "steps": steps,
        "optimizer": optimizer,
        "pooling": pooling,
    }
    # What can be refused before TensorFlow is imported, which takes seconds, is.
    recipe.override(**given)
    if learning_rate is not None and not 0 < learning_rate < float("inf"):
        raise InputError(f"learning rate {learning_rate:g} can't be used: give a number above 0")
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    check_whole("seed", seed, 0, 2**32 - 1)
    if size is not None:
        check_whole("size", size, 1, MAXIMUM_SIDE)
    pictures: list[images.Source] = list(styles) if isinstance(styles, (list, tuple)) else [styles]  # type: ignore
    if not pictures:
        raise InputError("there is no style picture: give at least one")
    mix = _mix(style_blend, len(pictures))
    photo = images.load(content)
    paintings = [images.load(picture) for picture in pictures]
    start = recipe.init if init is None else init
    if not (isinstance(start, str) and start in ("content", "noise")):
        start = images.load(start)

    import_tensorflow()
    network = _network(backbone, weights, recipe, pooling, precision, seed)
    recipe = recipe.adapted(network.name, network.trained).override(**{**given, "pooling": network.pooling})
    with _enough_memory(photo, size):
        canvas = compose(recipe, network, photo, paintings, mix, start, size, seed)
    canvas.compile(optimizer=_optimizer(recipe, learning_rate), steps_per_execution=_steps_per_call())
    before = time.perf_counter()
    with _enough_memory(photo, size):
        stopped = _paint(canvas, recipe.steps, callbacks, progress)
    finished = time.perf_counter()

    settings = {
        "content": photo.name,
        "content_sha256": photo.sha256,
        "styles": [painting.name for painting in paintings],
        "styles_sha256": [painting.sha256 for painting in paintings],
        "style_blend": mix,
        "size": size,
        "seed": seed,
        **_record(recipe, network, canvas),
        "init": start.name if isinstance(start, images.Picture) else start,
        "stopped": stopped,
        "optimization_seconds": round(finished - before, 3),
        "seconds": round(time.perf_counter() - started, 3),
    }
    result = Result(canvas.picture, canvas.alpha, canvas.step_log, settings)
    del canvas
    gc.collect()  # Keras models are full of cycles, and large
    return result


def compose(
    method: Method,
    backbone: Backbone,
    content: images.Source,
    styles: Sequence[images.Source],
    mix: Sequence[float] | None = None,
    init: str | images.Source = "content",
    size: int | None = None,
    seed: int = 0,
) -> Canvas:
    """The canvas of a method: its terms on one backbone, and the pictures.

    Args:
        method: The recipe.
        backbone: The network of all terms.
        content: The content picture.
        styles: The style pictures.
        mix: Weights of the styles, which sum to 1; None for equal ones.
        init: `"content"`, `"noise"` or a picture.
        size: Longer side in pixels; None for the pictures' own.
        seed: Of the noise.

    Raises:
        InputError: An unknown layer or statistic, or a picture that can't be used.
    """
    from tfstyle.canvas import Canvas
    from tfstyle.objective import ContentTerm, Objective, StyleTerm, Term, TotalVariationTerm
    from tfstyle.statistics import GramMatrix, MeanAndDeviation

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
    return Canvas(Objective(terms), content, styles, mix, init, size, seed)


def _network(
    backbone: str | Backbone,
    weights: str | os.PathLike[str] | None,
    recipe: Method,
    pooling: Literal["max", "avg"] | None,
    precision: Literal["float32", "bfloat16", "auto"],
    seed: int,
) -> Backbone:
    """The backbone asked for; "auto" is the method's, with the weights that there are."""
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
    network = backbones.Backbone(
        name,
        chosen,
        pooling=pooling or (methods.UNTRAINED["pooling"] if str(chosen) == "random" else recipe.pooling),
        normalize=recipe.normalize,
        seed=seed,
        precision=faster() if precision == "auto" else precision,
    )
    record = network.weights_record
    log.log(
        logging.WARNING if fallback else logging.INFO,
        "painting with %s, weights %s (%s)%s",
        network.name,
        record["name"],
        record["source"],
        ", for want of ImageNet's, which paint better: `tfstyle weights` says where they are looked for"
        if fallback
        else "",
    )
    return network


def _optimizer(recipe: Method, learning_rate: float | None) -> keras.optimizers.Optimizer:
    import keras

    from tfstyle.optimizers import LBFGS

    options = recipe.optimizer_options | ({} if learning_rate is None else {"learning_rate": learning_rate})
    if recipe.optimizer == "lbfgs":
        return LBFGS(**options)
    return keras.optimizers.Adam(**{"learning_rate": ADAM_RATE, **options})


def _steps_per_call() -> int:
    """One step a call keeps the bar and Ctrl-C alive where a step is slow; on a GPU ten are quick."""
    import tensorflow as tf

    return 10 if tf.config.list_physical_devices("GPU") else 1


def _paint(canvas: Canvas, steps: int, callbacks: Sequence[Any], progress: bool | None) -> str | None:
    """Run the optimisation; what stopped it before its time, if anything did."""
    import tensorflow as tf

    from tfstyle.callbacks import ProgressBar

    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    bar = [ProgressBar()] if (on_terminal if progress is None else progress) else []
    stopped = None
    try:
        canvas.fit(steps=steps, callbacks=[*callbacks, *bar])
    except KeyboardInterrupt:
        if not canvas.painted:
            raise
        stopped = "interrupted"
    except (tf.errors.ResourceExhaustedError, MemoryError):
        if not canvas.painted:
            raise
        stopped = "out of memory"
    finally:
        for each in bar:
            each.close()
    if not canvas.painted:
        raise InputError("the loss is not a finite number at the first step: give smaller weights")
    if canvas.diverged:
        stopped = f"the loss was not a finite number after {canvas.steps_done} steps"
    return stopped


@contextlib.contextmanager
def _enough_memory(photo: images.Picture, size: int | None) -> Iterator[None]:
    """Turn what TensorFlow says where memory runs out into an `InputError`."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        height, width = photo.rgb.shape[:2]
        if size is not None:
            height, width = fitted_shape(height, width, size)
        raise InputError(f"there is not enough memory for {width}x{height} pixels: give a smaller size") from error


def _record(recipe: Method, network: Backbone, canvas: Canvas) -> dict[str, Any]:
    """What was done, with what, and how far it came; JSON can hold it."""
    import keras
    import tensorflow as tf

    from tfstyle import __version__

    height, width = canvas.picture.shape[:2]
    versions = {"tfstyle": __version__, "tensorflow": tf.__version__, "keras": keras.__version__}
    options = canvas.optimizer.get_config()
    return {
        **{("method" if name == "name" else name): value for name, value in recipe.record().items()},
        "height": height,
        "width": width,
        "backbone": network.name,
        "weights": network.weights_record,
        "normalize": network.normalize,
        "precision": network.compute_dtype,
        "content_layers": list(recipe.content_layers or [network.content_layer]),
        "style_layers": list(recipe.style_layers or network.style_layers),
        "optimizer_options": {name: value for name, value in options.items() if value is not None},
        "steps_done": canvas.steps_done,
        "first_loss": canvas.step_log["loss"][0],
        "best_loss": float(canvas.best_loss),
        "versions": {**versions, "numpy": np.__version__, "python": platform.python_version()},
    }


def _layers(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else (names,) if isinstance(names, str) else tuple(names)


def _mix(blend: Sequence[float] | None, number: int) -> list[float]:
    """The styles' weights, which sum to 1."""
    if blend is None:
        return [1 / number] * number
    weights = [float(weight) for weight in blend]
    shown = ",".join(f"{weight:g}" for weight in weights)
    if len(weights) != number:
        raise InputError(f"style blend {shown} has {len(weights)} weights for {number} style pictures: give {number}")
    if not all(0 <= weight < float("inf") for weight in weights) or not sum(weights) > 0:
        raise InputError(f"style blend {shown} must be numbers from 0 upwards that are not all 0")
    return [weight / sum(weights) for weight in weights]
