"""Measurements of models that translate photographs into images of a domain, on held-out photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.evaluation import metrics
from tfstyle.images.sizing import center_square

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

T = TypeVar("T")

PALETTE = 16  # images of the domain whose colours are compared (chosen)


def measure(
    photos: Sequence[np.ndarray],
    translations: Sequence[np.ndarray],
    domain: Sequence[np.ndarray],
    backbone: Backbone,
    size: int,
) -> dict[str, Any]:
    """Compare translations with their photographs and with images of the domain; means over photographs.

    Args:
        photos: Photographs, float (size, size, 3) in [0, 1].
        translations: What a model makes of each photograph.
        domain: Images of the domain that the translations should belong to.
        backbone: Network of the kernel distance.
        size: Side of the images in pixels.

    Returns:
        `kid`, the kernel distance of translations and domain, and its `protocol`; `ssim` and `edge_agreement` with
        the photograph; `content_gap`, how much higher SSIM is than with the next photograph; `luminance`, the
        correlation of luminance with the photograph's; `copy_ratio` of `tfstyle.models.adversarial.losses`;
        `color_to_domain`, ΔE between the colours of translations and domain; and the `number` of photographs.
    """
    from keras import ops

    from tfstyle.evaluation.gan_diagnostics import luminance_correlation
    from tfstyle.evaluation.kid import kid
    from tfstyle.models.adversarial.losses import copy_ratio

    distance = kid(translations, domain, backbone=backbone, size=size)
    before, after = np.stack(photos), np.stack(translations)
    palette = np.concatenate(evenly_spaced(domain, PALETTE))
    ssim = np.mean([metrics.ssim(x, y) for x, y in zip(before, after, strict=True)])
    ssim_of_others = np.mean([metrics.ssim(x, y) for x, y in zip(np.roll(before, 1, axis=0), after, strict=True)])
    return {
        "kid": distance.value,
        "protocol": distance.protocol,
        "number": len(before),
        "ssim": float(ssim),
        "content_gap": float(ssim - ssim_of_others),
        "edge_agreement": float(np.mean([metrics.edge_agreement(x, y) for x, y in zip(before, after, strict=True)])),
        "luminance": luminance_correlation(before, after),
        "copy_ratio": float(copy_ratio(ops.convert_to_tensor(before), ops.convert_to_tensor(after))),
        "color_to_domain": float(np.mean([metrics.color_distance(palette, each) for each in after])),
    }


def load_squares(paths: Sequence[Path], size: int) -> list[np.ndarray]:
    """The center squares of image files; files that can't be read are left out.

    Args:
        paths: Image files.
        size: Side of the squares in pixels.

    Returns:
        Arrays of float32 (size, size, 3) in [0, 1].
    """
    squares = []
    for path in paths:
        try:
            rgb = images.load(path).rgb
        except InputError:
            continue
        squares.append(center_square(rgb, size))
    return squares


def evenly_spaced(items: Sequence[T], maximum: int) -> list[T]:
    """At most `maximum` of the items, evenly spaced from the first one on."""
    number = min(maximum, len(items))
    return [items[i * len(items) // number] for i in range(number)]
