"""Statistics that describe a style: averages over positions of functions of the features.

A statistic works in three steps, so that pictures can be cut into tiles, and styles can be mixed:

1. `sums` adds up a function of the features over positions. The sums of tiles add up to the sums of the picture.
2. `averages` divides the sums by the number of positions. Averages of several styles can be mixed.
3. `distance` compares two averages. It is the style loss of one layer.

A statistic that adapts to the style, for example by a bandwidth, first sees a sample of the style's features: see
`Statistic.constants` and `Statistic.with_constants`.

Features are `(batch, height, width, channels)`. All arithmetic is in at least float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from tfstyle.core.gradients import custom_gradient
from tfstyle.core.typing import Tensor

Sums = dict[str, Tensor]
Averages = dict[str, Tensor]
Constants = dict[str, Any]  # nested dictionaries of tensors, each (1 or batch,)

GramNormalization = Literal["positions", "positions_channels", "paper"]


class Statistic:
    """Base class of statistics.

    A subclass implements `sums` and `distance`, and is a line in `tfstyle.losses.registry`.

    Examples:
        >>> import numpy as np
        >>> class Mean(Statistic):
        ...     def sums(self, features, weights=None):
        ...         flat, weighting, count = flatten(features, weights)
        ...         return {"mean": ops.sum(weighted(flat, weighting), axis=1), "count": count}
        ...     def distance(self, a, b):
        ...         return ops.sum(ops.square(a["mean"] - b["mean"]), axis=-1)
        >>> mean = Mean()
        >>> zeros, ones = np.zeros((1, 4, 4, 3), "float32"), np.ones((1, 2, 2, 3), "float32")
        >>> float(mean.distance(mean(zeros), mean(ones))[0])
        3.0
    """

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """Sums over positions.

        Args:
            features: `(batch, height, width, channels)`.
            weights: Weight of each position, `(1 or batch, height, width)`, at least 0. None for 1 everywhere.

        Returns:
            Tensors whose first axis is the batch. `"count"`, `(batch,)`, is the sum of the weights.
        """
        raise NotImplementedError

    def averages(self, sums: Sums) -> Averages:
        """The sums without `"count"`, divided by it."""
        count = sums["count"]
        return {
            key: value / ops.reshape(count, (-1,) + (1,) * (len(value.shape) - 1))
            for key, value in sums.items()
            if key != "count"
        }

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """The averages in the form of the literature, such as means and deviations in place of moments."""
        return averages

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """The loss of one layer between two averages, `(batch,)`. It is 0 where they agree."""
        raise NotImplementedError

    @property
    def part_weights(self) -> tuple[float, ...]:
        """The weight of each of `distances`: `distance` is their weighted sum."""
        return (1.0,)

    def distances(self, a: Averages, b: Averages) -> Tensor:
        """The losses that can be normalised one by one, `(batch, parts)`. Only a mixture has more than one."""
        return self.distance(a, b)[:, None]

    @property
    def needs_sample(self) -> bool:
        """Whether `constants` needs a sample of the style's features before anything is summed."""
        return False

    def constants(self, sample: Tensor) -> Constants:
        """Constants that depend on the style.

        Args:
            sample: Features of the style at random positions, `(1 or batch, positions, channels)`.
        """
        return {}

    def with_constants(self, constants: Constants) -> Statistic:
        """The statistic with the result of `constants` in place."""
        return self

    def __call__(self, features: Tensor, weights: Tensor | None = None) -> Averages:
        """The averages of features; see `sums` for the arguments."""
        return self.averages(self.sums(features, weights))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Statistic:
        """The statistic with the configuration of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({options})"


def combine(averages: Sequence[Averages], weights: Sequence[float]) -> Averages:
    """The weighted sum of the averages of several styles.

    Args:
        averages: The averages of each style, of one statistic and one layer.
        weights: Weight of each style. A mixture of styles needs weights that sum to 1.
    """
    return {key: sum(w * a[key] for w, a in zip(weights, averages, strict=True)) for key in averages[0]}


def at_least_float32(features: Tensor) -> Tensor:
    """Features in float32 if they are in half precision, which is not enough for sums over many positions."""
    half = keras.backend.standardize_dtype(features.dtype) in ("float16", "bfloat16")
    return ops.cast(features, "float32") if half else features


def flatten(features: Tensor, weights: Tensor | None) -> tuple[Tensor, list[Tensor], Tensor]:
    """Features and weights with one axis for all positions.

    Args:
        features: `(batch, height, width, channels)`.
        weights: `(1 or batch, height, width)`. None for 1 everywhere.

    Returns:
        The features, `(batch, positions, channels)`, in their own precision; a list with the weights, `(1 or batch,
        positions, 1)`, which is empty without weights; and the sum of the weights or the number of positions,
        `(batch,)`. Both are in at least float32.
    """
    batch, height, width, channels = ops.shape(features)
    flat = ops.reshape(features, (batch, height * width, channels))
    dtype = keras.backend.result_type(flat.dtype, "float32")
    if weights is None:
        return flat, [], ops.full((batch,), height * width, dtype=dtype)
    weights = ops.reshape(ops.cast(weights, dtype), (-1, height * width, 1))
    return flat, [weights], ops.zeros((batch,), dtype) + ops.sum(weights, axis=(1, 2))


def weighted(values: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Values `(batch, positions, ...)` times the weights that `flatten` returned, if there are any."""
    return values * weights[0] if weights else values


