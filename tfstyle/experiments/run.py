"""Runs an experiment into a folder, and goes on after a break."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfstyle import experiments, images
from tfstyle.core import files
from tfstyle.core.errors import InputError, unknown
from tfstyle.core.fingerprint import digest
from tfstyle.core.progress import Bar, wanted
from tfstyle.core.signatures import takes
from tfstyle.core.version import VERSION
from tfstyle.experiments import report
from tfstyle.experiments.backbones import Networks
from tfstyle.experiments.base import Experiment, Outcome, Run, Setup
from tfstyle.experiments.evaluator import Evaluator
from tfstyle.experiments.folder import Folder
from tfstyle.experiments.papers.comparison import Comparison
from tfstyle.experiments.settings import CompareSettings, ReproduceSettings
from tfstyle.images import samples
from tfstyle.images.picture import Picture

log = logging.getLogger("tfstyle")


@takes(ReproduceSettings)
def reproduce(experiment: str | Experiment, settings: ReproduceSettings) -> Outcome:
    """Run a paper's experiment into a folder: `report.html`, `results.csv`, `results.json`, figures and images.

    Finished runs with the same settings are kept: a second call goes on after a break.

    Args:
        experiment: Its name (see `tfstyle.experiments.EXPERIMENTS`), or an `Experiment` of your own.
        {options}

    Raises:
        InputError: An argument can't be used; one line names it and the fix.
        KeyboardInterrupt: After Ctrl-C; finished runs are in the folder.
    """
    if isinstance(experiment, str):
        experiment = experiments.get(experiment)
    return perform(experiment, prepare(experiment, settings), settings.folder, settings.progress)


@takes(CompareSettings)
def compare(content: images.Source, settings: CompareSettings) -> Outcome:
    """Paint one pair with several networks, all else the same, into a folder as `reproduce` does.

    Args:
        content: The content image.
        {options}

    Raises:
        InputError: An argument can't be used; one line names it and the fix.
        KeyboardInterrupt: After Ctrl-C; finished runs are in the folder.
    """
    return reproduce(
        Comparison(settings.backbones, settings.treatments),
        settings.folder,
        contents=[content],
        styles=[settings.style],
        size=settings.size,
        steps=settings.steps,
        seed=settings.seed,
        weights=settings.weights,
        private=settings.private,
        progress=settings.progress,
    )


def perform(
    experiment: Experiment, setup: Setup, folder: str | os.PathLike[str], progress: bool | None = None
) -> Outcome:
    """Run an experiment with a setup into a folder; see `reproduce`."""
    place, evaluator, runs = Folder(folder, experiment.name), Evaluator(setup.networks), experiment.runs(setup)
    fingerprints = {run.name: digest(_run_settings(experiment, setup, run)) for run in runs}
    rows = {run.name: row for run in runs if (row := place.finished(run.name, fingerprints[run.name])) is not None}
    if rows:
        log.info("%s: %d of %d runs are finished and kept", files.shown(folder), len(rows), len(runs))
    if changed := sum(place.has(run.name) for run in runs if run.name not in rows):
        log.info("%s: %d runs had other settings and are done again", files.shown(folder), changed)
    start = time.perf_counter()
    visible = wanted(progress)
    with Bar(experiment.name, len(runs), completed=len(rows), unit="runs", visible=visible) as bar:
        measurements = _measurements(experiment, setup, place)
        for run in runs:
            if run.name not in rows:
                bar.advance(0, run.label)
                rows[run.name] = _row(experiment, setup, place, evaluator, run, fingerprints[run.name])
                bar.advance()
    outcome = Outcome(setup, runs, [rows[run.name] for run in runs], measurements, place.picture)
    outcome = replace(outcome, rows=[a | b for a, b in zip(outcome.rows, experiment.derived(outcome), strict=True)])
    report.write(experiment, outcome, place, time.perf_counter() - start)
    return outcome


def prepare(experiment: Experiment, settings: ReproduceSettings) -> Setup:
    """The inputs of an experiment: the user's images or samples, at their size.

    Raises:
        InputError: The experiment does not take them, or an image can't be read.
    """
    contents, styles = settings.contents or (), settings.styles or ()
    for kind, sources, most in (
        ("content", contents, experiment.most_contents),
        ("style", styles, experiment.most_styles),
    ):
        if len(sources) > most:
            plural, extra = "s" * (most != 1), len(sources) - most
            raise InputError(f"{experiment.name} takes at most {most} {kind} image{plural}: leave out {extra}")
    size = settings.size or (experiment.quick_size if settings.quick else experiment.size)
    setup = Setup(
        contents=_loaded(contents, settings.private, size) or _samples(experiment.contents, _content, size),
        styles=_loaded(styles, settings.private, size) or _samples(experiment.styles, _style, size),
        size=size,
        steps=settings.steps or (experiment.quick_steps if settings.quick else experiment.steps),
        quick=settings.quick,
        seed=settings.seed,
        networks=Networks(settings.seed, settings.weights),
        private=settings.private,
        folder=Path(settings.folder),
        domains={name: Path(place) for name, place in (settings.domains or {}).items()},
        trained=None if settings.trained is None else Path(settings.trained),
    )
    _check_domains(experiment, setup, settings.steps)
    return experiment.completed(setup, bool(contents))


def _check_domains(experiment: Experiment, setup: Setup, steps: int | None) -> None:
    """Check the domains and the finished trainings."""
    name = experiment.name
    if not experiment.domains and (setup.domains or setup.trained is not None):
        option = "domain" if setup.domains else "trained"
        raise InputError(f"{name} does not train on domains: leave out the option {option}")
    for domain in setup.domains:
        if domain not in experiment.domains:
            raise unknown("domain", domain, experiment.domains)
    if setup.trained is not None and not setup.domains:
        raise InputError(f"{name} has no images to measure the trainings with: give domains that were not trained on")
    if setup.trained is not None and steps is not None:
        raise InputError("steps have no effect on finished trainings: leave them out")


def _loaded(sources: Sequence[images.Source], private: bool, size: int) -> tuple[Picture, ...]:
    """The user's images; in a private report they are named without their folders."""

    def name(source: images.Source) -> str | None:
        return os.path.basename(source) if private and isinstance(source, str | os.PathLike) else None

    return tuple(images.load(source, size, name=name(source)) for source in sources)


