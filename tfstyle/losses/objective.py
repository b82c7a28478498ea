"""The objective: the sum of terms, with one forward pass per backbone, whatever the number of terms."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.errors import InputError
from tfstyle.features.receptive_field import ReceptiveField
from tfstyle.images.masks import Regions
from tfstyle.losses.accumulation import Look, mean_activations
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.terms import PIXELS, Features, Masks, Targets, Term, Windows
from tfstyle.losses.tiling import WHOLE, Grid, Halo, spans, two_pass

Tensor = Any

SAMPLE = 256  # positions of each style picture (chosen)


@keras.saving.register_keras_serializable(package="tfstyle")
class Objective:
    """The sum of terms.

    Each backbone runs once per evaluation, cut at the deepest layer that a term asks for.

    Args:
        terms: At least one; those of one name are numbered (`style`, `style_2`, ...).
        tile: Longest side, in pixels, of the tiles that larger pictures are worked on in, which bounds the
            memory and gives the same losses and gradients in up to twice the time; None for no tiles.
        shares: For each backbone, in the order of the terms, its share of the gradient: its losses are multiplied so
            that the norms of their gradients at the content picture are in these proportions, the first backbone's
            losses staying as they are (chosen). None for losses as they are.

    Examples:
        >>> vgg = Backbone("VGG19")
        >>> objective = Objective([
        ...     ContentTerm(vgg, "block4_conv2", weight=5.0),
        ...     StyleTerm(vgg, statistic=GramMatrix(), weight=100.0),
        ... ])
        >>> targets = objective.targets(content, [style])
        >>> objective(pictures, targets)  # {"content": (batch,), "style": (batch,)}
    """

    def __init__(self, terms: Iterable[Term], tile: int | None = None, shares: Sequence[float] | None = None) -> None:
        self.terms = tuple(terms)
        if not self.terms:
            raise InputError("an objective needs at least one term")
        names = ["loss"]  # the sum's own
        for term in self.terms:
            numbered = (term.name if n == 1 else f"{term.name}_{n}" for n in itertools.count(1))
            names.append(next(name for name in numbered if name not in names))
        self.names = tuple(names[1:])
        self._named = tuple(zip(self.names, self.terms, strict=True))
        self.tile = tile
        self.backbones = tuple({id(t.backbone): t.backbone for t in self.terms if t.backbone}.values())
        self.layers_by_backbone = [
            (backbone, sorted({layer for term in self.terms if term.backbone is backbone for layer in term.layers}))
            for backbone in self.backbones
        ]
        self.shares = tuple(float(share) for share in shares or ())
        if self.shares and len(self.shares) != len(self.backbones):
            raise InputError(f"{len(self.shares)} shares for {len(self.backbones)} backbones: give one for each")
        if not all(0 < share < math.inf for share in self.shares):
            raise InputError(f"shares {self.shares} must be numbers above 0")

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels, that all backbones take."""
        return max((backbone.minimum_side for backbone in self.backbones), default=1)

    @property
    def halo(self) -> Halo:
        """What tiles need around the positions that they own.

        Raises:
            InputError: A layer of a backbone looks at the whole picture.
        """
        fields = [ReceptiveField(1, 1, 1)]  # terms on pixels look at their neighbours
        for backbone, layers in self.layers_by_backbone:
            fields += backbone.receptive_fields(layers).values()
        stride = math.lcm(*(field.stride for field in fields), *(b.multiple for b in self.backbones))
        before, after = (
            math.ceil(max(getattr(field, side) for field in fields) / stride) * stride for side in ("before", "after")
        )
        lacking = self.minimum_side - before - after  # a tile must be large enough for the networks, too
        return Halo(stride, before, after + max(0, math.ceil(lacking / stride)) * stride)

    def grid(self, height: int, width: int) -> Grid | None:
        """The tiles of a picture; None if it is worked on as a whole.

        Raises:
            InputError: The tile is too small for the layers, or a layer looks at the whole picture.
        """
        if self.tile is None or max(height, width) <= self.tile:
            return None
        halo = self.halo
        return Grid(spans(height, self.tile, halo), spans(width, self.tile, halo))

    def targets(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        mix: Sequence[float] | None = None,
        regions: Regions | None = None,
    ) -> Targets:
        """All that the terms compare with; computed once, never in the step.

        A style that has no share has no say. Pictures of a batch with styles of their own have the targets of each,
        `side_by_side`.

        Args:
            content: `(batch, height, width, 3)`, RGB in [0, 1].
            styles: Pictures of any sizes, each `(1, height, width, 3)`.
            mix: Weights of the styles, which sum to 1; None for equal ones.
            regions: Which style goes where; None for all styles everywhere, as `mix` says.

        Returns:
            Nested dictionaries of tensors: `"scales"` of normalised backbones' layers, `"terms"`, and for an
            objective with `shares` the `"factors"` of the terms, each `(batch,)`.
        """
        if regions is None:
            rows = [list(mix or [1 / len(styles)] * len(styles))]
            masks: list[Any] = [None] * (1 + len(styles))
        else:
            rows = regions.style_weights.tolist()
            masks = [regions.content, *regions.styles]
        taking_part = [k for k in range(len(styles)) if any(row[k] > 0 for row in rows)]
        rows = [[row[k] for k in taking_part] for row in rows]
        styles, masks = [styles[k] for k in taking_part], [masks[0], *(masks[1 + k] for k in taking_part)]
        looks = [
            Look(picture, self.grid(*picture.shape[1:3]), self._features, self._windows)
            for picture in (content, *styles)
        ]
        scales = self._scales(looks)
        constants = {
            name: {"constants": term.constants(self._samples(term, looks[1:], scales))} if term.sampled_layers else {}
            for name, term in self._named
        }
        tours: list[tuple[dict[str, Any], list[dict[str, Tensor]]]] = []
        masks_by_layer: list[Any] = []
        for look, mask in zip(looks, masks, strict=True):
            masks_by_layer.append(None if mask is None else look.masks(mask))
            wanted = self._kept_layers if look is looks[0] else None
            tours.append(look.toured(self._survey(scales, masks_by_layer[-1], constants), wanted))
            look.forget()
        (of_photo, kept), *of_paintings = tours
        terms = {}
        for name, term in self._named:
            of_content = None if masks_by_layer[0] is None else self._view(term, masks_by_layer[0])
            of_styles = [survey[name] for survey, _ in of_paintings]
            mine = self._view(term, kept, scales, term.kept_layers)
            found = term.targets(mine, of_photo[name], of_styles, rows, of_content)
            terms[name] = {**found, **constants[name]}
        targets = {"scales": scales, "terms": terms}
        return {**targets, "factors": self._factors(content, targets)} if self.shares else targets

    def _factors(self, content: Tensor, targets: Targets) -> dict[str, Tensor]:
        """By term of a backbone: what gives its backbone its share of the gradient at the content picture."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(content)
            losses = self(content, targets)
            totals = [
                sum(losses[name] for name, term in self._named if term.backbone is backbone)
                for backbone in self.backbones
            ]
        slopes = (tape.gradient(total, content) for total in totals)
        norms = [tf.sqrt(tf.reduce_sum(tf.square(slope), axis=(1, 2, 3))) for slope in slopes]
        factors = {
            id(backbone): tf.math.divide_no_nan(share / self.shares[0] * norms[0], norm)
            for backbone, share, norm in zip(self.backbones, self.shares, norms, strict=True)
        }
        return {name: factors[id(term.backbone)] for name, term in self._named if term.backbone is not None}

    def __call__(self, pictures: Tensor, targets: Targets) -> dict[str, Tensor]:
        """The weighted loss of each term, of shape `(batch,)`, by name.

        Args:
            pictures: `(batch, height, width, 3)`, RGB in [0, 1].
            targets: What `targets` returned.
        """
        targets = self._seeded(targets, pictures)
        grid = self.grid(*pictures.shape[1:3])
        if grid is None:
            losses = self._losses(self._sums(self._features(pictures), self._windows(), targets), targets)
        else:
            losses = two_pass(
                lambda crop, index: self._sums(self._features(crop), self._windows(grid, index), targets),
                lambda sums: self._losses(sums, targets),
                pictures,
                grid,
            )
        return dict(zip(self.names, losses, strict=True))

    def _seeded(self, targets: Targets, pictures: Tensor) -> Targets:
        """The targets, with seeds made of the pictures for the terms that draw.

        So the same picture has the same loss, in both passes over tiles and in a run that is resumed.
        """
        terms = dict(targets["terms"])
        for name, term in self._named:
            if term.draws:
                terms[name] = {**terms[name], "seeds": _seeds(pictures)}
        return {**targets, "terms": terms}

    def _sums(self, features: list[Features], windows: list[Windows], targets: Targets) -> dict[str, Any]:
        return {
            name: term.sums(
                self._view(term, features, targets["scales"]), targets["terms"][name], self._view(term, windows)
            )
            for name, term in self._named
        }

    def _losses(self, sums: dict[str, Any], targets: Targets) -> list[Tensor]:
        return [
            term.weight * targets.get("factors", {}).get(name, 1.0) * term.loss(sums[name], targets["terms"][name])
            for name, term in self._named
        ]

    def _features(self, pictures: Tensor) -> list[Features]:
        """Features of each backbone, in the precision that it runs in, and last the pixels."""
        return [*(backbone(pictures, layers) for backbone, layers in self.layers_by_backbone), {PIXELS: pictures}]

    def _windows(self, grid: Grid | None = None, index: Tensor = 0) -> list[Windows]:
        """For each backbone, and last the pixels, what of each layer tile `index` is."""
        if grid is None:
            return [*(dict.fromkeys(layers, WHOLE) for _, layers in self.layers_by_backbone), {PIXELS: WHOLE}]
        windows: list[Windows] = [
            {layer: grid.window(index, field.stride) for layer, field in backbone.receptive_fields(layers).items()}
            for backbone, layers in self.layers_by_backbone
        ]
        return [*windows, {PIXELS: grid.window(index)}]

    def _view(
        self,
        term: Term,
        everything: Sequence[Mapping[str, Any]],
        scales: Mapping[str, Any] | None = None,
        layers: Iterable[str] | None = None,
    ) -> Any:
        """What one term sees of all: its backbone's layers, or pixels; `layers` of them scaled if `scales` say so."""
        index = len(self.backbones) if term.backbone is None else self.backbones.index(term.backbone)
        scale = (scales or {}).get(str(index))
        if scale is None:
            return everything[index]
        layers = term.layers if layers is None else layers
        return {layer: at_least_float32(everything[index][layer]) * scale[layer] for layer in layers}

    def _scales(self, looks: list[Look]) -> dict[str, dict[str, Tensor]]:
        """By normalised backbone: the factor of each layer that gives it the mean activation 1 over all pictures."""
        return {
            str(index): {
                layer: 1 / (mean + keras.config.epsilon()) for layer, mean in mean_activations(looks, index).items()
            }
            for index, backbone in enumerate(self.backbones)
            if backbone.normalize
        }

    def _samples(self, term: Term, looks: Sequence[Look], scales: Mapping[str, Any]) -> Features:
        """Features of all pictures at random positions, by layer, as one term sees them."""
        places = np.random.default_rng(0).random((1, SAMPLE, 2))

        def sample(features: list[Features], windows: list[Windows]) -> Features:
            values, there = self._view(term, features, scales), self._view(term, windows)
            return {layer: there[layer].sample(values[layer], places) for layer in term.sampled_layers}

        pictures = [look.summed(sample) for look in looks]
        return {layer: ops.concatenate([each[layer] for each in pictures], axis=1) for layer in term.sampled_layers}

    def _survey(
        self, scales: Mapping[str, Any], masks: list[Masks] | None, constants: Mapping[str, Any]
    ) -> Callable[..., dict[str, Any]]:
        """What each term wants to know of a picture, as a function of features and windows."""
        return lambda features, windows: {
            name: term.survey(
                self._view(term, features, scales),
                self._view(term, windows),
                None if masks is None else self._view(term, masks),
                **constants[name],
            )
            for name, term in self._named
        }

    @property
    def _kept_layers(self) -> list[list[str]]:
        """Of each backbone, and last of the pixels, the layers whose content features are targets."""
        return [
            sorted({layer for term in self.terms if term.backbone is backbone for layer in term.kept_layers})
            for backbone in (*self.backbones, None)
        ]

    def get_config(self) -> dict[str, Any]:
        """The backbones, the terms with numbers in place of their backbones, the tile and the shares."""
        terms = [keras.saving.serialize_keras_object(term) for term in self.terms]
        for term, serialized in zip(self.terms, terms, strict=True):
            if term.backbone is not None:
                serialized["config"]["backbone"] = self.backbones.index(term.backbone)
        backbones = [keras.saving.serialize_keras_object(backbone) for backbone in self.backbones]
        return {"backbones": backbones, "terms": terms, "tile": self.tile, "shares": self.shares}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Objective:
        """The objective that `get_config` described, its terms sharing backbones again."""
        backbones = [keras.saving.deserialize_keras_object(backbone) for backbone in config["backbones"]]
        terms = []
        for serialized in config["terms"]:
            options = dict(serialized["config"])
            if "backbone" in options:
                options["backbone"] = backbones[options["backbone"]]
            terms.append(keras.saving.get_registered_object(serialized["registered_name"]).from_config(options))
        return cls(terms, config["tile"], config["shares"])


def side_by_side(targets: Sequence[Targets]) -> Targets:
    """The targets of a batch, from those of its pictures, each by itself: its own styles, mix and regions.

    Args:
        targets: One for each picture, all of one objective, one size and one number of regions.
    """
    return keras.tree.map_structure(lambda *parts: ops.concatenate(parts, axis=0), *targets)


def _seeds(pictures: Tensor) -> Tensor:
    """One number for each picture, `(batch,)`: the sum of its bits, as integers, which no order of adding changes."""
    rows, columns = (math.ceil(side / 256) for side in pictures.shape[1:3])  # enough of them (chosen)
    some = tf.cast(pictures[:, ::rows, ::columns], "float32")
    return tf.reduce_sum(tf.cast(tf.bitcast(some, "int32"), "int64"), axis=(1, 2, 3))
