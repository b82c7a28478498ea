"""Maps of proximity: scaled, asked of depth modules, and read from files."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.images import masks
from tfstyle.images.picture import Picture

Tensor = Any
DepthModule = Callable[[Any], Any]
"""From pictures `(batch, height, width, 3)` in [0, 1] to proximity `(batch, height, width)`: see `tfstyle.depth`."""

_LEAST = 1e-6  # chosen: a range of inverse depth below which a picture counts as flat
_TOLERANCE = 1e-3  # by which rounding may have carried a proximity out of [0, 1]


def relative(inverse: Tensor) -> Tensor:
    """Inverse depth as proximity: (d − min d) / (max d − min d) for each picture; 0 where a picture is flat.

    Args:
        inverse: `(batch, height, width)`, of any scale and shift; more is nearer.

    Returns:
        float32 of the same shape, in [0, 1].
    """
    inverse = ops.cast(inverse, "float32")
    low, high = (reduce(inverse, axis=(1, 2), keepdims=True) for reduce in (ops.min, ops.max))
    return (inverse - low) / ops.maximum(high - low, _LEAST)


def estimate(module: DepthModule, picture: np.ndarray) -> np.ndarray:
    """The proximity that a depth module finds in one picture.

    Args:
        module: See `tfstyle.depth`.
        picture: `(height, width, 3)`, RGB in [0, 1].

    Returns:
        float32 (height, width) in [0, 1].

    Raises:
        InputError: What the module returns is no proximity of the picture.
    """
    found = np.asarray(ops.convert_to_numpy(module(ops.convert_to_tensor(picture[None]))), np.float32)
    shape = (1, *picture.shape[:2])
    if found.shape != shape:
        raise InputError(
            f"the depth module returns the shape {found.shape} for one picture of {shape[2]}x{shape[1]} pixels: it "
            f"must return {shape}"
        )
    return _checked(found[0], "the depth module's map")


def load(source: images.Source, shape: tuple[int, int]) -> np.ndarray:
    """A map of proximity from a file or array; it is taken as it is, and not scaled.

    Args:
        source: A grey picture of 8 or 16 bits, white is near; or an array `(height, width)` in [0, 1], also as a
            `.npy` file.
        shape: (height, width) of the picture it is of; a grey picture of the same proportions is resized to it.

    Returns:
        float32 (*shape) in [0, 1], 1 is near.

    Raises:
        InputError: It can't be read, has colours, another shape, or values outside [0, 1].
    """
    if isinstance(source, (str, os.PathLike)) and os.fspath(source).lower().endswith(".npy"):
        name = files.shown(source)
        try:
            array = np.load(source, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            problem = f"depth map {name} can't be read ({files.reason(error)})"
            raise InputError(f"{problem}: give a file that numpy.save has written") from error
        source = images.load(_checked(_float(array, name), f"depth map {name}"), name=f"depth map {name}")
    elif not isinstance(source, (str, os.PathLike, Picture)):
        source = images.load(source, name="the depth map")
    return masks.grey(source, shape, "depth map")


def differentiable(module: Any) -> bool:
    """Whether gradients flow through a depth module: Keras models and layers, and what says so of itself."""
    return isinstance(module, keras.Layer) or getattr(module, "differentiable", False)


class MapFile:
    """A depth module that knows one picture: its map is read from a file or array.

    Args:
        source: As for `load`.
    """

    def __init__(self, source: images.Source) -> None:
        self.source = source

    def __call__(self, pictures: Tensor) -> np.ndarray:
        """The map, resized to the pictures, of which there may be one only.

        Raises:
            InputError: Several pictures, or as `load`.
        """
        number, height, width, _ = pictures.shape
        if number != 1:
            raise InputError(f"a depth map is of one picture, not of {number}: give a network as the depth module")
        return load(self.source, (int(height), int(width)))[None]


def _float(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim != 2 or array.dtype.kind not in "fui":
        raise InputError(f"depth map {name} is {array.dtype} {array.shape}: give numbers (height, width)")
    return array if array.dtype.kind == "f" or array.dtype in (np.uint8, np.uint16) else array.astype(np.float64)


def _checked(proximity: np.ndarray, name: str) -> np.ndarray:
    """The map itself, if it is in [0, 1] as floats; whole numbers are for `images.load` to judge."""
    if proximity.dtype.kind != "f":
        return proximity
    low, high = (float(value) for value in (proximity.min(), proximity.max()))
    if not (low >= -_TOLERANCE and high <= 1 + _TOLERANCE):  # also where there is NaN
        raise InputError(f"{name} goes from {low:g} to {high:g}: scale it to [0, 1], where 1 is near")
    return np.clip(proximity, 0, 1)
