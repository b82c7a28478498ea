"""Normalisation of features by their statistics over positions."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any
Statistics = dict[str, Tensor]


@keras.saving.register_keras_serializable(package="tfstyle")
class AdaptiveInstanceNormalization(keras.layers.Layer):
    """Give features the mean and deviation of a style, channel by channel.

    AdaIN(f, s) = σ_s (f − μ_f) / σ_f + μ_s, where μ is the mean over a picture's positions and σ = √(var + ε), with
    the sum of squares in the variance divided by the number of positions less one. All of it is computed in at least
    float32, and returned in the features' own precision.

    Args:
        epsilon: ε, in squared units of the features (1e-5 as in the authors' code).

    Examples:
        >>> adain = AdaptiveInstanceNormalization()
        >>> features = adain((content_features, adain.statistics(style_features)))

    Reference:
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization",
        equation 8.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would round the statistics
        self.epsilon = epsilon
        self.built = True

    def statistics(self, features: Tensor, weights: Tensor | None = None) -> Statistics:
        """`{"mean": (batch, N), "deviation": (batch, N)}`: μ and σ, in units of the features.

        With weights w, μ = Σ w f / Σ w, and of the variance Σ w (f − μ)² / Σ w becomes n / (n − 1) of it, n being Σ w
        or at least 2, so that a region of a single position has a deviation too.

        Args:
            features: `(batch, height, width, N)`.
            weights: How much each position counts, `(1 or batch, height, width)`; None for 1 everywhere.
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
        """Features with the style's mean and deviation.

        Args:
            inputs: Features `(batch, height, width, N)`, and the style's `statistics`, each `(1 or batch, N)`.
            weights: How much each position counts in the features' own statistics, as there.
        """
        features, style = inputs
        own = self.statistics(features, weights)
        dtype = own["mean"].dtype
        gain = ops.cast(style["deviation"], dtype) / own["deviation"]
        centred = ops.cast(features, dtype) - own["mean"][:, None, None]
        moved = centred * gain[:, None, None] + ops.cast(style["mean"], dtype)[:, None, None]
        return ops.cast(moved, features.dtype)

    def compute_output_spec(self, inputs: tuple[Tensor, Statistics], weights: Tensor | None = None) -> Tensor:
        """As the features."""
        return keras.KerasTensor(inputs[0].shape, dtype=inputs[0].dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}
