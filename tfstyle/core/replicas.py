"""Training on several devices as on one: what each replica has of the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfstyle.core.runtime import bypass_proxy_between_workers

Tensor = Any

bypass_proxy_between_workers()  # before TensorFlow's server starts, which it does with the strategy


def gathered(tensor: Tensor) -> Tensor:
    """A tensor with those of all replicas, in their order, along the first axis."""
    context = _context()
    return tensor if context is None else context.all_gather(tensor, axis=0)


def place(batch: Tensor) -> tuple[Tensor, Tensor]:
    """Where this replica's pictures begin in the whole batch, and how many there are in it.

    `tf.distribute` gives replicas consecutive parts of a batch, the last ones fewer where it can't be shared evenly.

    Args:
        batch: Number of this replica's pictures.
    """
    context = _context()
    if context is None:
        return 0, batch
    sizes = context.all_gather(tf.reshape(tf.cast(batch, tf.int32), (1,)), axis=0)
    return tf.reduce_sum(sizes[: context.replica_id_in_sync_group]), tf.reduce_sum(sizes)


def share(batch: Tensor) -> Tensor:
    """This replica's pictures as a share of the whole batch, float32.

    Keras adds up the gradients of all replicas, so that means over a replica's pictures have to be weighted so.
    """
    _, total = place(batch)
    return tf.cast(batch, tf.float32) / tf.cast(total, tf.float32)


def when(condition: Tensor, do: Callable[..., None], *tensors: Tensor) -> None:
    """Do something that may update variables on all replicas, if a condition holds, which is the same on all.

    Args:
        condition: A boolean.
        do: What is done; it returns nothing. Of a replica's own tensors it knows only those that it is given.
        *tensors: What it is given.
    """
    context = tf.distribute.get_replica_context()
    nothing = tf.constant(0)  # branches of a condition have to return something

    def here(*tensors: Tensor) -> Tensor:
        do(*tensors)
        return tf.identity(nothing)

    if tf.__internal__.distribute.strategy_supports_no_merge_call():
        tf.cond(condition, lambda: here(*tensors), lambda: tf.identity(nothing))
        return

    # A replica may not wait for others within a condition of its own: it has to be one of all of them.
    def of_all(strategy: Any, condition: Any, tensors: Any) -> None:
        def everywhere() -> Tensor:
            strategy.extended.call_for_each_replica(do, args=tensors)
            return tf.identity(nothing)

        tf.cond(strategy.experimental_local_results(condition)[0], everywhere, lambda: tf.identity(nothing))

    context.merge_call(of_all, args=(condition, tensors))


def several_workers() -> bool:
    """Whether this is one of several processes."""
    strategy = tf.distribute.get_strategy()
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and strategy.num_replicas_in_sync > 1


def _context() -> Any:
    """The replica that is at work, if there are several."""
    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None
