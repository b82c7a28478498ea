"""What can be asked of a trained model where there is no Keras: functions from tensors to tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core.errors import InputError
from tfstyle.models.adain import guidance
from tfstyle.models.adain.adain import AdaIN
from tfstyle.models.adversarial.base import AdversarialModel, symmetric, unit

Tensor = Any


@dataclass(frozen=True)
class Signature:
    """A function of an exported model.

    Attributes:
        name: What it is called by.
        function: Of tensors by the inputs' names; it gives tensors by name.
        inputs: Shape and dtype of each input; None is for any size.
    """

    name: str
    function: Callable[..., dict[str, Tensor]]
    inputs: dict[str, tf.TensorSpec]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.inputs)})"


def of(model: keras.Model) -> list[Signature]:
    """The functions of a model, the most useful first.

    Raises:
        InputError: It is neither an `AdaIN` nor from pictures to pictures.
    """
    if isinstance(model, AdaIN):
        return _adain(model)
    if isinstance(model, AdversarialModel):
        return _generator(model)
    inputs = getattr(model, "inputs", None) or [keras.KerasTensor((None, None, None, 3))]
    outputs = getattr(model, "outputs", None) or inputs
    for tensors in (inputs, outputs):
        if len(tensors) != 1 or len(tensors[0].shape) != 4 or tensors[0].shape[3] != 3:
            raise InputError(
                f"the {type(model).__name__} is not from pictures to pictures, (batch, height, width, 3): give an "
                f"AdaIN or a generator"
            )
    network = portable(model)
    spec = tf.TensorSpec((None, *inputs[0].shape[1:]), tf.float32, "pictures")
    return [Signature("paint", lambda pictures: {"picture": network(pictures, training=False)}, {"pictures": spec})]


def _generator(model: AdversarialModel) -> list[Signature]:
    """From photographs to paintings, of models that have been trained with both; else from noise to paintings."""
    generator = model.generators()[0]
    network = portable(generator)

    def paint(pictures: Tensor) -> dict[str, Tensor]:
        return {"picture": ops.clip(unit(network(symmetric(pictures), training=False)), 0.0, 1.0)}

    def generate(noise: Tensor) -> dict[str, Tensor]:
        return {"picture": ops.clip(unit(network(noise, training=False)), 0.0, 1.0)}

    if len(generator.input_shape) == 4:
        return [Signature("paint", paint, {"pictures": tf.TensorSpec((None, None, None, 3), tf.float32, "pictures")})]
    return [Signature("generate", generate, {"noise": tf.TensorSpec(generator.input_shape, tf.float32, "noise")})]


def _adain(model: AdaIN) -> list[Signature]:
    decoder = portable(model.decoder)
    scale = model.encoder.scales[model.layer]

    def encode_style(style: Tensor) -> dict[str, Tensor]:
        found = model.adain.statistics(model._features(style)[model.layer])
        return {key: found[key] * scale for key in ("mean", "deviation")}

    def stylize_with_code(content: Tensor, mean: Tensor, deviation: Tensor, alpha: Tensor) -> dict[str, Tensor]:
        features = model._features(content)[model.layer]
        target = model.adain((features, {"mean": mean / scale, "deviation": deviation / scale}))
        mixed = guidance.weakened(target, features, ops.reshape(alpha, (1, 1, 1)))
        return {"picture": ops.clip(model._decoded(mixed, ops.shape(content)[1:3], decoder), 0.0, 1.0)}

    def stylize(content: Tensor, style: Tensor, alpha: Tensor) -> dict[str, Tensor]:
        return stylize_with_code(content, **encode_style(style), alpha=alpha)

    channels = model.decoder.input_shape[-1]
    specs = {
        **{name: tf.TensorSpec((None, None, None, 3), tf.float32, name) for name in ("content", "style")},
        **{name: tf.TensorSpec((None, channels), tf.float32, name) for name in ("mean", "deviation")},
        "alpha": tf.TensorSpec((), tf.float32, "alpha"),
    }

    def signature(function: Callable[..., dict[str, Tensor]], *names: str) -> Signature:
        return Signature(function.__name__, function, {name: specs[name] for name in names})

    return [
        signature(stylize, "content", "style", "alpha"),
        signature(encode_style, "style"),
        signature(stylize_with_code, "content", "mean", "deviation", "alpha"),
    ]


class _Nearest(keras.layers.Layer):
    """Nearest-neighbour upsampling of which converters understand the shape."""

    def __init__(self, layer: keras.layers.UpSampling2D) -> None:
        super().__init__(name=layer.name, dtype=layer.dtype_policy)
        self.size = layer.size

    def call(self, features: Tensor) -> Tensor:
        """`(batch, height, width, channels)`, larger."""
        sides = tuple(side * factor for side, factor in zip(ops.shape(features)[1:3], self.size, strict=True))
        return tf.raw_ops.ResizeNearestNeighbor(images=features, size=sides)

    def compute_output_spec(self, features: Tensor) -> Tensor:
        """Of any size."""
        return keras.KerasTensor((features.shape[0], None, None, features.shape[3]), dtype=self.compute_dtype)


def portable(network: keras.Model) -> keras.Model:
    """A network, its weights the same variables, without what converters can't do.

    Keras upsamples by a repetition that loses the number of channels where the size is not known.
    """
    if not getattr(network, "inputs", None):  # subclassed: there is no telling what it does
        return network

    def swapped(layer: keras.layers.Layer) -> keras.layers.Layer:
        upsampling = isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest"
        return _Nearest(layer) if upsampling else layer

    return keras.models.clone_model(network, clone_function=swapped)
