"""A weighted mixture of statistics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.losses.statistics import Averages, Constants, Statistic, Sums


@keras.saving.register_keras_serializable(package="tfstyle")
class Mixture(Statistic):
    """Several statistics: the loss of a layer is the weighted sum of their losses.

    A mixture of kernels kᵢ with weights wᵢ is the MMD² under the kernel Σ wᵢ kᵢ.

    Args:
        parts: Statistics, each with the weight of its loss, at least 0.

    Raises:
        ValueError: There are no parts, or a weight is negative.

    Reference:
        Li et al. 2017, "Demystifying Neural Style Transfer", (losses of kernels and of moments, fused);
        Gretton et al. 2012, "Optimal Kernel Choice for Large-Scale Two-Sample Tests" (sums of kernels).

    Examples:
        >>> from tfstyle import GramMatrix, LinearKernel
        >>> Mixture([(GramMatrix(), 1.0), (LinearKernel(), 0.5)])
        Mixture([(GramMatrix(normalization='positions_channels'), 1.0), (LinearKernel(), 0.5)])
    """

    def __init__(self, parts: Iterable[tuple[Statistic, float]]) -> None:
        self.parts = [(part, weight) for part, weight in parts]
        if not self.parts:
            raise ValueError("a mixture needs at least one part")
        for part, weight in self.parts:
            if not weight >= 0:
                raise ValueError(f"the weight of {part!r} must be 0 or more, not {weight!r}")

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """The sums of each part i under `"i.name"`, and `"count"`."""
        return _join(part.sums(features, weights) for part, _ in self.parts)

    def averages(self, sums: Sums) -> Averages:
        """The averages of each part i under `"i.name"`."""
        count = {"count": sums["count"]}
        return _join(part.averages(_part(sums, i) | count) for i, (part, _) in enumerate(self.parts))

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """The description of each part i under `"i.name"`."""
        return _join(part.describe(_part(averages, i)) for i, (part, _) in enumerate(self.parts))

    @property
    def part_weights(self) -> tuple[float, ...]:
        """The weights of the parts."""
        return tuple(weight for _, weight in self.parts)

    def distances(self, a: Averages, b: Averages) -> Tensor:
        """The losses of the parts, without their weights: `(batch, parts)`."""
        losses = [part.distance(_part(a, i), _part(b, i)) for i, (part, _) in enumerate(self.parts)]
        return ops.stack(losses, axis=-1)

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """The weighted sum of the losses of the parts, `(batch,)`."""
        return sum(weight * part.distance(_part(a, i), _part(b, i)) for i, (part, weight) in enumerate(self.parts))

    @property
    def needs_sample(self) -> bool:
        """Whether a part needs a sample."""
        return any(statistic.needs_sample for statistic, _ in self.parts)

    def constants(self, sample: Tensor) -> Constants:
        """The constants of each part that needs the sample, by the number of the part."""
        return {str(i): part.constants(sample) for i, (part, _) in enumerate(self.parts) if part.needs_sample}

    def with_constants(self, constants: Constants) -> Mixture:
        """The mixture of the parts with their constants in place."""
        return Mixture(
            (part.with_constants(constants.get(str(i), {})), weight) for i, (part, weight) in enumerate(self.parts)
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"parts": [(keras.saving.serialize_keras_object(part), weight) for part, weight in self.parts]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Mixture:
        """The mixture with the configuration of `get_config`."""
        return cls((keras.saving.deserialize_keras_object(part), weight) for part, weight in config["parts"])

    def __repr__(self) -> str:
        return f"Mixture({self.parts!r})"


def _join(parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Dictionaries in one, under `"i.name"`; `"count"`, which is equal in all, keeps its name."""
    return {
        key if key == "count" else f"{i}.{key}": value for i, part in enumerate(parts) for key, value in part.items()
    }


def _part(joined: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    """One of the dictionaries that `_join` put together, without `"count"`."""
    prefix = f"{number}."
    return {key.removeprefix(prefix): value for key, value in joined.items() if key.startswith(prefix)}
