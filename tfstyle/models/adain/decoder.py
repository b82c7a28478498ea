"""Decoders: from features to images, as the mirror image of a backbone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tfstyle.core.errors import InputError
from tfstyle.core.precision import image_dtype
from tfstyle.features.backbone import Backbone
from tfstyle.layers import ReflectionPadding2D
from tfstyle.models.torch_weights import numbered

_MOST_CONVOLUTIONS = 4  # of a level, as in VGG19 (chosen for networks with more)
_FINEST = 2, 16  # chosen: convolutions and least channels at full resolution, where a backbone has none
_SPATIAL = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


@dataclass(frozen=True)
class Level:
    """The part of a backbone, and of its mirror image, at one stride.

    Attributes:
        stride: Pixels from one feature to the next, a power of 2.
        channels: Channels of the backbone's last layer at this stride.
        convolutions: Convolutions of the decoder at this stride.
    """

    stride: int
    channels: int
    convolutions: int


def levels(backbone: Backbone, layer: str) -> list[Level]:
    """The levels of a backbone, from a layer up to full resolution.

    Each has as many convolutions as the backbone has there with kernels larger than 1x1, from 1 to 4.

    Raises:
        InputError: An unknown layer, or one that has no height and width.
    """
    side, below = backbone.below([layer])
    if not _is_map(below[-1][1]):
        raise InputError(f"layer {layer} of {backbone.name} can't be decoded: give a lower layer")
    channels: dict[int, int] = {}
    convolutions: dict[int, int] = {}
    for each, shape in below:
        if not _is_map(shape):
            continue  # features of the whole image, as in squeeze and excitation
        stride = _stride(side, shape)
        channels[stride] = shape[3]
        spatial = isinstance(each, _SPATIAL) and max(each.kernel_size) > 1
        convolutions[stride] = convolutions.get(stride, 0) + spatial
    levels = []
    for stride in sorted(channels, reverse=True):
        count = min(max(1, convolutions[stride]), _MOST_CONVOLUTIONS)
        levels.append(Level(stride, channels[stride], count))
    if convolutions[1] == 0:  # the backbone has nothing but the image at full resolution
        count, least = _FINEST
        levels[-1] = Level(1, max(least, levels[-2].channels // 2), count)
    return levels


def exact(backbone: Backbone, layer: str) -> bool:
    """Whether an image whose sides are multiples of the stride has exactly one feature for each stride."""
    side, below = backbone.below([layer])
    shape = below[-1][1]
    return shape[1] * _stride(side, shape) == side


def mirrored(levels: Sequence[Level], dtype: Any = None, seed: int | None = None) -> keras.Model:
    """The decoder: from features `(batch, rows, columns, channels)` to RGB images, in at least float32.

    It consists of 3x3 convolutions with reflection padding and ReLU, and of nearest-neighbour upsampling between the
    levels, without normalisation. The last convolution of a level has the channels of the next level; the very last
    has 3 channels and no ReLU. For relu4_1 of VGG19 these are the nine convolutions of the paper's authors.

    Args:
        levels: From the level of the features to full resolution.
        dtype: Keras dtype policy; None for Keras' default.
        seed: Seed of the initial kernels; None for Keras' own.

    Reference:
        Huang & Belongie 2017, section 5: reflection padding against border artifacts, nearest upsampling against
        checkerboards, no normalisation layers.
    """
    features = x = keras.Input((None, None, levels[0].channels), name="features")
    count = sum(level.convolutions for level in levels)
    seeds = iter([None] * count if seed is None else np.random.SeedSequence(seed).generate_state(count).tolist())
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
                dtype=image_dtype(dtype) if last else dtype,
                name=f"stride{level.stride}_conv{index}",
            )(x)
        if following:
            x = keras.layers.UpSampling2D(level.stride // following.stride, dtype=dtype)(x)
    return keras.Model(features, x, name="decoder")


def load_torch(decoder: keras.Model, state: Mapping[str, Any]) -> None:
    """Load the convolutions of a PyTorch `nn.Sequential` with the decoder's layout, in their order.

    Args:
        decoder: A network that `mirrored` returned.
        state: The state dict of PyTorch tensors or arrays: kernels `(out, in, height, width)` under `"N.weight"` and
            biases under `"N.bias"`, with any prefix.

    Raises:
        InputError: Other convolutions than the decoder's.
    """
    kernels, biases = numbered(state, "weight"), numbered(state, "bias")
    convolutions = [layer for layer in decoder.layers if isinstance(layer, keras.layers.Conv2D)]
    if len(kernels) != len(convolutions) or list(kernels) != list(biases):
        raise InputError(
            f"the state dict has {len(kernels)} kernels and {len(biases)} biases, and the decoder "
            f"{len(convolutions)} convolutions: give the state dict of the decoder"
        )
    pairs = []
    for layer, (place, kernel) in zip(convolutions, kernels.items(), strict=True):
        for array, variable in ((kernel, layer.kernel), (biases[place], layer.bias)):
            if array.shape != tuple(variable.shape):
                raise InputError(
                    f"convolution {place} of the state dict has the shape {array.shape}, and {layer.name} "
                    f"{tuple(variable.shape)}: give the decoder of this layer of this backbone"
                )
            pairs.append((variable, array))
    for variable, array in pairs:  # after all checks, so that all are loaded or none
        variable.assign(array)


def _is_map(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[1] > 1


def _stride(side: int, shape: tuple[int, ...]) -> int:
    return 2 ** round(math.log2(side / shape[1]))  # padding makes it not quite a power of 2
