"""A weighted mixture of statistics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from tfstyle.losses.statistics import (
    Averages,
    Constants,
    Statistic,
    Sums,
    Tensor,
)


@keras.saving.register_keras_serializable(package="tfstyle")
class Mixture(Statistic):
    """Several statistics at once: the loss of a layer is the weighted sum of theirs.

    Of kernels it is the MMD² under the kernel Σ wᵢ kᵢ.

    Args:
        parts: Statistics, each with the factor of its loss, at least 0.

    Raises:
        ValueError: There are no parts, or a factor is negative.

    Reference:
        Li et al. 2017, which fuses losses of kernels and of moments;
        Gretton et al. 2012, "Optimal Kernel Choice for Large-Scale Two-Sample Tests" (sums of kernels).
    """

    def __init__(self, parts: Iterable[tuple[Statistic, float]]) -> None:
        self.parts = [(part, weight) for part, weight in parts]
        if not self.parts:
            raise ValueError("a mixture needs at least one part")
        for part, weight in self.parts:
            if not weight >= 0:
                raise ValueError(f"the weight of {part!r} must be 0 or more, not {weight!r}")

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """The sums of part i, named `"i.name"`, and `"count"`."""
        return _joined(part.sums(features, weights) for part, _ in self.parts)

    def averages(self, sums: Sums) -> Averages:
        """The averages of each part, named `"i.name"`."""
        count = {"count": sums["count"]}
        return _joined(part.averages(_part(sums, i) | count) for i, (part, _) in enumerate(self.parts))

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """What each part makes of its averages, named `"i.name"`."""
        return _joined(part.describe(_part(averages, i)) for i, (part, _) in enumerate(self.parts))

    @property
    def shares(self) -> tuple[float, ...]:
        """The factors of the parts."""
        return tuple(weight for _, weight in self.parts)

    def distances(self, a: Averages, b: Averages) -> Tensor:
        """The parts' losses, without their factors: `(batch, parts)`."""
        each = [part.distance(_part(a, i), _part(b, i)) for i, (part, _) in enumerate(self.parts)]
        return ops.stack(each, axis=-1)

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """See the class; shape `(batch,)`."""
        return sum(weight * part.distance(_part(a, i), _part(b, i)) for i, (part, weight) in enumerate(self.parts))

    @property
    def needs_sample(self) -> bool:
        """Whether a part does."""
        return any(statistic.needs_sample for statistic, _ in self.parts)

    def constants(self, sample: Tensor) -> Constants:
        """Those of each part that needs the sample, by its number."""
        return {str(i): part.constants(sample) for i, (part, _) in enumerate(self.parts) if part.needs_sample}

    def bound(self, constants: Constants) -> Mixture:
        """The mixture of the parts with their constants."""
        return Mixture((part.bound(constants.get(str(i), {})), weight) for i, (part, weight) in enumerate(self.parts))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"parts": [(keras.saving.serialize_keras_object(part), weight) for part, weight in self.parts]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Mixture:
        """The mixture that `get_config` described."""
        return cls((keras.saving.deserialize_keras_object(part), weight) for part, weight in config["parts"])

    def __repr__(self) -> str:
        return f"Mixture({self.parts!r})"


def _joined(parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Dictionaries as one; `"count"`, the same in all, stays what it is."""
    return {
        key if key == "count" else f"{i}.{key}": value for i, part in enumerate(parts) for key, value in part.items()
    }


def _part(joined: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    """One of the dictionaries that `_joined` made one, without the count."""
    start = f"{number}."
    return {key.removeprefix(start): value for key, value in joined.items() if key.startswith(start)}
