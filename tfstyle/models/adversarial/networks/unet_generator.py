"""The U-Net of pix2pix as a generator: from image to image, with skip connections for fine features."""

from __future__ import annotations

from typing import Any

import keras

from tfstyle.core.precision import image_dtype
from tfstyle.core.step_random import split_seed
from tfstyle.core.typing import Tensor
from tfstyle.layers import CropTo, InstanceNormalization, PadToMultiple, SelfAttention2D
from tfstyle.models.adversarial.networks.patch_discriminator import SLOPE
from tfstyle.models.adversarial.networks.resnet_generator import SPREAD

_MOST_WIDENED = 8  # the largest factor of the first level's channels


def unet_generator(
    depth: int = 8,
    filters: int = 64,
    skip_outermost: bool = True,
    attention: int | None = None,
    seed: int = 0,
    dtype: Any = None,
    name: str = "generator",
) -> keras.Model:
    """The generator from images `(batch, height, width, 3)` in [-1, 1] to images of the same shape.

    It goes down `depth` times by 4x4 convolutions with stride 2, and up again by transposed ones; each level on the
    way up also gets the features of that level on the way down. Images whose sides are no multiples of 2^depth are
    padded by reflection, and cropped afterwards. Channels are 64, 128, 256 and then 512, with 64 = `filters`.
    Instance normalisation follows all convolutions but the first, the last and the innermost, whose features may have
    a single position. With a depth of 8, 64 filters and no attention there are 54,409,603 parameters.

    Args:
        depth: Number of levels; 8 reduce 256 pixels to 1.
        filters: Channels of the first level.
        skip_outermost: Whether the first level has a skip connection, which tempts a generator to copy its input.
        attention: The level, counted from 1, with self-attention on the way down and up; None for none.
        seed: Seed of the initial kernels.
        dtype: Keras dtype policy; None for Keras' default.
        name: Name of the network.

    Reference:
        Isola et al. 2017, section 6.1, and the code of the authors; Ronneberger et al. 2015.
    """
    widths = [filters * min(2**level, _MOST_WIDENED) for level in range(depth)]
    seeds = iter(split_seed(seed, 2 * depth + 2))

    def convolution(x: Tensor, kind: type, width: int, name: str, **options: Any) -> Tensor:
        initializer = keras.initializers.RandomNormal(0.0, SPREAD, seed=next(seeds))
        layer = kind(width, 4, 2, "same", kernel_initializer=initializer, name=name, **{"dtype": dtype, **options})
        return layer(x)

    def with_attention(x: Tensor, level: int, name: str) -> Tensor:
        return x if level != attention else SelfAttention2D(seed=next(seeds), dtype=dtype, name=name)(x)

    pictures = keras.Input((None, None, 3), name="pictures")
    x = PadToMultiple(2**depth, dtype=image_dtype(dtype))(pictures)
    skips = []
    for level, width in enumerate(widths, 1):
        if level > 1:
            x = keras.layers.LeakyReLU(SLOPE, dtype=dtype)(x)
        x = convolution(x, keras.layers.Conv2D, width, f"down{level}")
        if 1 < level < depth:
            x = InstanceNormalization(dtype=dtype)(x)
        x = with_attention(x, level, "attention_down")
        skips.append(x)
    for level in range(depth - 1, 0, -1):
        x = keras.layers.ReLU(dtype=dtype)(x)
        x = convolution(x, keras.layers.Conv2DTranspose, widths[level - 1], f"up{level}")
        x = with_attention(InstanceNormalization(dtype=dtype)(x), level, "attention_up")
        if level > 1 or skip_outermost:
            x = keras.layers.Concatenate(dtype=dtype)([skips[level - 1], x])
    x = keras.layers.ReLU(dtype=dtype)(x)
    x = convolution(x, keras.layers.Conv2DTranspose, 3, "last", activation="tanh", dtype=image_dtype(dtype))
    return keras.Model(pictures, CropTo(dtype=image_dtype(dtype))([x, pictures]), name=name)
