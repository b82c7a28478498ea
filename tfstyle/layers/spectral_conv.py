"""Convolutions whose kernels have spectral norm 1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any


@keras.saving.register_keras_serializable(package="tfstyle")
class SpectralConv2D(keras.layers.Conv2D):
    """A convolution with the kernel W / σ(W), W being its weights and σ their largest singular value.

    W is taken as a matrix of all inputs by all outputs, and σ = vᵀ W u by power iteration: one round for each call in
    training, from where the last one ended. The gradient is that of W / σ(W) with u and v held fixed, and W itself is
    left to the optimizer (`keras.layers.SpectralNormalization` overwrites it with W / σ).

    Args:
        *args: As for `keras.layers.Conv2D`.
        **kwargs: Likewise.

    Reference:
        Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", section 2.1 and algorithm 1.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The kernel, and u, the direction of its largest singular value."""
        super().build(input_shape)
        start = keras.initializers.RandomNormal(0.0, 1.0, seed=0)
        self.direction = self.add_weight(
            shape=(self.filters,), initializer=start, trainable=False, autocast=False, name="direction"
        )

    def normalized_kernel(self, training: bool = False) -> Tensor:
        """W / σ(W), in the precision that is computed in.

        Args:
            training: Whether power iteration goes on.
        """
        kernel = ops.cast(self.kernel, keras.backend.result_type(self.kernel.dtype, "float32"))
        matrix = ops.reshape(kernel, (-1, self.filters))
        fixed, outer = ops.stop_gradient(matrix), ops.cast(self.direction, matrix.dtype)
        inner = _unit(ops.matmul(fixed, outer))
        if training:
            outer = _unit(ops.matmul(inner, fixed))
            self.direction.assign(ops.cast(outer, self.direction.dtype))
            inner = _unit(ops.matmul(fixed, outer))
        sigma = ops.sum(inner * ops.matmul(matrix, outer))
        sigma = sigma / ops.stop_gradient(ops.maximum(ops.norm(outer), keras.config.epsilon()))
        return ops.cast(kernel / sigma, self.compute_dtype)

    def save_own_variables(self, store: Any) -> None:
        """Kernel, bias and u (Keras' convolutions leave out what they don't know)."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Likewise."""
        keras.layers.Layer.load_own_variables(self, store)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """`(batch, height, width, channels)` to features, as `keras.layers.Conv2D`."""
        outputs = self.convolution_op(inputs, self.normalized_kernel(training))
        return self.activation(outputs + self.bias if self.use_bias else outputs)


def _unit(vector: Tensor) -> Tensor:
    return vector / ops.maximum(ops.norm(vector), 1e-12)
