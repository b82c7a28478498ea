"""Trainings of `tfstyle train` as experiments tell of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfstyle.core.runtime import import_tensorflow


@dataclass(frozen=True)
class Training:
    """A training as its folder has it.

    Attributes:
        settings: What it was begun with.
        rows: Of its log.
    """

    settings: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]]

    @property
    def steps(self) -> int:
        """Steps that the generator has made, whatever its critic made."""
        return self.steps_after(self.rows[-1])

    def steps_after(self, row: Mapping[str, float]) -> int:
        """The same after an epoch of the log."""
        return int(row["epoch"]) * int(self.settings["steps"]) // int(self.settings.get("critic_steps", 1))

    def said(self) -> str:
        """Its settings in a line."""
        given = self.settings
        sizes = [f"{given[name]} {name}" for name in ("filters", "blocks") if given.get(name) is not None]
        weights = [
            f"{name.replace('_', ' ')} {given[name]:g}"
            for name in ("cycle_weight", "identity_weight", "content_weight", "critic_steps")
            if given.get(name) is not None
        ]
        words = [f"{given['size']} pixels", *sizes, *weights, *([given["lipschitz"]] if "lipschitz" in given else [])]
        return f"{self.steps} generator steps of {given['batch']}; {', '.join(words)}; seed {given['seed']}"


def training(folder: Path) -> Training:
    """The training of a folder.

    Raises:
        InputError: There is none.
    """
    import_tensorflow()
    from tfstyle.training.run import found

    return Training(*found(folder))
