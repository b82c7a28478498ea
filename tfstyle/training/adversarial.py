"""`tfstyle train gan`, `wgan`, `cyclegan` and `attention-cyclegan`: what can be asked for, and what they do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.training import shared

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tfstyle.training.crops import Crops
    from tfstyle.training.run import Run

SAMPLED = 8  # pictures of each domain that are measured after each epoch (chosen)
SHOWN = 4  # of them in the sample grid (chosen)
_RESIZE = 286 / 256  # Zhu et al. 2017, the authors' code: of the shorter side, before crops are taken


def add_adversarial(networks: Any) -> None:
    """Their parsers."""
    add = _parser(
        networks,
        "gan",
        "paintings from noise (Goodfellow et al. 2014, networks of Radford et al. 2016)",
        "Train a DCGAN to make paintings from noise. Without options, as in the paper, but for its epochs, and crops "
        "that are mirrored.",
    )
    _add_sizes(add, batch=128, epochs=100, size=64, filters=64)
    _add_noise(add)

    add = _parser(
        networks,
        "wgan",
        "paintings from noise, or from photographs (Arjovsky et al. 2017; Gulrajani et al. 2017)",
        "Train a Wasserstein GAN to make paintings from noise; or with --photos from photographs, as Shi & Zhu 2020 "
        "compare it with CycleGAN. Each batch is a step of the critic.",
    )
    _add_photos(add, required=False)
    _add_sizes(add, batch=None, epochs=100, size=None, filters=64)
    _add_noise(add)
    add(
        "--lipschitz",
        choices=("clipping", "penalty"),
        default="clipping",
        help="how the critic's slope is bounded: clipped weights (2017), or a penalty of its gradient, which is "
        "steadier (default: %(default)s)",
    )
    add("--critic-steps", type=int, metavar="N", default=5, help="for each of the generator (default: %(default)s)")
    add(
        "--content-weight",
        type=float,
        metavar="W",
        default=10.0,
        help="with --photos, of the difference from the photograph: lower it for more of the paintings (default: "
        "%(default)s)",
    )
    _add_networks(add, blocks=True)

    for name, said, text, known in (
        (
            "cyclegan",
            "photographs to paintings and back, unpaired (Zhu et al. 2017)",
            "residual generators",
            "Without options, as in the paper.",
        ),
        (
            "attention-cyclegan",
            "CycleGAN with U-Nets and self-attention (Li & Qi 2023)",
            "U-Nets with self-attention",
            "Without options, as CycleGAN's paper has it, and networks as those of pix2pix and SAGAN.",
        ),
    ):
        add = _parser(
            networks,
            name,
            said,
            f"Train CycleGAN with {text} from photographs to paintings and back. {known}",
        )
        _add_photos(add, required=True)
        _add_sizes(add, batch=1, epochs=200, size=256, filters=64)
        add("--cycle-weight", type=float, metavar="W", default=10.0, help="of both cycles (default: %(default)s)")
        add(
            "--identity-weight",
            type=float,
            metavar="W",
            default=0.5,
            help="of keeping what is of the domain already, as a factor of --cycle-weight: lower it where colours "
            "should change more (default: %(default)s)",
        )
        add(
            "--pool",
            type=int,
            metavar="N",
            default=50,
            help="earlier pictures that discriminators see again (default: %(default)s)",
        )
        _add_networks(add, blocks=name == "cyclegan")
        if name == "attention-cyclegan":
            add("--depth", type=int, metavar="N", help="levels of the U-Nets (default: by the size, at most 8)")
            add(
                "--no-skip-outermost",
                dest="skip_outermost",
                action="store_false",
                help="without the U-Nets' outermost passage, by which they may only copy",
            )
            add("--spectral", action="store_true", help="discriminators' kernels with spectral norm 1")


def _parser(networks: Any, name: str, said: str, description: str) -> Any:
    parser = networks.add_parser(name, help=said, description=description, epilog=shared.EPILOG)
    add = parser.add_argument
    add("--paintings", nargs="+", metavar="DIR", required=True, help="folders of pictures of the style's domain")
    shared.add_run(add)
    parser.set_defaults(run=train_adversarial, done="trained", network=name, photos=None)
    return add


def _add_photos(add: Any, required: bool) -> None:
    add("--photos", nargs="+", metavar="DIR", required=required, help="folders of photographs")


def _add_sizes(add: Any, *, batch: int | None, epochs: int, size: int | None, filters: int) -> None:
    """What all have; None where noise and photographs differ."""
    half = ", of which the rate falls in the second half" if epochs == 200 else ""
    add("--epochs", type=int, metavar="N", default=epochs, help=f"of the whole training{half} (default: %(default)s)")
    add("--steps", type=int, metavar="N", help="of an epoch (default: as many as the larger domain has batches)")
    said = "64, with --photos 1" if batch is None else "%(default)s"
    add("--batch", type=int, metavar="N", default=batch, help=f"pictures of each domain a step (default: {said})")
    said = "64, with --photos 256" if size is None else "%(default)s"
    add("--size", type=int, metavar="PIXELS", default=size, help=f"of the crops (default: {said})")
    add(
        "--resize",
        type=int,
        metavar="PIXELS",
        help="the pictures' shorter side before the cropping (default: 286/256 of --size; from noise, --size)",
    )
    add(
        "--held-out",
        type=float,
        metavar="F",
        default=0.0,
        help="this part of each folder, the last by name, isn't trained on, and is what samples/ and measures are of "
        "(default: %(default)s)",
    )
    add("--no-flip", dest="flip", action="store_false", help="don't mirror every second crop")
    add(
        "--filters", type=int, metavar="N", default=filters, help="channels at full resolution (default: %(default)s)"
    )
    add("--learning-rate", type=float, metavar="R", help="of all networks (default: the paper's)")


def _add_noise(add: Any) -> None:
    add("--noise", type=int, metavar="N", help="numbers that a picture is made of (default: the paper's)")


def _add_networks(add: Any, blocks: bool) -> None:
    if blocks:
        add("--blocks", type=int, metavar="N", help="residual blocks (default: 6 below 256 pixels, else 9)")
    add("--layers", type=int, metavar="N", default=3, help="with stride 2, of discriminators (default: %(default)s)")


def train_adversarial(options: argparse.Namespace) -> int:
    """`tfstyle train` of one of these networks."""
    run, model, given = begun(options)
    return shared.follow(options, run, model, **given)


def options_of(
    network: str, output: Path, paintings: Sequence[Path], photos: Sequence[Path] = (), **given: Any
) -> argparse.Namespace:
    """What the command line would give of one of these networks; what isn't given is as it is by default."""
    parser = argparse.ArgumentParser()
    add_adversarial(parser.add_subparsers())
    arguments = [network, "--paintings", *map(str, paintings), "-o", str(output)]
    if photos:
        arguments += ["--photos", *map(str, photos)]
    options = parser.parse_args(arguments)
    for name, value in given.items():
        setattr(options, name, value)
    return options


