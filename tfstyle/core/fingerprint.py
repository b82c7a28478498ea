"""Whether unfinished or finished work has the settings of today: settings as JSON, as a hash, and their differences.

>>> differences({"size": 64, "seed": 0}, {"size": 128, "seed": 0})
['size was 64, is 128']
>>> digest({"size": 64}) == digest({"size": 64.0})
False
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

SHA256 = "_sha256"  # ends the name of a setting that is the hash of an image
_LONGEST = 40  # characters of a value in a message (chosen)


@runtime_checkable
class Identified(Protocol):
    """What a hash of its content stands for in settings, such as a `Picture`."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        ...


def jsonable(value: Any) -> Any:
    """A value as JSON can hold it.

    Args:
        value: Dictionaries, sequences, dataclasses, numbers and strings. What has a name and a hash becomes these
            two. A number that is not finite becomes None. All else becomes its text.
    """
    if isinstance(value, Identified):
        return {"name": value.name, "sha256": value.sha256}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: jsonable(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def to_json(value: Any) -> str:
    """A value as JSON text, indented, with a newline at the end; see `jsonable`."""
    return json.dumps(jsonable(value), indent=1, allow_nan=False) + "\n"


def digest(settings: Any) -> str:
    """SHA-256 of settings, in hexadecimal; see `jsonable` for what they may be."""
    return hashlib.sha256(to_json(settings).encode()).hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two records of settings, in alphabetical order; nothing if they are the same.

    Values are compared as JSON holds them: a tuple equals a list.

    Args:
        before: The settings of the work that is there.
        now: The settings of today.

    Returns:
        Such as `"size was 64, is 128"`; for a setting whose name ends in `_sha256`, `"another image as NAME"`.
    """
    ours, theirs = (json.loads(json.dumps(dict(each))) for each in (now, before))
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    return [_difference(name, theirs.get(name), ours.get(name)) for name in names]


def _difference(name: str, before: Any, now: Any) -> str:
    shown = name.removesuffix(SHA256).replace("_", " ")
    if name.endswith(SHA256):
        return f"another image as {shown}"
    return f"{shown} was {_short(before)}, is {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."
