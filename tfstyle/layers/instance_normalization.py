"""Instance normalisation: the features of each image by their own statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core.gradients import custom_gradient
from tfstyle.core.typing import Tensor

_FUSED = ("float32", "bfloat16", "float16")  # precisions of TensorFlow's fused batch normalisation
_MOST_FUSED = 16  # chosen: the largest batch whose images are normalised one by one


@keras.saving.register_keras_serializable(package="tfstyle")
class InstanceNormalization(keras.layers.Layer):
    """Features with mean 0 and variance 1 over positions, for each image and channel by itself.

    y = γ (f − μ) / √(σ² + ε) + β, with μ and σ² the mean and the (biased) variance over the positions of an image.
    The statistics are computed in at least float32, and y is returned in the precision of the features.

    If the size of the batch is known when a step is traced, as after `batch(n, drop_remainder=True)`, images are
    normalised one by one by TensorFlow's fused batch normalisation, which takes a third of the time. A ReLU that
    follows then computes from f and μ where its gradient is 0, so that y need not be stored.

    Args:
        epsilon: ε, in squared units of the features (1e-5 as in PyTorch; Keras' normalisations have 1e-3).
        affine: Whether there are γ and β; False as in the code of CycleGAN's authors.
        activation: Activation of y, as for `keras.layers.Conv2D`; None for none.

    Reference:
        Ulyanov, Vedaldi & Lempitsky 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization".
    """

    def __init__(self, epsilon: float = 1e-5, affine: bool = False, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # half precision would round the statistics
        self.epsilon = epsilon
        self.affine = affine
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ = 1 and β = 0 for each channel, if `affine`."""
        self.gamma = self.beta = None
        if self.affine:
            shape = (input_shape[-1],)
            self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
            self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, features: Tensor) -> Tensor:
        """Features `(batch, rows, columns, channels)`, normalised."""
        dtype, batch = keras.backend.standardize_dtype(features.dtype), features.shape[0]
        if dtype in _FUSED and batch is not None and batch <= _MOST_FUSED:
            return self._fused(features)
        features = ops.cast(features, keras.backend.result_type(dtype, "float32"))
        mean, variance = ops.moments(features, axes=(1, 2), keepdims=True)
        normalized = (features - mean) * ops.rsqrt(variance + self.epsilon)
        if self.affine:
            normalized = normalized * ops.cast(self.gamma, normalized.dtype) + ops.cast(self.beta, normalized.dtype)
        return self.activation(ops.cast(normalized, dtype))

    def _fused(self, features: Tensor) -> Tensor:
        channels = features.shape[-1]
        scale, offset = (self.gamma, self.beta) if self.affine else (ops.ones(channels), ops.zeros(channels))
        options = {
            "scale": ops.cast(scale, "float32"),
            "offset": ops.cast(offset, "float32"),
            "mean": ops.zeros(0),
            "variance": ops.zeros(0),
            "epsilon": self.epsilon,
        }
        pictures = tf.split(features, features.shape[0]) if features.shape[0] > 1 else [features]
        rectifies = self.activation is keras.activations.relu and not self.affine
        normalize = _rectified if rectifies else lambda *inputs: self.activation(_normalized(*inputs).y)
        outputs = [normalize(picture, options) for picture in pictures]
        return tf.concat(outputs, 0) if len(outputs) > 1 else outputs[0]

    def compute_output_spec(self, features: Tensor) -> Tensor:
        """The shape and dtype of the features."""
        return keras.KerasTensor(features.shape, dtype=features.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "affine": self.affine,
            "activation": keras.activations.serialize(self.activation),
        }


def _normalized(picture: Tensor, options: dict[str, Any]) -> Any:
    return tf.raw_ops.FusedBatchNormV3(x=picture, is_training=True, **options)


def _rectified(picture: Tensor, options: dict[str, Any]) -> Tensor:
    """max(0, y), for γ = 1 and β = 0."""

    @custom_gradient
    def compute(picture: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        outputs = _normalized(picture, options)

        def gradient(upstream: Tensor) -> Tensor:
            positive = tf.cast(picture, "float32") > outputs.batch_mean
            return tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=tf.where(positive, upstream, 0),
                x=picture,
                scale=options["scale"],
                reserve_space_1=outputs.reserve_space_1,
                reserve_space_2=outputs.reserve_space_2,
                reserve_space_3=outputs.reserve_space_3,
                epsilon=options["epsilon"],
                is_training=True,
            ).x_backprop

        return tf.nn.relu(outputs.y), gradient

    return compute(picture)
