"""Options of `compile` that models with losses of their own don't take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfstyle.core.errors import InputError

_LOSSES = ("loss", "metrics", "weighted_metrics", "loss_weights")


def without_losses(model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `keras.Model.compile` without losses and metrics.

    Args:
        model: What messages call the model.
        options: As given to `compile`.

    Raises:
        InputError: There are losses or metrics among them.
    """
    for name in _LOSSES:
        if options.get(name) is not None:
            raise InputError(f"{model} takes no {name}, as it has its own losses and metrics: leave out {name}")
    return {name: value for name, value in options.items() if name not in _LOSSES}
