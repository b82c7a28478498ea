"""Peak memory and seconds of steps on large pictures, in tiles and not, each in a process of its own.

    python benchmarks/memory.py [--sizes 4096,8192] [--against 1536] [--steps 2] [--precision auto]

Pictures are square samples. What is measured is the process's peak resident memory, with Python, TensorFlow, the
network's weights, the pictures, the targets, L-BFGS's pairs and the best picture, as `tfstyle transfer` has them.
At the size `--against`, steps in tiles are timed against steps on the whole picture, in turns. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="4096,8192")
    parser.add_argument("--against", type=int, default=1536)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--tile", type=int, help="side of the tiles; None for what `--tile auto` would choose")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # a job of this benchmark's own processes
    options = parser.parse_args()
    if options.one:
        print(json.dumps(alone(options) if options.one == "alone" else against(options)))
        return
    record = {"precision": options.precision, "sizes": [], "against": None}
    for size in filter(None, options.sizes.split(",")):
        record["sizes"].append(job("alone", ["--sizes", size], options))
    if options.against:
        record["against"] = job("against", [], options)
    print(json.dumps(record, indent=2))


def job(kind: str, arguments: list[str], options: argparse.Namespace) -> dict:
    """What a fresh process measures."""
    shared = ["--steps", str(options.steps), "--precision", options.precision, "--against", str(options.against)]
    shared += [] if options.tile is None else ["--tile", str(options.tile)]
    command = [sys.executable, __file__, "--one", kind, *shared, *arguments]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def made(size: int, tile: int | None, options: argparse.Namespace):
    """A compiled canvas of a square picture, as `tfstyle transfer` makes it, and its tile."""
    from tfstyle.core.runtime import import_tensorflow

    import_tensorflow(size * size)  # as `tfstyle transfer` does
    from tfstyle import images, samples
    from tfstyle.core.precision import faster
    from tfstyle.optimization import memory
    from tfstyle.pipelines import build, methods
    from tfstyle.pipelines.build import Branch

    precision = faster() if options.precision == "auto" else options.precision
    network = build.network("VGG19", "random", methods.get("gatys"), "max", precision, 0)
    network.normalize = False  # as with trained weights
    recipe = methods.get("gatys")
    if tile == 0:  # what little memory would ask for
        whole = build.objective([Branch(recipe, network)])
        tile = memory.tile(whole, size, size, memory.history(size, size, 20), 8 * 2**30)
    content = images.load(samples.content("astronaut"), (size, size))
    style = images.load(samples.style("impasto", 512), (size, size))
    canvas = build.compose([Branch(recipe, network)], content, [style], tile=tile)
    canvas.compile(build.optimizer(recipe, None, size, size, canvas.parameterization.smoothness))
    return canvas, precision


def alone(options: argparse.Namespace) -> dict:
    """Peak memory and seconds of a step in tiles."""
    size = int(options.sizes)
    canvas, precision = made(size, options.tile or 0, options)
    prepared = peak()
    began = time.perf_counter()
    canvas.fit(steps=1)
    first = time.perf_counter() - began
    began = time.perf_counter()
    if options.steps > 1:
        canvas.fit(steps=options.steps - 1, steps_per_epoch=options.steps - 1)
    return {
        "size": size,
        "precision": precision,
        "tile": canvas.objective.tile,
        "pairs": canvas.optimizer.history,
        "peak_gb_of_targets": round(prepared, 2),
        "peak_gb": round(peak(), 2),
        "seconds_of_first_step": round(first, 1),
        "seconds_of_others": round(time.perf_counter() - began, 1),
    }


def against(options: argparse.Namespace) -> dict:
    """Seconds of steps in tiles over seconds on the whole picture, where that fits."""
    size = options.against
    tiles = {"whole": None, "tiles": options.tile or 1024}
    canvases = {kind: made(size, tile, options)[0] for kind, tile in tiles.items()}
    seconds: dict[str, list[float]] = {kind: [] for kind in canvases}
    for turn in range(4):
        for kind, canvas in canvases.items():
            began = time.perf_counter()
            canvas.fit(steps=1)
            if turn:  # the first is traced
                seconds[kind].append(time.perf_counter() - began)
    medians = {kind: statistics.median(values) for kind, values in seconds.items()}
    ratio = medians["tiles"] / medians["whole"]
    return {"size": size, "tile": tiles["tiles"], **medians, "ratio": ratio}


def peak() -> float:
    """Of this process's resident memory, in GB (2^30 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
