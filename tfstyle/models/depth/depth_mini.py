"""DepthMini: a depth module that is small enough to come with the package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.package import EMBEDDED as EMBEDDED_FOLDER
from tfstyle.core.typing import Tensor
from tfstyle.layers import Preprocessing
from tfstyle.models.depth.guided_filter import guided
from tfstyle.models.depth.inverse_depth import relative

EMBEDDED = EMBEDDED_FOLDER / "depthmini.weights.h5"
SIDE = 160  # pixels of the squares that it was trained on
_MULTIPLE = 32  # pixels: the stride of the coarsest features
# The blocks of VGG19Mini that it consists of below: convolutions of a block, and filters of each.
_ENCODER = (("block1", 2, 16), ("block2", 2, 32), ("block3", 4, 80), ("block4", 1, 160))
_RADIUS, _EPSILON = 1 / 16, 1e-2  # chosen: of the guided filter; the radius as a share of the side
_DEEP, _WIDTHS = 64, (64, 64, 48, 32, 16)  # chosen: filters of the coarse layers, and of the finer ones after them


@keras.saving.register_keras_serializable(package="tfstyle")
class Coordinates(keras.layers.Layer):
    """Adds two channels, the row and the column of each position: from −1 at the top or left to 1."""

    def call(self, features: Tensor) -> Tensor:
        """`(batch, height, width, N)` to `(batch, height, width, N + 2)`."""
        batch, height, width, _ = tf.unstack(tf.shape(features))
        down, across = (
            (2.0 * tf.cast(tf.range(side), "float32") + 1.0) / tf.cast(side, "float32") - 1.0
            for side in (height, width)
        )
        grid = tf.stack(tf.meshgrid(down, across, indexing="ij"), axis=-1)
        return ops.concatenate([features, ops.cast(tf.tile(grid[None], (batch, 1, 1, 1)), features.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape with two more channels."""
        return (*input_shape[:-1], (input_shape[-1] or 0) + 2)


@keras.saving.register_keras_serializable(package="tfstyle")
class Doubled(keras.layers.Layer):
    """Bilinear upsampling to twice the height and width, which may be known in the graph only."""

    def call(self, features: Tensor) -> Tensor:
        """`(batch, height, width, N)` to `(batch, 2 height, 2 width, N)`."""
        return ops.cast(tf.image.resize(features, 2 * tf.shape(features)[1:3]), features.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape with twice the height and width, where they are known."""
        batch, height, width, channels = input_shape
        return (batch, *(side and 2 * side for side in (height, width)), channels)


def network(dtype: Any = None, seed: int = 0) -> keras.Model:
    """The network from RGB images in [0, 1], with sides that are multiples of 32, to inverse depth.

    The encoder is that of `VGG19Mini` up to `block4_conv1`, with the names of its layers. Two coarser levels follow,
    which have a large receptive field and know their position in the image. Then each finer level of the encoder is
    added to the upsampled coarser one.

    Args:
        dtype: Keras dtype policy; None for Keras' default.
        seed: Seed of the initial kernels.

    Returns:
        A functional model from `(batch, height, width, 3)` to inverse depth up to scale and shift, float32
        `(batch, height / 2, width / 2, 1)`.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(32).tolist())

    def convolved(x: Any, filters: int, name: str, size: int = 3) -> Any:
        initializer = keras.initializers.HeNormal(next(seeds))
        return keras.layers.Conv2D(
            filters, size, padding="same", activation="relu", kernel_initializer=initializer, dtype=dtype, name=name
        )(x)

    def halved(x: Any, name: str) -> Any:
        return keras.layers.MaxPooling2D(2, dtype=dtype, name=name)(x)

    def joined(x: Any, finer: Any, filters: int, name: str) -> Any:
        """Upsampled features, with those of the encoder at that level added."""
        x = Doubled(dtype=dtype, name=f"{name}_up")(x)
        x = keras.layers.Add(dtype=dtype, name=f"{name}_add")([x, convolved(finer, x.shape[-1], f"{name}_skip", 1)])
        return convolved(x, filters, f"{name}_conv")

    pictures = keras.Input((None, None, 3), name="pictures")
    x = Preprocessing("VGG19", dtype="float32", name="preprocessing")(pictures)
    levels: list[Any] = []
    for block, number, filters in _ENCODER:
        x = halved(x, f"{block}_pool") if levels else x
        for convolution in range(1, number + 1):
            x = convolved(x, filters, f"{block}_conv{convolution}")
        levels.append(x)
    x = Coordinates(dtype=dtype, name="coordinates")(halved(x, "stride16_pool"))
    levels.append(x := convolved(convolved(x, _DEEP, "stride16_conv1"), _DEEP, "stride16_conv2"))
    x = convolved(convolved(halved(x, "stride32_pool"), _DEEP, "stride32_conv1"), _DEEP, "stride32_conv2")
    whole = keras.layers.GlobalAveragePooling2D(keepdims=True, dtype=dtype, name="whole_mean")(x)
    x = keras.layers.Add(dtype=dtype, name="whole_add")([x, convolved(whole, _DEEP, "whole_conv", 1)])
    for stride, finer, filters in zip((16, 8, 4, 2), reversed(levels[1:]), _WIDTHS, strict=False):
        x = joined(x, finer, filters, f"stride{stride}")
    x = convolved(x, _WIDTHS[-1], "last_conv")
    initializer = keras.initializers.GlorotUniform(next(seeds))
    x = keras.layers.Conv2D(1, 3, padding="same", kernel_initializer=initializer, dtype="float32", name="inverse")(x)
    return keras.Model(pictures, x, name="network")


