"""What an optimisation begins with where that has to be painted first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from tfstyle.images.picture import Picture
from tfstyle.images.sizing import sized
from tfstyle.pipelines.settings import Settings


def feed_forward(
    model: Any,
    contents: Sequence[Picture],
    paintings: Sequence[Picture],
    papers: Sequence[Picture],
    asked: Settings,
    size: int,
) -> list[Picture]:
    """What a feed-forward model paints of each content, in its styles, mix and regions.

    What no mask covers, and what is bare paper, is the content itself, as nothing else will paint there.

    Args:
        model: An `AdaIN`.
        contents: The content pictures, as the optimisation sees them.
        paintings: Likewise the styles.
        papers: Where bare paper is in the content and in each style, if anywhere.
        asked: The settings.
        size: Longer side, in pixels.

    Raises:
        InputError: A picture or mask can't be used.
    """
    from tfstyle.models.stylizer import Stylizer

    minimum = model.minimum_side
    found = []
    for index, content in enumerate(contents):
        own = asked.of(index)
        stylizer = Stylizer(
            model,
            [
                sized(painting, size, minimum, asked.style_scale)
                for painting in (paintings if own is asked else [paintings[index]])
            ],
            cast("list[float]", own.mix),
            content_masks=own.content_masks,
            style_masks=own.style_masks,
        )
        photo = sized(content, size, minimum)
        covered = stylizer.cover(photo)[..., None]
        if papers:
            covered = covered * (1 - papers[0].resized(photo.rgb.shape[:2]).rgb[..., :1])
        painted = covered * stylizer.paint(photo) + (1 - covered) * photo.rgb
        found.append(Picture(np.clip(painted, 0, 1).astype(np.float32), None, "what AdaIN has painted"))
    return found
