"""What to train on: folders of pictures with a part held out, and random crops of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfstyle import files, images
from tfstyle.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def split(folder: str | os.PathLike[str]) -> tuple[list[Path], list[Path]]:
    """A folder's pictures sorted by name: those to train on, and the last tenth (rounded up), which is held out.

    Raises:
        InputError: There is no such folder, or no picture in it.
    """
    try:
        found = sorted(file for file in Path(folder).iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise InputError(f"pictures {files.shown(folder)} can't be listed: {files.reason(error)}") from error
    if not found:
        raise InputError(f"pictures {files.shown(folder)}: no file in it ends in {', '.join(SUFFIXES)}")
    held_out = -(-len(found) // 10)
    return found[:-held_out], found[-held_out:]


class Crops:
    """Random square crops of pictures, the same ones for the same seed and step in any order of asking.

    Each picture is seen once an epoch. A crop's side is drawn log-uniformly from `side` to the picture's shorter one,
    and brought to `side`; every second one, by chance, is mirrored.

    Args:
        paths: Files of pictures.
        side: In pixels.
        batch: Crops a step.
        seed: Of order and crops.
    """

    def __init__(self, paths: Sequence[Path], side: int, batch: int, seed: int = 0) -> None:
        self.paths, self.side, self.batch, self.seed = list(paths), side, batch, seed

    def __call__(self, step: int) -> np.ndarray:
        """The crops of a step, `(batch, side, side, 3)`, RGB in [0, 1]."""
        random = np.random.default_rng([self.seed, 1, step])
        return np.stack([self._crop(self._path(step * self.batch + i), random) for i in range(self.batch)])

    def _path(self, index: int) -> Path:
        epoch, place = divmod(index, len(self.paths))
        return self.paths[np.random.default_rng([self.seed, 2, epoch]).permutation(len(self.paths))[place]]

    def _crop(self, path: Path, random: np.random.Generator) -> np.ndarray:
        rgb = images.load(path).rgb
        short = min(rgb.shape[:2])
        side = round(np.exp(random.uniform(np.log(min(self.side, short)), np.log(short))))
        top, left = (int(random.integers(length - side + 1)) for length in rgb.shape[:2])
        crop = rgb[top : top + side, left : left + side]
        if random.random() < 0.5:
            crop = crop[:, ::-1]
        if side != self.side:
            crop = images.load(np.ascontiguousarray(crop), (self.side, self.side)).rgb
        return np.asarray(crop, np.float32)