def _samples(names: Sequence[str], make: Any, size: int) -> tuple[Picture, ...]:
    return tuple(images.load(images.load(make(name, size), name=f"sample {name}"), size) for name in names)


def _content(name: str, size: int) -> np.ndarray:
    """A sample photograph, or a scene with known depth."""
    if name in samples.SCENES:
        return samples.scene(name, size)[0]
    return samples.motorcycle()[0] if name == "motorcycle" else samples.content(name)


def _style(name: str, size: int) -> np.ndarray:
    """A sample style image, or the first image of a domain."""
    return samples.style(name, size) if name in samples.STYLES else samples.domain(name, 0, size)


def _run_settings(experiment: Experiment, setup: Setup, run: Run) -> dict[str, Any]:
    """All settings that a finished run must have been done with to be kept."""
    networks = experiment.evaluation_networks(run, setup)
    return {
        "state": experiment.state(setup),
        "version": VERSION,
        "run": run,
        "content": setup.contents[run.content],
        "styles": [setup.styles[index] for index in run.styles],
        "size": setup.size,
        "steps": setup.steps,
        "seed": setup.seed,
        "weights": {name: setup.networks.record(name) for name in (*run.networks, *networks)},
        "evaluation_networks": networks,
    }


def _row(
    experiment: Experiment, setup: Setup, place: Folder, evaluator: Evaluator, run: Run, fingerprint: str
) -> dict[str, Any]:
    """Paint a run, score it, and write both."""
    result = experiment.paint(run, setup)
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    picture = place.keep(run.name, result.image)
    content, style = setup.contents[run.content], setup.styles[run.styles[0]]
    row = {
        "run": run.name,
        **run.facts,
        "weights": "; ".join(f"{name}: {setup.networks.record(name)['name']}" for name in run.networks),
        **evaluator.scores(content, style, picture, experiment.evaluation_networks(run, setup)),
        **result.columns(),
    }
    place.finish(run.name, fingerprint, row, result.record())
    return row


def _measurements(experiment: Experiment, setup: Setup, place: Folder) -> dict[str, Any]:
    """What is measured besides the runs: from the folder if it is there, else measured now."""
    fingerprint = digest({
        "state": experiment.state(setup),
        "version": VERSION,
        "contents": setup.contents,
        "styles": setup.styles,
        "quick": setup.quick,
        "steps": setup.steps,
        "seed": setup.seed,
        "weights": {name: setup.networks.record(name) for run in experiment.runs(setup) for name in run.networks},
    })  # fmt: skip
    stored = place.read("measurements.json")
    if stored.get("fingerprint") == fingerprint:
        return stored["measurements"]
    measurements = experiment.measurements(setup)
    place.write("measurements.json", {"fingerprint": fingerprint, "measurements": measurements})
    return measurements
