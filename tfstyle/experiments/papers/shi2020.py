"""Shi & Zhu 2020: WGAN from photographs against CycleGAN, on sketches and on ink, unpaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tfstyle.experiments.base import Claim, Constant, Finding, Outcome, Setup, verdict
from tfstyle.experiments.unpaired.base import Unpaired
from tfstyle.experiments.unpaired.figures import grid_of_domains, held_out, kernel_distances, training_curves

if TYPE_CHECKING:
    from tfstyle.experiments.figures import Figure

SOURCE = "Shi & Zhu 2020, of figure 5, as quoted"
KEEP = Claim("WGAN and CycleGAN both keep the content of the photographs", SOURCE)
COLOURS = Claim("the colours of CycleGAN are closer to those of the target style than WGAN's", SOURCE)
_GAP = 0.1  # how much higher SSIM must be with the content than with other contents to call it kept (chosen)


class Shi2020WGANAndCycleGAN(Unpaired):
    """Both models, trained on both domains and applied to the same photographs."""

    name = "shi2020"
    title = "WGAN against CycleGAN, on sketches and ink"
    reference = (
        "Shi & Zhu 2020, figure 5; Arjovsky et al. 2017, arXiv:1701.07875; Gulrajani et al. 2017, arXiv:1704.00028; "
        "Zhu et al. 2017, arXiv:1703.10593"
    )
    models: ClassVar = {"wgan": "WGAN", "cyclegan": "CycleGAN"}
    needs = "nothing; your folders of images, or finished trainings, for results that count"
    duration = "several hours"
    targets = ("sketch", "ink", "oil")
    styles = ("sketch", "ink")
    columns = (
        "kid", "color_to_domain", "ssim", "content_gap", "luminance", "edge_agreement", "style_reached",
        "content_distance", "noise", "steps_done", "seconds",
    )  # fmt: skip

    def constants(self, setup: Setup) -> list[Constant]:
        """Networks and losses are those of the models' own papers; domains and training lengths are chosen."""
        return [
            Constant("what is compared", "WGAN and CycleGAN, sketch and ink", "reported", SOURCE),
            Constant(
                "CycleGAN", "λ 10, identity 0.5, pool 50, Adam 2e-4 falling to 0", "reported", "Zhu et al. 2017"
            ),
            Constant("WGAN", "gradient penalty 10, 5 critic steps, Adam 1e-4", "reported", "Gulrajani et al. 2017"),
            Constant("WGAN's generator and critic", "CycleGAN's, from pictures, content weight 10", "chosen"),
            *super().constants(setup),
            Constant("content is kept", f"SSIM {_GAP:g} above that with another content", "chosen"),
        ]

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Translations by both models, beside an image of each domain; and curves of the trainings."""

        def note(row: dict[str, float]) -> str:
            return f"ΔE {row['color_to_domain']:.0f}, SSIM {row['ssim']:.2f}"

        setup = outcome.setup
        title = f"{self.title}: {setup.size} pixels, {setup.steps} generator steps, seed {setup.seed}"
        return {"figure5": grid_of_domains(self, outcome, title, note), **training_curves(self, setup)}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Findings about both claims, which quick trials don't test."""
        tested = not outcome.setup.quick
        measurements = outcome.measurements
        targets = self.targets_of(outcome.setup)

        def values(name: str, digits: int) -> str:
            return "; ".join(
                f"{target}: "
                + ", ".join(
                    f"{measurements[f'{target}-{kind}'][name]:.{digits}f} by {words}"
                    for kind, words in self.models.items()
                )
                for target in targets
            )

        kept = all(
            measurements[f"{target}-{kind}"]["content_gap"] > _GAP for target in targets for kind in self.models
        )
        closer = all(
            measurements[f"{target}-cyclegan"]["color_to_domain"] < measurements[f"{target}-wgan"]["color_to_domain"]
            for target in targets
        )
        photos = ", ".join(
            f"{measurements[f'{target}-photo']['color_to_domain']:.1f} ({target})" for target in targets
        )
        return [
            Finding(
                KEEP,
                verdict(kept, tested),
                f"SSIM with the photograph, {held_out(self, outcome)}; {values('ssim', 2)}; above that "
                f"with another photograph by, {values('content_gap', 2)}; light and dark correlate by, "
                f"{values('luminance', 2)}.",
            ),
            Finding(
                COLOURS,
                verdict(closer, tested),
                f"ΔE from the domain's colours, {values('color_to_domain', 1)}; of the photographs {photos}.",
            ),
            Finding(None, "", kernel_distances(self, outcome)),
        ]
