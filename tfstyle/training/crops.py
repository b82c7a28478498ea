"""What to train on: folders of pictures with a part held out, and random crops of them."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError, check_whole
from tfstyle.images.picture import quantized


def split(folder: str | os.PathLike[str], held_out: float = 0.1) -> tuple[list[Path], list[Path]]:
    """A folder's pictures sorted by name: those to train on, and the last part (rounded up), which is held out.

    Args:
        folder: Of pictures.
        held_out: The part, from 0 to less than 1.

    Raises:
        InputError: There is no such folder, or no picture in it; or another part.
    """
    if not 0 <= held_out < 1:
        raise InputError(f"{held_out:g} of the pictures can't be held out: give 0 or more, and less than 1")
    found = listed([folder])
    first = len(found) - math.ceil(round(len(found) * held_out, 6))
    return found[:first], found[first:]


def listed(folders: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The pictures of each folder, sorted by name.

    Raises:
        InputError: There is no such folder, or no picture in it.
    """
    return [path for folder in folders for path in images.of_folder(folder)]


class Crops:
    """Random square crops of pictures, the same ones for the same seed and step in any order of asking.

    Each picture is seen once an epoch. Its shorter side is brought to `resize` pixels, and a crop of `side` pixels is
    taken of that; or else a crop's side is drawn log-uniformly from `side` to the picture's shorter one, and brought
    to `side`. In the place of a file that can't be read comes the next one that can.

    Pictures are kept in memory with 8 bits a colour, as many as go in there.

    Args:
        paths: Files of pictures.
        side: In pixels.
        batch: Crops a step.
        seed: Of order and crops.
        resize: The pictures' shorter side in pixels, at least `side`; None for crops of any scale.
        flip: Whether every second crop, by chance, is mirrored.
        memory: For pictures, in bytes (chosen).

    Attributes:
        skipped: What is wrong with each file that couldn't be read until now, by path.

    Raises:
        InputError: Numbers of no use; or, when crops are asked for, no file that can be read.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        side: int,
        batch: int,
        seed: int = 0,
        *,
        resize: int | None = None,
        flip: bool = True,
        memory: int = 2**30,
    ) -> None:
        check_whole("side of crops", side, 8, 4096)
        check_whole("batch", batch, 1, 4096)
        if resize is not None:
            check_whole("resize", resize, side, 16384)
        self.paths, self.side, self.batch, self.seed = list(paths), side, batch, seed
        self.resize, self.flip = resize, flip
        self.skipped: dict[Path, str] = {}
        self._kept: dict[Path, np.ndarray] = {}
        self._room = memory
        self._order = lru_cache(4)(
            self._new_order
        )  # of two epochs that meet in a batch, and in others made beside it

    def __call__(self, step: int) -> np.ndarray:
        """The crops of a step, `(batch, side, side, 3)`, RGB in [0, 1]."""
        random = np.random.default_rng([self.seed, 1, step])
        return np.stack([self._crop(self._picture(step * self.batch + i), random) for i in range(self.batch)])

    def check(self, least: int = 2) -> None:
        """See that there is enough to learn from.

        Raises:
            InputError: Fewer than `least` of a folder's pictures can be read.
        """
        for folder in dict.fromkeys(path.parent for path in self.paths):
            paths = [path for path in self.paths if path.parent == folder]
            usable = len(list(islice((path for path in paths if self._read(path) is not None), least)))
            if usable < least:
                bad = [f"; {files.shown(path)}: {self.skipped[path]}" for path in paths if path in self.skipped]
                found = f"pictures {files.shown(folder)}: {usable} can be used, and it takes {least} or more"
                raise InputError("".join([found, *bad[:1]]))

    @property
    def known_by(self) -> str:
        """The files' number, names and sizes, to tell whether a training goes on with what it began with."""
        sizes = (os.path.getsize(path) if path.exists() else 0 for path in self.paths)
        named = "\n".join(f"{path.name} {size}" for path, size in zip(self.paths, sizes, strict=True))
        digest = hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest()
        return f"{len(self.paths)} files, {digest[:16]}"

    def _new_order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 2, epoch]).permutation(len(self.paths))

    def _picture(self, index: int) -> np.ndarray:
        """The picture whose turn it is, or the next of the epoch that can be read."""
        epoch, place = divmod(index, len(self.paths))
        for number in np.roll(self._order(epoch), -place):
            picture = self._read(self.paths[number])
            if picture is not None:
                return picture
        path, problem = next(iter(self.skipped.items()))
        raise InputError(f"none of {len(self.paths)} pictures can be read; {files.shown(path)}: {problem}")

    def _read(self, path: Path) -> np.ndarray | None:
        if path in self.skipped:
            return None
        if path in self._kept:
            return self._kept[path]
        try:
            picture = images.load(path)
        except InputError as error:
            self.skipped[path] = str(error)
            return None
        if self.resize is not None:
            height, width = picture.rgb.shape[:2]
            factor = self.resize / min(height, width)
            picture = picture.resized(
                (max(self.resize, round(height * factor)), max(self.resize, round(width * factor)))
            )
        pixels = quantized(picture.rgb, 8)
        if pixels.nbytes <= self._room:
            self._room -= pixels.nbytes
            self._kept[path] = pixels
        return pixels

    def _crop(self, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
        side, short = self.side, min(picture.shape[:2])
        if self.resize is None:
            side = round(np.exp(random.uniform(np.log(min(side, short)), np.log(short))))
        top, left = (int(random.integers(length - side + 1)) for length in picture.shape[:2])
        crop = np.asarray(picture[top : top + side, left : left + side], np.float32) / 255
        if self.flip and random.random() < 0.5:
            crop = crop[:, ::-1]
        if side != self.side:
            crop = images.load(np.ascontiguousarray(crop), (self.side, self.side)).rgb
        return np.asarray(crop, np.float32)
