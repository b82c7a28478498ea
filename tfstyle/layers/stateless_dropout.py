"""Dropout that goes on after a break as if there had been none."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.step_random import StepRandom, fresh

Tensor = Any


@keras.saving.register_keras_serializable(package="tfstyle")
class CountedDropout(keras.layers.Layer):
    """Dropout whose masks are a function of a seed and of how often they were drawn, both of which are weights.

    Keras saves no state of `keras.layers.Dropout`. What is kept is divided by 1 − rate.

    Args:
        rate: Share that is set to 0 in training.
        seed: Of the masks; None for one that nobody has chosen.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The seed and the number of calls."""
        options = {"shape": (), "dtype": "int64", "trainable": False}
        self.calls = self.add_weight(initializer="zeros", name="calls", **options)
        start = keras.initializers.Constant(fresh(self.seed))
        self.seed_state = self.add_weight(initializer=start, name="seed_state", **options)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """`(batch, ...)`, of which in training some are 0."""
        if not training or self.rate == 0:
            return inputs
        draws = StepRandom(self.seed_state.value, self.calls.value, ops.shape(inputs)[0])
        kept = draws.uniform(tuple(inputs.shape[1:])) >= self.rate
        self.calls.assign(self.calls.value + 1)
        return ops.where(kept, inputs / (1 - self.rate), ops.zeros_like(inputs))

    def compute_output_spec(self, inputs: Tensor, training: bool = False) -> Tensor:
        """As the inputs."""
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
