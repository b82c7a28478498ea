"""Dropout that an interruption of the training doesn't change."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.saving import formerly
from tfstyle.core.step_random import StepRandom, seed_or_random
from tfstyle.core.typing import Tensor


@formerly("CountedDropout")
@keras.saving.register_keras_serializable(package="tfstyle")
class StatelessDropout(keras.layers.Layer):
    """Dropout whose masks are a function of a seed and the number of calls, both of which are saved as weights.

    Keras saves no state of `keras.layers.Dropout`. The remaining values are divided by 1 − rate.

    Args:
        rate: Share of the values that is set to 0 in training, from 0 to below 1.
        seed: Seed of the masks; None for a random one.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the seed and the number of calls."""
        options = {"shape": (), "dtype": "int64", "trainable": False}
        self.calls = self.add_weight(initializer="zeros", name="calls", **options)
        initializer = keras.initializers.Constant(seed_or_random(self.seed))
        self.seed_state = self.add_weight(initializer=initializer, name="seed_state", **options)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Inputs `(batch, ...)`, some of which are set to 0 in training."""
        if not training or self.rate == 0:
            return inputs
        draws = StepRandom(self.seed_state.value, self.calls.value, ops.shape(inputs)[0])
        kept = draws.uniform(tuple(inputs.shape[1:])) >= self.rate
        self.calls.assign(self.calls.value + 1)
        return ops.where(kept, inputs / (1 - self.rate), ops.zeros_like(inputs))

    def compute_output_spec(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The shape and dtype of the inputs."""
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
