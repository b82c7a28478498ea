"""Weights of PyTorch networks, read from their state dicts without PyTorch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from tfstyle.core.errors import InputError


def numbered(state: Mapping[str, Any], kind: str) -> dict[int, np.ndarray]:
    """The weights or biases of an `nn.Sequential`, by the number of their layer, in this order.

    Args:
        state: PyTorch tensors or arrays by name, `"N.weight"` or `"N.bias"` with any prefix.
        kind: `"weight"` or `"bias"`.

    Returns:
        Arrays in Keras' layout: kernels `(out, in, height, width)` become `(height, width, in, out)`.
    """
    arrays = {}
    for name, value in state.items():
        match = re.fullmatch(rf"(?:.*\.)?(\d+)\.{kind}", name)
        if match:
            arrays[int(match[1])] = _array(value)
    return dict(sorted(arrays.items()))


def load(network: keras.Model, state: Mapping[str, Any]) -> None:
    """Load the convolutions of a PyTorch network with the layout of a Keras network, in the order of their numbers.

    Entries of normalisations without parameters, as `running_mean` in old checkpoints, are ignored.

    Args:
        network: A Keras model whose convolutions, transposed or not, have biases.
        state: PyTorch tensors or arrays by name. Kernels are `(out, in, height, width)`, or `(in, out, height,
            width)` in transposed convolutions.

    Raises:
        InputError: Other convolutions than the network's.
    """
    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    layers = [layer for layer in network.layers if isinstance(layer, kinds)]
    places = sorted({name.rpartition(".")[0] for name in state if name.endswith((".weight", ".bias"))}, key=_place)
    if len(places) != len(layers):
        raise InputError(
            f"the state dict has {len(places)} convolutions, and the {network.name} {len(layers)}: give a state dict "
            f"of that layout, or make the model with as many blocks and layers"
        )
    pairs = []
    for layer, place in zip(layers, places, strict=True):
        for kind, variable in (("weight", layer.kernel), ("bias", layer.bias)):
            if f"{place}.{kind}" not in state:
                raise InputError(
                    f"the state dict has no {place}.{kind}: give the state dict of a network with biases"
                )
            array = _array(state[f"{place}.{kind}"])
            if array.shape != tuple(variable.shape):
                raise InputError(
                    f"{place}.{kind} of the state dict has the shape {array.shape}, and {layer.name} of the "
                    f"{network.name} {tuple(variable.shape)}: give a state dict of that layout"
                )
            pairs.append((variable, array))
    for variable, array in pairs:  # after all checks, so that all are loaded or none
        variable.assign(array)


def _place(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _array(value: Any) -> np.ndarray:
    """A tensor or array in Keras' layout."""
    array = np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
