"""Training of a GAN: images of a style from noise."""

from __future__ import annotations

from typing import Any, ClassVar

from tfstyle.core.settings import option, settings
from tfstyle.core.signatures import documented
from tfstyle.training.adversarial import AdversarialTraining
from tfstyle.training.settings import TrainingSettings, redeclare


@documented
@settings
class GANTraining(AdversarialTraining):
    """A training of a GAN, the networks of which are DCGAN's; by default that of the paper, but for its epochs.

    Args:
        {options}

    Examples:
        >>> result = GANTraining(paintings="paintings/", output="run").run()
        >>> images = result.model.generate(16, seed=0)

    Reference:
        Goodfellow et al. 2014, "Generative Adversarial Nets"; Radford, Metz & Chintala 2016 for the networks.
    """

    network: ClassVar[str] = "gan"
    summary: ClassVar[str] = "images from noise (Goodfellow et al. 2014, networks of Radford et al. 2016)"
    description: ClassVar[str] = (
        "Train a DCGAN to generate images of a style from noise. The defaults are those of the paper, but for the "
        "number of epochs, and crops that are mirrored."
    )

    batch: int = redeclare(TrainingSettings, "batch", 128)
    crop_size: int = redeclare(TrainingSettings, "crop_size", 64)
    resize: int | None = redeclare(TrainingSettings, "resize", None, unset="the crop size")
    latent_dim: int | None = option(
        default=None,
        help="Length of the noise vector that an image is generated from.",
        metavar="N",
        low=1,
        high=100_000,
        unset="100, the paper's",
        group="network",
    )

    @property
    def from_noise(self) -> bool:
        """It is."""
        return True

    @staticmethod
    def model_class() -> Any:
        """`GAN`."""
        from tfstyle.models.adversarial.gan import GAN

        return GAN

    def model_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's constructor."""
        return ("latent_dim", "filters")
