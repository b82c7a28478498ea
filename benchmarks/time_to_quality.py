"""Seconds until `tfstyle` reaches the loss that Adam reaches in 500 steps, in one process.

    TFSTYLE_WEIGHTS=FOLDER python benchmarks/time_to_quality.py CONTENT STYLE [CONTENT STYLE ...]
        [--size 512] [--steps 500] [--ours 150] [--plot FILE.png]

Ours is what `tfstyle transfer` does by default: its method, optimizer and precision, in one `fit`. The baselines are
loops by hand on the same objective, in float32, from the content picture, clipped to [0, 1] after each step: Adam
as TensorFlow's tutorial sets it, and Adam at 10/255 with Keras' other defaults. All take their steps in turns, so
that noise of the machine hits all alike. After each turn, and outside the clock, the picture is rounded to 8 bits
and its loss taken in float32.

Seconds are those of optimisation: what the first step takes longer than the second is `tracing`, which is left out
of `ratio` and counted in `ratio_with_tracing`. Ratios are a baseline's seconds to ours: to its last loss, and to its
best one, since Adam may climb again; null where ours doesn't come so far. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle import Backbone, Canvas, images
from tfstyle.core.precision import faster
from tfstyle.optimization.parameterization import Pixels
from tfstyle.pipelines import methods
from tfstyle.pipelines.build import ADAM_RATE, Branch, compose, optimizer

ADAMS = {
    "tutorial": {"learning_rate": 0.02, "beta_1": 0.99, "epsilon": 0.1},
    "adam": {"learning_rate": ADAM_RATE},
}
OURS = "tfstyle"
TURN = 2  # of our steps; the baselines' are as much longer as they have more of them
RATIOS = ("ratio", "ratio_with_tracing", "ratio_to_best")
COLORS = dict(zip((OURS, *ADAMS), ("tab:red", "tab:blue", "tab:gray"), strict=True))


class Run:
    """One run's clock, and its losses: (steps, seconds, float32 loss of the 8-bit picture) after each turn."""

    def __init__(self, loss: float) -> None:
        self.points = [(0, 0.0, loss)]
        self.tracing = 0.0

    def add(self, steps: int, seconds: float, loss: float) -> None:
        before = self.points[-1]
        if before[0] == 1:  # the second turn is one step too, and says what the first would have taken untraced
            self.tracing = before[1] - seconds
            before = self.points[-1] = (1, seconds, before[2])
        self.points.append((before[0] + steps, before[1] + seconds, loss))

    def reaches(self, loss: float) -> tuple[int, float] | None:
        """Steps and seconds until a loss is first seen."""
        return next(((steps, seconds) for steps, seconds, seen in self.points if seen <= loss), None)

    def record(self) -> dict[str, Any]:
        return {"tracing": self.tracing, "points": self.points}


class Turns(keras.callbacks.Callback):
    """Stops our clock every few steps to look at our picture, and lets the baselines take theirs."""

    def __init__(self, run: Run, loss: Callable[[Any], float], others: Callable[[int], None]) -> None:
        super().__init__()
        self.run, self.loss, self.others = run, loss, others

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.done, self.last = 0, self.params["epochs"] * self.params["steps"]
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        steps = self.model.steps_done - self.done
        if 2 < self.model.steps_done < self.last and steps < TURN:
            return
        seconds = time.perf_counter() - self.began
        self.run.add(steps, seconds, self.loss(self.model.picture[None]))
        self.done += steps
        self.others(self.done)
        self.began = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", help="content and style, any number of times")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=500, help="of the baselines")
    parser.add_argument("--ours", type=int, default=150, help="steps of ours")
    parser.add_argument("--plot", help="PNG of loss against seconds")
    options = parser.parse_args()
    if len(options.pictures) % 2:
        parser.error("give a style for each content")

    precision = faster()
    backbones = {p: Backbone("VGG19", precision=p) for p in ("float32", precision)}
    pairs = list(zip(options.pictures[::2], options.pictures[1::2], strict=True))
    races = [race(images.load(c, options.size), images.load(s, options.size), backbones, precision, options)
             for c, s in pairs]  # fmt: skip
    if options.plot:
        plot(options.plot, pairs, races)
    compared = [{name: compare(runs[OURS], runs[name]) for name in ADAMS} for runs in races]
    record = {
        "size": options.size,
        "precision": precision,
        "optimizer": default_optimizer(options.size, options.size).get_config(),
        "median": {name: {key: median(pair[name][key] for pair in compared) for key in RATIOS} for name in ADAMS},
        "pairs": [
            {"content": content, "style": style, "against": against}
            for (content, style), against in zip(pairs, compared, strict=True)
        ],
        "runs": [{name: run.record() for name, run in runs.items()} for runs in races],
    }
    print(json.dumps(record, indent=2, default=str))


