"""Everything that is known of a backbone by its name, in one place.

A network of `keras.applications` needs no entry: the defaults of `BackboneSpec` fit it. A network of this package
needs an entry in `BACKBONES`, and its weights file in `tfstyle/embedded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BackboneSpec:
    """What is known of a network by its name.

    Attributes:
        name: Name in `keras.applications`, or of a network of this package.
        content_layer: Default layer of content losses. None for the last layer at stride 8.
        style_layers: Default layers of style losses. None for the last layer at each stride from 2 to 16.
        minimum_side: Shortest side of a picture, in pixels.
        native_side: Side of the pictures that the network is built for, in pixels. None for any size.
        multiple: Both sides of a picture are padded to a multiple of this, in pixels.
        preprocessing: The `keras.applications` network whose preprocessing this one takes. None for its own.
        builder: `"module:function"` for a network of this package. The function takes the arguments `include_top`,
            `weights` and `input_shape` of `keras.applications`. None for a network of `keras.applications`.
        weights_file: Name of the weights file in `tfstyle/embedded`. None for ImageNet weights.
        tested: Whether the tests run the network with weights. `tfstyle weights` lists these.
        is_fallback: Whether `"auto"` stands for this network where ImageNet weights are missing.
        adain_layer: Layer that `AdaIN` transforms. None for the content layer.
        kid_layer: Layer that `kid` compares. None for the content layer.
        evaluation_layers: The content layer and the style layers that scores compare. None for the default layers.
        has_vgg_scale: Whether the loss weights of a method, which were found on VGG, suit this network.
        has_vgg_layers: Whether the layer names of a method, which are those of VGG19, name layers of this network.
        missing_vgg_layers: Layers of VGG19 that this network lacks although it has the others.
        method_constants: Fields of a method that have values of their own on this network.
        lbfgs_options: Options of L-BFGS on this network.
    """

    name: str
    content_layer: str | None = None
    style_layers: tuple[str, ...] | None = None
    minimum_side: int = 32
    native_side: int | None = None
    multiple: int = 1
    preprocessing: str | None = None
    builder: str | None = None
    weights_file: str | None = None
    tested: bool = False
    is_fallback: bool = False
    adain_layer: str | None = None
    kid_layer: str | None = None
    evaluation_layers: tuple[str, tuple[str, ...]] | None = None
    has_vgg_scale: bool = False
    has_vgg_layers: bool = False
    missing_vgg_layers: tuple[str, ...] = ()
    method_constants: Mapping[str, Any] = field(default_factory=dict)
    lbfgs_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def constructor(self) -> str:
        """The function that builds the network, for messages: `"keras.applications.VGG19"`."""
        return f"keras.applications.{self.name}" if self.builder is None else self.builder.replace(":", ".")


# VGG's layers are those of Gatys et al. 2016, section 3: Keras fuses the ReLU, so that `block4_conv2` is relu4_2.
# `adain_layer` is relu4_1, as in Huang & Belongie 2017, section 6.
_VGG: dict[str, Any] = {
    "content_layer": "block4_conv2",
    "style_layers": tuple(f"block{block}_conv1" for block in range(1, 6)),
    "adain_layer": "block4_conv1",
    "tested": True,
    "has_vgg_layers": True,
}
# Chosen: beside the layers that methods optimise, and below the content layer of every method.
_VGG_EVALUATION_LAYERS = ("block3_conv2", ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"))

# The layers of networks other than VGG are chosen, as nobody has published any: one layer for each stride from 2 to
# 16, as in the blocks of VGG, within the part of InceptionV3 and ResNet50 whose receptive fields are not too large.
# `kid_layer` is chosen among the layers that weights files without a top contain.
BACKBONES = {
    spec.name: spec
    for spec in (
        BackboneSpec(
            name="VGG19Mini",
            builder="tfstyle.features.vgg19mini:VGG19Mini",
            weights_file="vgg19mini.weights.h5",
            is_fallback=True,
            preprocessing="VGG19",
            kid_layer="block4_conv1",
            missing_vgg_layers=(*(f"block5_conv{number}" for number in (2, 3, 4)), "block5_pool"),
            # With this weight, held-out pairs keep as much of their contents as with VGG19 and its own weights: SSIM
            # 0.55 and 0.56.
            method_constants={"content_weight": 0.02},
            # A step of this network is quick, so that L-BFGS's own part counts: on six pairs of pictures 10 pairs
            # reach the loss that 20 reach, within 1 %.
            lbfgs_options={"history": 10},
            **_VGG,
        ),
        BackboneSpec(name="VGG16", has_vgg_scale=True, evaluation_layers=_VGG_EVALUATION_LAYERS, **_VGG),
        BackboneSpec(name="VGG19", has_vgg_scale=True, evaluation_layers=_VGG_EVALUATION_LAYERS, **_VGG),
        BackboneSpec(
            name="InceptionV3",
            content_layer="mixed2",
            style_layers=("activation", "activation_2", "activation_4", "mixed2", "mixed6"),
            minimum_side=75,
            kid_layer="mixed8",
            tested=True,
        ),
        BackboneSpec(
            name="ResNet50",
            content_layer="conv3_block4_out",
            style_layers=("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out"),
            tested=True,
        ),
        # NASNet's cells are built for one static size, and differ for even and odd sizes. Padded to a multiple of 32,
        # every picture gets the structure of the native size.
        BackboneSpec(
            name="NASNetMobile",
            content_layer="normal_concat_3",
            style_layers=("stem_bn1", "reduction_concat_stem_1", "normal_concat_3", "normal_concat_8"),
            native_side=224,
            multiple=32,
            tested=True,
        ),
        BackboneSpec(
            name="MobileNetV2",
            content_layer="block_6_expand_relu",
            style_layers=("Conv1_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu"),
            tested=True,
        ),
        BackboneSpec(name="NASNetLarge", native_side=331, multiple=32),
        # Keras demands these sides.
        BackboneSpec(name="InceptionResNetV2", minimum_side=75),
        BackboneSpec(name="Xception", minimum_side=71),
    )
}


def spec_of(name: str) -> BackboneSpec:
    """What is known of a network.

    Args:
        name: Name of a network in `keras.applications` or in this package, with its capitals.
    """
    return BACKBONES.get(name) or BackboneSpec(name=name)


def fallback() -> BackboneSpec:
    """The network with embedded weights that `"auto"` stands for where ImageNet weights are missing."""
    return next(spec for spec in BACKBONES.values() if spec.is_fallback)


def tested() -> tuple[str, ...]:
    """Names of the networks that the tests run with weights."""
    return tuple(name for name, spec in BACKBONES.items() if spec.tested)
