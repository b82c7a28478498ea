"""Normalization of VGG19Mini's filters, so that each has the same mean activation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from tfstyle.layers import ChannelProjection

Tensor = Any

_MINIMUM_SHARE = 0.01  # least mean activation of a filter, as a share of its layer's mean (chosen)


def normalize(network: keras.Model, batches: Iterable[Tensor]) -> None:
    """Scale `VGG19Mini` so that each filter's mean activation is 1, and so is each tap's.

    With m the mean activations of a layer, and n of the layer below, kernels W become W n / m and biases b become
    b / m: as ReLU and max pooling are homogeneous, all features f become f / m, exactly. A filter that is hardly ever
    active counts as 1 % of its layer's mean (chosen).

    The filters' factors leave the taps' distances as they were: A becomes the root of m A Aᵀ m. Then A is divided by
    the mean of the tap's |features|.

    Args:
        network: The network, which is changed.
        batches: Preprocessed images, `(batch, height, width, 3)`.

    Reference:
        Gatys et al. 2016, "Image Style Transfer Using Convolutional Neural Networks", section 2.
    """
    batches = list(batches)
    layers = convolutions(network)
    taps = {f"{layer.name}_filters": layer for layer in network.layers if isinstance(layer, ChannelProjection)}
    below = np.ones(network.input.shape[-1])
    for layer, mean in zip(layers, _mean_activations(network, layers, batches), strict=True):
        mean = np.maximum(mean, _MINIMUM_SHARE * mean.mean())
        kernel, bias = (np.asarray(each, "float64") for each in (layer.kernel, layer.bias))
        layer.kernel.assign(kernel * below[:, None] / mean)
        layer.bias.assign(bias / mean)
        below = mean
        tap = taps.get(layer.name)
        if tap is not None:
            tap.mixing.assign(root(mean[:, None] * np.asarray(tap.mixing, "float64")))
    for tap, mean in zip(taps.values(), _mean_activations(network, list(taps.values()), batches), strict=True):
        tap.mixing.assign(np.asarray(tap.mixing) / mean.mean())


def convolutions(network: keras.Model) -> list[keras.layers.Conv2D]:
    """A network's convolutions, from the input upwards."""
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root A of M Mᵀ, `(N, N)`, for M `(N, T)`: |f A| = |f M| for all f."""
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _mean_activations(
    network: keras.Model, layers: Sequence[keras.layers.Layer], batches: Sequence[Tensor]
) -> list[np.ndarray]:
    """The mean |features| of each channel of each layer, float64."""
    outputs = keras.Model(network.input, [layer.output for layer in layers])
    means: list[Any] = [0.0] * len(layers)
    for pictures in batches:
        features = outputs(pictures)
        for i, each in enumerate(features if isinstance(features, list) else [features]):
            means[i] = means[i] + np.abs(np.asarray(each, "float64")).mean(axis=(0, 1, 2)) / len(batches)
    return means
