"""Jin & Zhou 2021: VGG-19 beside InceptionV3 in one loss, and the ratio of their weights.

The signs of the exponents of w1:w2 are lost in the only text available. So both readings are tried: 10⁶ to 10⁰ with
the best ratio near 10³, and 10⁻⁶ to 10⁰ with the best ratio near 10⁻³.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.experiments import figures
from tfstyle.experiments.backbones import NetworkOptions
from tfstyle.experiments.base import (
    Claim,
    Constant,
    Experiment,
    Finding,
    Outcome,
    Run,
    Setup,
    finding,
    observation,
)
from tfstyle.experiments.papers.comparison import score_caption
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure
    from tfstyle.images.grids import Grid
    from tfstyle.images.picture import Picture

Row = Mapping[str, Any]

SOURCE = "Jin & Zhou 2021"
ADJUSTS = Claim("the ratio w1:w2 of VGG-19 to InceptionV3 adjusts the effect", SOURCE)
READINGS = {
    1: Claim(
        "of 10⁶, 10⁴, 10² and 10⁰ tried, the best ratio is near 10³", f"{SOURCE}, the exponents read as positive"
    ),
    -1: Claim("of 10⁻⁶, 10⁻⁴, 10⁻² and 10⁰ tried, the best ratio is near 10⁻³", f"{SOURCE}, read as negative"),
}
NETWORKS = ("VGG19", "InceptionV3")
SCALINGS = {"own": "own preprocessing", "unit": "both fed [0, 1]"}
OPTIONS = {"own": NetworkOptions(), "unit": NetworkOptions(input_scaling="unit")}
EXPONENTS = {"own": (-12, -10, -8, -6, -4, -3, -2, 0, 2, 3, 4, 6), "unit": (-6, -4, -3, -2, 0, 2, 3, 4, 6)}
QUICK_EXPONENTS = {"own": (-3, 3), "unit": (-6, -3, 0, 3)}
REPORTED = 6  # the largest exponent in the paper
SHARES = (0.1, 0.5, 0.9)  # of VGG-19 in the runs with balanced gradients (chosen)
# Gram matrices over positions: the scale on which the negative reading rests. Under these weights either network
# paints alone (chosen).
METHOD = replace(METHODS["jin2021"], statistic_options={"normalization": "positions"})
_PER_ROW = 7  # images in a row of a figure (chosen)


class Jin2021Hybrid(Experiment):
    """VGG-19 and InceptionV3 together: ratios of weights, two input scalings, and balanced gradients."""

    name = "jin2021-hybrid"
    title = "Hybrid of VGG-19 and InceptionV3: the ratio of their weights"
    reference = "Jin & Zhou 2021, hybrid network; weights w1 of VGG-19's layers and w2 of InceptionV3's"
    needs = "ImageNet weights of VGG19, InceptionV3 and ResNet50"
    duration = "about two hours"
    size = 256
    steps = 500
    columns = ("vgg_share", "toward_vgg", *Experiment.columns)

    def runs(self, setup: Setup) -> list[Run]:
        """Either network alone and both under each ratio, in either scaling; then ratios of balanced gradients."""
        runs = []
        for scaling, exponents in (QUICK_EXPONENTS if setup.quick else EXPONENTS).items():
            runs += [_run(scaling, {name: 1.0}, f"{name} only") for name in NETWORKS]
            runs += [_run(scaling, {"VGG19": 10.0**e, "InceptionV3": 1.0}, f"1e{e:+d}", e) for e in exponents]
        for share in (0.5,) if setup.quick else SHARES:
            weights = {"VGG19": share, "InceptionV3": 1 - share}
            exponent = math.log10(share / (1 - share))
            runs.append(_run("calibrated", weights, f"{share:g}:{1 - share:g}", exponent))
        return runs

    def evaluation_networks(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """ResNet50 for all runs, also for those of one network alone."""
        return ("ResNet50",)

    def constants(self, setup: Setup) -> list[Constant]:
        """The paper gives networks, iterations and ratios."""
        weights = f"{METHOD.content_weight:g} and {METHOD.style_weight:g}"
        reported = setup.steps == self.steps
        return [
            Constant("networks", "VGG-19 and InceptionV3", "reported", SOURCE),
            Constant(
                "iterations", str(setup.steps), "reported" if reported else "chosen", SOURCE if reported else ""
            ),
            Constant("ratios w1:w2", "10^±6, 10^±4, 10^±2, 10^0", "reported", f"{SOURCE}, both signs"),
            Constant("further ratios", "10^±3; under own preprocessing 10^-8 to 10^-12, too", "chosen"),
            Constant("content and style layers", "the default layers of each network", "chosen"),
            Constant("statistic", "Gram matrix over positions", "chosen"),
            Constant("content and style weight", weights, "chosen"),
            Constant("optimizer, initialization", f"{METHOD.optimizer}, {METHOD.init}", "chosen"),
            Constant("input", "own preprocessing, and [0, 1] for both", "chosen"),
            Constant("calibrated", "each network's losses over the norm of their gradient at the start", "chosen"),
            Constant("scored by", "ResNet50", "chosen"),
            Constant("size, images", f"{setup.size} pixels", "chosen"),
        ]

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """By scaling and network: the loss at the content image, and the norm of its gradient."""
        return {scaling: {name: _start(setup, name, scaling) for name in NETWORKS} for scaling in SCALINGS}

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """VGG-19's share of the gradient norms at the start, and how near the image is to that of VGG-19 alone.

        `toward_vgg` is d₂ / (d₁ + d₂), with d₁ and d₂ the distances (root mean square) to the images of VGG-19 alone
        and of InceptionV3 alone: 0 is InceptionV3's image, 1 is VGG-19's.
        """
        columns = []
        for row in outcome.rows:
            scaling = "own" if row["scaling"] == "calibrated" else row["scaling"]
            vgg, inception = (_distance(outcome, row["run"], f"{scaling}-{name}-only") for name in NETWORKS)
            toward = inception / (vgg + inception) if vgg + inception > 0 else 0.5
            columns.append({"vgg_share": _share(outcome, row), "toward_vgg": toward})
        return columns

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """The images in the order of ratios, and curves over the ratio."""
        caption = outcome.setup.caption(NETWORKS)
        sweeps = {words: _by_exponent(outcome, scaling) for scaling, words in SCALINGS.items()}
        drawn: dict[str, Figure] = {}
        for scaling, words in SCALINGS.items():
            vgg, inception = (outcome.row(run=f"{scaling}-{name}-only") for name in NETWORKS)
            rows = [inception, *sweeps[words], vgg]
            title = f"Ratio w1:w2 of VGG-19 to InceptionV3, {words}\n{caption}"
            drawn[f"pictures_{scaling}"] = _images(outcome, rows, title)
        drawn["pictures_calibrated"] = _images(
            outcome,
            outcome.rows_of(scaling="calibrated"),
            f"Ratio of balanced gradients: 0.5:0.5 gives both networks equal influence\n{caption}",
        )
        for column, title, y in (
            ("vgg_share", "VGG-19's share of the gradient norms at the start", "share"),
            ("toward_vgg", "From the image of InceptionV3 alone (0) to that of VGG-19 alone (1)", "toward VGG-19"),
            ("style_reached", "Style reached, scored by a network that did not paint", "style reached"),
            ("ssim", "Content preservation", "SSIM"),
        ):
            lines = {
                words: ([row["exponent"] for row in rows], [row[column] for row in rows])
                for words, rows in sweeps.items()
            }
            marks = {"w1:w2 = 1e-3": -3.0, "w1:w2 = 1e+3": 3.0}
            drawn[column] = figures.curves(lines, f"{title}\n{caption}", "exponent of w1:w2", y, marks)
        return drawn

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Whether the ratio adjusts the effect, where, and which reading of the exponents that supports."""
        tested = all(outcome.setup.networks.trained(name) for name in NETWORKS)
        sweeps = {words: Sweep.of(_by_exponent(outcome, scaling)) for scaling, words in SCALINGS.items()}
        scatter = max(sweep.scatter for sweep in sweeps.values())
        ranges = "; ".join(f"{words}: {sweep.range}" for words, sweep in sweeps.items())
        crossings = "; ".join(f"{words}: {sweep.crossing_text}" for words, sweep in sweeps.items())
        return [
            finding(
                ADJUSTS,
                f"from 10^-6 to 10^6, {ranges}; images of one objective that differs in scale only are up to "
                f"{scatter:.2f} apart.",
                holds=any(sweep.change > max(0.1, 2 * sweep.scatter) for sweep in sweeps.values()),
                tested=tested,
            ),
            *(
                finding(
                    claim,
                    f"{crossings} (taken for the best: both networks count alike, within a power of ten).",
                    holds=any(sweep.crosses_near(3 * sign) for sweep in sweeps.values()),
                    tested=tested,
                )
                for sign, claim in READINGS.items()
            ),
            _scales(outcome),
            _best(outcome),
            _balanced(outcome),
        ]


