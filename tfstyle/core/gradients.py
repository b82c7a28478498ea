"""Functions with gradients of their own, which live no longer than the graph they are in.

TensorFlow notes the gradient function of each call in a graph in a registry, for good, and with it the tensors that
it knows, their graph, and all that was compiled of that: 70 MB for each picture painted with VGG16
(github.com/tensorflow/tensorflow/issues/97697, in part mended in 2026). Here the graph owns its gradient functions,
and the registry refers to them.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras

_OWNED = "_tfstyle_gradient_functions"


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """`keras.ops.custom_gradient`, without TensorFlow's leak.

    Args:
        function: From tensors to `(value, gradient)`, as for `keras.ops.custom_gradient`.
    """
    differentiable = keras.ops.custom_gradient(function)

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        with gradients_owned():
            return differentiable(*args)

    return call


@contextlib.contextmanager
def gradients_owned() -> Iterator[None]:
    """Makes the TensorFlow graph in work, if any, own the gradient functions that come into being within."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf
    from tensorflow.python.framework.ops import gradient_registry

    if tf.executing_eagerly():
        yield
        return
    registry = gradient_registry._registry
    before = set(registry)
    yield
    graph = tf.compat.v1.get_default_graph()
    for name in registry.keys() - before:
        _give(graph, registry, name)


def _give(graph: Any, registry: dict[str, dict[str, Any]], name: str) -> None:
    """Make a graph the owner of a function in the registry, unless another graph, within, is that already."""
    function = registry.get(name, {}).get("type")  # none any more, if that graph is gone meanwhile
    if function is None or isinstance(function, _Reference):
        return
    if not hasattr(graph, _OWNED):
        setattr(graph, _OWNED, [])
    getattr(graph, _OWNED).append(function)
    registry[name]["type"] = _Reference(function)
    weakref.finalize(function, registry.pop, name, None).atexit = False


class _Reference:
    """Calls a function that somebody else owns."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = weakref.ref(function)

    def __call__(self, *args: Any) -> Any:
        function = self._function()
        assert function is not None, "whoever asks has the graph, and so the function"
        return function(*args)
