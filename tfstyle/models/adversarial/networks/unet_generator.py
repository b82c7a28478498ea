"""The U-Net of pix2pix as a generator: from picture to picture, with what was fine passed by."""

from __future__ import annotations

from typing import Any

import keras

from tfstyle.core.step_random import several
from tfstyle.layers import CropTo, InstanceNormalization, PadToMultiple, SelfAttention2D
from tfstyle.models.adversarial.base import full
from tfstyle.models.adversarial.networks.patch_discriminator import SLOPE
from tfstyle.models.adversarial.networks.resnet_generator import SPREAD

Tensor = Any

_MOST_WIDENED = 8  # times the first level's channels


def unet_generator(
    depth: int = 8,
    filters: int = 64,
    skip_outermost: bool = True,
    attention: int | None = None,
    seed: int = 0,
    dtype: Any = None,
    name: str = "generator",
) -> keras.Model:
    """Down `depth` times by convolutions of 4x4 and stride 2, and up again, each level joined to its mirror image.

    From `(batch, height, width, 3)` in [-1, 1] to the same; other sizes than multiples of 2^depth are padded by
    reflection and cropped again. Channels are 64, 128, 256 and then 512, with 64 = `filters`. Instance normalisation
    follows all convolutions but the first, the last and the innermost, whose features may have a single position.
    With a depth of 8, 64 filters and no attention, 54,409,603 parameters.

    Args:
        depth: Levels: 8 brings 256 pixels down to 1.
        filters: Channels of the first level.
        skip_outermost: Whether the first level's features are passed by: with them a generator is tempted to copy.
        attention: At which level, counted from 1, positions attend to each other on both ways; None for none.
        seed: Of the kernels.
        dtype: Keras dtype policy; None for Keras' own.
        name: Of the network.

    Reference:
        Isola et al. 2017, section 6.1, and the code of the authors; Ronneberger et al. 2015.
    """
    widths = [filters * min(2**level, _MOST_WIDENED) for level in range(depth)]
    seeds = iter(several(seed, 2 * depth + 2))

    def convolution(x: Tensor, kind: type, width: int, name: str, **options: Any) -> Tensor:
        start = keras.initializers.RandomNormal(0.0, SPREAD, seed=next(seeds))
        layer = kind(width, 4, 2, "same", kernel_initializer=start, name=name, **{"dtype": dtype, **options})
        return layer(x)

    def attentive(x: Tensor, level: int, name: str) -> Tensor:
        return x if level != attention else SelfAttention2D(seed=next(seeds), dtype=dtype, name=name)(x)

    pictures = keras.Input((None, None, 3), name="pictures")
    x = PadToMultiple(2**depth, dtype=full(dtype))(pictures)
    passed = []
    for level, width in enumerate(widths, 1):
        if level > 1:
            x = keras.layers.LeakyReLU(SLOPE, dtype=dtype)(x)
        x = convolution(x, keras.layers.Conv2D, width, f"down{level}")
        if 1 < level < depth:
            x = InstanceNormalization(dtype=dtype)(x)
        x = attentive(x, level, "attention_down")
        passed.append(x)
    for level in range(depth - 1, 0, -1):
        x = keras.layers.ReLU(dtype=dtype)(x)
        x = convolution(x, keras.layers.Conv2DTranspose, widths[level - 1], f"up{level}")
        x = attentive(InstanceNormalization(dtype=dtype)(x), level, "attention_up")
        if level > 1 or skip_outermost:
            x = keras.layers.Concatenate(dtype=dtype)([passed[level - 1], x])
    x = keras.layers.ReLU(dtype=dtype)(x)
    x = convolution(x, keras.layers.Conv2DTranspose, 3, "last", activation="tanh", dtype=full(dtype))
    return keras.Model(pictures, CropTo(dtype=full(dtype))([x, pictures]), name=name)
