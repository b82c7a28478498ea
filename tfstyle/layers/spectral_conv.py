"""Convolutions with spectral normalisation: their kernels have spectral norm 1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.typing import Tensor


@keras.saving.register_keras_serializable(package="tfstyle")
class SpectralConv2D(keras.layers.Conv2D):
    """A convolution with the kernel W / σ(W), where W are its weights and σ is their largest singular value.

    W is taken as a matrix of all inputs by all outputs. σ = vᵀ W u comes from power iteration: each call in training
    is one iteration, which continues the last one. The gradient is that of W / σ(W) with constant u and v. W itself
    is left to the optimizer (`keras.layers.SpectralNormalization` overwrites it with W / σ).

    Args:
        *args: As for `keras.layers.Conv2D`.
        **kwargs: As for `keras.layers.Conv2D`.

    Reference:
        Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", section 2.1 and algorithm 1.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernel, and u, the right singular vector of its largest singular value."""
        super().build(input_shape)
        initializer = keras.initializers.RandomNormal(0.0, 1.0, seed=0)
        self.direction = self.add_weight(
            shape=(self.filters,), initializer=initializer, trainable=False, autocast=False, name="direction"
        )

    def normalized_kernel(self, training: bool = False) -> Tensor:
        """W / σ(W), in the precision of the computation.

        Args:
            training: Whether to do one more power iteration.
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
        """Save kernel, bias and u (Keras' convolutions save kernel and bias only)."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Load kernel, bias and u."""
        keras.layers.Layer.load_own_variables(self, store)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Features `(batch, rows, columns, channels)` to features, as `keras.layers.Conv2D`."""
        outputs = self.convolution_op(inputs, self.normalized_kernel(training))
        return self.activation(outputs + self.bias if self.use_bias else outputs)


def _unit(vector: Tensor) -> Tensor:
    return vector / ops.maximum(ops.norm(vector), 1e-12)
