"""Huang & Belongie 2017: AdaIN against Gatys' optimisation, and what can be controlled while it paints."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.evaluation import metrics
from tfstyle.experiments import figures
from tfstyle.experiments.base import Claim, Constant, Experiment, Finding, Outcome, Run, RunResult, Setup, finding
from tfstyle.experiments.papers.comparison import score_caption
from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure
    from tfstyle.images.grids import Grid
    from tfstyle.models import AdaIN

_PAPER = "Huang & Belongie 2017"
STYLE = Claim(
    "AdaIN's style loss is that of Gatys' optimisation between 50 and 100 iterations", f"{_PAPER}, sec. 6.2"
)
SPEED = Claim("nearly three orders of magnitude faster than Gatys' optimisation", f"{_PAPER}, sec. 6.2")
TRADE_OFF = Claim(
    "the result passes smoothly from the content to the style as α goes from 0 to 1", f"{_PAPER}, fig. 7"
)
INTERPOLATION = Claim("styles are interpolated by mixing feature maps", f"{_PAPER}, fig. 8")
COLOR = Claim("the content's colours are kept if those of the style are matched to them first", f"{_PAPER}, fig. 9")
SPATIAL = Claim("regions of the content are painted in styles of their own", f"{_PAPER}, fig. 10")

PAINTER, OPTIMIZED = "VGG19Mini", "VGG19"  # AdaIN's encoder, and the network of the optimisation
SCORING = ("ResNet50", "InceptionV3")  # chosen: neither paints
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
STYLE_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the second style


class Huang2017AdaIN(Experiment):
    """Every content image in every style by AdaIN and by optimisation; and one pair under each control."""

    name = "huang2017"
    title = "AdaIN, and what can be controlled"
    reference = (
        "Huang & Belongie 2017, Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization, "
        "figures 3, 4 and 7 to 10 and table 1"
    )
    needs = "ImageNet weights of VGG19, ResNet50 and InceptionV3"
    duration = "about 20 minutes"
    contents = ("chelsea", "coffee")
    styles = ("impasto", "mosaic", "ink")
    most_contents = 4
    most_styles = 4
    size = 256
    columns = ("style_reached", "ssim", "content_distance", "gram_distance", "color_shift", "seconds")

    def runs(self, setup: Setup) -> list[Run]:
        """AdaIN and three lengths of optimisation on all pairs, then the controls."""
        pairs = itertools.product(range(len(setup.contents)), range(len(setup.styles)))
        runs = [run for content, style in pairs for run in _runs_of_pair(setup, content, style)]
        first = {"content": 1, "style": 1}
        runs += [_adain(f"alpha-{alpha}", {**first, "way": "alpha", "value": alpha}) for alpha in ALPHAS]
        runs.append(_adain("color", {**first, "way": "color"}))
        if len(setup.styles) > 1:
            runs += [
                _adain(f"mix-{weight}", {**first, "way": "mix", "value": weight}, styles=(0, 1))
                for weight in STYLE_WEIGHTS
            ]
            runs.append(_adain("regions", {**first, "way": "regions"}, styles=(0, 1)))
        return runs

    def evaluation_networks(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """The same networks for AdaIN and for optimisation."""
        trained = [name for name in SCORING if setup.networks.trained(name)]
        return tuple(trained[: 1 if setup.quick else None] or SCORING[:1])

    def constants(self, setup: Setup) -> list[Constant]:
        """The settings; all are chosen."""
        iterations = ", ".join(map(str, (max(1, setup.steps // 6), max(1, setup.steps // 3), setup.steps)))
        return [
            Constant("encoder, decoder", f"{PAINTER}, the embedded AdaIN: a quarter of the paper's width", "chosen"),
            Constant("optimisation", "method gatys, L-BFGS, initialized with the content image", "chosen"),
            Constant("iterations", iterations, "chosen"),
            Constant("α", ", ".join(f"{alpha:g}" for alpha in ALPHAS), "chosen", f"{_PAPER}, eq. 14"),
            Constant("kept colours", "statistics", "chosen", "Gatys et al. 2016, as the paper has it"),
            Constant("regions", "left and right half", "chosen"),
            Constant("size, images", f"{setup.size} pixels", "chosen"),
            Constant("scored by", ", ".join(SCORING), "chosen"),
        ]

    def paint(self, run: Run, setup: Setup) -> RunResult:
        """Paint with AdaIN, or by optimisation."""
        if run.facts["way"].startswith("gatys"):
            return super().paint(run, setup)
        model = _embedded()
        content, styles = setup.contents[run.content], [setup.styles[index] for index in run.styles]
        options = _controls(run, content)
        model.stylize(content, styles, **options)  # loads and compiles once, which is not this image's time
        start = time.perf_counter()
        image = model.stylize(content, styles, **options)
        return RunResult(image, seconds=round(time.perf_counter() - start, 4))

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Distances of the colours from those of the styles, in ΔE: for mixtures and for regions."""
        return [_color_distances(outcome, run) for run in outcome.runs]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """All pairs by AdaIN and by optimisation; and the controls."""
        return {"pairs": _pairs_figure(outcome), "controls": _controls_figure(outcome)}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Each claim against what was measured."""
        findings = [_style(outcome), _speed(outcome), _trade_off(outcome)]
        if len(outcome.setup.styles) > 1:
            findings.append(_interpolation(outcome))
        findings.append(_color(outcome))
        if len(outcome.setup.styles) > 1:
            findings.append(_spatial(outcome))
        return findings


def _runs_of_pair(setup: Setup, content: int, style: int) -> list[Run]:
    """One content image in one style: by AdaIN, and by three lengths of optimisation."""
    facts = {"content": content + 1, "style": style + 1}
    name = f"{content + 1}-{style + 1}"
    runs = [_adain(f"{name}-adain", {**facts, "way": "adain"}, content, (style,))]
    for steps in sorted({max(1, setup.steps // 6), max(1, setup.steps // 3), setup.steps}):
        runs.append(
            Run(
                name=f"{name}-gatys-{steps}",
                label=f"content {content + 1}, style {style + 1}, {steps} iterations",
                networks={OPTIMIZED: 1.0},
                settings={"method": "gatys", "steps": steps},
                facts={**facts, "way": f"gatys {steps}"},
                content=content,
                styles=(style,),
            )
        )
    return runs


def _adain(name: str, facts: dict[str, Any], content: int = 0, styles: tuple[int, ...] = (0,)) -> Run:
    return Run(
        name=name,
        label=name.replace("-", " "),
        networks={PAINTER: 1.0},
        facts=facts,
        content=content,
        styles=styles,
    )


@functools.cache
def _embedded() -> AdaIN:
    from tfstyle.models import load

    return load("embedded")


def _controls(run: Run, content: Picture) -> dict[str, Any]:
    """The options of `AdaIN.stylize` for a run."""
    match run.facts["way"]:
        case "alpha":
            return {"alpha": run.facts["value"]}
        case "mix":
            return {"style_weights": [1 - run.facts["value"], run.facts["value"]]}
        case "color":
            return {"preserve_color": "statistics"}
        case "regions":
            return {"content_masks": _halves(content)}
    return {}


def _halves(content: Picture) -> list[np.ndarray]:
    """Masks, (height, width): one white on the left, one on the right."""
    height, width, _ = content.rgb.shape
    left = np.zeros((height, width), np.float32)
    left[:, : width // 2] = 1
    return [left, 1 - left]


def _color_distances(outcome: Outcome, run: Run) -> dict[str, float]:
    """For a mixture: from each style. For regions: of the halves from their own style and from the other."""
    rgb = outcome.picture(run.name).rgb
    styles = [outcome.setup.styles[index].rgb for index in run.styles]
    if run.facts["way"] == "mix":
        return {f"to_style_{i}": metrics.color_distance(style, rgb) for i, style in enumerate(styles, 1)}
    if run.facts["way"] == "regions":
        middle = rgb.shape[1] // 2
        halves = (rgb[:, :middle], rgb[:, middle:])
        own, other = (
            [metrics.color_distance(style, half) for style, half in zip(styles, order, strict=True)]
            for order in (halves, halves[::-1])
        )
        return {"to_own_style": float(np.mean(own)), "to_other_style": float(np.mean(other))}
    return {}


def _pairs_figure(outcome: Outcome) -> Grid:
    """Every content image in every style: a row by AdaIN, and one by the longest optimisation."""
    setup, steps = outcome.setup, outcome.setup.steps
    numbers = range(1, len(setup.styles) + 1)
    rows: list[list[Picture | None]] = [[None, *(setup.shown(style) for style in setup.styles)]]
    captions, labels = [[""] * (1 + len(setup.styles))], [""]
    for content, picture in enumerate(setup.contents, 1):
        for way, label, first in (
            ("adain", "AdaIN", setup.shown(picture)),
            (f"gatys {steps}", f"Gatys,\n{steps} iterations", None),
        ):
            scores = [outcome.row(content=content, style=number, way=way) for number in numbers]
            rows.append([first, *(outcome.picture(row["run"]) for row in scores)])
            captions.append(["", *map(score_caption, scores)])
            labels.append(label)
    weights = "ImageNet" if setup.networks.trained(OPTIMIZED) else "random"
    title = (
        f"AdaIN and optimisation: {setup.size} pixels, seed {setup.seed}; AdaIN by {PAINTER}; {OPTIMIZED}: {weights}"
    )
    return figures.grid(rows, ["", *(f"style {number}" for number in numbers)], labels, title, captions)


def _controls_figure(outcome: Outcome) -> Grid:
    """A row for the strength α, one for mixtures of two styles, and one for kept colours and regions."""

    def images(*ways: str) -> list[Picture | None]:
        row: list[Picture | None] = [
            outcome.picture(run.name) for way in ways for run in outcome.runs if run.facts["way"] == way
        ]
        return row + [None] * (len(ALPHAS) - len(row))

    rows = {
        "α from 0 to 1": images("alpha"),
        "from style 1\nto style 2": images("mix"),
        "kept colours;\nregions": images("color", "regions"),
    }
    rows = {label: row for label, row in rows.items() if any(row)}
    title = f"Controls: {outcome.setup.size} pixels, AdaIN by {PAINTER}"
    return figures.grid(list(rows.values()), [f"{value:g}" for value in ALPHAS], list(rows), title)


def _optimisations(outcome: Outcome) -> list[str]:
    """The lengths of optimisation, the shortest first."""
    return list(dict.fromkeys(run.facts["way"] for run in outcome.runs if run.facts["way"].startswith("gatys")))


def _style(outcome: Outcome) -> Finding:
    """Whether AdaIN reaches as much of the style as the shorter optimisations."""
    ways = _optimisations(outcome)
    reached = {way: _mean(outcome, way, "style_reached") for way in ("adain", *ways)}
    words = ", ".join(f"{reached[way]:.2f} after {way.split()[1]} iterations" for way in ways)
    return finding(
        STYLE,
        f"style reached, mean over all pairs: {reached['adain']:.2f} by AdaIN; by optimisation {words}. The "
        "optimizer here is quicker than the paper's, and the network of AdaIN is a smaller one.",
        holds=reached[ways[0]] <= reached["adain"] <= reached[ways[1 if len(ways) > 1 else 0]],
        tested=outcome.setup.networks.trained(OPTIMIZED) and not outcome.setup.quick,
    )


def _speed(outcome: Outcome) -> Finding:
    """How much faster AdaIN is than the longest optimisation; more than 100 times counts as agreement (chosen)."""
    adain, longest = (_mean(outcome, way, "seconds") for way in ("adain", _optimisations(outcome)[-1]))
    return finding(
        SPEED,
        f"{adain:.2f} s against {longest:.1f} s for {outcome.setup.steps} iterations: {longest / adain:.0f} times, "
        "on a processor, and with a smaller network than the optimisation's.",
        holds=longest / adain > 100,
        tested=not outcome.setup.quick,
    )


def _trade_off(outcome: Outcome) -> Finding:
    """Whether style reached rises and SSIM falls with α."""
    rows = [outcome.row(way="alpha", value=alpha) for alpha in ALPHAS]
    style, ssim = ([row[column] for row in rows] for column in ("style_reached", "ssim"))
    return finding(
        TRADE_OFF,
        f"with α of {_listed(ALPHAS)}: style reached {_listed(style)}, SSIM {_listed(ssim)}.",
        holds=_rises(style) and _rises(ssim[::-1]),
    )


def _interpolation(outcome: Outcome) -> Finding:
    """Whether the colours go from those of the first style to those of the second."""
    rows = [outcome.row(way="mix", value=weight) for weight in STYLE_WEIGHTS]
    first, second = ([row[f"to_style_{i}"] for row in rows] for i in (1, 2))
    return finding(
        INTERPOLATION,
        f"from the first style to the second: colours {_listed(first, 1)} ΔE from the first, {_listed(second, 1)} "
        "from the second.",
        holds=first[0] < first[-1] and second[-1] < second[0],
    )


def _color(outcome: Outcome) -> Finding:
    """Whether kept colours are less than half as far from the content image's as other colours."""
    plain = outcome.row(content=1, style=1, way="adain")["color_shift"]
    kept = outcome.row(way="color")["color_shift"]
    return finding(
        COLOR,
        f"kept colours are {kept:.1f} ΔE from the content image's, other colours {plain:.1f}.",
        holds=kept < plain / 2,
    )


def _spatial(outcome: Outcome) -> Finding:
    """Whether the colours of each half are nearer to those of its own style."""
    row = outcome.row(way="regions")
    return finding(
        SPATIAL,
        f"the colours of a half are {row['to_own_style']:.1f} ΔE from those of its own style, "
        f"{row['to_other_style']:.1f} from those of the other.",
        holds=row["to_own_style"] < row["to_other_style"],
    )


def _mean(outcome: Outcome, way: str, column: str) -> float:
    return float(np.mean([row[column] for row in outcome.rows_of(way=way)]))


def _rises(values: Sequence[float]) -> bool:
    return all(value < following for value, following in itertools.pairwise(values))


def _listed(values: Sequence[float], digits: int = 2) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)
