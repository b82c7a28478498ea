"""CycleGAN with U-Nets and self-attention."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core.errors import check_whole
from tfstyle.models.adversarial.base import full, symmetric
from tfstyle.models.adversarial.cyclegan import POOL_SIZE, CycleGAN
from tfstyle.models.adversarial.networks.patch_discriminator import patch_discriminator
from tfstyle.models.adversarial.networks.unet_generator import unet_generator

_LEVEL = 3  # of attention in the generators, 32x32 positions of 256x256 pixels (chosen)
_LAYER = 2  # after which it is in the discriminators, 64x64 positions (chosen)


@keras.saving.register_keras_serializable(package="tfstyle")
class AttentionCycleGAN(CycleGAN):
    """`CycleGAN` whose generators are U-Nets, with self-attention in generators and discriminators.

    A U-Net passes fine features by, and can learn to pass the picture by: the generator then copies its input, both
    cycles are perfect, and nothing is transferred. `copy_ratio`, which training shows, then goes to 0;
    `skip_outermost=False` and a smaller `identity_weight` are against it.

    The paper's text names neither widths nor places of attention that could be found: those of pix2pix' U-Net and of
    SAGAN are taken, and the places chosen.

    Args:
        size: Of the pictures in training, as for `CycleGAN`.
        depth: Levels of the U-Nets; None for as many as bring the shorter side to 1 or 2, at most 8.
        filters: Channels of the first level, and of the discriminators' first layer.
        layers: Of the discriminators, with stride 2.
        skip_outermost: Whether the first level is passed by.
        spectral: Whether the discriminators' kernels have spectral norm 1.
        pool_size: Number of earlier pictures in each pool.
        seed: Of kernels and pools; None for one that nobody has chosen.
        name: Of the model.
        **kwargs: As for `keras.Model`; `dtype` is for the networks.

    Raises:
        InputError: As for `CycleGAN`.

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
        layers: int = 3,
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
        super().__init__(size, 0, filters, layers, pool_size, seed, name, **kwargs)

    def _generator(self, **options: Any) -> keras.Model:
        depth = self._options["depth"]
        level = min(_LEVEL, depth - 1)
        return unet_generator(depth, self.filters, self._options["skip_outermost"], level, **options)

    def _discriminator(self, **options: Any) -> keras.Model:
        layer = min(_LAYER, self.layers_with_stride)
        spectral = self._options["spectral"]
        return patch_discriminator(
            self.layers_with_stride, self.filters, spectral=spectral, attention=layer, **options
        )

    def attention_maps(self, content: images.Source) -> dict[str, np.ndarray]:
        """Where each position of a picture looks: float32 (rows, columns, key rows, key columns), each of sum 1.

        `maps["down"].mean((0, 1))` is how much each part of the picture is looked at.

        Args:
            content: A picture of any size: path, PIL image or array.

        Returns:
            `"down"` and `"up"` of the generator on its two ways, and `"discriminator"`, of what has become of the
            picture. Rows and columns are those of the features there, of which there are at most 64.

        Raises:
            InputError: The picture can't be read or used.
        """
        picture = ops.convert_to_tensor(images.load(content).rgb[None])
        picture = symmetric(picture, full(self.dtype_policy))
        places = {
            "down": (self.generator, "attention_down", picture),
            "up": (self.generator, "attention_up", picture),
            "discriminator": (self.discriminator, "attention", self.generator(picture)),
        }
        maps = {}
        for name, (network, place, seen) in places.items():
            layer = network.get_layer(place)
            features = keras.Model(network.input, layer.input)(seen)
            maps[name] = ops.convert_to_numpy(layer.attention(features))[0].astype(np.float32)
        return maps

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        del config["blocks"]
        return {**config, **self._options}
