"""What a model can do."""

from __future__ import annotations

from typing import Any

from tfstyle.core.errors import InputError


def takes_styles(model: Any) -> bool:
    """Whether a model paints in the style of pictures that it is given, and not in its own."""
    return hasattr(model, "encode_style")


def takes_noise(model: Any) -> bool:
    """Whether a model makes its pictures of noise, and not of photographs."""
    from tfstyle.models.adversarial.gan import GAN

    return isinstance(model, GAN) or getattr(model, "source", "pictures") == "noise"


def check_own_style(model: Any) -> None:
    """See that a model paints photographs in the style it has learned.

    Raises:
        InputError: It wants styles, or makes its pictures of noise.
    """
    if takes_styles(model):
        raise InputError("there is no style image: give at least one")
    if takes_noise(model):
        raise InputError(
            f"the {type(model).__name__} makes pictures of noise, not of photographs: use `tfstyle generate`, or "
            f"give a model that was trained with photographs"
        )
