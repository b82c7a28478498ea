"""From a method to a canvas: network, terms, optimizer and tiles, chosen where nothing is asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tfstyle import images
from tfstyle.core.memory import available, gigabytes
from tfstyle.features.loading import load_backbone
from tfstyle.optimization import memory
from tfstyle.pipelines.method import Method, shares as statistic_shares

if TYPE_CHECKING:
    import keras

    from tfstyle.features.backbone import Backbone
    from tfstyle.losses.objective import Objective
    from tfstyle.losses.statistics import Statistic
    from tfstyle.losses.terms import Term
    from tfstyle.optimization.canvas import Canvas
    from tfstyle.optimization.parameterization import Pixels

log = logging.getLogger("tfstyle")

ADAM_RATE = 10 / 255  # Johnson 2015, neural-style: 10 on pixels of 0 to 255


@dataclass(frozen=True, eq=False)
class Branch:
    """A method on one network; several side by side, each with its weight, are an ensemble.

    Attributes:
        method: The recipe, adapted to the network.
        backbone: The network.
        weight: Factor of its content and style losses.

    Reference:
        Jin & Zhou 2021: the convolutional layers of VGG-19 and of InceptionV3 in one loss, weighted w1 and w2.
    """

    method: Method
    backbone: Backbone
    weight: float = 1.0

    def record(self) -> dict[str, Any]:
        """All that it is, as JSON can hold it."""
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
    mix: Sequence[float] | Sequence[Sequence[float]] | None = None,
    init: str | images.Source = "content",
    size: int | None = None,
    seed: int = 0,
    *,
    tile: int | None = None,
    calibrate: bool = False,
    **options: Any,
) -> Canvas:
    """The canvas of a method: its terms on one network or on several, and the pictures.

    Args:
        branches: The method on each network.
        content: The content picture, or several of one size.
        styles: The style pictures.
        mix: Weights of the styles, which sum to 1, or a row of them for each content; None for equal ones.
        init: `"content"`, `"noise"` or a picture.
        size: Longer side in pixels; None for the pictures' own.
        seed: Of the noise.
        tile: Longest side of the tiles to work in, in pixels; None for no tiles.
        calibrate: As for `objective`.
        **options: As for `Canvas`.

    Raises:
        InputError: An unknown layer or statistic, or a picture that can't be used.
    """
    from tfstyle.optimization.canvas import Canvas

    return Canvas(objective(branches, tile, calibrate), content, styles, mix, init, size, seed=seed, **options)


def objective(branches: Sequence[Branch], tile: int | None = None, calibrate: bool = False) -> Objective:
    """The terms of a method on all of its networks.

    Args:
        branches: The method on each network.
        tile: Longest side of the tiles to work in, in pixels; None for no tiles.
        calibrate: Whether the branches' weights are shares of the gradient at the content picture, see `Objective`.

    Raises:
        InputError: An unknown layer or statistic.
    """
    from tfstyle.losses.edges import EdgeTerm
    from tfstyle.losses.objective import Objective
    from tfstyle.losses.terms import TotalVariationTerm

    terms: list[Term] = []
    for branch in branches:
        suffix = f"_{branch.backbone.name.lower()}" if len(branches) > 1 else ""
        terms += _terms(branch, 1.0 if calibrate else branch.weight, suffix)
    # These look at pixels, whatever the networks.
    smoothing, outlines = (max(getattr(b.method, name) for b in branches) for name in ("tv_weight", "edge_weight"))
    if smoothing:
        terms.append(TotalVariationTerm(smoothing))
    if outlines:
        terms.append(EdgeTerm(outlines))
    return Objective(terms, tile, [branch.weight for branch in branches] if calibrate else None)


def _terms(branch: Branch, weight: float, suffix: str) -> list[Term]:
    """Content and style on one network; the suffix tells the names of several apart."""
    from tfstyle.losses.terms import ContentTerm, StyleTerm

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
            balance=method.balance,
            name=f"style{suffix}",
        ),
    ]


def statistic(method: Method) -> Statistic:
    """The method's statistic, or the mixture of those that it has."""
    from tfstyle.losses.mixture import Mixture
    from tfstyle.losses.mmd import GaussianKernel, LinearKernel, PolynomialKernel
    from tfstyle.losses.statistics import GramMatrix, MeanAndDeviation
    from tfstyle.losses.wasserstein import GaussianWasserstein

    kinds: dict[str, type[Statistic]] = {
        "gram": GramMatrix,
        "moments": MeanAndDeviation,
        "linear": LinearKernel,
        "polynomial": PolynomialKernel,
        "gaussian": GaussianKernel,
        "wasserstein": GaussianWasserstein,
    }
    parts = statistic_shares(method.statistic)
    if len(parts) == 1:
        return kinds[next(iter(parts))](**method.statistic_options)
    return Mixture((kinds[kind](**method.statistic_options.get(kind, {})), share) for kind, share in parts.items())


