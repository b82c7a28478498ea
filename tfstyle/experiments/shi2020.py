"""Shi & Zhu 2020: WGAN from picture to picture against CycleGAN, on sketches and on ink, unpaired."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle import metrics, samples
from tfstyle.experiments import figures
from tfstyle.experiments.experiment import Claim, Constant, Experiment, Finding, Outcome, Run, Setup, verdict
from tfstyle.pictures import Picture
from tfstyle.result import Result
from tfstyle.runtime import import_tensorflow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfstyle.models.adversarial import AdversarialModel

SOURCE = "Shi & Zhu 2020, of figure 5, as quoted"
KEEP = Claim("WGAN and CycleGAN both keep the content of the photographs", SOURCE)
COLOURS = Claim("the colours of CycleGAN are closer to those of the target style than WGAN's", SOURCE)
DOMAINS = ("sketch", "ink")
MODELS = {"wgan": "WGAN", "cyclegan": "CycleGAN"}
_GAP = 0.1  # chosen: by how much SSIM with the own content must be above that with other contents to call it kept
_HELD_OUT = 10_000  # number of the first picture that is not trained on
_MARGIN = 286 / 256  # of pictures that crops are taken from: as CycleGAN's


class Unpaired(Experiment):
    """Both models trained on both domains, and applied to the same photographs."""

    name = "shi2020"
    title = "WGAN against CycleGAN, on sketches and ink"
    reference = (
        "Shi & Zhu 2020, figure 5; Arjovsky et al. 2017, arXiv:1701.07875; Gulrajani et al. 2017, arXiv:1704.00028; "
        "Zhu et al. 2017, arXiv:1703.10593"
    )
    contents = ("street", "portrait", "table", "room")
    styles = DOMAINS
    most_contents = 6
    most_styles = 0  # a domain is more than a picture
    size = 128
    steps = 5000
    quick_size = 64
    quick_steps = 60
    columns = (
        "kid", "color_to_domain", "ssim", "content_gap", "luminance", "edge_agreement", "style_reached",
        "content_distance", "noise", "seconds",
    )  # fmt: skip

    def runs(self, setup: Setup) -> list[Run]:
        """Each content by both models of both domains."""
        return [
            Run(
                name=f"{index + 1}-{domain}-{kind}",
                label=f"content {index + 1}, {domain}, {words}",
                settings=_options(setup),
                facts={"content": index + 1, "domain": domain, "model": words},
                content=index,
                styles=(place,),
            )
            for place, domain in enumerate(DOMAINS)
            for kind, words in MODELS.items()
            for index in range(len(setup.contents))
        ]

    def judges(self, run: Run, setup: Setup) -> tuple[str, ...]:
        """The one that is always there for quick trials."""
        return ("VGG19Mini",) if setup.quick else super().judges(run, setup)

    def constants(self, setup: Setup) -> list[Constant]:
        """Networks and losses are those of the models' own papers; domains and lengths chosen."""
        given = _options(setup)
        return [
            Constant("what is compared", "WGAN and CycleGAN, sketch and ink", "reported", SOURCE),
            Constant(
                "CycleGAN", "λ 10, identity 0.5, pool 50, Adam 2e-4 falling to 0", "reported", "Zhu et al. 2017"
            ),
            Constant("WGAN", "gradient penalty 10, 5 critic steps, Adam 1e-4", "reported", "Gulrajani et al. 2017"),
            Constant("WGAN's generator and critic", "CycleGAN's, from pictures, content weight 10", "chosen"),
            Constant("networks", f"{given['filters']} filters, {given['blocks']} blocks", "chosen"),
            Constant("training", f"{setup.steps} generator steps of 1 picture, {setup.size} pixels", "chosen"),
            Constant("domains", f"{given['pictures']} pictures each, of tfstyle.samples.domain", "chosen"),
            Constant("content is kept", f"SSIM {_GAP:g} above that with other contents", "chosen"),
        ]

    def measurements(self, setup: Setup) -> dict[str, Any]:
        """KID of what each model makes of photographs that it has not seen, and of the photographs themselves."""
        from tfstyle.kernel_distance import kid

        import_tensorflow()
        network = setup.networks.get("VGG19Mini")
        number = 12 if setup.quick else 100
        photos = _pictures("photo", setup.size, setup.seed, _HELD_OUT, number)
        found: dict[str, Any] = {}
        for domain in DOMAINS:
            real = _pictures(domain, setup.size, setup.seed, _HELD_OUT, number)
            sets = {"photo": photos}
            for kind in MODELS:
                model = _trained(kind, domain, setup.size, setup.steps, setup.seed, **_options(setup))
                sets[kind] = [model.stylize(photo) for photo in photos]
            for kind, pictures in sets.items():
                distance = kid(pictures, real, backbone=network, size=setup.size)
                found[f"{domain}-{kind}"] = {"kid": distance.value, "protocol": distance.protocol}
        return found

    def paint(self, run: Run, setup: Setup) -> Result:
        """Apply the model of the run, which is trained when it is first asked for."""
        began = time.perf_counter()
        _, domain, kind = run.name.split("-")
        model = _trained(kind, domain, setup.size, setup.steps, setup.seed, **_options(setup))
        picture = model.stylize(setup.contents[run.content])
        seconds = round(time.perf_counter() - began, 2)
        return Result(picture, None, {}, {"stopped": None, "steps_done": setup.steps, "seconds": seconds})

    def derived(self, outcome: Outcome) -> list[dict[str, Any]]:
        """How near colours are to the domain's, and how much more of its own content a picture has than of others.

        `color_to_domain` is `tfstyle.metrics.color_distance` from eight pictures of the domain that were not trained
        on; `content_gap` SSIM with the content less the mean of SSIM with the other contents; `luminance` the
        correlation of light and dark with the content's.
        """
        from tfstyle.health import luminance_correlation

        setup = outcome.setup
        palettes = {
            domain: np.concatenate(_pictures(domain, setup.size, setup.seed, _HELD_OUT, 8)) for domain in DOMAINS
        }
        rows = []
        for run, row in zip(outcome.runs, outcome.rows, strict=True):
            picture = outcome.picture(run.name)
            shape = picture.rgb.shape[:2]
            content = setup.contents[run.content]
            others = [each.resized(shape) for i, each in enumerate(setup.contents) if i != run.content]
            gap = None
            if others:
                gap = row["ssim"] - float(np.mean([metrics.ssim(each.rgb, picture.rgb) for each in others]))
            key = run.name.split("-", 1)[1]
            rows.append({
                "kid": outcome.measurements[key]["kid"],
                "color_to_domain": metrics.color_distance(palettes[run.facts["domain"]], picture.rgb),
                "content_gap": gap,
                "luminance": luminance_correlation(content.rgb[None], picture.rgb[None]),
            })  # fmt: skip
        return rows

    def figures(self, outcome: Outcome) -> dict[str, Figure]:
        """Four rows, both models on both domains, beside a picture of each domain."""
        setup = outcome.setup
        rows: list[list[Picture | None]] = [[None, *map(setup.shown, setup.contents)]]
        labels, notes = ["photographs"], [[""] * (1 + len(setup.contents))]
        for place, domain in enumerate(DOMAINS):
            for words in MODELS.values():
                found = [row for row in outcome.rows if (row["domain"], row["model"]) == (domain, words)]
                shape = setup.contents[0].rgb.shape[:2]
                rows.append([setup.styles[place], *(outcome.picture(row["run"]).resized(shape) for row in found)])
                labels.append(f"{domain},\n{words}")
                notes.append(["", *(f"ΔE {row['color_to_domain']:.0f}, SSIM {row['ssim']:.2f}" for row in found)])
        columns = ["of the\ndomain", *(f"content {index + 1}" for index in range(len(setup.contents)))]
        title = f"{self.title}: {setup.size} pixels, {setup.steps} generator steps, seed {setup.seed}"
        return {"figure5": figures.grid(rows, columns, labels, title, notes, side=1.6)}

    def findings(self, outcome: Outcome) -> list[Finding]:
        """Of both claims; what a quick trial shows is no evidence."""
        tested = not outcome.setup.quick

        def mean(name: str, words: str, domain: str | None = None) -> float:
            values = [
                row[name]
                for row in outcome.rows
                if row["model"] == words and domain in (None, row["domain"]) and row[name] is not None
            ]
            return float(np.mean(values)) if values else float("nan")

        kept = {words: mean("content_gap", words) for words in MODELS.values()}
        said = "; ".join(
            f"{words}: SSIM {mean('ssim', words):.2f}, {kept[words]:.2f} above that with other contents, light and "
            f"dark correlate by {mean('luminance', words):.2f}"
            for words in MODELS.values()
        )
        closer = {domain: mean("color_to_domain", "CycleGAN", domain) < mean("color_to_domain", "WGAN", domain)
                  for domain in DOMAINS}  # fmt: skip
        colours = "; ".join(
            f"{domain}: {mean('color_to_domain', 'WGAN', domain):.1f} by WGAN, "
            f"{mean('color_to_domain', 'CycleGAN', domain):.1f} by CycleGAN"
            for domain in DOMAINS
        )
        found = outcome.measurements
        kids = "; ".join(
            f"{domain}: {found[f'{domain}-photo']['kid']:.3g} of the photographs themselves, "
            + ", ".join(f"{found[f'{domain}-{kind}']['kid']:.3g} by {words}" for kind, words in MODELS.items())
            for domain in DOMAINS
        )
        protocol = found[f"{DOMAINS[0]}-{next(iter(MODELS))}"]["protocol"]
        holds = all(value > _GAP for value in kept.values())
        return [
            Finding(KEEP, verdict(holds, tested and len(outcome.setup.contents) > 1), f"{said}."),
            Finding(COLOURS, verdict(all(closer.values()), tested), f"ΔE from the domain's colours, {colours}."),
            Finding(None, "", f"distance to the domain, {kids} ({protocol})."),
        ]


