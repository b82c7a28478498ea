"""Style transfer by optimisation, in one call."""

from __future__ import annotations

import os
from dataclasses import replace

from tfstyle import images
from tfstyle.core.errors import InputError, unknown
from tfstyle.core.signatures import takes
from tfstyle.features import weights as weights_files
from tfstyle.features.loading import backbone_weights
from tfstyle.images import color_transfer
from tfstyle.pipelines.inputs import Inputs, load_inputs
from tfstyle.pipelines.result import Result
from tfstyle.pipelines.runner import TransferRunner
from tfstyle.pipelines.settings import INITS, BatchTransferSettings, TransferSettings


@takes(TransferSettings)
def transfer(content: images.Source, settings: TransferSettings) -> Result:
    """Paint a content image in the style of style images, by optimisation.

    Args:
        content: The content image: path, PIL image, or array `(height, width[, channels])`.
        {options}

    Returns:
        The picture, the losses by step, and all settings.

    Raises:
        InputError: A picture or an option can't be used; one line names it and the fix.

    Reference:
        Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks".
    """
    result = transfer_resumable(content, settings)
    remove_checkpoint(result, settings.checkpoint)
    return result


def transfer_resumable(content: images.Source, settings: TransferSettings) -> Result:
    """As `transfer`, but the checkpoint stays until `remove_checkpoint`, so that the result can be saved before."""
    return TransferRunner(settings, validate(settings)).run([images.load(content)])[0]


def remove_checkpoint(result: Result, checkpoint: str | os.PathLike[str] | None) -> None:
    """Remove the checkpoint, if there is one, of a painting that was finished."""
    if checkpoint is not None and not result.settings["stopped"]:
        from tfstyle.optimization.checkpoint import remove

        remove(checkpoint)


def validate(settings: BatchTransferSettings) -> Inputs:
    """Load the inputs, and check all that can be checked before TensorFlow is imported, which takes seconds.

    Raises:
        InputError: A picture or an option can't be used.
    """
    recipe = settings.recipe
    if recipe.preserve_color not in (None, *color_transfer.KINDS):
        raise unknown("preserve color", recipe.preserve_color, (*color_transfer.KINDS, "none"))
    inputs = load_inputs(settings)
    if len(backbone_weights(settings.backbone)) < 2 and settings.balance_gradients:
        raise InputError("balance gradients is for several networks: name two or more backbones, or leave it out")
    init = recipe.init if settings.init is None else settings.init
    if not (isinstance(init, str) and init in INITS):
        init = images.load(init)
    if isinstance(init, str) and init == "adain":
        weights_files.adain()  # which may be missing
    return replace(inputs, init=init)