@keras.saving.register_keras_serializable(package="tfstyle")
class DepthMini(keras.Model):
    """A small network that estimates the inverse depth of one image: a depth module, see `tfstyle.depth`.

    It was trained on procedural scenes alone (`images.samples.scenes`, `scripts/train_depthmini.py`). It knows
    grounds, walls, skies and objects in front of them, and is often wrong on photographs; `docs/models.md` says how
    often.

    Args:
        weights: `"embedded"` for those that come with the package, the path of a file that `save_weights` of
            `DepthMini().network` wrote, or None for random ones.
        side: Images are resized to about as many pixels as a square of this side has; their proportions are kept.
        refine: Whether the guided filter gives maps the edges of their images; they are blurred without it.
        seed: Seed of random weights.
        **kwargs: As for `keras.Model`.

    Raises:
        InputError: The weights can't be loaded.

    Examples:
        >>> DepthMini()(pictures)  # (batch, height, width) in [0, 1], 1 is near
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = "embedded",
        side: int = SIDE,
        refine: bool = True,
        seed: int = 0,
        name: str = "depthmini",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, autocast=False, **kwargs)
        self.side, self.refine, self.seed = side, refine, seed
        self._weights = weights if weights in ("embedded", None) else None  # a saved model contains those of a file
        self.network = network(self.dtype_policy, seed)
        if not self.trainable:  # of a restored model; Keras doesn't pass it on to layers that are added later
            self.network.trainable = False
        if weights is not None:
            path = EMBEDDED if weights == "embedded" else Path(weights)
            try:
                self.network.load_weights(str(path))
            except (OSError, ValueError, KeyError) as error:
                raise InputError(
                    f"{files.shown(path)} can't be loaded as the weights of DepthMini ({files.reason(error)[:100]}): "
                    f"give a file that DepthMini().network.save_weights has written, or 'embedded'"
                ) from error
        self.build((None, None, None, 3))

    def build(self, input_shape: Any) -> None:
        """Keras records the shape; everything is built already."""

    def call(self, pictures: Tensor) -> Tensor:
        """Inverse depth, float32 `(batch, height, width)` in [0, 1], of images of any size, RGB in [0, 1]."""
        pictures = ops.cast(pictures, "float32")
        height, width = tf.unstack(tf.shape(pictures)[1:3])
        scale = self.side / tf.sqrt(tf.cast(height * width, "float32"))
        rows, columns = (
            tf.maximum(1, tf.cast(tf.round(tf.cast(each, "float32") * scale / _MULTIPLE), "int32")) * _MULTIPLE
            for each in (height, width)
        )
        small = tf.image.resize(pictures, (rows, columns), antialias=True)
        inverse = tf.image.resize(self.network(small), (rows, columns))[..., 0]
        if not self.refine:
            return relative(tf.image.resize(inverse[..., None], (height, width))[..., 0])
        radius = max(1, round(_RADIUS * self.side))
        return relative(guided(relative(inverse), small, pictures, radius, _EPSILON))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; weights from a file are not among them, but saved with a model."""
        return {**super().get_config(), "weights": self._weights, "side": self.side, "refine": self.refine,
                "seed": self.seed}  # fmt: skip
