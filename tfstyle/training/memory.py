"""Too little memory for a training, as one line that names the fix."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tfstyle.core.errors import InputError
from tfstyle.core.memory import memory_errors


@contextlib.contextmanager
def enough_memory() -> Iterator[None]:
    """Turn errors of memory into an `InputError`.

    Raises:
        InputError: There is not enough memory.
    """
    try:
        yield
    except memory_errors() as error:
        raise InputError("there is not enough memory: use a smaller crop size or batch, or fewer filters") from error
