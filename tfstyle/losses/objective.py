"""The objective of an optimisation: a weighted sum of terms."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfstyle.core.errors import InputError
from tfstyle.core.saving import renamed_keys
from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.images.masks import Regions
from tfstyle.losses.accumulation import AllFeatures, AllWindows
from tfstyle.losses.extraction import FeatureExtractor
from tfstyle.losses.registry import register_classes
from tfstyle.losses.targets import TargetBuilder
from tfstyle.losses.term import Targets, Term
from tfstyle.losses.tiles import Grid, Halo
from tfstyle.losses.two_pass import two_pass


@keras.saving.register_keras_serializable(package="tfstyle")
class Objective:
    """A weighted sum of terms.

    Each backbone runs once in each evaluation, and is cut at the deepest layer that a term needs.

    Args:
        terms: At least one term. Terms of one name are numbered: `style`, `style_2`, ...
        tile: Longest side of a tile, in pixels. Larger pictures are computed in tiles, which bounds the memory, gives
            the same losses and gradients, and takes up to twice the time. None for no tiles.
        gradient_shares: A share of the gradient for each backbone, in the order of the terms. The losses of the
            backbones get factors, so that the norms of their gradients at the content image have these proportions;
            the factor of the first backbone is 1 (chosen). None for losses without factors.

    Attributes:
        terms: The terms.
        names: Their names.

    Raises:
        InputError: There are no terms, or not one positive share for each backbone.

    Examples:
        >>> import numpy as np
        >>> from tfstyle import Backbone, ContentTerm, StyleTerm
        >>> backbone = Backbone("VGG19Mini")
        >>> objective = Objective([
        ...     ContentTerm(backbone, "block1_conv1", weight=5.0),
        ...     StyleTerm(backbone, ["block1_conv1"], weight=100.0),
        ... ])
        >>> content, style = np.random.default_rng(0).random((2, 1, 32, 32, 3)).astype("float32")
        >>> targets = objective.targets(content, [style])
        >>> losses = objective(content, targets)
        >>> [(name, loss.shape) for name, loss in losses.items()]
        [('content', TensorShape([1])), ('style', TensorShape([1]))]
        >>> float(losses["content"][0])
        0.0
    """

    def __init__(
        self, terms: Iterable[Term], tile: int | None = None, gradient_shares: Sequence[float] | None = None
    ) -> None:
        self.terms = tuple(terms)
        if not self.terms:
            raise InputError("an objective needs at least one term")
        names = ["loss"]  # the name of the sum
        for term in self.terms:
            numbered = (term.name if n == 1 else f"{term.name}_{n}" for n in itertools.count(1))
            names.append(next(name for name in numbered if name not in names))
        self.names = tuple(names[1:])
        self._named_terms = tuple(zip(self.names, self.terms, strict=True))
        self.tile = tile
        self._extractor = FeatureExtractor(self.terms)
        self.gradient_shares = tuple(float(share) for share in gradient_shares or ())
        number = len(self.backbones)
        if self.gradient_shares and len(self.gradient_shares) != number:
            raise InputError(
                f"{len(self.gradient_shares)} gradient shares for {number} backbones: give one for each backbone"
            )
        if not all(0 < share < math.inf for share in self.gradient_shares):
            raise InputError(f"gradient shares {self.gradient_shares} can't be used: give numbers above 0")

    @property
    def backbones(self) -> tuple[Backbone, ...]:
        """The backbones of the terms."""
        return self._extractor.backbones

    @property
    def layers_by_backbone(self) -> list[tuple[Backbone, list[str]]]:
        """Each backbone with the layers that terms need."""
        return self._extractor.layers_by_backbone

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels, that all backbones take."""
        return self._extractor.minimum_side

    @property
    def halo(self) -> Halo:
        """The pixels that tiles need around those that they own.

        Raises:
            InputError: A layer of a backbone sees the whole picture.
        """
        return self._extractor.halo

    def grid(self, height: int, width: int) -> Grid | None:
        """The tiles of a picture. None if it is computed as a whole.

        Args:
            height: Height of the picture, in pixels.
            width: Width of the picture, in pixels.

        Raises:
            InputError: The tile is too small for the layers, or a layer sees the whole picture.
        """
        return self._extractor.grid(height, width, self.tile)

    def targets(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        style_weights: Sequence[float] | None = None,
        regions: Regions | None = None,
    ) -> Targets:
        """What the terms compare a picture with. It is computed once, not in each step.

        A style image without any weight has no influence. Pictures of a batch may have targets of their own: see
        `tfstyle.losses.targets.side_by_side`.

        Args:
            content: `(batch, height, width, 3)`, RGB in [0, 1].
            styles: Images of any sizes, each `(1, height, width, 3)`, RGB in [0, 1].
            style_weights: Weights of the style images, which sum to 1. None for equal weights.
            regions: Regions with style weights of their own. None for all styles everywhere.

        Returns:
            Nested dictionaries of tensors: `"scales"` of normalised backbones' layers, `"terms"`, and with
            `gradient_shares` the `"factors"` of the terms, each `(batch,)`.

        Raises:
            InputError: A picture is too small for a backbone, or a term can't use regions.
        """
        builder = TargetBuilder(
            self._extractor, self._named_terms, self.tile, content, styles, style_weights, regions
        )
        targets = builder.build()
        return {**targets, "factors": self._gradient_factors(content, targets)} if self.gradient_shares else targets

    def _gradient_factors(self, content: Tensor, targets: Targets) -> dict[str, Tensor]:
        """Factors of terms, `(batch,)` by name, that give each backbone its share of the gradient at the content."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(content)
            losses = self(content, targets)
            totals = [
                sum(losses[name] for name, term in self._named_terms if term.backbone is backbone)
                for backbone in self.backbones
            ]
        slopes = (tape.gradient(total, content) for total in totals)
        norms = [tf.sqrt(tf.reduce_sum(tf.square(slope), axis=(1, 2, 3))) for slope in slopes]
        factors = {
            id(backbone): tf.math.divide_no_nan(share / self.gradient_shares[0] * norms[0], norm)
            for backbone, share, norm in zip(self.backbones, self.gradient_shares, norms, strict=True)
        }
        return {name: factors[id(term.backbone)] for name, term in self._named_terms if term.backbone is not None}

    def __call__(self, pictures: Tensor, targets: Targets) -> dict[str, Tensor]:
        """The weighted loss of each term by name, `(batch,)`.

        Args:
            pictures: `(batch, height, width, 3)`, RGB in [0, 1].
            targets: Result of `targets`.
        """
        targets = self._with_seeds(targets, pictures)
        grid = self.grid(*pictures.shape[1:3])
        if grid is None:
            sums = self._sums(self._extractor(pictures), self._extractor.windows(), targets)
            losses = self._losses(sums, targets)
        else:
            losses = two_pass(
                lambda crop, index: self._sums(self._extractor(crop), self._extractor.windows(grid, index), targets),
                lambda sums: self._losses(sums, targets),
                pictures,
                grid,
            )
        return dict(zip(self.names, losses, strict=True))

    def _with_seeds(self, targets: Targets, pictures: Tensor) -> Targets:
        """The targets, with seeds for stochastic terms that depend on the pictures alone.

        So a picture has the same loss in both passes over tiles, and in an optimisation that is resumed.
        """
        terms = dict(targets["terms"])
        for name, term in self._named_terms:
            if term.stochastic:
                terms[name] = {**terms[name], "seeds": _seeds(pictures)}
        return {**targets, "terms": terms}

    def _sums(self, features: AllFeatures, windows: AllWindows, targets: Targets) -> dict[str, Any]:
        select = self._extractor.select
        return {
            name: term.sums(select(term, features, targets["scales"]), targets["terms"][name], select(term, windows))
            for name, term in self._named_terms
        }

    def _losses(self, sums: dict[str, Any], targets: Targets) -> list[Tensor]:
        return [
            term.weight * targets.get("factors", {}).get(name, 1.0) * term.loss(sums[name], targets["terms"][name])
            for name, term in self._named_terms
        ]

    def get_config(self) -> dict[str, Any]:
        """The backbones, the terms with the numbers of their backbones, the tile and the shares."""
        terms = [keras.saving.serialize_keras_object(term) for term in self.terms]
        for term, serialized in zip(self.terms, terms, strict=True):
            if term.backbone is not None:
                serialized["config"]["backbone"] = self.backbones.index(term.backbone)
        backbones = [keras.saving.serialize_keras_object(backbone) for backbone in self.backbones]
        return {
            "backbones": backbones,
            "terms": terms,
            "tile": self.tile,
            "gradient_shares": self.gradient_shares,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Objective:
        """The objective with the configuration of `get_config`; its terms share backbones as before."""
        config = renamed_keys(config, {"shares": "gradient_shares"})
        register_classes()
        backbones = [keras.saving.deserialize_keras_object(backbone) for backbone in config["backbones"]]
        terms = []
        for serialized in config["terms"]:
            options = dict(serialized["config"])
            if "backbone" in options:
                options["backbone"] = backbones[options["backbone"]]
            terms.append(keras.saving.get_registered_object(serialized["registered_name"]).from_config(options))
        return cls(terms, config["tile"], config["gradient_shares"])

    def __repr__(self) -> str:
        lines = [f"    {name}: {term!r}," for name, term in self._named_terms]
        if self.tile is not None:
            lines.append(f"    tile={self.tile},")
        if self.gradient_shares:
            lines.append(f"    gradient_shares={list(self.gradient_shares)},")
        return "\n".join(["Objective(", *lines, ")"])


def _seeds(pictures: Tensor) -> Tensor:
    """A seed for each picture, `(batch,)`: the sum of the bits of its pixels as integers, which no order changes."""
    rows, columns = (math.ceil(side / 256) for side in pictures.shape[1:3])  # 256 of each are enough (chosen)
    some = tf.cast(pictures[:, ::rows, ::columns], "float32")
    return tf.reduce_sum(tf.cast(tf.bitcast(some, "int32"), "int64"), axis=(1, 2, 3))
