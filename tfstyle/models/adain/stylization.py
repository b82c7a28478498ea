"""How AdaIN paints: style codes, regions of the content image, and the strength of the style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.images import masks
from tfstyle.models.adain.guidance import apply_adain_by_region
from tfstyle.models.adain.style_code import StyleCode
from tfstyle.models.arbitrary_style import ArbitraryStyleModel
from tfstyle.models.guidance import alpha_map, downsample_mask, interpolate_features


class AdaINStylization(ArbitraryStyleModel):
    """The part of AdaIN that paints, with an encoder and a decoder that the constructor of `AdaIN` makes."""

    code_class = StyleCode

    def features(self, pictures: Tensor) -> dict[str, Tensor]:
        """The scaled features of images by layer; images are padded to multiples of the encoder's stride."""
        self.encoder.backbone.check_size(pictures)  # before they are padded, as messages name their own size
        return self.encoder(self._pad(pictures))

    def decode(self, features: Tensor, size: Any, decoder: keras.Model | None = None) -> Tensor:
        """Images from features of padded images.

        Args:
            features: Features of `layer`, `(batch, rows, columns, channels)`.
            size: (height, width) of the images before they were padded.
            decoder: A network in place of the model's decoder; None for that.
        """
        pictures = (decoder or self.decoder)(features)
        height, width = size
        if not self._exact:  # a backbone that loses borders has fewer features than a multiple of the stride
            multiple = self._pad.multiple
            padded = tuple(side + (multiple - side % multiple) % multiple for side in (height, width))
            pictures = tf.image.resize(pictures, padded)  # keras.ops takes no size that is known but in the graph
        return pictures[:, :height, :width]

    @property
    def minimum_side(self) -> int:
        """The shorter side, in pixels, of the smallest image that the model can encode."""
        return self.encoder.backbone.minimum_side

    @property
    def code_layer(self) -> str:
        """The layer that style codes belong to, as "VGG19/block4_conv1"."""
        return f"{self.encoder.backbone.name}/{self.layer}"

    def record(self) -> dict[str, Any]:
        """What a result notes of the model: its backbone, weights and layer."""
        backbone = self.encoder.backbone
        return {"backbone": backbone.name, "weights": backbone.weights_record, "layer": self.layer}

    def encode_style(self, style: images.Source, style_mask: images.Source | None = None) -> StyleCode:
        """The style code of an image: the means and deviations of its features.

        Args:
            style: A style image of any size: a path, PIL image or array.
            style_mask: A grey mask of the style's shape: white is used, black is not. None for all of it.

        Raises:
            InputError: The image or the mask can't be read or used.
        """
        picture = images.load(style)
        features = self.features(ops.convert_to_tensor(picture.rgb[None]))[self.layer]
        weights = None
        if style_mask is not None:
            shape = picture.rgb.shape[:2]
            mask = masks.regions((), [style_mask], [1.0], shape, [shape]).styles[0]
            assert mask is not None
            weights = downsample_mask(mask, self._pad.multiple, features)
        statistics = self.adain.statistics(features, weights)
        scale = ops.convert_to_numpy(self.encoder.scales[self.layer])
        mean, deviation = (ops.convert_to_numpy(statistics[key])[0] * scale for key in ("mean", "deviation"))
        return StyleCode(mean, deviation, self.code_layer)

    def mix_styles(self, codes: Sequence[StyleCode], style_weights: Sequence[float] | None = None) -> StyleCode:
        """The weighted mean of style codes; see `StyleCode.mix`."""
        return StyleCode.mix(codes, style_weights)

    def paint(
        self,
        content: images.Source,
        codes: Sequence[StyleCode],
        *,
        alpha: float | images.Source = 1.0,
        content_masks: np.ndarray | None = None,
    ) -> np.ndarray:
        """A content image in the style of a code, or each of its regions in that of another.

        Each region is normalised by its own statistics, as in the authors' code.

        Args:
            content: A content image of any size: a path, PIL image or array.
            codes: A style code for each region.
            alpha: Strength of the style from 0 to 1: a number, or a grey image of the content's shape.
            content_masks: Regions, float32 `(regions, height, width)` in [0, 1]; None for one that is everything.

        Returns:
            float32 `(height, width, 3)` in [0, 1], of the content's size.

        Raises:
            InputError: An image that can't be read or used, or a code of another layer.
        """
        picture = images.load(content)
        size, multiple = picture.rgb.shape[:2], self._pad.multiple
        features = self.features(ops.convert_to_tensor(picture.rgb[None]))[self.layer]
        target = apply_adain_by_region(
            self.adain,
            features,
            [self._statistics(code) for code in codes],
            None if content_masks is None else downsample_mask(content_masks, multiple, features),
        )
        strength = downsample_mask(alpha_map(alpha, size), multiple, features)
        painted = self.decode(interpolate_features(target, features, strength), size)
        return np.clip(ops.convert_to_numpy(painted)[0], 0, 1).astype(np.float32, copy=False)

    def _statistics(self, code: StyleCode) -> dict[str, Tensor]:
        """The statistics of a style code, in units of the scaled features."""
        if code.layer != self.code_layer:
            raise InputError(
                f"the style code belongs to {code.layer}, and the model to {self.code_layer}: encode the style anew"
            )
        scale = self.encoder.scales[self.layer]
        return {key: getattr(code, key)[None] / scale for key in ("mean", "deviation")}
