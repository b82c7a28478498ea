"""Trainings of CycleGAN and AttentionCycleGAN: photographs to images of a style and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tfstyle.core.settings import option, settings
from tfstyle.core.signatures import documented
from tfstyle.training.adversarial import AdversarialTraining, generated
from tfstyle.training.settings import Folders, TrainingSettings, redeclare

if TYPE_CHECKING:
    import numpy as np


@settings
class _CycleTraining(AdversarialTraining):
    """What trainings of CycleGAN and AttentionCycleGAN share."""

    image_folders: ClassVar[tuple[str, ...]] = ("photos", "paintings")

    photos: Folders = option(
        default=...,
        help="Folders of photographs.",
        metavar="DIR",
        group="images",
        recorded=False,
    )
    # The learning rate falls towards the last epoch, so that a continued training must have as many.
    epochs: int = redeclare(TrainingSettings, "epochs", 200, fingerprint=True)
    batch: int = redeclare(TrainingSettings, "batch", 1)
    crop_size: int = redeclare(TrainingSettings, "crop_size", 256)
    cycle_weight: float | None = option(
        default=None,
        help="Weight of both cycle losses: raise it to keep more of the photographs.",
        metavar="W",
        low=0,
        unset="10, the paper's",
        group="losses",
    )
    identity_weight: float | None = option(
        default=None,
        help="Weight of the identity losses, as a factor of the cycle weight: lower it where colours should change.",
        metavar="W",
        low=0,
        unset="0.5, the paper's",
        group="losses",
    )
    pool_size: int | None = option(
        default=None,
        help="Earlier generated images that the discriminators see again.",
        metavar="N",
        low=0,
        high=100_000,
        unset="50, the paper's",
        group="losses",
    )
    n_layers: int | None = option(
        default=None,
        help="Layers with stride 2 of the discriminators: more judge larger patches.",
        metavar="N",
        low=1,
        high=8,
        unset="3, the paper's",
        group="network",
    )

    def model_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's constructor."""
        return ("filters", "n_layers", "pool_size")

    def loss_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's `compile`."""
        return ("cycle_weight", "identity_weight")

    @property
    def total_steps(self) -> int:
        """Steps of the whole training, of which the learning rate is constant in the first half."""
        assert self.steps is not None
        return max(2, self.epochs * self.steps)

    def compile_arguments(self) -> dict[str, Any]:
        """Arguments of the model's `compile`."""
        return {**super().compile_arguments(), "steps": self.total_steps}

    def schedule(self, rate: float) -> Any:
        """A constant rate, then linear decay to 0."""
        from tfstyle.models.adversarial.schedules import ConstantThenLinearDecay

        steps = self.total_steps
        return ConstantThenLinearDecay(rate, steps // 2, steps - steps // 2)

    def sample_rows(self, model: Any, photos: np.ndarray | None, paintings: np.ndarray) -> list[np.ndarray]:
        """Photographs, their translations, and those translated back; then the same for paintings."""
        import numpy as np
        from keras import ops

        def inverse(images: np.ndarray) -> np.ndarray:
            return np.clip(ops.convert_to_numpy(model.inverse_call(ops.convert_to_tensor(images))), 0, 1)

        rows = super().sample_rows(model, photos, paintings)
        from_paintings = inverse(paintings)
        return [*rows, inverse(rows[-1]), paintings, from_paintings, generated(model, from_paintings)]


@documented
@settings
class CycleGANTraining(_CycleTraining):
    """A training of CycleGAN; by default that of the paper.

    Args:
        {options}

    Examples:
        >>> result = CycleGANTraining(photos="photos/", paintings="paintings/", output="run").run()
        >>> picture = result.model.stylize("photo.jpg")

    Reference:
        Zhu, Park, Isola & Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks".
    """

    network: ClassVar[str] = "cyclegan"
    summary: ClassVar[str] = "photographs to images of a style and back (Zhu et al. 2017)"
    description: ClassVar[str] = (
        "Train CycleGAN with residual generators from photographs to images of a style and back. The defaults are "
        "those of the paper."
    )

    blocks: int | None = option(
        default=None,
        help="Residual blocks of the generators.",
        metavar="N",
        low=0,
        high=99,
        unset="6 below 256 pixels, else 9: the paper's",
        group="network",
    )

    @staticmethod
    def model_class() -> Any:
        """`CycleGAN`."""
        from tfstyle.models.adversarial.cyclegan import CycleGAN

        return CycleGAN

    def model_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's constructor."""
        return ("blocks", *super().model_options())


@documented
@settings
class AttentionCycleGANTraining(_CycleTraining):
    """A training of CycleGAN with U-Nets and self-attention.

    Args:
        {options}

    Examples:
        >>> settings = AttentionCycleGANTraining(
        ...     photos="photos/", paintings="paintings/", output="unet-run", skip_outermost=False, identity_weight=0.1
        ... )
        >>> result = settings.run()

    Reference:
        Li & Qi 2023, an improved CycleGAN with U-Net and self-attention; Zhang et al. 2019 for the latter.
    """

    network: ClassVar[str] = "attention-cyclegan"
    summary: ClassVar[str] = "CycleGAN with U-Nets and self-attention (Li & Qi 2023)"
    description: ClassVar[str] = (
        "Train CycleGAN with U-Nets and self-attention from photographs to images of a style and back. The defaults "
        "of the training are those of CycleGAN's paper, those of the networks are of pix2pix and SAGAN."
    )

    depth: int | None = option(
        default=None,
        help="Levels of the U-Nets.",
        metavar="N",
        low=2,
        high=12,
        unset="as many as the crop size allows, at most 8",
        group="network",
    )
    skip_outermost: bool = option(
        default=True,
        help="Connect the first and the last level of the U-Nets; turn it off where the generator only copies its "
        "input.",
        group="network",
    )
    spectral: bool = option(
        default=False,
        help="Normalize the discriminators' kernels to spectral norm 1.",
        group="network",
    )

    @staticmethod
    def model_class() -> Any:
        """`AttentionCycleGAN`."""
        from tfstyle.models.adversarial.attention_cyclegan import AttentionCycleGAN

        return AttentionCycleGAN

    def model_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's constructor."""
        return ("depth", "skip_outermost", "spectral", *super().model_options())
