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


def score_layers(network: Backbone) -> EvaluationLayers:
    """The layers at which scores compare content and style.

    A layer that a method has optimised can't evaluate the result. VGG16 and VGG19 are the networks that methods
    optimise: here, scores use layers that no method optimises by default. Other networks use their default layers.
    They are meant to evaluate results of VGG.

    Args:
        network: The network that evaluates.
    """
    layers = network.spec.evaluation_layers or (network.content_layer, tuple(network.style_layers))
    return EvaluationLayers(*layers)


def kid_layer(network: Backbone) -> str:
    """The layer whose features KID compares: a deep one, or the layer of the content for networks without an entry.

    Args:
        network: The network that evaluates.
    """
    return network.spec.kid_layer or network.content_layer
