"""Backbones as users name them: weights of several, automatic choice, and the log line that says which."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from tfstyle.core.errors import InputError
from tfstyle.core.precision import faster
from tfstyle.core.settings import check_weight, named_weights
from tfstyle.features import registry, weights as weights_files

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

log = logging.getLogger("tfstyle")

UNTRAINED_POOLING: Literal["avg"] = "avg"  # through which every pixel gets a gradient (chosen)


def backbone_weights(backbone: str | Backbone | Mapping[str | Backbone, float]) -> dict[str | Backbone, float]:
    """One backbone or several, each with its weight.

    Args:
        backbone: A backbone; a name; names with weights such as `"VGG19:1e-3,InceptionV3:1"`; or a dictionary from
            backbones or names to weights. The weight is 1 where none is given.

    Raises:
        InputError: There is no backbone, a name is given twice, or a weight is not a number above 0.
    """
    if isinstance(backbone, str):
        return dict(named_weights(backbone, "backbone").items())
    if not isinstance(backbone, Mapping):
        return {backbone: 1.0}
    if not backbone:
        raise InputError("there is no backbone: name at least one")
    weights: dict[str | Backbone, float] = {}
    for network, weight in backbone.items():
        name = network if isinstance(network, str) else network.name
        if name.lower() in (known.lower() for known in weights if isinstance(known, str)):
            raise InputError(f"backbone {name} is named twice: give it once, with the sum of its weights")
        weights[network] = check_weight("backbone", name, weight)
    return weights


def chosen(backbone: str, weights: str | os.PathLike[str] | None, default: str) -> tuple[str, bool]:
    """A backbone's name, and whether it is "auto"'s second choice, for want of ImageNet weights for `default`."""
    if backbone != "auto":
        return backbone, False
    fallback = False
    if weights is None:
        try:
            weights_files.find(default)
        except weights_files.NotFoundError:
            fallback = True
    return (registry.fallback().name if fallback or weights == "embedded" else default), fallback


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


def load_backbone(
    backbone: str | Backbone,
    weights: str | os.PathLike[str] | None = None,
    *,
    default: str = "VGG19",
    pooling: Literal["max", "avg"] | None = None,
    normalize: bool | None = None,
    input_scaling: Literal["own", "unit", "symmetric"] = "own",
    smoothing: bool = False,
    precision: Literal["float32", "bfloat16", "auto"] = "float32",
    seed: int = 0,
    task: str = "working",
) -> Backbone:
    """A backbone by its name, or the one given; one log line tells its weights.

    Args:
        backbone: A backbone, its name, or `"auto"`: `default`, or `VGG19Mini` where there are no ImageNet weights for
            that, and where `weights` is `"embedded"`.
        weights: As for `Backbone`.
        default: The network that `"auto"` stands for.
        pooling: `"max"` or `"avg"`; None for max, and avg for random weights, where each pixel needs a gradient.
        normalize: As for `Backbone`.
        input_scaling: As for `Backbone`.
        smoothing: As for `Backbone`.
        precision: `"float32"`, `"bfloat16"`, or `"auto"` for the faster one, by a short probe.
        seed: Seed of random weights.
        task: What the backbone is for, for the log line.

    Raises:
        InputError: There is no such network, there are no weights for it, or a `Backbone` is given whose options
            contradict these.
    """
    from tfstyle.features.backbone import Backbone

    if isinstance(backbone, Backbone):
        if weights is not None or pooling not in (None, backbone.pooling):
            raise InputError(f"{backbone!r} has its weights and pooling already: leave out weights and pooling")
        if input_scaling not in ("own", backbone.input_scaling) or smoothing > backbone.smoothing:
            raise InputError(
                f"{backbone!r} has its input scaling and smoothing already: leave them out, or build it with them"
            )
        return backbone
    name, fallback = chosen(backbone, weights, default)
    network = Backbone(
        name,
        weights,
        pooling=pooling or (UNTRAINED_POOLING if str(weights) == "random" else "max"),
        normalize=normalize,
        seed=seed,
        precision=faster() if precision == "auto" else precision,
        input_scaling=input_scaling,
        smoothing=smoothing,
    )
    say_network(network, fallback, task)
    return network
