"""Rows of values as a table for a terminal, for a page and for a spreadsheet.

>>> rows = [{"name": "first", "ssim": 0.5}, {"name": "second", "ssim": None}]
>>> print(as_text(rows, {"name": "image", "ssim": "SSIM"}), end="")
image    SSIM
first   0.500
second
>>> print(as_csv(rows), end="")
name,ssim
first,0.5
second,
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tfstyle.core.html import Markup, escape

Rows = Sequence[Mapping[str, Any]]


def shown(value: Any) -> str:
    """A value as a reader wants it: numbers with three decimals, lists with commas, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if not _is_number(value) or isinstance(value, int):
        return str(value)
    if abs(value) >= 1e6:
        return f"{value:.4g}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"


def as_text(
    rows: Rows, columns: Mapping[str, str], *, form: Callable[[Any], str] = shown, heading: bool = True
) -> str:
    """A table for a terminal: a line for each row, columns of numbers flush right.

    Args:
        rows: Values by the name of their column.
        columns: The headings by the names of the columns, in order.
        form: From a value to its text.
        heading: Whether the first line has the headings.
    """
    cells = [[form(row.get(name)) for name in columns] for row in rows]
    lines = [list(columns.values()), *cells] if heading else cells
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [any(_is_number(row.get(name)) for row in rows) for name in columns]
    return "".join(
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(line, widths, right, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def as_html(rows: Rows, columns: Mapping[str, str], *, form: Callable[[Any], str] = shown) -> Markup:
    """A table for a page.

    Args:
        rows: Values by the name of their column; those that are `Markup` are not escaped.
        columns: The headings by the names of the columns, in order.
        form: From a value to its text.
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in columns.values())
    lines = ["".join(_cell(row.get(name), form) for name in columns) for row in rows]
    return Markup(f"<table><tr>{head}</tr>\n" + "".join(f"<tr>{line}</tr>\n" for line in lines) + "</table>")


def as_csv(rows: Rows, columns: Iterable[str] | None = None) -> str:
    """A table for a spreadsheet: comma-separated values with a first line of names.

    Args:
        rows: Values by the name of their column. Lists are joined by semicolons; None is nothing.
        columns: Names of the columns, in order; None for all of the rows', in order of appearance.
    """
    names = list(dict.fromkeys(name for row in rows for name in row) if columns is None else columns)
    file = io.StringIO()
    writer = csv.DictWriter(file, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: ";".join(map(str, value)) if isinstance(value, list) else value for name, value in row.items()}
        )
    return file.getvalue()


def _cell(value: Any, form: Callable[[Any], str]) -> str:
    if isinstance(value, Markup):
        return f"<td>{value}</td>"
    kind = ' class="number"' if _is_number(value) else ""
    return f"<td{kind}>{escape(form(value))}</td>"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
