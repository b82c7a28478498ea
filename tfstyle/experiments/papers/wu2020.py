"""Wu & Song 2020: AdaIN with the depth of the content image, against AdaIN without."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle import images
from tfstyle.experiments import figures
from tfstyle.experiments.base import (
    Claim,
    Constant,
    Experiment,
    Finding,
    Outcome,
    Run,
    RunResult,
    Setup,
    finding,
    observation,
)
from tfstyle.experiments.papers.sample_depth import filled, motorcycle, true_inverse_depth
from tfstyle.images import samples
from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot

    from tfstyle.experiments.figures import Figure
    from tfstyle.images.grids import Grid
    from tfstyle.models import DepthAdaIN

SOURCE = "Wu & Song 2020, as quoted"
KEEPS = Claim(
    "the depth computation module of the content image is integrated into the encoder-decoder structure while "
    "preserving the structure",
    SOURCE,
)
VARIANTS = {
    "plain": "AdaIN",
    "weaker": "AdaIN, weaker\neverywhere",
    "found": "by estimated\ndepth",
    "true": "by the\ntrue depth",
    "tuned": "decoder\nfine-tuned",
    "tuned-depth": "fine-tuned with\nthe depth loss",
}
CROP, BATCH, RATE = (
    128,
    4,
    1e-4,
)  # of fine-tuning: pixels, batch, Adam's learning rate (chosen; the rate is AdaIN's)
NETWORK = "VGG19Mini"


class Wu2020Depth(Experiment):
    """AdaIN: plain, weaker everywhere, by estimated and by true depth, fine-tuned with and without the depth loss."""

    name = "wu2020"
    title = "AdaIN with the depth of the content image"
    reference = (
        "Wu & Song 2020; Kitov, Kozlovtsev & Mishustina 2020, arXiv:1906.01123; Ioannou & Maddock 2022, "
        "arXiv:2203.09242"
    )
    needs = "ImageNet weights of ResNet50"
    duration = "about 20 minutes"
    most_contents = 6
    size = 320
    steps = 120
    quick_steps = 2
    columns = (
        "separation", "depth_kept", "depth_true", "outlines", "style_reached", "ssim", "edge_agreement",
        "content_distance", "gram_distance", "noise", "seconds",
    )  # fmt: skip

    @property
    def contents(self) -> tuple[str, ...]:
        """The package's scenes, and the stereo pair if it can be had."""
        return ("street", "portrait", "table", *(("motorcycle",) if motorcycle() is not None else ()))

    def runs(self, setup: Setup) -> list[Run]:
        """All variants of each content image; the true depth where it is known."""
        return [
            Run(
                name=f"{index + 1}-{variant}",
                label=f"content {index + 1}, {words}".replace("\n", " "),
                networks={NETWORK: 1.0},
                facts={"content": index + 1, "variant": variant},
                content=index,
            )
            for index, content in enumerate(setup.contents)
            for variant, words in VARIANTS.items()
            if variant != "true" or true_inverse_depth(content) is not None
        ]

    def evaluation_networks(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """ResNet50: a network unrelated to VGG19, from which VGG19Mini was distilled."""
        return ("ResNet50",)

    def constants(self, setup: Setup) -> list[Constant]:
        """Only a sentence of the paper is known."""
        from tfstyle.models.adain.depth_adain import DEPTH_WEIGHT
        from tfstyle.models.depth import strength

        near, far = strength.NEAR, strength.FAR
        curve = f"contrast {strength.CONTRAST:g}, offset {strength.OFFSET:g}"
        return [
            Constant("what depth does", "a module within encoder and decoder", "reported", SOURCE),
            Constant("strength", f"{near:g} near, {far:g} far, {curve}", "chosen", "the idea: Kitov et al. 2020"),
            Constant("weight of the depth loss", f"{DEPTH_WEIGHT:g}", "chosen", "the idea: Ioannou & Maddock 2022"),
            Constant("fine-tuning", f"{setup.steps} steps of {BATCH} crops of {CROP} pixels, {RATE:g}", "chosen"),
            Constant("encoder, decoder", f"{NETWORK}, the embedded AdaIN", "chosen"),
            Constant("depth module", "DepthMini", "chosen"),
            Constant("weaker everywhere", "the mean strength of the variant by estimated depth", "chosen"),
            Constant("size, scored by", f"{setup.size} pixels, ResNet50", "chosen"),
        ]

    def paint(self, run: Run, setup: Setup) -> RunResult:
        """Paint with the model of the variant."""
        from tfstyle.models.depth.strength import DepthStrength

        start = time.perf_counter()
        variant, content, style = run.facts["variant"], setup.contents[run.content], setup.styles[run.styles[0]]
        tuned = variant.startswith("tuned")
        model = _tuned(setup.steps, setup.seed, variant == "tuned-depth") if tuned else _embedded()
        alpha = 1.0
        depth: Any = None
        if variant == "weaker":
            alpha = float(DepthStrength(model.inverse_depth).of(content).mean())
        elif variant == "found":
            depth = "auto"
        elif variant == "true":
            depth = _true_or_estimated(content)
        image = model.stylize(content, style, depth=depth, alpha=alpha)
        return RunResult(
            image,
            seconds=round(time.perf_counter() - start, 2),
            steps_done=setup.steps if tuned else 0,
            details={"variant": variant, "alpha": alpha},
        )

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """How near and far are kept apart, by the true depth where it is known, else by the estimated one.

        `separation` and `outlines` are those of `tfstyle.evaluation.depth`, the latter over the content image's.
        `depth_kept` is the correlation of DepthMini's estimates for image and content image; `depth_true` that of its
        estimate for the image with the true inverse depth.
        """
        from tfstyle.evaluation.depth import outline_contrast, separation
        from tfstyle.training.depth_mini import agreement

        columns = []
        for run in outcome.runs:
            content, picture = outcome.setup.contents[run.content], outcome.picture(run.name)
            before, after, true = _estimated(content), _estimated(picture), true_inverse_depth(content)
            depth = before if true is None else true
            columns.append({
                "separation": separation(content.rgb, picture.rgb, depth),
                "depth_kept": agreement(before, after)["correlation"],
                "depth_true": None if true is None else agreement(true, after)["correlation"],
                "outlines": outline_contrast(picture.rgb, depth) / outline_contrast(content.rgb, depth),
            })  # fmt: skip
        return columns

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """All images beside the content image and its depth; and how much changes from far to near."""
        caption = f"{outcome.setup.size} pixels, seed {outcome.setup.seed}"
        return {
            "pictures": _images_figure(outcome, caption),
            "change_by_proximity": _change_figure(outcome, caption),
        }

    def findings(self, outcome: Outcome) -> list[Finding]:
        """What strength by depth and the depth loss keep, against AdaIN and against less style everywhere."""
        means = {variant: _means(outcome.rows_of(variant=variant)) for variant in VARIANTS}
        findings = [_keeps(outcome, means)]
        if true := means["true"]:
            words = f"far over near is {true['separation']:.2f}, SSIM {true['ssim']:.2f}"
            findings.append(observation(f"by the true depth, where it is known, {words}."))
        return [*findings, _fine_tuning(outcome, means)]


def _keeps(outcome: Outcome, means: Mapping[str, Mapping[str, float]]) -> Finding:
    """Whether strength by estimated depth keeps more structure than AdaIN, plain and weaker everywhere."""
    estimated, plain, weaker = (means[variant] for variant in ("found", "plain", "weaker"))
    words = "; ".join(
        f"{name} {plain[column]:.2f} by AdaIN, {weaker[column]:.2f} weaker everywhere, {estimated[column]:.2f} by "
        "depth"
        for column, name in (
            ("separation", "change of the far third over that of the near third"),
            ("depth_kept", "correlation of depth with the content image's"),
            ("ssim", "SSIM"),
            ("outlines", "outlines against texture, content image = 1"),
            ("style_reached", "style reached"),
        )
    )
    return finding(
        KEEPS,
        f"mean over {len(outcome.setup.contents)} content images: {words}.",
        holds=all(estimated[column] > max(plain[column], weaker[column]) for column in ("ssim", "depth_kept")),
        tested=outcome.setup.networks.trained(NETWORK),
    )


def _fine_tuning(outcome: Outcome, means: Mapping[str, Mapping[str, float]]) -> Finding:
    """What the depth loss changes."""
    without, with_loss = means["tuned"], means["tuned-depth"]
    words = "; ".join(
        f"{name} {without[column]:.3f} and {with_loss[column]:.3f}"
        for column, name in (("depth_kept", "correlation of depth"), ("style_reached", "style reached"))
    )
    return observation(f"{outcome.setup.steps} steps of fine-tuning, without and with the depth loss: {words}.")


def _images_figure(outcome: Outcome, caption: str) -> Grid:
    """For each content image its depth and all variants."""
    setup = outcome.setup
    rows: list[list[Picture | None]] = []
    captions: list[list[str]] = []
    for number, content in enumerate(setup.contents, 1):
        scores = {row["variant"]: row for row in outcome.rows_of(content=number)}
        maps = [images.load(depth) for depth in (_true_or_estimated(content), _estimated(content))]
        painted = [outcome.picture(scores[each]["run"]) if each in scores else None for each in VARIANTS]
        rows.append([setup.shown(content), *maps, *painted])
        captions.append(["", "", "", *(_caption(scores[each]) if each in scores else "" for each in VARIANTS)])
    headings = ["content", "inverse depth,\ntrue if known", "as DepthMini\nestimates it", *VARIANTS.values()]
    labels = [f"content {number + 1}" for number in range(len(rows))]
    title = f"AdaIN with the depth of the content image: {caption}"
    return figures.grid(rows, headings, labels, title, captions, side=170)


def _change_figure(outcome: Outcome, caption: str) -> Plot:
    """The change of the colours from the farthest to the nearest pixels, by variant."""
    from tfstyle.evaluation.depth import profile

    lines = {}
    for variant, words in VARIANTS.items():
        profiles = []
        for run in outcome.runs:
            if run.facts["variant"] == variant:
                content = outcome.setup.contents[run.content]
                profiles.append(profile(content.rgb, outcome.picture(run.name).rgb, _true_or_estimated(content)))
        if profiles:
            mean: np.ndarray = np.mean(profiles, axis=0)
            shares = (np.arange(len(mean)) + 0.5) / len(mean)
            lines[words.replace("\n", " ")] = (shares.tolist(), mean.tolist())
    title = f"Change of colours from the farthest to the nearest pixels: {caption}"
    return figures.curves(lines, title, "share of pixels, far to near", "mean change, ΔE")


def _caption(row: Mapping[str, Any]) -> str:
    return f"far/near {row['separation']:.2f}, depth {row['depth_kept']:.2f}"


def _estimated(picture: Picture) -> np.ndarray:
    """Inverse depth as DepthMini estimates it."""
    from tfstyle.models.depth import estimate

    return estimate(_embedded().inverse_depth, picture.rgb)


def _true_or_estimated(content: Picture) -> np.ndarray:
    """The true inverse depth without holes; the estimated one where there is none."""
    true = true_inverse_depth(content)
    return _estimated(content) if true is None else filled(true)


@functools.cache
def _embedded() -> DepthAdaIN:
    """The embedded AdaIN, with DepthMini."""
    from tfstyle.models import DepthAdaIN, load

    return DepthAdaIN.from_adain(load("embedded"))


@functools.cache
def _tuned(steps: int, seed: int, depth_loss: bool) -> DepthAdaIN:
    """The embedded model after some steps on crops of samples, with or without the depth loss."""
    import keras

    from tfstyle.models import DepthAdaIN
    from tfstyle.models.adain.depth_adain import DEPTH_WEIGHT

    model = DepthAdaIN.from_adain(_embedded(), _embedded().depth)
    model.compile(keras.optimizers.Adam(RATE), depth_weight=DEPTH_WEIGHT if depth_loss else 0.0)
    rng = np.random.default_rng(seed)
    photographs = [images.load(samples.content(name), 2 * CROP).rgb for name in samples.CONTENTS]
    scenes = [samples.scene(name, 2 * CROP, 1000 + seed)[0] for name in samples.SCENES]
    style_images = [samples.style(name, 2 * CROP, seed) for name in samples.STYLES]
    contents, styles = (_crops(each, steps * BATCH, rng) for each in (photographs + scenes, style_images))
    model.fit(contents, styles, batch_size=BATCH, shuffle=False, verbose=0)
    return model


def _crops(pictures: Sequence[np.ndarray], number: int, rng: np.random.Generator) -> np.ndarray:
    """Random crops of images, `(number, CROP, CROP, 3)`."""
    crops = []
    for _ in range(number):
        picture = pictures[int(rng.integers(len(pictures)))]
        top, left = (int(rng.integers(side - CROP + 1)) for side in picture.shape[:2])
        crops.append(picture[top : top + CROP, left : left + CROP])
    return np.stack(crops)


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means of the columns that are numbers in all rows; empty without rows."""
    if not rows:
        return {}
    return {
        name: float(np.mean([row[name] for row in rows]))
        for name in rows[0]
        if all(isinstance(row[name], (int, float)) and not isinstance(row[name], bool) for row in rows)
    }
