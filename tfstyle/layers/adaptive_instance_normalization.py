"""Adaptive instance normalisation: features with the statistics of a style."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.typing import Tensor

Statistics = dict[str, Tensor]


@keras.saving.register_keras_serializable(package="tfstyle")
class AdaptiveInstanceNormalization(keras.layers.Layer):
    """Gives features the mean and deviation of a style, channel by channel.

    AdaIN(f, s) = σ_s (f − μ_f) / σ_f + μ_s, where μ is the mean over the positions of an image and σ = √(var + ε).
    The variance divides the sum of squares by the number of positions less one. All of it is computed in at least
    float32, and returned in the precision of the features.

    Args:
        epsilon: ε, in squared units of the features (1e-5 as in the authors' code).

    Examples:
        >>> adain = AdaptiveInstanceNormalization()
        >>> content, style = keras.random.normal((1, 8, 8, 4)), keras.random.normal((1, 6, 5, 4))
        >>> adain((content, adain.statistics(style))).shape
        TensorShape([1, 8, 8, 4])

    Reference:
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization",
        equation 8.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would round the statistics
        self.epsilon = epsilon
        self.built = True

    def statistics(self, features: Tensor, weights: Tensor | None = None) -> Statistics:
        """The mean μ and the deviation σ over positions, in units of the features.

        With weights w, μ = Σ w f / Σ w and var = n / (n − 1) Σ w (f − μ)² / Σ w. There n is Σ w, but at least 2, so
        that a region of one position has a deviation, too.

        Args:
            features: `(batch, rows, columns, channels)`.
            weights: How much each position counts, `(1 or batch, rows, columns)`; None for 1 everywhere.

        Returns:
            `{"mean": (batch, channels), "deviation": (batch, channels)}`.
        """
        features = ops.cast(features, keras.backend.result_type(features.dtype, "float32"))
        if weights is None:
            count = ops.cast(ops.shape(features)[1] * ops.shape(features)[2], features.dtype)
            mean = ops.mean(features, axis=(1, 2))
            variance = ops.mean(ops.square(features - mean[:, None, None]), axis=(1, 2))
        else:
            weights = ops.cast(weights, features.dtype)[..., None]
            count = ops.sum(weights, axis=(1, 2))
            shares = weights / ops.maximum(count, keras.config.epsilon())[:, None, None]
            mean = ops.sum(shares * features, axis=(1, 2))
            variance = ops.sum(shares * ops.square(features - mean[:, None, None]), axis=(1, 2))
        count = ops.maximum(count, 2.0)
        return {"mean": mean, "deviation": ops.sqrt(variance * (count / (count - 1.0)) + self.epsilon)}

    def call(self, inputs: tuple[Tensor, Statistics], weights: Tensor | None = None) -> Tensor:
        """Features with the mean and deviation of a style.

        Args:
            inputs: Features `(batch, rows, columns, channels)`, and the `statistics` of the style, each
                `(1 or batch, channels)`.
            weights: How much each position counts in the statistics of the features, `(1 or batch, rows, columns)`;
                None for 1 everywhere.
        """
        features, style = inputs
        content = self.statistics(features, weights)
        dtype = content["mean"].dtype
        gain = ops.cast(style["deviation"], dtype) / content["deviation"]
        centred = ops.cast(features, dtype) - content["mean"][:, None, None]
        stylized = centred * gain[:, None, None] + ops.cast(style["mean"], dtype)[:, None, None]
        return ops.cast(stylized, features.dtype)

    def compute_output_spec(self, inputs: tuple[Tensor, Statistics], weights: Tensor | None = None) -> Tensor:
        """The shape and dtype of the features."""
        return keras.KerasTensor(inputs[0].shape, dtype=inputs[0].dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}
