"""What style is measured by: averages over positions of functions of the features.

Every statistic works in three steps, so that pictures can be taken apart and put together again:

1. `sums` adds a function of the features over positions. Sums of tiles add up to the sums of the picture.
2. `averages` divides by the number of positions. Averages of several styles can be mixed.
3. `distance` compares two averages: the style loss of one layer.

One that adapts to the style, as by a bandwidth, first sees a sample of its features (`constants`, `bound`).

Features are `(batch, height, width, channels)`. All arithmetic is in at least float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from tfstyle.core.gradients import custom_gradient

Tensor = Any
Sums = dict[str, Tensor]
Averages = dict[str, Tensor]
Constants = dict[str, Any]  # nested dictionaries of tensors, each (1 or batch,)

GramNormalization = Literal["positions", "positions_channels", "paper"]


class Statistic:
    """Base of all statistics: additive sums over positions, and the distance between their averages."""

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """Sums over positions.

        Args:
            features: `(batch, height, width, channels)`.
            weights: How much each position counts, `(1 or batch, height, width)`; None for 1 everywhere.

        Returns:
            Tensors whose first axis is the batch; `"count"`, of shape `(batch,)`, is the sum of the weights.
        """
        raise NotImplementedError

    def averages(self, sums: Sums) -> Averages:
        """The sums divided by the number of positions, or the sum of their weights."""
        count = sums["count"]
        return {
            key: value / ops.reshape(count, (-1,) + (1,) * (len(value.shape) - 1))
            for key, value in sums.items()
            if key != "count"
        }

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """The averages in the form in which the literature writes them."""
        return averages

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """The loss of one layer between two averages, of shape `(batch,)`; zero where they agree."""
        raise NotImplementedError

    @property
    def shares(self) -> tuple[float, ...]:
        """The factor of each of `distances`: `distance` is their weighted sum."""
        return (1.0,)

    def distances(self, a: Averages, b: Averages) -> Tensor:
        """The losses that can be balanced each by itself: `(batch, parts)`; of all but mixtures there is one."""
        return self.distance(a, b)[:, None]

    @property
    def needs_sample(self) -> bool:
        """Whether `constants` has to see the style before anything is summed."""
        return False

    def constants(self, sample: Tensor) -> Constants:
        """What is fixed by the style's features, from a sample of them `(1 or batch, positions, channels)`."""
        return {}

    def bound(self, constants: Constants) -> Statistic:
        """The statistic with its `constants` in place, which is the one to sum with."""
        return self

    def __call__(self, features: Tensor, weights: Tensor | None = None) -> Averages:
        """The averages of `features`, weighted if `weights` are given."""
        return self.averages(self.sums(features, weights))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Statistic:
        """The statistic that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({options})"


def blend(averages: list[Averages], weights: list[float]) -> Averages:
    """The mix of several styles' averages.

    Args:
        averages: One per style, of the same statistic and layer.
        weights: One per style; they are used as they are, so a convex mix needs them to sum to 1.
    """
    return {key: sum(w * a[key] for w, a in zip(weights, averages, strict=True)) for key in averages[0]}


def at_least_float32(features: Tensor) -> Tensor:
    """Features as they are, but half precision as float32: sums over many positions need it."""
    half = keras.backend.standardize_dtype(features.dtype) in ("float16", "bfloat16")
    return ops.cast(features, "float32") if half else features


def positions(features: Tensor, weights: Tensor | None) -> tuple[Tensor, list[Tensor], Tensor]:
    """Features as `(batch, positions, channels)`, their weights if any `(1 or batch, positions, 1)`, and their sum.

    The sum of the weights, or else the number of positions, is `(batch,)`; but for the features, all is in at least
    float32.
    """
    batch, height, width, channels = ops.shape(features)
    flat = ops.reshape(features, (batch, height * width, channels))
    dtype = keras.backend.result_type(flat.dtype, "float32")
    if weights is None:
        return flat, [], ops.full((batch,), height * width, dtype=dtype)
    weights = ops.reshape(ops.cast(weights, dtype), (-1, height * width, 1))
    return flat, [weights], ops.zeros((batch,), dtype) + ops.sum(weights, axis=(1, 2))


def weighted(values: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Values times what `positions` found of the weights."""
    return values * weights[0] if weights else values


def shared(slopes: list[Tensor], weights: Sequence[Tensor]) -> list[Tensor]:
    """The gradient by the weights, from that of each picture: their sum, where one set of weights is for all."""
    return [
        ops.sum(slope, axis=0, keepdims=True) if each.shape[0] == 1 else slope
        for slope, each in zip(slopes, weights, strict=True)
    ]


