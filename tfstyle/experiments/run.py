"""An experiment run into a folder, going on where it was broken off."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfstyle import experiments, images
from tfstyle.core import files
from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.core.version import VERSION
from tfstyle.experiments import BACKBONES, report
from tfstyle.experiments.backbones import Networks
from tfstyle.experiments.base import Experiment, Outcome, Run, Setup
from tfstyle.experiments.evaluator import Jury
from tfstyle.experiments.folder import Folder, fingerprint
from tfstyle.experiments.papers.comparison import Comparison
from tfstyle.images import samples
from tfstyle.images.picture import Picture

log = logging.getLogger("tfstyle")

LARGEST = 4096  # pixels: experiments make many pictures, and samples take their time


def reproduce(
    experiment: str | Experiment,
    folder: str | os.PathLike[str],
    *,
    quick: bool = False,
    contents: Sequence[images.Source] = (),
    styles: Sequence[images.Source] = (),
    domains: Mapping[str, str | os.PathLike[str]] | None = None,
    trained: str | os.PathLike[str] | None = None,
    size: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    weights: str | None = None,
    private: bool = False,
    progress: bool | None = None,
) -> Outcome:
    """Run a paper's experiment into a folder: `report.html`, `results.csv`, `results.json`, figures and pictures.

    Runs that are finished already, with the same settings, are kept, so that what was broken off goes on.

    Args:
        experiment: Its name (see `tfstyle.experiments.EXPERIMENTS`), or an `Experiment` of your own.
        folder: Where it goes.
        quick: A short trial of everything: fewer runs, smaller pictures, fewer steps.
        contents: Content pictures in place of the samples.
        styles: Style pictures in place of the samples.
        domains: Of experiments that train on domains of pictures, a folder for each, as `{"photo": "photos/"}`, in
            place of the package's own; the last tenth of each, by name, is not trained on but measured.
        trained: Of those, a folder with trainings that `tfstyle train` has left, such as `ink-cyclegan`, in place of
            training any; all pictures of `domains` are measured then.
        size: Longer side of the pictures, in pixels; None for the experiment's.
        steps: Optimisation steps; None for the experiment's.
        seed: Of noise and of random weights.
        weights: `"random"` for untrained networks; None for ImageNet weights where there are any.
        private: Whether figures and report are to be without the content and style pictures, and have their names
            only: to publish what may be shown where these may not.
        progress: Whether to draw a live bar over the runs on stderr; None for: if stderr is a terminal.

    Raises:
        InputError: Something given can't be used; one line names it and the fix.
        KeyboardInterrupt: After Ctrl-C; finished runs are in the folder.
    """
    what = experiments.get(experiment) if isinstance(experiment, str) else experiment
    setup = _setup(what, quick, contents, styles, size, steps, seed, weights, private)
    places = {name: Path(place) for name, place in (domains or {}).items()}
    there = None if trained is None else Path(trained)
    _check_domains(what, places, there, steps)
    setup = replace(setup, folder=Path(folder), domains=places, trained=there)
    setup = what.settled(setup, bool(contents))
    return perform(what, setup, folder, progress)


def compare(
    content: images.Source,
    style: images.Source,
    folder: str | os.PathLike[str],
    *,
    backbones: Sequence[str] = BACKBONES,
    treatments: Sequence[str] = ("raw", "balanced"),
    **options: Any,
) -> Outcome:
    """Paint one pair with several networks, all else the same, into a folder as `reproduce` has it.

    Args:
        content: The photograph.
        style: The painting.
        folder: Where it goes.
        backbones: Names of `keras.applications` networks.
        treatments: Names of `tfstyle.experiments.papers.comparison.TREATMENTS`.
        **options: As for `reproduce`.

    Raises:
        InputError: Something given can't be used; one line names it and the fix.
    """
    return reproduce(Comparison(backbones, treatments), folder, contents=[content], styles=[style], **options)


def perform(
    experiment: Experiment, setup: Setup, folder: str | os.PathLike[str], progress: bool | None = None
) -> Outcome:
    """Run an experiment with a setup into a folder; see `reproduce`."""
    place, jury, runs = Folder(folder, experiment.name), Jury(setup.networks), experiment.runs(setup)
    asked = {run.name: fingerprint(_settings(experiment, setup, run)) for run in runs}
    rows = {run.name: row for run in runs if (row := place.finished(run.name, asked[run.name])) is not None}
    if rows:
        log.info("%s: %d of %d runs are finished and kept", files.shown(folder), len(rows), len(runs))
    if changed := sum(place.has(run.name) for run in runs if run.name not in rows):
        log.info("%s: %d runs had other settings and are done anew", files.shown(folder), changed)
    begun = time.perf_counter()
    with _bar(experiment.name, len(runs), len(rows), progress) as advance:
        measurements = _measurements(experiment, setup, place)
        for run in runs:
            if run.name in rows:
                continue
            advance(run.label, 0)
            rows[run.name] = _done(experiment, setup, place, jury, run, asked[run.name])
            advance(run.label, 1)
    outcome = Outcome(setup, runs, [rows[run.name] for run in runs], measurements, place.picture)
    outcome = replace(outcome, rows=[a | b for a, b in zip(outcome.rows, experiment.derived(outcome), strict=True)])
    report.write(experiment, outcome, place, time.perf_counter() - begun)
    return outcome


def _setup(
    experiment: Experiment,
    quick: bool,
    contents: Sequence[images.Source],
    styles: Sequence[images.Source],
    size: int | None,
    steps: int | None,
    seed: int,
    weights: str | None,
    private: bool,
) -> Setup:
    for name, value, high in (("size", size, LARGEST), ("steps", steps, 10_000_000)):
        if value is not None:
            check_whole(name, value, 64 if name == "size" else 1, high)
    check_whole("seed", seed, 0, 2**32 - 1)
    for kind, given, most in (
        ("content", contents, experiment.most_contents),
        ("style", styles, experiment.most_styles),
    ):
        if len(given) > most:
            raise InputError(f"{experiment.name} takes {most} {kind} picture{'s'[: most > 1]}, not {len(given)}")
    longer = size or (experiment.quick_size if quick else experiment.size)

    def loaded(source: images.Source) -> Picture:
        alone = os.path.basename(source) if private and isinstance(source, str | os.PathLike) else None
        return images.load(source, longer, name=alone)

    return Setup(
        contents=tuple(loaded(each) for each in (contents or _photographs(experiment.contents, longer))),
        styles=tuple(loaded(each) for each in (styles or _paintings(experiment.styles, longer))),
        size=longer,
        steps=steps or (experiment.quick_steps if quick else experiment.steps),
        quick=quick,
        seed=seed,
        networks=Networks(seed, weights),
        private=private,
    )


def _check_domains(
    experiment: Experiment, domains: Mapping[str, Path], trained: Path | None, steps: int | None
) -> None:
    """See that an experiment takes the domains that are given."""
    name = experiment.name
    if not experiment.domains and (domains or trained is not None):
        given = "domain" if domains else "folder of trainings"
        raise InputError(f"{name} trains on no domains: leave the {given} out")
    for each in domains:
        if each not in experiment.domains:
            raise unknown("domain", each, experiment.domains)
    if trained is not None and not domains:
        raise InputError(f"{name} has nothing to measure trainings with: give domains that were not trained on")
    if trained is not None and steps is not None:
        raise InputError("steps say nothing of trainings that are there already: leave them out")


def _photographs(names: Sequence[str], size: int) -> list[Picture]:
    return [images.load(_content(name, size), name=f"sample {name}") for name in names]


def _content(name: str, size: int) -> np.ndarray:
    """A sample photograph, or a scene with known depth."""
    if name in samples.SCENES:
        return samples.scene(name, size)[0]
    return samples.motorcycle()[0] if name == "motorcycle" else samples.content(name)


def _paintings(names: Sequence[str], size: int) -> list[Picture]:
    return [images.load(_style(name, size), name=f"sample {name}") for name in names]


def _style(name: str, size: int) -> np.ndarray:
    """A sample painting, or the first of a domain."""
    return samples.style(name, size) if name in samples.STYLES else samples.domain(name, 0, size)


def _settings(experiment: Experiment, setup: Setup, run: Run) -> dict[str, Any]:
    """All that a finished run must have been done with to be kept."""
    judges = experiment.judges(run, setup)
    return {
        "state": experiment.state(setup),
        "version": VERSION,
        "run": run,
        "content": setup.contents[run.content],
        "styles": [setup.styles[index] for index in run.styles],
        "size": setup.size,
        "steps": setup.steps,
        "seed": setup.seed,
        "weights": {name: setup.networks.record(name) for name in (*run.networks, *judges)},
        "judges": judges,
    }


def _done(experiment: Experiment, setup: Setup, place: Folder, jury: Jury, run: Run, asked: str) -> dict[str, Any]:
    """Paint a run, score it, and write both."""
    result = experiment.paint(run, setup)
    stopped = result.settings.get("stopped")
    if stopped == "interrupted":
        raise KeyboardInterrupt
    picture = place.keep(run.name, result.image)
    content, style = setup.contents[run.content], setup.styles[run.styles[0]]
    row = {
        "run": run.name,
        **run.facts,
        "weights": "; ".join(f"{name}: {setup.networks.record(name)['name']}" for name in run.networks),
        **jury.scores(content, style, picture, experiment.judges(run, setup)),
        **{name: result.settings.get(name) for name in ("first_loss", "best_loss", "steps_done", "seconds")},
        "stopped": stopped,
    }
    place.finish(run.name, asked, row, result.record())
    return row


def _measurements(experiment: Experiment, setup: Setup, place: Folder) -> dict[str, Any]:
    """What is measured besides the runs, as the folder has it or anew."""
    asked = fingerprint({
        "state": experiment.state(setup),
        "version": VERSION,
        "contents": setup.contents,
        "styles": setup.styles,
        "quick": setup.quick,
        "steps": setup.steps,
        "seed": setup.seed,
        "weights": {name: setup.networks.record(name) for run in experiment.runs(setup) for name in run.networks},
    })  # fmt: skip
    kept = place.read("measurements.json")
    if kept.get("fingerprint") == asked:
        return kept["measurements"]
    found = experiment.measurements(setup)
    place.write("measurements.json", {"fingerprint": asked, "measurements": found})
    return found


class _Advance:
    """Nothing, or moves the bar."""

    def __init__(self, progress: Any = None, task: Any = None) -> None:
        self.progress, self.task = progress, task

    def __call__(self, label: str, runs: int) -> None:
        if self.progress is not None:
            self.progress.update(self.task, advance=runs, run=label)


@contextlib.contextmanager
def _bar(name: str, total: int, done: int, progress: bool | None) -> Iterator[_Advance]:
    """A bar over the runs, on stderr."""
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    if not (on_terminal if progress is None else progress):
        yield _Advance()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed}/{task.total} runs"),
        TextColumn("{task.fields[run]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        yield _Advance(bar, bar.add_task(name, total=total, completed=done, run=""))
