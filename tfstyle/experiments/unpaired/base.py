"""Experiments that train between unpaired domains: what is trained, what is held out, and what is measured of it.

A subclass of `Unpaired` names its models, as `tfstyle train` knows them, and its domains, and has claims, constants,
figures and findings of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.runtime import import_tensorflow
from tfstyle.evaluation import metrics
from tfstyle.experiments.base import Constant, Experiment, Outcome, Run, Setup
from tfstyle.experiments.folder import fingerprint
from tfstyle.experiments.unpaired.measures import PALETTE, evenly, measured, squares
from tfstyle.experiments.unpaired.trainings import training
from tfstyle.images import samples
from tfstyle.images.picture import Picture
from tfstyle.pipelines.result import Result
from tfstyle.training.crops import listed, split

if TYPE_CHECKING:
    from tfstyle.models.adversarial.base import AdversarialModel

log = logging.getLogger("tfstyle")

HELD_OUT = 0.1  # of each domain, the last by name: not trained on, but measured (chosen)
MEASURED = 128  # pictures of a domain at most (chosen)
SHOWN = 4  # photographs in the figures (chosen)
EPOCHS, SHORT = 20, 1000  # of a training, which goes on from the last one; 2 for fewer steps than that (chosen)
_INCEPTION = 96  # pixels that its layers take
_MARGIN = 286 / 256  # of procedural pictures, which crops are taken of: as CycleGAN's


class Unpaired(Experiment):
    """Models trained on the same domains, and applied to the same photographs.

    Attributes:
        models: What figures call them, by their names of `tfstyle train`.
        targets: Domains that photographs are brought to, of which folders may be given.
    """

    models: ClassVar[Mapping[str, str]] = {}
    targets: tuple[str, ...] = ()
    contents = ("street", "portrait", "table", "room")
    most_contents = 6
    most_styles = 0  # a domain is more than a picture
    size = 128
    steps = 5000
    quick_size = 64
    quick_steps = 120

    def __init__(self) -> None:
        self._models: dict[tuple[Setup, str], AdversarialModel] = {}

    @property
    def domains(self) -> tuple[str, ...]:  # type: ignore[override]
        """Photographs, the domains they are brought to, and photographs for one of them alone."""
        return ("photo", *self.targets, *(f"{target}-photo" for target in self.targets))

    def trained_on(self, setup: Setup) -> tuple[str, ...]:
        """The domains that photographs are brought to: those given, else the experiment's."""
        return tuple(target for target in self.targets if target in setup.domains) or self.styles

    def photos(self, setup: Setup, target: str) -> str:
        """The domain of photographs that a target's models learn from."""
        own = f"{target}-photo"
        return own if own in setup.domains else "photo"

    def settled(self, setup: Setup, given: bool) -> Setup:
        """With pictures of the domains given, and the steps of trainings that are there."""
        targets = self.trained_on(setup)
        if setup.domains:
            if not set(targets) & set(setup.domains):
                raise InputError(f"{self.name} has nothing to learn: give {' or '.join(self.targets)} as well")
            for target in targets:
                if self.photos(setup, target) not in setup.domains:
                    raise InputError(f"{self.name} has no photographs for {target}: give photo=DIR")
            setup = _pictured(self, setup, given)
        if setup.trained is not None:
            steps = [training(setup.trained / f"{target}-{kind}").steps for target in targets for kind in self.models]
            setup = replace(setup, steps=max(steps))
        return setup

    def state(self, setup: Setup) -> Any:
        """Which pictures the folders have, and how far trainings are that are there already."""
        names = {name: [path.name for path in listed([place])] for name, place in setup.domains.items()}
        trainings = {}
        if setup.trained is not None:
            for target in self.trained_on(setup):
                for kind in self.models:
                    found = training(setup.trained / f"{target}-{kind}")
                    trainings[f"{target}-{kind}"] = fingerprint([dict(found.settings), [*map(dict, found.rows)]])
        return {"domains": fingerprint(names), "trainings": trainings}

    def runs(self, setup: Setup) -> list[Run]:
        """Each content by all models of each domain."""
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
            for place, target in enumerate(self.trained_on(setup))
            for kind, words in self.models.items()
            for index in setup.painted_for.get(target, everything)
        ]

    def judges(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """The one that is always there for quick trials."""
        return ("VGG19Mini",) if setup.quick else super().judges(run, setup)

    def options(self, setup: Setup) -> dict[str, int]:
        """Of networks and procedural domains (chosen: what a processor trains in hours, or, quick, in a minute)."""
        if setup.quick:
            return {"filters": 8, "blocks": 2, "pictures": 40}
        return {"filters": 32, "blocks": 6, "pictures": 200}

    def constants(self, setup: Setup) -> list[Constant]:
        """What is trained on, held out and measured, and how each training was done."""
        if setup.trained is not None:
            held = "all pictures of the folders given are measured; trainings were there already"
        else:
            held = f"the last {HELD_OUT:.0%} of each domain by name are not trained on, and are measured"
        whose = (
            "folders given" if setup.domains else f"{self.options(setup)['pictures']} of tfstyle.samples.domain each"
        )
        constants = [Constant("domains", f"{whose}; {held}, {MEASURED} at most", "chosen")]
        for target in self.trained_on(setup):
            for kind in self.models:
                place = self.place(setup, target, kind)
                if (place / "model.keras").is_file():
                    constants.append(
                        Constant(f"training {target}-{kind}", training(place).said(), "chosen", "its training.json")
                    )
        return constants

    def place(self, setup: Setup, target: str, kind: str) -> Path:
        """The folder of a training."""
        return (setup.trained or setup.folder / "training") / f"{target}-{kind}"

    def model(self, setup: Setup, target: str, kind: str) -> AdversarialModel:
        """A trained model: the one that is there, or else it is trained, on from where that was broken off."""
        key = (setup, f"{target}-{kind}")
        if key not in self._models:
            self._models[key] = self._read(setup, target, kind) if setup.trained else self._train(setup, target, kind)
        return self._models[key]

    def _read(self, setup: Setup, target: str, kind: str) -> AdversarialModel:
        from tfstyle.models import pretrained
        from tfstyle.models.interfaces import check_own_style

        import_tensorflow()
        model = pretrained.load(self.place(setup, target, kind))
        check_own_style(model)
        return model

    def _train(self, setup: Setup, target: str, kind: str) -> AdversarialModel:
        """Train as `tfstyle train` does, into a folder that goes on exactly."""
        from tfstyle.training import adversarial as train_adversarial

        epochs = min(setup.steps, EPOCHS if setup.steps >= SHORT else 2)
        sizes = {name: value for name, value in self.options(setup).items() if name in ("filters", "blocks")}
        place = self.place(setup, target, kind)
        options = train_adversarial.options_of(
            kind,
            place,
            [self.folder(setup, target)],
            [self.folder(setup, self.photos(setup, target))],
            size=setup.size,
            epochs=epochs,
            seed=setup.seed,
            held_out=HELD_OUT,
            resume=True,
        )
        if kind == "wgan":
            options.lipschitz = "penalty"
        for name, value in sizes.items():
            if hasattr(options, name):
                setattr(options, name, value)
        options.steps = -(-setup.steps // epochs) * getattr(options, "critic_steps", 1)
        run, model, given = train_adversarial.begun(options)
        if not run.rows() or run.rows()[-1]["epoch"] < epochs:
            log.info("training %s, %d steps; %s shows it", place.name, epochs * options.steps, files.shown(run.page))
        run.fit(
            model,
            given["dataset"],
            epochs=epochs,
            steps=options.steps,
            samples=given["samples"],
            callbacks=given["callbacks"],
            verbose=0,
        )
        return model

    def folder(self, setup: Setup, name: str) -> Path:
        """The folder of a domain: the one given, or one of procedural pictures, which are painted if they aren't."""
        if setup.domains:
            return setup.domains[name]
        side = round(setup.size * _MARGIN)
        place = setup.folder / "domains" / f"{name}-{side}-{setup.seed}"
        files.make_folder(place)
        for number in range(self.options(setup)["pictures"]):
            path = place / f"{number:06}.png"
            if not path.exists():
                images.save(samples.domain(name, number, side, setup.seed), path)
        return place

    def held(self, setup: Setup, name: str, most: int = MEASURED) -> list[Path]:
        """Pictures of a domain that were not trained on, evenly chosen."""
        place = self.folder(setup, name)
        return evenly(listed([place]) if setup.trained is not None else split(place, HELD_OUT)[1], most)

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """For each domain what each model makes of held-out photographs, and the photographs themselves."""
        import_tensorflow()
        can = not setup.quick and setup.size >= _INCEPTION and setup.networks.trained("InceptionV3")
        judge = "InceptionV3" if can else "VGG19Mini"
        found: dict[str, Any] = {}
        for target in self.trained_on(setup):
            photos = squares(self.held(setup, self.photos(setup, target)), setup.size)
            real = squares(self.held(setup, target), setup.size)
            for name, pictures in (("photographs", photos), (f"pictures of {target}", real)):
                if len(pictures) < 2:
                    raise InputError(
                        f"{len(pictures)} {name} are held out, and it takes 2 or more: give more pictures"
                    )
            network = setup.networks.get(judge)
            found[f"{target}-photo"] = measured(photos, photos, real, network, setup.size)
            for kind in self.models:
                model: Any = self.model(setup, target, kind)
                made = [model.stylize(photo) for photo in photos]
                record = training(self.place(setup, target, kind))
                found[f"{target}-{kind}"] = {
                    **measured(photos, made, real, network, setup.size),
                    "parameters": int(model.generator.count_params()),
                    "steps": record.steps,
                    "size": record.settings["size"],
                    "losses": {name: value for name, value in record.rows[-1].items() if name != "epoch"},
                }
        return found

    def paint(self, run: Run, setup: Setup) -> Result:
        """Apply the model of the run."""
        _, target, kind = run.name.split("-", 2)
        model: Any = self.model(setup, target, kind)
        began = time.perf_counter()
        picture = model.stylize(setup.contents[run.content])
        seconds = round(time.perf_counter() - began, 2)
        steps = training(self.place(setup, target, kind)).steps
        return Result(picture, None, {}, {"stopped": None, "steps_done": steps, "seconds": seconds})

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """How near colours are to the domain's, and how much more of its own content a picture has than of others.

        `kid` is that of the model; `color_to_domain` is `tfstyle.evaluation.metrics.color_distance` from pictures
        of the domain that were not trained on; `content_gap` SSIM with the content less the mean of SSIM
        with the other contents;
        `luminance` the correlation of light and dark with the content's.
        """
        from tfstyle.evaluation.gan_diagnostics import luminance_correlation

        setup = outcome.setup
        palettes = {target: self.palette(setup, target) for target in self.trained_on(setup)}
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
        """Pictures of a domain that were not trained on, one below the other."""
        return np.concatenate(squares(self.held(setup, target, PALETTE), setup.size))


def _pictured(experiment: Unpaired, setup: Setup, given: bool) -> Setup:
    """With contents and styles out of the folders given; of photographs for one domain alone, for that alone."""

    def readable(name: str, most: int) -> list[Picture]:
        """Evenly chosen ones that were not trained on; in the place of those that can't be read come others."""
        found: list[Picture] = []
        for path in dict.fromkeys([*experiment.held(setup, name, most), *experiment.held(setup, name)]):
            with contextlib.suppress(InputError):
                found.append(images.load(path, setup.size, name=os.path.basename(path) if setup.private else None))
            if len(found) == most:
                return found
        if not found:
            raise InputError(f"no picture of {name} can be read that is held out: give more pictures")
        return found

    targets = experiment.trained_on(setup)
    styles = tuple(readable(target, 1)[0] for target in targets)
    if given:
        return replace(setup, styles=styles)
    contents: list[Picture] = []
    places: dict[str, tuple[int, ...]] = {}
    for source in dict.fromkeys(experiment.photos(setup, target) for target in targets):
        chosen = readable(source, SHOWN)
        places[source] = tuple(range(len(contents), len(contents) + len(chosen)))
        contents += chosen
    painted_for = {target: places[experiment.photos(setup, target)] for target in targets}
    return replace(setup, styles=styles, contents=tuple(contents), painted_for=painted_for)
