"""AdaIN with a style of its own for each region of the content image."""

from __future__ import annotations

from collections.abc import Sequence

from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.layers import AdaptiveInstanceNormalization
from tfstyle.layers.adaptive_instance_normalization import Statistics
from tfstyle.losses.statistics import at_least_float32


def apply_adain_by_region(
    adain: AdaptiveInstanceNormalization, features: Tensor, styles: Sequence[Statistics], masks: Tensor | None
) -> Tensor:
    """Give each region of the features the statistics of its style.

    A region is normalised by its own statistics. Where regions overlap, the results are averaged. What no region
    covers stays as it is.

    Args:
        adain: The layer.
        features: `(1, rows, columns, channels)`.
        styles: The statistics for each region, as `adain.statistics` returns them.
        masks: How much of each position belongs to each region, `(regions, rows, columns)` in [0, 1]; None for one
            region that is everything.

    Returns:
        Features of the same shape and dtype.

    Reference:
        Huang & Belongie 2017, section 7.3, spatial control, and the authors' code. Their masks are binary; these may
        be soft.
    """
    if masks is None:
        return adain((features, styles[0]))
    masks = ops.cast(masks, at_least_float32(features).dtype)[:, None, ..., None]  # (regions, 1, rows, columns, 1)
    parts = [
        masks[region] * at_least_float32(adain((features, style), weights=masks[region][..., 0]))
        for region, style in enumerate(styles)
    ]
    total = ops.sum(masks, axis=0)
    mixed = sum(parts) / ops.maximum(total, 1) + ops.maximum(1 - total, 0) * at_least_float32(features)
    return ops.cast(mixed, features.dtype)
