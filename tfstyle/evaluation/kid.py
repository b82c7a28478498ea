"""KID: how far generated pictures are from real ones, as the MMD of a network's features of whole pictures.

Values depend on the network, its layer, the size of the pictures and how many there are. They rank what was measured
in one way, and say nothing beside the FID and KID of publications, which are of another layer and other sizes.

Reference:
    Bińkowski, Sutherland, Arbel & Gretton 2018, "Demystifying MMD GANs", section 4 and equation 4.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError, check_whole
from tfstyle.core.runtime import import_tensorflow
from tfstyle.features import loading
from tfstyle.images.sizing import center_square
from tfstyle.losses.mmd import PolynomialKernel

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

Pictures = str | os.PathLike[str] | Sequence[images.Source]

KERNEL = PolynomialKernel(degree=3, offset=1.0)  # of features divided by √d
SUBSETS, SUBSET = 100, 1000  # the authors' code: how many subsets, and of how many pictures at most
_BATCH = 16  # pictures that the network sees at once


@dataclass(frozen=True)
class KID:
    """A distance, and how it was taken.

    Attributes:
        value: The mean over subsets; near 0, and less than it as often as not, for pictures of one distribution.
        deviation: Over subsets; None where there is but one.
        protocol: What it is of: network, weights, layer, size and number of pictures, kernel.
    """

    value: float
    deviation: float | None
    protocol: str

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" ± {self.deviation:.2g}"
        return f"{self.value:.4g}{spread} ({self.protocol})"


def kid(
    generated: Pictures,
    real: Pictures,
    *,
    backbone: str | Backbone = "auto",
    weights: str | os.PathLike[str] | None = None,
    layer: str | None = None,
    size: int = 128,
    subsets: int = SUBSETS,
    subset: int = SUBSET,
    seed: int = 0,
) -> KID:
    """The kernel distance of two sets of pictures.

    With f the mean over positions of a layer's features, of d channels, it is the unbiased estimate of MMD² under
    k(f, g) = (f·g/d + 1)³, as `estimate` has it.

    Args:
        generated: A folder, or pictures: paths, PIL images, arrays; two or more.
        real: Those of the domain, likewise.
        backbone: A network or its name; `"auto"` for InceptionV3 if its ImageNet weights can be had, else VGG19Mini.
        weights: As for `Backbone`.
        layer: Of the network; None for that of its `BackboneSpec`, or else its content layer.
        size: Of what is compared, in pixels: the middle square of each picture, brought to that.
        subsets: Over how many the mean is taken.
        subset: Pictures of each domain in a subset, at most.
        seed: Of the subsets.

    Raises:
        InputError: A picture can't be read, there are too few, or the network can't be had.
    """
    for name, number, low in (("size", size, 16), ("subsets", subsets, 1), ("subset", subset, 2)):
        check_whole(name, number, low, 1_000_000)
    sets = [_sources(each) for each in (generated, real)]
    for name, sources in zip(("generated", "real"), sets, strict=True):
        if len(sources) < 2:
            raise InputError(f"there are {len(sources)} {name} pictures, and it takes 2 or more: give a set of them")
    network = _network(backbone, weights)
    layer = (network.spec.kid_layer or network.content_layer) if layer is None else layer
    x, y = (_features(sources, network, layer, size) for sources in sets)
    value, deviation = estimate(x, y, subsets=subsets, subset=subset, seed=seed)
    each = min(subset, len(x), len(y))
    times = "" if deviation is None else f"mean of {subsets} subsets of {each}, "
    protocol = (
        f"KID of {network.name} {layer}, weights {network.weights_record['name']}, mean over positions, {size} px, "
        f"{times}n={len(x)} generated and {len(y)} real; not comparable to published FID or KID"
    )
    return KID(value, deviation, protocol)


def estimate(
    x: np.ndarray, y: np.ndarray, *, subsets: int = SUBSETS, subset: int = SUBSET, seed: int = 0
) -> tuple[float, float | None]:
    """The unbiased estimate of MMD² between two sets of features, its mean and deviation over random subsets.

    With m features each of x and y,

        MMD² = Σ_{i≠j} k(xᵢ, xⱼ) / m(m−1) + Σ_{i≠j} k(yᵢ, yⱼ) / m(m−1) − 2 Σᵢⱼ k(xᵢ, yⱼ) / m²,

    k(x, y) = (x·y/d + 1)³.

    Args:
        x: `(n, d)`, two or more.
        y: `(m, d)`, likewise.
        subsets: How many are drawn.
        subset: Size of each, at most; that of the smaller set if that is less. If it takes all of both, they are
            taken once, and there is no deviation.
        seed: Of the drawing.
    """
    x, y = (np.asarray(each, np.float64) / np.sqrt(each.shape[1]) for each in (x, y))
    size = min(subset, len(x), len(y))
    kernels = (KERNEL.matrix(x, x), KERNEL.matrix(y, y), KERNEL.matrix(x, y))
    if size == len(x) == len(y):
        return _unbiased(*kernels), None
    random = np.random.default_rng(seed)
    found = []
    for _ in range(subsets):
        i, j = random.choice(len(x), size, replace=False), random.choice(len(y), size, replace=False)
        found.append(_unbiased(kernels[0][np.ix_(i, i)], kernels[1][np.ix_(j, j)], kernels[2][np.ix_(i, j)]))
    return float(np.mean(found)), float(np.std(found)) if subsets > 1 else None


def _unbiased(xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> float:
    """MMD² of kernels of all pairs, without those of anything with itself."""
    within = sum((each.sum() - np.trace(each)) / (len(each) * (len(each) - 1)) for each in (xx, yy))
    return float(within - 2 * xy.mean())


def _sources(given: Pictures) -> list[Any]:
    return images.of_folder(given) if isinstance(given, (str, os.PathLike)) else list(given)


def _network(backbone: str | Backbone, weights: str | os.PathLike[str] | None) -> Backbone:
    import_tensorflow()
    from tfstyle.features.backbone import Backbone

    if isinstance(backbone, Backbone):
        return backbone
    name, fallback = loading.resolve_auto(backbone, weights, "InceptionV3")
    network = Backbone(name, weights)
    if fallback:
        loading.log_backbone(network, fallback, "comparing")
    return network


def _features(sources: Sequence[Any], network: Backbone, layer: str, size: int) -> np.ndarray:
    """The mean over positions of a layer's features: float64 (number, channels)."""
    found = []
    for begin in range(0, len(sources), _BATCH):
        batch = sources[begin : begin + _BATCH]
        pictures = np.stack([center_square(images.load(source).rgb, size) for source in batch])
        features = np.asarray(network(pictures, [layer])[layer], np.float64)
        found.append(features.mean(axis=(1, 2)))
    return np.concatenate(found)
