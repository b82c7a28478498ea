"""Training of a Wasserstein GAN: images of a style from noise or from photographs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from tfstyle.core.errors import InputError
from tfstyle.core.settings import option, settings
from tfstyle.core.signatures import documented
from tfstyle.training.adversarial import AdversarialTraining
from tfstyle.training.settings import Folders, TrainingSettings, redeclare

_SIZES_OF_NOISE = {"batch": 64, "crop_size": 64}  # Gulrajani et al. 2017, section 5
_SIZES_OF_PHOTOS = {"batch": 1, "crop_size": 256}  # chosen: as CycleGAN's
_ONLY_WITH_PHOTOS = ("blocks", "n_layers", "content_weight")


@documented
@settings
class WGANTraining(AdversarialTraining):
    """A training of a Wasserstein GAN, from noise or from photographs. Each batch is a step of the critic.

    Args:
        {options}

    Examples:
        >>> result = WGANTraining(photos="photos/", paintings="paintings/", output="run", lipschitz="penalty").run()
        >>> picture = result.model.stylize("photo.jpg")

    Reference:
        Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN"; Gulrajani et al. 2017, "Improved Training of Wasserstein
        GANs"; Shi & Zhu 2020 for photographs.
    """

    network: ClassVar[str] = "wgan"
    summary: ClassVar[str] = "images from noise or from photographs (Arjovsky et al. 2017; Gulrajani et al. 2017)"
    description: ClassVar[str] = (
        "Train a Wasserstein GAN to generate images of a style from noise; or, with photos, from photographs, as Shi "
        "& Zhu 2020 compare it with CycleGAN. Each batch is a step of the critic."
    )
    image_folders: ClassVar[tuple[str, ...]] = ("photos", "paintings")

    photos: Folders | None = option(
        default=None,
        help="Folders of photographs to generate images from.",
        metavar="DIR",
        unset="images are generated from noise",
        group="images",
        recorded=False,
    )
    batch: int | None = redeclare(TrainingSettings, "batch", None, unset="64, and 1 with photos")
    crop_size: int | None = redeclare(TrainingSettings, "crop_size", None, unset="64, and 256 with photos")
    resize: int | None = redeclare(
        TrainingSettings, "resize", None, unset="the crop size, and 286/256 of it with photos"
    )
    lipschitz: Literal["clipping", "penalty"] = option(
        default="clipping",
        help="How the critic's slope is bounded: clipping of its weights (Arjovsky et al. 2017), or a penalty on its "
        "gradient (Gulrajani et al. 2017), which trains more steadily.",
        group="losses",
    )
    critic_steps: int | None = option(
        default=None,
        help="Steps of the critic for each step of the generator.",
        metavar="N",
        low=1,
        high=10_000,
        unset="5, the papers'",
        group="losses",
    )
    content_weight: float | None = option(
        default=None,
        help="With photos, weight of the difference from the photograph: lower it for more of the style.",
        metavar="W",
        low=0,
        unset="10",
        group="losses",
    )
    latent_dim: int | None = option(
        default=None,
        help="Without photos, length of the noise vector that an image is generated from.",
        metavar="N",
        low=1,
        high=100_000,
        unset="100, and 128 with the penalty: the papers'",
        group="network",
    )
    blocks: int | None = option(
        default=None,
        help="With photos, residual blocks of the generator.",
        metavar="N",
        low=0,
        high=99,
        unset="6 below 256 pixels, else 9",
        group="network",
    )
    n_layers: int | None = option(
        default=None,
        help="With photos, layers with stride 2 of the critic: more judge larger patches.",
        metavar="N",
        low=1,
        high=8,
        unset="3",
        group="network",
    )

    def __post_init__(self) -> None:
        """Check that options fit to noise or photographs."""
        super().__post_init__()
        if self.from_noise:
            for name in _ONLY_WITH_PHOTOS:
                if getattr(self, name) is not None:
                    raise InputError(
                        f"{name.replace('_', ' ')} is only used with photos: give photos, or leave it out"
                    )
        elif self.latent_dim is not None:
            raise InputError("latent dim is only used without photos: leave it out")

    @property
    def from_noise(self) -> bool:
        """Whether there are no photographs."""
        return self.photos is None

    @property
    def steps_per_generator_step(self) -> int:
        """Steps of the critic for each step of the generator."""
        assert self.critic_steps is not None
        return self.critic_steps

    @staticmethod
    def model_class() -> Any:
        """`WGAN`."""
        from tfstyle.models.adversarial.wgan import WGAN

        return WGAN

    def model_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's constructor."""
        return ("lipschitz", "filters", *(("latent_dim",) if self.from_noise else ("blocks", "n_layers")))

    def loss_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's `compile`."""
        return ("critic_steps", *(() if self.from_noise else ("content_weight",)))

    def model_arguments(self) -> dict[str, Any]:
        """Arguments of the model's constructor, but for its size, seed and precision."""
        return {"source": "noise" if self.from_noise else "pictures", **super().model_arguments()}

    def resolved(self) -> Self:
        """These settings with sizes for noise or photographs, and the model's defaults, in place of None."""
        sizes = _SIZES_OF_NOISE if self.from_noise else _SIZES_OF_PHOTOS
        missing: dict[str, Any] = {name: size for name, size in sizes.items() if getattr(self, name) is None}
        settings = replace(self, **missing)
        return super(WGANTraining, settings).resolved()
