"""Experiments that train models between unpaired domains, and measure them on held-out images.

A subclass of `Unpaired` names its models and its domains, and adds claims, constants, figures and findings.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.fingerprint import digest
from tfstyle.core.runtime import import_tensorflow
from tfstyle.evaluation import metrics
from tfstyle.experiments.base import Constant, Experiment, Outcome, Run, RunResult, Setup
from tfstyle.experiments.unpaired.measures import PALETTE, evenly_spaced, load_squares, measure
from tfstyle.experiments.unpaired.pictures import with_pictures
from tfstyle.experiments.unpaired.trainings import (
    HELD_OUT,
    description,
    is_trained,
    read_training,
    training_settings,
)
from tfstyle.images import samples
from tfstyle.training.crops import images_in, split

if TYPE_CHECKING:
    from tfstyle.models.adversarial.base import AdversarialModel
    from tfstyle.training import AdversarialTraining

MEASURED = 128  # images of a domain that are measured, at most (chosen)
_INCEPTION_SIZE = 96  # pixels from which InceptionV3 has the layer of the kernel distance
_MARGIN = 286 / 256  # size of procedural images over that of crops (Zhu et al. 2017, the authors' code)


class Unpaired(Experiment):
    """Models trained on the same domains, and applied to the same photographs.

    Attributes:
        models: What figures call the models, by the names of their trainings (`tfstyle.training.TRAININGS`).
        targets: Domains that photographs are translated to, of which folders may be given.
    """

    models: ClassVar[Mapping[str, str]] = {}
    targets: tuple[str, ...] = ()
    contents = ("street", "portrait", "table", "room")
    most_contents = 6
    most_styles = 0  # a domain is more than one image
    size = 128
    steps = 5000
    quick_size = 64
    quick_steps = 120

    def __init__(self) -> None:
        self._models: dict[tuple[Setup, str], AdversarialModel] = {}

    @property
    def domains(self) -> tuple[str, ...]:
        """Photographs, the target domains, and for each target photographs that are for it alone."""
        return ("photo", *self.targets, *(f"{target}-photo" for target in self.targets))

    def targets_of(self, setup: Setup) -> tuple[str, ...]:
        """The target domains: those of which folders are given, else the experiment's own."""
        return tuple(target for target in self.targets if target in setup.domains) or self.styles

    def photo_domain(self, setup: Setup, target: str) -> str:
        """The domain of photographs that the models of a target learn from."""
        name = f"{target}-photo"
        return name if name in setup.domains else "photo"

    def completed(self, setup: Setup, own_contents: bool) -> Setup:
        """The setup with pictures of the given domains, and the steps of finished trainings."""
        targets = self.targets_of(setup)
        if setup.domains:
            if not set(targets) & set(setup.domains):
                raise InputError(f"{self.name} has no target domain: give {' or '.join(self.targets)} as well")
            for target in targets:
                if self.photo_domain(setup, target) not in setup.domains:
                    raise InputError(f"{self.name} has no photographs for {target}: give photo=DIR")
            setup = with_pictures(self, setup, own_contents)
        if setup.trained is not None:
            trainings = self._trainings(setup).values()
            setup = replace(setup, steps=max(training.generator_steps for training in trainings))
        return setup

    def state(self, setup: Setup) -> Any:
        """The images of the given folders, and the state of finished trainings."""
        names = {name: [path.name for path in images_in([folder])] for name, folder in setup.domains.items()}
        trainings = {
            name: digest([dict(training.settings), [*map(dict, training.rows)]])
            for name, training in (self._trainings(setup) if setup.trained is not None else {}).items()
        }
        return {"domains": digest(names), "trainings": trainings}

    def _trainings(self, setup: Setup) -> dict[str, Any]:
        """The records of all trainings by `TARGET-MODEL`."""
        return {
            f"{target}-{kind}": read_training(self.training_folder(setup, target, kind))
            for target in self.targets_of(setup)
            for kind in self.models
        }

    def runs(self, setup: Setup) -> list[Run]:
        """Each content image translated by all models of each target."""
        everything = tuple(range(len(setup.contents)))
        return [
            Run(
                name=f"{index + 1}-{target}-{kind}",
                label=f"content {index + 1}, {target}, {words}",
                settings=self.options(setup),
                facts={"content": index + 1, "domain": target, "model": words},
                content=index,
                styles=(place,),
            )
            for place, target in enumerate(self.targets_of(setup))
            for kind, words in self.models.items()
            for index in setup.painted_for.get(target, everything)
        ]

    def evaluation_networks(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """The backbones that score a run; for quick trials the one that comes with the package."""
        return ("VGG19Mini",) if setup.quick else super().evaluation_networks(run, setup)

    def options(self, setup: Setup) -> dict[str, int]:
        """Sizes of networks and procedural domains (chosen: hours on a processor, or a minute for quick trials)."""
        if setup.quick:
            return {"filters": 8, "blocks": 2, "pictures": 40}
        return {"filters": 32, "blocks": 6, "pictures": 200}

    def constants(self, setup: Setup) -> list[Constant]:
        """The domains, what is held out and measured, and the settings of each training."""
        if setup.trained is not None:
            held_out = "all pictures of the folders given are measured; trainings were there already"
        else:
            held_out = f"the last {HELD_OUT:.0%} of each domain by name are not trained on, and are measured"
        source = (
            "folders given" if setup.domains else f"{self.options(setup)['pictures']} of tfstyle.samples.domain each"
        )
        constants = [Constant("domains", f"{source}; {held_out}, {MEASURED} at most", "chosen")]
        for target in self.targets_of(setup):
            for kind in self.models:
                folder = self.training_folder(setup, target, kind)
                if is_trained(folder):
                    value = description(read_training(folder))
                    constants.append(Constant(f"training {target}-{kind}", value, "chosen", "its training.json"))
        return constants

    def training_folder(self, setup: Setup, target: str, kind: str) -> Path:
        """The folder of a training."""
        return (setup.trained or setup.folder / "training") / f"{target}-{kind}"

    def model(self, setup: Setup, target: str, kind: str) -> AdversarialModel:
        """A trained model: the one in its folder, or one whose training starts or continues now."""
        key = (setup, f"{target}-{kind}")
        if key not in self._models:
            self._models[key] = self._load(setup, target, kind) if setup.trained else self._train(setup, target, kind)
        return self._models[key]

    def _load(self, setup: Setup, target: str, kind: str) -> AdversarialModel:
        import_tensorflow()
        from tfstyle.models import pretrained
        from tfstyle.models.interfaces import check_translates

        model = pretrained.load(self.training_folder(setup, target, kind))
        check_translates(model)
        return model

    def _train(self, setup: Setup, target: str, kind: str) -> AdversarialModel:
        return self.training(setup, target, kind).run(verbose=0).model

    def training(self, setup: Setup, target: str, kind: str) -> AdversarialTraining:
        """The settings of a training, which continues exactly after a break."""
        options = self.options(setup)
        return training_settings(
            kind,
            self.domain_folder(setup, self.photo_domain(setup, target)),
            self.domain_folder(setup, target),
            self.training_folder(setup, target, kind),
            steps=setup.steps,
            crop_size=setup.size,
            filters=options["filters"],
            blocks=options["blocks"],
            seed=setup.seed,
        )

    def domain_folder(self, setup: Setup, name: str) -> Path:
        """The folder of a domain: the given one, or one of procedural images, which are generated if missing."""
        if setup.domains:
            return setup.domains[name]
        side = round(setup.size * _MARGIN)
        folder = setup.folder / "domains" / f"{name}-{side}-{setup.seed}"
        files.make_folder(folder)
        for number in range(self.options(setup)["pictures"]):
            path = folder / f"{number:06}.png"
            if not path.exists():
                images.save(samples.domain(name, number, side, setup.seed), path)
        return folder

    def held_out(self, setup: Setup, name: str, maximum: int = MEASURED) -> list[Path]:
        """Image files of a domain that no model is trained on, evenly spaced."""
        folder = self.domain_folder(setup, name)
        paths = images_in([folder]) if setup.trained is not None else split(folder, HELD_OUT)[1]
        return evenly_spaced(paths, maximum)

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """For each target, measurements of the photographs themselves and of their translations by each model."""
        import_tensorflow()
        inception = not setup.quick and setup.size >= _INCEPTION_SIZE and setup.networks.trained("InceptionV3")
        backbone = setup.networks.get("InceptionV3" if inception else "VGG19Mini")
        measurements: dict[str, Any] = {}
        for target in self.targets_of(setup):
            photos = load_squares(self.held_out(setup, self.photo_domain(setup, target)), setup.size)
            domain = load_squares(self.held_out(setup, target), setup.size)
            for name, pictures in (("photographs", photos), (f"pictures of {target}", domain)):
                if len(pictures) < 2:
                    raise InputError(
                        f"{len(pictures)} {name} are held out, and it takes 2 or more: give more pictures"
                    )
            measurements[f"{target}-photo"] = measure(photos, photos, domain, backbone, setup.size)
            for kind in self.models:
                model: Any = self.model(setup, target, kind)
                translations = [model.stylize(photo) for photo in photos]
                training = read_training(self.training_folder(setup, target, kind))
                measurements[f"{target}-{kind}"] = {
                    **measure(photos, translations, domain, backbone, setup.size),
                    "parameters": int(model.generator.count_params()),
                    "steps": training.generator_steps,
                    "size": training.settings["crop_size"],
                    "losses": {name: value for name, value in training.rows[-1].items() if name != "epoch"},
                }
        return measurements

    def paint(self, run: Run, setup: Setup) -> RunResult:
        """Apply the model of the run."""
        _, target, kind = run.name.split("-", 2)
        model: Any = self.model(setup, target, kind)
        start = time.perf_counter()
        picture = model.stylize(setup.contents[run.content])
        seconds = round(time.perf_counter() - start, 2)
        steps = read_training(self.training_folder(setup, target, kind)).generator_steps
        return RunResult(picture, seconds, steps)

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Columns that compare a picture with the domain and with other contents.

        `kid` is that of the model; `color_to_domain` is `tfstyle.evaluation.metrics.color_distance` from images of
        the domain that were held out; `content_gap` is SSIM with the content less the mean of SSIM with the other
        contents; `luminance` is the correlation of luminance with the content's.
        """
        from tfstyle.evaluation.gan_diagnostics import luminance_correlation

        setup = outcome.setup
        palettes = {target: self.palette(setup, target) for target in self.targets_of(setup)}
        rows = []
        for run, row in zip(outcome.runs, outcome.rows, strict=True):
            picture = outcome.picture(run.name)
            shape = picture.rgb.shape[:2]
            others = [each.resized(shape) for i, each in enumerate(setup.contents) if i != run.content]
            gap = None
            if others:
                gap = row["ssim"] - float(np.mean([metrics.ssim(each.rgb, picture.rgb) for each in others]))
            rows.append({
                "kid": outcome.measurements[run.name.split("-", 1)[1]]["kid"],
                "color_to_domain": metrics.color_distance(palettes[run.facts["domain"]], picture.rgb),
                "content_gap": gap,
                "luminance": luminance_correlation(setup.contents[run.content].rgb[None], picture.rgb[None]),
            })  # fmt: skip
        return rows

    def palette(self, setup: Setup, target: str) -> np.ndarray:
        """Held-out images of a domain, one below the other."""
        return np.concatenate(load_squares(self.held_out(setup, target, PALETTE), setup.size))
