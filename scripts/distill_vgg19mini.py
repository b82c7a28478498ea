"""Train `VGG19Mini` on the features of VGG19, and write the weights that come with the package.

    TFSTYLE_WEIGHTS=FOLDER python scripts/distill_vgg19mini.py --pictures DIR ... --run FOLDER
        [--steps 3600] [--export FILE.weights.h5]

Of each folder of pictures the last tenth, sorted by name, is held out: never trained on, only for the losses that
are logged as `held_out_...`. The run's folder gets `log.csv` and a checkpoint, from which the same command goes on
exactly where it was stopped, as if it had not been. `--export` writes float16 weights, activations normalised, from
the last checkpoint, also of an unfinished training; `--figure` draws the log.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfstyle import Backbone, InputError
from tfstyle.core import files
from tfstyle.features.vgg19mini import TAPS, VGG19Mini
from tfstyle.layers import Preprocessing
from tfstyle.training.crops import Crops, split
from tfstyle.training.distillation import Distillation, normalize

EVALUATED = 8  # batches of held-out crops, always the same ones
CALIBRATED = 24  # batches of training crops


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--run", required=True, type=Path, metavar="FOLDER", help="of log and checkpoint")
    parser.add_argument("--steps", type=int, default=3600, help="length of the whole training (default: 3600)")
    parser.add_argument("--stop", type=int, help="stop after this step, to go on later")
    parser.add_argument("--batch", type=int, default=10, help="crops a step, besides paintings (default: 10)")
    parser.add_argument("--paintings", type=int, default=2, help="default: 2")
    parser.add_argument("--side", type=int, default=128, help="of crops, in pixels (default: 128)")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate (default: 0.002)")
    parser.add_argument("--gram-weight", type=float, default=0.1, help="default: 0.1")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints (default: 100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--export", metavar="FILE", help="only write the weights of the last checkpoint")
    parser.add_argument("--figure", metavar="FILE.png", help="only draw the log")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except InputError as error:
        print(f"distill_vgg19mini: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> None:
    """Train, or export."""
    if options.figure:
        draw(options.run / "log.csv", options.figure)
        return
    options.run.mkdir(parents=True, exist_ok=True)
    folders = [split(folder) for folder in options.pictures]
    train, held_out = ([path for folder in folders for path in folder[i]] for i in (0, 1))
    crops = Crops(train, options.side, options.batch, options.seed)
    tests = Crops(held_out, options.side, options.batch, options.seed)
    settings = {
        name: getattr(options, name)
        for name in ("steps", "batch", "paintings", "side", "rate", "gram_weight", "seed")
    }
    settings["pictures"] = crops.known_by

    preprocess = Preprocessing("VGG19", dtype="float32")
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = VGG19Mini()
    keras.config.set_dtype_policy("float32")
    distillation = Distillation(
        Backbone("VGG19", precision="bfloat16").extractor(TAPS),
        network,
        preprocess,
        TAPS,
        steps=options.steps,
        learning_rate=options.rate,
        gram_weight=options.gram_weight,
        paintings=options.paintings,
        side=options.side,
        seed=options.seed,
    )
    checkpoint = options.run / "checkpoint.npz"
    if checkpoint.exists():
        distillation.restore(checkpoint, settings)
        print(f"going on from step {distillation.step}", flush=True)
    if options.export:
        export(distillation, [preprocess(crops(step)) for step in range(64)], options.export)
        return
    print(f"{len(train)} pictures to train on, {len(held_out)} held out", flush=True)
    if not checkpoint.exists():
        distillation.calibrate(crops(step) for step in range(CALIBRATED))
    fit(distillation, crops, tests, min(options.stop or options.steps, options.steps), options.every,
        lambda: distillation.save(checkpoint, settings), options.run / "log.csv")  # fmt: skip


def fit(
    distillation: Distillation,
    crops: Callable[[int], np.ndarray],
    tests: Callable[[int], np.ndarray],
    steps: int,
    every: int,
    save: Callable[[], None],
    log: Path,
) -> None:
    """Train up to a step; at intervals evaluate, log and save."""
    rows = read_log(log, distillation.step)
    began, losses = time.perf_counter(), []
    for pictures in ahead(crops, distillation.step, steps):
        losses.append(distillation.train(pictures))
        if distillation.step % every and distillation.step != steps:
            continue
        row = {"step": distillation.step, "seconds_per_step": (time.perf_counter() - began) / len(losses)}
        row |= {name: float(np.mean([each[name] for each in losses])) for name in losses[0]}
        held_out = distillation.evaluate(tests(step) for step in range(EVALUATED))
        row |= {f"held_out_{name}": loss for name, loss in held_out.items()}
        rows.append({name: value if name == "step" else f"{value:.5g}" for name, value in row.items()})
        write_log(log, rows)
        save()
        shown = "  ".join(f"{tap} {held_out[f'residual_{tap}']:.3f}/{held_out[f'gram_{tap}']:.3f}" for tap in TAPS)
        print(f"step {row['step']}/{steps}  {row['seconds_per_step']:.2f} s  {shown}", flush=True)
        began, losses = time.perf_counter(), []


def ahead(crops: Callable[[int], np.ndarray], start: int, stop: int) -> Iterator[np.ndarray]:
    """The crops of each step, read while the step before is computed."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(crops, start)
        for step in range(start, stop):
            pictures = coming.result()
            if step + 1 < stop:
                coming = reader.submit(crops, step + 1)
            yield pictures


def read_log(path: Path, step: int) -> list[dict[str, str]]:
    """The rows up to a step."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["step"]) <= step]


def write_log(path: Path, rows: list[dict[str, str]]) -> None:
    """All rows, completely or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.atomic_write(path, text.getvalue().encode())


def export(distillation: Distillation, batches: list[tf.Tensor], path: str) -> None:
    """Write the student's weights in float16, its activations normalised on batches of preprocessed pictures."""
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
    for panel, (kind, title) in zip(panels, titles.items(), strict=True):
        for tap in TAPS:
            losses = [float(row[f"held_out_{kind}_{tap}"]) for row in rows]
            panel.plot([int(row["step"]) for row in rows], losses, label=tap)
        panel.set(title=title, xlabel="step", ylabel="held-out pictures", ylim=(0, 1.2))
        panel.grid(alpha=0.3)
    panels[0].legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    sys.exit(main())
