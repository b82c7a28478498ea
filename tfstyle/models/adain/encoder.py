"""A frozen backbone as a Keras layer, its features scaled to a mean activation of 1."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.features.weights import NAMED
from tfstyle.images import samples
from tfstyle.losses.statistics import at_least_float32
from tfstyle.models.torch_weights import numbered

SIDE = 256  # pixels of the photographs that scales are measured on: the size of AdaIN's training crops
_TOLERANCE = 0.05  # chosen: relative difference, as by rounding, up to which kernels are those of one network
_LEAST_SHARE = 0.01  # chosen: a filter's mean activation counts as at least this share of its layer's


@keras.saving.register_keras_serializable(package="tfstyle")
class Encoder(keras.layers.Layer):
    """The features of a frozen backbone, each layer's divided by a scale: its mean activation.

    Features of hundreds, as VGG19's are, would bring a decoder with Keras' initialisation far out of the range of
    images, and would give the losses of different layers different magnitudes. AdaIN's authors train on Gatys'
    normalised VGG, whose filters have a mean activation of 1. Here each layer has one factor, measured on the
    photographs of `tfstyle.samples`; `adapt` measures each filter on other images.

    The scales are weights, and are saved. The weights of the backbone are among `weights`, but are not saved with a
    model: its configuration names their source, from which they are read again.

    Args:
        backbone: The network.
        layers: Names of the layers whose features are returned.
    """

    def __init__(self, backbone: Backbone, layers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(autocast=False, **{**kwargs, "trainable": False})
        self.backbone = backbone  # no Keras object, so that Keras doesn't save its weights
        self.layers = tuple(layers)
        self.scales = {}
        photographs = (images.load(samples.content(name), SIDE).rgb[None] for name in samples.CONTENTS)
        for layer, mean in self._activations(photographs).items():
            self.scales[layer] = self.add_weight(
                shape=mean.shape, initializer="ones", dtype="float32", trainable=False, name=f"scale_{layer}"
            )
            self.scales[layer].assign(np.full_like(mean, mean.mean()))
        self.built = True

    def adapt(self, pictures: Iterable[Any]) -> None:
        """Scale each filter to a mean activation of 1 on images: Gatys' normalised VGG, as AdaIN's authors use it.

        To be called before training, as a decoder learns one scale. A filter that is hardly ever active counts as 1 %
        of its layer's mean (chosen).

        Args:
            pictures: Batches `(batch, height, width, 3)`, RGB in [0, 1], each of any size, as of a `tf.data.Dataset`.
        """
        for layer, mean in self._activations(pictures).items():
            self.scales[layer].assign(np.maximum(mean, _LEAST_SHARE * mean.mean()))

    def _activations(self, batches: Iterable[Any]) -> dict[str, np.ndarray]:
        """Mean |F| of each filter `(filters,)` by layer, with equal weights for all images."""
        sums: dict[str, Any] = {}
        count = 0
        for pictures in batches:
            count += len(pictures)
            for layer, features in self.backbone(ops.convert_to_tensor(pictures), self.layers).items():
                mean = ops.mean(ops.abs(at_least_float32(features)), axis=(1, 2))
                sums[layer] = sums.get(layer, 0) + ops.convert_to_numpy(ops.sum(mean, axis=0))
        return {layer: total / count for layer, total in sums.items()}

    def load_torch_scales(self, state: Mapping[str, Any]) -> None:
        """Load the scales of a normalised VGG in PyTorch, such as naoto0804/pytorch-AdaIN's `vgg_normalised.pth`.

        Where features f became f / m, kernels W became W m_in / m_out, channel by channel. So m follows from the
        kernels, from the lowest convolution upwards. A first convolution of 1x1 is preprocessing, and is skipped.

        Args:
            state: Its state dict, of PyTorch tensors or arrays.

        Raises:
            InputError: Kernels that are not the backbone's up to scales.
        """
        kernels = [kernel for kernel in numbered(state, "weight").values() if kernel.ndim == 4]
        kernels = kernels[1:] if kernels and kernels[0].shape == (1, 1, 3, 3) else kernels
        below = [layer for layer, _ in self.backbone.below(self.layers)[1] if isinstance(layer, keras.layers.Conv2D)]
        scales: dict[str, np.ndarray] = {}
        scale = np.ones(3)
        for place, layer in enumerate(below):
            kernel = layer.kernel.numpy().astype("float64") * scale[:, None]
            normalised = kernels[place].astype("float64") if place < len(kernels) else np.zeros(0)
            if normalised.shape != kernel.shape:
                raise InputError(
                    f"the state dict is not of {self.backbone.name}: its convolution {place + 1} differs"
                )
            scale = (kernel**2).sum((0, 1, 2)) / (kernel * normalised).sum((0, 1, 2))
            error = np.linalg.norm(normalised * scale - kernel)
            if not ((scale > 0).all() and error < _TOLERANCE * np.linalg.norm(kernel)):
                raise InputError(
                    f"the state dict is of another {self.backbone.name}: its {layer.name} differs by more than scales"
                )
            scales[layer.name] = scale
        for name in self.layers:
            self.scales[name].assign(scales[name])

    def call(self, pictures: Tensor) -> dict[str, Tensor]:
        """The scaled features of RGB images in [0, 1], by layer.

        Raises:
            InputError: Images smaller than the backbone takes, where their size is known.
        """
        self.backbone.check_size(pictures)
        unscaled = self.backbone.extractor(self.layers)(pictures)
        return {layer: values / ops.cast(self.scales[layer], values.dtype) for layer, values in unscaled.items()}

    @property
    def variables(self) -> list[keras.Variable]:
        """The scales, and the backbone's weights up to the deepest layer."""
        return [*super().variables, *self.backbone.extractor(self.layers).variables]

    @property
    def weights(self) -> list[keras.Variable]:
        """The scales, and the backbone's weights up to the deepest layer."""
        return [*super().weights, *self.backbone.extractor(self.layers).weights]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "backbone": backbone_config(self.backbone), "layers": self.layers}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Encoder:
        """The encoder that `get_config` describes."""
        return cls(**{**config, "backbone": backbone_from_config(config["backbone"])})


def backbone_config(backbone: Backbone) -> dict[str, Any]:
    """The configuration of a backbone, with the SHA-256 of its weights file if there is one."""
    return {
        "backbone": keras.saving.serialize_keras_object(backbone),
        "weights_sha256": backbone.weights_record.get("sha256"),
    }


def backbone_from_config(config: dict[str, Any]) -> Backbone:
    """The backbone that `backbone_config` describes, its weights read again from their source.

    If a weights file doesn't exist, as on another machine, the default weights of the backbone are used. Other
    weights than before are a warning.

    Raises:
        InputError: There are no weights.
    """
    source = config["backbone"]
    weights = source["config"]["weights"]
    if weights not in NAMED and not os.path.isfile(weights):
        source = {**source, "config": {**source["config"], "weights": None}}
    backbone = keras.saving.deserialize_keras_object(source)
    if backbone.weights_record.get("sha256") != config["weights_sha256"]:
        warnings.warn(
            f"the model was trained with other weights of {backbone.name} than those found now ({backbone.weights}): "
            f"it can't paint unless they are nearly equal",
            stacklevel=2,
        )
    return backbone
