"""What an experiment is: runs, what a paper reports of them, and whether that was found.

A subclass of `Experiment` has the class attributes below and writes `runs`; `measurements`, `figures` and `findings`
if it has any. Everything else, as painting, scoring, saving, resuming and the report, is the same for all
(`reproducing.py`). `paint` is for experiments whose pictures `tfstyle.transfer` doesn't make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tfstyle.images.picture import Picture
from tfstyle.pipelines import transfer as painting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfstyle.experiments.backbones import Networks
    from tfstyle.pipelines.result import Result

AGREES, DISAGREES, UNTESTED = "agrees", "does not agree", "not tested"
JUDGES = ("VGG19", "ResNet50", "InceptionV3")  # chosen: the networks whose weights are found most easily


@dataclass(frozen=True)
class Run:
    """One picture of an experiment.

    Attributes:
        name: Of its files; letters, digits, `-`, `_` and `.`.
        label: What figures call it.
        networks: Names of the networks that paint it, each with its weight; empty where none is asked for.
        network_options: Of `Backbone`, as `{"input_scaling": "unit"}`.
        settings: Of `tfstyle.transfer`, but for networks, size, steps and seed, which are the experiment's
            unless given here.
        facts: What tells it from other runs: the first columns of the table.
        content: Which of the content pictures it is of.
        styles: Which of the style pictures; it's scored against the first.
    """

    name: str
    label: str
    networks: Mapping[str, float] = field(default_factory=dict)
    network_options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    content: int = 0
    styles: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Claim:
    """What a paper reports; `source` says where."""

    text: str
    source: str


@dataclass(frozen=True)
class Constant:
    """A setting of the experiment: reported by the paper, or chosen because the paper doesn't give it."""

    name: str
    value: str
    kind: Literal["reported", "chosen"]
    source: str = ""


def verdict(holds: bool, tested: bool) -> str:
    """What is said of a claim."""
    return UNTESTED if not tested else AGREES if holds else DISAGREES


@dataclass(frozen=True)
class Finding:
    """What was measured of a claim.

    Attributes:
        claim: What is reported; None for a finding beyond the paper.
        verdict: `AGREES`, `DISAGREES` or `UNTESTED`; empty for what was found where nothing is reported.
        evidence: The measured figures, in a sentence.
    """

    claim: Claim | None
    verdict: str
    evidence: str


@dataclass(frozen=True, eq=False)
class Setup:
    """What an experiment is run with.

    Attributes:
        contents: Content pictures at their size.
        styles: Style pictures at the same.
        size: Longer side of the pictures, in pixels.
        steps: Of the optimisation.
        quick: Whether it is a short trial of everything.
        seed: Of noise and of random weights.
        networks: The networks, built when they are first asked for.
        private: Whether the report is to be without the content and style pictures.
        folder: Where the experiment goes, for what it keeps besides runs.
        domains: Folders of pictures by the names of their domains, if any were given.
        trained: A folder with trainings that are there already; None to train.
        painted_for: Which of the contents are painted for a domain; all, for those that aren't named.
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
        """A content or style picture as figures have it: None where the report is to be without."""
        return None if self.private else picture

    def line(self, names: Iterable[str]) -> str:
        """What every figure says: size, steps, seed, and the weights of the networks named."""
        names = list(dict.fromkeys(names))
        random = [name for name in names if not self.networks.trained(name)]
        weights = "ImageNet" if not random else f"{', '.join(random)} random"
        rest = ", all others ImageNet" if random and len(random) < len(names) else ""
        return f"{self.size} pixels, {self.steps} steps, seed {self.seed}; weights: {weights}{rest}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came out.

    Attributes:
        setup: What it was run with.
        runs: The runs.
        rows: For each run its facts, its scores (see `judging.py`), losses, steps and seconds.
        measurements: What `Experiment.measurements` returned.
        picture: From a run's name to its picture.
    """

    setup: Setup
    runs: list[Run]
    rows: list[dict[str, Any]]
    measurements: dict[str, Any]
    picture: Callable[[str], Picture]

    @property
    def networks(self) -> list[str]:
        """The names of all networks that painted or judged."""
        painters = (name for run in self.runs for name in run.networks)
        return list(dict.fromkeys([*painters, *(name for row in self.rows for name in row["judges"])]))

    def row(self, **facts: Any) -> dict[str, Any]:
        """The row with these values; a `KeyError` where there is none."""
        for row in self.rows:
            if all(row.get(name) == value for name, value in facts.items()):
                return row
        raise KeyError(facts)


class Experiment:
    """A figure or table of a paper, run end to end.

    Attributes:
        name: As `tfstyle reproduce` knows it.
        title: In a line.
        reference: Authors, year, title, and which figure or table.
        contents: Samples (`tfstyle.samples`) that are painted where no picture is given.
        styles: The same for styles.
        most_contents: How many content pictures may be given.
        most_styles: How many style pictures.
        domains: Names of the domains of which folders may be given; none for experiments that train on no such.
        size: Longer side, in pixels.
        steps: Of the optimisation.
        quick_size: The same for quick trials.
        quick_steps: The same.
        columns: What of the rows the report's table shows, after the facts.
    """

    name = ""
    title = ""
    reference = ""
    contents: tuple[str, ...] = ("chelsea",)
    styles: tuple[str, ...] = ("impasto",)
    most_contents = 1
    most_styles = 1
    domains: tuple[str, ...] = ()
    size = 384
    steps = 300
    quick_size = 128
    quick_steps = 15
    columns: tuple[str, ...] = (
        "style_reached", "ssim", "edge_agreement", "content_distance", "gram_distance", "mmd", "wasserstein",
        "color_distance", "color_shift", "noise", "steps_done", "seconds",
    )  # fmt: skip

    def settled(self, setup: Setup, given: bool) -> Setup:
        """The setup with what only the experiment can know of it; `given` says whether there are own contents.

        Raises:
            InputError: It can't be run with that.
        """
        return setup

    def state(self, setup: Setup) -> Any:
        """What results depend on besides all that the setup says, as JSON can hold it."""
        return None

    def runs(self, setup: Setup) -> list[Run]:
        """The runs; their names differ."""
        raise NotImplementedError

    def constants(self, setup: Setup) -> list[Constant]:
        """The settings, reported and chosen, that the report lists."""
        return []

    def judges(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """Names of the networks that score a run.

        Trained ones that have not painted it, as what is optimised can't judge; else one of those that there are.
        One is enough for a quick trial.
        """
        others = [name for name in JUDGES if name not in run.networks]
        trained = [name for name in others if setup.networks.trained(name)]
        return tuple(trained[: 1 if setup.quick else None] or others[:1])

    def paint(self, run: Run, setup: Setup) -> Result:
        """Paint the picture of a run."""
        networks = setup.networks
        backbones = {networks.get(name, **run.network_options): weight for name, weight in run.networks.items()}
        settings = {"size": setup.size, "scales": 1, "steps": setup.steps, "seed": setup.seed, **run.settings}
        if backbones:
            settings["backbone"] = backbones
        content, styles = setup.contents[run.content], [setup.styles[index] for index in run.styles]
        return painting.transfer(content, styles, progress=False, **settings)

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """What is measured besides the runs, as JSON can hold it."""
        return {}

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """For each run, what its row has besides: columns that take all pictures, as distances between runs."""
        return [{} for _ in outcome.runs]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Figures by their file names without suffix, whose words are the caption."""
        return {}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """What was found of each claim."""
        return []