def race(content: Any, style: Any, backbones: dict[str, Backbone], precision: str, options: Any) -> dict[str, Run]:
    """All runs of one pair, by name."""
    method = methods.get("gatys")
    judge = compose([Branch(method, backbones["float32"])], content, [style])
    ours = compose([Branch(method, backbones[precision])], content, [style])

    @tf.function
    def exactly(pixels: tf.Tensor) -> tf.Tensor:
        return tf.add_n([tf.reduce_sum(term) for term in judge.objective(pixels, judge.targets).values()])

    def loss(pixels: np.ndarray) -> float:
        return float(exactly(tf.constant(np.round(pixels * 255) / 255, tf.float32)))

    runs = {name: Run(loss(ours.pixels.numpy())) for name in (OURS, *ADAMS)}
    loops = {name: by_hand(judge, keras.optimizers.Adam(**settings)) for name, settings in ADAMS.items()}

    def others(done: int) -> None:
        """Bring the baselines to where they should be when ours has done some steps."""
        target = done if done <= 2 else max(2, options.steps * done // options.ours)
        for name, loop in loops.items():
            steps = target - runs[name].points[-1][0]
            if steps > 0:
                began = time.perf_counter()
                pixels = loop(steps)
                seconds = time.perf_counter() - began
                runs[name].add(steps, seconds, loss(pixels))

    ours.compile(default_optimizer(*content.rgb.shape[:2]))
    ours.fit(steps=options.ours, callbacks=[Turns(runs[OURS], loss, others)])
    return runs


def default_optimizer(height: int, width: int) -> keras.optimizers.Optimizer:
    """That of `tfstyle transfer`."""
    return optimizer(methods.get("gatys"), None, height, width, Pixels.smoothness)


def by_hand(canvas: Canvas, adam: keras.optimizers.Optimizer) -> Callable[[int], np.ndarray]:
    """The tutorial's loop: a variable, a tape, Adam and a clip; takes steps and returns the picture."""
    pixels = tf.Variable(canvas.pixels.numpy())
    adam.build([pixels])

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_sum(term) for term in canvas.objective(pixels, canvas.targets).values()])
        adam.apply([tape.gradient(loss, pixels)], [pixels])
        pixels.assign(tf.clip_by_value(pixels, 0.0, 1.0))

    def run(steps: int) -> np.ndarray:
        for _ in range(steps):
            step()
        return pixels.numpy()

    return run


def compare(ours: Run, theirs: Run) -> dict[str, Any]:
    """How many times sooner ours has the baseline's last loss, and its best."""
    best = min(theirs.points, key=lambda point: point[2])
    steps, seconds, loss = theirs.points[-1]
    there, there_best = ours.reaches(loss), ours.reaches(best[2])
    return {
        "loss": loss,
        "steps": steps,
        "seconds": seconds,
        "our_steps": there and there[0],
        "our_seconds": there and there[1],
        "ratio": there and seconds / there[1],
        "ratio_with_tracing": there and (seconds + theirs.tracing) / (there[1] + ours.tracing),
        "best_loss": best[2],
        "ratio_to_best": there_best and best[1] / there_best[1],
    }


def median(ratios: Any) -> float | None:
    """The median, where what was never reached counts as 0; None if that is it."""
    return statistics.median([ratio or 0.0 for ratio in ratios]) or None


def plot(path: str, pairs: list[tuple[str, str]], races: list[dict[str, Run]]) -> None:
    """Loss against seconds, one panel a pair."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(races), figsize=(5 * len(races), 4), squeeze=False, layout="constrained")
    for panel, (content, style), runs in zip(panels[0], pairs, races, strict=True):
        for name, run in runs.items():
            _, seconds, losses = zip(*run.points, strict=True)
            panel.plot(seconds[1:], losses[1:], label=name, color=COLORS[name])
        names = (path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] for path in (content, style))
        panel.set(xscale="log", yscale="log", xlabel="seconds", ylabel="float32 loss", title=" × ".join(names))
        panel.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
