"""Keras constraints."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tfstyle")
class ValueRange(keras.constraints.Constraint):
    """A box constraint: values are clipped to [low, high] after each step.

    `LBFGS` respects it: it doesn't move values that are at a bound and that the gradient would move beyond it.

    Args:
        low: The least value.
        high: The greatest value.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self.low = low
        self.high = high

    def __call__(self, value: Any) -> Any:
        """The values, clipped to the range."""
        return ops.clip(value, self.low, self.high)

    def free(self, value: Any, gradient: Any) -> Any:
        """Which values a step against the gradient can move: booleans of the same shape."""
        return ops.logical_not(
            ops.logical_or(
                ops.logical_and(value <= self.low, gradient > 0),
                ops.logical_and(value >= self.high, gradient < 0),
            )
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"low": self.low, "high": self.high}
