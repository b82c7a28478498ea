"""Wasserstein distance between Gaussians fitted to the features over positions."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from tfstyle.core.gradients import custom_gradient
from tfstyle.core.typing import Tensor
from tfstyle.losses.statistics import (
    Averages,
    Statistic,
    Sums,
    at_least_float32,
    flatten,
    products,
    weighted,
)


@keras.saving.register_keras_serializable(package="tfstyle")
class GaussianWasserstein(Statistic):
    """Wasserstein-2 distance, squared, between Gaussians of the features' means and covariances.

    The loss of a layer is |μ − μₛ|² + tr(Σ + Σₛ − 2 (Σₛ^½ Σ Σₛ^½)^½). Σ is singular if channels never fire, or if
    there are fewer positions than channels, and the root of a singular matrix has no gradient. So ε times the mean
    square of both pictures' features is added to the variance in every direction. The loss remains the squared
    distance of two Gaussians, and 0 where they agree. Its gradient is at most of the order of √(N / ε) times that of
    |μ − μₛ|².

    Args:
        epsilon: ε, above 0, without units (chosen: above the rounding errors of sums in float32).

    Raises:
        ValueError: ε is not above 0.

    Reference:
        Dowson & Landau 1982, "The Fréchet Distance between Multivariate Normal Distributions";
        Mroueh 2019, "Wasserstein Style Transfer" (features of a style as a Gaussian, and its optimal transport).

    Examples:
        >>> import numpy as np
        >>> features = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
        >>> statistic = GaussianWasserstein()
        >>> distance = statistic.distance(statistic(features), statistic(features + 2.0))
        >>> round(float(distance[0]), 3)  # the means differ by 2 in each of 3 channels
        12.0
    """

    def __init__(self, epsilon: float = 1e-4) -> None:
        if not 0 < epsilon < math.inf:
            raise ValueError(f"epsilon must be above 0, not {epsilon!r}")
        self.epsilon = epsilon

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """`{"first": (batch, N), "gram": (batch, N, N), "count": (batch,)}`: Σwf, Σw f fᵀ and Σw."""
        flat, weighting, count = flatten(features, weights)
        first = ops.sum(weighted(at_least_float32(flat), weighting), axis=1)
        return {"first": first, "gram": products(flat, *weighting), "count": count}

    def describe(self, averages: Averages) -> dict[str, Tensor]:
        """`{"mean": (batch, N), "covariance": (batch, N, N)}`, in units of the features and their squares."""
        mean = averages["first"]
        return {"mean": mean, "covariance": averages["gram"] - mean[:, :, None] * mean[:, None, :]}

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """The squared distance by the formula of the class, `(batch,)`."""
        dtype = a["gram"].dtype
        # In float64, as the condition number of a product is up to the square of that of its factors.
        first, second = ({key: ops.cast(value, "float64") for key, value in each.items()} for each in (a, b))
        size = (_mean_square(first) + _mean_square(second)) / 2 + keras.config.epsilon()
        blur = self.epsilon * size[:, None, None] * ops.eye(a["gram"].shape[-1], dtype="float64")
        first, second = self.describe(first), self.describe(second)
        covariances = first["covariance"] + blur, second["covariance"] + blur
        traces = sum(ops.trace(each, axis1=-2, axis2=-1) for each in covariances)
        means = ops.sum(ops.square(first["mean"] - second["mean"]), axis=-1)
        return ops.cast(means + traces - 2 * _trace_of_root(*covariances), dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"epsilon": self.epsilon}


def _mean_square(averages: Averages) -> Tensor:
    """The mean square of the features over channels, `(batch,)`."""
    return ops.trace(averages["gram"], axis1=-2, axis2=-1) / averages["gram"].shape[-1]


@custom_gradient
def _trace_of_root(a: Tensor, b: Tensor) -> Any:
    """The trace of (b^½ a b^½)^½ of positive definite matrices, `(batch, N, N)` to `(batch,)`; NaN if not finite.

    The gradient needs no derivatives of eigenvectors, which have no bound where eigenvalues are equal. With the
    optimal transport T = b^½ (b^½ a b^½)^−½ b^½ from a to b, the derivative by a is T / 2 and that by b is T⁻¹ / 2.
    """
    values, vectors = _eigh(b)
    root, inverse = (_composed(vectors, values**power) for power in (0.5, -0.5))
    squares, directions = _eigh(ops.matmul(root, ops.matmul(a, root)))

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
        half = upstream[:, None, None] / 2
        by_a, by_b = (
            ops.matmul(side, ops.matmul(_composed(directions, squares**power), side))
            for side, power in ((root, -0.5), (inverse, 0.5))
        )
        return half * by_a, half * by_b

    return ops.sum(ops.sqrt(squares), axis=-1), gradient


def _eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, kept above 0 despite rounding, and eigenvectors in columns.

    The eigenvalues of a matrix that is not finite are NaN, and its eigenvectors are those of the identity.
    """
    finite = ops.all(ops.isfinite(matrices), axis=(-2, -1), keepdims=True)
    identity = ops.eye(matrices.shape[-1], dtype=matrices.dtype)
    values, vectors = ops.linalg.eigh(ops.where(finite, matrices, identity))  # eigh raises an error for NaN
    floor = 1e-15 * values[..., -1:]
    return ops.where(finite[..., 0], ops.maximum(values, floor), float("nan")), vectors


def _composed(vectors: Tensor, values: Tensor) -> Tensor:
    """V diag(values) Vᵀ."""
    return ops.matmul(vectors * values[:, None, :], ops.transpose(vectors, (0, 2, 1)))
