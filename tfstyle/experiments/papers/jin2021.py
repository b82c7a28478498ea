"""Jin & Zhou 2021: four backbones under one recipe (figure 3 of a 2024 survey), and what makes two of them fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfstyle.experiments import BACKBONES, figures
from tfstyle.experiments.base import Claim, Finding, Outcome, Run, Setup, verdict
from tfstyle.experiments.papers.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SURVEY = "figure 3 of a 2024 survey of deep style transfer, after Jin & Zhou 2021"
WANG = "Wang, Li & Vasconcelos 2021, Rethinking and Improving the Robustness of Image Style Transfer (CVPR)"
# Which letter is which network isn't said; this is the order that fits the verdicts.
LETTERS = dict(zip(BACKBONES, "cedf", strict=True))

GOOD = Claim("VGG-19 and InceptionV3 have good style migration effects, ResNet50 and NASNetMobile low ones", SURVEY)
PICTURES = {
    "VGG19": Claim(
        "(c) texture transferred well, some distortion and loss of detail", f"{SURVEY}; c taken for VGG-19"
    ),
    "InceptionV3": Claim("(e) content kept well, texture not strong", f"{SURVEY}; e taken for InceptionV3"),
    "ResNet50": Claim("(d) no style, much noise and blur", f"{SURVEY}; d taken for ResNet50"),
    "NASNetMobile": Claim("(f) little change, a shift of colour", f"{SURVEY}; f taken for NASNetMobile"),
}
PEAKY = Claim("residual networks fail because their activations are peaky, of low entropy", WANG)
CURE = Claim("smoothing activations by a softmax over channels cures them", WANG)

NO_STYLE, SOME_STYLE = 0.2, 0.4  # of the way to the style, below and above which it is missed or reached (chosen)
UNCHANGED = 0.9  # SSIM above which a picture is the photograph, more or less (chosen)


class Backbones(Comparison):
    """VGG-19, InceptionV3, ResNet50 and NASNetMobile: same pair, same steps, same weights; then cures."""

    name = "jin2021-backbones"
    title = "Backbones under one recipe, and cured"
    reference = f"Jin & Zhou 2021, as {SURVEY}; cure: {WANG}"
    steps = 300

    def runs(self, setup: Setup) -> list[Run]:
        """All of them; a quick trial leaves out the slowest."""
        left_out = [("ResNet50", "fourier"), ("NASNetMobile", "smoothed"), ("NASNetMobile", "fourier"),
                    ("VGG19", "fourier"), ("InceptionV3", "fourier")] if setup.quick else []  # fmt: skip
        return [run for run in super().runs(setup) if (run.facts["backbone"], run.facts["treatment"]) not in left_out]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Figure 3, and the comparison's figures."""
        setup = outcome.setup
        columns = [
            f"({LETTERS[name]}) {setup.networks.label(name).replace(' (', chr(10) + '(')}" for name in BACKBONES
        ]
        shape = setup.contents[0].rgb.shape[:2]
        given = [setup.shown(each.resized(shape)) for each in (*setup.contents, *setup.styles)]
        first = figures.grid(
            [[*given, *(outcome.picture(f"{name}-raw") for name in BACKBONES)]],
            ["(a) content", "(b) style", *columns],
            [""],
            f"Figure 3, the same weights (chosen) for all\n{setup.line(BACKBONES)}",
        )  # fmt: skip
        return {"figure3": first, **super().figures(outcome)}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Each claim of figure 3 by the runs with the same weights for all, then what the cures change."""
        raw = {name: outcome.row(backbone=name, treatment="raw") for name in BACKBONES}
        trained = {name: outcome.setup.networks.trained(name) for name in BACKBONES}
        return [_good(raw, trained), *_by_picture(raw, trained), *_cures(outcome, trained)]


def _good(raw: dict[str, dict[str, Any]], trained: dict[str, bool]) -> Finding:
    reached = {name: row["style_reached"] for name, row in raw.items()}
    low = [name for name in ("ResNet50", "NASNetMobile") if trained[name]]
    good = min(reached["VGG19"], reached["InceptionV3"])
    holds = good > max([NO_STYLE, *(reached[name] for name in low)])
    order = " > ".join(f"{name} {reached[name]:.2f}" for name in sorted(reached, key=lambda name: -reached[name]))
    left = [name for name in raw if not trained[name]]
    left_out = f"; of {', '.join(left)}, with random weights, nothing can be said" if left else ""
    order += f" (none is below {NO_STYLE})"
    evidence = f"style reached, under the same weights (chosen) for all: {order}{left_out}."
    return Finding(GOOD, verdict(holds, trained["VGG19"] and trained["InceptionV3"] and bool(low)), evidence)


def _by_picture(raw: dict[str, dict[str, Any]], trained: dict[str, bool]) -> list[Finding]:
    """Each picture's description against the others' scores; the criteria are chosen."""
    vgg, inception, residual, nasnet = (raw[name] for name in BACKBONES)
    left = ", and here the photograph is left as it is" if residual["ssim"] >= UNCHANGED else ""
    checks = {
        "VGG19": (
            vgg["style_reached"] > SOME_STYLE and vgg["edge_agreement"] < inception["edge_agreement"],
            f"style reached {vgg['style_reached']:.2f} (well: above {SOME_STYLE}); edges agree "
            f"{vgg['edge_agreement']:.2f} with the photograph's, InceptionV3's {inception['edge_agreement']:.2f}",
        ),
        "InceptionV3": (
            inception["ssim"] > vgg["ssim"] and inception["style_reached"] < vgg["style_reached"],
            f"SSIM {inception['ssim']:.2f} against VGG-19's {vgg['ssim']:.2f}; style reached "
            f"{inception['style_reached']:.2f} against {vgg['style_reached']:.2f}",
        ),
        "ResNet50": (
            residual["style_reached"] < NO_STYLE and residual["ssim"] < UNCHANGED,
            f"style reached {residual['style_reached']:.2f} (none is below {NO_STYLE}); SSIM {residual['ssim']:.2f} "
            f"(noise and blur take it below {UNCHANGED}{left}); fine detail "
            f"{residual['noise']:.2f} times the style's",
        ),
        "NASNetMobile": (
            nasnet["style_reached"] < NO_STYLE and nasnet["color_shift"] > 2,
            f"style reached {nasnet['style_reached']:.2f} (little is below {NO_STYLE}), SSIM {nasnet['ssim']:.2f}, "
            f"colours moved by ΔE {nasnet['color_shift']:.1f} (2 is just visible)",
        ),
    }
    needed = {"VGG19": ("VGG19", "InceptionV3"), "InceptionV3": ("VGG19", "InceptionV3")}
    return [
        Finding(
            PICTURES[name],
            verdict(holds, all(trained[each] for each in needed.get(name, (name,)))),
            f"{words}{'' if trained[name] else '; with random weights'}.",
        )
        for name, (holds, words) in checks.items()
    ]


def _cures(outcome: Outcome, trained: dict[str, bool]) -> list[Finding]:
    """Network or weighting: what is left of the failure when the weighting is even."""
    found: list[Finding] = []
    entropy = {
        name: sum(layers["plain"].values()) / len(layers["plain"])
        for name, layers in outcome.measurements.get("entropy", {}).items()
    }
    if entropy:
        order = ", ".join(f"{name} {value:.2f}" for name, value in sorted(entropy.items(), key=lambda item: item[1]))
        holds = entropy["ResNet50"] < entropy["VGG19"]
        tested = trained["ResNet50"] and trained["VGG19"]
        found.append(Finding(PEAKY, verdict(holds, tested), f"normalised entropy, lowest first: {order}."))

    def reached(treatment: str) -> dict[str, float]:
        return {row["backbone"]: row["style_reached"] for row in outcome.rows if row["treatment"] == treatment}

    raw, even = reached("raw"), reached("balanced")
    changes = ", ".join(f"{name} from {raw[name]:.2f} to {even[name]:.2f}" for name in BACKBONES)
    mended = even["ResNet50"] > SOME_STYLE or even["ResNet50"] - raw["ResNet50"] > NO_STYLE
    cause = (
        "what failed in ResNet50 is the weighting, for the most part"
        if mended and raw["ResNet50"] < SOME_STYLE
        else "ResNet50 did not fail under the same weights as VGG-19"
        if raw["ResNet50"] >= SOME_STYLE
        else "balance alone does not mend ResNet50"
    )
    if trained["ResNet50"]:
        found.append(Finding(None, "", f"Network or weighting? With each layer's loss over its start, style reached "
                                       f"goes {changes}: {cause}."))  # fmt: skip
    for treatment, claim in (("smoothed", CURE), ("fourier", None)):
        after = reached(treatment)
        if "ResNet50" not in after:
            continue
        better = after["ResNet50"] > even["ResNet50"]
        words = ", ".join(f"{name} {raw[name]:.2f}, {even[name]:.2f}, {value:.2f}" for name, value in after.items())
        said = verdict(better, trained["ResNet50"]) if claim else ""
        found.append(Finding(claim, said, f"style reached, raw, balanced, and balanced and {treatment}: {words}."))
    return found
