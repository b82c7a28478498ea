"""Figures and sentences of what models from domain to domain have made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tfstyle.experiments import figures
from tfstyle.experiments.unpaired.measures import square
from tfstyle.experiments.unpaired.trainings import training
from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from tfstyle.experiments.base import Outcome, Setup
    from tfstyle.experiments.figures import Figure
    from tfstyle.experiments.unpaired.base import Unpaired


def grid_of_domains(
    experiment: Unpaired, outcome: Outcome, title: str, note: Callable[[dict[str, Any]], str]
) -> Figure:
    """For each domain a picture of it, photographs, and what each model makes of them; `note` is of a run's row."""
    setup = outcome.setup
    rows: list[list[Picture | None]] = []
    labels: list[str] = []
    notes: list[list[str]] = []
    size, wide = setup.size, 0
    apart = len(set(setup.painted_for.values())) > 1
    for place, target in enumerate(experiment.trained_on(setup)):
        chosen = setup.painted_for.get(target, tuple(range(len(setup.contents))))
        if not setup.private and (place == 0 or apart):
            rows.append([None, *(cell(setup.contents[index], size) for index in chosen)])
            labels.append("photographs" + (f"\n{chosen[0] + 1} to {chosen[-1] + 1}" if apart else ""))
            notes.append([""] * (1 + len(chosen)))
        for words in experiment.models.values():
            found = [row for row in outcome.rows if (row["domain"], row["model"]) == (target, words)]
            pictures = (outcome.picture(row["run"]) for row in found)
            style = cell(setup.shown(setup.styles[place]), size)
            rows.append([style, *(cell(picture, size) for picture in pictures)])
            labels.append(f"{target},\n{words}")
            notes.append(["", *map(note, found)])
        wide = max(wide, 1 + len(chosen))
    rows = [row + [None] * (wide - len(row)) for row in rows]
    notes = [line + [""] * (wide - len(line)) for line in notes]
    names = ["of the\ndomain", *("" if apart else f"{index + 1}" for index in range(wide - 1))]
    return figures.grid(rows, names, labels, title, notes, side=160)


def training_curves(experiment: Unpaired, setup: Setup) -> dict[str, Figure]:
    """How much generators changed photographs while they were trained; none of trainings of one epoch."""
    lines = {}
    for target in experiment.trained_on(setup):
        for kind, words in experiment.models.items():
            place = experiment.place(setup, target, kind)
            record = training(place) if (place / "model.keras").is_file() else None
            if record is not None and len(record.rows) > 1:
                xs = [float(record.steps_after(row)) for row in record.rows]
                lines[f"{target}, {words}"] = (xs, [row["copy_ratio"] for row in record.rows])
    if not lines:
        return {}
    title = "By how much generators change photographs, as a share of the contrast in them"
    return {"training": figures.curves(lines, title, "generator steps", "copy ratio")}


def held_out(experiment: Unpaired, outcome: Outcome) -> str:
    """Over how many photographs means are taken."""
    found, targets = outcome.measurements, experiment.trained_on(outcome.setup)
    numbers = [found[f"{target}-photo"]["number"] for target in targets]
    if len(set(numbers)) == 1:
        return f"mean over {numbers[0]} that were held out"
    said = ", ".join(f"{number} ({target})" for number, target in zip(numbers, targets, strict=True))
    return f"mean over those that were held out, {said}"


def kids(experiment: Unpaired, outcome: Outcome) -> str:
    """How far photographs and what was made of them are from the domain, with the protocol."""
    found, targets = outcome.measurements, experiment.trained_on(outcome.setup)
    said = "; ".join(
        f"{target}: {found[f'{target}-photo']['kid']:.3g} of the photographs themselves, "
        + ", ".join(f"{found[f'{target}-{kind}']['kid']:.3g} by {words}" for kind, words in experiment.models.items())
        for target in targets
    )
    return f"distance to the domain, {said} ({found[f'{targets[0]}-photo']['protocol']})."


def cell(picture: Picture | None, size: int) -> Picture | None:
    """The middle square of a picture, so that all of a figure are of one size."""
    return picture and Picture(square(picture.rgb, size), None, picture.name)