@custom_gradient
def products(flat: Tensor, *weights: Tensor) -> Any:
    """Σ w f fᵀ over positions, `(batch, channels, channels)` in at least float32.

    Automatic differentiation would keep a copy of the features in full precision, twice what half precision takes,
    and need two matrix products where one does.

    Args:
        flat: Features `(batch, positions, channels)`, of any precision.
        weights: `(1 or batch, positions, 1)`; may be left out for 1 everywhere.
    """

    def gradient(upstream: Tensor) -> tuple[Tensor, ...]:
        full = at_least_float32(flat)  # once more, so that nothing is kept
        slopes = ops.matmul(full, upstream + ops.transpose(upstream, (0, 2, 1)))
        sizes = shared([ops.sum(slopes * full, axis=-1, keepdims=True) / 2 for _ in weights], weights)
        return (ops.cast(weighted(slopes, weights), flat.dtype), *sizes)

    full = at_least_float32(flat)
    return ops.matmul(ops.transpose(weighted(full, weights), (0, 2, 1)), full), gradient


@keras.saving.register_keras_serializable(package="tfstyle")
class GramMatrix(Statistic):
    """Gram matrix: the mean over positions of `f fᵀ`.

    With F the (M, N) features of M positions and N channels, and A the style's Gram matrix, the loss of a
    layer is, by `normalization`:

    - `"positions"`: mean over the N² entries of (G − A)², G = FᵀF / M.
    - `"positions_channels"`: the same with G = FᵀF / (M N), as in Johnson's neural-style (2015).
    - `"paper"`: Σ (G − A)² / (4 N² M²) with G = FᵀF, equation 4 of Gatys et al. 2016. A style of another
      size than the picture has its G scaled to the picture's M, so that the loss compares averages.

    Args:
        normalization: One of the three above.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", section 2.2.
    """

    def __init__(self, normalization: GramNormalization = "positions_channels") -> None:
        if normalization not in ("positions", "positions_channels", "paper"):
            raise ValueError(
                f"normalization must be 'positions', 'positions_channels' or 'paper', not {normalization!r}"
            )
        self.normalization = normalization

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """`{"gram": (batch, N, N), "count": (batch,)}`: FᵀF and M; Fᵀ diag(w) F and Σw with weights."""
        flat, weighting, count = positions(features, weights)
        return {"gram": products(flat, *weighting), "count": count}

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """`{"gram": (batch, N, N)}`, normalised; `"paper"` leaves out M, which averages no longer know."""
        gram = averages["gram"]
        return {"gram": gram / gram.shape[-1] if self.normalization == "positions_channels" else gram}

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """See the class; shape `(batch,)`."""
        difference = self.describe(a)["gram"] - self.describe(b)["gram"]
        mean = ops.mean(ops.square(difference), axis=(-2, -1))
        return mean / 4 if self.normalization == "paper" else mean

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"normalization": self.normalization}


@keras.saving.register_keras_serializable(package="tfstyle")
class MeanAndDeviation(Statistic):
    """Mean and standard deviation of each channel over positions.

    The loss of a layer is mean((μ − μₛ)²) + mean((σ − σₛ)²), means over the N channels, with
    σ = √(mean(f²) − μ² + ε): the root is never taken of zero, where its gradient has no end.

    Args:
        epsilon: ε, in squared units of the features (1e-5 as in Huang & Belongie's code).

    Reference:
        Li et al. 2017, "Demystifying Neural Style Transfer", section 4.2 (batch normalisation statistics);
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with AdaIN", equation 13.
    """

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = epsilon

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """`{"first": (batch, N), "second": (batch, N), "count": (batch,)}`: Σwf, Σwf² and Σw."""
        flat, weighting, count = positions(features, weights)
        flat = at_least_float32(flat)
        first, second = (ops.sum(weighted(power, weighting), axis=1) for power in (flat, ops.square(flat)))
        return {"first": first, "second": second, "count": count}

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """`{"mean": (batch, N), "deviation": (batch, N)}`, in units of the features."""
        mean = averages["first"]
        variance = ops.maximum(averages["second"] - ops.square(mean), 0.0)
        return {"mean": mean, "deviation": ops.sqrt(variance + self.epsilon)}

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """See the class; shape `(batch,)`."""
        first, second = self.describe(a), self.describe(b)
        return sum(ops.mean(ops.square(first[key] - second[key]), axis=-1) for key in first)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"epsilon": self.epsilon}
