"""A picture in memory: sRGB as floats in [0, 1], with its opacity in a separate array."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from tfstyle.core import files
from tfstyle.core.errors import InputError

MAX_PIXELS = 178_956_970
"""The most pixels of a file and of the result of `Picture.resized`: above, Pillow suspects a decompression bomb."""
_WHITE = {"bool": 1, "uint8": 255, "uint16": 65535, "float": 1, "bfloat16": 1}  # the value of white, by dtype
_OVERSHOOT = 1e-3  # floats may be outside [0, 1] by this much, from rounding (chosen)
_INVISIBLE = 0.5 / 65535  # the alpha that 16 bits round to zero


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture in memory.

    Attributes:
        rgb: float32 `(height, width, 3)`, sRGB in [0, 1]; white where `alpha` is 0.
        alpha: Opacity, float32 `(height, width)` in [0, 1], not multiplied into `rgb`; None if all pixels are opaque.
        name: The name for messages: the path as the user wrote it, "the PIL image" or "the array".
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    name: str

    @property
    def sha256(self) -> str:
        """SHA-256 of shape and values, in hexadecimal; it does not depend on the file format or the name."""
        digest = hashlib.sha256(repr(self.rgb.shape).encode())
        for channels in (self.rgb, self.alpha):
            digest.update(b"" if channels is None else np.ascontiguousarray(channels, "<f4").tobytes())
        return digest.hexdigest()

    def resized(self, size: int | tuple[int, int]) -> Picture:
        """This picture at another size, larger or smaller, by antialiased Lanczos resampling of floats.

        Visible pixels take no colour from transparent ones, and values stay in [0, 1].

        Args:
            size: The longer side in pixels, which keeps the aspect ratio, or (height, width) in pixels.

        Raises:
            InputError: `size` is not one or two positive whole numbers, or the result has more than `MAX_PIXELS`.
        """
        shape = self.rgb.shape[:2]
        sides = size if isinstance(size, tuple) else (size,)
        if len(sides) not in (1, 2) or not all(isinstance(n, int | np.integer) and n > 0 for n in sides):
            raise InputError(f"size {size!r} can't be used for {self.name}: give whole pixels, 1 or more")
        height, width = sides if len(sides) == 2 else fitted_shape(shape[0], shape[1], sides[0])
        if (height, width) == shape:
            return self
        check_pixels(width, height, f"{self.name} at size {size}")
        if self.alpha is None:
            return make_picture(_resampled(self.rgb, height, width), None, self.name)
        alpha = _resampled(self.alpha[..., None], height, width)
        product = _resampled(self.rgb * self.alpha[..., None], height, width)
        return make_picture(unpremultiplied(product, alpha), alpha[..., 0], self.name)


def fitted_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """The shape of a picture after resizing, with the aspect ratio kept.

    Args:
        height: Height in pixels.
        width: Width in pixels.
        size: New length of the longer side, in pixels.

    Returns:
        (height, width) in pixels, each at least 1.

    Examples:
        >>> fitted_shape(300, 400, 200)
        (150, 200)
    """
    longer = max(height, width)
    return max(1, round(height * size / longer)), max(1, round(width * size / longer))


def channels_of(source: Any, name: str, *, clip: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours and alpha of an array, as new arrays.

    Args:
        source: An array or tensor with the shapes, types and ranges of `tfstyle.images.load`.
        name: The name for messages.
        clip: Whether floats outside [0, 1] are clipped; else an `InputError` is raised.

    Returns:
        RGB, float32 `(height, width, 3)` in [0, 1]; and alpha, float32 `(height, width)` in [0, 1], or None.

    Raises:
        InputError: The shape, type or range is another.
    """
    try:
        array = np.asarray(source)
    except (TypeError, ValueError, RuntimeError) as error:  # such as a tensor on another device
        raise InputError(f"{name} can't be made a NumPy array ({files.reason(error)}); convert it") from error
    kind = "float" if array.dtype.kind == "f" else array.dtype.name
    if kind not in _WHITE:
        raise InputError(f"{name} has the dtype {kind}; convert it to uint8, uint16 or floats in [0, 1]")
    shape = array.shape
    if array.ndim not in (2, 3) or 0 in shape or (array.ndim == 3 and shape[2] > 4):
        wanted = "(height, width) or (height, width, 1 to 4 channels)"
        raise InputError(f"{name} has the shape {shape}; give it {wanted}, none of them zero")
    with np.errstate(over="ignore"):  # infinite values are refused below
        array = np.atleast_3d(array).astype(np.float32) / np.float32(_WHITE[kind])
    low, high = array.min(), array.max()
    if not np.isfinite([low, high]).all():
        raise InputError(f"{name} has NaN or infinite values; replace them by numbers in [0, 1]")
    if not clip and (low < -_OVERSHOOT or high > 1 + _OVERSHOOT):
        problem = f"{name} has floats from {low:g} to {high:g}, but they must be in [0, 1]"
        raise InputError(f"{problem}; divide by 255 if that is their white")
    array = np.clip(array, 0, 1)
    colours = 1 if array.shape[2] < 3 else 3
    rgb = np.repeat(array[..., :1], 3, axis=2) if colours == 1 else array[..., :3]
    return rgb, array[..., colours] if array.shape[2] > colours else None


def make_picture(rgb: np.ndarray, alpha: np.ndarray | None, name: str) -> Picture:
    """A `Picture` from arrays: values are clipped, an opaque alpha becomes None, and transparent pixels become white.

    Args:
        rgb: float32 `(height, width, 3)`, sRGB.
        alpha: Opacity, float32 `(height, width)`; None if all pixels are opaque.
        name: The name for messages.
    """
    rgb = np.ascontiguousarray(np.clip(rgb, 0, 1))
    if alpha is not None:
        alpha = np.ascontiguousarray(np.clip(alpha, 0, 1))
        rgb[alpha == 0] = 1
    return Picture(rgb, None if alpha is None or alpha.min() == 1 else alpha, name)


def unpremultiplied(product: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours before they were multiplied by alpha; white where alpha is too small to tell.

    Args:
        product: Colours times alpha, float32 `(height, width, 3)`.
        alpha: float32 `(height, width, 1)` in [0, 1].
    """
    return np.divide(product, alpha, out=np.ones_like(product), where=alpha > _INVISIBLE)


def _resampled(channels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Float32 (height, width, channels) at another size: Pillow resamples floats one channel at a time."""
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(channels, -1, 0))
    resized = (plane.resize((width, height), Image.Resampling.LANCZOS) for plane in planes)
    return np.stack([np.asarray(plane) for plane in resized], axis=-1)


def quantized(values: np.ndarray, bits: int) -> np.ndarray:
    """Floats rounded to the levels of 8 or 16 bits.

    Args:
        values: Floats in [0, 1].
        bits: 8 or 16.

    Returns:
        uint8 or uint16, of the same shape.

    Examples:
        >>> quantized(np.array([0.0, 0.5, 1.0]), 8).tolist()
        [0, 128, 255]
    """
    levels = np.rint(np.multiply(values, 2**bits - 1, dtype=np.float64))
    return levels.astype(np.uint8 if bits == 8 else np.uint16)


def check_pixels(width: int, height: int, name: str) -> None:
    """Raise an `InputError` if a picture has more than `MAX_PIXELS` pixels.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        name: The name for messages.
    """
    if width * height > MAX_PIXELS:
        problem = f"{name} has {width}x{height} pixels, more than the {MAX_PIXELS:,} allowed"
        raise InputError(f"{problem}; make it smaller")
