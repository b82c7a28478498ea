"""How much of the content a result has kept, how near it has come to the style, and how noisy it is.

What is optimised can't judge: features are taken from layers that no method optimises by default, and no metric is a
loss. Every metric compares a result with its content or its style, and but for `color_distance` has no unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tfstyle import images
from tfstyle.images.color_transfer import luminance

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

SAMPLE = 1000  # positions that `mmd` looks at (chosen): its error falls below 0.01, and a layer takes a second
_LEAST = 1e-12  # chosen: what a measure without unit is divided by at least, and adds where it may be 0 / 0


@dataclass(frozen=True)
class Metric:
    """One of the `METRICS`.

    Attributes:
        function: From two arrays, the reference's and the result's, to a number: float32 RGB in [0, 1],
            `(height, width, 3)`, or one layer's features, `(height, width, channels)`.
        reference: What the result is compared with.
        of: What the function takes; of features, the mean over layers is the score.
        direction: Which values are better; `"one"` for those near 1.
        sentence: What it says, for people.
    """

    function: Callable[[np.ndarray, np.ndarray], float]
    reference: Literal["content", "style"]
    of: Literal["pictures", "features"]
    direction: Literal["up", "down", "one"]
    sentence: str

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def arrow(self) -> str:
        """The direction as tables have it."""
        return {"up": "↑", "down": "↓", "one": "→1"}[self.direction]

    @property
    def best(self) -> float:
        """The value of a picture against itself."""
        return 0.0 if self.direction == "down" else 1.0


def score(content: images.Source, style: images.Source, result: images.Source, network: Backbone) -> dict[str, float]:
    """All `METRICS` of one result, by their names; see `scores`."""
    return next(scores(content, style, [result], network))


def scores(
    content: images.Source, style: images.Source, results: Iterable[images.Source], network: Backbone
) -> Iterator[dict[str, float]]:
    """All `METRICS` of each result, by their names.

    Args:
        content: The photograph, whose size is that of the comparison.
        style: The painting; its longer side is brought to the content's, as `tfstyle.transfer` does.
        results: Painted pictures. One of another size than the content is resized to it, and stretched where its
            aspect differs: by antialiased Lanczos resampling, as in `Picture.resized`.
        network: Better not with the layers that the results were optimised on; see `layers`.

    Raises:
        InputError: A picture can't be read, or is too small for the network.
    """
    photo = images.load(content)
    shape = photo.rgb.shape[:2]
    references = {"content": _Seen(photo, network), "style": _Seen(images.load(style, max(shape)), network)}
    for result in results:
        seen = _Seen(images.load(result, shape), network)
        yield {name: _compared(metric, references[metric.reference], seen) for name, metric in METRICS.items()}


def layers(network: Backbone) -> tuple[str, tuple[str, ...]]:
    """The layer at which content is compared, and those at which style is.

    Of VGG16 and VGG19, on which methods paint, layers that none optimises by default; of other networks their own
    default layers, which judge what was painted with VGG.
    """
    return network.spec.evaluation_layers or (network.content_layer, network.style_layers)


class _Seen:
    """A picture, and a network's features of it."""

    def __init__(self, picture: images.Picture, network: Backbone) -> None:
        content, style = layers(network)
        found = network(picture.rgb[None], [content, *style])
        features = {name: np.asarray(each[0]) for name, each in found.items()}
        self.pictures = [picture.rgb]
        self.features = {"content": [features[content]], "style": [features[name] for name in style]}


def _compared(metric: Metric, reference: _Seen, result: _Seen) -> float:
    first, second = (
        seen.pictures if metric.of == "pictures" else seen.features[metric.reference] for seen in (reference, result)
    )
    return float(np.mean([metric.function(a, b) for a, b in zip(first, second, strict=True)]))


def ssim(content: np.ndarray, result: np.ndarray) -> float:
    """Structural similarity of luminance, up to 1 for the same picture; 0 is none, below 0 is inverted.

    Args:
        content: RGB in [0, 1], `(height, width, 3)`, at least 11 pixels a side.
        result: The same.

    Reference:
        Wang, Bovik, Sheikh, Simoncelli 2004, "Image Quality Assessment: From Error Visibility to Structural
        Similarity", section III.B, by `skimage.metrics.structural_similarity` with the paper's Gaussian window.
    """
    from skimage.metrics import structural_similarity  # not above: it imports SciPy, which takes a while

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}  # the paper's
    return float(structural_similarity(_grey(content), _grey(result), data_range=1.0, **options))


