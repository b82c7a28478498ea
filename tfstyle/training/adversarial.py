"""What trainings of generators and discriminators share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tfstyle.core.errors import InputError
from tfstyle.core.settings import option, settings
from tfstyle.training.settings import Folders, TrainingSettings

if TYPE_CHECKING:
    import numpy as np

    from tfstyle.training.crops import Crops
    from tfstyle.training.trainer import Trainer

MEASURED = 8  # images of each domain that are measured after each epoch (chosen)
SHOWN = 4  # of them, in the samples (chosen)
RESIZE = 286 / 256  # shorter side of images over the crop size (Zhu et al. 2017, the authors' code)


@settings
class AdversarialTraining(TrainingSettings):
    """A training of generators and discriminators.

    A subclass names its model, and which of its options are arguments of the model.
    """

    image_folders: ClassVar[tuple[str, ...]] = ("paintings",)

    paintings: Folders = option(
        default=...,
        help="Folders of images in the style to learn.",
        metavar="DIR",
        group="images",
        recorded=False,
    )
    flip: bool = option(
        default=True,
        help="Mirror every second crop, at random; turn it off where left and right differ, as in writing.",
        group="images",
    )
    filters: int | None = option(
        default=None,
        help="Channels of the networks at full resolution: fewer are faster.",
        metavar="N",
        low=1,
        high=4096,
        unset="64, the paper's",
        group="network",
    )
    learning_rate: float | None = option(
        default=None,
        help="Learning rate of all networks.",
        metavar="R",
        above=0,
        unset="the paper's",
        group="training",
    )

    @property
    def from_noise(self) -> bool:
        """Whether images are generated from noise, and not from photographs."""
        return False

    @property
    def steps_per_generator_step(self) -> int:
        """Training steps for each step of the generator."""
        return 1

    @staticmethod
    def model_class() -> Any:
        """The class of the model."""
        raise NotImplementedError

    def model_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's constructor."""
        return ("filters",)

    def loss_options(self) -> tuple[str, ...]:
        """Names of the options that are arguments of the model's `compile`."""
        return ()

    def model_arguments(self) -> dict[str, Any]:
        """Arguments of the model's constructor, but for its size, seed and precision."""
        return {name: getattr(self, name) for name in self.model_options()}

    def compile_arguments(self) -> dict[str, Any]:
        """Arguments of the model's `compile`."""
        return {name: getattr(self, name) for name in self.loss_options()}

    def build(self) -> Any:
        """A new model, compiled with the optimizers of its paper, at the learning rate of the settings if any."""
        model = self.model_class()(self.crop_size, **self.model_arguments(), seed=self.seed, dtype=self.policy)
        model.compile(**self.compile_arguments())
        if self.learning_rate is not None:
            rate = self.schedule(self.learning_rate)
            model.generator_optimizer.learning_rate = model.discriminator_optimizer.learning_rate = rate
        return model

    def schedule(self, rate: float) -> Any:
        """The learning rate over the training: a number or a Keras schedule."""
        return rate

    def sample_rows(self, model: Any, photos: np.ndarray | None, paintings: np.ndarray) -> list[np.ndarray]:
        """Rows of the samples: generated images; or photographs, and below them what the generator makes of them.

        Args:
            model: The model in training.
            photos: Photographs, float32 (number, height, width, 3) in [0, 1]; None for models from noise.
            paintings: Images of the style, of the same shape.
        """
        fakes = generated(model, photos)
        if photos is None:
            return [fakes[i : i + SHOWN] for i in range(0, len(fakes), SHOWN)]
        return [photos, fakes]

    def resolved(self) -> Self:
        """These settings with the model's defaults in place of None, and the size of images that suits the crops."""
        model = self.model_class()
        names = (*self.model_options(), *self.loss_options())
        settings = self.with_defaults(names, model.__init__, model.compile)
        if settings.resize is not None:
            return settings
        assert settings.crop_size is not None
        factor = 1 if self.from_noise else RESIZE
        return replace(settings, resize=round(settings.crop_size * factor))

    def trainer(self) -> Trainer:
        """See `TrainingSettings.trainer`."""
        from tfstyle.evaluation.gan_diagnostics import GANDiagnostics
        from tfstyle.training import datasets
        from tfstyle.training.crops import split_folders
        from tfstyle.training.folder import TrainingFolder
        from tfstyle.training.samples import sample_grid
        from tfstyle.training.trainer import Trainer

        settings = self.resolved()
        paths = {name: split_folders(folders, self.held_out) for name, folders in self.folders().items()}
        crops = {name: settings._crops(train, place) for place, (name, (train, _)) in enumerate(paths.items())}
        for each in crops.values():
            each.check()
        settings = replace(settings, steps=settings._steps(list(crops.values())))
        assert settings.steps is not None
        # The same images after each epoch, whatever is drawn for the training.
        fixed = [
            settings._crops(held_out or train, place, batch=MEASURED, flip=False)(0)
            for place, (train, held_out) in enumerate(paths.values())
        ]
        paintings, photos = fixed[-1], None if self.from_noise else fixed[0]
        fingerprint = {**settings.fingerprint(), **{name: each.fingerprint for name, each in crops.items()}}
        folder = TrainingFolder(self.output, fingerprint, self.resume)
        model = folder.load_or_build(settings.build)
        shown = None if photos is None else photos[:SHOWN]
        last_row = next(iter(folder.rows()[-1:]), None)
        domains, steps = list(crops.values()), settings.steps

        def dataset(epoch: int) -> Any:
            if self.from_noise:
                return datasets.single(domains[0], steps=steps, epoch=epoch)
            return datasets.unpaired(domains[0], domains[1], steps=steps, epoch=epoch)

        return Trainer(
            folder,
            model,
            self.epochs,
            steps,
            dataset,
            domains,
            " and ".join(f"{len(each.paths)} {name}" for name, each in crops.items()),
            samples=lambda model: sample_grid(settings.sample_rows(model, shown, paintings[:SHOWN])),
            callbacks=[GANDiagnostics(lambda model: generated(model, photos), paintings, photos, last_row)],
        )

    def _crops(self, paths: Sequence[Path], place: int, **changes: Any) -> Crops:
        """Crops of the domain at a place, from 0."""
        from tfstyle.training.crops import Crops

        options = {"resize": self.resize, "flip": self.flip, "batch": self.batch, **changes}
        assert self.crop_size is not None
        return Crops(paths, self.crop_size, seed=self.seed + place, **options)

    def _steps(self, domains: Sequence[Crops]) -> int:
        """Training steps per epoch, in which the generator learns at least once."""
        turn = self.steps_per_generator_step
        if self.steps is None:
            steps = -(-max(len(crops.paths) for crops in domains) // domains[0].batch)
            return -(-steps // turn) * turn
        if self.steps < turn:
            raise InputError(
                f"steps {self.steps} can't be used: the generator learns in every {turn}th step, so give at least "
                f"{turn}"
            )
        return self.steps


def generated(model: Any, photos: np.ndarray | None) -> np.ndarray:
    """What a model generates: float32 (number, height, width, 3) in [0, 1].

    Args:
        model: The model.
        photos: Its input; None to generate images from noise, always the same.
    """
    import numpy as np
    from keras import ops

    if photos is None:
        return model.generate(2 * MEASURED, seed=0)
    return np.clip(ops.convert_to_numpy(model(ops.convert_to_tensor(photos))), 0, 1).astype(np.float32)
