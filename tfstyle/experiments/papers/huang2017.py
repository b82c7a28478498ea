"""Huang & Belongie 2017: AdaIN against Gatys' optimisation, and what can be controlled when it paints."""

from __future__ import annotations

import functools
import itertools
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.evaluation import metrics
from tfstyle.experiments import figures
from tfstyle.experiments.base import Claim, Constant, Experiment, Finding, Outcome, Run, Setup, verdict
from tfstyle.images.picture import Picture
from tfstyle.pipelines.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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

PAINTER, OPTIMISER = "VGG19Mini", "VGG19"
JUDGES = ("ResNet50", "InceptionV3")  # chosen: neither paints
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the second style


class AnyStyle(Experiment):
    """Every content in every style by both; and one pair under each control."""

    name = "huang2017"
    title = "AdaIN, and what can be controlled"
    reference = (
        "Huang & Belongie 2017, Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization, "
        "figures 3, 4 and 7 to 10 and table 1"
    )
    contents = ("chelsea", "coffee")
    styles = ("impasto", "mosaic", "ink")
    most_contents = 4
    most_styles = 4
    size = 256
    columns = ("style_reached", "ssim", "content_distance", "gram_distance", "color_shift", "seconds")

    def runs(self, setup: Setup) -> list[Run]:
        """AdaIN and three lengths of optimisation on all pairs, then the controls."""
        steps = sorted({max(1, setup.steps // 6), max(1, setup.steps // 3), setup.steps})
        found = []
        for content in range(len(setup.contents)):
            for style in range(len(setup.styles)):
                pair: dict[str, Any] = {"content": content, "styles": (style,)}
                facts = {"content": content + 1, "style": style + 1}
                name = f"{content + 1}-{style + 1}"
                found.append(_adain(f"{name}-adain", {**facts, "way": "adain"}, **pair))
                found += [
                    Run(
                        name=f"{name}-gatys-{number}",
                        label=f"content {content + 1}, style {style + 1}, {number} iterations",
                        networks={OPTIMISER: 1.0},
                        settings={"method": "gatys", "steps": number},
                        facts={**facts, "way": f"gatys {number}"},
                        **pair,
                    )
                    for number in steps
                ]
        one = {"content": 1, "style": 1}
        found += [_adain(f"alpha-{alpha}", {**one, "way": "alpha", "value": alpha}) for alpha in ALPHAS]
        found.append(_adain("color", {**one, "way": "color"}))
        if len(setup.styles) > 1:
            found += [
                _adain(f"mix-{share}", {**one, "way": "mix", "value": share}, styles=(0, 1)) for share in SHARES
            ]
            found.append(_adain("regions", {**one, "way": "regions"}, styles=(0, 1)))
        return found

    def judges(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """The same for both ways."""
        trained = [name for name in JUDGES if setup.networks.trained(name)]
        return tuple(trained[: 1 if setup.quick else None] or JUDGES[:1])

    def constants(self, setup: Setup) -> list[Constant]:
        """What the paper has, and what is ours."""
        return [
            Constant("encoder, decoder", f"{PAINTER}, the embedded AdaIN: a quarter of the paper's width", "chosen"),
            Constant("optimisation", "method gatys, L-BFGS, from the content picture", "chosen"),
            Constant(
                "iterations", f"{max(1, setup.steps // 6)}, {max(1, setup.steps // 3)}, {setup.steps}", "chosen"
            ),
            Constant("α", ", ".join(f"{alpha:g}" for alpha in ALPHAS), "chosen", f"{_PAPER}, eq. 14"),
            Constant("kept colours", "statistics", "chosen", "Gatys et al. 2016, as the paper has it"),
            Constant("regions", "left and right half", "chosen"),
            Constant("size, pictures", f"{setup.size} pixels", "chosen"),
            Constant("judges", ", ".join(JUDGES), "chosen"),
        ]

    def paint(self, run: Run, setup: Setup) -> Result:
        """By the model, or as any experiment does."""
        if run.facts["way"].startswith("gatys"):
            return super().paint(run, setup)
        model = _embedded()
        photo, styles = setup.contents[run.content], [setup.styles[index] for index in run.styles]
        given: dict[str, Any] = {}
        match run.facts["way"]:
            case "alpha":
                given["alpha"] = run.facts["value"]
            case "mix":
                given["style_weights"] = [1 - run.facts["value"], run.facts["value"]]
            case "color":
                given["preserve_color"] = "statistics"
            case "regions":
                given["content_masks"] = _halves(photo)
        model.stylize(photo, styles, **given)  # what is loaded and compiled once is not this picture's time
        began = time.perf_counter()
        picture = model.stylize(photo, styles, **given)
        seconds = time.perf_counter() - began
        return Result(picture, None, {}, {"stopped": None, "steps_done": 0, "seconds": round(seconds, 4)})

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Of mixes and regions, how far colours are from each style's, in ΔE: of regions, those of its own half."""
        rows = []
        for run in outcome.runs:
            rgb = outcome.picture(run.name).rgb
            styles = [outcome.setup.styles[index].rgb for index in run.styles]
            row: dict[str, Any] = {}
            if run.facts["way"] == "mix":
                row = {f"to_style_{i + 1}": metrics.color_distance(each, rgb) for i, each in enumerate(styles)}
            elif run.facts["way"] == "regions":
                middle = rgb.shape[1] // 2
                halves = (rgb[:, :middle], rgb[:, middle:])
                own = [metrics.color_distance(*pair) for pair in zip(styles, halves, strict=True)]
                other = [metrics.color_distance(*pair) for pair in zip(styles, halves[::-1], strict=True)]
                row = {"to_own_style": float(np.mean(own)), "to_other_style": float(np.mean(other))}
            rows.append(row)
        return rows

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """All pairs by both ways; the controls; and style reached by iterations."""
        setup = outcome.setup
        longest = f"gatys {setup.steps}"
        rows: list[list[Picture | None]] = [[None, *(_sized(setup, each) for each in setup.styles)]]
        notes: list[list[str]] = [[""] * (1 + len(setup.styles))]
        labels = [""]
        for content, photo in enumerate(setup.contents):
            for way, shown in (("adain", setup.shown(photo)), (longest, None)):
                found = [
                    outcome.row(content=content + 1, style=style + 1, way=way) for style in range(len(setup.styles))
                ]
                rows.append([shown, *(outcome.picture(row["run"]) for row in found)])
                notes.append(["", *(f"style {row['style_reached']:.2f}, SSIM {row['ssim']:.2f}" for row in found)])
                labels.append("AdaIN" if way == "adain" else f"Gatys,\n{setup.steps} iterations")
        line = f"{setup.size} pixels, seed {setup.seed}; AdaIN by {PAINTER}; {OPTIMISER}: {_weights(setup)}"
        columns = ["", *(f"style {index + 1}" for index in range(len(setup.styles)))]
        found_figures = {"pairs": figures.grid(rows, columns, labels, f"AdaIN and optimisation: {line}", notes)}

        def run_row(way: str) -> list[Picture | None]:
            return [outcome.picture(run.name) for run in outcome.runs if run.facts["way"] == way]

        controls = [run_row("alpha"), run_row("mix"), [*run_row("color"), *run_row("regions")]]
        names = ["α from 0 to 1", "from style 1\nto style 2", "kept colours;\nregions"]
        kept = [(row, name) for row, name in zip(controls, names, strict=True) if row]
        found_figures["controls"] = figures.grid(
            [row + [None] * (len(ALPHAS) - len(row)) for row, _ in kept],
            [f"{value:g}" for value in ALPHAS],
            [name for _, name in kept],
            f"Controls: {setup.size} pixels, AdaIN by {PAINTER}",
        )
        return found_figures

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Each claim against what was measured."""
        setup = outcome.setup
        ways = list(dict.fromkeys(run.facts["way"] for run in outcome.runs if run.facts["way"].startswith("gatys")))
        reached, seconds = (
            {way: _mean(outcome, way, column) for way in ("adain", *ways)} for column in ("style_reached", "seconds")
        )
        between = reached[ways[0]] <= reached["adain"] <= reached[ways[1 if len(ways) > 1 else 0]]
        words = ", ".join(f"{reached[way]:.2f} after {way.split()[1]} iterations" for way in ways)
        tested = setup.networks.trained(OPTIMISER)
        ratio = seconds[ways[-1]] / seconds["adain"]
        evidence = [
            Finding(
                STYLE,
                verdict(between, tested and not setup.quick),
                f"style reached, mean over all pairs: {reached['adain']:.2f} by AdaIN; by optimisation {words}. The "
                f"optimiser here is quicker than the paper's, and the network of AdaIN a smaller one.",
            ),
            Finding(
                SPEED,
                verdict(ratio > 100, not setup.quick),
                f"{seconds['adain']:.2f} s against {seconds[ways[-1]]:.1f} s for {setup.steps} iterations: "
                f"{ratio:.0f} times; on a processor, and with a smaller network than the optimiser's.",
            ),
        ]
        alphas = [outcome.row(way="alpha", value=alpha) for alpha in ALPHAS]
        style, ssim = ([row[name] for row in alphas] for name in ("style_reached", "ssim"))
        evidence.append(
            Finding(
                TRADE_OFF,
                verdict(_rises(style) and _rises(ssim[::-1]), True),
                f"with α of {_listed(ALPHAS)}: style reached {_listed(style)}, SSIM {_listed(ssim)}.",
            )
        )
        if len(setup.styles) > 1:
            mixes = [outcome.row(way="mix", value=share) for share in SHARES]
            first, second = ([row[f"to_style_{i}"] for row in mixes] for i in (1, 2))
            evidence.append(
                Finding(
                    INTERPOLATION,
                    verdict(first[0] < first[-1] and second[-1] < second[0], True),
                    f"from the first style to the second: colours {_listed(first, 1)} ΔE from the first, "
                    f"{_listed(second, 1)} from the second.",
                )
            )
        plain, kept = outcome.row(content=1, style=1, way="adain"), outcome.row(way="color")
        evidence.append(
            Finding(
                COLOR,
                verdict(kept["color_shift"] < plain["color_shift"] / 2, True),
                f"colours are {kept['color_shift']:.1f} ΔE from the content's, {plain['color_shift']:.1f} otherwise.",
            )
        )
        if len(setup.styles) > 1:
            row = outcome.row(way="regions")
            evidence.append(
                Finding(
                    SPATIAL,
                    verdict(row["to_own_style"] < row["to_other_style"], True),
                    f"a half's colours are {row['to_own_style']:.1f} ΔE from its own style's, "
                    f"{row['to_other_style']:.1f} from the other's.",
                )
            )
        return evidence


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


def _halves(photo: Picture) -> list[np.ndarray]:
    """White on the left, and on the right."""
    height, width, _ = photo.rgb.shape
    left = np.zeros((height, width), np.float32)
    left[:, : width // 2] = 1
    return [left, 1 - left]


def _sized(setup: Setup, style: Picture) -> Picture | None:
    return setup.shown(style.resized(setup.contents[0].rgb.shape[:2]))


def _weights(setup: Setup) -> str:
    return "ImageNet" if setup.networks.trained(OPTIMISER) else "random"


def _mean(outcome: Outcome, way: str, column: str) -> float:
    return float(np.mean([row[column] for row in outcome.rows if row["way"] == way]))


def _rises(values: list[float]) -> bool:
    return all(one < other for one, other in itertools.pairwise(values))


def _listed(values: Any, digits: int = 2) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)
