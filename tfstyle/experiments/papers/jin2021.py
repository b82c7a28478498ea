"""Jin & Zhou 2021: four backbones under one recipe (figure 3 of a 2024 survey), and why some of them fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tfstyle.experiments import BACKBONES, figures
from tfstyle.experiments.base import Claim, Finding, Outcome, Run, Setup, finding, observation
from tfstyle.experiments.papers.comparison import Comparison

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure

Row = Mapping[str, Any]

SURVEY = "figure 3 of a 2024 survey of deep style transfer, after Jin & Zhou 2021"
WANG = "Wang, Li & Vasconcelos 2021, Rethinking and Improving the Robustness of Image Style Transfer (CVPR)"
# The survey does not say which letter is which network; this order fits its descriptions.
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

NO_STYLE, SOME_STYLE = 0.2, 0.4  # style reached, below which it is missed and above which it is transferred (chosen)
UNCHANGED = 0.9  # SSIM above which an image is more or less the content image (chosen)
VISIBLE = 2  # ΔE that is just visible
_SLOWEST = {("ResNet50", "fourier"), ("NASNetMobile", "smoothed"), ("NASNetMobile", "fourier"),
            ("VGG19", "fourier"), ("InceptionV3", "fourier")}  # fmt: skip


class Jin2021Backbones(Comparison):
    """VGG-19, InceptionV3, ResNet50 and NASNetMobile: same images, same steps, same weights; then cures."""

    name = "jin2021-backbones"
    title = "Backbones under one recipe, and cures for their failures"
    reference = f"Jin & Zhou 2021, as {SURVEY}; cure: {WANG}"
    needs = "ImageNet weights of VGG19, InceptionV3, ResNet50 and NASNetMobile"
    duration = "about an hour"
    steps = 300

    def runs(self, setup: Setup) -> list[Run]:
        """All backbones under all treatments; a quick trial leaves out the slowest."""
        left_out = _SLOWEST if setup.quick else set()
        return [run for run in super().runs(setup) if (run.facts["backbone"], run.facts["treatment"]) not in left_out]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Figure 3, and the figures of the comparison."""
        setup = outcome.setup
        shape = setup.contents[0].rgb.shape[:2]
        inputs = [setup.shown(each.resized(shape)) for each in (*setup.contents, *setup.styles)]
        headings = [f"({LETTERS[name]}) {setup.networks.label(name)}" for name in BACKBONES]
        figure3 = figures.grid(
            [[*inputs, *(outcome.picture(f"{name}-raw") for name in BACKBONES)]],
            ["(a) content", "(b) style", *headings],
            [""],
            f"Figure 3, the same weights (chosen) for all\n{setup.caption(BACKBONES)}",
        )
        return {"figure3": figure3, **super().figures(outcome)}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Each claim of figure 3 by the runs with the same weights for all, then what the cures change."""
        raw = {name: outcome.row(backbone=name, treatment="raw") for name in BACKBONES}
        trained = {name: outcome.setup.networks.trained(name) for name in BACKBONES}
        return [
            _good(raw, trained),
            *_by_picture(raw, trained),
            *_entropy(outcome, trained),
            *_weighting(outcome, trained),
            *_cures(outcome, trained),
        ]


def _good(raw: Mapping[str, Row], trained: Mapping[str, bool]) -> Finding:
    """Whether VGG-19 and InceptionV3 reach more of the style than the other two."""
    reached = {name: row["style_reached"] for name, row in raw.items()}
    low = [name for name in ("ResNet50", "NASNetMobile") if trained[name]]
    good = min(reached["VGG19"], reached["InceptionV3"])
    order = " > ".join(f"{name} {reached[name]:.2f}" for name in sorted(reached, key=lambda name: -reached[name]))
    untrained = ", ".join(name for name in raw if not trained[name])
    note = f"; nothing can be said about {untrained}, with random weights" if untrained else ""
    return finding(
        GOOD,
        f"style reached, under the same weights (chosen) for all: {order} (no style is below {NO_STYLE}){note}.",
        holds=good > max([NO_STYLE, *(reached[name] for name in low)]),
        tested=trained["VGG19"] and trained["InceptionV3"] and bool(low),
    )


def _by_picture(raw: Mapping[str, Row], trained: Mapping[str, bool]) -> list[Finding]:
    """The description of each image against the scores; the criteria are chosen."""
    vgg, inception, residual, nasnet = (raw[name] for name in BACKBONES)
    unchanged = "; here the content image is left as it is" if residual["ssim"] >= UNCHANGED else ""
    criteria = {
        "VGG19": (
            vgg["style_reached"] > SOME_STYLE and vgg["edge_agreement"] < inception["edge_agreement"],
            f"style reached {vgg['style_reached']:.2f} (transferred well: above {SOME_STYLE}); edge agreement with "
            f"the content image {vgg['edge_agreement']:.2f}, InceptionV3's {inception['edge_agreement']:.2f}",
        ),
        "InceptionV3": (
            inception["ssim"] > vgg["ssim"] and inception["style_reached"] < vgg["style_reached"],
            f"SSIM {inception['ssim']:.2f} against VGG-19's {vgg['ssim']:.2f}; style reached "
            f"{inception['style_reached']:.2f} against {vgg['style_reached']:.2f}",
        ),
        "ResNet50": (
            residual["style_reached"] < NO_STYLE and residual["ssim"] < UNCHANGED,
            f"style reached {residual['style_reached']:.2f} (no style: below {NO_STYLE}); SSIM "
            f"{residual['ssim']:.2f} (noise and blur: below {UNCHANGED}{unchanged}); fine detail "
            f"{residual['noise']:.2f} times that of the style image",
        ),
        "NASNetMobile": (
            nasnet["style_reached"] < NO_STYLE and nasnet["color_shift"] > VISIBLE,
            f"style reached {nasnet['style_reached']:.2f} (little change: below {NO_STYLE}), SSIM "
            f"{nasnet['ssim']:.2f}, colour shift {nasnet['color_shift']:.1f} ΔE ({VISIBLE} is just visible)",
        ),
    }
    both = ("VGG19", "InceptionV3")
    return [
        finding(
            PICTURES[name],
            f"{evidence}{'' if trained[name] else '; with random weights'}.",
            holds=holds,
            tested=all(trained[each] for each in (both if name in both else (name,))),
        )
        for name, (holds, evidence) in criteria.items()
    ]


def _entropy(outcome: Outcome, trained: Mapping[str, bool]) -> list[Finding]:
    """Whether the activations of ResNet50 have a lower entropy than those of VGG-19."""
    entropy = {
        name: sum(layers["plain"].values()) / len(layers["plain"])
        for name, layers in outcome.measurements.get("entropy", {}).items()
    }
    if not entropy:
        return []
    order = ", ".join(f"{name} {value:.2f}" for name, value in sorted(entropy.items(), key=lambda item: item[1]))
    return [
        finding(
            PEAKY,
            f"normalized entropy, lowest first: {order}.",
            holds=entropy["ResNet50"] < entropy["VGG19"],
            tested=trained["ResNet50"] and trained["VGG19"],
        )
    ]


def _weighting(outcome: Outcome, trained: Mapping[str, bool]) -> list[Finding]:
    """Whether the failure of ResNet50 is due to the network or to the weights: what balanced losses change."""
    if not trained["ResNet50"]:
        return []
    raw, balanced = _reached(outcome, "raw"), _reached(outcome, "balanced")
    changes = ", ".join(f"{name} from {raw[name]:.2f} to {balanced[name]:.2f}" for name in BACKBONES)
    before, after = raw["ResNet50"], balanced["ResNet50"]
    if before >= SOME_STYLE:
        cause = "ResNet50 did not fail under the same weights as VGG-19"
    elif after > SOME_STYLE or after - before > NO_STYLE:
        cause = "the failure of ResNet50 is due to the weights, for the most part"
    else:
        cause = "balanced losses alone do not mend ResNet50"
    return [
        observation(
            "network or weights? With each layer's loss over its value at the start, style reached goes "
            f"{changes}: {cause}."
        )
    ]


def _cures(outcome: Outcome, trained: Mapping[str, bool]) -> list[Finding]:
    """Whether smoothed activations or the Fourier spectrum improve on balanced losses for ResNet50."""
    raw, balanced = _reached(outcome, "raw"), _reached(outcome, "balanced")
    findings = []
    for treatment, claim in (("smoothed", CURE), ("fourier", None)):
        reached = _reached(outcome, treatment)
        if "ResNet50" not in reached:
            continue
        values = ", ".join(f"{name} {raw[name]:.2f}, {balanced[name]:.2f}, {reached[name]:.2f}" for name in reached)
        evidence = f"style reached, raw, balanced, and balanced and {treatment}: {values}."
        if claim is None:
            findings.append(observation(evidence))
        else:
            holds = reached["ResNet50"] > balanced["ResNet50"]
            findings.append(finding(claim, evidence, holds=holds, tested=trained["ResNet50"]))
    return findings


def _reached(outcome: Outcome, treatment: str) -> dict[str, float]:
    """Style reached by backbone under a treatment."""
    return {row["backbone"]: row["style_reached"] for row in outcome.rows_of(treatment=treatment)}
