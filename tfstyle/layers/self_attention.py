"""Attention of each position to all others."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.layers.spectral_conv import SpectralConv2D

Tensor = Any


@keras.saving.register_keras_serializable(package="tfstyle")
class SelfAttention2D(keras.layers.Layer):
    """Features and, times a learned γ that starts at 0, what each position finds elsewhere.

    With θ, φ, g and h convolutions of 1x1 without biases and with spectral normalisation, to N/8, N/8, N/2 and N
    channels, and φ and g halved by max pooling, A = softmax(θ(x) φ(x)ᵀ) over positions, and y = x + γ h(A g(x)). The
    softmax is computed in at least float32.

    A takes memory by the fourth power of the side: features of more than `largest` rows or columns are shrunk to that
    for A, and what is found is enlarged again.

    Args:
        largest: Most rows and columns between which attention is computed (64, chosen: 17 MB a picture in float32).
        seed: Of the kernels; None for Keras' own.

    Reference:
        Zhang et al. 2019, "Self-Attention Generative Adversarial Networks", section 3, with the widths and pooling
        of the authors' code.
    """

    def __init__(self, largest: int = 64, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.largest = largest
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Four convolutions of 1x1, and γ."""
        channels = input_shape[-1]
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        widths = {"query": (channels, narrow), "key": (channels, narrow), "value": (channels, half)}
        for number, (name, (inputs, outputs)) in enumerate({**widths, "output": (half, channels)}.items()):
            seed = None if self.seed is None else self.seed + number
            convolution = SpectralConv2D(
                outputs,
                1,
                use_bias=False,
                kernel_initializer=keras.initializers.GlorotUniform(seed),
                dtype=self.dtype_policy,
                name=name,
            )
            convolution.build((None, None, None, inputs))
            setattr(self, f"{name}_convolution", convolution)
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def attention(self, features: Tensor, training: bool = False) -> Tensor:
        """A: `(batch, rows, columns, key rows, key columns)`, for each position what it attends to, of sum 1."""
        features = self._bounded(features)
        _, rows, columns, _ = ops.shape(features)
        weights = self._weights(features, training)
        return ops.reshape(weights, (-1, rows, columns, (rows + 1) // 2, (columns + 1) // 2))

    def call(self, features: Tensor, training: bool = False) -> Tensor:
        """`(batch, height, width, channels)` to features of the same shape."""
        small = self._bounded(features)
        values = _pooled(self.value_convolution(small, training=training))
        found = ops.matmul(ops.cast(self._weights(small, training), values.dtype), _flat(values))
        _, rows, columns, _ = ops.shape(small)
        found = ops.reshape(found, (-1, rows, columns, values.shape[-1]))
        found = self.output_convolution(found, training=training)
        size = ops.shape(features)[1:3]
        if not (_known(features) and max(size) <= self.largest):
            found = ops.cast(tf.image.resize(found, size), features.dtype)
        return features + self.gamma * found

    def _weights(self, features: Tensor, training: bool) -> Tensor:
        queries = _flat(self.query_convolution(features, training=training))
        keys = _flat(_pooled(self.key_convolution(features, training=training)))
        full = keras.backend.result_type(queries.dtype, "float32")
        similarity = ops.matmul(ops.cast(queries, full), ops.transpose(ops.cast(keys, full), (0, 2, 1)))
        return ops.softmax(similarity, axis=-1)

    def _bounded(self, features: Tensor) -> Tensor:
        """Features of no more rows and columns than attention is computed between."""
        size = ops.shape(features)[1:3]
        if _known(features) and max(size) <= self.largest:
            return features
        down, across = (ops.cast(_shrinking(side, self.largest), features.dtype) for side in size)
        return ops.einsum("ir,jc,brcn->bijn", down, across, features)

    def compute_output_spec(self, features: Tensor, training: bool = False) -> Tensor:
        """As the features."""
        return keras.KerasTensor(features.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "largest": self.largest, "seed": self.seed}


def _shrinking(side: Tensor, largest: int) -> Tensor:
    """Linear interpolation, antialiased, from `side` positions to at most `largest`: of each to each, float32.

    As `tf.image.resize` does it, which XLA can't compile.
    """
    few = ops.minimum(side, largest)
    scale = ops.cast(side, "float32") / ops.cast(few, "float32")
    centers = (ops.arange(few, dtype="float32") + 0.5) * scale - 0.5
    weights = ops.relu(1.0 - ops.abs(ops.arange(side, dtype="float32") - centers[:, None]) / scale)
    return weights / ops.sum(weights, axis=1, keepdims=True)


def _known(features: Tensor) -> bool:
    return None not in features.shape[1:3]


def _flat(features: Tensor) -> Tensor:
    _, rows, columns, channels = ops.shape(features)
    return ops.reshape(features, (-1, rows * columns, channels))


def _pooled(features: Tensor) -> Tensor:
    return ops.max_pool(features, 2, 2, padding="same", data_format="channels_last")
