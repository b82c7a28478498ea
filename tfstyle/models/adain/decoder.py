"""From features back to pictures: the mirror image of a backbone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tfstyle.core.errors import InputError
from tfstyle.features.backbone import Backbone
from tfstyle.layers import ReflectionPadding2D
from tfstyle.models.torch_weights import numbered

_MOST_CONVOLUTIONS = 4  # of a level: as VGG19 has (chosen for networks with more)
_FINEST = 2, 16  # convolutions, and at least as many channels, of full resolution where a backbone has none (chosen)
_SPATIAL = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


@dataclass(frozen=True)
class Level:
    """What a backbone has at one stride.

    Attributes:
        stride: Pixels from one feature to the next, a power of 2.
        channels: Of the last layer at this stride.
        convolutions: How many of them the mirror image has there.
    """

    stride: int
    channels: int
    convolutions: int


def levels(backbone: Backbone, layer: str) -> list[Level]:
    """The levels of a backbone from its layer up to full resolution.

    Each has as many convolutions as the backbone has there that look beyond one position, from 1 to 4.

    Raises:
        InputError: An unknown layer, or one that has no height and width.
    """
    side, below = backbone.below([layer])
    if not _is_map(below[-1][1]):
        raise InputError(f"layer {layer} of {backbone.name} can't be decoded: ask for one further below")
    channels: dict[int, int] = {}
    convolutions: dict[int, int] = {}
    for each, shape in below:
        if not _is_map(shape):
            continue  # a look at the whole picture, as in squeeze and excitation
        stride = _stride(side, shape)
        channels[stride] = shape[3]
        spatial = isinstance(each, _SPATIAL) and max(each.kernel_size) > 1
        convolutions[stride] = convolutions.get(stride, 0) + spatial
    found = []
    for stride in sorted(channels, reverse=True):
        number = min(max(1, convolutions[stride]), _MOST_CONVOLUTIONS)
        found.append(Level(stride, channels[stride], number))
    if convolutions[1] == 0:  # only the picture itself is there
        number, least = _FINEST
        found[-1] = Level(1, max(least, found[-2].channels // 2), number)
    return found


def exact(backbone: Backbone, layer: str) -> bool:
    """Whether a picture whose sides are multiples of the stride has features for exactly that many strides."""
    side, below = backbone.below([layer])
    shape = below[-1][1]
    return shape[1] * _stride(side, shape) == side


def mirrored(levels: Sequence[Level], dtype: Any = None, seed: int | None = None) -> keras.Model:
    """The decoder: from features `(batch, height, width, channels)` to RGB pictures, in at least float32.

    Convolutions of 3x3 with padding by reflection and ReLU, nearest-neighbour upsampling between levels, and no
    normalisation; the last convolution of a level has the channels of the next, and the last of all 3 and no ReLU.
    For VGG19's relu4_1 these are the nine convolutions of the paper's authors.

    Args:
        levels: From the features' own to the finest.
        dtype: Keras dtype policy; None for Keras' own.
        seed: Of the kernels; None for Keras' own.

    Reference:
        Huang & Belongie 2017, section 5: reflection padding against border artifacts, nearest upsampling against
        checkerboards, no normalisation layers.
    """
    features = x = keras.Input((None, None, levels[0].channels), name="features")
    number = sum(level.convolutions for level in levels)
    seeds = iter([None] * number if seed is None else np.random.SeedSequence(seed).generate_state(number).tolist())
    for level, following in zip(levels, [*levels[1:], None], strict=True):
        widths = [level.channels] * (level.convolutions - 1) + [following.channels if following else 3]
        for index, filters in enumerate(widths, 1):
            last = following is None and index == len(widths)
            x = ReflectionPadding2D(1, dtype=dtype)(x)
            x = keras.layers.Conv2D(
                filters,
                3,
                activation=None if last else "relu",
                kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
                dtype=_full(dtype) if last else dtype,  # half precision has too few levels for pictures
                name=f"stride{level.stride}_conv{index}",
            )(x)
        if following:
            x = keras.layers.UpSampling2D(level.stride // following.stride, dtype=dtype)(x)
    return keras.Model(features, x, name="decoder")


def load_torch(decoder: keras.Model, state: Mapping[str, Any]) -> None:
    """Load the convolutions of a PyTorch `nn.Sequential` of the same layout, in their order.

    Args:
        decoder: What `mirrored` gave.
        state: Its state dict: kernels `(out, in, height, width)` under `"N.weight"`, biases under `"N.bias"`, with
            any prefix; PyTorch tensors or arrays.

    Raises:
        InputError: Other convolutions than the decoder's.
    """
    kernels, biases = numbered(state, "weight"), numbered(state, "bias")
    convolutions = [layer for layer in decoder.layers if isinstance(layer, keras.layers.Conv2D)]
    if len(kernels) != len(convolutions) or list(kernels) != list(biases):
        raise InputError(
            f"the state dict has {len(kernels)} kernels and {len(biases)} biases, and the decoder "
            f"{len(convolutions)} convolutions: give the decoder's own"
        )
    pairs = []
    for layer, (place, kernel) in zip(convolutions, kernels.items(), strict=True):
        for given, variable in ((kernel, layer.kernel), (biases[place], layer.bias)):
            if given.shape != tuple(variable.shape):
                raise InputError(
                    f"convolution {place} of the state dict has the shape {given.shape}, and {layer.name} "
                    f"{tuple(variable.shape)}: give the decoder of this layer of this backbone"
                )
            pairs.append((variable, given))
    for variable, given in pairs:  # all of them or none
        variable.assign(given)


def _is_map(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[1] > 1


def _stride(side: int, shape: tuple[int, ...]) -> int:
    return 2 ** round(math.log2(side / shape[1]))  # padding makes it not quite a power of 2


def _full(dtype: Any) -> str:
    return "float64" if keras.dtype_policies.get(dtype).compute_dtype == "float64" else "float32"
