"""Figures and sentences about models that translate photographs into images of a domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tfstyle.experiments import figures
from tfstyle.experiments.unpaired.trainings import is_trained, read_training
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import center_square

if TYPE_CHECKING:
    from tfstyle.experiments.base import Outcome, Setup
    from tfstyle.experiments.figures import Figure
    from tfstyle.experiments.unpaired.base import Unpaired


def grid_of_domains(
    experiment: Unpaired, outcome: Outcome, title: str, note: Callable[[dict[str, Any]], str]
) -> Figure:
    """For each target an image of the domain, photographs, and their translations by each model.

    Args:
        experiment: The experiment.
        outcome: Its outcome.
        title: The figure's title.
        note: Returns the note below a translation from the run's row.
    """
    setup = outcome.setup
    rows: list[list[Picture | None]] = []
    labels: list[str] = []
    notes: list[list[str]] = []
    size, columns = setup.size, 0
    separate = len(set(setup.painted_for.values())) > 1  # whether targets have photographs of their own
    for place, target in enumerate(experiment.targets_of(setup)):
        indices = setup.painted_for.get(target, tuple(range(len(setup.contents))))
        if not setup.private and (place == 0 or separate):
            rows.append([None, *(cell(setup.contents[index], size) for index in indices)])
            labels.append("photographs" + (f"\n{indices[0] + 1} to {indices[-1] + 1}" if separate else ""))
            notes.append([""] * (1 + len(indices)))
        for words in experiment.models.values():
            runs = [row for row in outcome.rows if (row["domain"], row["model"]) == (target, words)]
            pictures = (outcome.picture(row["run"]) for row in runs)
            style = cell(setup.shown(setup.styles[place]), size)
            rows.append([style, *(cell(picture, size) for picture in pictures)])
            labels.append(f"{target},\n{words}")
            notes.append(["", *map(note, runs)])
        columns = max(columns, 1 + len(indices))
    rows = [row + [None] * (columns - len(row)) for row in rows]
    notes = [line + [""] * (columns - len(line)) for line in notes]
    names = ["of the\ndomain", *("" if separate else f"{index + 1}" for index in range(columns - 1))]
    return figures.grid(rows, names, labels, title, notes, side=160)


def training_curves(experiment: Unpaired, setup: Setup) -> dict[str, Figure]:
    """How much generators changed photographs over their trainings; no figure for trainings of one epoch."""
    lines = {}
    for target in experiment.targets_of(setup):
        for kind, words in experiment.models.items():
            folder = experiment.training_folder(setup, target, kind)
            training = read_training(folder) if is_trained(folder) else None
            if training is not None and len(training.rows) > 1:
                steps = [float(training.generator_steps_after(row)) for row in training.rows]
                lines[f"{target}, {words}"] = (steps, [row["copy_ratio"] for row in training.rows])
    if not lines:
        return {}
    title = "By how much generators change photographs, as a share of the contrast in them"
    return {"training": figures.curves(lines, title, "generator steps", "copy ratio")}


def held_out(experiment: Unpaired, outcome: Outcome) -> str:
    """The number of held-out photographs that means are taken over."""
    measurements, targets = outcome.measurements, experiment.targets_of(outcome.setup)
    numbers = [measurements[f"{target}-photo"]["number"] for target in targets]
    if len(set(numbers)) == 1:
        return f"mean over {numbers[0]} that were held out"
    listing = ", ".join(f"{number} ({target})" for number, target in zip(numbers, targets, strict=True))
    return f"mean over those that were held out, {listing}"


def kernel_distances(experiment: Unpaired, outcome: Outcome) -> str:
    """The kernel distances of photographs and translations from the domain, with the protocol."""
    measurements, targets = outcome.measurements, experiment.targets_of(outcome.setup)
    distances = "; ".join(
        f"{target}: {measurements[f'{target}-photo']['kid']:.3g} of the photographs themselves, "
        + ", ".join(
            f"{measurements[f'{target}-{kind}']['kid']:.3g} by {words}" for kind, words in experiment.models.items()
        )
        for target in targets
    )
    return f"distance to the domain, {distances} ({measurements[f'{targets[0]}-photo']['protocol']})."


def cell(picture: Picture | None, size: int) -> Picture | None:
    """The center square of a picture, so that all pictures of a figure have one size; None stays None."""
    return picture and Picture(center_square(picture.rgb, size), None, picture.name)
