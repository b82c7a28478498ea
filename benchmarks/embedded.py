"""`tfstyle transfer` with the embedded `VGG19Mini` against VGG19: style reached, content kept, and time.

    TFSTYLE_WEIGHTS=FOLDER python benchmarks/embedded.py --contents DIR ... --styles DIR ...
        [--pairs 10] [--steps 300] [--size 256] [--weights FILE] [--content-weight W] [--output FOLDER]

Pairs are made of pictures from the last tenth of each folder, which `VGG19Mini` was not trained on: contents and
styles from the folders in turns. Each pair is painted with both networks, each the first of every second pair, with
the default recipe of `tfstyle transfer`.

`distance` is measured with VGG19 in float32, on the picture rounded to 8 bits: at each of the five default style
layers the squared difference of Gram matrices to the style's, over that of the photograph, averaged over the layers.
`pooled` is the sum of all layers' differences over that of the photograph's. `ratio` is of seconds: of optimisation,
and of the whole call, in which the step is traced, but the network was built before. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from held_out import distances, pairs

import tfstyle
from tfstyle import Backbone, images
from tfstyle.core.precision import faster
from tfstyle.evaluation.metrics import ssim

MINI, VGG = "VGG19Mini", "VGG19"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contents", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--styles", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--size", type=int, default=256, help="longer side, in pixels")
    parser.add_argument("--weights", help="file of VGG19Mini's weights (default: the embedded ones)")
    parser.add_argument("--content-weight", type=float, help="with VGG19Mini (default: that of `tfstyle transfer`)")
    parser.add_argument("--without-vgg", action="store_true", help="paint with VGG19Mini only")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where pictures are put")
    options = parser.parse_args()

    precision = faster()
    networks = {MINI: Backbone(MINI, options.weights, precision=precision)}
    if not options.without_vgg:
        networks[VGG] = Backbone(VGG, precision=precision)
    judge = Backbone(VGG, precision="float32")
    found_pairs = []
    for number, (content, style) in enumerate(pairs(options.contents, options.styles, options.pairs)):
        order = list(networks)[:: 1 if number % 2 else -1]
        found = {name: paint(networks[name], judge, content, style, options) for name in order}
        found_pairs.append({"content": content.name, "style": style.name, **found})
    keys = {name: list(found_pairs[0][name]) for name in networks}
    medians = {
        name: {
            key: statistics.median(pair[name][key] for pair in found_pairs) for key in keys[name] if key != "layers"
        }
        for name in networks
    }
    record = {"size": options.size, "steps": options.steps, "precision": precision, "medians": medians}
    if VGG in networks:
        kinds = ("optimization_seconds", "seconds")
        record["ratio"] = {
            kind: statistics.median(pair[MINI][kind] / pair[VGG][kind] for pair in found_pairs) for kind in kinds
        }
    print(json.dumps({**record, "weights": networks[MINI].weights_record, "pairs": found_pairs}, indent=2))


def paint(
    network: Backbone, judge: Backbone, content: Path, style: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """What one network reaches with one pair."""
    weight = options.content_weight if network.name == MINI else None
    began = time.perf_counter()
    result = tfstyle.transfer(
        content,
        style,
        backbone=network,
        size=options.size,
        steps=options.steps,
        content_weight=weight,
        progress=False,
    )
    seconds = time.perf_counter() - began
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        images.save(result.image, options.output / f"{content.stem}-{style.stem}-{network.name}.png")
    photo, painting = images.load(content, options.size).rgb, images.load(style, options.size).rgb
    picture = np.round(result.image * 255) / 255
    return {
        **distances(judge, photo, painting, picture),
        "ssim": ssim(photo, picture),
        "optimization_seconds": result.settings["optimization_seconds"],
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
