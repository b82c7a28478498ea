"""What is known of each network by its name: its layers and sizes, how it is built, named and initialised."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import keras
import numpy as np

from tfstyle.features.vgg19mini import VGG19Mini


@dataclass(frozen=True)
class Defaults:
    """Layers that serve a backbone when none are asked for."""

    content: str
    style: tuple[str, ...]


# VGG: section 3 of Gatys et al. 2016; Keras fuses the ReLU, so that `block4_conv2` is relu4_2. The others are
# chosen: one layer a stride from 2 to 16 (as in VGG's blocks), within what InceptionV3's and ResNet50's
# middles can see; nobody has published layers for them.
_VGG = Defaults("block4_conv2", tuple(f"block{block}_conv1" for block in range(1, 6)))
DEFAULTS = {
    "VGG16": _VGG,
    "VGG19": _VGG,
    "VGG19Mini": _VGG,
    "InceptionV3": Defaults("mixed2", ("activation", "activation_2", "activation_4", "mixed2", "mixed6")),
    "ResNet50": Defaults(
        "conv3_block4_out", ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out")
    ),
    "NASNetMobile": Defaults(
        "normal_concat_3", ("stem_bn1", "reduction_concat_stem_1", "normal_concat_3", "normal_concat_8")
    ),
    "MobileNetV2": Defaults(
        "block_6_expand_relu",
        ("Conv1_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu"),
    ),
}
_MINIMUM_SIDES = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}  # as Keras demands
_MINIMUM_SIDE = 32
# NASNet's cells are built for one static size and differ for even and odd ones: pictures are padded to a
# multiple of 32, for which the structure is that of its native 224 pixels.
GRIDS = {"NASNetMobile": (224, 32), "NASNetLarge": (331, 32)}

_OWN = {"VGG19Mini": VGG19Mini}  # networks of this package
_SEE_AS = {"VGG19Mini": "VGG19"}  # whose preprocessing is another one's


@functools.cache
def names() -> tuple[str, ...]:
    """The names of all networks: `keras.applications` models, and `VGG19Mini`."""
    return (*(name for name in dir(keras.applications) if name[0].isupper()), *_OWN)


def minimum_side(name: str) -> int:
    """The shortest side of a picture, in pixels, that the named network takes."""
    return _MINIMUM_SIDES.get(name, _MINIMUM_SIDE)


def sees_as(name: str) -> str:
    """The `keras.applications` model whose preprocessing is the named network's."""
    return _SEE_AS.get(name, name)


def build(name: str) -> keras.Model:
    """The named network without its classifier, with Keras' initialisation."""
    side = GRIDS[name][0] if name in GRIDS else None
    made = _OWN.get(name) or getattr(keras.applications, name)
    return made(include_top=False, weights=None, input_shape=(side, side, 3))


def he_initialize(model: keras.Model, seed: int) -> None:
    """He initialisation of every kernel, each from its own stream, whatever Keras' global seed is."""
    for index, variable in enumerate(model.weights):
        kind = variable.path.rpartition("/")[2]
        if "kernel" in kind:
            height, width, inputs, outputs = (1, 1, *variable.shape)[-4:]
            fan_in = height * width * (1 if outputs == 1 else inputs)  # one output: depthwise
            random = np.random.default_rng([seed, index])
            variable.assign(random.standard_normal(variable.shape, "float32") * np.sqrt(2 / fan_in))


def stable_names(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Layers by the names that they have in a fresh process.

    Layers that Keras names itself count up as they are made, so the rank of a layer's number among those of
    its class in one model is the number that it has when the model is the first.
    """
    numbered: dict[str, list[tuple[int, int]]] = {}
    for index, layer in enumerate(model.layers):
        match = re.fullmatch(r"(.*?)(?:_(\d+))?", layer.name)
        if match and match[1].replace("_", "") == type(layer).__name__.lower():
            numbered.setdefault(match[1], []).append((int(match[2] or 0), index))
    stable = {
        index: stem if rank == 0 else f"{stem}_{rank}"
        for stem, found in numbered.items()
        for rank, (_, index) in enumerate(sorted(found))
    }
    return {stable.get(index, layer.name): layer for index, layer in enumerate(model.layers)}
