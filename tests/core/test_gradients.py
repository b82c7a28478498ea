"""Own gradients: as TensorFlow's, in every way of asking for them, and gone with their graph."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from tfstyle.core.gradients import custom_gradient


@custom_gradient
def tripled(x, factor):
    """x², whose slope is made three times what it is, to see whose is taken; nested, as tiles have statistics."""

    def gradient(upstream):
        return 3 * upstream * 2 * x * factor, None

    return same(x) ** 2 * factor, gradient


@custom_gradient
def same(x):
    return tf.identity(x), lambda upstream: upstream


def slope(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tripled(x, tf.constant(2.0))
    return tape.gradient(y, x)


def entries():
    return [name for name in gradient_registry._registry if name.startswith("CustomGradient")]


X = tf.constant([1.0, -2.0])
EXPECTED = [12.0, -24.0]


def test_the_gradient_is_the_functions_own_in_eager_mode_and_in_a_graph():
    np.testing.assert_array_equal(tripled(X, 2.0), [2, 8])
    np.testing.assert_array_equal(slope(X), EXPECTED)
    np.testing.assert_array_equal(tf.function(slope)(X), EXPECTED)


def test_a_compiled_function_can_be_differentiated_later():
    """When its graph is asked for its gradient, through the registry."""
    compiled = tf.function(lambda x: tripled(x, tf.constant(2.0)))
    compiled(X)
    gc.collect()
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = compiled(X)
    np.testing.assert_array_equal(tape.gradient(y, X), EXPECTED)


def test_loops_can_be_differentiated():
    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.while_loop(lambda i, _: i < 2, lambda i, s: (i + 1, s + tripled(x, 2.0)), (0, tf.zeros_like(x)))
        return tape.gradient(y[1], x)

    np.testing.assert_array_equal(run(X), [24, -48])


@pytest.mark.parametrize("loop", [False, True])
def test_nothing_is_left_of_a_graph_that_is_gone(loop):
    gc.collect()
    before = entries()

    def looped(x):
        return tf.while_loop(lambda i, _: i < 2, lambda i, s: (i + 1, s + slope(x)), (0, tf.zeros_like(x)))[1]

    compiled = tf.function(looped if loop else slope)
    compiled(X)
    graph = weakref.ref(compiled.get_concrete_function(X).graph)
    assert len(entries()) > len(before)
    del compiled
    gc.collect()
    assert graph() is None
    assert entries() == before
