"""Weights of several things: scaled to sum to 1, or given by name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tfstyle.core.errors import InputError


def normalized(weights: Sequence[float] | None, number: int, name: str = "style weights") -> list[float]:
    """Weights divided by their sum; equal ones for None.

    Args:
        weights: Numbers from 0 upwards that are not all 0, or None.
        number: How many there must be.
        name: What messages call them.

    Raises:
        InputError: Not as many weights, a negative one, or none above 0.
    """
    if weights is None:
        return [1 / number] * number
    values = [float(weight) for weight in weights]
    shown = ",".join(f"{value:g}" for value in values)
    if len(values) != number:
        raise InputError(f"{name} {shown} has {len(values)} weights for {number} style images: give {number}")
    if not all(0 <= value < math.inf for value in values) or not sum(values) > 0:
        raise InputError(f"{name} {shown} can't be used: give numbers from 0 upwards that are not all 0")
    return [value / sum(values) for value in values]


def named_weights(text: str, kind: str) -> dict[str, float]:
    """Names with weights, as in `"VGG19:1,InceptionV3:0.5"`; a name without one has the weight 1.

    Args:
        text: The names, with commas between them.
        kind: What they are names of, for messages.

    Raises:
        InputError: A weight that is no number above 0, or a name that is given twice.
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        try:
            weight = float(number) if colon and number else 1.0
        except ValueError:
            raise InputError(f"{kind} {part.strip()!r} has no number after the colon: give NAME:WEIGHT") from None
        if name.lower() in (known.lower() for known in weights):
            raise InputError(f"{kind} {name} is named twice: give it once, with the sum of its weights")
        weights[name] = check_weight(kind, name, weight)
    return weights


def check_weight(kind: str, name: str, weight: float) -> float:
    """A weight, which must be a finite number above 0."""
    if not 0 < weight < math.inf:
        raise InputError(f"{kind} {name} has the weight {weight:g}: give a number above 0")
    return weight
