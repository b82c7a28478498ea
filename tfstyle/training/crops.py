"""Images to train on: folders of which a part is held out, and random crops of their images."""

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

MEMORY = 2**30  # bytes of decoded images that are kept in memory (chosen)


def split(folder: str | os.PathLike[str], held_out: float = 0.1) -> tuple[list[Path], list[Path]]:
    """A folder's images sorted by name: those to train on, and the last ones, which are held out.

    Args:
        folder: A folder of images.
        held_out: Share of the images that is held out, from 0 to less than 1; their number is rounded up.

    Raises:
        InputError: There is no such folder, it has no images, or the share can't be used.
    """
    if not 0 <= held_out < 1:
        raise InputError(f"held out {held_out:g} can't be used: give a share from 0 to less than 1")
    paths = images_in([folder])
    first = len(paths) - math.ceil(round(len(paths) * held_out, 6))
    return paths[:first], paths[first:]


def split_folders(folders: Iterable[str | os.PathLike[str]], held_out: float = 0.1) -> tuple[list[Path], list[Path]]:
    """The images of several folders, each divided as by `split`: those to train on, and those held out.

    Raises:
        InputError: As `split`; or all images are held out.
    """
    folders = list(folders)
    parts = [split(folder, held_out) for folder in folders]
    train, rest = ([path for part in parts for path in part[place]] for place in (0, 1))
    if folders and not train:
        raise InputError(f"all images of {files.shown(folders[0])} are held out: give more images, or held out 0")
    return train, rest


def images_in(folders: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The image files of each folder, sorted by name.

    Raises:
        InputError: There is no such folder, or it has no images.
    """
    return [path for folder in folders for path in images.of_folder(folder)]


class Crops:
    """Random square crops of images, which depend on the seed and the step alone.

    Each image is used once per epoch. With `resize`, its shorter side becomes `resize` pixels, and the crop has
    `crop_size` pixels of that. Without, the side of the crop is drawn log-uniformly between `crop_size` and the
    image's shorter side, and the crop is resized to `crop_size`. A file that can't be read is replaced by the next
    one that can.

    Decoded images are kept in memory with 8 bits per channel, as many as fit.

    Args:
        paths: Image files.
        crop_size: Side of the crops in pixels.
        batch: Crops per step.
        seed: Seed of the order and of the crops.
        resize: Shorter side of the resized images in pixels, at least `crop_size`; None for crops of any scale.
        flip: Whether every second crop, at random, is mirrored.
        memory: Bytes of decoded images to keep.

    Attributes:
        skipped: For each file that could not be read so far, the reason.

    Raises:
        InputError: A number can't be used; or, when crops are drawn, no file can be read.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        crop_size: int,
        batch: int,
        seed: int = 0,
        *,
        resize: int | None = None,
        flip: bool = True,
        memory: int = MEMORY,
    ) -> None:
        check_whole("crop size", crop_size, 8, 4096)
        check_whole("batch", batch, 1, 4096)
        if resize is not None:
            check_whole("resize", resize, crop_size, 16384)
        self.paths, self.crop_size, self.batch, self.seed = list(paths), crop_size, batch, seed
        self.resize, self.flip = resize, flip
        self.skipped: dict[Path, str] = {}
        self._decoded: dict[Path, np.ndarray] = {}
        self._free_memory = memory
        # Orders of a few epochs: a batch may span two, and other batches are drawn beside it.
        self._order = lru_cache(4)(self._shuffle)

    def __call__(self, step: int) -> np.ndarray:
        """The crops of a step: float32 (batch, crop_size, crop_size, 3), RGB in [0, 1]."""
        random = np.random.default_rng([self.seed, 1, step])
        return np.stack([self._crop(self._image(step * self.batch + i), random) for i in range(self.batch)])

    def check(self, minimum: int = 2) -> None:
        """See that each folder has enough images to learn from.

        Raises:
            InputError: Fewer than `minimum` images of a folder can be read.
        """
        for folder in dict.fromkeys(path.parent for path in self.paths):
            paths = [path for path in self.paths if path.parent == folder]
            readable = len(list(islice((path for path in paths if self._read(path) is not None), minimum)))
            if readable < minimum:
                reasons = [f"; {files.shown(path)}: {self.skipped[path]}" for path in paths if path in self.skipped]
                problem = (
                    f"the folder {files.shown(folder)} has {readable} images that can be used: give at least "
                    f"{minimum}"
                )
                raise InputError("".join([problem, *reasons[:1]]))

    @property
    def fingerprint(self) -> str:
        """Number of files, and a hash of their names and sizes: whether a training continues with the same images."""
        sizes = (os.path.getsize(path) if path.exists() else 0 for path in self.paths)
        names = "\n".join(f"{path.name} {size}" for path, size in zip(self.paths, sizes, strict=True))
        digest = hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()
        return f"{len(self.paths)} files, {digest[:16]}"

    def _shuffle(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 2, epoch]).permutation(len(self.paths))

    def _image(self, index: int) -> np.ndarray:
        """The image at a place in the sequence of all epochs, or the next of its epoch that can be read."""
        epoch, place = divmod(index, len(self.paths))
        for number in np.roll(self._order(epoch), -place):
            pixels = self._read(self.paths[number])
            if pixels is not None:
                return pixels
        path, reason = next(iter(self.skipped.items()))
        raise InputError(f"none of {len(self.paths)} images can be read; {files.shown(path)}: {reason}")

    def _read(self, path: Path) -> np.ndarray | None:
        """A decoded and resized image, uint8 (height, width, 3); None for a file that can't be read."""
        if path in self.skipped:
            return None
        if path in self._decoded:
            return self._decoded[path]
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
        if pixels.nbytes <= self._free_memory:
            self._free_memory -= pixels.nbytes
            self._decoded[path] = pixels
        return pixels

    def _crop(self, pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
        side, shorter = self.crop_size, min(pixels.shape[:2])
        if self.resize is None:
            side = round(np.exp(random.uniform(np.log(min(side, shorter)), np.log(shorter))))
        top, left = (int(random.integers(length - side + 1)) for length in pixels.shape[:2])
        crop = np.asarray(pixels[top : top + side, left : left + side], np.float32) / 255
        if self.flip and random.random() < 0.5:
            crop = crop[:, ::-1]
        if side != self.crop_size:
            crop = images.load(np.ascontiguousarray(crop), (self.crop_size, self.crop_size)).rgb
        return np.asarray(crop, np.float32)
