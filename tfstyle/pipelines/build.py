"""Builds the parts of an optimisation from a method: networks, objective, optimizer, tiles, canvas."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tfstyle import images
from tfstyle.core.errors import unknown
from tfstyle.core.memory import available, gigabytes
from tfstyle.features.loading import load_backbone
from tfstyle.losses.registry import STATISTICS
from tfstyle.optimization import memory
from tfstyle.optimization.registry import OPTIMIZERS, PARAMETERIZATIONS
from tfstyle.pipelines.method import Method

if TYPE_CHECKING:
    import keras

    from tfstyle.features.backbone import Backbone
    from tfstyle.losses.objective import Objective
    from tfstyle.losses.statistics import Statistic
    from tfstyle.losses.term import Term
    from tfstyle.optimization.canvas import Canvas
    from tfstyle.optimization.parameterization import Pixels

log = logging.getLogger("tfstyle")

ADAM_RATE = 10 / 255  # Johnson 2015, neural-style: 10 for pixels from 0 to 255
HISTORY = 20  # pairs of L-BFGS (the default of `LBFGS`)


@dataclass(frozen=True, eq=False)
class Branch:
    """A method on one network. Several branches with weights form an ensemble.

    Attributes:
        method: The method for the network.
        backbone: The network.
        weight: Factor of its content and style losses.

    Reference:
        Jin & Zhou 2021: the convolutional layers of VGG-19 and of InceptionV3 in one loss, weighted w1 and w2.
    """

    method: Method
    backbone: Backbone
    weight: float = 1.0

    def record(self) -> dict[str, Any]:
        """All fields, as JSON can hold them."""
        return {
            **self.method.record(),
            "backbone": self.backbone.name,
            "backbone_weight": self.weight,
            "weights": self.backbone.weights_record,
            "precision": self.backbone.compute_dtype,
        }


def compose(
    branches: Sequence[Branch],
    content: images.Source | Sequence[images.Source],
    styles: Sequence[images.Source],
    style_weights: Sequence[float] | Sequence[Sequence[float]] | None = None,
    init: images.Source | Sequence[images.Source] = "content",
    size: int | None = None,
    seed: int = 0,
    *,
    tile: int | None = None,
    balance_gradients: bool = False,
    **options: Any,
) -> Canvas:
    """The canvas of a method on one network or several.

    Args:
        branches: The method on each network.
        content: The content image, or several of one size.
        styles: The style images.
        style_weights: Weights of the style images, which sum to 1; or a row of weights for each content image. None
            for equal weights.
        init: `"content"`, `"noise"` or an initial image; or one for each content image.
        size: Longer side of the content image, in pixels. None for its own size.
        seed: Seed of the noise.
        tile: Longest side of the tiles, in pixels. None for no tiles.
        balance_gradients: See `objective`.
        **options: Other arguments of `Canvas`.

    Raises:
        InputError: A layer or a statistic is unknown, or an image can't be used.
    """
    from tfstyle.optimization.canvas import Canvas

    terms = objective(branches, tile, balance_gradients)
    return Canvas(terms, content, styles, style_weights, init, size, seed=seed, **options)


def objective(branches: Sequence[Branch], tile: int | None = None, balance_gradients: bool = False) -> Objective:
    """The terms of a method on all of its networks.

    Args:
        branches: The method on each network.
        tile: Longest side of the tiles, in pixels. None for no tiles.
        balance_gradients: Whether the weights of the branches are shares of the gradient at the content image, in
            place of factors of the losses; see `Objective`.

    Raises:
        InputError: A layer or a statistic is unknown.
    """
    from tfstyle.losses.edges import EdgeTerm
    from tfstyle.losses.objective import Objective
    from tfstyle.losses.total_variation import TotalVariationTerm

    terms: list[Term] = []
    for branch in branches:
        suffix = f"_{branch.backbone.name.lower()}" if len(branches) > 1 else ""
        terms += _terms(branch, 1.0 if balance_gradients else branch.weight, suffix)
    # Terms on pixels belong to no network.
    tv_weight, edge_weight = (max(getattr(b.method, name) for b in branches) for name in ("tv_weight", "edge_weight"))
    if tv_weight:
        terms.append(TotalVariationTerm(tv_weight))
    if edge_weight:
        terms.append(EdgeTerm(edge_weight))
    return Objective(terms, tile, [branch.weight for branch in branches] if balance_gradients else None)


def _terms(branch: Branch, weight: float, suffix: str) -> list[Term]:
    """The content and style terms of one network, whose names end with the suffix."""
    from tfstyle.losses.content import ContentTerm
    from tfstyle.losses.style import StyleTerm

    method, backbone = branch.method, branch.backbone
    return [
        ContentTerm(
            backbone,
            method.content_layers,
            weight * method.content_weight,
            method.content_normalization,
            name=f"content{suffix}",
        ),
        StyleTerm(
            backbone,
            method.style_layers,
            statistic(method),
            weight * method.style_weight,
            normalize_losses=method.normalize_losses,
            name=f"style{suffix}",
        ),
    ]


def statistic(method: Method) -> Statistic:
    """The statistic of a method, or the mixture of its statistics.

    Raises:
        InputError: A statistic has no such option.
    """
    from tfstyle.losses.mixture import Mixture

    parts = [(_statistic(name, method.options_of(name)), weight) for name, weight in method.statistics.items()]
    return parts[0][0] if len(parts) == 1 else Mixture(parts)


def _statistic(name: str, options: Mapping[str, Any]) -> Statistic:
    kind = STATISTICS[name]
    known = inspect.signature(kind).parameters
    for option in options:
        if option not in known:
            raise unknown(f"option of the statistic {name}", option, known)
    return kind(**options)


def network(
    backbone: str | Backbone,
    weights: str | os.PathLike[str] | None,
    method: Method,
    pooling: Literal["max", "avg"] | None,
    precision: Literal["float32", "bfloat16", "auto"],
    seed: int,
) -> Backbone:
    """The network of a method.

    Args:
        backbone: A backbone, the name of a network, or `"auto"` for that of the method.
        weights: As for `Backbone`.
        method: The method, whose pooling, normalization, input scaling and activation smoothing the network gets.
        pooling: `"max"` or `"avg"` in place of the method's.
        precision: As for `tfstyle.features.loading.load_backbone`.
        seed: Seed of random weights.

    Raises:
        InputError: There is no such network, or there are no weights for it.
    """
    if isinstance(backbone, str) and str(weights) != "random":  # others have a pooling of their own
        pooling = pooling or method.pooling
    return load_backbone(
        backbone,
        weights,
        default=method.backbone,
        pooling=pooling,
        normalize=method.normalize,
        input_scaling=method.input_scaling,
        activation_smoothing=method.activation_smoothing,
        precision=precision,
        seed=seed,
        task="painting",
    )


def optimizer(
    method: Method, learning_rate: float | None, height: int, width: int, smoothness: float
) -> keras.optimizers.Optimizer:
    """The optimizer of a method for a picture. L-BFGS gets as many pairs as fit the memory.

    Args:
        method: The method.
        learning_rate: Learning rate. None for that of the method.
        height: Height of the picture, in pixels.
        width: Width of the picture, in pixels.
        smoothness: The `smoothness` of L-BFGS.
    """
    options: dict[str, Any] = {}
    if method.optimizer == "lbfgs":
        options = {"smoothness": smoothness}
    elif method.optimizer == "adam":
        options = {"learning_rate": ADAM_RATE, "name": "adam"}
    options |= method.optimizer_options
    if learning_rate is not None:
        options["learning_rate"] = learning_rate
    result = OPTIMIZERS[method.optimizer](**options)
    if method.optimizer == "lbfgs":
        wanted, history = result.history, memory.history(height, width, result.history)
        result.history, result.pairs_dtype = history.pairs, history.dtype
        if history.pairs < wanted:
            result.smoothness = 0.0  # it takes the memory of five pairs, and a coarser scale has smoothed already
    return result


def parameterization(name: str, grey: bool) -> Pixels:
    """The parameterization of that name.

    Args:
        name: One of `PARAMETERIZATIONS`.
        grey: Whether only the luminance is optimised.
    """
    return PARAMETERIZATIONS[name](grey)


def tile(branches: Sequence[Branch], height: int, width: int, wanted: int | Literal["auto", "off"]) -> int | None:
    """The side of the tiles, in pixels. None for no tiles.

    Args:
        branches: The method on each network.
        height: Height of the picture, in pixels.
        width: Width of the picture, in pixels.
        wanted: A side, in pixels; `"off"`; or `"auto"` for tiles if memory is short, which a log line reports.

    Raises:
        InputError: The tile is too small, or a network can't be computed in tiles.
    """
    if wanted == "off":
        return None
    whole = objective(branches)
    if wanted == "auto":
        pairs, free = _pairs(branches, height, width), available()
        side = memory.tile(whole, height, width, pairs, free)
        if side is not None:
            log.info(
                "working in tiles of %d pixels: a step at %dx%d needs about %s, and there are %s",
                side,
                width,
                height,
                gigabytes(memory.step_bytes(whole, height, width, pairs)),
                gigabytes(free),
            )
    else:
        side = wanted
    if side is not None:
        whole.tile = side
        whole.grid(height, width)  # raises an error for tiles that can't be used
    return side


def pictures_per_step(branches: Sequence[Branch], height: int, width: int, tile: int | Literal["auto", "off"]) -> int:
    """How many pictures of a size memory holds in one step, at least one.

    Args:
        branches: The method on each network.
        height: Height of a picture, in pixels.
        width: Width of a picture, in pixels.
        tile: As `wanted` in `tile`.
    """
    pairs, side = _pairs(branches, height, width), tile if isinstance(tile, int) else None
    return memory.pictures_per_step(objective(branches), height, width, pairs, available(), side)


def _pairs(branches: Sequence[Branch], height: int, width: int) -> memory.History:
    """The memory of the optimizer: the pairs of L-BFGS, or one pair for the two moments of Adam."""
    lbfgs = branches[0].method.optimizer == "lbfgs"
    return memory.history(height, width, HISTORY) if lbfgs else memory.History(1)


def steps_per_call() -> int:
    """Number of steps in one call: 1 where a step is slow, so that progress and Ctrl-C work; 10 on a GPU."""
    import tensorflow as tf

    return 10 if tf.config.list_physical_devices("GPU") else 1
