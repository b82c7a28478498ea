"""Learning rates over the steps of a training."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any


@keras.saving.register_keras_serializable(package="tfstyle")
class HeldThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is held, and then falls linearly to 0.

    rate(t) = initial · (1 − max(0, t − held) / decay), and 0 from t = held + decay on.

    Args:
        initial: The rate that is held.
        held: Number of steps.
        decay: Number of steps after that until 0.

    Reference:
        Zhu et al. 2017, section 4: 100 epochs each. There it falls from epoch to epoch, here from step to step.
    """

    def __init__(self, initial: float, held: int, decay: int) -> None:
        self.initial = initial
        self.held = held
        self.decay = decay

    def __call__(self, step: Tensor) -> Tensor:
        """The rate at a step, float32."""
        passed = ops.maximum(ops.cast(step, "float32") - self.held, 0.0) / max(self.decay, 1)
        return self.initial * ops.maximum(1.0 - passed, 0.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"initial": self.initial, "held": self.held, "decay": self.decay}
