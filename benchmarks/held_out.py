"""What benchmarks of quality have in common: held-out pairs, and how near a picture has come to a style."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np

from tfstyle import Backbone
from tfstyle.training.crops import split


def chosen(folders: list[str], number: int) -> list[Path]:
    """As many held-out pictures, from the folders in turns, evenly spread over each."""
    held_out = [split(folder)[1] for folder in folders]
    rounds = -(-number // len(folders))
    return [held_out[i % len(folders)][i // len(folders) * len(held_out[i % len(folders)]) // rounds]
            for i in range(number)]  # fmt: skip


def pairs(contents: list[str], styles: list[str], number: int) -> list[tuple[Path, Path]]:
    """Held-out contents and styles."""
    return list(zip(chosen(contents, number), chosen(styles, number), strict=True))


def distances(judge: Backbone, photo: np.ndarray, painting: np.ndarray, picture: np.ndarray) -> dict[str, object]:
    """The squared difference of Gram matrices to the style's over that of the photograph, by `judge`.

    `distance` averages the layers' ratios; `pooled` is the ratio of their sums.
    """
    goal, start, end = (grams(judge, rgb) for rgb in (painting, photo, picture))
    differences = {layer: [float(((g[layer] - goal[layer]) ** 2).sum()) for g in (start, end)] for layer in goal}
    layers = {layer: last / first for layer, (first, last) in differences.items()}
    first, last = (sum(pair[i] for pair in differences.values()) for i in (0, 1))
    return {"distance": statistics.mean(layers.values()), "pooled": last / first, "layers": layers}


def grams(judge: Backbone, rgb: np.ndarray) -> dict[str, np.ndarray]:
    """A picture's Gram matrices over the number of positions, in float64."""
    found = {}
    for layer, features in judge(np.float32(rgb)[None], judge.style_layers).items():
        rows = np.asarray(features, "float64").reshape(-1, features.shape[-1])
        found[layer] = rows.T @ rows / len(rows)
    return found
