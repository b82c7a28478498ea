"""The one exception for what a user can put right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """Something given to tfstyle can't be used; the message is one line that names it and the fix.

    The command line prints the message and exits with code 2; in Python it is a `ValueError`.
    """


def unknown(kind: str, name: object, known: Iterable[str]) -> InputError:
    """An `InputError` for a name that isn't one of `known`, with the nearest ones suggested.

    Args:
        kind: What the name should have been, in the singular ("backbone", "method", ...).
        name: What was given.
        known: The names there are.
    """
    names = list(known)
    folded = {candidate.lower(): candidate for candidate in names}
    near = [folded[match] for match in difflib.get_close_matches(str(name).lower(), folded, n=3, cutoff=0.5)]
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif len(names) <= 12:
        hint = f"use one of {', '.join(names)}"
    else:
        hint = f"there are {len(names)}, from {names[0]} to {names[-1]}"
    return InputError(f"unknown {kind} {str(name)!r}: {hint}")


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Raise an `InputError` unless `value` is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or not low <= value <= high:
        raise InputError(f"{name} {value} can't be used: give a whole number from {low} to {high}")
