"""Terms: losses on the layers of one backbone or on pixels, each a function of sums over positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.losses.tiles import Window

Features = Mapping[str, Tensor]  # by layer: (batch, height, width, channels)
Windows = Mapping[str, Window]  # by layer
Masks = Mapping[str, Tensor]  # by layer: (1, regions, height, width) at the resolution of the layer
Sums = dict[str, Any]  # nested dictionaries and lists of tensors, each (batch, ...)
Targets = dict[str, Any]  # nested dictionaries and lists of tensors, each (1 or batch, ...)

PIXELS = "pixels"  # the one layer of terms on pixels


@dataclass(frozen=True, eq=False)
class References:
    """What the targets of a term are computed from.

    Attributes:
        content_features: Features of the content image at the term's `target_layers`.
        content_sums: The term's `reference_sums` of the content image.
        style_sums: The term's `reference_sums` of each style image.
        style_weights: Weights of the style images in each region, `(regions, styles)`. Each row sums to 1.
        masks: Regions of the content image. None for one region that is the whole image.
    """

    content_features: Features
    content_sums: Sums
    style_sums: Sequence[Sums]
    style_weights: Sequence[Sequence[float]]
    masks: Masks | None = None


class Term:
    """Base class of terms: a loss on the layers of one backbone, or on pixels, with its weight.

    `sums` adds up what a term needs over positions, and `loss` is a function of these sums. So pictures can be cut
    into tiles. A subclass implements both, and `reference_sums` and `targets` if its loss depends on the content
    image or the style images.

    Args:
        backbone: The backbone whose features the loss depends on. None for pixels.
        layers: Name of one layer or of several.
        weight: Factor of the loss, at least 0.
        name: Name under which the loss is reported.

    Raises:
        InputError: The weight is negative, or there are no layers.
    """

    def __init__(self, backbone: Backbone | None, layers: str | Iterable[str], weight: float, name: str) -> None:
        if not weight >= 0:
            raise InputError(f"{name} weight {weight:g} is negative: give 0 or more")
        self.backbone = backbone
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        if not self.layers:
            raise InputError(f"the {name} term has no layers: name at least one")
        self.weight = float(weight)
        self.name = name

    @property
    def target_layers(self) -> tuple[str, ...]:
        """Layers whose features of the content image are targets, position by position."""
        return ()

    @property
    def sampled_layers(self) -> tuple[str, ...]:
        """Layers whose features of the style images `constants` needs a sample of."""
        return ()

    @property
    def stochastic(self) -> bool:
        """Whether `sums` and `loss` use random numbers. Their targets then have `"seeds"`, `(batch,)`."""
        return False

    def constants(self, samples: Features) -> Targets:
        """Constants that depend on the style images, by layer. Targets have them under `"constants"`.

        Args:
            samples: Features at random positions of all style images, `(1 or batch, positions, channels)` by layer.
        """
        return {}

    def reference_sums(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """Sums over positions of the content image or of a style image, which `targets` needs.

        Args:
            features: Features of the image or of a tile.
            windows: The part of each layer that the features cover.
            masks: Regions of the image. None for one region that is the whole image.
            constants: Result of `constants`. None for a term without `sampled_layers`.
        """
        return {}

    def targets(self, references: References) -> Targets:
        """What `sums` and `loss` compare a picture with. It is computed once, not in each step."""
        return {}

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """The sums over positions that the loss is a function of.

        Args:
            features: Features of the picture or of a tile.
            targets: Result of `targets`.
            windows: The part of each layer that the features cover.
        """
        raise NotImplementedError

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """The loss before its weight, `(batch,)`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        backbone = keras.saving.serialize_keras_object(self.backbone)
        return {"backbone": backbone, "layers": self.layers, "weight": self.weight, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Term:
        """The term with the configuration of `get_config`."""
        return cls(**{key: _deserialize(value) for key, value in config.items()})

    def __repr__(self) -> str:
        options = {key: value for key, value in vars(self).items() if key not in ("backbone", "name")}
        parts = [repr(self.name)] + ([] if self.backbone is None else [self.backbone.name])
        if self.backbone is None:
            options.pop("layers")  # the pixels
        parts += [f"{key}={list(value) if isinstance(value, tuple) else value!r}" for key, value in options.items()]
        return f"{type(self).__name__}({', '.join(parts)})"


def _deserialize(value: Any) -> Any:
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
