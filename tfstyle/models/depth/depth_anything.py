"""Depth Anything V2 of KerasHub as a depth module."""

from __future__ import annotations

import importlib
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.models.depth.inverse_depth import relative

PRESET = "depth_anything_v2_small"
SIDE = 518  # pixels of the squares that Depth Anything was trained on
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet: the preprocessing of DINOv2


@keras.saving.register_keras_serializable(package="tfstyle")
class DepthAnything:
    """Depth Anything V2 of KerasHub, which is imported on first use: `pip install "tfstyle[depth]"`.

    KerasHub downloads the weights. It needs tensorflow-text, and so a TensorFlow version for which that exists.
    Gradients flow through the network to the images.

    Args:
        preset: A preset of `keras_hub.models.DepthEstimator`, or a folder with one.
        side: Side of the squares that images are resized to, in pixels; a multiple of 14.

    Raises:
        InputError: KerasHub is not installed, or the preset can't be loaded.

    Reference:
        Yang et al. 2024, "Depth Anything V2".
    """

    differentiable = True

    def __init__(self, preset: str = PRESET, side: int = SIDE) -> None:
        try:
            hub = importlib.import_module("keras_hub")
        except ImportError as error:
            problem = f"Depth Anything needs KerasHub, which can't be imported ({files.reason(error)})"
            raise InputError(f'{problem}: pip install "tfstyle[depth]", or use DepthMini') from error
        try:
            self.model: keras.Model = hub.models.DepthEstimator.from_preset(preset, depth_estimation_type="relative")
        except Exception as error:  # downloads raise errors of all kinds
            problem = f"the preset {preset} of KerasHub can't be loaded ({files.reason(error)})"
            raise InputError(
                f"{problem}: give another preset or a folder, or check the network connection"
            ) from error
        self.model.trainable = False
        self.preset, self.side = preset, side

    def __call__(self, pictures: Tensor) -> Tensor:
        """Inverse depth `(batch, height, width)` in [0, 1] of images `(batch, height, width, 3)`, RGB in [0, 1]."""
        pictures = ops.convert_to_tensor(pictures)
        small = tf.image.resize(pictures, (self.side, self.side), antialias=True)
        inverse = self.model((small - _MEAN) / _DEVIATION, training=False)["depths"]
        inverse = ops.reshape(inverse, (-1, *inverse.shape[1:3], 1))
        return relative(tf.image.resize(inverse, tf.shape(pictures)[1:3])[..., 0])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"preset": self.preset, "side": self.side}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DepthAnything:
        """The module that `get_config` describes; its preset is loaded again."""
        return cls(**config)