def _options(setup: Setup) -> dict[str, int]:
    """Of networks and domains (chosen: what a processor trains in hours, or, quick, in a minute)."""
    if setup.quick:
        return {"filters": 8, "blocks": 2, "pictures": 12}
    return {"filters": 32, "blocks": 6, "pictures": 200}


def _pictures(domain: str, size: int, seed: int, first: int, number: int) -> list[np.ndarray]:
    return [samples.domain(domain, first + index, size, seed) for index in range(number)]


@functools.cache
def _trained(
    kind: str, domain: str, size: int, steps: int, seed: int, filters: int, blocks: int, pictures: int
) -> AdversarialModel:
    """A model trained from photographs to a domain, by as many steps of its generator, whatever its critic takes."""
    import_tensorflow()
    import tensorflow as tf

    from tfstyle.models import WGAN, CycleGAN

    common: dict[str, Any] = {"size": size, "filters": filters, "blocks": blocks, "seed": seed}
    model: Any
    if kind == "wgan":
        model = WGAN(source="pictures", lipschitz="penalty", **common)
        model.compile()
        steps *= model.critic_steps
    else:
        model = CycleGAN(**common)
        model.compile(steps=max(steps, 2))
    sets = [_pictures(name, round(size * _MARGIN), seed, 0, pictures) for name in ("photo", domain)]
    spec = tf.TensorSpec((1, size, size, 3), tf.float32)
    batches = tf.data.Dataset.from_generator(lambda: _batches(sets, size, steps, seed), output_signature=(spec, spec))
    batches = batches.apply(tf.data.experimental.assert_cardinality(steps))
    model.fit(batches, verbose=0, shuffle=False)
    return model


def _batches(
    sets: list[list[np.ndarray]], size: int, steps: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random crops of a photograph and of a picture of the domain, each mirrored by chance."""
    rng = np.random.default_rng(seed)

    def crop(pictures: list[np.ndarray]) -> np.ndarray:
        picture = pictures[int(rng.integers(len(pictures)))]
        top, left = (int(rng.integers(side - size + 1)) for side in picture.shape[:2])
        part = picture[top : top + size, left : left + size]
        return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)[None]

    for _ in range(steps):
        yield crop(sets[0]), crop(sets[1])