def begun(options: argparse.Namespace) -> tuple[Run, keras.Model, dict[str, Any]]:
    """A training's folder, its model, and what `train_shared.follow` and `Run.fit` take besides.

    Raises:
        InputError: Something that was asked for can't be used.
    """
    from tfstyle.core.runtime import import_tensorflow

    noise = options.photos is None
    for name, of_noise, of_photos in (("batch", 64, 1), ("size", 64, 256)):
        if getattr(options, name) is None:
            setattr(options, name, of_noise if noise else of_photos)
    if options.resize is None:
        options.resize = options.size if noise else round(options.size * _RESIZE)
    if noise:
        _refuse_of_photos(options)
    elif getattr(options, "noise", None) is not None:
        raise InputError("--noise says nothing with --photos: leave it out")
    shared.check_lengths(options)
    import_tensorflow()
    from tfstyle import models  # noqa: F401 - registered, or none could be gone on with
    from tfstyle.evaluation.gan_diagnostics import GANDiagnostics
    from tfstyle.training import datasets
    from tfstyle.training.crops import Crops
    from tfstyle.training.run import Run

    def crops(paths: list[Path], place: int, **changed: Any) -> Crops:
        given: dict[str, Any] = {"resize": options.resize, "flip": options.flip, **changed}
        return Crops(paths, options.size, given.pop("batch", options.batch), options.seed + place, **given)

    folders = [options.paintings] if noise else [options.photos, options.paintings]
    halves = [_halves(each, options.held_out) for each in folders]
    domains = [crops(train, place) for place, (train, _) in enumerate(halves)]
    for domain in domains:
        domain.check()
    turn = getattr(options, "critic_steps", 1)  # of the generator, which each epoch must have
    if options.steps is None:
        options.steps = -(-max(len(domain.paths) for domain in domains) // options.batch)
        options.steps = -(-options.steps // turn) * turn
    if options.steps < turn:
        raise InputError(
            f"steps {options.steps} has none of the generator, after {turn} of the critic: give {turn} or more"
        )
    # The same pictures after each epoch, whatever is drawn for the training.
    fixed = [crops(held or train, i, batch=SAMPLED, flip=False)(0) for i, (train, held) in enumerate(halves)]
    paintings = fixed[-1]
    photos = None if noise else fixed[0]
    run = Run(options.output, _settings(options, domains), options.resume)
    model = run.model(lambda: _compiled(options))
    names = ("paintings",) if noise else ("photos", "paintings")
    counts = ", ".join(f"{len(domain.paths)} {name}" for domain, name in zip(domains, names, strict=True))
    before = next(iter(run.rows()[-1:]), None)
    return run, model, {
        "dataset": (lambda epoch: datasets.single(domains[0], steps=options.steps, epoch=epoch))
        if noise
        else (lambda epoch: datasets.unpaired(domains[0], domains[1], steps=options.steps, epoch=epoch)),
        "crops": domains,
        "steps": options.steps,
        "before": f"{counts} to train on, {options.steps} steps an epoch",
        "samples": lambda model: _grid(model, photos, paintings),
        "callbacks": [GANDiagnostics(lambda model: _fakes(model, photos), paintings, photos, before)],
    }  # fmt: skip


def _halves(folders: Sequence[str], held_out: float) -> tuple[list[Path], list[Path]]:
    """Files to train on, and those that are held out."""
    from tfstyle.training.crops import split

    parts = [split(folder, held_out) for folder in folders]
    train, held = ([path for part in parts for path in part[i]] for i in (0, 1))
    if not train:
        raise InputError(f"nothing in {files.shown(folders[0])} is left to train on: give more pictures")
    return train, held


def _refuse_of_photos(options: argparse.Namespace) -> None:
    """Options of photographs without them."""
    if options.network == "wgan":
        for name, default in (("blocks", None), ("layers", 3), ("content_weight", 10.0)):
            if getattr(options, name) != default:
                raise InputError(f"--{name.replace('_', '-')} says nothing without --photos: give photographs")


_NOT_SETTINGS = ("run", "done", "output", "resume", "quiet", "photos", "paintings", "epochs")


def _settings(options: argparse.Namespace, domains: list[Crops]) -> dict[str, Any]:
    """What a training that goes on must have in common with its beginning."""
    given = {name: value for name, value in vars(options).items() if name not in _NOT_SETTINGS}
    if "cyclegan" in options.network:  # whose rate falls towards the last one
        given["epochs"] = options.epochs
    names = ("paintings",) if options.photos is None else ("photos", "paintings")
    pictures = {name: domain.known_by for name, domain in zip(names, domains, strict=True)}
    return {"network": options.network, **given, **pictures}


def _compiled(options: argparse.Namespace) -> keras.Model:
    """A new model, with the optimizers of its paper, at another rate if one is asked for."""
    from tfstyle.models.adversarial.attention_cyclegan import AttentionCycleGAN
    from tfstyle.models.adversarial.cyclegan import CycleGAN
    from tfstyle.models.adversarial.gan import GAN
    from tfstyle.models.adversarial.schedules import HeldThenLinear
    from tfstyle.models.adversarial.wgan import WGAN

    rate = options.learning_rate
    if rate is not None and not rate > 0:
        raise InputError(f"learning rate {rate:g} can't be used: give more than 0")
    common: dict[str, Any] = {"filters": options.filters, "seed": options.seed, "dtype": shared.policy(options)}
    model: Any
    if options.network == "gan":
        model = GAN(options.size, noise=100 if options.noise is None else options.noise, **common)
        model.compile()
    elif options.network == "wgan":
        model = WGAN(
            options.size,
            "noise" if options.photos is None else "pictures",
            options.lipschitz,
            options.noise,
            blocks=options.blocks,
            layers=options.layers,
            **common,
        )
        model.compile(critic_steps=options.critic_steps, content_weight=options.content_weight)
    else:
        common.update(layers=options.layers, pool_size=options.pool)
        steps = max(2, options.epochs * options.steps)
        if options.network == "cyclegan":
            model = CycleGAN(options.size, options.blocks, **common)
        else:
            own = {"skip_outermost": options.skip_outermost, "spectral": options.spectral}
            model = AttentionCycleGAN(options.size, options.depth, **own, **common)
        model.compile(cycle_weight=options.cycle_weight, identity_weight=options.identity_weight, steps=steps)
        rate = None if rate is None else HeldThenLinear(rate, steps // 2, steps - steps // 2)
    if rate is not None:
        model.generator_optimizer.learning_rate = model.discriminator_optimizer.learning_rate = rate
    return model


def _fakes(model: Any, photos: np.ndarray | None) -> np.ndarray:
    """The generator's pictures of the samples: float32 (number, height, width, 3) in [0, 1]."""
    import numpy as np
    from keras import ops

    if photos is None:
        return model.generate(2 * SAMPLED, seed=0)
    return np.clip(ops.convert_to_numpy(model(ops.convert_to_tensor(photos))), 0, 1).astype(np.float32)


def _grid(model: Any, photos: np.ndarray | None, paintings: np.ndarray) -> np.ndarray:
    """Pictures from noise; or photographs, below them what becomes of them; and for cycles both ways and back."""
    import numpy as np
    from keras import ops

    from tfstyle.images.grids import Cell, grid

    fakes = _fakes(model, None if photos is None else photos[:SHOWN])
    if photos is None:
        pictures = [fakes[i : i + SHOWN] for i in range(0, len(fakes), SHOWN)]
    else:
        pictures = [photos[:SHOWN], fakes]
        if hasattr(model, "inverse_call"):

            def back(given: np.ndarray) -> np.ndarray:
                return np.clip(ops.convert_to_numpy(model.inverse_call(ops.convert_to_tensor(given))), 0, 1)

            of_paintings = back(paintings[:SHOWN])
            pictures += [back(fakes), paintings[:SHOWN], of_paintings, _fakes(model, of_paintings)]
    return grid([[Cell(picture) for picture in row] for row in pictures], gap=4)
