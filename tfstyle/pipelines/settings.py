"""What `tfstyle.transfer` was asked for, checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tfstyle.images import masks
from tfstyle.images.picture import Picture
from tfstyle.pipelines.method import Method

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone


@dataclass(frozen=True, eq=False)
class Settings:
    """The arguments of `tfstyle.transfer`; see there. `given` are the recipe's fields among it.

    The `mix` is for all pictures that are painted, or has a row for each.
    """

    recipe: Method
    given: dict[str, Any]
    paintings: list[Picture]
    mix: list[float] | list[list[float]]
    backbones: dict[str | Backbone, float]
    weights: str | os.PathLike[str] | None
    pooling: Literal["max", "avg"] | None
    size: int | None
    scales: int | None
    style_scale: float
    saturation: float
    voids: float
    carry_over: bool
    learning_rate: float | None
    init: str | Picture
    content_masks: list[Picture]
    style_masks: list[Picture | None]
    preserve_color: str | None
    seed: int
    calibrate: bool
    precision: Literal["float32", "bfloat16", "auto"]
    tile: int | Literal["auto", "off"]
    checkpoint: str | os.PathLike[str] | None
    checkpoint_every: int
    resume: bool
    callbacks: Sequence[Any]
    progress: bool | None

    def alone(self, numbers: Sequence[int]) -> Settings:
        """The same for as many pictures as numbers, each in the style of that number alone."""
        return replace(
            self,
            paintings=[self.paintings[k] for k in numbers],
            mix=[[float(k == own) for k in range(len(numbers))] for own in range(len(numbers))],
            style_masks=[self.style_masks[k] for k in numbers] if any(self.style_masks) else [],
        )

    def of(self, index: int) -> Settings:
        """The same for one of the pictures."""
        if not isinstance(self.mix[0], list):
            return self
        return replace(self.alone([index]), mix=[1.0])

    def record(self) -> dict[str, Any]:
        """What the result's record has of them, as JSON can hold it."""
        names = [None if mask is None else mask.name for mask in self.style_masks]
        return {
            "styles": [painting.name for painting in self.paintings],
            "styles_sha256": [painting.sha256 for painting in self.paintings],
            "style_blend": self.mix,
            "style_scale": self.style_scale,
            "saturation": self.saturation,
            "voids": self.voids,
            "carry_over": self.carry_over,
            "size": self.size,
            "init": self.init.name if isinstance(self.init, Picture) else self.init,
            "content_masks": [mask.name for mask in self.content_masks],
            "style_masks": names,
            "preserve_color": self.preserve_color,
            "calibrate": self.calibrate,
            "seed": self.seed,
        }

    @property
    def leaves_bare(self) -> bool:
        """Whether anything of a picture is not to be painted."""
        return self.voids < 1 or masks.leave_bare(self.content_masks)
