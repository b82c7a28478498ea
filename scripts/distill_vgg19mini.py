"""Train `VGG19Mini` on the features of VGG19, and write the weights that come with the package.

    TFSTYLE_WEIGHTS=FOLDER python scripts/distill_vgg19mini.py --pictures DIR ... --run FOLDER
        [--steps 3600] [--export FILE.weights.h5]

Of each folder of images the last tenth, sorted by name, is held out: never trained on, only for the losses that are
logged as `held_out_...`. The run's folder gets `log.csv` and a checkpoint, from which the same command continues
exactly, as if there had been no break. `--export` writes float16 weights, with normalized activations, from the last
checkpoint, also of an unfinished training; `--figure` draws the log.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfstyle import Backbone, InputError
from tfstyle.features.vgg19mini import TAPS, VGG19Mini
from tfstyle.layers import Preprocessing
from tfstyle.training.crops import Crops, split_folders
from tfstyle.training.distillation import Distillation
from tfstyle.training.filter_normalization import normalize
from tfstyle.training.steps import read_log, run_steps

EVALUATED = 8  # batches of held-out crops, the same ones each time
CALIBRATED = 24  # batches of training crops


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--pictures", nargs="+", required=True, metavar="DIR", help="folders of images to train on")
    add("--run", required=True, type=Path, metavar="FOLDER", help="folder of log and checkpoint")
    add("--steps", type=int, default=3600, help="steps of the whole training (default: %(default)s)")
    add("--stop", type=int, help="stop after this step, to continue later")
    add("--batch", type=int, default=10, help="crops per step, besides optimized images (default: %(default)s)")
    add("--optimized", type=int, default=2, help="images under optimisation in each batch (default: %(default)s)")
    add("--side", type=int, default=128, help="side of the crops in pixels (default: %(default)s)")
    add("--rate", type=float, default=2e-3, help="highest learning rate (default: %(default)s)")
    add("--gram-weight", type=float, default=0.1, help="weight of the Gram loss (default: %(default)s)")
    add("--every", type=int, default=100, help="steps between checkpoints (default: %(default)s)")
    add("--seed", type=int, default=0, help="seed of initial weights and crops (default: %(default)s)")
    add("--export", metavar="FILE", help="only write the weights of the last checkpoint")
    add("--figure", metavar="FILE.png", help="only draw the log")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except InputError as error:
        print(f"distill_vgg19mini: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> None:
    """Train, export or draw."""
    log, checkpoint = options.run / "log.csv", options.run / "checkpoint.npz"
    if options.figure:
        draw(log, options.figure)
        return
    options.run.mkdir(parents=True, exist_ok=True)
    train, held_out = split_folders(options.pictures)
    crops = Crops(train, options.side, options.batch, options.seed)
    tests = Crops(held_out, options.side, options.batch, options.seed)
    names = ("steps", "batch", "optimized", "side", "rate", "gram_weight", "seed")
    settings = {**{name: getattr(options, name) for name in names}, "pictures": crops.fingerprint}
    preprocess = Preprocessing("VGG19", dtype="float32")
    distillation = distillation_of(options, preprocess)
    if checkpoint.exists():
        distillation.restore(checkpoint, settings)
        print(f"continuing from step {distillation.step}", flush=True)
    if options.export:
        export(distillation, [preprocess(crops(step)) for step in range(64)], options.export)
        return
    print(f"{len(train)} images to train on, {len(held_out)} held out", flush=True)
    if not checkpoint.exists():
        distillation.calibrate(crops(step) for step in range(CALIBRATED))
    rows = run_steps(
        distillation.train,
        lambda step: (crops(step),),
        start=distillation.step,
        stop=min(options.stop or options.steps, options.steps),
        every=options.every,
        evaluate=lambda: distillation.evaluate(tests(step) for step in range(EVALUATED)),
        save=lambda: distillation.save(checkpoint, settings),
        log=log,
    )
    for row in rows:
        losses = ((tap, *(float(row[f"held_out_{kind}_{tap}"]) for kind in ("residual", "gram"))) for tap in TAPS)
        shown = "  ".join(f"{tap} {residual:.3f}/{gram:.3f}" for tap, residual, gram in losses)
        print(f"step {row['step']}/{options.steps}  {float(row['seconds_per_step']):.2f} s  {shown}", flush=True)


def distillation_of(options: argparse.Namespace, preprocess: Callable[[tf.Tensor], tf.Tensor]) -> Distillation:
    """A new student and its teacher."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = VGG19Mini()
    keras.config.set_dtype_policy("float32")
    return Distillation(
        Backbone("VGG19", precision="bfloat16").extractor(TAPS),
        network,
        preprocess,
        TAPS,
        steps=options.steps,
        learning_rate=options.rate,
        gram_weight=options.gram_weight,
        optimized=options.optimized,
        side=options.side,
        seed=options.seed,
    )


def export(distillation: Distillation, batches: list[tf.Tensor], path: str) -> None:
    """Write the student's weights in float16, its activations normalized on batches of preprocessed images."""
    exact = VGG19Mini()
    distillation.finish(exact)
    normalize(exact, batches)
    keras.config.set_dtype_policy("float16")
    half = VGG19Mini()
    keras.config.set_dtype_policy("float32")
    half.set_weights(exact.get_weights())
    half.save_weights(path)
    print(f"{path}: {os.path.getsize(path):,} bytes")


def draw(log: Path, path: str) -> None:
    """Draw the held-out losses of each tap."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = read_log(log, sys.maxsize)
    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    titles = {"residual": "features: power left unexplained", "gram": "Gram matrices: variance left unexplained"}
    for panel, (kind, title) in zip(np.ravel(panels), titles.items(), strict=True):
        for tap in TAPS:
            losses = [float(row[f"held_out_{kind}_{tap}"]) for row in rows]
            panel.plot([int(row["step"]) for row in rows], losses, label=tap)
        panel.set(title=title, xlabel="step", ylabel="held-out images", ylim=(0, 1.2))
        panel.grid(alpha=0.3)
    panels[0].legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    sys.exit(main())
