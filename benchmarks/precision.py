"""Seconds and final float32 loss of transfer in bfloat16 against float32, in one process.

    TFSTYLE_WEIGHTS=FOLDER python benchmarks/precision.py CONTENT STYLE [--size 512] [--steps 100]

Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import time

from tfstyle import LBFGS, Backbone, images
from tfstyle.pipelines import methods
from tfstyle.pipelines.build import Branch, compose


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("content")
    parser.add_argument("style")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()

    pictures = [images.load(path, options.size) for path in (options.content, options.style)]
    canvases, seconds = {}, {}
    for precision in ("float32", "bfloat16"):
        backbone = Backbone("VGG19", precision=precision)
        canvas = compose([Branch(methods.get("gatys"), backbone)], pictures[0], pictures[1:])
        canvas.compile(LBFGS())
        canvas.fit(steps=1)  # traced outside the clock
        began = time.perf_counter()
        canvas.fit(steps=options.steps)
        seconds[precision] = time.perf_counter() - began
        canvases[precision] = canvas
    judge = canvases["float32"]
    losses = {}
    for precision, canvas in canvases.items():
        terms = judge.objective(canvas.picture[None], judge.targets)
        losses[precision] = float(sum(float(value[0]) for value in terms.values()))
    record = {
        "shape": list(judge.picture.shape[:2]),
        "steps": options.steps,
        "seconds": seconds,
        "float32_losses": losses,
        "seconds_ratio": seconds["bfloat16"] / seconds["float32"],
        "loss_ratio": losses["bfloat16"] / losses["float32"],
    }
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
