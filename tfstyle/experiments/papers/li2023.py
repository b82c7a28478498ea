"""Li & Qi 2023: CycleGAN with U-Nets and self-attention against CycleGAN with residual generators."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfstyle import images
from tfstyle.experiments import figures
from tfstyle.experiments.base import Claim, Constant, Finding, Outcome, Setup, verdict
from tfstyle.experiments.unpaired.base import Unpaired
from tfstyle.experiments.unpaired.figures import cell, grid_of_domains, held_out, kernel_distances, training_curves
from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure

SOURCE = "Li & Qi 2023, as quoted"
KEEPS = Claim("U-Net generators instead of ResNet better retain image details and structure", SOURCE)
PLAIN, IMPROVED = "cyclegan", "attention-cyclegan"
_TIMED, _TIMED_QUICK = 5, 2  # training steps of each model that are timed, in turns (chosen)
_SHOWN = 4  # photographs in the figure of attention (chosen)


class Li2023Attention(Unpaired):
    """Both models, trained on the same domains and applied to the same photographs."""

    name = "li2023"
    title = "CycleGAN with U-Nets and self-attention"
    reference = "Li & Qi 2023; Zhu et al. 2017, arXiv:1703.10593; Zhang et al. 2019, arXiv:1805.08318"
    models: ClassVar = {PLAIN: "CycleGAN", IMPROVED: "AttentionCycleGAN"}
    needs = "nothing; your folders of images, or finished trainings, for results that count"
    duration = "about an hour"
    targets = ("ink", "sketch", "oil")
    styles = ("ink",)
    columns = (
        "edge_agreement", "ssim", "content_gap", "luminance", "kid", "color_to_domain", "style_reached",
        "content_distance", "noise", "steps_done", "seconds",
    )  # fmt: skip

    def constants(self, setup: Setup) -> list[Constant]:
        """Widths of the networks and places of attention are chosen, since the paper's are not known."""
        from tfstyle.evaluation.gan_diagnostics import COPIED  # late: it imports Keras

        return [
            Constant("what is compared", "ResNets against U-Nets with self-attention", "reported", SOURCE),
            Constant(
                "CycleGAN", "λ 10, identity 0.5, pool 50, Adam 2e-4 falling to 0", "reported", "Zhu et al. 2017"
            ),
            Constant("U-Nets", "those of pix2pix, as deep as the size allows", "chosen", "Isola et al. 2017"),
            Constant("self-attention", "third level of generators, second layer of discriminators", "chosen",
                     "the layer: Zhang et al. 2019"),
            *super().constants(setup),
            Constant("details and structure are kept", "edges agree more, and SSIM is higher", "chosen"),
            Constant("a generator copies", f"if it changes less than {COPIED:g} of the contrast", "chosen"),
        ]  # fmt: skip

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """Measurements of `Unpaired`, and the seconds of a training step of each model."""
        measurements = super().measurements(setup)
        target = self.targets_of(setup)[0]
        for kind, seconds in self._seconds_per_step(setup, target).items():
            measurements[f"{target}-{kind}"]["seconds_per_step"] = seconds
        return measurements

    def _seconds_per_step(self, setup: Setup, target: str) -> dict[str, float]:
        """Seconds of a training step of one pair: the median over some steps in turns, after one that compiles."""
        from tfstyle.models import pretrained

        random = np.random.default_rng(0)
        # Fresh copies, which are thrown away: the steps change their weights.
        models = {kind: pretrained.read(self.training_folder(setup, target, kind)) for kind in self.models}
        seconds: dict[str, list[float]] = {kind: [] for kind in models}
        for step in range((_TIMED_QUICK if setup.quick else _TIMED) + 1):
            for kind, model in models.items():
                height, width = model.size
                x, y = (random.random((1, height, width, 3), np.float32) for _ in range(2))
                start = time.perf_counter()
                model.train_on_batch(x, y)
                if step:
                    seconds[kind].append(time.perf_counter() - start)
        return {kind: float(np.median(values)) for kind, values in seconds.items()}

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Translations by both models; attention maps; and curves of the trainings."""

        def note(row: dict[str, Any]) -> str:
            return f"edges {row['edge_agreement']:.2f}, SSIM {row['ssim']:.2f}"

        setup = outcome.setup
        line = f"{setup.size} pixels, {setup.steps} generator steps, seed {setup.seed}"
        return {
            "pictures": grid_of_domains(self, outcome, f"{self.title}: {line}", note),
            "attention": self._attention(outcome, f"Where attention looks: {line}"),
            **training_curves(self, setup),
        }

    def _attention(self, outcome: Outcome, title: str) -> Figure:
        """Attention maps of photographs: the mean over all positions, and that of the position in the middle."""
        setup = outcome.setup
        target = self.targets_of(setup)[0]
        model: Any = self.model(setup, target, IMPROVED)
        runs = [run for run in outcome.runs if run.name.endswith(f"-{target}-{IMPROVED}")][:_SHOWN]
        rows: list[list[Picture | None]] = []
        for run in runs:
            photo = setup.contents[run.content]
            maps = model.attention_maps(photo.rgb)
            down, up, discriminator = (maps[name] for name in ("down", "up", "discriminator"))
            middle = down[down.shape[0] // 2, down.shape[1] // 2]
            attention = [down.mean((0, 1)), middle, up.mean((0, 1)), discriminator.mean((0, 1))]
            enlarged = [images.load(_enlarged(each / each.max(), photo.rgb.shape)) for each in attention]
            cells = [setup.shown(photo), outcome.picture(run.name), *enlarged]
            rows.append([cell(each, setup.size) for each in cells])
        columns = ["photograph", "what it\nbecomes", "on the way\ndown", "down, from\nthe middle", "on the way\nup",
                   "by the\ndiscriminator"]  # fmt: skip
        labels = [f"content {run.content + 1}" for run in runs]
        return figures.grid(rows, columns, labels, f"{title}\nWhite is looked at most.", side=160)

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Findings about the claim; a model that copies its input keeps everything, and so does not test it."""
        from tfstyle.evaluation.gan_diagnostics import COPIED  # late: it imports Keras

        measurements = outcome.measurements
        targets = self.targets_of(outcome.setup)

        def both(target: str) -> tuple[dict[str, Any], dict[str, Any]]:
            return measurements[f"{target}-{PLAIN}"], measurements[f"{target}-{IMPROVED}"]

        def values(name: str, words: str) -> str:
            pairs = ((target, *both(target)) for target in targets)
            return f"{words} " + ", ".join(
                f"{plain[name]:.2f} and {improved[name]:.2f} ({target})" for target, plain, improved in pairs
            )

        better = all(
            improved[name] > plain[name]
            for plain, improved in map(both, targets)
            for name in ("edge_agreement", "ssim")
        )
        copies = [target for target in targets if both(target)[1]["copy_ratio"] < COPIED]
        evidence = "; ".join(
            values(name, words)
            for name, words in (
                ("edge_agreement", "edges agree by"),
                ("ssim", "SSIM"),
                ("luminance", "light and dark correlate by"),
                ("copy_ratio", "photographs are changed by"),
            )
        )
        copying = f" With {' and '.join(copies)}, the U-Net copies its input: it keeps all, and transfers little."
        plain, improved = both(targets[0])
        return [
            Finding(
                KEEPS,
                verdict(better, not outcome.setup.quick and not copies),
                f"by ResNets and by U-Nets with attention, of photographs, {held_out(self, outcome)}: {evidence} "
                f"of their contrast.{copying if copies else ''}",
            ),
            Finding(None, "", kernel_distances(self, outcome)),
            Finding(
                None,
                "",
                f"a generator has {plain['parameters']:,} parameters with ResNet, {improved['parameters']:,} with "
                f"U-Net; a step of training takes {plain['seconds_per_step']:.2f} s and "
                f"{improved['seconds_per_step']:.2f} s on this machine, one pair of {plain['size']} pixels.",
            ),
        ]


def _enlarged(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A small map at the size of an image, each of its values as a rectangle.

    Args:
        values: (rows, columns).
        shape: (height, width, ...) of the image.
    """
    rows, columns = (
        np.arange(length) * number // length for length, number in zip(shape, values.shape, strict=False)
    )
    return np.ascontiguousarray(values[np.ix_(rows, columns)])
