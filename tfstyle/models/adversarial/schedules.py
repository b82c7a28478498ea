"""Learning rate schedules of trainings."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.saving import formerly, renamed_keys
from tfstyle.core.typing import Tensor

_FORMER_KEYS = {"initial": "initial_learning_rate", "held": "constant_steps", "decay": "decay_steps"}


@formerly("HeldThenLinear")
@keras.saving.register_keras_serializable(package="tfstyle")
class ConstantThenLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is constant at first, and then falls linearly to 0.

    rate(t) = initial · (1 − max(0, t − constant) / decay), and 0 from t = constant + decay on.

    Args:
        initial_learning_rate: The constant rate, above 0.
        constant_steps: Number of steps with this rate.
        decay_steps: Number of steps after them until the rate is 0.

    Examples:
        >>> schedule = ConstantThenLinearDecay(2e-4, 100, 100)
        >>> [float(schedule(step)) for step in (50, 150, 200)]
        [0.00019999999494757503, 9.999999747378752e-05, 0.0]

    Reference:
        Zhu et al. 2017, section 4: 100 epochs each. In the paper the rate falls from epoch to epoch, here from step
        to step.
    """

    def __init__(self, initial_learning_rate: float, constant_steps: int, decay_steps: int) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.constant_steps = constant_steps
        self.decay_steps = decay_steps

    def __call__(self, step: Tensor) -> Tensor:
        """The rate at a step, float32."""
        passed = ops.maximum(ops.cast(step, "float32") - self.constant_steps, 0.0) / max(self.decay_steps, 1)
        return self.initial_learning_rate * ops.maximum(1.0 - passed, 0.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "constant_steps": self.constant_steps,
            "decay_steps": self.decay_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ConstantThenLinearDecay:
        """The schedule that `get_config` describes, now or under its former keys."""
        return cls(**renamed_keys(config, _FORMER_KEYS))
