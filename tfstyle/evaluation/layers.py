"""The layers at which results are evaluated, which depend on the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone


class EvaluationLayers(NamedTuple):
    """Layers for scores.

    Attributes:
        content: The layer at which content is compared.
        style: The layers at which style is compared.
    """

    content: str
    style: tuple[str, ...]


# Chosen: next to the layers that methods optimise by default, and below those of the content in any method.
_VGG = EvaluationLayers("block3_conv2", ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"))
_SCORES = {"VGG16": _VGG, "VGG19": _VGG}
# Chosen: a deep layer of the network without its classifier.
_KID = {"InceptionV3": "mixed8", "VGG19Mini": "block4_conv1"}


def score_layers(network: Backbone) -> EvaluationLayers:
    """The layers at which scores compare content and style.

    A layer that a method has optimised can't evaluate the result. VGG16 and VGG19 are the networks that methods
    optimise: here, scores use layers that no method optimises by default. Other networks use their default layers.
    They are meant to evaluate results of VGG.

    Args:
        network: The network that evaluates.
    """
    return _SCORES.get(network.name, EvaluationLayers(network.content_layer, tuple(network.style_layers)))


def kid_layer(network: Backbone) -> str:
    """The layer whose features KID compares: a deep one, or the layer of the content for networks without an entry.

    Args:
        network: The network that evaluates.
    """
    return _KID.get(network.name, network.content_layer)