@dataclass(frozen=True)
class Sweep:
    """What a sweep over the ratio shows.

    Attributes:
        change: How far `toward_vgg` changes over the paper's ratios.
        scatter: How far it changes where VGG-19 has all the influence. There all objectives are one but for their
            scale, and their images differ by rounding.
        crossing: Exponent at which the image is half-way between the networks' images; None if it never is.
        range: First and last value of `toward_vgg` over the paper's ratios, in words.
    """

    change: float
    scatter: float
    crossing: float | None
    range: str

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Sweep:
        """The sweep of rows, in the order of their exponents."""
        vgg_only = [row["toward_vgg"] for row in rows if row["vgg_share"] > 0.99]
        reported = [row for row in rows if abs(row["exponent"]) <= REPORTED]
        toward = [row["toward_vgg"] for row in reported]
        first, last = reported[0], reported[-1]
        return cls(
            change=max(toward) - min(toward),
            scatter=max(vgg_only) - min(vgg_only) if vgg_only else 0.0,
            crossing=_crossing(rows),
            range=f"{first['toward_vgg']:.2f} at 10^{first['exponent']:g} to {last['toward_vgg']:.2f} at "
            f"10^{last['exponent']:g} of the way from InceptionV3's image to VGG-19's",
        )

    @property
    def crossing_text(self) -> str:
        """The crossing, in words."""
        return "never half-way in the sweep" if self.crossing is None else f"half-way at 10^{self.crossing:.1f}"

    def crosses_near(self, exponent: int) -> bool:
        """Whether the crossing is within a power of ten of an exponent."""
        return self.crossing is not None and abs(self.crossing - exponent) <= 1