def edge_agreement(content: np.ndarray, result: np.ndarray) -> float:
    """Whether edges are in the same places, however strong: 1 for the same, 0 for edges anywhere, −1 at least.

    It is Pearson's correlation of the Sobel magnitudes of luminance.

    Args:
        content: RGB in [0, 1], `(height, width, 3)`.
        result: The same.
    """
    from skimage.filters import sobel

    first, second = (edges - edges.mean() for edges in (sobel(_grey(content)), sobel(_grey(result))))
    scale = np.sqrt(np.mean(first**2) * np.mean(second**2))
    return float((np.mean(first * second) + _LEAST) / (scale + _LEAST))  # two without edges agree


def content_distance(content: np.ndarray, result: np.ndarray) -> float:
    """Squared distance of features, mean (F − P)² / mean P²: 0 for the same, 1 as far as a result without features.

    Pictures that have nothing to do with each other come to more than 1.

    Args:
        content: P, `(height, width, channels)`.
        result: F, of the same shape.

    Reference:
        Equation 1 of Gatys et al. 2016, relative to the content's own size.
    """
    P, F = _flat(content), _flat(result)
    return float(np.mean((F - P) ** 2) / max(np.mean(P**2), _LEAST))


def gram_distance(style: np.ndarray, result: np.ndarray) -> float:
    """Squared distance of Gram matrices, |G − A|² / |A|²: 0 for the same, 1 as far as a result without features.

    Args:
        style: Features, `(height, width, channels)`; A is the mean over positions of `f fᵀ`.
        result: Features of any height and width; G of them is the same.

    Reference:
        Equation 4 of Gatys et al. 2016, relative to the style's own size.
    """
    A, G = (flat.T @ flat / len(flat) for flat in (_flat(style), _flat(result)))
    return float(np.sum((G - A) ** 2) / max(np.sum(A**2), _LEAST))


def mmd(style: np.ndarray, result: np.ndarray) -> float:
    """Squared maximum mean discrepancy of features: 0 for the same distribution, 1 is far, 2 the most.

    Mean k(s, s') + mean k(r, r') − 2 mean k(s, r) over the positions s and r of style and result (the biased
    V-statistic), with k(x, y) = exp(−|x − y|² / 2σ²) and σ the median distance of the style's features. Of more
    than `SAMPLE` positions as many are drawn, always the same. A photograph is some hundredths from a painting.

    Args:
        style: `(height, width, channels)`.
        result: The same, of any height and width.

    Reference:
        Gretton et al. 2012, "A Kernel Two-Sample Test", equation 5 and section 8 (the median); of features, Li, Wang,
        Liu, Hou 2017, "Demystifying Neural Style Transfer", section 3.
    """
    from scipy.spatial.distance import cdist, pdist

    s, r = (_sample(_flat(features)) for features in (style, result))
    width = 2 * max(np.median(pdist(s, "sqeuclidean")), _LEAST)

    def mean(x: np.ndarray, y: np.ndarray) -> float:
        return np.exp(-cdist(x, y, "sqeuclidean") / width).mean()

    return max(0.0, float(mean(s, s) + mean(r, r) - 2 * mean(s, r)))


def wasserstein(style: np.ndarray, result: np.ndarray) -> float:
    """Squared Wasserstein-2 distance of features taken as Gaussian, over the style's variance.

    (|μ − μₛ|² + tr(C + Cₛ − 2 (C^½ Cₛ C^½)^½)) / tr Cₛ: 0 for the same mean and covariance, 1 as far as a result
    that is the style's mean everywhere.

    Args:
        style: `(height, width, channels)`.
        result: The same, of any height and width.

    Reference:
        Dowson, Landau 1982, "The Fréchet Distance between Multivariate Normal Distributions".
    """
    (own_mean, own), (wanted_mean, wanted) = (_moments(_flat(features)) for features in (result, style))
    # The trace of that root is the sum of the singular values of any R Rₛᵀ with C = RᵀR and Cₛ = RₛᵀRₛ, which
    # rounding hurts less.
    shared = np.linalg.svd(own @ wanted.T, compute_uv=False).sum()
    distance = np.sum((own_mean - wanted_mean) ** 2) + np.sum(own**2) + np.sum(wanted**2) - 2 * shared
    return max(0.0, float(distance / max(np.sum(wanted**2), _LEAST)))


