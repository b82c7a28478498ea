"""Maps of inverse depth: scaled to [0, 1], estimated by depth modules, and read from files."""

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
from tfstyle.core.typing import Tensor
from tfstyle.images import masks
from tfstyle.images.picture import Picture

DepthModule = Callable[[Any], Any]
"""From images `(batch, height, width, 3)` to inverse depth `(batch, height, width)` in [0, 1]: `tfstyle.depth`."""

_LEAST = 1e-6  # chosen: an image with a smaller range of inverse depth is flat
_TOLERANCE = 1e-3  # chosen: how far rounding may carry inverse depth out of [0, 1]


def relative(inverse: Tensor) -> Tensor:
    """Scale inverse depth to [0, 1] for each image: (d − min d) / (max d − min d), and 0 for a flat image.

    Args:
        inverse: Inverse depth d, `(batch, height, width)`, of any scale and shift; more is nearer.

    Returns:
        float32 of the same shape, in [0, 1].
    """
    inverse = ops.cast(inverse, "float32")
    low, high = (reduce(inverse, axis=(1, 2), keepdims=True) for reduce in (ops.min, ops.max))
    return (inverse - low) / ops.maximum(high - low, _LEAST)


def estimate(module: DepthModule, picture: np.ndarray) -> np.ndarray:
    """The inverse depth of one image by a depth module.

    Args:
        module: The depth module, see `tfstyle.depth`.
        picture: The image, `(height, width, 3)`, RGB in [0, 1].

    Returns:
        float32 `(height, width)` in [0, 1].

    Raises:
        InputError: The module doesn't return inverse depth for the image.
    """
    inverse = np.asarray(ops.convert_to_numpy(module(ops.convert_to_tensor(picture[None]))), np.float32)
    shape = (1, *picture.shape[:2])
    if inverse.shape != shape:
        raise InputError(
            f"the depth module returns the shape {inverse.shape} for one image of {shape[2]}x{shape[1]} pixels: it "
            f"must return {shape}"
        )
    return _in_range(inverse[0], "the depth module's map")


def load(source: images.Source, shape: tuple[int, int]) -> np.ndarray:
    """A map of inverse depth from a file or array, without any scaling.

    Args:
        source: A grey image of 8 or 16 bits in which white is near; or an array `(height, width)` in [0, 1], which
            may be a `.npy` file.
        shape: (height, width) of the image that the map belongs to; a grey image of these proportions is resized.

    Returns:
        float32 `(height, width)` in [0, 1]; 1 is near.

    Raises:
        InputError: A map that can't be read, has colours, another shape, or values outside [0, 1].
    """
    if isinstance(source, (str, os.PathLike)) and os.fspath(source).lower().endswith(".npy"):
        name = files.shown(source)
        try:
            array = np.load(source, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            problem = f"depth map {name} can't be read ({files.reason(error)})"
            raise InputError(f"{problem}: give a file that numpy.save has written") from error
        source = images.load(_in_range(_numbers(array, name), f"depth map {name}"), name=f"depth map {name}")
    elif not isinstance(source, (str, os.PathLike, Picture)):
        source = images.load(source, name="the depth map")
    return masks.grey(source, shape, "depth map")


def differentiable(module: Any) -> bool:
    """Whether gradients flow through a depth module: a Keras layer, or a callable with `differentiable = True`."""
    return isinstance(module, keras.Layer) or getattr(module, "differentiable", False)


class MapFile:
    """A depth module for one image, whose map is read from a file or array.

    Args:
        source: The map, as `load` takes it.
    """

    def __init__(self, source: images.Source) -> None:
        self.source = source

    def __call__(self, pictures: Tensor) -> np.ndarray:
        """The map, `(1, height, width)`, resized to the image.

        Raises:
            InputError: Several images, or a map that `load` refuses.
        """
        count, height, width, _ = pictures.shape
        if count != 1:
            raise InputError(f"a depth map belongs to one image, not to {count}: give a network as the depth module")
        return load(self.source, (int(height), int(width)))[None]


def _numbers(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim != 2 or array.dtype.kind not in "fui":
        raise InputError(f"depth map {name} is {array.dtype} {array.shape}: give numbers (height, width)")
    return array if array.dtype.kind == "f" or array.dtype in (np.uint8, np.uint16) else array.astype(np.float64)


def _in_range(inverse: np.ndarray, name: str) -> np.ndarray:
    """A map whose floats are in [0, 1]; whole numbers are left to `images.load`."""
    if inverse.dtype.kind != "f":
        return inverse
    low, high = (float(value) for value in (inverse.min(), inverse.max()))
    if not (low >= -_TOLERANCE and high <= 1 + _TOLERANCE):  # this includes NaN
        raise InputError(f"{name} goes from {low:g} to {high:g}: scale it to [0, 1], where 1 is near")
    return np.clip(inverse, 0, 1)
