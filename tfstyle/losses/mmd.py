"""Maximum mean discrepancy (MMD) between the distributions of features over positions.

The MMD of two distributions under a kernel k is the distance between their means in the kernel's feature space:
MMD² = E k(x, x') + E k(y, y') − 2 E k(x, y), over all pairs of positions. Where k(x, y) = φ(x)·φ(y), exactly or on
average over a random φ, that is |mean φ(x) − mean φ(y)|²: a statistic, additive over positions, in linear time.

Reference:
    Li, Wang, Liu, Hou 2017, "Demystifying Neural Style Transfer", section 4.1;
    Gretton et al. 2012, "A Kernel Two-Sample Test", equation 5.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle.core.gradients import custom_gradient
from tfstyle.losses.statistics import (
    Averages,
    Constants,
    Statistic,
    Sums,
    Tensor,
    at_least_float32,
    positions,
    products,
    shared,
    weighted,
)


class Kernel(Statistic):
    """Base of the kernels: sums of φ over positions, in parts of any shapes, and MMD² between its means."""

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """MMD², the sum of squares of the difference; shape `(batch,)`."""
        return sum(
            ops.sum(ops.square(a[part] - b[part]), axis=tuple(range(1, len(a[part].shape)))) for part in sorted(a)
        )


@keras.saving.register_keras_serializable(package="tfstyle")
class PolynomialKernel(Kernel):
    """Polynomial kernel: k(x, y) = (x·y + c)^d.

    Of degree 1, MMD² is |μ − μₛ|²; of degree 2, Σ (G − Gₛ)² + 2c |μ − μₛ|² with the means over positions
    μ of f and G of `f fᵀ`, so that c = 0 is the loss of Gram matrices. Both are exact. From degree 3 on it is an
    unbiased estimate by a random Maclaurin map: with z = (f, √c) and d vectors ω of random signs for each of D
    features, φᵢ = Πⱼ (ωᵢⱼ·z) / √D.

    Args:
        degree: d, at least 1.
        offset: c, at least 0, in squared units of the features.
        features: D (chosen), from degree 3 on; the estimate's deviation falls with √D.
        seed: Of the random signs, from degree 3 on.

    Raises:
        ValueError: An argument is out of its range.

    Reference:
        Li et al. 2017, section 4.1; Kar & Karnick 2012, "Random Feature Maps for Dot Product
        Kernels", algorithm 1, with the degree fixed.
    """

    def __init__(self, degree: int = 2, offset: float = 0.0, features: int = 1024, seed: int = 0) -> None:
        if degree < 1 or degree != int(degree):
            raise ValueError(f"degree must be a whole number from 1, not {degree!r}")
        if not 0 <= offset < math.inf:
            raise ValueError(f"offset must be 0 or more, not {offset!r}")
        _check_features(features)
        self.degree = int(degree)
        self.offset = offset
        self.features = features
        self.seed = seed

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """Σ φ: `"linear"` `(batch, N)`, `"gram"` `(batch, N, N)` or `"random"` `(batch, D)`; and `"count"`."""
        flat, weighting, count = positions(features, weights)
        full = at_least_float32(flat)
        if self.degree > 2:
            return {"random": ops.sum(weighted(self._random(full), weighting), axis=1), "count": count}
        found = {"count": count}
        if self.degree == 2:
            found["gram"] = products(flat, *weighting)
        if factor := 1.0 if self.degree == 1 else 2 * self.offset:
            found["linear"] = math.sqrt(factor) * ops.sum(weighted(full, weighting), axis=1)
        return found

    def _random(self, flat: Tensor) -> Tensor:
        """φ of features `(batch, positions, N)`: `(batch, positions, D)`."""
        constant = ops.full_like(flat[..., :1], math.sqrt(self.offset))
        flat = ops.concatenate([flat, constant], axis=-1)
        product = 1 / math.sqrt(self.features)
        for each in ops.unstack(self.signs(flat.shape[-1])):
            product = product * ops.matmul(flat, ops.cast(each, flat.dtype))
        return product

    def signs(self, channels: int) -> Tensor:
        """The random signs ω, −1 or 1: `(degree, channels, features)`, the last of the channels being √c's."""
        shape = (self.degree, channels, self.features)
        return 2 * keras.random.randint(shape, 0, 2, seed=self.seed) - 1

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"degree": self.degree, "offset": self.offset, "features": self.features, "seed": self.seed}


@keras.saving.register_keras_serializable(package="tfstyle")
class LinearKernel(PolynomialKernel):
    """Linear kernel: k(x, y) = x·y, whose MMD² is |μ − μₛ|² with the means μ over positions.

    Reference:
        Li et al. 2017, section 4.1.
    """

    def __init__(self) -> None:
        super().__init__(degree=1)

    def get_config(self) -> dict[str, Any]:
        """No arguments."""
        return {}


