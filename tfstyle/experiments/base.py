"""What an experiment is: runs, what a paper reports of them, and what was measured.

A subclass of `Experiment` sets the class attributes below and writes `runs`; it may write `measurements`, `figures`
and `findings`, and `paint` if `tfstyle.transfer` does not make its images. Scores, files, going on after a break and
the report are the same for all experiments (`run.py`, `report.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tfstyle.experiments.backbones import NetworkOptions
from tfstyle.images.picture import Picture
from tfstyle.pipelines import transfer as pipeline

if TYPE_CHECKING:
    from tfstyle.experiments.backbones import Networks
    from tfstyle.experiments.figures import Figure
    from tfstyle.pipelines.method import Method
    from tfstyle.pipelines.result import Result

AGREES, DISAGREES, UNTESTED = "agrees", "does not agree", "not tested"
EVALUATION_NETWORKS = ("VGG19", "ResNet50", "InceptionV3")  # chosen: their weights are the easiest to get


@dataclass(frozen=True)
class Run:
    """One image of an experiment.

    Attributes:
        name: Name of its files: letters, digits, `-`, `_` and `.`.
        label: Its name in figures and on the progress bar.
        networks: Names of the networks that paint it, each with its weight; empty if there are none.
        network_options: Options of these networks.
        settings: Options of `tfstyle.transfer`; size, steps and seed are the experiment's unless they are here.
        facts: What tells it from other runs: the first columns of the results.
        content: Index of its content image.
        styles: Indices of its style images; it is scored against the first.
    """

    name: str
    label: str
    networks: Mapping[str, float] = field(default_factory=dict)
    network_options: NetworkOptions = field(default_factory=NetworkOptions)
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    content: int = 0
    styles: tuple[int, ...] = (0,)


@dataclass(frozen=True, eq=False)
class RunResult:
    """The image of a run, and how it came about.

    Attributes:
        image: float32 (height, width, 3), RGB in [0, 1].
        seconds: Time that it took.
        steps_done: Steps of the optimisation or of the model's training.
        stopped: Why the run stopped early; None if it did not.
        first_loss: Loss at the first step; None where nothing is optimised.
        best_loss: The least loss; None where nothing is optimised.
        details: More for the record of the run, as JSON can hold it.
    """

    image: np.ndarray
    seconds: float
    steps_done: int = 0
    stopped: str | None = None
    first_loss: float | None = None
    best_loss: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_transfer(cls, result: Result) -> RunResult:
        """The result of `tfstyle.transfer` as that of a run."""
        settings = result.settings
        return cls(
            result.image,
            settings["seconds"],
            settings["steps_done"],
            settings["stopped"],
            settings.get("first_loss"),
            settings.get("best_loss"),
            result.record(),
        )

    def columns(self) -> dict[str, Any]:
        """The last columns of the results."""
        names = ("first_loss", "best_loss", "steps_done", "seconds", "stopped")
        return {name: getattr(self, name) for name in names}

    def record(self) -> dict[str, Any]:
        """All but the image."""
        return {**self.columns(), **self.details}


@dataclass(frozen=True)
class Claim:
    """What a paper reports; `source` says where."""

    text: str
    source: str


@dataclass(frozen=True)
class Constant:
    """A setting of the experiment: reported by the paper, or chosen because the paper does not give it."""

    name: str
    value: str
    kind: Literal["reported", "chosen"]
    source: str = ""

    @classmethod
    def of_method(cls, method: Method, name: str) -> Constant:
        """A field of a method, with the source that the method gives for it."""
        value, source = getattr(method, name), method.sources[name]
        chosen = source.startswith("chosen")
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        return cls(
            name.replace("_", " "),
            "the network's default" if value is None else shown,
            "chosen" if chosen else "reported",
            source.removeprefix("chosen").lstrip(": ") if chosen else source,
        )


@dataclass(frozen=True)
class Finding:
    """What was measured about a claim.

    Attributes:
        claim: What the paper reports; None for an observation beyond the paper.
        verdict: `AGREES`, `DISAGREES` or `UNTESTED`; empty for an observation.
        evidence: The measured figures, in a sentence.
    """

    claim: Claim | None
    verdict: str
    evidence: str


def verdict(holds: bool, tested: bool) -> str:
    """The verdict on a claim.

    Args:
        holds: Whether the measured figures agree with it.
        tested: Whether they can tell: random weights and quick trials can't.
    """
    return UNTESTED if not tested else AGREES if holds else DISAGREES


def finding(claim: Claim, evidence: str, *, holds: bool, tested: bool = True) -> Finding:
    """A finding about a claim; see `verdict`."""
    return Finding(claim, verdict(holds, tested), evidence)


def observation(evidence: str) -> Finding:
    """A finding beyond the paper."""
    return Finding(None, "", evidence)


@dataclass(frozen=True, eq=False)
class Setup:
    """The inputs of an experiment.

    Attributes:
        contents: Content images at their size.
        styles: Style images at their size.
        size: Longer side of the images, in pixels.
        steps: Steps of the optimisation.
        quick: Whether it is a short trial of everything.
        seed: Seed of noise and of random weights.
        networks: The networks, built when they are first used.
        private: Whether figures and report leave out the content and style images.
        folder: The experiment's folder, for what it keeps besides runs.
        domains: Folders of images by the names of their domains, if the user has any.
        trained: A folder with finished trainings; None to train.
        painted_for: Indices of the contents that are painted for a domain; all of them for domains not named here.
    """

    contents: tuple[Picture, ...]
    styles: tuple[Picture, ...]
    size: int
    steps: int
    quick: bool
    seed: int
    networks: Networks
    private: bool = False
    folder: Path = Path()
    domains: Mapping[str, Path] = field(default_factory=dict)
    trained: Path | None = None
    painted_for: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def shown(self, picture: Picture) -> Picture | None:
        """A content or style image for figures; None in a private report."""
        return None if self.private else picture

    def caption(self, names: Iterable[str]) -> str:
        """What every figure states: size, steps, seed, and the weights of the networks of these names."""
        names = list(dict.fromkeys(names))
        random = [name for name in names if not self.networks.trained(name)]
        weights = "ImageNet" if not random else f"{', '.join(random)} random"
        rest = ", all others ImageNet" if random and len(random) < len(names) else ""
        return f"{self.size} pixels, {self.steps} steps, seed {self.seed}; weights: {weights}{rest}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """The results of an experiment.

    Attributes:
        setup: Its inputs.
        runs: The runs.
        rows: For each run its facts, its scores (see `evaluator.py`), losses, steps and seconds.
        measurements: What `Experiment.measurements` returned.
        picture: From the name of a run to its image.
    """

    setup: Setup
    runs: list[Run]
    rows: list[dict[str, Any]]
    measurements: dict[str, Any]
    picture: Callable[[str], Picture]

    @property
    def networks(self) -> list[str]:
        """The names of all networks that painted or scored an image."""
        painters = (name for run in self.runs for name in run.networks)
        return list(dict.fromkeys([*painters, *(name for row in self.rows for name in row["judges"])]))

    def row(self, **facts: Any) -> dict[str, Any]:
        """The first row with these values.

        Raises:
            KeyError: There is none.
        """
        for row in self.rows:
            if all(row.get(name) == value for name, value in facts.items()):
                return row
        raise KeyError(facts)

    def rows_of(self, **facts: Any) -> list[dict[str, Any]]:
        """All rows with these values."""
        return [row for row in self.rows if all(row.get(name) == value for name, value in facts.items())]


class Experiment:
    """A figure or table of a paper, run end to end.

    Attributes:
        name: Its name for `tfstyle reproduce`.
        title: Its title, in a line.
        reference: Authors, year and title of the paper, and which figure or table.
        needs: Weights and other inputs that it needs for results that count.
        duration: How long it takes on two processor cores.
        most_contents: How many content images it takes.
        most_styles: How many style images it takes.
        size: Longer side of the images, in pixels.
        steps: Steps of the optimisation.
        quick_size: Longer side in quick trials, in pixels.
        quick_steps: Steps in quick trials.
        columns: Columns of the report's table, after the facts.
    """

    name = ""
    title = ""
    reference = ""
    needs = ""
    duration = ""
    most_contents = 1
    most_styles = 1
    size = 384
    steps = 300
    quick_size = 128
    quick_steps = 15
    columns: tuple[str, ...] = (
        "style_reached", "ssim", "edge_agreement", "content_distance", "gram_distance", "mmd", "wasserstein",
        "color_distance", "color_shift", "noise", "steps_done", "seconds",
    )  # fmt: skip

    @property
    def contents(self) -> tuple[str, ...]:
        """Samples (`tfstyle.samples`) that serve as content images if the user gives none."""
        return ("chelsea",)

    @property
    def styles(self) -> tuple[str, ...]:
        """Samples that serve as style images if the user gives none."""
        return ("impasto",)

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains whose folders the user may give; none for experiments that do not train on domains."""
        return ()

    def completed(self, setup: Setup, own_contents: bool) -> Setup:
        """The setup with what only the experiment can add.

        Args:
            setup: The inputs so far.
            own_contents: Whether the content images are the user's.

        Raises:
            InputError: The experiment can't be run with these inputs.
        """
        return setup

    def state(self, setup: Setup) -> Any:
        """What results depend on besides the setup, as JSON can hold it."""
        return None

    def runs(self, setup: Setup) -> list[Run]:
        """The runs, each with a name of its own."""
        raise NotImplementedError

    def constants(self, setup: Setup) -> list[Constant]:
        """The settings for the report, reported and chosen."""
        return []

    def evaluation_networks(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """Names of the networks that score a run.

        These are trained networks that did not paint it, since a network can't score what was optimised for it. If
        there are none, it is an untrained one. A quick trial takes one only.
        """
        others = [name for name in EVALUATION_NETWORKS if name not in run.networks]
        trained = [name for name in others if setup.networks.trained(name)]
        return tuple(trained[: 1 if setup.quick else None] or others[:1])

    def paint(self, run: Run, setup: Setup) -> RunResult:
        """Paint the image of a run."""
        networks = {setup.networks.get(name, run.network_options): weight for name, weight in run.networks.items()}
        settings = {"size": setup.size, "scales": 1, "steps": setup.steps, "seed": setup.seed, **run.settings}
        if networks:
            settings["backbone"] = networks
        content, styles = setup.contents[run.content], [setup.styles[index] for index in run.styles]
        return RunResult.of_transfer(pipeline.transfer(content, styles, progress=False, **settings))

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """What is measured besides the runs, as JSON can hold it."""
        return {}

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """For each run, further columns: those that need all images, such as distances between runs."""
        return [{} for _ in outcome.runs]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Figures by the names of their files; the words of a name are its caption."""
        return {}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """What was measured about each claim."""
        return []
