"""Settings that all trainings share, and how a training is run from its settings."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from tfstyle.core.runtime import import_tensorflow
from tfstyle.core.settings import SEEDS, Settings, option, options_of, settings

if TYPE_CHECKING:
    import keras

    from tfstyle.training.trainer import Trainer, TrainingResult

Folders = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@settings
class TrainingSettings(Settings):
    """A training: the images, its length, and its folder.

    A subclass adds the options of its network, and `trainer`, which opens the folder and builds the model.

    Attributes:
        network: Name of the training, as in `tfstyle train NETWORK`.
        summary: One line for the list of trainings.
        description: Sentences for the help.
        image_folders: Names of the options that hold folders of images, in the order in which batches have them.

    Raises:
        InputError: An option has the wrong type, is out of its bounds, or contradicts another one.
    """

    network: ClassVar[str]
    summary: ClassVar[str]
    description: ClassVar[str]
    image_folders: ClassVar[tuple[str, ...]]

    crop_size: int | None = option(
        default=256,
        help="Side of the square crops to train on: smaller is faster, larger shows finer strokes.",
        metavar="PIXELS",
        low=8,
        high=4096,
        group="images",
    )
    resize: int | None = option(
        default=None,
        help="Shorter side to which images are resized before they are cropped: lower it for small images.",
        metavar="PIXELS",
        low=8,
        high=16384,
        unset="286/256 of the crop size, as CycleGAN's authors",
        group="images",
    )
    held_out: float = option(
        default=0.0,
        help="Share of each folder, its last files by name, that is not trained on but used for samples/ and for "
        "what is measured after each epoch.",
        metavar="SHARE",
        low=0,
        below=1,
        group="images",
    )
    epochs: int = option(
        default=100,
        help="Number of epochs of the whole training, including those before a break.",
        metavar="N",
        low=1,
        high=1_000_000,
        group="training",
        fingerprint=False,
    )
    steps: int | None = option(
        default=None,
        help="Training steps per epoch.",
        metavar="N",
        low=1,
        unset="as many batches as the largest domain fills",
        group="training",
    )
    batch: int | None = option(
        default=1,
        help="Images of each domain per training step.",
        metavar="N",
        low=1,
        high=4096,
        group="training",
    )
    seed: int = option(
        default=0,
        help="Seed of initial weights, of the order of images and of crops.",
        metavar="N",
        low=0,
        high=SEEDS,
        group="training",
    )
    precision: Literal["float32", "bfloat16"] = option(
        default="float32",
        help="Precision of the networks; bfloat16 is faster where the processor supports it.",
        group="training",
    )
    output: str | os.PathLike[str] = option(
        default=...,
        help="Folder of the training: a new one, or with resume the folder of the training to continue.",
        metavar="RUN",
        group="training",
        recorded=False,
        fingerprint=False,
    )
    resume: bool = option(
        default=False,
        help="Continue from the last finished epoch in the output folder, exactly as if there had been no break.",
        group="training",
        recorded=False,
        fingerprint=False,
    )

    @property
    def policy(self) -> str:
        """Keras' dtype policy for the precision."""
        return "mixed_bfloat16" if self.precision == "bfloat16" else "float32"

    def folders(self) -> dict[str, Sequence[str | os.PathLike[str]]]:
        """The folders of each domain by the option's name, without domains that are None."""
        domains = {name: getattr(self, name) for name in self.image_folders}
        return {
            name: [folders] if isinstance(folders, (str, os.PathLike)) else folders
            for name, folders in domains.items()
            if folders is not None
        }

    @classmethod
    def required_options(cls) -> set[str]:
        """Names of the options that have no default."""
        return {each.name for each in fields(cls) if each.default is MISSING}

    def fingerprint(self) -> dict[str, Any]:
        """The network and the options that a training must keep to be continued, as JSON can hold them."""
        return {"network": self.network, **super().fingerprint()}

    def trainer(self) -> Trainer:
        """Read the images, open the training's folder, and build or load the model.

        Raises:
            InputError: An option can't be used with these images, or the folder holds another training.
        """
        raise NotImplementedError

    def run(self, *, verbose: Any = "auto", callbacks: Iterable[keras.callbacks.Callback] = ()) -> TrainingResult:
        """Train up to the last epoch.

        Whatever ends the training early, Ctrl-C included, the output folder holds the last finished epoch.

        Args:
            verbose: Progress as in Keras' `fit`: 1 for a bar, 2 for a line per epoch, 0 for none; `"auto"` for a bar.
            callbacks: Keras callbacks, called before an epoch is written.

        Returns:
            The trained model, its folder and its log.

        Raises:
            InputError: As `trainer`; or the losses are not finite, a file can't be written, or the memory is too
                small.
        """
        import_tensorflow()
        return self.trainer().fit(verbose=verbose, callbacks=callbacks)

    def with_defaults(self, names: Iterable[str], *functions: Callable[..., Any]) -> Self:
        """These settings with a model's own default in place of None.

        Args:
            names: Options that are arguments of the functions.
            *functions: A model's constructor and `compile`, whose defaults are those of its paper.
        """
        parameters = [each for function in functions for each in inspect.signature(function).parameters.values()]
        defaults = {each.name: each.default for each in parameters if each.default is not each.empty}
        missing = {name: defaults[name] for name in names if getattr(self, name) is None}
        return replace(self, **missing)


def redeclare(base: type[Settings], name: str, default: Any, **attributes: Any) -> Any:
    """An option of a base class with another default.

    Args:
        base: The base class.
        name: The option's name.
        default: The default of the subclass.
        **attributes: Attributes of `Option` that differ.
    """
    return option(default=default, **{**vars(options_of(base)[name]), **attributes})