def color_distance(style: np.ndarray, result: np.ndarray) -> float:
    """Distance of colours, wherever they are in the picture, in ΔE (CIE 1976): 0 for the same, 2 just visible.

    The root of the sum of squares of the Wasserstein-1 distances between the histograms of L*, a* and b*. Where all
    colours are shifted alike, it is ΔE of the shift.

    Args:
        style: RGB in [0, 1], `(height, width, 3)`.
        result: The same, of any height and width.
    """
    from scipy.stats import wasserstein_distance
    from skimage.color import rgb2lab

    first, second = (_flat(rgb2lab(picture)) for picture in (style, result))
    return float(np.linalg.norm([wasserstein_distance(a, b) for a, b in zip(first.T, second.T, strict=True)]))


def noise(style: np.ndarray, result: np.ndarray) -> float:
    """Fine detail beside the style's: 1 is as much as the style has, less is smoother, more is noisier.

    The ratio of the shares that spatial frequencies above half the Nyquist frequency, of 1/4 cycle a pixel, have in
    the variance of luminance, by the cosine transform, for which a picture's border is no edge.

    Args:
        style: RGB in [0, 1], `(height, width, 3)`.
        result: The same, of any height and width.
    """
    return (_fine(result) + _LEAST) / (_fine(style) + _LEAST)


def _fine(picture: np.ndarray) -> float:
    from scipy.fft import dctn

    from tfstyle.images.spectrum import frequencies

    grey = _grey(picture)
    energy = dctn(grey - grey.mean(), norm="ortho") ** 2
    return float(energy[frequencies(*energy.shape) > 0.25].sum() / max(energy.sum(), _LEAST))


def _grey(picture: np.ndarray) -> np.ndarray:
    """Luminance, float64 (height, width)."""
    return luminance(picture)[..., 0].astype(np.float64)


def _flat(features: np.ndarray) -> np.ndarray:
    """Float64 (positions, channels)."""
    return np.asarray(features, np.float64).reshape(-1, features.shape[-1])


def _sample(flat: np.ndarray) -> np.ndarray:
    """At most `SAMPLE` of the positions: the same ones of pictures of one size, so that a picture matches itself."""
    return flat[np.random.default_rng(0).permutation(len(flat))[:SAMPLE]]


def _moments(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (channels,), and an R with the covariance RᵀR: a row for each position, or channel if these are fewer."""
    mean = flat.mean(axis=0)
    centred = (flat - mean) / np.sqrt(len(flat))
    return mean, centred if len(flat) <= len(mean) else np.asarray(np.linalg.qr(centred, mode="r"))


METRICS = {
    metric.name: metric
    for metric in (
        Metric(ssim, "content", "pictures", "up", "content kept: structure of luminance"),
        Metric(edge_agreement, "content", "pictures", "up", "content kept: edges in the same places"),
        Metric(content_distance, "content", "features", "down", "content lost: what the network sees where"),
        Metric(gram_distance, "style", "features", "down", "style missed: how features go together"),
        Metric(mmd, "style", "features", "down", "style missed: distribution of features, all of it"),
        Metric(wasserstein, "style", "features", "down", "style missed: mean and covariance of features"),
        Metric(color_distance, "style", "pictures", "down", "style missed: colours, in units of ΔE"),
        Metric(noise, "style", "pictures", "one", "fine detail: as in the style at 1, noisier above, smoother below"),
    )
}
"""The metrics by their names, in the order of tables."""


def entropy(features: np.ndarray) -> float:
    """Normalised entropy of a layer's activations: 1 where all are equal, 0 where one is all there is.

    With p the sizes |F| divided by their sum over positions and channels, −Σ p log p / log n, n being their number.
    Low values are the peaks that make residual networks poor judges of style.

    Args:
        features: `(height, width, channels)`.

    Reference:
        Wang, Li, Vasconcelos 2021, "Rethinking and Improving the Robustness of Image Style Transfer".
    """
    sizes = np.abs(features, dtype=np.float64).ravel()
    shares = sizes[sizes > 0] / max(sizes.sum(), _LEAST)
    if sizes.size < 2 or not len(shares):
        return 1.0
    return float(-np.sum(shares * np.log(shares)) / np.log(sizes.size))
