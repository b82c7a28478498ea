"""Jin & Zhou 2021: VGG-19 beside InceptionV3 in one loss, and the ratio of their weights.

The signs of the exponents of w1:w2 are lost in the only text available, so that both readings are tried: 10⁶ to 10⁰
with the best near 10³, and 10⁻⁶ to 10⁰ with the best near 10⁻³.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle.experiments import figures
from tfstyle.experiments.base import Claim, Constant, Experiment, Finding, Outcome, Run, Setup, verdict
from tfstyle.pipelines.methods import METHODS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfstyle.images.picture import Picture

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
EXPONENTS = {"own": (-12, -10, -8, -6, -4, -3, -2, 0, 2, 3, 4, 6), "unit": (-6, -4, -3, -2, 0, 2, 3, 4, 6)}
QUICK_EXPONENTS = {"own": (-3, 3), "unit": (-6, -3, 0, 3)}
SHARES = (0.1, 0.5, 0.9)  # of VGG-19 in the calibrated runs (chosen)
# Gram matrices over positions, as for the scales that speak for the negative reading; under these weights either
# network alone paints (chosen).
METHOD = replace(METHODS["jin2021"], statistic_options={"normalization": "positions"})


class Hybrid(Experiment):
    """VGG-19 and InceptionV3 side by side under ratios of weights, two input scalings, and calibrated ones."""

    name = "jin2021-hybrid"
    title = "Hybrid of VGG-19 and InceptionV3: what the ratio of their weights does"
    reference = "Jin & Zhou 2021, hybrid network; weights w1 of VGG-19's layers and w2 of InceptionV3's"
    size = 256
    steps = 500
    columns = ("vgg_share", "toward_vgg", *Experiment.columns)

    def runs(self, setup: Setup) -> list[Run]:
        """Either network alone and both under each ratio, in either scaling; then calibrated ratios."""
        found = []
        for scaling, exponents in (QUICK_EXPONENTS if setup.quick else EXPONENTS).items():
            found += [_run(scaling, {name: 1.0}, f"{name} only") for name in NETWORKS]
            found += [_run(scaling, {"VGG19": 10.0**e, "InceptionV3": 1.0}, f"1e{e:+d}", e) for e in exponents]
        for share in (0.5,) if setup.quick else SHARES:
            weights = {"VGG19": share, "InceptionV3": 1 - share}
            found.append(_run("calibrated", weights, f"{share:g}:{1 - share:g}", math.log10(share / (1 - share))))
        return found

    def judges(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """The same for all runs, also for those of one network alone."""
        return ("ResNet50",)

    def constants(self, setup: Setup) -> list[Constant]:
        """What the paper gives is little."""
        weights = f"{METHOD.content_weight:g} and {METHOD.style_weight:g}"
        reported = setup.steps == self.steps
        return [
            Constant("networks", "VGG-19 and InceptionV3", "reported", SOURCE),
            Constant(
                "iterations", str(setup.steps), "reported" if reported else "chosen", SOURCE if reported else ""
            ),
            Constant("ratios w1:w2", "10^±6, 10^±4, 10^±2, 10^0", "reported", f"{SOURCE}, both signs"),
            Constant("further ratios", "10^±3; under own preprocessing 10^-8 to 10^-12, too", "chosen"),
            Constant("content and style layers", "the library's own for each network", "chosen"),
            Constant("statistic", "Gram matrix over positions", "chosen"),
            Constant("content and style weight", weights, "chosen"),
            Constant("optimizer, start", f"{METHOD.optimizer}, {METHOD.init}", "chosen"),
            Constant("input", "own preprocessing, and [0, 1] for both", "chosen"),
            Constant("calibrated", "each network's losses over the norm of their gradient at the start", "chosen"),
            Constant("judge", "ResNet50", "chosen"),
            Constant("size, pictures", f"{setup.size} pixels", "chosen"),
        ]

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """By scaling and network: the loss at the content picture, and the norm of its gradient."""
        return {
            scaling: {name: _start(setup, name, scaling) for name in NETWORKS} for scaling in SCALINGS
        }  # fmt: skip

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """VGG-19's share of the gradient norms at the start, and how near the picture is to that of VGG-19 alone.

        The latter is d₂ / (d₁ + d₂), with d₁ and d₂ the distances (root of mean square) to the pictures of VGG-19
        alone and of InceptionV3 alone: 0 is InceptionV3's, 1 is VGG-19's.
        """
        rows = []
        for row in outcome.rows:
            scaling = "own" if row["scaling"] == "calibrated" else row["scaling"]
            first, second = (_distance(outcome, row["run"], f"{scaling}-{name}-only") for name in NETWORKS)
            near = second / (first + second) if first + second > 0 else 0.5
            rows.append({"vgg_share": _share(outcome, row), "toward_vgg": near})
        return rows

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """The pictures in the order of ratios, and curves over the ratio."""
        line = outcome.setup.line(NETWORKS)
        found = {}
        for scaling in SCALINGS:
            rows = _of(outcome, scaling)
            ends = [outcome.row(run=f"{scaling}-{name}-only") for name in NETWORKS]
            order = [ends[1], *rows, ends[0]]
            found[f"pictures_{scaling}"] = _strip(
                outcome, order, f"Ratio w1:w2 of VGG-19 to InceptionV3, {SCALINGS[scaling]}\n{line}"
            )
        calibrated = [row for row in outcome.rows if row["scaling"] == "calibrated"]
        found["pictures_calibrated"] = _strip(
            outcome, calibrated, f"Calibrated ratio, 0.5:0.5 is equal say\n{line}", at_least=3
        )
        for name, title, y in (
            ("vgg_share", "VGG-19's share of the gradient norms at the start", "share"),
            ("toward_vgg", "From the picture of InceptionV3 alone (0) to that of VGG-19 alone (1)", "toward VGG-19"),
            ("style_reached", "Style reached, by a judge that did not paint", "style reached"),
            ("ssim", "Content kept", "SSIM"),
        ):
            lines = {
                words: (
                    [row["exponent"] for row in _of(outcome, scaling)],
                    [row[name] for row in _of(outcome, scaling)],
                )
                for scaling, words in SCALINGS.items()
            }
            marks = {"w1:w2 = 1e-3": -3.0, "w1:w2 = 1e+3": 3.0}
            found[name] = figures.curves(lines, f"{title}\n{line}", "exponent of w1:w2", y, marks)
        return found

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Whether the ratio adjusts the effect, where, and which reading of the exponents that supports."""
        tested = all(outcome.setup.networks.trained(name) for name in NETWORKS)
        seen = {scaling: _seen(_of(outcome, scaling)) for scaling in SCALINGS}
        words = "; ".join(f"{SCALINGS[scaling]}: {each['words']}" for scaling, each in seen.items())
        adjusts = [scaling for scaling, each in seen.items() if each["moved"] > max(0.1, 2 * each["scatter"])]
        scatter = max(each["scatter"] for each in seen.values())
        least = f"pictures of one objective, but for its scale, are up to {scatter:.2f} apart"
        found = [Finding(ADJUSTS, verdict(bool(adjusts), tested), f"from 10^-6 to 10^6, {words}; {least}.")]
        for sign, claim in READINGS.items():
            fits = {
                scaling: each["crossing"] is not None and abs(each["crossing"] - 3 * sign) <= 1
                for scaling, each in seen.items()
            }
            where = "; ".join(f"{SCALINGS[scaling]}: {_crossing(each)}" for scaling, each in seen.items())
            note = " (taken for the best: where both networks count alike, within a power of ten)"
            found.append(Finding(claim, verdict(any(fits.values()), tested), f"{where}{note}."))
        return [*found, _scales(outcome), _best(outcome), _calibrated(outcome)]


