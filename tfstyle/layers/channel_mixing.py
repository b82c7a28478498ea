"""Features as other combinations of their channels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any


@keras.saving.register_keras_serializable(package="tfstyle")
class ChannelMixing(keras.layers.Layer):
    """One linear map of the channels at each position: f A, with A a square matrix that begins as the identity.

    It changes what counts in the distance of features, and of their Gram matrices: |(f − f') A| is the distance by
    the metric A Aᵀ. Features are `(batch, height, width, N)`, and so is what is returned.
    """

    def build(self, input_shape: Any) -> None:
        """Make A, of the features' number of channels."""
        channels = input_shape[-1]
        self.mixing = self.add_weight(shape=(channels, channels), initializer="identity", name="mixing")

    def call(self, features: Tensor) -> Tensor:
        """The features, mixed."""
        return ops.matmul(features, self.mixing)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the features."""
        return input_shape
