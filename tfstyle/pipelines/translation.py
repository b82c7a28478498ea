"""Pictures painted by a trained generator, whose style is in it: from one domain to another."""

from __future__ import annotations

import os
import time
from typing import Any

from tfstyle.core.errors import InputError
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import sized
from tfstyle.pipelines.result import Result, versions


class Translated:
    """A generator, for one picture after the other.

    Args:
        model: It has `stylize(content)`, as `CycleGAN` has.
        source: The file's name; None if it isn't of a file.
        size: Longer side of the pictures, in pixels; None for their own.

    Raises:
        InputError: The model isn't of that kind.
    """

    def __init__(self, model: Any, source: str | None, size: int | None) -> None:
        from tfstyle.models.interfaces import check_translates

        check_translates(model)
        self.model, self.source, self.size = model, source, size

    def paint(self, photo: Picture) -> Result:
        """A picture, and how it came about.

        Raises:
            InputError: It is too small or too large.
        """
        import tensorflow as tf

        began = time.perf_counter()
        own = sized(photo, self.size, 1)
        height, width = own.rgb.shape[:2]
        try:
            painted = self.model.stylize(own)
        except (MemoryError, tf.errors.ResourceExhaustedError) as error:
            raise InputError(
                f"there is not enough memory for {width}x{height} pixels: give a smaller size"
            ) from error
        settings = {
            "content": photo.name,
            "content_sha256": photo.sha256,
            "styles": [],
            "size": self.size,
            "model": type(self.model).__name__,
            "model_source": self.source if self.source is None else os.path.basename(self.source),
            "height": height,
            "width": width,
            "versions": versions(),
            "seconds": round(time.perf_counter() - began, 3),
            "stopped": None,
        }
        return Result(painted, own.alpha, {}, settings)