def _run(scaling: str, weights: dict[str, float], ratio: str, exponent: float | None = None) -> Run:
    calibrated = scaling == "calibrated"
    options = {} if scaling in ("own", "calibrated") else {"input_scaling": scaling}
    return Run(
        name=f"{scaling}-{ratio.replace(' ', '-').replace(':', '-to-')}",
        label=f"{scaling}, {ratio}",
        networks=weights,
        network_options=options,
        settings={"method": METHOD, "balance": False, "parameterization": "pixels", "calibrate": calibrated},
        facts={"scaling": scaling, "ratio": ratio, "exponent": exponent},
    )


def _start(setup: Setup, name: str, scaling: str) -> dict[str, float]:
    """Loss and gradient norm of one network at the content picture."""
    from tfstyle.pipelines import build

    network = setup.networks.get(name, **({} if scaling == "own" else {"input_scaling": scaling}))
    import tensorflow as tf  # after the network, which imports it without its greetings

    recipe = METHOD.for_backbone(network.name, network.trained, normalize_losses=False)
    objective = build.objective([build.Branch(recipe, network)])
    picture = tf.constant(setup.contents[0].rgb[None])
    targets = objective.targets(picture, [tf.constant(setup.styles[0].rgb[None])])
    with tf.GradientTape() as tape:
        tape.watch(picture)
        loss = tf.add_n(list(objective(picture, targets).values()))
    return {"loss": float(loss[0]), "gradient": float(tf.norm(tape.gradient(loss, picture)))}


def _share(outcome: Outcome, row: dict[str, Any]) -> float:
    """VGG-19's share of the gradient norms."""
    if row["exponent"] is None:
        return float(row["ratio"].startswith("VGG19"))
    ratio = 10.0 ** row["exponent"]
    if row["scaling"] != "calibrated":
        measured = outcome.measurements[row["scaling"]]
        ratio *= measured["VGG19"]["gradient"] / measured["InceptionV3"]["gradient"]
    return ratio / (1 + ratio)