def network(
    backbone: str | Backbone,
    weights: str | os.PathLike[str] | None,
    recipe: Method,
    pooling: Literal["max", "avg"] | None,
    precision: Literal["float32", "bfloat16", "auto"],
    seed: int,
) -> Backbone:
    """The backbone asked for, with what the recipe says of pooling, normalization and input scaling."""
    if isinstance(backbone, str) and str(weights) != "random":  # others have a pooling of their own
        pooling = pooling or recipe.pooling
    return load_backbone(
        backbone,
        weights,
        default=recipe.backbone,
        pooling=pooling,
        normalize=recipe.normalize,
        input_scaling=recipe.input_scaling,
        smoothing=recipe.smoothing,
        precision=precision,
        seed=seed,
        task="painting",
    )


def optimizer(
    recipe: Method, learning_rate: float | None, height: int, width: int, smoothness: float
) -> keras.optimizers.Optimizer:
    """The method's optimizer for a picture of a size; L-BFGS with as many pairs as memory is meant to hold."""
    import keras

    from tfstyle.optimization.lbfgs import LBFGS

    options = recipe.optimizer_options | ({} if learning_rate is None else {"learning_rate": learning_rate})
    if recipe.optimizer == "lbfgs":
        lbfgs = LBFGS(**{"smoothness": smoothness, **options})
        wanted, kept = lbfgs.history, memory.history(height, width, lbfgs.history)
        lbfgs.history, lbfgs.pairs_dtype = kept.pairs, kept.dtype
        if kept.pairs < wanted:
            lbfgs.smoothness = 0.0  # it takes as much as five pairs, and a coarser scale has done its work
        return lbfgs
    return keras.optimizers.Adam(**{"learning_rate": ADAM_RATE, "name": "adam", **options})


def parameterization(name: str, grey: bool) -> Pixels:
    """What is optimised, by its name; `grey` for the luminance only."""
    from tfstyle.optimization.parameterization import Fourier, Pixels

    return {"pixels": Pixels, "fourier": Fourier}[name](grey)


def tile(branches: Sequence[Branch], height: int, width: int, wanted: int | Literal["auto", "off"]) -> int | None:
    """The tiles to work in: as wanted, or those that memory asks for, which a log line then says.

    Raises:
        InputError: A tile that is too small, or a network that can't be worked on in tiles.
    """
    if wanted == "off":
        return None
    whole = objective(branches)
    if wanted != "auto":
        found: int | None = wanted
    else:
        pairs = _pairs(branches, height, width)
        free = available()
        found = memory.tile(whole, height, width, pairs, free)
        if found is not None:
            log.info(
                "working in tiles of %d pixels: a step at %dx%d needs about %s, and there are %s",
                found,
                width,
                height,
                gigabytes(memory.step_bytes(whole, height, width, pairs)),
                gigabytes(free),
            )
    if found is not None:
        whole.tile = found
        whole.grid(height, width)  # which refuses what can't be
    return found


def together(branches: Sequence[Branch], height: int, width: int, tile: int | Literal["auto", "off"]) -> int:
    """How many pictures memory holds in one step, at least one; `tile` is as `tile` above was asked for."""
    pairs, side = _pairs(branches, height, width), tile if isinstance(tile, int) else None
    return memory.together(objective(branches), height, width, pairs, available(), side)


def _pairs(branches: Sequence[Branch], height: int, width: int) -> memory.History:
    """What an optimizer keeps of the steps before: L-BFGS's pairs, or Adam's two moments."""
    lbfgs = branches[0].method.optimizer == "lbfgs"
    return memory.history(height, width, 20) if lbfgs else memory.History(1)


def steps_per_call() -> int:
    """One step a call keeps the bar and Ctrl-C alive where a step is slow; on a GPU ten are quick."""
    import tensorflow as tf

    return 10 if tf.config.list_physical_devices("GPU") else 1
