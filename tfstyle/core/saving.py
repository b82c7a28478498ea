"""Saved models: loading files that were written before a class was renamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras
import numpy as np

C = TypeVar("C", bound=type)


def formerly(name: str) -> Callable[[C], C]:
    """Class decorator: also load what was saved when the class had another name.

    A file names a class by its registered name, and the weights of a layer by its class name in snake case. This
    accepts both in their former spelling; new files have the new one.

    Args:
        name: The former class name.

    Examples:
        >>> @formerly("CountedDropout")
        ... @keras.saving.register_keras_serializable(package="tfstyle")
        ... class StatelessDropout(keras.layers.Layer): ...
    """

    def decorate(cls: C) -> C:
        keras.saving.get_custom_objects()[f"tfstyle>{name}"] = cls
        if hasattr(cls, "load_own_variables"):
            load = cls.load_own_variables

            def load_own_variables(self: Any, store: Any) -> None:
                """Load the variables that Keras has saved, under the present or the former name."""
                load(self, store if store.keys() else _former_variables(store, cls.__name__, name))

            cls.load_own_variables = load_own_variables
        return cls

    return decorate


def renamed_keys(config: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A configuration with its former keys renamed.

    Args:
        config: As `get_config` returned it, now or formerly.
        names: Present keys by former ones.
    """
    return {names.get(key, key): value for key, value in config.items()}


def _former_variables(store: Any, present: str, former: str) -> Mapping[str, Any]:
    """The variables of a layer in a Keras weights file, under its former class name; the store if it has none."""
    file = getattr(store, "h5_file", None)
    path = str(getattr(store, "_h5_entry_path", None) or getattr(store, "path", ""))  # by version of Keras
    folder, _, name = path.rpartition("/")
    group = f"{folder}/{name.replace(_snake_case(present), _snake_case(former), 1)}/vars"
    if file is None or group not in file:
        return store
    return {key: np.asarray(value) for key, value in file[group].items()}


def _snake_case(name: str) -> str:
    """A class name as Keras spells it in weights files."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
