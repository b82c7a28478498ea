"""Maximum mean discrepancy (MMD) between the distributions of features over positions.

The MMD of two distributions under a kernel k is the distance between their means in the kernel's feature space:
MMD² = E k(x, x') + E k(y, y') − 2 E k(x, y), over all pairs of positions. If k(x, y) = φ(x)·φ(y), exactly or on
average over a random φ, it is |mean φ(x) − mean φ(y)|². So it is a statistic: mean φ is an average over positions.

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
from tfstyle.core.typing import Tensor
from tfstyle.losses.statistics import (
    Averages,
    Constants,
    Statistic,
    Sums,
    at_least_float32,
    flatten,
    products,
    weight_gradients,
    weighted,
)


class Kernel(Statistic):
    """Base class of kernels: `sums` adds up φ over positions, as one or several tensors of any shapes."""

    def distance(self, a: Averages, b: Averages) -> Tensor:
        """MMD² = |mean φ(x) − mean φ(y)|², `(batch,)`."""
        return sum(
            ops.sum(ops.square(a[part] - b[part]), axis=tuple(range(1, len(a[part].shape)))) for part in sorted(a)
        )


@keras.saving.register_keras_serializable(package="tfstyle")
class PolynomialKernel(Kernel):
    """Polynomial kernel: k(x, y) = (x·y + c)^d.

    μ and G are the means over positions of f and `f fᵀ`. For degree 1, MMD² is |μ − μₛ|². For degree 2 it is
    Σ (G − Gₛ)² + 2c |μ − μₛ|², so that c = 0 gives the loss of Gram matrices. Both are exact. From degree 3 on it is
    an unbiased estimate by a random Maclaurin map: φᵢ = Πⱼ (ωᵢⱼ·z) / √D, with z = (f, √c) and d vectors ω of random
    signs for each of D features.

    Args:
        degree: d, at least 1.
        offset: c, at least 0, in squared units of the features.
        features: D (chosen), from degree 3 on. The standard deviation of the estimate falls with √D.
        seed: Seed of the random signs, from degree 3 on.

    Raises:
        ValueError: An argument is out of its range.

    Reference:
        Li et al. 2017, section 4.1; Kar & Karnick 2012, "Random Feature Maps for Dot Product
        Kernels", algorithm 1, with the degree fixed.

    Examples:
        >>> import numpy as np
        >>> kernel = PolynomialKernel(degree=2)
        >>> features = np.ones((1, 2, 2, 3), "float32")
        >>> float(kernel.distance(kernel(features), kernel(0 * features))[0])  # Σ G²
        9.0
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
        flat, weighting, count = flatten(features, weights)
        full = at_least_float32(flat)
        if self.degree > 2:
            return {"random": ops.sum(weighted(self._random(full), weighting), axis=1), "count": count}
        sums = {"count": count}
        if self.degree == 2:
            sums["gram"] = products(flat, *weighting)
        if factor := 1.0 if self.degree == 1 else 2 * self.offset:
            sums["linear"] = math.sqrt(factor) * ops.sum(weighted(full, weighting), axis=1)
        return sums

    def _random(self, flat: Tensor) -> Tensor:
        """φ of features `(batch, positions, N)`: `(batch, positions, D)`."""
        constant = ops.full_like(flat[..., :1], math.sqrt(self.offset))
        flat = ops.concatenate([flat, constant], axis=-1)
        product = 1 / math.sqrt(self.features)
        for signs in ops.unstack(self.signs(flat.shape[-1])):
            product = product * ops.matmul(flat, ops.cast(signs, flat.dtype))
        return product

    def signs(self, channels: int) -> Tensor:
        """The random signs ω, −1 or 1: `(degree, channels, features)`. The last channel is that of √c."""
        shape = (self.degree, channels, self.features)
        return 2 * keras.random.randint(shape, 0, 2, seed=self.seed) - 1

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"degree": self.degree, "offset": self.offset, "features": self.features, "seed": self.seed}


