"""Final loss of `tfstyle.LBFGS` against SciPy's L-BFGS-B on the same objective, in the same process.

    TFSTYLE_WEIGHTS=FOLDER python benchmarks/lbfgs_against_scipy.py CONTENT STYLE [--size 256] [--evaluations 150]

Both keep pixels in [0, 1] and begin with the content picture. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import scipy.optimize
import tensorflow as tf

from tfstyle import LBFGS, Backbone, Canvas, images
from tfstyle.pipelines import methods
from tfstyle.pipelines.build import Branch, compose


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("content")
    parser.add_argument("style")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--evaluations", type=int, default=150)
    options = parser.parse_args()

    backbone = Backbone("VGG19")
    method = methods.get("gatys").adapted(backbone.name, backbone.trained)
    pictures = [images.load(path, options.size) for path in (options.content, options.style)]
    ours = compose([Branch(method, backbone)], pictures[0], pictures[1:])
    start = ours.pixels.numpy()
    began = time.perf_counter()
    ours.compile(LBFGS())
    ours.fit(steps=options.evaluations)
    seconds = time.perf_counter() - began
    reached = min(ours.step_log["loss"])  # without the closing evaluation, which SciPy hasn't
    theirs, their_seconds = scipys(ours, start, options.evaluations)
    record = {
        "weights": backbone.weights_record,
        "shape": list(start.shape[1:3]),
        "evaluations": options.evaluations,
        "start": ours.step_log["loss"][0],
        "tfstyle": reached,
        "scipy": theirs,
        "ratio": reached / theirs,
        "tfstyle_seconds": seconds,
        "scipy_seconds": their_seconds,
    }
    print(json.dumps(record, indent=2))


def scipys(canvas: Canvas, start: np.ndarray, evaluations: int) -> tuple[float, float]:
    """The best loss that SciPy reaches within a number of evaluations, and the seconds it takes."""
    best = np.inf

    @tf.function
    def evaluate(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            terms = canvas.objective(pixels, canvas.targets)
            loss = tf.add_n([tf.reduce_sum(term) for term in terms.values()])
        return loss, tape.gradient(loss, pixels)

    def function(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best
        loss, gradient = evaluate(tf.constant(flat.reshape(start.shape), tf.float32))
        best = min(best, float(loss))
        return float(loss), gradient.numpy().ravel().astype("float64")

    began = time.perf_counter()
    scipy.optimize.minimize(
        function,
        start.ravel().astype("float64"),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, 1)] * start.size,
        options={"maxcor": 20, "maxfun": evaluations, "maxiter": evaluations, "ftol": 0, "gtol": 0},
    )
    return best, time.perf_counter() - began


if __name__ == "__main__":
    main()