def _distance(outcome: Outcome, first: str, second: str) -> float:
    a, b = outcome.picture(first), outcome.picture(second)
    return float(np.sqrt(np.mean((a.rgb - b.rgb) ** 2)))


def _of(outcome: Outcome, scaling: str) -> list[dict[str, Any]]:
    """The rows of a scaling with both networks, by exponent."""
    rows = [row for row in outcome.rows if row["scaling"] == scaling and row["exponent"] is not None]
    return sorted(rows, key=lambda row: row["exponent"])


def _strip(outcome: Outcome, rows: Sequence[dict[str, Any]], title: str, at_least: int = 7) -> Figure:
    """Pictures in lines of at most seven, each with its ratio above."""
    wide = max(min(7, len(rows)), at_least if len(rows) < at_least else 0)
    lines = [rows[start : start + wide] for start in range(0, len(rows), wide)]
    pictures: list[list[Picture | None]] = []
    notes = []
    for line in lines:
        empty = wide - len(line)
        pictures.append([*(outcome.picture(row["run"]) for row in line), *[None] * empty])
        notes.append([*(f"{row['ratio']}: style {row['style_reached']:.2f}, SSIM {row['ssim']:.2f}" for row in line),
                      *[""] * empty])  # fmt: skip
    return figures.grid(pictures, [""] * wide, [""] * len(lines), title, notes, side=2.0)


def _seen(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How far the picture moves between the networks from 10^-6 to 10^6, and where it is in the middle.

    Optimisations of one objective end in different pictures where its scale differs, by rounding: that is their
    scatter, where VGG-19 has all the say.
    """
    same = [row["toward_vgg"] for row in rows if row["vgg_share"] > 0.99]
    asked = [row for row in rows if abs(row["exponent"]) <= 6]
    near = [row["toward_vgg"] for row in asked]
    crossing = None
    for a, b in itertools.pairwise(rows):
        if a["toward_vgg"] < 0.5 <= b["toward_vgg"]:
            share = (0.5 - a["toward_vgg"]) / (b["toward_vgg"] - a["toward_vgg"])
            crossing = a["exponent"] + share * (b["exponent"] - a["exponent"])
            break
    low, high = asked[0], asked[-1]
    words = (
        f"{low['toward_vgg']:.2f} at 10^{low['exponent']:g} to {high['toward_vgg']:.2f} at 10^{high['exponent']:g} "
        "of the way from InceptionV3's picture to VGG-19's"
    )
    scatter = max(same) - min(same) if same else 0.0
    return {"moved": max(near) - min(near), "scatter": scatter, "crossing": crossing, "words": words}


def _crossing(seen: dict[str, Any]) -> str:
    return "never half-way in the sweep" if seen["crossing"] is None else f"half-way at 10^{seen['crossing']:.1f}"


def _scales(outcome: Outcome) -> Finding:
    """The scales that the exponents' signs may be guessed from."""
    words = []
    for scaling, name in SCALINGS.items():
        vgg, inception = (outcome.measurements[scaling][network] for network in NETWORKS)
        loss, gradient = (math.log10(vgg[key] / inception[key]) for key in ("loss", "gradient"))
        words.append(
            f"{name}: style loss 10^{loss:.1f}, gradient norm 10^{gradient:.1f}, so that equal say is at "
            f"w1:w2 = 10^{-gradient:.1f}"
        )
    return Finding(None, "", f"VGG-19's over InceptionV3's, at the start, under equal weights: {'; '.join(words)}.")


def _best(outcome: Outcome) -> Finding:
    """The best ratio by a number: the harmonic mean of style reached and SSIM (chosen)."""
    words = []
    for scaling, name in SCALINGS.items():
        rows = _of(outcome, scaling)
        values = [_harmonic(max(row["style_reached"], 1e-6), max(row["ssim"], 1e-6)) for row in rows]
        best = int(np.argmax(values))
        flat = "; all are within 0.05" if max(values) - min(values) < 0.05 else ""
        words.append(f"{name}: 10^{rows[best]['exponent']:g} ({values[best]:.2f}, least {min(values):.2f}{flat})")
    return Finding(None, "", f"best harmonic mean of style reached and SSIM (chosen): {', '.join(words)}.")


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b)


def _calibrated(outcome: Outcome) -> Finding:
    rows = [row for row in outcome.rows if row["scaling"] == "calibrated"]
    words = ", ".join(f"{row['ratio']} goes {row['toward_vgg']:.2f} of the way to VGG-19's picture" for row in rows)
    return Finding(None, "", f"with weights as shares of the gradient norm: {words}.")
