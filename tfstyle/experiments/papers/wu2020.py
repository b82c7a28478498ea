"""Wu & Song 2020: AdaIN with the content's depth, against AdaIN without."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.experiments import figures
from tfstyle.experiments.base import Claim, Constant, Experiment, Finding, Outcome, Run, Setup, verdict
from tfstyle.images import samples
from tfstyle.images.picture import Picture
from tfstyle.pipelines.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfstyle.models import DepthAdaIN

SOURCE = "Wu & Song 2020, as quoted"
KEEPS = Claim(
    "the depth computation module of the content image is integrated into the encoder-decoder structure while "
    "preserving the structure",
    SOURCE,
)
VARIANTS = {
    "plain": "AdaIN",
    "weaker": "AdaIN, weaker\nall over",
    "found": "by the depth\nthat is found",
    "true": "by the\ntrue depth",
    "tuned": "decoder\ntrained on",
    "tuned-depth": "trained on with\nthe depth loss",
}
CROP, BATCH, RATE = 128, 4, 1e-4  # pixels, pictures a step, Adam's rate of training on (chosen; the rate is AdaIN's)
NETWORK = "VGG19Mini"


class Depth(Experiment):
    """AdaIN as it is, weaker all over, by found and by true depth, and trained on with and without the depth loss."""

    name = "wu2020"
    title = "AdaIN with the content's depth"
    reference = (
        "Wu & Song 2020; Kitov, Kozlovtsev & Mishustina 2020, arXiv:1906.01123; Ioannou & Maddock 2022, "
        "arXiv:2203.09242"
    )
    most_contents = 6
    size = 320
    steps = 120
    quick_steps = 2
    columns = (
        "separation", "depth_kept", "depth_true", "outlines", "style_reached", "ssim", "edge_agreement",
        "content_distance", "gram_distance", "noise", "seconds",
    )  # fmt: skip

    @property
    def contents(self) -> tuple[str, ...]:  # type: ignore[override]
        """Made scenes, and the stereo pair where it can be had."""
        return ("street", "portrait", "table", *(("motorcycle",) if _motorcycle() is not None else ()))

    def runs(self, setup: Setup) -> list[Run]:
        """All variants of each content."""
        return [
            Run(
                name=f"{index + 1}-{variant}",
                label=f"content {index + 1}, {words}".replace("\n", " "),
                networks={NETWORK: 1.0},
                facts={"content": index + 1, "variant": variant},
                content=index,
            )
            for index, picture in enumerate(setup.contents)
            for variant, words in VARIANTS.items()
            if variant != "true" or truth(picture) is not None
        ]

    def judges(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """One that has nothing to do with VGG, of which VGG19Mini was made."""
        return ("ResNet50",)

    def constants(self, setup: Setup) -> list[Constant]:
        """Of the paper only a sentence is known."""
        from tfstyle.models.adain.depth_adain import DEPTH_WEIGHT
        from tfstyle.models.depth import strength

        near, far = strength.NEAR, strength.FAR
        curve = f"contrast {strength.CONTRAST:g}, offset {strength.OFFSET:g}"
        return [
            Constant("what depth does", "a module within encoder and decoder", "reported", SOURCE),
            Constant("strength", f"{near:g} near, {far:g} far, {curve}", "chosen", "the idea: Kitov et al. 2020"),
            Constant("depth loss, its weight", f"{DEPTH_WEIGHT:g}", "chosen", "the idea: Ioannou & Maddock 2022"),
            Constant("training on", f"{setup.steps} steps of {BATCH} crops of {CROP} pixels, {RATE:g}", "chosen"),
            Constant("encoder, decoder", f"{NETWORK}, the embedded AdaIN", "chosen"),
            Constant("depth module", "DepthMini", "chosen"),
            Constant("weaker all over", "the mean strength of what is painted by found depth", "chosen"),
            Constant("size, judge", f"{setup.size} pixels, ResNet50", "chosen"),
        ]

    def paint(self, run: Run, setup: Setup) -> Result:
        """Paint by the model of the variant."""
        from tfstyle.models.depth.strength import DepthStrength

        began = time.perf_counter()
        variant, photo, style = run.facts["variant"], setup.contents[run.content], setup.styles[run.styles[0]]
        tuned = variant.startswith("tuned")
        model = _tuned(setup.steps, setup.seed, variant == "tuned-depth") if tuned else _embedded()
        given: dict[str, Any] = {"depth": None, "alpha": 1.0}
        if variant == "weaker":
            given["alpha"] = float(DepthStrength(model.inverse_depth).of(photo).mean())
        elif variant == "found":
            given["depth"] = "auto"
        elif variant == "true":
            given["depth"] = _known_or_found(photo)
        picture = model.stylize(photo, style, **given)
        record = {
            "stopped": None,
            "variant": variant,
            "alpha": given["alpha"],
            "steps_done": setup.steps if tuned else 0,
            "seconds": round(time.perf_counter() - began, 2),
        }
        return Result(picture, None, {}, record)

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """How near and far are kept apart, by the true depth where it is known, else by what is found.

        `separation` and `outlines` are of `tfstyle.evaluation.depth`, the latter over the content's own; `depth_kept`
        is the correlation of what DepthMini finds in picture and content, and `depth_true` that of what it finds in
        the picture and the true inverse depth.
        """
        from tfstyle.evaluation.depth import outline_contrast, separation
        from tfstyle.training.depth_mini import agreement

        rows = []
        for run in outcome.runs:
            photo, picture = outcome.setup.contents[run.content], outcome.picture(run.name)
            own, seen, known = _found(photo), _found(picture), truth(photo)
            by = own if known is None else known
            rows.append({
                "separation": separation(photo.rgb, picture.rgb, by),
                "depth_kept": agreement(own, seen)["correlation"],
                "depth_true": None if known is None else agreement(known, seen)["correlation"],
                "outlines": outline_contrast(picture.rgb, by) / outline_contrast(photo.rgb, by),
            })  # fmt: skip
        return rows

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """All pictures beside the content and its depth; and how much changes from far to near."""
        from tfstyle.evaluation.depth import profile

        setup = outcome.setup
        shape = setup.contents[0].rgb.shape[:2]
        rows: list[list[Picture | None]] = []
        notes: list[list[str]] = []
        for index, photo in enumerate(setup.contents):
            runs = {row["variant"]: row for row in outcome.rows if row["content"] == index + 1}
            maps = [images.load(each) for each in (_known_or_found(photo), _found(photo))]
            shown = [outcome.picture(runs[each]["run"]) if each in runs else None for each in VARIANTS]
            rows.append([each and each.resized(shape) for each in (setup.shown(photo), *maps, *shown)])
            notes.append(["", "", "", *(_note(runs[each]) if each in runs else "" for each in VARIANTS)])
        line = f"{setup.size} pixels, seed {setup.seed}"
        names = ["content", "proximity,\ntrue if known", "as DepthMini\nfinds it", *VARIANTS.values()]
        labels = [f"content {index + 1}" for index in range(len(rows))]
        lines = {}
        for variant, words in VARIANTS.items():
            profiles = [
                profile(setup.contents[run.content].rgb, outcome.picture(run.name).rgb,
                        _known_or_found(setup.contents[run.content]))
                for run in outcome.runs
                if run.facts["variant"] == variant
            ]  # fmt: skip
            if profiles:
                mean: np.ndarray = np.mean(profiles, axis=0)
                lines[words.replace("\n", " ")] = (((np.arange(len(mean)) + 0.5) / len(mean)).tolist(), mean.tolist())
        title = f"Change of colours from the farthest to the nearest pixels: {line}"
        return {
            "pictures": figures.grid(rows, names, labels, f"AdaIN with the content's depth: {line}", notes, side=1.7),
            "change_by_proximity": figures.curves(lines, title, "share of pixels, far to near", "mean change, ΔE"),
        }

    def findings(self, outcome: Outcome) -> list[Finding]:
        """What depth-aware strength and the depth loss keep, against AdaIN and against the same with less style."""
        means = {variant: _means([row for row in outcome.rows if row["variant"] == variant]) for variant in VARIANTS}
        tested = outcome.setup.networks.trained(NETWORK)
        found, plain, weaker, true = (means[each] for each in ("found", "plain", "weaker", "true"))
        holds = all(found[name] > max(plain[name], weaker[name]) for name in ("ssim", "depth_kept"))
        words = "; ".join(
            f"{label} {plain[name]:.2f} by AdaIN, {weaker[name]:.2f} weaker all over, {found[name]:.2f} by depth"
            for name, label in (
                ("separation", "change of the far third over that of the near third"),
                ("depth_kept", "correlation of depth with the content's"),
                ("ssim", "SSIM"),
                ("outlines", "outlines against texture, content = 1"),
                ("style_reached", "style reached"),
            )
        )
        number = len(outcome.setup.contents)
        evidence = [Finding(KEEPS, verdict(holds, tested), f"mean over {number} contents: {words}.")]
        if true:
            words = f"far over near is {true['separation']:.2f}, SSIM {true['ssim']:.2f}"
            evidence.append(Finding(None, "", f"by the true depth, where it is known, {words}."))
        without, with_loss = means["tuned"], means["tuned-depth"]
        words = "; ".join(
            f"{label} {without[name]:.3f} and {with_loss[name]:.3f}"
            for name, label in (("depth_kept", "correlation of depth"), ("style_reached", "style reached"))
        )
        steps = outcome.setup.steps
        evidence.append(Finding(None, "", f"{steps} steps of training on, without and with the depth loss: {words}."))
        return evidence


def _note(row: dict[str, Any]) -> str:
    return f"far/near {row['separation']:.2f}, depth {row['depth_kept']:.2f}"


def _found(picture: Picture) -> np.ndarray:
    """What DepthMini finds."""
    from tfstyle.models.depth import estimate

    return estimate(_embedded().inverse_depth, picture.rgb)


@functools.cache
def _embedded() -> DepthAdaIN:
    """The embedded AdaIN, with DepthMini."""
    from tfstyle.models import DepthAdaIN, load

    return DepthAdaIN.from_adain(load("embedded"))


@functools.cache
def _tuned(steps: int, seed: int, by_depth: bool) -> DepthAdaIN:
    """The same, trained on for some steps on parts of sample pictures, with or without the depth loss."""
    import keras

    from tfstyle.models import DepthAdaIN
    from tfstyle.models.adain.depth_adain import DEPTH_WEIGHT

    model = DepthAdaIN.from_adain(_embedded(), _embedded().depth)
    model.compile(keras.optimizers.Adam(RATE), depth_weight=DEPTH_WEIGHT if by_depth else 0.0)
    rng = np.random.default_rng(seed)
    photographs = [images.load(samples.content(name), 2 * CROP).rgb for name in samples.CONTENTS]
    scenes = [samples.scene(name, 2 * CROP, 1000 + seed)[0] for name in samples.SCENES]
    paintings = [samples.style(name, 2 * CROP, seed) for name in samples.STYLES]
    contents, styles = (_crops(each, steps * BATCH, rng) for each in (photographs + scenes, paintings))
    model.fit(contents, styles, batch_size=BATCH, shuffle=False, verbose=0)
    return model


def _crops(pictures: list[np.ndarray], number: int, rng: np.random.Generator) -> np.ndarray:
    """Random parts of pictures, `(number, CROP, CROP, 3)`."""
    found = []
    for _ in range(number):
        picture = pictures[int(rng.integers(len(pictures)))]
        top, left = (int(rng.integers(side - CROP + 1)) for side in picture.shape[:2])
        found.append(picture[top : top + CROP, left : left + CROP])
    return np.stack(found)


def truth(photo: Picture) -> np.ndarray | None:
    """The proximity of a sample, NaN where it isn't known; None of pictures that are no samples with known depth."""
    name = photo.name.removeprefix("sample ")
    shape = photo.rgb.shape[:2]
    if name == photo.name:
        return None
    if name in samples.SCENES:
        return samples.scene(name, shape)[1]
    if name != "motorcycle" or (pair := _motorcycle()) is None:
        return None
    disparity = pair[1]
    low, high = np.nanmin(disparity), np.nanmax(disparity)
    near = images.load(np.nan_to_num((disparity - low) / (high - low)), shape).rgb[..., 0]
    known = images.load(np.isfinite(disparity).astype(np.float32), shape).rgb[..., 0] > 0.99
    return np.where(known, near, np.nan)


def _known_or_found(photo: Picture) -> np.ndarray:
    """The true proximity without holes, or where there is none the one that is found."""
    known = truth(photo)
    return _found(photo) if known is None else _filled(known)


def _filled(proximity: np.ndarray) -> np.ndarray:
    """Unknown proximity as that of the nearest pixel that is known."""
    from scipy import ndimage

    unknown = ~np.isfinite(proximity)
    if not unknown.any():
        return proximity.astype(np.float32)
    rows, columns = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return proximity[rows, columns].astype(np.float32)


@functools.cache
def _motorcycle() -> tuple[np.ndarray, np.ndarray] | None:
    try:
        return samples.motorcycle()
    except InputError:
        return None


def _means(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Means of the columns that are numbers in all rows; empty without rows."""
    if not rows:
        return {}
    return {
        name: float(np.mean([row[name] for row in rows]))
        for name in rows[0]
        if all(isinstance(row[name], (int, float)) and not isinstance(row[name], bool) for row in rows)
    }
