"""Train `DepthMini` on rendered scenes, and write the weights that come with the package.

    python scripts/train_depthmini.py --run FOLDER [--pictures DIR ...] [--steps 900] [--export FILE.weights.h5]

The encoder is VGG19Mini's, as it comes with the package, and stays as it is. Parts of the images are textures, beside
procedural ones; of each folder the last tenth, sorted by name, is held out, for the scenes that are never trained on
and whose losses are logged as `held_out_...`. The run's folder gets `log.csv` and a checkpoint, from which the same
command continues after a break. `--export` writes float16 weights, and `--figure` draws the log.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle import Backbone, InputError, images
from tfstyle.models.depth.depth_mini import SIDE, DepthMini, network
from tfstyle.training.crops import split_folders
from tfstyle.training.depth_mini import Scenes, agreement, loss
from tfstyle.training.steps import read_log, restore_checkpoint, run_steps, save_checkpoint

TEXTURE = 192  # longer side of the images that textures are taken from, in pixels
EVALUATED = 8  # batches of held-out scenes, the same ones each time
HELD_OUT_SEED = 1_000_003  # seed of scenes that are never trained on
AHEAD = 3  # batches that are rendered while a step is computed
_WARMUP = 100  # steps over which the learning rate rises
_FINAL_RATE = 0.02  # learning rate at the end of the cosine, as a share of the highest


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--run", required=True, type=Path, metavar="FOLDER", help="folder of log and checkpoint")
    add("--pictures", nargs="+", default=[], metavar="DIR", help="folders of images for textures")
    add("--steps", type=int, default=900, help="steps of the whole training (default: %(default)s)")
    add("--stop", type=int, help="stop after this step, to continue later")
    add("--batch", type=int, default=8, help="scenes per step (default: %(default)s)")
    add("--rate", type=float, default=2e-3, help="highest learning rate (default: %(default)s)")
    add("--every", type=int, default=100, help="steps between checkpoints (default: %(default)s)")
    add("--seed", type=int, default=0, help="seed of initial weights and scenes (default: %(default)s)")
    add("--export", metavar="FILE", help="only write the weights of the last checkpoint")
    add("--figure", metavar="FILE.png", help="only draw the log")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except InputError as error:
        print(f"train_depthmini: {error}", file=sys.stderr)
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
    settings: dict[str, Any] = {name: getattr(options, name) for name in ("steps", "batch", "rate", "seed")}
    settings["pictures"] = hashlib.sha256("\n".join(path.name for path in train).encode()).hexdigest()
    training = Training(settings)
    if checkpoint.exists():
        training.restore(checkpoint)
        print(f"continuing from step {training.step}", flush=True)
    if options.export:
        export(training, options.export)
        return
    print(f"textures from {len(train)} images, {len(held_out)} held out", flush=True)
    textures, held_out_textures = ([images.load(path, TEXTURE).rgb for path in paths] for paths in (train, held_out))
    scenes = Scenes(SIDE, options.batch, options.seed, textures)
    held_out_scenes = Scenes(SIDE, options.batch, HELD_OUT_SEED, held_out_textures)
    tests = [held_out_scenes(step) for step in range(EVALUATED)]
    rows = run_steps(
        training.train,
        scenes,
        start=training.step,
        stop=min(options.stop or options.steps, options.steps),
        every=options.every,
        evaluate=lambda: training.evaluate(tests),
        save=lambda: training.save(checkpoint),
        log=log,
        ahead=AHEAD,
    )
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)


class Training:
    """A network in training by Adam, whose learning rate falls as a cosine.

    Args:
        settings: Steps, highest learning rate and seed; and all else that a continued training must share.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings, self.step = settings, 0
        keras.config.set_dtype_policy("mixed_bfloat16")
        self.network = network(seed=settings["seed"])
        keras.config.set_dtype_policy("float32")
        encoder = Backbone("VGG19Mini")
        frozen = [layer for layer in self.network.layers if layer.name.startswith("block") and "_conv" in layer.name]
        for layer in frozen:
            source = encoder._layers.get(f"{layer.name}_filters") or encoder._layers[layer.name]
            layer.set_weights(source.get_weights())
            layer.trainable = False
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, settings["steps"] - _WARMUP), alpha=_FINAL_RATE, warmup_target=settings["rate"],
            warmup_steps=_WARMUP,
        )  # fmt: skip
        self.optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)
        self.optimizer.build(self.network.trainable_variables)
        self._compiled_step, self.predict = tf.function(self._train_step), tf.function(self.network)

    def train(self, pictures: np.ndarray, truth: np.ndarray) -> dict[str, float]:
        """Make one step; its loss."""
        self.step += 1
        return {"loss": float(self._compiled_step(tf.constant(pictures), tf.constant(truth)))}

    def _train_step(self, pictures: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = loss(truth, self.network(pictures, training=True)[..., 0])
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(value, variables), variables)
        return value

    def evaluate(self, batches: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """Loss and agreement, means over batches and scenes."""
        losses, rows = [], []
        for pictures, truth in batches:
            predicted = self.predict(tf.constant(pictures))[..., 0]
            losses.append(float(loss(tf.constant(truth), predicted)))
            rows += [agreement(a, b) for a, b in zip(truth, predicted.numpy(), strict=True)]
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        return {"loss": float(np.mean(losses)), **means}

    def _state(self) -> list[Any]:
        return [*self.network.trainable_variables, *self.optimizer.variables]

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        save_checkpoint(path, self._state(), self.step, self.settings)

    def restore(self, path: Path) -> None:
        """Continue from a checkpoint; an `InputError` if it belongs to other settings."""
        self.step = restore_checkpoint(path, self._state(), self.settings)


def export(training: Training, path: str) -> None:
    """Write the network's weights in float16."""
    half = network("float16")
    half.set_weights(training.network.get_weights())
    half.save_weights(path)
    DepthMini(path)  # see that it can be loaded
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
