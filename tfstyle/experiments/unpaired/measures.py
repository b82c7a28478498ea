"""What is measured of a model from domain to domain, on photographs that it wasn't trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.evaluation import metrics

PALETTE = 16  # pictures whose colours are compared (chosen)


def measured(
    photos: Sequence[np.ndarray], made: Sequence[np.ndarray], real: Sequence[np.ndarray], network: Any, size: int
) -> dict[str, Any]:
    """What has become of photographs, in the mean.

    Args:
        photos: `(size, size, 3)` each, RGB in [0, 1].
        made: What a model made of each.
        real: Pictures of the domain it should be of.
        network: For KID.
        size: In pixels.

    Returns:
        `kid` and its `protocol`; `ssim` and `edge_agreement` with the own photograph, `content_gap`, by how much SSIM
        is above that with the next photograph, `luminance`, the correlation of light and dark; `copy_ratio` as
        `tfstyle.models` has it; `color_to_domain`, ΔE from the domain's colours; and the `number` of photographs.
    """
    from keras import ops

    from tfstyle.evaluation.gan_diagnostics import luminance_correlation
    from tfstyle.evaluation.kid import kid
    from tfstyle.models.adversarial.losses import copy_ratio

    distance = kid(made, real, backbone=network, size=size)
    before, after = np.stack(photos), np.stack(made)
    palette = np.concatenate(evenly(real, PALETTE))
    kept = np.mean([metrics.ssim(x, y) for x, y in zip(before, after, strict=True)])
    others = np.mean([metrics.ssim(x, y) for x, y in zip(np.roll(before, 1, axis=0), after, strict=True)])
    return {
        "kid": distance.value,
        "protocol": distance.protocol,
        "number": len(before),
        "ssim": float(kept),
        "content_gap": float(kept - others),
        "edge_agreement": float(np.mean([metrics.edge_agreement(x, y) for x, y in zip(before, after, strict=True)])),
        "luminance": luminance_correlation(before, after),
        "copy_ratio": float(copy_ratio(ops.convert_to_tensor(before), ops.convert_to_tensor(after))),
        "color_to_domain": float(np.mean([metrics.color_distance(palette, each) for each in after])),
    }


def squares(paths: Sequence[Path], size: int) -> list[np.ndarray]:
    """The middle squares of pictures, at a size; those that can't be read are left out."""
    found = []
    for path in paths:
        try:
            rgb = images.load(path).rgb
        except InputError:
            continue
        found.append(square(rgb, size))
    return found


def square(rgb: np.ndarray, size: int) -> np.ndarray:
    """The middle square of a picture, at a size."""
    side = min(rgb.shape[:2])
    top, left = ((length - side) // 2 for length in rgb.shape[:2])
    return images.load(np.ascontiguousarray(rgb[top : top + side, left : left + side]), (size, size)).rgb


def evenly(given: Sequence[Any], most: int) -> list[Any]:
    """At most so many of them, from the first to the last."""
    number = min(most, len(given))
    return [given[i * len(given) // number] for i in range(number)]
