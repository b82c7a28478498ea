"""Ctrl-C and SIGTERM that wait until a file is written."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def uninterrupted(forget: bool = False) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM wait until the block is done.

    Args:
        forget: Whether the block is the end of the work, so that nothing is left to interrupt.

    Raises:
        KeyboardInterrupt: At the end of the block, if one of them has come.
    """
    waiting: list[int] = []
    previous = {}
    try:
        for number in _SIGNALS:
            previous[number] = signal.signal(number, lambda number, _: waiting.append(number))
    except ValueError:  # only the main thread may set handlers
        yield
        return
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if waiting and not forget:
        raise KeyboardInterrupt
