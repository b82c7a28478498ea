"""The one live progress bar of the package, drawn on stderr so that stdout is left to results."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from tfstyle.core.settings import option

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


class Bar:
    """A live bar on the terminal: description, bar, count, note, time taken and time left.

    Use it in a `with` statement, or call `start` and `stop`. A bar that is not visible does nothing.

    Args:
        description: What is being done, at the left of the bar.
        total: How many units there are; None if that is unknown.
        completed: How many units are done at the start.
        unit: Name of the units, in the plural; it stands after the count.
        visible: Whether the bar is drawn.
        console: Where the bar is drawn; None for stderr.

    Examples:
        >>> with Bar("painting", total=2, visible=False) as bar:
        ...     bar.advance(note="first image")
    """

    def __init__(
        self,
        description: str,
        total: int | None = None,
        *,
        completed: int = 0,
        unit: str = "",
        visible: bool = True,
        console: Console | None = None,
    ) -> None:
        self._bar: Any = None
        if not visible:
            return
        from rich.console import Console as StderrConsole
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            *([TextColumn(unit)] if unit else []),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console or StderrConsole(stderr=True),
        )
        self._task = self._bar.add_task(description, total=total, completed=completed, note="")

    def start(self) -> None:
        """Draw the bar."""
        if self._bar is not None:
            self._bar.start()

    def stop(self) -> None:
        """Leave the bar as it is and give the terminal back; a second call does nothing."""
        if self._bar is not None:
            self._bar.stop()

    def advance(self, number: int = 1, note: str | None = None) -> None:
        """Count units that were done.

        Args:
            number: How many.
            note: Text at the right of the count; None to leave it.
        """
        self._update(note, advance=number)

    def update(self, completed: int, note: str | None = None) -> None:
        """Set the count.

        Args:
            completed: How many units are done in all.
            note: Text at the right of the count; None to leave it.
        """
        self._update(note, completed=completed)

    def _update(self, note: str | None, **counts: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, **counts, **({} if note is None else {"note": note}))

    def __enter__(self) -> Bar:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def progress_option() -> Any:
    """The option that switches the bar on or off, for settings classes; the command line has `--quiet`."""
    return option(
        default=None,
        help="Whether to show a progress bar on stderr.",
        unset="if stderr is a terminal",
        flag=False,
        recorded=False,
    )


def wanted(progress: bool | None) -> bool:
    """Whether to draw a bar.

    Args:
        progress: True or False to say so; None for: if stderr is a terminal.
    """
    if progress is None:
        return sys.stderr is not None and sys.stderr.isatty()
    return progress


def track(
    items: Iterable[T], description: str, total: int | None = None, *, progress: bool | None = None
) -> Iterator[T]:
    """Yield the items, and count them on a live bar as they come.

    The work must be in the items: give a generator or a `map` that does it. The bar closes with the last item, since
    a caller may not ask for more.

    Args:
        items: What is counted; read one after the other.
        description: What is being done, at the left of the bar.
        total: How many items there are; None for their length, if they have one.
        progress: Whether to draw the bar; None for: if stderr is a terminal.

    Yields:
        The items.

    Examples:
        >>> list(track(map(len, ["one", "three"]), "counting", total=2, progress=False))
        [3, 5]
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Bar(description, total, visible=wanted(progress)) as bar:
        for number, item in enumerate(items, 1):
            bar.advance()
            if number == total:
                bar.stop()
            yield item
