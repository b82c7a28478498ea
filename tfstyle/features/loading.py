"""Backbones by the names that users give: several with weights, `"auto"`, and the log line that tells which."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from tfstyle.core.errors import InputError
from tfstyle.core.precision import faster
from tfstyle.core.weighting import check_weight, named_weights
from tfstyle.features import registry, weights as weights_files

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

log = logging.getLogger("tfstyle")

UNTRAINED_POOLING: Literal["avg"] = "avg"  # average pooling gives every pixel a gradient (chosen)


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


def _resolve_auto(backbone: str, weights: str | os.PathLike[str] | None, default: str) -> tuple[str, bool]:
    """The network that a name stands for.

    Args:
        backbone: A name, or `"auto"`.
        weights: As for `Backbone`.
        default: The network that `"auto"` stands for if its ImageNet weights can be had.

    Returns:
        The name, and whether it is the fallback for `"auto"` because there are no ImageNet weights.
    """
    if backbone != "auto":
        return backbone, False
    is_fallback = False
    if weights is None:
        try:
            weights_files.find(default)
        except weights_files.NotFoundError:
            is_fallback = True
    return (registry.fallback().name if is_fallback or weights == "embedded" else default), is_fallback


def _log_backbone(backbone: Backbone, is_fallback: bool, task: str) -> None:
    """Log which network with which weights is used.

    Args:
        backbone: The network.
        is_fallback: Whether it is the fallback for `"auto"`, which is a warning.
        task: What it is used for, as the first word of the line.
    """
    record = backbone.weights_record
    log.log(
        logging.WARNING if is_fallback else logging.INFO,
        "%s with %s, weights %s (%s)%s",
        task,
        backbone.name,
        record["name"],
        record["source"],
        ", as there are no ImageNet weights, which do better: `tfstyle weights` says where they are looked for"
        if is_fallback
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
    activation_smoothing: bool = False,
    padding: Literal["zeros", "reflection"] = "zeros",
    precision: Literal["float32", "bfloat16", "auto"] = "float32",
    seed: int = 0,
    task: str = "working",
) -> Backbone:
    """Build a backbone by its name, and log which weights it has. A `Backbone` is returned as it is.

    Args:
        backbone: A backbone, a name, or `"auto"`. `"auto"` stands for `default`; or for `VGG19Mini` if there are no
            ImageNet weights for `default`, or if `weights` is `"embedded"`.
        weights: As for `Backbone`.
        default: The network that `"auto"` stands for.
        pooling: `"max"` or `"avg"`. None for `"avg"` with random weights, else `"max"`.
        normalize: As for `Backbone`.
        input_scaling: As for `Backbone`.
        activation_smoothing: As for `Backbone`.
        padding: As for `Backbone`.
        precision: `"float32"`, `"bfloat16"`, or `"auto"` for the faster one on this machine, by a short measurement.
        seed: Seed of random weights.
        task: What the backbone is used for, as the first word of the log line.

    Raises:
        InputError: There is no such network, there are no weights for it, or the options of a `Backbone` contradict
            the arguments.
    """
    from tfstyle.features.backbone import Backbone

    if isinstance(backbone, Backbone):
        if weights is not None or pooling not in (None, backbone.pooling):
            raise InputError(f"{backbone!r} has its weights and pooling already: leave out weights and pooling")
        if input_scaling not in ("own", backbone.input_scaling):
            raise InputError(
                f"{backbone!r} has its input scaling already: leave out input scaling, or build it with that"
            )
        if activation_smoothing and not backbone.activation_smoothing:
            raise InputError(
                f"{backbone!r} has no activation smoothing: leave it out, or build it with activation_smoothing=True"
            )
        return backbone
    name, is_fallback = _resolve_auto(backbone, weights, default)
    network = Backbone(
        name,
        weights,
        pooling=pooling or (UNTRAINED_POOLING if str(weights) == "random" else "max"),
        normalize=normalize,
        seed=seed,
        precision=faster() if precision == "auto" else precision,
        input_scaling=input_scaling,
        activation_smoothing=activation_smoothing,
        padding=padding,
    )
    _log_backbone(network, is_fallback, task)
    return network
