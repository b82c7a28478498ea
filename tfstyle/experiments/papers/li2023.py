"""Li & Qi 2023: CycleGAN with U-Nets and self-attention against CycleGAN with residual generators."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfstyle import images
from tfstyle.experiments import figures
from tfstyle.experiments.base import Claim, Constant, Finding, Outcome, Setup, verdict
from tfstyle.experiments.unpaired.base import Unpaired
from tfstyle.experiments.unpaired.figures import cell, grid_of_domains, held_out, kids, training_curves
from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure

SOURCE = "Li & Qi 2023, as quoted"
KEEPS = Claim("U-Net generators instead of ResNet better retain image details and structure", SOURCE)
PLAIN, IMPROVED = "cyclegan", "attention-cyclegan"
_TIMED, _TIMED_QUICK = 5, 2  # steps of each model, in turns (chosen)
_LOOKED_AT = 4  # photographs in the figure of attention (chosen)


class Attention(Unpaired):
    """Both models trained on the same domains, and applied to the same photographs."""

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
        """Of the paper, widths and places of attention aren't known."""
        from tfstyle.evaluation.gan_diagnostics import COPIED

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
        """The same, and how long a step of each takes."""
        found = super().measurements(setup)
        target = self.trained_on(setup)[0]
        seconds = self._seconds(setup, target)
        for kind, value in seconds.items():
            found[f"{target}-{kind}"]["seconds_per_step"] = value
        return found

    def _seconds(self, setup: Setup, target: str) -> dict[str, float]:
        """Of a training step of one pair: the median of some in turns, after one that compiles."""
        from tfstyle.models import pretrained

        random = np.random.default_rng(0)
        models = {kind: pretrained.read(self.place(setup, target, kind)) for kind in self.models}  # thrown away
        taken: dict[str, list[float]] = {kind: [] for kind in models}
        for step in range((_TIMED_QUICK if setup.quick else _TIMED) + 1):
            for kind, model in models.items():
                height, width = model.size
                x, y = (random.random((1, height, width, 3), np.float32) for _ in range(2))
                began = time.perf_counter()
                model.train_on_batch(x, y)
                if step:
                    taken[kind].append(time.perf_counter() - began)
        return {kind: float(np.median(values)) for kind, values in taken.items()}

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Both models beside a picture of each domain; where attention looks; and how trainings went."""

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
        """How much each part of a photograph is looked at, in all and from its middle."""
        setup = outcome.setup
        target = self.trained_on(setup)[0]
        model: Any = self.model(setup, target, IMPROVED)
        runs = [run for run in outcome.runs if run.name.endswith(f"-{target}-{IMPROVED}")][:_LOOKED_AT]
        rows: list[list[Picture | None]] = []
        for run in runs:
            photo = setup.contents[run.content]
            maps = model.attention_maps(photo.rgb)
            down, up, judged = (maps[name] for name in ("down", "up", "discriminator"))
            middle = down[down.shape[0] // 2, down.shape[1] // 2]
            seen = [down.mean((0, 1)), middle, up.mean((0, 1)), judged.mean((0, 1))]
            shown = [images.load(_enlarged(each / each.max(), photo.rgb.shape)) for each in seen]
            cells = [setup.shown(photo), outcome.picture(run.name), *shown]
            rows.append([cell(each, setup.size) for each in cells])
        columns = ["photograph", "what it\nbecomes", "on the way\ndown", "down, from\nthe middle", "on the way\nup",
                   "by the\ndiscriminator"]  # fmt: skip
        labels = [f"content {run.content + 1}" for run in runs]
        return figures.grid(rows, columns, labels, f"{title}\nWhite is looked at most.", side=160)

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Of the claim; what copies its input keeps everything, and is no evidence, nor is a quick trial."""
        from tfstyle.evaluation import gan_diagnostics

        found = outcome.measurements
        targets = self.trained_on(outcome.setup)

        def both(target: str) -> tuple[dict[str, Any], dict[str, Any]]:
            return found[f"{target}-{PLAIN}"], found[f"{target}-{IMPROVED}"]

        def each(name: str, words: str) -> str:
            pairs = ((target, *both(target)) for target in targets)
            return f"{words} " + ", ".join(f"{one[name]:.2f} and {other[name]:.2f} ({t})" for t, one, other in pairs)

        holds = all(
            other[name] > one[name] for one, other in map(both, targets) for name in ("edge_agreement", "ssim")
        )
        copies = [target for target in targets if both(target)[1]["copy_ratio"] < gan_diagnostics.COPIED]
        said = "; ".join(
            each(name, words)
            for name, words in (
                ("edge_agreement", "edges agree by"),
                ("ssim", "SSIM"),
                ("luminance", "light and dark correlate by"),
                ("copy_ratio", "photographs are changed by"),
            )
        )
        copying = f" With {' and '.join(copies)}, the U-Net copies its input: it keeps all, and transfers little."
        one, other = both(targets[0])
        return [
            Finding(
                KEEPS,
                verdict(holds, not outcome.setup.quick and not copies),
                f"by ResNets and by U-Nets with attention, of photographs, {held_out(self, outcome)}: {said} "
                f"of their contrast.{copying if copies else ''}",
            ),
            Finding(None, "", kids(self, outcome)),
            Finding(
                None,
                "",
                f"a generator has {one['parameters']:,} parameters with ResNet, {other['parameters']:,} with U-Net; "
                f"a step of training takes {one['seconds_per_step']:.2f} s and {other['seconds_per_step']:.2f} s on "
                f"this machine, one pair of {one['size']} pixels.",
            ),
        ]


def _enlarged(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A small map in a picture's size, each of its values as a rectangle."""
    rows, columns = (np.arange(length) * each // length for length, each in zip(shape, values.shape, strict=False))
    return np.ascontiguousarray(values[np.ix_(rows, columns)])
