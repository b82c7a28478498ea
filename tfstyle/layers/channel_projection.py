"""Linear maps of the channels of features."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.saving import formerly
from tfstyle.core.typing import Tensor


@formerly("ChannelMixing")
@keras.saving.register_keras_serializable(package="tfstyle")
class ChannelProjection(keras.layers.Layer):
    """One linear map of the channels at each position: f A, with a square matrix A that starts as the identity.

    It changes how much directions count in distances of features, and of their Gram matrices: |(f − f') A| is the
    distance by the metric A Aᵀ.
    """

    def build(self, input_shape: Any) -> None:
        """Create A for the channels of the features."""
        channels = input_shape[-1]
        self.mixing = self.add_weight(shape=(channels, channels), initializer="identity", name="mixing")

    def call(self, features: Tensor) -> Tensor:
        """Features `(batch, rows, columns, channels)`, projected; the shape stays."""
        return ops.matmul(features, self.mixing)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the features."""
        return input_shape
