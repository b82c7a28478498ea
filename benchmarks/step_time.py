"""Seconds per step of a canvas under `fit` against a hand-written `tf.function` loop on the same objective.

    TFSTYLE_WEIGHTS=FOLDER python benchmarks/step_time.py [--size 512] [--steps 20] [--rounds 5] [--precision float32]

Both take Adam steps, in turns in one process; the ratio is that of the medians. How near the limit a step is: its
floating-point operations, of the convolutions and Gram matrices and their gradients, over its seconds, over the rate
of matrix products of 2048 x 2048 numbers, which is measured in the same turns. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from tfstyle import Backbone, Canvas, samples
from tfstyle.pipelines import methods
from tfstyle.pipelines.build import ADAM_RATE, Branch, compose


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    options = parser.parse_args()

    backbone = Backbone("VGG19", precision=options.precision)
    method = methods.get("gatys").adapted(backbone.name, backbone.trained)
    pictures = samples.content("astronaut"), samples.style("impasto", options.size)
    size = (options.size, options.size)
    canvas = compose([Branch(method, backbone)], tf.image.resize(pictures[0], size).numpy().clip(0, 1), pictures[1:])
    canvas.compile(keras.optimizers.Adam(ADAM_RATE))
    loop = by_hand(canvas)

    canvas.fit(steps=1)
    loop(1)
    seconds: dict[str, list[float]] = {"fit": [], "by_hand": []}
    rates = []
    for _ in range(options.rounds):
        rates.append(matrix_rate(options.precision))
        for name, run in (("by_hand", loop), ("fit", lambda n: canvas.fit(steps=n, steps_per_epoch=n))):
            began = time.perf_counter()
            run(options.steps)
            seconds[name].append((time.perf_counter() - began) / options.steps)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    work, rate = operations(backbone, canvas), statistics.median(rates)
    record = {
        "size": options.size,
        "steps": options.steps,
        "rounds": options.rounds,
        "precision": options.precision,
        "seconds_per_step": medians,
        "ratio": medians["fit"] / medians["by_hand"],
        "gflop_per_step": work / 1e9,
        "gflops_of_fit": work / medians["fit"] / 1e9,
        "gflops_of_matrix_products": rate / 1e9,
        "of_the_limit": work / medians["fit"] / rate,
    }
    print(json.dumps({**record, "all": seconds}, indent=2))


def matrix_rate(dtype: str, side: int = 2048) -> float:
    """Floating-point operations a second of matrix products."""
    a, b = (tf.cast(tf.random.stateless_normal((side, side), (0, seed)), dtype) for seed in (0, 1))
    product = tf.function(tf.matmul)
    product(a, b)
    began = time.perf_counter()
    for _ in range(4):
        product(a, b)[0, 0].numpy()
    return 4 * 2 * side**3 / (time.perf_counter() - began)


def operations(backbone: Backbone, canvas: Canvas) -> int:
    """Floating-point operations of a step: convolutions, Gram matrices, and the gradients of both."""
    pictures = canvas.pixels.numpy()
    layers = [layer for layer in backbone.layer_names if "conv" in layer]
    layers = layers[: layers.index(backbone.style_layers[-1]) + 1]
    total = 0
    for layer, features in backbone(pictures, layers).items():
        _, height, width, channels = features.shape
        kernel = backbone.extractor(layers).layers[-1].get_layer(layer).kernel
        total += 2 * math.prod(kernel.shape) * height * width * 2  # and as many for the gradient of its input
        if layer in backbone.style_layers:
            total += 2 * channels**2 * height * width * 2  # FᵀF, and F times the gradient of that
    return total


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
