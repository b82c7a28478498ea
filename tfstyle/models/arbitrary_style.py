"""The base of models that paint in the style of any given image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.settings import as_list
from tfstyle.core.weighting import normalized
from tfstyle.images import color_transfer, masks


class ArbitraryStyleModel(keras.Model):
    """A Keras model that paints a content image in the style of given style images.

    A subclass defines `minimum_side`, `encode_style`, `mix_styles`, `paint` and `record`, as
    `tfstyle.models.interfaces.Stylizes` describes them.

    Attributes:
        code_class: The class of the codes that `encode_style` returns.
    """

    code_class: type

    def stylize(
        self,
        content: images.Source,
        styles: Any,
        *,
        alpha: float | images.Source = 1.0,
        style_weights: Sequence[float] | None = None,
        content_masks: images.Source | Sequence[images.Source] = (),
        preserve_color: str | None = None,
    ) -> np.ndarray:
        """Paint a content image in one style, or in a mixture of several.

        Args:
            content: The content image, of any size: a path, PIL image or array.
            styles: A style image or style code, or a list of them.
            alpha: Strength of the style, from 0 (the content as the model reconstructs it) to 1: a number, or a grey
                image of the content's shape with the strength for each pixel.
            style_weights: Numbers from 0 upwards, one for each style; only their ratios count. None for equal ones.
            content_masks: Where on the content image: none, one mask for the mixture of all styles, or one for each
                style. Masks are grey and may be soft; the style goes where they are white. What no mask covers stays
                the content.
            preserve_color: One of `tfstyle.images.color_transfer.KINDS`, to keep the content's colours; None not to.

        Returns:
            float32 `(height, width, 3)` in [0, 1], of the content's size, without transparency.

        Raises:
            InputError: An image or mask that can't be read or used, numbers of things that don't match, or codes of
                another model.

        Reference:
            Huang & Belongie 2017, section 7.3: content-style trade-off, interpolation, spatial and color control.
        """
        content = source = images.load(content)
        styles = as_list(styles)
        if not styles:
            raise InputError("there is no style image: give at least one")
        weights = normalized(style_weights, len(styles))
        if preserve_color is not None:
            if any(isinstance(style, self.code_class) for style in styles):
                raise InputError("colours can't be kept with style codes, which have none: give the style images")
            styles = [images.load(style) for style in styles]
            source, styles = color_transfer.preprocess(preserve_color, content, styles, weights)
        codes = [style if isinstance(style, self.code_class) else self.encode_style(style) for style in styles]
        size = content.rgb.shape[:2]
        regions = masks.regions(as_list(content_masks), (), weights, size, [size] * len(codes))
        painted = self.paint(
            source,
            [self.mix_styles(codes, row) for row in regions.style_weights.tolist()],
            alpha=alpha,
            content_masks=None if regions.everywhere else regions.content,
        )
        return painted if preserve_color is None else color_transfer.postprocess(preserve_color, painted, content)
