"""Names for classes and functions that are imported on first use.

>>> shapes = Registry("fraction", {"half": "fractions:Fraction"})
>>> shapes["half"]
<class 'fractions.Fraction'>
>>> shapes["halv"]
Traceback (most recent call last):
    ...
tfstyle.core.errors.InputError: unknown fraction 'halv': did you mean half?
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from tfstyle.core.errors import unknown


class Registry(Mapping[str, Any]):
    """What can be asked for by name; a module is imported when its entry is first used.

    Args:
        kind: What the names are names of, in the singular, for messages.
        places: For each name, `"module:attribute"`.
    """

    def __init__(self, kind: str, places: Mapping[str, str]) -> None:
        self.kind = kind
        self._places = dict(places)

    def __getitem__(self, name: str) -> Any:
        """The entry of that name.

        Raises:
            InputError: There is none; the nearest names are suggested.
        """
        if name not in self._places:
            raise unknown(self.kind, name, self._places)
        module, _, attribute = self._places[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def check(self, name: str) -> str:
        """The name, if there is such an entry.

        Raises:
            InputError: There is none.
        """
        if name not in self._places:
            raise unknown(self.kind, name, self._places)
        return name