@keras.saving.register_keras_serializable(package="tfstyle")
class LinearKernel(PolynomialKernel):
    """Linear kernel: k(x, y) = x·y, whose MMD² is |μ − μₛ|² with the means μ over positions.

    Reference:
        Li et al. 2017, section 4.1.

    Examples:
        >>> import numpy as np
        >>> kernel = LinearKernel()
        >>> features = np.ones((1, 2, 2, 3), "float32")
        >>> float(kernel.distance(kernel(features), kernel(3 * features))[0])  # 3 channels, 2² each
        12.0
    """

    def __init__(self) -> None:
        super().__init__(degree=1)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor: none."""
        return {}


@keras.saving.register_keras_serializable(package="tfstyle")
class GaussianKernel(Kernel):
    """Gaussian kernel: k(x, y) = exp(−|x − y|² / 2σ²), by random Fourier features.

    φ is cos(ω·f) / √D and sin(ω·f) / √D, with D frequencies ω from the normal distribution of deviation 1/σ. On
    average over ω, φ(x)·φ(y) is k(x, y). MMD² compares the characteristic functions of the features at ω.

    Args:
        bandwidth: σ, in units of the features. None for the median distance between positions of the style in each
            layer, in a sample of all style images. It is 1 for a style without any differences (chosen).
        features: D (chosen). The standard deviation of the estimate falls with √D.
        seed: Seed of the frequencies.

    Raises:
        ValueError: An argument is out of its range, or `sums` is called before the bandwidth is known.

    Reference:
        Li et al. 2017, section 4.1; Rahimi & Recht 2007, "Random Features for Large-Scale Kernel Machines",
        section 3 and algorithm 1; Gretton et al. 2012, section 8 (the median heuristic).

    Examples:
        >>> import numpy as np
        >>> kernel = GaussianKernel(bandwidth=1.0, features=64)
        >>> features = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
        >>> near, far = (kernel.distance(kernel(features), kernel(features + shift)) for shift in (0.1, 2.0))
        >>> bool(near < far)
        True
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
        """Whether the bandwidth depends on the style."""
        return self.bandwidth is None

    def constants(self, sample: Tensor) -> Constants:
        """`{"bandwidth": (batch,)}`, the median distance between positions; nothing if the bandwidth is given."""
        if not self.needs_sample:
            return {}
        points = at_least_float32(sample)
        medians = [median_distance(picture) for picture in ops.convert_to_numpy(points)]
        return {"bandwidth": ops.convert_to_tensor(medians, points.dtype)}

    def with_constants(self, constants: Constants) -> GaussianKernel:
        """The kernel with the bandwidth in `constants`, if there is one."""
        if "bandwidth" not in constants:
            return self
        kernel = copy.copy(self)
        kernel.bandwidth = constants["bandwidth"]
        return kernel

    def frequencies(self, channels: int) -> Tensor:
        """The frequencies ω for σ = 1: `(channels, features)`."""
        return keras.random.normal((channels, self.features), dtype="float32", seed=self.seed)

    def sums(self, features: Tensor, weights: Tensor | None = None) -> Sums:
        """`{"cos": (batch, D), "sin": (batch, D), "count": (batch,)}`: Σw cos(ω·f) / √D, Σw sin(ω·f) / √D and Σw."""
        if self.bandwidth is None:
            raise ValueError("the bandwidth is not known: give one, or call with_constants with those of a sample")
        flat, weighting, count = flatten(features, weights)
        frequencies = ops.cast(self.frequencies(flat.shape[-1]), count.dtype)
        frequencies /= ops.reshape(ops.convert_to_tensor(self.bandwidth, count.dtype), (-1, 1, 1))
        cos, sin = (wave / math.sqrt(self.features) for wave in _waves(flat, frequencies, *weighting))
        return {"cos": cos, "sin": sin, "count": count}

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"bandwidth": self.bandwidth, "features": self.features, "seed": self.seed}


@custom_gradient
def _waves(flat: Tensor, frequencies: Tensor, *weights: Tensor) -> Any:
    """Σ w cos(ω·f) and Σ w sin(ω·f) over positions, each `(batch, features)` in at least float32.

    The gradient is written by hand. Automatic differentiation would keep the phases ω·f, which are many times larger
    than the features. The frequencies count as constants.

    Args:
        flat: Features `(batch, positions, channels)`, of any precision.
        frequencies: ω, `(1 or batch, channels, features)`.
        weights: Nothing, or weights `(1 or batch, positions, 1)`.
    """

    def waves() -> tuple[Tensor, Tensor]:
        phases = ops.matmul(at_least_float32(flat), frequencies)
        return ops.cos(phases), ops.sin(phases)

    def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
        by_cos, by_sin = (each[:, None] for each in upstream)
        cos, sin = waves()  # computed again rather than kept
        slopes = ops.matmul(weighted(by_sin * cos - by_cos * sin, weights), ops.transpose(frequencies, (0, 2, 1)))
        sizes = [ops.sum(by_cos * cos + by_sin * sin, axis=-1, keepdims=True) for _ in weights]
        return (ops.cast(slopes, flat.dtype), ops.zeros_like(frequencies), *weight_gradients(sizes, weights))

    return tuple(ops.sum(weighted(wave, weights), axis=1) for wave in waves()), gradient


def median_distance(points: np.ndarray) -> float:
    """The median distance over pairs of points `(points, channels)`.

    It is 1 for points that differ by rounding only (chosen).
    """
    from scipy.spatial.distance import pdist  # imported here, as it takes a while

    median = math.sqrt(np.median(pdist(points, "sqeuclidean")))
    return median if median > 1e-6 * np.linalg.norm(points, axis=-1).max() else 1.0


def _check_features(features: int) -> None:
    if features < 1 or features != int(features):
        raise ValueError(f"features must be a whole number from 1, not {features!r}")
