"""Train `DepthMini` on made scenes, and write the weights that come with the package.

    python scripts/train_depthmini.py --run FOLDER [--pictures DIR ...] [--steps 900] [--export FILE.weights.h5]

The encoder is VGG19Mini's, as it comes with the package, and stays as it is. Parts of pictures are textures, beside
those that are made; of each folder the last tenth, sorted by name, is held out, for the scenes that are never trained
on and whose losses are logged as `held_out_...`. The run's folder gets `log.csv` and a checkpoint, from which the
same command goes on where it was stopped. `--export` writes float16 weights, and `--figure` draws the log.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle import Backbone, InputError, images
from tfstyle.core import files
from tfstyle.models.depth.depth_mini import SIDE, DepthMini, network
from tfstyle.training.crops import split
from tfstyle.training.depth_mini import Scenes, agreement, loss

TEXTURE = 192  # pixels of the longer side of pictures that textures are taken from
EVALUATED = 8  # batches of held-out scenes, always the same ones
HELD_OUT_SEED = 1_000_003  # of scenes that are never trained on
_WARMUP = 100  # steps, in which the rate rises
_LEAST_RATE = 0.02  # of the learning rate, which the cosine ends at


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path, metavar="FOLDER", help="of log and checkpoint")
    parser.add_argument("--pictures", nargs="+", default=[], metavar="DIR", help="for textures")
    parser.add_argument("--steps", type=int, default=900, help="length of the whole training (default: 900)")
    parser.add_argument("--stop", type=int, help="stop after this step, to go on later")
    parser.add_argument("--batch", type=int, default=8, help="scenes a step (default: 8)")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate (default: 0.002)")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints (default: 100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--export", metavar="FILE", help="only write the weights of the last checkpoint")
    parser.add_argument("--figure", metavar="FILE.png", help="only draw the log")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except InputError as error:
        print(f"train_depthmini: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> None:
    """Train, export or draw."""
    if options.figure:
        draw(options.run / "log.csv", options.figure)
        return
    options.run.mkdir(parents=True, exist_ok=True)
    folders = [split(folder) for folder in options.pictures]
    train, held_out = ([path for folder in folders for path in folder[i]] for i in (0, 1))
    settings = {name: getattr(options, name) for name in ("steps", "batch", "rate", "seed")}
    settings["pictures"] = hashlib.sha256("\n".join(path.name for path in train).encode()).hexdigest()
    training = Training(settings)
    checkpoint = options.run / "checkpoint.npz"
    if checkpoint.exists():
        training.restore(checkpoint)
        print(f"going on from step {training.step}", flush=True)
    if options.export:
        export(training, options.export)
        return
    print(f"textures from {len(train)} pictures, {len(held_out)} held out", flush=True)
    textures, others = ([images.load(path, TEXTURE).rgb for path in paths] for paths in (train, held_out))
    scenes = Scenes(SIDE, options.batch, options.seed, textures)
    tests = Scenes(SIDE, options.batch, HELD_OUT_SEED, others)
    fit(training, scenes, [tests(step) for step in range(EVALUATED)], min(options.stop or options.steps,
        options.steps), options.every, options.run)  # fmt: skip


class Training:
    """A network on its way: Adam, its learning rate falling as a cosine.

    Args:
        settings: Steps, highest learning rate and seed; and what else a checkpoint must agree with.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings, self.step = settings, 0
        keras.config.set_dtype_policy("mixed_bfloat16")
        self.network = network(seed=settings["seed"])
        keras.config.set_dtype_policy("float32")
        encoder = Backbone("VGG19Mini")
        taken = [layer for layer in self.network.layers if layer.name.startswith("block") and "_conv" in layer.name]
        for layer in taken:
            own = encoder._layers.get(f"{layer.name}_filters") or encoder._layers[layer.name]
            layer.set_weights(own.get_weights())
            layer.trainable = False
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, settings["steps"] - _WARMUP), alpha=_LEAST_RATE, warmup_target=settings["rate"],
            warmup_steps=_WARMUP,
        )  # fmt: skip
        self.optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)
        self.optimizer.build(self.network.trainable_variables)
        self._train, self.see = tf.function(self._train_eagerly), tf.function(self.network)

    def train(self, pictures: np.ndarray, truth: np.ndarray) -> float:
        """One step; its loss."""
        self.step += 1
        return float(self._train(tf.constant(pictures), tf.constant(truth)))

    def _train_eagerly(self, pictures: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = loss(truth, self.network(pictures, training=True)[..., 0])
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(value, variables), variables)
        return value

    def evaluate(self, batches: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """Loss and agreement, means over batches and scenes."""
        losses, rows = [], []
        for pictures, truth in batches:
            found = self.see(tf.constant(pictures))[..., 0]
            losses.append(float(loss(tf.constant(truth), found)))
            rows += [agreement(a, b) for a, b in zip(truth, found.numpy(), strict=True)]
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        return {"loss": float(np.mean(losses)), **means}

    def _state(self) -> list[Any]:
        return [*self.network.trainable_variables, *self.optimizer.variables]

    def save(self, path: Path) -> None:
        """Write a checkpoint, completely or not at all."""
        data = io.BytesIO()
        arrays: dict[str, Any] = {f"{i:04}": np.asarray(variable) for i, variable in enumerate(self._state())}
        np.savez(data, step=self.step, settings=json.dumps(self.settings, sort_keys=True), **arrays)
        files.atomic_write(path, data.getvalue())

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint; an `InputError` if it is of other settings."""
        with np.load(path, allow_pickle=False) as stored:
            if json.loads(str(stored["settings"])) != self.settings:
                raise InputError(f"{path} is of a training with other settings: give what it had, or another folder")
            for i, variable in enumerate(self._state()):
                variable.assign(stored[f"{i:04}"])
            self.step = int(stored["step"])


def fit(
    training: Training,
    scenes: Scenes,
    tests: Sequence[tuple[np.ndarray, np.ndarray]],
    steps: int,
    every: int,
    folder: Path,
) -> None:
    """Train up to a step; at intervals evaluate, log and save."""
    rows = read_log(folder / "log.csv", training.step)
    began, losses = time.perf_counter(), []
    for pictures, truth in ahead(scenes, training.step, steps):
        losses.append(training.train(pictures, truth))
        if training.step % every and training.step != steps:
            continue
        found = training.evaluate(tests)
        row = {"step": training.step, "seconds_per_step": (time.perf_counter() - began) / len(losses)}
        row |= {"loss": float(np.mean(losses)), **{f"held_out_{name}": value for name, value in found.items()}}
        rows.append({name: value if name == "step" else f"{value:.5g}" for name, value in row.items()})
        write_log(folder / "log.csv", rows)
        training.save(folder / "checkpoint.npz")
        print("  ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
        began, losses = time.perf_counter(), []


def ahead(scenes: Scenes, start: int, stop: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The scenes of each step, made while the steps before are computed."""
    with ThreadPoolExecutor(1) as maker:
        coming = [maker.submit(scenes, step) for step in range(start, min(start + 3, stop))]
        for step in range(start, stop):
            found = coming.pop(0).result()
            if step + 3 < stop:
                coming.append(maker.submit(scenes, step + 3))
            yield found


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


def export(training: Training, path: str) -> None:
    """Write the network's weights in float16."""
    half = network("float16")
    half.set_weights(training.network.get_weights())
    half.save_weights(path)
    DepthMini(path)  # it can be loaded
    print(f"{path}: {os.path.getsize(path):,} bytes")


def draw(log: Path, path: str) -> None:
    """Draw losses and agreement."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = read_log(log, sys.maxsize)
    steps = [int(row["step"]) for row in rows]
    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for name, label in (("loss", "trained on"), ("held_out_loss", "held out")):
        panels[0].plot(steps, [float(row[name]) for row in rows], label=label)
    panels[0].set(title="loss (Ranftl et al. 2020)", xlabel="step", ylim=(0, None))
    for name, label in (("correlation", "Pearson"), ("rank", "Spearman")):
        panels[1].plot(steps, [float(row[f"held_out_{name}"]) for row in rows], label=label)
    panels[1].set(title="inverse depth of held-out scenes: correlation", xlabel="step", ylim=(0, 1))
    for panel in panels:
        panel.grid(alpha=0.3)
        panel.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    sys.exit(main())