def _crossing(rows: Sequence[Row]) -> float | None:
    """The first exponent at which `toward_vgg` rises through 0.5, by linear interpolation."""
    for low, high in itertools.pairwise(rows):
        if low["toward_vgg"] < 0.5 <= high["toward_vgg"]:
            share = (0.5 - low["toward_vgg"]) / (high["toward_vgg"] - low["toward_vgg"])
            return low["exponent"] + share * (high["exponent"] - low["exponent"])
    return None


def _run(scaling: str, weights: Mapping[str, float], ratio: str, exponent: float | None = None) -> Run:
    return Run(
        name=f"{scaling}-{ratio.replace(' ', '-').replace(':', '-to-')}",
        label=f"{scaling}, {ratio}",
        networks=weights,
        network_options=OPTIONS.get(scaling, NetworkOptions()),
        settings={
            "method": METHOD,
            "normalize_losses": False,
            "parameterization": "pixels",
            "balance_gradients": scaling == "calibrated",
        },
        facts={"scaling": scaling, "ratio": ratio, "exponent": exponent},
    )


def _start(setup: Setup, name: str, scaling: str) -> dict[str, float]:
    """Loss and gradient norm of one network at the content image."""
    from tfstyle.pipelines import build

    network = setup.networks.get(name, OPTIONS[scaling])
    import tensorflow as tf  # after the network, which imports it without its greetings

    recipe = METHOD.for_backbone(network.name, network.trained, normalize_losses=False)
    objective = build.objective([build.Branch(recipe, network)])
    picture = tf.constant(setup.contents[0].rgb[None])
    targets = objective.targets(picture, [tf.constant(setup.styles[0].rgb[None])])
    with tf.GradientTape() as tape:
        tape.watch(picture)
        loss = tf.add_n(list(objective(picture, targets).values()))
    return {"loss": float(loss[0]), "gradient": float(tf.norm(tape.gradient(loss, picture)))}


