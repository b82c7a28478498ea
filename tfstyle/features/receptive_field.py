"""What each feature of a network sees of the picture, so that pictures can be worked on in tiles.

A tile gives its own features as the whole picture does if it begins at a multiple of the network's stride, ends
at one before the picture's end (padding "same" and `PadToMultiple` depend on the remainder), and reaches beyond
its own features by their receptive fields. A last tile under `PadToMultiple` holds that multiple of pixels too,
whose reflection is added; multiples of the stride are then multiples of both.
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
    PadToMultiple,  # but for what it adds, see above
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.BatchNormalization,  # in inference mode
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.Dense,  # acts on the last axis; what makes positions that axis is refused
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
_OVER_CHANNELS = (keras.layers.Concatenate, keras.layers.LayerNormalization)  # where their axis is the last
# Pointwise too, of classes without a public name: InceptionResNetV2's own, then ConvNeXt's, whose Add is a plus.
_POINTWISE_NAMES = ("CustomScaleLayer", "LayerScale", "StochasticDepth", "Add")


@dataclass(frozen=True)
class ReceptiveField:
    """What a layer's features see: feature i no more than pixels `i * stride - before` to `i * stride + after`.

    The same holds for rows and for columns; it is the wider of the two.

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
    """Along one side, position i sees pixels `i * stride + low` to `i * stride + high`."""

    stride: int = 1
    low: int = 0
    high: int = 0

    def then(self, stride: int, low: int, high: int) -> _Window:
        """What a layer sees whose position i sees its input's positions `i * stride + low` to `... + high`."""
        return _Window(self.stride * stride, self.low + self.stride * low, self.high + self.stride * high)


def receptive_fields(model: keras.Model) -> dict[str, ReceptiveField]:
    """The receptive field of each output, in pixels, worked out from the layers and not measured.

    Args:
        model: A functional model from pictures, `(batch, height, width, channels)`, to `{layer name: features}`,
            such as `Backbone.extractor` gives; models within it are entered.

    Raises:
        InputError: A layer that sees the whole picture, such as global pooling, or of a kind unknown here.
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
    """The model's outputs, in their structure, with a window in place of each tensor."""
    return model._run_through_graph(
        window, operation_fn=lambda layer: functools.partial(_through, layer, side, network)
    )


def _through(layer: Any, side: int, network: keras.Model, *args: Any, **kwargs: Any) -> Any:
    """What stands for the layer's outputs when windows stand for its inputs."""
    if isinstance(layer, keras.Sequential):
        return functools.reduce(lambda window, inner: _through(inner, side, network, window), layer.layers, args[0])
    if hasattr(layer, "_run_through_graph"):  # a functional model used as a layer
        return _walk(layer, args[0], side, network)
    windows = [value for value in keras.tree.flatten((args, kwargs)) if isinstance(value, _Window)]
    step = _step(layer, side)
    if step is None or len({window.stride for window in windows}) != 1:
        raise InputError(
            f"{network.name.removesuffix('_features')} can't be worked on in tiles, as nothing bounds what its layer "
            f'{layer.name} ({type(layer).__name__}) sees of a picture: use tile "off" or another backbone'
        )
    low, high = min(window.low for window in windows), max(window.high for window in windows)
    return _Window(windows[0].stride, low, high).then(*step)


def _step(layer: Any, side: int) -> tuple[int, int, int] | None:
    """The stride of one layer and the ends of what it sees of its input, in positions; None if nothing bounds it."""
    if isinstance(layer, ReflectedConvolution):
        layer = layer.convolution  # what is reflected lies nearer than zeros would
    if isinstance(layer, _CONVOLUTIONS) and len(set(layer.strides)) == 1:
        seen = (layer.kernel_size[side] - 1) * layer.dilation_rate[side] + 1
        return _strided(layer.strides[side], seen, layer.padding)
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


def _strided(stride: int, seen: int, padding: str) -> tuple[int, int, int]:
    """A window of `seen` positions that moves by `stride`.

    With padding "same" TensorFlow adds `max(0, seen - (size % stride or stride))` positions, the smaller half of
    them in front: `(seen - 1) // 2` at most and `(seen - stride) // 2` at least, whatever the size.
    """
    if padding == "valid":
        return stride, 0, seen - 1
    return stride, -((seen - 1) // 2), seen - 1 - max(0, seen - stride) // 2
