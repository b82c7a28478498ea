"""What a model can do: protocols that models implement, and checks for those who are given a model.

- `Stylizes`: paints a content image in the style of given style images (AdaIN).
- `Translates`: has learned one style, and paints content images in it (CycleGAN, WGAN from photographs).
- `Generates`: makes images from noise (GAN, WGAN from noise).
- `TranslatesBack`, `EstimatesDepth` and `Exports` are abilities that some of them have besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, runtime_checkable

import numpy as np

from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.images import Source

if TYPE_CHECKING:
    from tfstyle.models.depth import DepthModule
    from tfstyle.models.signatures import Sample, Signature


@runtime_checkable
class Stylizes(Protocol):
    """Paints a content image in the style of given style images.

    A style is encoded once, into a style code, for many content images. What a code is, is the model's own affair:
    means and deviations for AdaIN, features for an attention model. `ArbitraryStyleModel` adds `stylize`, which does
    all steps in one call.
    """

    @property
    def minimum_side(self) -> int:
        """The shorter side, in pixels, of the smallest image that the model can encode."""

    def encode_style(self, style: Source, style_mask: Source | None = None) -> Any:
        """The code of a style image, or of what a grey mask of its shape shows of it (white is used)."""

    def mix_styles(self, codes: Sequence[Any], style_weights: Sequence[float] | None = None) -> Any:
        """The code of a mixture of styles; weights sum to 1, and None stands for equal ones."""

    def paint(
        self,
        content: Source,
        codes: Sequence[Any],
        *,
        alpha: float | Source = 1.0,
        content_masks: np.ndarray | None = None,
    ) -> np.ndarray:
        """A content image in the style of a code, or each of its regions in that of another.

        Args:
            content: The content image.
            codes: One code for each region.
            alpha: Strength of the style from 0 to 1: a number, or a grey image of the content's shape.
            content_masks: Regions, float32 `(regions, height, width)` in [0, 1]; None for one that is everything.

        Returns:
            float32 `(height, width, 3)` in [0, 1], of the content's size.
        """

    def record(self) -> dict[str, Any]:
        """What a result notes of the model, as JSON can hold it: its backbone, weights and layers."""


@runtime_checkable
class Translates(Protocol):
    """Has learned one style, and paints content images in it."""

    def stylize(self, content: Source) -> np.ndarray:
        """The content image in the style of the model: float32 `(height, width, 3)` in [0, 1], of its size."""


@runtime_checkable
class TranslatesBack(Protocol):
    """Has also learned the way back: from images in its style to the domain of content images."""

    def inverse_call(self, pictures: Tensor) -> Tensor:
        """Images `(batch, height, width, 3)` in the style of the model, RGB in [0, 1], as content images."""


@runtime_checkable
class Generates(Protocol):
    """Makes images from noise, if its `source` is `"noise"`."""

    source: str
    latent_dim: int
    channels: int

    def generate(self, count: int, seed: int | None = None) -> np.ndarray:
        """Images made from noise: float32 `(count, height, width, channels)` in [0, 1]."""


@runtime_checkable
class EstimatesDepth(Protocol):
    """Varies the strength of the style with how near things are, by a depth module of its own."""

    depth: DepthModule | None

    def inverse_depth(self, pictures: Tensor) -> Tensor:
        """The inverse depth `(batch, height, width)` in [0, 1] of images: see `tfstyle.depth`."""


@runtime_checkable
class Exports(Protocol):
    """Knows the functions that it is exported as."""

    def signatures(self) -> list[Signature]:
        """The functions, the most useful first."""

    def export_samples(self) -> Sequence[Sample]:
        """Calls of these functions, and the images that the model itself paints for them."""

    def in_float32(self) -> Any:
        """The model, or a copy that computes in float32."""


def generates(model: object) -> TypeGuard[Generates]:
    """Whether a model makes its images from noise."""
    return isinstance(model, Generates) and model.source == "noise"


def translates(model: object) -> TypeGuard[Translates]:
    """Whether a model paints content images in the one style that it has learned."""
    return isinstance(model, Translates) and not isinstance(model, Stylizes) and not generates(model)


def check_stylizes(model: object) -> None:
    """Check that a model takes style images.

    Raises:
        InputError: It has learned one style, or makes images from noise.
    """
    if not isinstance(model, Stylizes):
        raise InputError(
            f"the {type(model).__name__} has learned one style and takes no others: leave out the style images"
        )


def check_translates(model: object) -> None:
    """Check that a model paints content images in the style that it has learned.

    Raises:
        InputError: It needs style images, makes images from noise, or does nothing of the kind.
    """
    name = type(model).__name__
    if isinstance(model, Stylizes):
        raise InputError(f"the {name} takes style images, and there is no style image: give at least one")
    if generates(model):
        raise InputError(
            f"the {name} makes pictures from noise, not from content images: use `tfstyle generate`, or give a model "
            f"that was trained with photographs"
        )
    if not translates(model):
        raise InputError(f"the {name} can't paint a content image: give an AdaIN, CycleGAN or WGAN")


def check_generates(model: object) -> None:
    """Check that a model makes images from noise.

    Raises:
        InputError: It doesn't.
    """
    if not generates(model):
        raise InputError(
            f"the {type(model).__name__} makes no pictures from noise: give a GAN, or a WGAN trained without "
            f"photographs"
        )
