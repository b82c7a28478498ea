"""State dicts of PyTorch, without PyTorch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from tfstyle.core.errors import InputError


def numbered(state: Mapping[str, Any], kind: str) -> dict[int, np.ndarray]:
    """The entries of an `nn.Sequential` of one kind, by the number of their layer and in its order.

    Args:
        state: PyTorch tensors or arrays by name, `"N.weight"` or `"N.bias"` with any prefix.
        kind: `"weight"` or `"bias"`. Kernels `(out, in, height, width)` become Keras' `(height, width, in, out)`.
    """
    found = {}
    for name, value in state.items():
        match = re.fullmatch(rf"(?:.*\.)?(\d+)\.{kind}", name)
        if match:
            found[int(match[1])] = _array(value)
    return dict(sorted(found.items()))


def load(network: keras.Model, state: Mapping[str, Any]) -> None:
    """Load the convolutions of a PyTorch network of the same layout, in the order of the numbers in their names.

    What normalisations without parameters have left in old checkpoints (`running_mean` and the like) doesn't count.

    Args:
        network: A Keras model, whose convolutions, transposed or not, have biases.
        state: PyTorch tensors or arrays by name. Kernels `(out, in, height, width)`, or `(in, out, height, width)`
            if transposed.

    Raises:
        InputError: Other convolutions than the network's.
    """
    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    layers = [layer for layer in network.layers if isinstance(layer, kinds)]
    places = sorted({name.rpartition(".")[0] for name in state if name.endswith((".weight", ".bias"))}, key=_place)
    if len(places) != len(layers):
        raise InputError(
            f"the state dict has {len(places)} convolutions, and the {network.name} {len(layers)}: give one of the "
            "same layout, or make the model with its number of blocks and layers"
        )
    pairs = []
    for layer, place in zip(layers, places, strict=True):
        for kind, variable in (("weight", layer.kernel), ("bias", layer.bias)):
            if f"{place}.{kind}" not in state:
                raise InputError(f"the state dict has no {place}.{kind}: give one of networks with biases")
            given = _array(state[f"{place}.{kind}"])
            if given.shape != tuple(variable.shape):
                raise InputError(
                    f"{place}.{kind} of the state dict has the shape {given.shape}, and {layer.name} of the "
                    f"{network.name} {tuple(variable.shape)}: give one of the same layout"
                )
            pairs.append((variable, given))
    for variable, given in pairs:  # all of them or none
        variable.assign(given)


def _place(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _array(value: Any) -> np.ndarray:
    """A tensor or array in Keras' layout."""
    array = np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