def weight_gradients(slopes: Sequence[Tensor], weights: Sequence[Tensor]) -> list[Tensor]:
    """Gradients with respect to weights, in the shape of the weights.

    Args:
        slopes: Gradients for each picture, `(batch, positions, 1)`.
        weights: `(1 or batch, positions, 1)`. The gradients of weights that all pictures share are summed.
    """
    return [
        ops.sum(slope, axis=0, keepdims=True) if each.shape[0] == 1 else slope
        for slope, each in zip(slopes, weights, strict=True)
    ]


@custom_gradient
def products(flat: Tensor, *weights: Tensor) -> Any:
    """Σ w f fᵀ over positions, `(batch, channels, channels)` in at least float32.

    The gradient is written by hand. Automatic differentiation would keep a copy of the features in full precision,
    and would take two matrix products in place of one.

    Args:
        flat: Features `(batch, positions, channels)`, of any precision.
        weights: Nothing, or weights `(1 or batch, positions, 1)`.
    """

    def gradient(upstream: Tensor) -> tuple[Tensor, ...]:
        full = at_least_float32(flat)  # computed again rather than kept
        slopes = ops.matmul(full, upstream + ops.transpose(upstream, (0, 2, 1)))
        sizes = weight_gradients([ops.sum(slopes * full, axis=-1, keepdims=True) / 2 for _ in weights], weights)
        return (ops.cast(weighted(slopes, weights), flat.dtype), *sizes)

    full = at_least_float32(flat)
    return ops.matmul(ops.transpose(weighted(full, weights), (0, 2, 1)), full), gradient


@keras.saving.register_keras_serializable(package="tfstyle")
class GramMatrix(Statistic):
    """Gram matrix: the mean over positions of `f fᵀ`.

    F are the features, (M, N) for M positions and N channels, and A is the Gram matrix of the style. The loss of a
    layer depends on `normalization`:

    - `"positions"`: the mean of (G − A)² over N² entries, with G = FᵀF / M.
    - `"positions_channels"`: the mean of (G − A)² over N² entries, with G = FᵀF / (M N), as in Johnson's neural-style
      (2015).
    - `"paper"`: Σ (G − A)² / (4 N² M²) with G = FᵀF, equation 4 of Gatys et al. 2016. The G of a style image of
      another size is scaled to the M of the picture, so that the loss compares averages.

    Args:
        normalization: `"positions"`, `"positions_channels"` or `"paper"`.

    Raises:
        ValueError: The normalization is none of these.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", section 2.2.

    Examples:
        >>> import numpy as np
        >>> gram = GramMatrix("positions")
        >>> features = np.ones((1, 2, 3, 4), "float32")
        >>> gram(features)["gram"].shape
        TensorShape([1, 4, 4])
        >>> float(gram.distance(gram(features), gram(2 * features))[0])
        9.0
    """

    def __init__(self, normalization: GramNormalization = "positions_channels") -> None:
        if normalization not in ("positions", "positions_channels", "paper"):
            raise ValueError(
                f"normalization must be 'positions', 'positions_channels' or 'paper', not {normalization!r}"
            )
        self.normalization = normalization

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """`{"gram": (batch, N, N), "count": (batch,)}`: FᵀF and M; Fᵀ diag(w) F and Σw with weights."""
        flat, weighting, count = flatten(features, weights)
        return {"gram": products(flat, *weighting), "count": count}

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """`{"gram": (batch, N, N)}`, normalised; for `"paper"` it is FᵀF / M."""
        gram = averages["gram"]
        return {"gram": gram / gram.shape[-1] if self.normalization == "positions_channels" else gram}

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """The loss of one layer by the formula of the class, `(batch,)`."""
        difference = self.describe(a)["gram"] - self.describe(b)["gram"]
        mean = ops.mean(ops.square(difference), axis=(-2, -1))
        return mean / 4 if self.normalization == "paper" else mean

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"normalization": self.normalization}


@keras.saving.register_keras_serializable(package="tfstyle")
class MeanAndDeviation(Statistic):
    """Mean and standard deviation of each channel over positions.

    The loss of a layer is mean((μ − μₛ)²) + mean((σ − σₛ)²) over the N channels, with σ = √(mean(f²) − μ² + ε). ε
    keeps the root away from zero, where its gradient is infinite.

    Args:
        epsilon: ε, in squared units of the features (1e-5 as in the code of Huang & Belongie).

    Reference:
        Li et al. 2017, "Demystifying Neural Style Transfer", section 4.2 (batch normalisation statistics);
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization",
        equation 13.

    Examples:
        >>> import numpy as np
        >>> moments = MeanAndDeviation(epsilon=0.0)
        >>> averages = moments(np.array([[[[1.0], [3.0]]]], "float32"))  # one channel at two positions
        >>> {name: float(value[0, 0]) for name, value in moments.describe(averages).items()}
        {'mean': 2.0, 'deviation': 1.0}
    """

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = epsilon

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """`{"first": (batch, N), "second": (batch, N), "count": (batch,)}`: Σwf, Σwf² and Σw."""
        flat, weighting, count = flatten(features, weights)
        flat = at_least_float32(flat)
        first, second = (ops.sum(weighted(power, weighting), axis=1) for power in (flat, ops.square(flat)))
        return {"first": first, "second": second, "count": count}

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """`{"mean": (batch, N), "deviation": (batch, N)}`, in units of the features."""
        mean = averages["first"]
        variance = ops.maximum(averages["second"] - ops.square(mean), 0.0)
        return {"mean": mean, "deviation": ops.sqrt(variance + self.epsilon)}

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """mean((μ − μₛ)²) + mean((σ − σₛ)²), `(batch,)`."""
        first, second = self.describe(a), self.describe(b)
        return sum(ops.mean(ops.square(first[key] - second[key]), axis=-1) for key in first)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"epsilon": self.epsilon}
