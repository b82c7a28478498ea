"""Seconds per step of a canvas under `fit` against a hand-written `tf.function` loop on the same objective.

    TFSTYLE_WEIGHTS=FOLDER python benchmarks/step_time.py [--size 512] [--steps 20] [--rounds 5]

Both take Adam steps, in turns in one process; the ratio is that of the medians. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from tfstyle import Backbone, Canvas, methods, samples
from tfstyle.composing import ADAM_RATE, compose


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    backbone = Backbone("VGG19")
    method = methods.get("gatys").adapted(backbone.name, backbone.trained)
    pictures = samples.content("astronaut"), samples.style("impasto", options.size)
    size = (options.size, options.size)
    canvas = compose(method, backbone, tf.image.resize(pictures[0], size).numpy().clip(0, 1), pictures[1:])
    canvas.compile(keras.optimizers.Adam(ADAM_RATE))
    loop = by_hand(canvas)

    canvas.fit(steps=1)
    loop(1)
    seconds: dict[str, list[float]] = {"fit": [], "by_hand": []}
    for _ in range(options.rounds):
        for name, run in (("by_hand", loop), ("fit", lambda n: canvas.fit(steps=n, steps_per_epoch=n))):
            began = time.perf_counter()
            run(options.steps)
            seconds[name].append((time.perf_counter() - began) / options.steps)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    record = {"size": options.size, "steps": options.steps, "rounds": options.rounds, "seconds_per_step": medians}
    print(json.dumps({**record, "ratio": medians["fit"] / medians["by_hand"], "all": seconds}, indent=2))


def by_hand(canvas: Canvas) -> Callable[[int], None]:
    """What one would write without a canvas: a variable, a tape, Adam and a clip."""
    pixels = tf.Variable(canvas.pixels.numpy())
    optimizer = keras.optimizers.Adam(ADAM_RATE)
    optimizer.build([pixels])

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            terms = canvas.objective(pixels, canvas.targets)
            loss = tf.add_n([tf.reduce_sum(term) for term in terms.values()])
        optimizer.apply([tape.gradient(loss, pixels)], [pixels])
        pixels.assign(tf.clip_by_value(pixels, 0.0, 1.0))
        return loss

    def run(steps: int) -> None:
        for _ in range(steps):
            float(step())

    return run


if __name__ == "__main__":
    main()
