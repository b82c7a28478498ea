"""KID, the kernel inception distance: how far a set of generated images is from a set of real ones.

It is the squared MMD between the features of whole images. Its value depends on the network, the layer, and the size
and number of the images. So it ranks sets that were measured alike. It can't be compared with published values of FID
or KID, which use another layer and other sizes.

Reference:
    Bińkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs", section 4 and equation 4.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.runtime import import_tensorflow
from tfstyle.core.settings import SEEDS, Settings, option, settings
from tfstyle.core.signatures import takes
from tfstyle.evaluation.layers import kid_layer
from tfstyle.features.loading import load_backbone
from tfstyle.features.weights import weights_option
from tfstyle.images.sizing import center_square

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

Images = str | os.PathLike[str] | Sequence[images.Source]
"""A folder of images, or a sequence of them."""

_MOST = 1_000_000  # bound of sizes and numbers (chosen)
_BATCH = 16  # images in one call of the network (chosen)


@settings
class KIDSettings(Settings):
    """The options of `kid`.

    Raises:
        InputError: An option can't be used.
    """

    real: Images = option(
        default=...,
        help="Real images of the domain: a folder, or a sequence of paths, PIL images or arrays; two or more.",
        recorded=False,
        kw_only=False,
    )
    backbone: str | Backbone = option(
        default="auto",
        help="The network whose features are compared. `auto` is InceptionV3 if its ImageNet weights can be had, "
        "else VGG19Mini.",
        metavar="NAME",
    )
    weights: str | os.PathLike[str] | None = weights_option()
    layer: str | None = option(
        default=None,
        help="The layer whose features are compared.",
        metavar="LAYER",
        unset="a deep layer of InceptionV3 and VGG19Mini, the layer for content of other networks",
    )
    size: int = option(
        default=128,
        help="Size in pixels to which the center square of each image is resized.",
        metavar="PIXELS",
        low=16,
        high=_MOST,
    )
    subsets: int = option(
        default=100,
        help="Number of random subsets over which the mean is taken; the default is that of the authors' code.",
        metavar="N",
        low=1,
        high=_MOST,
    )
    subset_size: int = option(
        default=1000,
        help="Images of each set in a subset, at most; the default is that of the authors' code.",
        metavar="N",
        low=2,
        high=_MOST,
    )
    seed: int = option(default=0, help="Seed of the subsets.", metavar="N", low=0, high=SEEDS)


@dataclass(frozen=True)
class KID:
    """A kernel inception distance, and how it was measured.

    Attributes:
        value: The mean over subsets. For two sets of one distribution it is near 0, and negative about half the time.
        deviation: The standard deviation over subsets; None if there is only one.
        protocol: Network, weights, layer, size, and number of images, in words.

    Examples:
        >>> print(KID(0.01234, 0.002, "KID of VGG19Mini"))
        0.01234 ± 0.002 (KID of VGG19Mini)
    """

    value: float
    deviation: float | None
    protocol: str

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" ± {self.deviation:.2g}"
        return f"{self.value:.4g}{spread} ({self.protocol})"


@takes(KIDSettings)
def kid(generated: Images, settings: KIDSettings) -> KID:  # noqa: D417
    """The kernel inception distance between generated and real images.

    With f the mean over positions of the features of a layer, with d channels, it is the unbiased estimate of MMD²
    under the kernel k(f, g) = (f·g/d + 1)³. `estimate` has the formula.

    Args:
        generated: Generated images: a folder, or a sequence of paths, PIL images or arrays; two or more.
        {options}

    Returns:
        The distance; printed, it tells the protocol.

    Raises:
        InputError: An image can't be read, a set has fewer than 2, the network can't be had, or an option can't be
            used.
    """
    sets = {"generated": _sources(generated), "real": _sources(settings.real)}
    for name, sources in sets.items():
        if len(sources) < 2:
            raise InputError(f"{name} images: there are {len(sources)}, and KID needs 2 or more: give a larger set")
    network = _load(settings)
    layer = settings.layer or kid_layer(network)
    x, y = (_features(sources, network, layer, settings.size) for sources in sets.values())
    size = min(settings.subset_size, len(x), len(y))
    value, deviation = estimate(x, y, subsets=settings.subsets, subset_size=size, seed=settings.seed)
    subsets = "" if deviation is None else f"mean of {settings.subsets} subsets of {size}, "
    protocol = (
        f"KID of {network.name} {layer}, weights {network.weights_record['name']}, mean over positions, "
        f"{settings.size} px, {subsets}n={len(x)} generated and {len(y)} real; not comparable to published FID or KID"
    )
    return KID(value, deviation, protocol)


def estimate(
    x: np.ndarray, y: np.ndarray, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float | None]:
    """The unbiased estimate of MMD² between two sets of features: mean and standard deviation over random subsets.

    With m features of each set in a subset,

        MMD² = Σ_{i≠j} k(xᵢ, xⱼ) / m(m−1) + Σ_{i≠j} k(yᵢ, yⱼ) / m(m−1) − 2 Σᵢⱼ k(xᵢ, yⱼ) / m²,

    k(x, y) = (x·y/d + 1)³.

    Args:
        x: Features of the first set, `(n, d)`, with n at least 2.
        y: Features of the second set, `(m, d)`, with m at least 2.
        subsets: Number of subsets.
        subset_size: Size of a subset, at most. It is bounded by the smaller set. A subset that would hold all of both
            sets is taken once.
        seed: Seed of the subsets.

    Returns:
        The mean, and the standard deviation, which is None for a single subset.

    Examples:
        >>> features = np.random.default_rng(0).random((2, 50, 8))
        >>> value, deviation = estimate(features[0], features[1], subsets=20, subset_size=25)
        >>> abs(value) < 3 * deviation
        True

    Reference:
        Bińkowski et al. 2018, equation 4.
    """
    x, y = (np.asarray(features, np.float64) / np.sqrt(features.shape[1]) for features in (x, y))
    size = min(subset_size, len(x), len(y))
    kernels = (polynomial_kernel(x, x), polynomial_kernel(y, y), polynomial_kernel(x, y))
    if size == len(x) == len(y):
        return _unbiased(*kernels), None
    random = np.random.default_rng(seed)
    estimates = []
    for _ in range(subsets):
        i, j = random.choice(len(x), size, replace=False), random.choice(len(y), size, replace=False)
        estimates.append(_unbiased(kernels[0][np.ix_(i, i)], kernels[1][np.ix_(j, j)], kernels[2][np.ix_(i, j)]))
    return float(np.mean(estimates)), float(np.std(estimates)) if subsets > 1 else None


def polynomial_kernel(x: np.ndarray, y: np.ndarray, degree: int = 3, offset: float = 1.0) -> np.ndarray:
    """The polynomial kernel of all pairs, k(x, y) = (x·y + offset)^degree.

    Args:
        x: `(n, d)`; for KID divided by √d.
        y: `(m, d)`; for KID divided by √d.
        degree: Degree of the polynomial.
        offset: Summand, in squared units of the features.

    Returns:
        `(n, m)`.

    Examples:
        >>> polynomial_kernel(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])).tolist()
        [[8.0, 27.0]]
    """
    return (x @ y.T + offset) ** degree


def _unbiased(xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> float:
    """MMD² from the kernels of all pairs, without the pairs of a feature with itself."""
    within = sum((each.sum() - np.trace(each)) / (len(each) * (len(each) - 1)) for each in (xx, yy))
    return float(within - 2 * xy.mean())


def _sources(images_or_folder: Images) -> list[Any]:
    if isinstance(images_or_folder, (str, os.PathLike)):
        return images.of_folder(images_or_folder)
    return list(images_or_folder)


def _load(settings: KIDSettings) -> Backbone:
    """The network, with the max pooling that it was trained with even for random weights."""
    import_tensorflow()
    from tfstyle.features.backbone import Backbone

    if isinstance(settings.backbone, Backbone):
        return settings.backbone
    return load_backbone(
        settings.backbone, settings.weights, default="InceptionV3", pooling="max", task="computing KID"
    )


def _features(sources: Sequence[images.Source], network: Backbone, layer: str, size: int) -> np.ndarray:
    """The mean over positions of a layer's features: float64 (images, channels)."""
    means = []
    for begin in range(0, len(sources), _BATCH):
        batch = np.stack([center_square(source, size) for source in sources[begin : begin + _BATCH]])
        features = np.asarray(network(batch, [layer])[layer], np.float64)
        means.append(features.mean(axis=(1, 2)))
    return np.concatenate(means)
