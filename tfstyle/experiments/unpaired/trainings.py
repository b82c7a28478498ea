"""The trainings of an experiment: their settings, and what a report tells of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.core.errors import unknown
from tfstyle.core.runtime import import_tensorflow
from tfstyle.training import (
    AdversarialTraining,
    AttentionCycleGANTraining,
    CycleGANTraining,
    WGANTraining,
)

if TYPE_CHECKING:
    from tfstyle.training.folder import TrainingRecord

HELD_OUT = 0.1  # share of each domain, the last images by name, that is measured and not trained on (chosen)
EPOCHS, LONG = 20, 1000  # epochs of a training of at least so many generator steps (chosen)
SHORT_EPOCHS = 2  # of shorter trainings (chosen)
_DESCRIBED = ("cycle_weight", "identity_weight", "content_weight", "critic_steps")


def training_settings(
    kind: str,
    photos: str | os.PathLike[str],
    paintings: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    steps: int,
    crop_size: int,
    filters: int,
    blocks: int,
    seed: int,
) -> AdversarialTraining:
    """The settings of one training of an experiment, which continues if its folder is there already.

    Args:
        kind: Name of the training, as in `tfstyle.training.TRAININGS`.
        photos: Folder of photographs.
        paintings: Folder of images of the target domain.
        output: Folder of the training.
        steps: Steps of the generator.
        crop_size: Side of the crops in pixels.
        filters: Channels of the networks at full resolution.
        blocks: Residual blocks of the generator, in models that have them.
        seed: Seed of the training.

    Raises:
        InputError: There is no such training from photographs.
    """
    epochs = min(steps, EPOCHS if steps >= LONG else SHORT_EPOCHS)
    epoch_steps = -(-steps // epochs)
    shared: dict[str, Any] = {
        "photos": photos,
        "paintings": paintings,
        "output": output,
        "resume": True,
        "epochs": epochs,
        "crop_size": crop_size,
        "held_out": HELD_OUT,
        "filters": filters,
        "seed": seed,
    }
    if kind == "cyclegan":
        return CycleGANTraining(**shared, steps=epoch_steps, blocks=blocks)
    if kind == "attention-cyclegan":
        return AttentionCycleGANTraining(**shared, steps=epoch_steps)
    if kind == "wgan":
        import_tensorflow()
        from tfstyle.models.adversarial.wgan import CRITIC_STEPS

        return WGANTraining(
            **shared,
            steps=epoch_steps * CRITIC_STEPS,
            critic_steps=CRITIC_STEPS,
            lipschitz="penalty",
            blocks=blocks,
        )
    raise unknown("training from photographs", kind, ("cyclegan", "attention-cyclegan", "wgan"))


def read_training(folder: Path) -> TrainingRecord:
    """Settings and log of the training in a folder.

    Raises:
        InputError: There is none with a finished epoch.
    """
    import_tensorflow()
    from tfstyle.training.folder import read_record

    return read_record(folder)


def is_trained(folder: Path) -> bool:
    """Whether a folder has a model."""
    import_tensorflow()
    from tfstyle.training.folder import MODEL

    return (folder / MODEL).is_file()


def description(training: TrainingRecord) -> str:
    """The settings of a training in one line."""
    settings = training.settings
    sizes = [f"{settings[name]} {name}" for name in ("filters", "blocks") if settings.get(name) is not None]
    weights = [
        f"{name.replace('_', ' ')} {settings[name]:g}" for name in _DESCRIBED if settings.get(name) is not None
    ]
    lipschitz = [settings["lipschitz"]] if "lipschitz" in settings else []
    details = ", ".join([f"{settings['crop_size']} pixels", *sizes, *weights, *lipschitz])
    return f"{training.generator_steps} generator steps of {settings['batch']}; {details}; seed {settings['seed']}"
