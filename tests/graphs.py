"""Whether TensorFlow builds graphs in this process, and optimises them.

Graphs of tests work on tiny images and run once or twice. Optimising them takes longer than it saves, so
`conftest.py` switches it off. Commands that tests run in a process of their own do optimise, as for users. Where a
test compares its results with those of another process bit by bit, it needs the fixture `optimised_graphs`.

Where a test is not about a compiled step, but for example about what a command writes, no graph is needed: the module
uses the fixture `eager`, which halves the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


def optimise(yes: bool) -> None:
    """Switch the optimisation of graphs on or off."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not yes})


@contextmanager
def optimised() -> Iterator[None]:
    """Build graphs in the block, and optimise them."""
    before = tf.config.functions_run_eagerly()
    run_eagerly(False)
    optimise(True)
    yield
    optimise(False)
    run_eagerly(before)


def run_eagerly(yes: bool) -> None:
    """Switch graphs off or on."""
    tf.config.run_functions_eagerly(yes)


@contextmanager
def eager() -> Iterator[None]:
    """Build no graphs in the block."""
    run_eagerly(True)
    yield
    run_eagerly(False)


def choose_float32() -> None:
    """Let `precision="auto"` be float32 in this process: the probe takes long where graphs are not optimised."""
    from tfstyle.core import precision

    seconds = precision._seconds
    precision._seconds = lambda dtype, **_: 1.0
    precision.faster.cache_clear()
    precision.faster()
    precision._seconds = seconds