def _share(outcome: Outcome, row: Row) -> float:
    """VGG-19's share of the gradient norms at the start."""
    if row["exponent"] is None:
        return float(row["ratio"].startswith("VGG19"))
    ratio = 10.0 ** row["exponent"]
    if row["scaling"] != "calibrated":
        start = outcome.measurements[row["scaling"]]
        ratio *= start["VGG19"]["gradient"] / start["InceptionV3"]["gradient"]
    return ratio / (1 + ratio)


def _distance(outcome: Outcome, run: str, other: str) -> float:
    """Root mean square difference of the images of two runs."""
    return float(np.sqrt(np.mean((outcome.picture(run).rgb - outcome.picture(other).rgb) ** 2)))


def _by_exponent(outcome: Outcome, scaling: str) -> list[dict[str, Any]]:
    """The rows of a scaling with both networks, in the order of their exponents."""
    rows = [row for row in outcome.rows_of(scaling=scaling) if row["exponent"] is not None]
    return sorted(rows, key=lambda row: row["exponent"])


def _images(outcome: Outcome, rows: Sequence[Row], title: str) -> Grid:
    """Images in rows of at most seven, each with its ratio and its scores."""
    width = min(_PER_ROW, len(rows))
    pictures: list[list[Picture | None]] = []
    captions = []
    for start in range(0, len(rows), width):
        line = rows[start : start + width]
        empty = width - len(line)
        pictures.append([*(outcome.picture(row["run"]) for row in line), *[None] * empty])
        captions.append([*(f"{row['ratio']}: {score_caption(row)}" for row in line), *[""] * empty])
    return figures.grid(pictures, [""] * width, [""] * len(pictures), title, captions, side=200)


def _scales(outcome: Outcome) -> Finding:
    """The scales of loss and gradient, from which the signs of the exponents may be guessed."""
    words = []
    for scaling, name in SCALINGS.items():
        vgg, inception = (outcome.measurements[scaling][network] for network in NETWORKS)
        loss, gradient = (math.log10(vgg[key] / inception[key]) for key in ("loss", "gradient"))
        words.append(
            f"{name}: style loss 10^{loss:.1f}, gradient norm 10^{gradient:.1f}, so that both have equal influence "
            f"at w1:w2 = 10^{-gradient:.1f}"
        )
    return observation(f"VGG-19's over InceptionV3's, at the start, under equal weights: {'; '.join(words)}.")


def _best(outcome: Outcome) -> Finding:
    """The best ratio by the harmonic mean of style reached and SSIM (chosen)."""
    words = []
    for scaling, name in SCALINGS.items():
        rows = _by_exponent(outcome, scaling)
        means = [_harmonic(max(row["style_reached"], 1e-6), max(row["ssim"], 1e-6)) for row in rows]
        best = int(np.argmax(means))
        flat = "; all are within 0.05" if max(means) - min(means) < 0.05 else ""
        words.append(f"{name}: 10^{rows[best]['exponent']:g} ({means[best]:.2f}, least {min(means):.2f}{flat})")
    return observation(f"best harmonic mean of style reached and SSIM (chosen): {', '.join(words)}.")


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b)


def _balanced(outcome: Outcome) -> Finding:
    """Where the runs with balanced gradients lie between the networks."""
    words = ", ".join(
        f"{row['ratio']} goes {row['toward_vgg']:.2f} of the way to VGG-19's image"
        for row in outcome.rows_of(scaling="calibrated")
    )
    return observation(f"with weights as shares of the gradient norm: {words}.")
