"""The functions that a model is exported as: from tensors to tensors, for places without Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.images import samples
from tfstyle.models.interfaces import Exports

Function = Callable[..., dict[str, np.ndarray]]
"""An exported function: from arrays by the inputs' names to arrays by name."""

_SIDE = 256  # pixels of the image that models of any size are compared on: U-Nets need as many


@dataclass(frozen=True)
class Signature:
    """A function of an exported model.

    Attributes:
        name: The function's name.
        function: From tensors by the inputs' names to tensors by name.
        inputs: Shape and dtype of each input; None stands for any size.
    """

    name: str
    function: Callable[..., dict[str, Tensor]]
    inputs: dict[str, tf.TensorSpec]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.inputs)})"


@dataclass(frozen=True)
class Sample:
    """Calls of exported functions, and the images that the model itself paints for the same inputs.

    Attributes:
        name: The functions that are called.
        call: From the exported functions by name to the images that they paint.
        expected: The model's own images.
    """

    name: str
    call: Callable[[Mapping[str, Function]], np.ndarray]
    expected: np.ndarray


def of(model: keras.Model) -> list[Signature]:
    """The functions that a model is exported as, the most useful first.

    Raises:
        InputError: A model without signatures of its own that is not from images to images.
    """
    if isinstance(model, Exports):
        return model.signatures()
    inputs = getattr(model, "inputs", None) or [keras.KerasTensor((None, None, None, 3))]
    outputs = getattr(model, "outputs", None) or inputs
    for tensors in (inputs, outputs):
        if len(tensors) != 1 or len(tensors[0].shape) != 4 or tensors[0].shape[3] != 3:
            raise InputError(
                f"the {type(model).__name__} is not from images to images, (batch, height, width, 3): give an AdaIN "
                f"or a generator"
            )
    network = portable(model)
    return [paint_signature(lambda pictures: network(pictures, training=False), inputs[0].shape)]


def samples_of(model: keras.Model) -> Sequence[Sample]:
    """Calls of a model's exported functions, and the images that the model itself paints."""
    return model.export_samples() if isinstance(model, Exports) else [paint_sample(model)]


def paint_signature(
    function: Callable[[Tensor], Tensor], shape: Sequence[int | None] = (None, None, None, 3)
) -> Signature:
    """The signature `paint(pictures)` of a function from images to images.

    Args:
        function: From images `(batch, height, width, 3)` in [0, 1] to images of the same shape.
        shape: The shape of the images that it takes; None stands for any size.
    """
    spec = tf.TensorSpec((None, *shape[1:]), tf.float32, "pictures")
    return Signature("paint", lambda pictures: {"picture": function(pictures)}, {"pictures": spec})


def paint_sample(model: keras.Model) -> Sample:
    """A sample of `paint`: a photograph, of the size that the model takes."""
    height, width = (side or _SIDE for side in of(model)[0].inputs["pictures"].shape[1:3])
    pictures = images.load(samples.content("chelsea"), (height, width)).rgb[None]
    expected = ops.convert_to_numpy(model(pictures, training=False))
    return Sample("paint", lambda functions: functions["paint"](pictures=pictures)["picture"], expected)


def generate_signature(function: Callable[[Tensor], Tensor], latent_dim: int) -> Signature:
    """The signature `generate(noise)` of a function from normal noise `(batch, latent_dim)` to images."""
    spec = tf.TensorSpec((None, latent_dim), tf.float32, "noise")
    return Signature("generate", lambda noise: {"picture": function(noise)}, {"noise": spec})


def generate_sample(model: keras.Model, latent_dim: int) -> Sample:
    """A sample of `generate`: two images."""
    noise = np.random.default_rng(0).standard_normal((2, latent_dim), np.float32)
    expected = np.clip(ops.convert_to_numpy(model(noise, training=False)), 0, 1)
    return Sample("generate", lambda functions: functions["generate"](noise=noise)["picture"], expected)


class _NearestUpsampling(keras.layers.Layer):
    """Nearest-neighbour upsampling by an operation whose shape converters understand."""

    def __init__(self, layer: keras.layers.UpSampling2D) -> None:
        super().__init__(name=layer.name, dtype=layer.dtype_policy)
        self.size = layer.size

    def call(self, features: Tensor) -> Tensor:
        """`(batch, rows, columns, channels)`, with more rows and columns."""
        sides = tuple(side * factor for side, factor in zip(ops.shape(features)[1:3], self.size, strict=True))
        return tf.raw_ops.ResizeNearestNeighbor(images=features, size=sides)

    def compute_output_spec(self, features: Tensor) -> Tensor:
        """Features of any size."""
        return keras.KerasTensor((features.shape[0], None, None, features.shape[3]), dtype=self.compute_dtype)


def portable(network: keras.Model) -> keras.Model:
    """A network with the same variables, without operations that converters can't handle.

    Keras upsamples by a repetition, which loses the number of channels where the size is not known.
    """
    if not getattr(network, "inputs", None):  # a subclass of `keras.Model`, whose operations can't be exchanged
        return network

    def exchanged(layer: keras.layers.Layer) -> Any:
        upsampling = isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest"
        return _NearestUpsampling(layer) if upsampling else layer

    return keras.models.clone_model(network, clone_function=exchanged)
