"""From a method to a canvas: network, terms, optimizer and tiles, chosen where nothing is asked for."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tfstyle import images, memory, weights as weights_room
from tfstyle.errors import InputError
from tfstyle.method import UNTRAINED, Method, shares as statistic_shares
from tfstyle.precision import faster

if TYPE_CHECKING:
    import keras

    from tfstyle.backbones import Backbone
    from tfstyle.canvas import Canvas
    from tfstyle.objective import Objective
    from tfstyle.parameterizations import Pixels
    from tfstyle.statistics import Statistic
    from tfstyle.terms import Term

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
    from tfstyle.canvas import Canvas

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
    from tfstyle.edges import EdgeTerm
    from tfstyle.objective import Objective
    from tfstyle.terms import TotalVariationTerm

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
    from tfstyle.terms import ContentTerm, StyleTerm

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
    from tfstyle.mmd import GaussianKernel, LinearKernel, Mixture, PolynomialKernel
    from tfstyle.statistics import GramMatrix, MeanAndDeviation
    from tfstyle.wasserstein import GaussianWasserstein

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


def shares(backbone: str | Backbone | Mapping[str | Backbone, float]) -> dict[str | Backbone, float]:
    """The networks asked for, each with its weight: 1 where none is given.

    Args:
        backbone: A network, a name, names with weights as `"VGG19:1e-3,InceptionV3:1"`, or a dictionary from
            networks or names to weights.

    Raises:
        InputError: A weight that is no number above 0, or a network twice.
    """
    if isinstance(backbone, str):
        pairs: list[tuple[str | Backbone, float]] = [_share(part) for part in backbone.split(",")]
    else:
        pairs = list(backbone.items()) if isinstance(backbone, Mapping) else [(backbone, 1.0)]
    if not pairs:
        raise InputError("there is no backbone: name at least one")
    found: dict[str | Backbone, float] = {}
    for network, weight in pairs:
        name = network if isinstance(network, str) else network.name
        if not 0 < weight < math.inf:
            raise InputError(f"backbone {name} has the weight {weight:g}: give a number above 0")
        if name.lower() in (known.lower() for known in found if isinstance(known, str)):
            raise InputError(f"backbone {name} is named twice: give it once, with the sum of its weights")
        found[network] = weight
    return found


def _share(part: str) -> tuple[str, float]:
    """Name and weight of `NAME` or `NAME:WEIGHT`."""
    name, _, weight = part.partition(":")
    try:
        return name.strip(), float(weight or 1)
    except ValueError:
        raise InputError(f"backbone {part.strip()!r} has no number after the colon: give NAME:WEIGHT") from None


def network(
    backbone: str | Backbone,
    weights: str | os.PathLike[str] | None,
    recipe: Method,
    pooling: Literal["max", "avg"] | None,
    precision: Literal["float32", "bfloat16", "auto"],
    seed: int,
    task: str = "painting",
) -> Backbone:
    """The backbone asked for; the log line says for what.

    "auto" is the method's, or, without ImageNet weights for it, and with "embedded" ones, that of the package.
    """
    from tfstyle import backbones

    if isinstance(backbone, backbones.Backbone):
        if weights is not None or pooling not in (None, backbone.pooling):
            raise InputError(f"{backbone!r} has its weights and pooling already: leave out weights and pooling")
        if recipe.input_scaling not in ("own", backbone.input_scaling) or recipe.smoothing > backbone.smoothing:
            raise InputError(
                f"{backbone!r} has its input scaling and smoothing already: leave them out, or build it with them"
            )
        return backbone
    name, fallback = chosen(backbone, weights, recipe.backbone)
    found = backbones.Backbone(
        name,
        weights,
        pooling=pooling or (UNTRAINED["pooling"] if str(weights) == "random" else recipe.pooling),
        normalize=recipe.normalize,
        seed=seed,
        precision=faster() if precision == "auto" else precision,
        input_scaling=recipe.input_scaling,
        smoothing=recipe.smoothing,
    )
    say_network(found, fallback, task)
    return found


def chosen(backbone: str, weights: str | os.PathLike[str] | None, default: str) -> tuple[str, bool]:
    """A backbone's name, and whether it is "auto"'s second choice, for want of ImageNet weights for `default`."""
    if backbone != "auto":
        return backbone, False
    fallback = False
    if weights is None:
        try:
            weights_room.find(default)
        except weights_room.NotFoundError:
            fallback = True
    (embedded,) = weights_room.EMBEDDED
    return (embedded if fallback or weights == "embedded" else default), fallback


def say_network(backbone: Backbone, fallback: bool, task: str) -> None:
    """Log which network does what, with which weights."""
    record = backbone.weights_record
    log.log(
        logging.WARNING if fallback else logging.INFO,
        "%s with %s, weights %s (%s)%s",
        task,
        backbone.name,
        record["name"],
        record["source"],
        ", for want of ImageNet's, which do better: `tfstyle weights` says where they are looked for"
        if fallback
        else "",
    )


def optimizer(
    recipe: Method, learning_rate: float | None, height: int, width: int, smoothness: float
) -> keras.optimizers.Optimizer:
    """The method's optimizer for a picture of a size; L-BFGS with as many pairs as memory is meant to hold."""
    import keras

    from tfstyle.optimizers import LBFGS

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
    from tfstyle.parameterizations import Fourier, Pixels

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


def together(branches: Sequence[Branch], height: int, width: int, tile: int | Literal["auto", "off"]) -> int:
    """How many pictures memory holds in one step, at least one; `tile` is as `tile` above was asked for."""
    pairs, side = _pairs(branches, height, width), tile if isinstance(tile, int) else None
    return memory.together(objective(branches), height, width, pairs, memory.available(), side)


def _pairs(branches: Sequence[Branch], height: int, width: int) -> memory.History:
    """What an optimizer keeps of the steps before: L-BFGS's pairs, or Adam's two moments."""
    lbfgs = branches[0].method.optimizer == "lbfgs"
    return memory.history(height, width, 20) if lbfgs else memory.History(1)


def steps_per_call() -> int:
    """One step a call keeps the bar and Ctrl-C alive where a step is slow; on a GPU ten are quick."""
    import tensorflow as tf

    return 10 if tf.config.list_physical_devices("GPU") else 1
