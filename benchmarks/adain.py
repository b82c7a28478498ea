"""The embedded AdaIN: its time against PyTorch's at the paper's size, and its quality on held-out pairs.

    TFSTYLE_WEIGHTS=FOLDER python benchmarks/adain.py --contents DIR ... --styles DIR ...
        [--model embedded|PATH] [--pairs 20] [--size 256] [--steps 300] [--optimized N] [--sheet FILE.png [--private]]

`seconds` is of one picture of 512x512 pixels in a style of 512x512, both encoded, after a first call: of `stylize`,
and, if PyTorch is installed, of a VGG19-sized network in the same run, in turns. `load_seconds` is of loading the
model in a process that has imported TensorFlow.

Pairs are as in `embedded.py`. `distance` (the mean over layers) and `pooled` are measured with VGG19 on the picture
rounded to 8 bits, where the photograph itself has 1; `ssim` is to the photograph. Beside it, for the first N pairs,
is what 300 steps of `tfstyle transfer` with VGG19 reach. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from held_out import chosen, distances, pairs

import tfstyle
from tfstyle import Backbone, images, models
from tfstyle.core.precision import faster
from tfstyle.evaluation.metrics import ssim
from tfstyle.images.grids import Cell, grid, save

try:
    from torch_adain import TorchAdaIN
except ImportError:
    TorchAdaIN = None

SIDE, TURNS = 512, 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contents", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--styles", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--size", type=int, default=256, help="longer side, in pixels")
    parser.add_argument("--steps", type=int, default=300, help="of the optimisation")
    parser.add_argument("--optimized", type=int, default=0, metavar="N", help="pairs to optimise, too")
    parser.add_argument("--sheet", metavar="FILE.png", help="where five contents in five styles are put")
    parser.add_argument("--private", action="store_true", help="leave contents and styles out of the sheet")
    options = parser.parse_args()

    began = time.perf_counter()
    model = models.load(options.model)
    record: dict[str, Any] = {"model": options.model, "load_seconds": time.perf_counter() - began, **speed(model)}
    if options.sheet:
        save(sheet(model, options), options.sheet)
    judge = Backbone("VGG19", precision="float32")
    rows = []
    for number, (content, style) in enumerate(pairs(options.contents, options.styles, options.pairs)):
        photo, painting = images.load(content, options.size).rgb, images.load(style, options.size).rgb
        row: dict[str, Any] = {"content": content.name, "style": style.name}
        row["adain"] = judged(judge, photo, painting, model.stylize(photo, painting))
        if number < options.optimized:
            row["optimized"] = judged(judge, photo, painting, optimized(content, style, options))
        rows.append(row)
    for kind in ("adain", "optimized"):
        found = [row[kind] for row in rows if kind in row]
        if found:
            record[kind] = {
                key: statistics.median(row[key] for row in found) for key in ("distance", "pooled", "ssim")
            }
    print(json.dumps({**record, "size": options.size, "pairs": rows}, indent=2))


def speed(model: Any) -> dict[str, Any]:
    """Median seconds of one picture, by ours and by PyTorch in turns, and their ratio."""
    random = np.random.default_rng(0)
    content, style = (random.random((SIDE, SIDE, 3), np.float32) for _ in range(2))
    calls = {"tfstyle": lambda: model.stylize(content, style)}
    if TorchAdaIN is not None:
        torch = TorchAdaIN()
        planes = [np.ascontiguousarray(picture.transpose(2, 0, 1)[None]) for picture in (content, style)]
        calls["torch"] = lambda: torch.stylize(*planes)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(TURNS + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - began)
    seconds = {name: statistics.median(found) for name, found in times.items()}
    ratio = {"ratio": seconds["tfstyle"] / seconds["torch"]} if "torch" in seconds else {}
    return {"seconds": seconds, **ratio}


def optimized(content: Path, style: Path, options: argparse.Namespace) -> np.ndarray:
    """What `tfstyle transfer` makes of a pair."""
    return tfstyle.transfer(
        content, style, backbone=Backbone("VGG19", precision=faster()), size=options.size, steps=options.steps,
        progress=False,
    ).image  # fmt: skip


def judged(judge: Backbone, photo: np.ndarray, painting: np.ndarray, picture: np.ndarray) -> dict[str, Any]:
    """Style reached and content kept."""
    picture = np.round(picture * 255) / 255
    return {**distances(judge, photo, painting, picture), "ssim": ssim(photo, picture)}


def sheet(model: Any, options: argparse.Namespace) -> np.ndarray:
    """Five held-out contents in five held-out styles."""
    contents, styles = (
        [images.load(path, options.size).rgb for path in chosen(folders, 5)]
        for folders in (options.contents, options.styles)
    )
    painted = [[Cell(model.stylize(photo, style)) for style in styles] for photo in contents]
    if options.private:
        return grid(painted, gap=6)
    rows = [[Cell(photo), *cells] for photo, cells in zip(contents, painted, strict=True)]
    return grid([[None, *map(Cell, styles)], *rows], gap=6)


if __name__ == "__main__":
    main()
