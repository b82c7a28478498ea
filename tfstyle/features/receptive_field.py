"""Receptive fields: the part of a picture that a feature depends on, which tiles must cover.

A tile gives the same features as the whole picture under three conditions. It begins at a multiple of the network's
stride. Its distance from the end of the picture is such a multiple, too, as padding "same" and `PadToMultiple` depend
on the remainder of the size. And it reaches beyond the features that it owns by their receptive fields. Under
`PadToMultiple` the last tile also has the pixels whose reflection is added, so that the stride of tiles is a multiple
of both.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import keras

from tfstyle.core.errors import InputError
from tfstyle.layers import ChannelProjection, PadToMultiple, Preprocessing, ReflectedConvolution

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
_POINTWISE = (
    ChannelProjection,
    Preprocessing,
    PadToMultiple,  # except for the pixels that it adds, see above
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.BatchNormalization,  # in inference mode
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.Dense,  # acts on the last axis; layers that make positions the last axis raise an error
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.ELU,
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Multiply,
    keras.layers.Average,
    keras.layers.Maximum,
    keras.layers.Minimum,
)
_OVER_CHANNELS = (keras.layers.Concatenate, keras.layers.LayerNormalization)  # if their axis is the last
# Pointwise layers without a public class: the first of InceptionResNetV2, the others of ConvNeXt, whose Add is `+`.
_POINTWISE_NAMES = ("CustomScaleLayer", "LayerScale", "StochasticDepth", "Add")


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that a feature depends on: feature i on pixels `i * stride - before` to `i * stride + after`.

    It holds for rows and for columns, and is the wider of both.

    Attributes:
        stride: Pixels from one feature to the next.
        before: Pixels above or to the left of `i * stride`, 0 or more.
        after: Pixels below or to the right of `i * stride`, 0 or more.
    """

    stride: int
    before: int
    after: int


@dataclass(frozen=True)
class _Window:
    """Along one side, position i depends on pixels `i * stride + low` to `i * stride + high`."""

    stride: int = 1
    low: int = 0
    high: int = 0

    def then(self, stride: int, low: int, high: int) -> _Window:
        """The window of a layer whose position i depends on positions `i * stride + low` to `... + high` below."""
        return _Window(self.stride * stride, self.low + self.stride * low, self.high + self.stride * high)


def receptive_fields(model: keras.Model) -> dict[str, ReceptiveField]:
    """The receptive field of each output of a network, derived from its layers.

    Args:
        model: A functional model from pictures, `(batch, height, width, channels)`, to `{layer name: features}`, such
            as that of `Backbone.extractor`. It may contain other models.

    Raises:
        InputError: A layer sees the whole picture, such as global pooling, or is of an unknown kind.

    Examples:
        >>> pictures = keras.Input((None, None, 3))
        >>> features = keras.layers.Conv2D(4, 3, strides=2, padding="same")(pictures)
        >>> receptive_fields(keras.Model(pictures, {"features": features}))
        {'features': ReceptiveField(stride=2, before=1, after=2)}
    """
    rows, columns = (_walk(model, _Window(), side, model) for side in (0, 1))
    return {
        name: ReceptiveField(
            stride=rows[name].stride,
            before=max(0, -rows[name].low, -columns[name].low),
            after=max(0, rows[name].high, columns[name].high),
        )
        for name in rows
    }


def _walk(model: keras.Model, window: Any, side: int, network: keras.Model) -> Any:
    """The outputs of a model, with a window in place of each tensor."""
    return model._run_through_graph(
        window, operation_fn=lambda layer: functools.partial(_through, layer, side, network)
    )


def _through(layer: Any, side: int, network: keras.Model, *args: Any, **kwargs: Any) -> Any:
    """The window of a layer's output, from the windows of its inputs."""
    if isinstance(layer, keras.Sequential):
        return functools.reduce(lambda window, inner: _through(inner, side, network, window), layer.layers, args[0])
    if hasattr(layer, "_run_through_graph"):  # a functional model used as a layer
        return _walk(layer, args[0], side, network)
    windows = [value for value in keras.tree.flatten((args, kwargs)) if isinstance(value, _Window)]
    step = _step(layer, side)
    if step is None or len({window.stride for window in windows}) != 1:
        raise InputError(
            f"{network.name.removesuffix('_features')} can't be computed in tiles, as its layer {layer.name} "
            f'({type(layer).__name__}) sees the whole picture: use tile "off" or another backbone'
        )
    low, high = min(window.low for window in windows), max(window.high for window in windows)
    return _Window(windows[0].stride, low, high).then(*step)


def _step(layer: Any, side: int) -> tuple[int, int, int] | None:
    """The stride of one layer, and the first and last position of its input that position 0 depends on.

    It is None if the layer sees its whole input.
    """
    if isinstance(layer, ReflectedConvolution):
        layer = layer.convolution  # reflected positions lie within the window of the convolution
    if isinstance(layer, _CONVOLUTIONS) and len(set(layer.strides)) == 1:
        size = (layer.kernel_size[side] - 1) * layer.dilation_rate[side] + 1
        return _strided(layer.strides[side], size, layer.padding)
    if isinstance(layer, _POOLINGS) and len(set(layer.strides)) == 1:
        return _strided(layer.strides[side], layer.pool_size[side], layer.padding)
    if isinstance(layer, keras.layers.ZeroPadding2D):
        return 1, -layer.padding[side][0], -layer.padding[side][0]
    if isinstance(layer, keras.layers.Cropping2D):
        return 1, layer.cropping[side][0], layer.cropping[side][0]
    over_channels = isinstance(layer, _OVER_CHANNELS) and layer.axis in (-1, 3, [-1], [3])
    if over_channels or isinstance(layer, _POINTWISE) or type(layer).__name__ in _POINTWISE_NAMES:
        return 1, 0, 0
    return None


def _strided(stride: int, size: int, padding: str) -> tuple[int, int, int]:
    """The result of `_step` for a kernel of a size, in positions.

    With padding "same" TensorFlow adds `max(0, size - (side % stride or stride))` positions, the smaller half of them
    in front: from `(size - stride) // 2` to `(size - 1) // 2`, whatever the side of the picture.
    """
    if padding == "valid":
        return stride, 0, size - 1
    return stride, -((size - 1) // 2), size - 1 - max(0, size - stride) // 2
