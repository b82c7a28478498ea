"""Whether TensorFlow makes graphs in this process, and optimises them.

Those of tests are of tiny pictures and run once or twice: they take longer to optimise than they ever win back, so
that `conftest.py` has it off. Commands that tests run in a process of their own have theirs optimised, as users have;
where results must be theirs to the last bit, those of the test must be optimised, too.

Where a test is of something else than a step, as of what a command writes, there need be no graph at all: its module
uses the fixture `eager`, which takes half the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


def optimise(yes: bool) -> None:
    """From here on."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not yes})


@contextmanager
def optimised() -> Iterator[None]:
    """In the block, where there are graphs in any case."""
    before = tf.config.functions_run_eagerly()
    run_eagerly(False)
    optimise(True)
    yield
    optimise(False)
    run_eagerly(before)


def run_eagerly(yes: bool) -> None:
    """From here on."""
    tf.config.run_functions_eagerly(yes)


@contextmanager
def eager() -> Iterator[None]:
    """No graphs in the block."""
    run_eagerly(True)
    yield
    run_eagerly(False)
