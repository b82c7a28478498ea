"""Networks under their backbones: built, initialised, and their layers under stable names."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Mapping

import keras
import numpy as np

from tfstyle.core.errors import unknown
from tfstyle.features.registry import BACKBONES, BackboneSpec, spec_of


def names() -> tuple[str, ...]:
    """Names of all networks: those of `keras.applications`, then those of this package."""
    return (*_keras_names(), *(name for name, spec in BACKBONES.items() if spec.builder is not None))


@functools.cache
def _keras_names() -> tuple[str, ...]:
    return tuple(name for name in dir(keras.applications) if name[0].isupper())


def canonical_name(name: str) -> str:
    """The name of a network with its capitals.

    Args:
        name: The name in any case.

    Raises:
        InputError: There is no such network; the nearest names are suggested.
    """
    by_lower_case = {known.lower(): known for known in names()}
    if name.lower() not in by_lower_case:
        raise unknown("backbone", name, names())
    return by_lower_case[name.lower()]


def build(spec: BackboneSpec) -> keras.Model:
    """A network without its classifier, with Keras' initialisation."""
    if spec.builder is None:
        function = getattr(keras.applications, spec.name)
    else:
        module, _, attribute = spec.builder.partition(":")
        function = getattr(importlib.import_module(module), attribute)
    return function(include_top=False, weights=None, input_shape=(spec.native_side, spec.native_side, 3))


def he_initialize(model: keras.Model, seed: int) -> None:
    """Give every kernel He initialisation, which depends on the seed and on the kernel's place in the network.

    Reference:
        He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", equation 10.
    """
    for index, variable in enumerate(model.weights):
        kind = variable.path.rpartition("/")[2]
        if "kernel" in kind:
            height, width, inputs, outputs = (1, 1, *variable.shape)[-4:]
            fan_in = height * width * (1 if outputs == 1 else inputs)  # one output: depthwise
            random = np.random.default_rng([seed, index])
            variable.assign(random.standard_normal(variable.shape, "float32") * np.sqrt(2 / fan_in))


def stable_names(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Layers by the names that they have in a fresh process, from the input upwards.

    Keras numbers the layers that it names itself on and on within a process. The first model of a process has the
    numbers from 0, so the rank of a layer's number among those of its class in one model is its stable number.
    """
    numbered: dict[str, list[tuple[int, int]]] = {}
    for index, layer in enumerate(model.layers):
        match = re.fullmatch(r"(.*?)(?:_(\d+))?", layer.name)
        if match and match[1].replace("_", "") == type(layer).__name__.lower():
            numbered.setdefault(match[1], []).append((int(match[2] or 0), index))
    stable = {
        index: stem if rank == 0 else f"{stem}_{rank}"
        for stem, layers in numbered.items()
        for rank, (_, index) in enumerate(sorted(layers))
    }
    return {stable.get(index, layer.name): layer for index, layer in enumerate(model.layers)}


def layer_shapes(
    name: str, network: keras.Model, layers: Mapping[str, keras.layers.Layer]
) -> tuple[int, dict[str, tuple[int, ...]]]:
    """The side, in pixels, of a square picture that fits a network, and the shapes of its layers for that picture.

    Args:
        name: Name of the backbone.
        network: The network or a part of it.
        layers: Layers of the network by name.
    """
    outputs = {layer_name: layer.output for layer_name, layer in layers.items()}
    side = spec_of(name).native_side
    if side is None:  # else the layers know their shapes
        side = 256
        outputs = keras.Model(network.input, outputs)(keras.Input((side, side, 3)))
    return side, {layer_name: output.shape for layer_name, output in outputs.items()}


def layers_by_stride(
    name: str, network: keras.Model, layers: Mapping[str, keras.layers.Layer]
) -> tuple[str, tuple[str, ...]]:
    """The content layer and the style layers of a network without default layers (chosen).

    The style layers are the last layer at each stride up to 16. The content layer is the one of stride 8.

    Args:
        name: Name of the backbone.
        network: The network.
        layers: Its layers by name.
    """
    side, shapes = layer_shapes(name, network, layers)
    by_stride: dict[int, str] = {}
    for layer_name, shape in shapes.items():
        kind = type(layers[layer_name]).__name__
        if kind == "Activation" and layers[layer_name].activation is keras.activations.linear:
            continue  # a mere name, such as that of ConvNeXt's branches before they are added
        has_features = kind in ("Activation", "ReLU", "Add", "Concatenate", "Conv2D", "Multiply")
        if has_features and len(shape) == 4 and shape[1] and side // shape[1] <= 16 and shape[1] > 1:
            by_stride[round(side / shape[1])] = layer_name
    strides = sorted(by_stride)
    middle = max((stride for stride in strides if stride <= 8), default=strides[-1])
    return by_stride[middle], tuple(by_stride[stride] for stride in strides)
