"""Self-attention: each position of an image attends to all others."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.layers.spectral_conv import SpectralConv2D


@keras.saving.register_keras_serializable(package="tfstyle")
class SelfAttention2D(keras.layers.Layer):
    """Adds to features, times a learned γ that starts at 0, what each position finds at other positions.

    y = x + γ h(A g(x)), with the attention A = softmax(θ(x) φ(x)ᵀ) over positions. θ, φ, g and h are 1x1 convolutions
    with spectral normalisation and without biases, to N/8, N/8, N/2 and N channels for N channels of x; φ and g are
    halved by max pooling. The softmax is computed in at least float32.

    The memory of A grows with the fourth power of the side. Features with more than `largest` rows or columns are
    downsampled for A, and the result is upsampled.

    Args:
        largest: The most rows and columns between which attention is computed (64, chosen: 17 MB for an image in
            float32).
        seed: Seed of the initial kernels; None for Keras' own.

    Reference:
        Zhang et al. 2019, "Self-Attention Generative Adversarial Networks", section 3, with the widths and pooling
        of the authors' code.
    """

    def __init__(self, largest: int = 64, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.largest = largest
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Create four 1x1 convolutions, and γ."""
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
        """A, `(batch, rows, columns, key rows, key columns)`: the weights of all positions for each, with sum 1."""
        features = self._bounded(features)
        _, rows, columns, _ = ops.shape(features)
        weights = self._weights(features, training)
        return ops.reshape(weights, (-1, rows, columns, (rows + 1) // 2, (columns + 1) // 2))

    def call(self, features: Tensor, training: bool = False) -> Tensor:
        """Features `(batch, rows, columns, channels)` to features of the same shape."""
        small = self._bounded(features)
        values = _pooled(self.value_convolution(small, training=training))
        attended = ops.matmul(ops.cast(self._weights(small, training), values.dtype), _flat(values))
        _, rows, columns, _ = ops.shape(small)
        attended = ops.reshape(attended, (-1, rows, columns, values.shape[-1]))
        attended = self.output_convolution(attended, training=training)
        size = ops.shape(features)[1:3]
        if not (_known(features) and max(size) <= self.largest):
            attended = ops.cast(tf.image.resize(attended, size), features.dtype)
        return features + self.gamma * attended

    def _weights(self, features: Tensor, training: bool) -> Tensor:
        queries = _flat(self.query_convolution(features, training=training))
        keys = _flat(_pooled(self.key_convolution(features, training=training)))
        full = keras.backend.result_type(queries.dtype, "float32")
        similarity = ops.matmul(ops.cast(queries, full), ops.transpose(ops.cast(keys, full), (0, 2, 1)))
        return ops.softmax(similarity, axis=-1)

    def _bounded(self, features: Tensor) -> Tensor:
        """Features with at most `largest` rows and columns."""
        size = ops.shape(features)[1:3]
        if _known(features) and max(size) <= self.largest:
            return features
        down, across = (ops.cast(_downsampling(side, self.largest), features.dtype) for side in size)
        return ops.einsum("ir,jc,brcn->bijn", down, across, features)

    def compute_output_spec(self, features: Tensor, training: bool = False) -> Tensor:
        """The shape of the features."""
        return keras.KerasTensor(features.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "largest": self.largest, "seed": self.seed}


def _downsampling(side: Tensor, largest: int) -> Tensor:
    """The matrix that downsamples `side` positions to at most `largest`, float32 `(at most largest, side)`.

    It is the antialiased linear interpolation of `tf.image.resize`, which XLA can't compile.
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
