"""The functions that AdaIN is exported as, and samples to compare them with the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core.typing import Tensor
from tfstyle.images import samples as sample_images
from tfstyle.models.guidance import interpolate_features
from tfstyle.models.signatures import Function, Sample, Signature, portable

if TYPE_CHECKING:
    from tfstyle.models.adain.adain import AdaIN

_ALPHA = 0.75  # of the samples (chosen): a mixture of content and style
_IMAGES = (("chelsea", (19, 34), 1), ("coffee", (40, 8), 2))  # chosen: pixels beyond the smallest size, how many


def signatures(model: AdaIN) -> list[Signature]:
    """`stylize`, `encode_style` and `stylize_with_code`: see `tfstyle.models.export`."""
    decoder = portable(model.decoder)
    scale = model.encoder.scales[model.layer]

    def encode_style(style: Tensor) -> dict[str, Tensor]:
        statistics = model.adain.statistics(model.features(style)[model.layer])
        return {key: statistics[key] * scale for key in ("mean", "deviation")}

    def stylize_with_code(content: Tensor, mean: Tensor, deviation: Tensor, alpha: Tensor) -> dict[str, Tensor]:
        features = model.features(content)[model.layer]
        target = model.adain((features, {"mean": mean / scale, "deviation": deviation / scale}))
        mixed = interpolate_features(target, features, ops.reshape(alpha, (1, 1, 1)))
        return {"picture": ops.clip(model.decode(mixed, ops.shape(content)[1:3], decoder), 0.0, 1.0)}

    def stylize(content: Tensor, style: Tensor, alpha: Tensor) -> dict[str, Tensor]:
        return stylize_with_code(content, **encode_style(style), alpha=alpha)

    channels = model.decoder.input_shape[-1]
    specs = {
        **{name: tf.TensorSpec((None, None, None, 3), tf.float32, name) for name in ("content", "style")},
        **{name: tf.TensorSpec((None, channels), tf.float32, name) for name in ("mean", "deviation")},
        "alpha": tf.TensorSpec((), tf.float32, "alpha"),
    }

    def signature(function: Callable[..., dict[str, Tensor]], *names: str) -> Signature:
        return Signature(function.__name__, function, {name: specs[name] for name in names})

    return [
        signature(stylize, "content", "style", "alpha"),
        signature(encode_style, "style"),
        signature(stylize_with_code, "content", "mean", "deviation", "alpha"),
    ]


def samples(model: AdaIN) -> list[Sample]:
    """One and two content images of two sizes, in a style image, in one call and by its code."""
    return [sample for name, margin, count in _IMAGES for sample in _samples(model, name, margin, count)]


def _samples(model: AdaIN, name: str, margin: tuple[int, int], count: int) -> list[Sample]:
    least, alpha = model.minimum_side, np.array(_ALPHA, np.float32)
    content = images.load(sample_images.content(name), (least + margin[0], least + margin[1])).rgb
    contents = np.stack([content] * count)
    contents[-1] = contents[-1][::-1]
    style = images.load(sample_images.style("impasto", 64), (least + 16, least + 11)).rgb[None]
    expected = np.stack([model.stylize(content, style[0], alpha=_ALPHA) for content in contents])

    def stylize(functions: Mapping[str, Function]) -> np.ndarray:
        return functions["stylize"](content=contents, style=style, alpha=alpha)["picture"]

    def stylize_with_code(functions: Mapping[str, Function]) -> np.ndarray:
        code = functions["encode_style"](style=style)
        return functions["stylize_with_code"](content=contents, alpha=alpha, **code)["picture"]

    return [
        Sample("stylize", stylize, expected),
        Sample("encode_style, stylize_with_code", stylize_with_code, expected),
    ]


def in_float32(model: AdaIN) -> AdaIN:
    """The model, or a copy of it that computes in float32."""
    if (model.decoder.compute_dtype, model.encoder.backbone.compute_dtype) == ("float32", "float32"):
        return model
    config = model.get_config()
    config["encoder"]["backbone"]["config"]["precision"] = config["dtype"] = "float32"
    copy = type(model).from_config(config)
    copy.decoder.set_weights(model.decoder.get_weights())
    for layer, scale in model.encoder.scales.items():
        copy.encoder.scales[layer].assign(scale)
    return copy
