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
from tfstyle.features.backbone import Backbone
from tfstyle.features.weights import NAMED
from tfstyle.images import samples
from tfstyle.losses.statistics import at_least_float32
from tfstyle.models.torch_weights import numbered

Tensor = Any

SIDE = 256  # pixels of the photographs that scales are measured on: AdaIN's crops have as many
_SAME = 0.05  # chosen: of kernels' size, by which those of one network are apart at most, as by rounding
_LEAST_SHARE = 0.01  # chosen: of a layer's mean activation, which a filter's counts as at least


@keras.saving.register_keras_serializable(package="tfstyle")
class Encoder(keras.layers.Layer):
    """A frozen backbone's features, each layer's divided by a scale: its mean activation.

    Features of hundreds, as VGG19's are, would leave a decoder that begins with Keras' initialisation far off the
    range of pictures, and losses of unlike layers at odds: AdaIN's authors train on Gatys' normalised VGG, whose
    filters have a mean activation of 1. Here it is one factor a layer, measured on the photographs of
    `tfstyle.samples`; `adapt` measures each filter on other pictures.

    The scales are weights, and saved. The backbone's weights are among `weights` too, but are not saved with a
    model: its configuration names their source, from which they are read again.

    Args:
        backbone: The network.
        layers: Names of the layers asked for.
    """

    def __init__(self, backbone: Backbone, layers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(autocast=False, **{**kwargs, "trainable": False})
        self.backbone = backbone  # no Keras object, so that Keras doesn't save what is in it
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
        """Scale each filter to a mean activation of 1 on pictures: Gatys' normalised VGG, as AdaIN's authors use it.

        To be done before training: a decoder has learnt one scale. A filter that is hardly ever active counts as 1 %
        of its layer's mean (chosen).

        Args:
            pictures: Batches `(batch, height, width, 3)`, RGB in [0, 1], each of any size, as of a `tf.data.Dataset`.
        """
        for layer, mean in self._activations(pictures).items():
            self.scales[layer].assign(np.maximum(mean, _LEAST_SHARE * mean.mean()))

    def _activations(self, batches: Iterable[Any]) -> dict[str, np.ndarray]:
        """Mean |F| of each filter of each layer, `(N,)`, all pictures having equal say."""
        sums: dict[str, Any] = {}
        number = 0
        for pictures in batches:
            number += len(pictures)
            for layer, features in self.backbone(ops.convert_to_tensor(pictures), self.layers).items():
                mean = ops.mean(ops.abs(at_least_float32(features)), axis=(1, 2))
                sums[layer] = sums.get(layer, 0) + ops.convert_to_numpy(ops.sum(mean, axis=0))
        return {layer: total / number for layer, total in sums.items()}

    def load_torch_scales(self, state: Mapping[str, Any]) -> None:
        """Take the scales of a normalised VGG in PyTorch, such as naoto0804/pytorch-AdaIN's `vgg_normalised.pth`.

        Where features f became f / m, kernels W became W m_in / m_out, channel by channel: so m follows from kernels,
        from the lowest convolution upwards. A first one of 1x1 is its preprocessing, and passed over.

        Args:
            state: Its state dict, of PyTorch tensors or arrays.

        Raises:
            InputError: Kernels that are not the backbone's but for scales.
        """
        given = [kernel for kernel in numbered(state, "weight").values() if kernel.ndim == 4]
        given = given[1:] if given and given[0].shape == (1, 1, 3, 3) else given
        below = [layer for layer, _ in self.backbone.below(self.layers)[1] if isinstance(layer, keras.layers.Conv2D)]
        scales: dict[str, np.ndarray] = {}
        scale = np.ones(3)
        for place, layer in enumerate(below):
            own = layer.kernel.numpy().astype("float64") * scale[:, None]
            other = given[place].astype("float64") if place < len(given) else np.zeros(0)
            if other.shape != own.shape:
                raise InputError(
                    f"the state dict is not of {self.backbone.name}: its convolution {place + 1} differs"
                )
            scale = (own**2).sum((0, 1, 2)) / (own * other).sum((0, 1, 2))
            if not ((scale > 0).all() and np.linalg.norm(other * scale - own) < _SAME * np.linalg.norm(own)):
                problem = f"its {layer.name} is not this one's but for scales"
                raise InputError(f"the state dict is of another {self.backbone.name}: {problem}")
            scales[layer.name] = scale
        for name in self.layers:
            self.scales[name].assign(scales[name])

    def call(self, pictures: Tensor) -> dict[str, Tensor]:
        """The scaled features of RGB pictures in [0, 1], by layer.

        Raises:
            InputError: Pictures smaller than the backbone takes, where their size is known.
        """
        self.backbone.check_size(pictures)
        found = self.backbone.extractor(self.layers)(pictures)
        return {layer: features / ops.cast(self.scales[layer], features.dtype) for layer, features in found.items()}

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
        return {**super().get_config(), "backbone": described(self.backbone), "layers": self.layers}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Encoder:
        """The encoder that `get_config` described."""
        return cls(**{**config, "backbone": restored(config["backbone"])})


def described(backbone: Backbone) -> dict[str, Any]:
    """A backbone as a configuration has it, with the SHA-256 of its weights' file if there is one."""
    return {
        "backbone": keras.saving.serialize_keras_object(backbone),
        "weights_sha256": backbone.weights_record.get("sha256"),
    }


def restored(config: dict[str, Any]) -> Backbone:
    """The backbone that `described` was given, its weights read again from their source.

    For a file that isn't there, as on another machine, the backbone's default weights are looked for. Weights that
    are not the same are a warning.

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
            f"unless they are nearly the same, it can't paint",
            stacklevel=2,
        )
    return backbone
