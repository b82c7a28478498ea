"""Initial images that need a feed-forward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfstyle.images.picture import Picture
from tfstyle.images.sizing import sized
from tfstyle.pipelines.inputs import Inputs
from tfstyle.pipelines.preprocessing import Preprocessed


def feed_forward(model: Any, pictures: Preprocessed, inputs: Inputs, size: int, style_scale: float) -> list[Picture]:
    """The result of a feed-forward model for each content image, in its styles, weights and regions.

    Areas that no mask covers, and blank areas, keep the content image, as the optimisation doesn't paint there.

    Args:
        model: An `AdaIN`.
        pictures: Content images, style images and blank areas, as the optimisation sees them.
        inputs: Style weights and masks.
        size: Longer side, in pixels.
        style_scale: Factor of the style images' size.

    Raises:
        InputError: A picture or mask can't be used.
    """
    from tfstyle.models.stylizer import Stylizer

    minimum = model.minimum_side
    results = []
    for index, content in enumerate(pictures.contents):
        own = inputs.of(index)
        styles = pictures.styles if own is inputs else [pictures.styles[index]]
        stylizer = Stylizer(
            model,
            [sized(style, size, minimum, style_scale) for style in styles],
            own.weights,
            content_masks=own.content_masks,
            style_masks=own.style_masks,
        )
        resized = sized(content, size, minimum)
        covered = stylizer.cover(resized)[..., None]
        if pictures.blank_masks:
            covered = covered * (1 - pictures.blank_masks[0].resized(resized.rgb.shape[:2]).rgb[..., :1])
        stylized = covered * stylizer.paint(resized) + (1 - covered) * resized.rgb
        results.append(Picture(np.clip(stylized, 0, 1).astype(np.float32), None, "the feed-forward result"))
    return results
