"""CycleGAN with U-Nets and self-attention."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core.errors import check_whole
from tfstyle.core.precision import image_dtype
from tfstyle.models.adversarial.base import symmetric
from tfstyle.models.adversarial.cyclegan import POOL_SIZE, CycleGAN
from tfstyle.models.adversarial.networks.patch_discriminator import patch_discriminator
from tfstyle.models.adversarial.networks.unet_generator import unet_generator

_LEVEL = 3  # chosen: the generators' level with attention, which has 32x32 positions for 256x256 pixels
_LAYER = 2  # chosen: the discriminators' layer that is followed by attention, with 64x64 positions


@keras.saving.register_keras_serializable(package="tfstyle")
class AttentionCycleGAN(CycleGAN):
    """`CycleGAN` whose generators are U-Nets, with self-attention in generators and discriminators.

    The skip connections of a U-Net can carry the whole image. Then the generator copies its input, both cycles are
    perfect, and nothing is transferred; `copy_ratio`, which training shows, goes to 0. `skip_outermost=False` and a
    smaller `identity_weight` prevent it.

    The paper's text, as far as it was at hand, names neither the widths nor the places of attention. The widths are
    those of pix2pix' U-Net and of SAGAN; the places are chosen.

    Args:
        size: Size of the training images, in pixels: one number, or (height, width).
        depth: Levels of the U-Nets; None for as many as reduce the shorter side to 1 or 2 positions, at most 8.
        filters: Channels of the first level, and of the discriminators' first layer.
        n_layers: Layers of the discriminators with stride 2.
        skip_outermost: Whether the first level has a skip connection.
        spectral: Whether the discriminators' kernels have spectral norm 1.
        pool_size: Number of earlier images in each pool; 0 for no pools.
        seed: Seed of initial kernels and of the pools; None for a random one.
        name: Name of the model.
        **kwargs: As for `keras.Model`; `dtype` applies to the networks.

    Raises:
        InputError: A size that is too small for the discriminators, or a number out of range.

    Examples:
        >>> model = AttentionCycleGAN(size=256, skip_outermost=False)
        >>> model.compile(identity_weight=0.1)
        >>> maps = model.attention_maps("photo.jpg")

    Reference:
        Li & Qi 2023, an improved CycleGAN with U-Net and self-attention; Zhang et al. 2019 for the latter.
    """

    def __init__(
        self,
        size: int | tuple[int, int] = 256,
        depth: int | None = None,
        filters: int = 64,
        n_layers: int = 3,
        skip_outermost: bool = True,
        spectral: bool = False,
        pool_size: int = POOL_SIZE,
        seed: int | None = None,
        name: str = "attention_cyclegan",
        **kwargs: Any,
    ) -> None:
        shorter = size if isinstance(size, int) else min(size)
        self._options: dict[str, Any] = {
            "depth": min(8, max(2, int(math.log2(max(shorter, 4))))) if depth is None else depth,
            "skip_outermost": skip_outermost,
            "spectral": spectral,
        }
        check_whole("depth", self._options["depth"], 2, 12)
        super().__init__(size, 0, filters, n_layers, pool_size, seed, name, **kwargs)

    def _generator(self, **options: Any) -> keras.Model:
        depth = self._options["depth"]
        level = min(_LEVEL, depth - 1)
        return unet_generator(depth, self.filters, self._options["skip_outermost"], level, **options)

    def _discriminator(self, **options: Any) -> keras.Model:
        layer = min(_LAYER, self.n_layers)
        spectral = self._options["spectral"]
        return patch_discriminator(self.n_layers, self.filters, spectral=spectral, attention=layer, **options)

    def attention_maps(self, content: images.Source) -> dict[str, np.ndarray]:
        """The attention maps of generator and discriminator for one image.

        `maps["down"].mean((0, 1))` is how much attention each part of the image gets.

        Args:
            content: An image of any size: a path, PIL image or array.

        Returns:
            float32 `(rows, columns, key rows, key columns)` by name: for each position the weights of all positions,
            which sum to 1. `"down"` and `"up"` are those of the generator on its way down and up, `"discriminator"`
            that of the discriminator for the generator's image. There are at most 64 rows and columns.

        Raises:
            InputError: The image can't be read or used.
        """
        picture = ops.convert_to_tensor(images.load(content).rgb[None])
        picture = symmetric(picture, image_dtype(self.dtype_policy))
        places = {
            "down": (self.generator, "attention_down", picture),
            "up": (self.generator, "attention_up", picture),
            "discriminator": (self.discriminator, "attention", self.generator(picture)),
        }
        maps = {}
        for name, (network, place, inputs) in places.items():
            layer = network.get_layer(place)
            features = keras.Model(network.input, layer.input)(inputs)
            maps[name] = ops.convert_to_numpy(layer.attention(features))[0].astype(np.float32)
        return maps

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        del config["blocks"]
        return {**config, **self._options}