@keras.saving.register_keras_serializable(package="tfstyle")
class GaussianKernel(Kernel):
    """Gaussian kernel: k(x, y) = exp(−|x − y|² / 2σ²), by random Fourier features.

    With D frequencies ω from the normal distribution of deviation 1/σ, φ is cos(ω·f) / √D and sin(ω·f) / √D:
    φ(x)·φ(y) is k(x, y) on average over ω, and MMD² compares the characteristic functions of the features at ω.

    Args:
        bandwidth: σ, in units of the features; None for the median distance between positions of the style, in a
            sample of all styles together, for each layer. A style that is the same everywhere has 1 (chosen).
        features: D (chosen); the estimate's deviation falls with √D.
        seed: Of the frequencies.

    Raises:
        ValueError: An argument is out of its range, or `sums` is asked for before the bandwidth is known.

    Reference:
        Li et al. 2017, section 4.1; Rahimi & Recht 2007, "Random Features for Large-Scale Kernel Machines",
        section 3 and algorithm 1; Gretton et al. 2012, section 8 (the median heuristic).
    """

    def __init__(self, bandwidth: float | None = None, features: int = 256, seed: int = 0) -> None:
        if bandwidth is not None and not 0 < bandwidth < math.inf:
            raise ValueError(f"bandwidth must be above 0, or None for the style's median, not {bandwidth!r}")
        _check_features(features)
        self.bandwidth: Any = bandwidth
        self.features = features
        self.seed = seed

    @property
    def needs_sample(self) -> bool:
        """Whether the bandwidth is the style's."""
        return self.bandwidth is None

    def constants(self, sample: Tensor) -> Constants:
        """`{"bandwidth": (batch,)}`, the median distance between positions, where it is the style's."""
        if not self.needs_sample:
            return {}
        points = at_least_float32(sample)
        medians = [median_distance(each) for each in ops.convert_to_numpy(points)]
        return {"bandwidth": ops.convert_to_tensor(medians, points.dtype)}

    def bound(self, constants: Constants) -> GaussianKernel:
        """The kernel of the bandwidth in `constants`, if there is one."""
        if "bandwidth" not in constants:
            return self
        result = copy.copy(self)
        result.bandwidth = constants["bandwidth"]
        return result

    def frequencies(self, channels: int) -> Tensor:
        """ω of σ = 1: `(channels, features)`."""
        return keras.random.normal((channels, self.features), dtype="float32", seed=self.seed)

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """`{"cos": (batch, D), "sin": (batch, D), "count": (batch,)}`: Σw cos(ω·f) / √D, the same of sin, and Σw."""
        if self.bandwidth is None:
            raise ValueError("the bandwidth is not known yet: give one, or bind the constants of a sample")
        flat, weighting, count = positions(features, weights)
        frequencies = ops.cast(self.frequencies(flat.shape[-1]), count.dtype)
        frequencies /= ops.reshape(ops.convert_to_tensor(self.bandwidth, count.dtype), (-1, 1, 1))
        cos, sin = (wave / math.sqrt(self.features) for wave in _waves(flat, frequencies, *weighting))
        return {"cos": cos, "sin": sin, "count": count}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"bandwidth": self.bandwidth, "features": self.features, "seed": self.seed}


@custom_gradient
def _waves(flat: Tensor, frequencies: Tensor, *weights: Tensor) -> Any:
    """Σ w cos(ω·f) and Σ w sin(ω·f) over positions, each `(batch, features)` in at least float32.

    Automatic differentiation would keep the phases ω·f, many times what the features take. The frequencies count as
    constants.

    Args:
        flat: Features `(batch, positions, channels)`, of any precision.
        frequencies: ω, `(1 or batch, channels, features)`.
        weights: `(1 or batch, positions, 1)`; may be left out for 1 everywhere.
    """

    def waves() -> tuple[Tensor, Tensor]:
        phases = ops.matmul(at_least_float32(flat), frequencies)
        return ops.cos(phases), ops.sin(phases)

    def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
        by_cos, by_sin = (each[:, None] for each in upstream)
        cos, sin = waves()  # once more, so that nothing is kept
        slopes = ops.matmul(weighted(by_sin * cos - by_cos * sin, weights), ops.transpose(frequencies, (0, 2, 1)))
        sizes = shared([ops.sum(by_cos * cos + by_sin * sin, axis=-1, keepdims=True) for _ in weights], weights)
        return (ops.cast(slopes, flat.dtype), ops.zeros_like(frequencies), *sizes)

    return tuple(ops.sum(weighted(wave, weights), axis=1) for wave in waves()), gradient


def median_distance(points: np.ndarray) -> float:
    """The median over pairs of `(points, channels)`; 1 of points that are the same but for rounding (chosen)."""
    from scipy.spatial.distance import pdist  # not above: it takes a while to import

    median = math.sqrt(np.median(pdist(points, "sqeuclidean")))
    return median if median > 1e-6 * np.linalg.norm(points, axis=-1).max() else 1.0


def _check_features(features: int) -> None:
    if features < 1 or features != int(features):
        raise ValueError(f"features must be a whole number from 1, not {features!r}")
