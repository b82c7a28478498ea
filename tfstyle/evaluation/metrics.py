"""Image metrics of style transfer: content preservation, style similarity and noise.

A metric compares a result with its content image or with its style image. None of them is a loss of a method. Only
`color_distance` has a unit. `tfstyle.score` computes all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tfstyle.images.luminance import luminance

MMD_POSITIONS = 1000  # positions that `mmd` samples (chosen): its error is below 0.01, and a layer takes a second
_EPSILON = 1e-12  # least divisor of a ratio, and summand of numerator and divisor where both may be 0 (chosen)


@dataclass(frozen=True)
class Metric:
    """A metric, and how to read its values.

    Attributes:
        function: From two arrays, of the reference and of the result, to a number. The arrays are images, float32
            `(height, width, 3)`, RGB in [0, 1], or features of one layer, `(height, width, channels)`.
        reference: The image that the result is compared with.
        compares: What the function takes. For features, the score is the mean over layers.
        direction: Which values are better: `"up"` for large ones, `"down"` for small ones, `"one"` for those near 1.
        meaning: What a value means, in a few words.
    """

    function: Callable[[np.ndarray, np.ndarray], float]
    reference: Literal["content", "style"]
    compares: Literal["images", "features"]
    direction: Literal["up", "down", "one"]
    meaning: str

    @property
    def name(self) -> str:
        """The name of the function, which is the name of the metric in tables and files."""
        return self.function.__name__

    @property
    def arrow(self) -> str:
        """The direction as a symbol, for tables."""
        return {"up": "↑", "down": "↓", "one": "→1"}[self.direction]

    @property
    def best(self) -> float:
        """The value of an image compared with itself."""
        return 0.0 if self.direction == "down" else 1.0


def ssim(content: np.ndarray, result: np.ndarray) -> float:
    """Structural similarity of luminance: 1 for the same image, 0 for no similarity, negative for an inverted image.

    Args:
        content: The content image, `(height, width, 3)`, RGB in [0, 1], at least 11 pixels a side.
        result: The result, of the same shape and range.

    Returns:
        A number from −1 to 1.

    Examples:
        >>> image = np.random.default_rng(0).random((16, 16, 3))
        >>> ssim(image, image)
        1.0

    Reference:
        Wang, Bovik, Sheikh, Simoncelli 2004, "Image Quality Assessment: From Error Visibility to Structural
        Similarity", section III.B, by `skimage.metrics.structural_similarity` with the paper's Gaussian window.
    """
    from skimage.metrics import structural_similarity  # not above: it imports SciPy, which takes a while

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}  # the paper's
    return float(structural_similarity(_grey(content), _grey(result), data_range=1.0, **options))


def edge_agreement(content: np.ndarray, result: np.ndarray) -> float:
    """Whether edges are in the same places: 1 for the same places, 0 for edges that are unrelated.

    It is Pearson's correlation of the Sobel magnitudes of luminance, so that the contrast of edges has no influence.

    Args:
        content: The content image, `(height, width, 3)`, RGB in [0, 1].
        result: The result, of the same shape and range.

    Returns:
        A number from −1 to 1; two images without edges have the value 1.
    """
    from skimage.filters import sobel

    first, second = (edges - edges.mean() for edges in (sobel(_grey(content)), sobel(_grey(result))))
    scale = np.sqrt(np.mean(first**2) * np.mean(second**2))
    return float((np.mean(first * second) + _EPSILON) / (scale + _EPSILON))


def content_distance(content: np.ndarray, result: np.ndarray) -> float:
    """Relative squared distance of features, mean (F − P)² / mean P²: 0 for the same features.

    A result without features has the value 1; unrelated images have more.

    Args:
        content: P, features of the content image, `(height, width, channels)`.
        result: F, features of the result, of the same shape.

    Returns:
        A number from 0 upwards.

    Examples:
        >>> features = np.ones((4, 5, 3))
        >>> content_distance(features, 0.5 * features)
        0.25

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", equation 1; here
        relative to the features of the content image.
    """
    P, F = _flatten(content), _flatten(result)
    return float(np.mean((F - P) ** 2) / max(np.mean(P**2), _EPSILON))


def gram_distance(style: np.ndarray, result: np.ndarray) -> float:
    """Relative squared distance of Gram matrices, |G − A|² / |A|²: 0 for the same matrix.

    A and G are the means over positions of `f fᵀ`. A result without features has the value 1.

    Args:
        style: Features of the style image, `(height, width, channels)`, with the Gram matrix A.
        result: Features of the result, of any height and width, with the Gram matrix G.

    Returns:
        A number from 0 upwards.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", equation 4; here
        relative to the Gram matrix of the style image.
    """
    A, G = (flat.T @ flat / len(flat) for flat in (_flatten(style), _flatten(result)))
    return float(np.sum((G - A) ** 2) / max(np.sum(A**2), _EPSILON))


def mmd(style: np.ndarray, result: np.ndarray) -> float:
    """Squared maximum mean discrepancy of features: 0 for the same distribution, 1 is far, 2 is the maximum.

    mean k(s, s') + mean k(r, r') − 2 mean k(s, r) over the positions s of the style image and r of the result (the
    biased V-statistic), with k(x, y) = exp(−|x − y|² / 2σ²) and σ the median distance of the style's features. Of
    more than `MMD_POSITIONS` positions as many are sampled, always the same ones.

    Args:
        style: Features of the style image, `(height, width, channels)`.
        result: Features of the result, of any height and width.

    Returns:
        A number from 0 to 2. A photograph and a painting differ by some hundredths.

    Reference:
        Gretton et al. 2012, "A Kernel Two-Sample Test", equation 5 and section 8 (the median); for features, Li,
        Wang, Liu, Hou 2017, "Demystifying Neural Style Transfer", section 3.
    """
    from scipy.spatial.distance import cdist, pdist

    s, r = (_sample(_flatten(features)) for features in (style, result))
    width = 2 * max(np.median(pdist(s, "sqeuclidean")), _EPSILON)

    def mean_kernel(x: np.ndarray, y: np.ndarray) -> float:
        return np.exp(-cdist(x, y, "sqeuclidean") / width).mean()

    return max(0.0, float(mean_kernel(s, s) + mean_kernel(r, r) - 2 * mean_kernel(s, r)))


def wasserstein(style: np.ndarray, result: np.ndarray) -> float:
    """Squared Wasserstein-2 distance of features taken as Gaussian, relative to the variance of the style's features.

    (|μ − μₛ|² + tr(C + Cₛ − 2 (C^½ Cₛ C^½)^½)) / tr Cₛ: 0 for the same mean and covariance. A result that has the
    mean of the style's features everywhere has the value 1.

    Args:
        style: Features of the style image, `(height, width, channels)`, with mean μₛ and covariance Cₛ.
        result: Features of the result, of any height and width, with mean μ and covariance C.

    Returns:
        A number from 0 upwards.

    Reference:
        Dowson, Landau 1982, "The Fréchet Distance between Multivariate Normal Distributions".
    """
    (mean, root), (style_mean, style_root) = (_moments(_flatten(features)) for features in (result, style))
    # The trace of the root in the formula is the sum of the singular values of R Rₛᵀ, for any R and Rₛ with C = RᵀR
    # and Cₛ = RₛᵀRₛ. This form has the smaller rounding errors.
    cross = np.linalg.svd(root @ style_root.T, compute_uv=False).sum()
    distance = np.sum((mean - style_mean) ** 2) + np.sum(root**2) + np.sum(style_root**2) - 2 * cross
    return max(0.0, float(distance / max(np.sum(style_root**2), _EPSILON)))


def color_distance(style: np.ndarray, result: np.ndarray) -> float:
    """Distance of the colour distributions in ΔE (CIE 1976): 0 for the same colours, 2 just visible.

    It is the root of the sum of squares of the Wasserstein-1 distances between the histograms of L*, a* and b*. The
    positions of colours have no influence. If one shift changes all colours, the distance is ΔE of the shift.

    Args:
        style: The style image, `(height, width, 3)`, RGB in [0, 1].
        result: The result, of any height and width, RGB in [0, 1].

    Returns:
        A number from 0 upwards, in ΔE.
    """
    from scipy.stats import wasserstein_distance
    from skimage.color import rgb2lab

    first, second = (_flatten(rgb2lab(image)) for image in (style, result))
    return float(np.linalg.norm([wasserstein_distance(a, b) for a, b in zip(first.T, second.T, strict=True)]))


def noise(style: np.ndarray, result: np.ndarray) -> float:
    """Fine detail relative to the style image: 1 is as much as the style has, below 1 smoother, above 1 noisier.

    Spatial frequencies above 1/4 cycle a pixel, half the Nyquist frequency, have a share of the variance of
    luminance. The value is the ratio of the shares of result and style. The spectrum is that of the cosine transform,
    which takes no border for an edge.

    Args:
        style: The style image, `(height, width, 3)`, RGB in [0, 1].
        result: The result, of any height and width, RGB in [0, 1].

    Returns:
        A number from 0 upwards.
    """
    return (_high_frequency_share(result) + _EPSILON) / (_high_frequency_share(style) + _EPSILON)


METRICS = {
    metric.name: metric
    for metric in (
        Metric(ssim, "content", "images", "up", "content preserved: structure of luminance"),
        Metric(edge_agreement, "content", "images", "up", "content preserved: edges in the same places"),
        Metric(content_distance, "content", "features", "down", "content lost: features at each position"),
        Metric(gram_distance, "style", "features", "down", "style missed: correlations of features"),
        Metric(mmd, "style", "features", "down", "style missed: whole distribution of features"),
        Metric(wasserstein, "style", "features", "down", "style missed: mean and covariance of features"),
        Metric(color_distance, "style", "images", "down", "style missed: distribution of colours, in ΔE"),
        Metric(noise, "style", "images", "one", "fine detail: 1 is as in the style, above noisier, below smoother"),
    )
}
"""The metrics by their names, in the order of tables."""


def entropy(features: np.ndarray) -> float:
    """Normalised entropy of a layer's activations: 1 where all are equal, 0 where a single one is not zero.

    −Σ p log p / log n, with p the absolute activations divided by their sum over positions and channels, and n their
    number. Residual networks have low values: a few peaks dominate their statistics of style.

    Args:
        features: `(height, width, channels)`.

    Returns:
        A number from 0 to 1.

    Examples:
        >>> round(entropy(np.ones((4, 4, 3))), 6)
        1.0

    Reference:
        Wang, Li, Vasconcelos 2021, "Rethinking and Improving the Robustness of Image Style Transfer".
    """
    sizes = np.abs(features, dtype=np.float64).ravel()
    shares = sizes[sizes > 0] / max(sizes.sum(), _EPSILON)
    if sizes.size < 2 or not len(shares):
        return 1.0
    return float(-np.sum(shares * np.log(shares)) / np.log(sizes.size))


def _high_frequency_share(image: np.ndarray) -> float:
    """The share of frequencies above 1/4 cycle a pixel in the variance of luminance, from 0 to 1."""
    from scipy.fft import dctn

    from tfstyle.images.spectrum import frequencies

    grey = _grey(image)
    energy = dctn(grey - grey.mean(), norm="ortho") ** 2
    return float(energy[frequencies(*energy.shape) > 0.25].sum() / max(energy.sum(), _EPSILON))


def _grey(image: np.ndarray) -> np.ndarray:
    """Luminance of an image (height, width, 3): float64 (height, width)."""
    return luminance(image)[..., 0].astype(np.float64)


def _flatten(features: np.ndarray) -> np.ndarray:
    """Features (height, width, channels) as float64 (positions, channels)."""
    return np.asarray(features, np.float64).reshape(-1, features.shape[-1])


def _sample(flat: np.ndarray) -> np.ndarray:
    """At most `MMD_POSITIONS` positions, the same for all images of one size, so that an image matches itself."""
    return flat[np.random.default_rng(0).permutation(len(flat))[:MMD_POSITIONS]]


def _moments(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (channels,), and an R with the covariance RᵀR: a row for each position, or channel if these are fewer."""
    mean = flat.mean(axis=0)
    centred = (flat - mean) / np.sqrt(len(flat))
    return mean, centred if len(flat) <= len(mean) else np.asarray(np.linalg.qr(centred, mode="r"))
