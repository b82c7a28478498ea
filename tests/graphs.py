"""Whether TensorFlow optimises the graphs of this process.

Those of tests are of tiny pictures and run once or twice: they take longer to optimise than they ever win back, so
that `conftest.py` has it off. Commands that tests run in a process of their own have theirs optimised, as users have;
where results must be theirs to the last bit, those of the test must be optimised, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


def optimise(yes: bool) -> None:
    """From here on."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not yes})


@contextmanager
def optimised() -> Iterator[None]:
    """In the block."""
    optimise(True)
    yield
    optimise(False)
