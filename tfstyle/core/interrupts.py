"""Ctrl-C that waits until a file is written."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


@contextlib.contextmanager
def uninterrupted(forget: bool = False) -> Iterator[None]:
    """Ctrl-C waits: what is done is about to be written.

    Args:
        forget: Whether it is the last of what was asked for, so that there is nothing left to interrupt.

    Raises:
        KeyboardInterrupt: Ctrl-C has waited.
    """
    waiting: list[int] = []
    try:
        before = signal.signal(signal.SIGINT, lambda number, _: waiting.append(number))
    except ValueError:  # only the main thread may
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting and not forget:
        raise KeyboardInterrupt
