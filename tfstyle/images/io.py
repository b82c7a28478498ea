"""Pictures from files, PIL images and arrays, and pictures to files."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.runtime import import_tensorflow
from tfstyle.images import decoding
from tfstyle.images.picture import Picture, channels_of, make_picture, quantized

_FORMATS = {  # by suffix, the format that is written and the bits per channel that it can have
    ".png": ("PNG", (8, 16)),
    ".tif": ("TIFF", (8, 16)),
    ".tiff": ("TIFF", (8, 16)),
    ".jpg": ("JPEG", (8,)),
    ".jpeg": ("JPEG", (8,)),
    ".webp": ("WebP", (8,)),
}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm")
"""Suffixes of the files that count as pictures of a folder."""

Source = str | os.PathLike[str] | Image.Image | np.ndarray | Picture
"""A path, a PIL image, an array or a `Picture`: all that `load` reads."""


def load(source: Source, size: int | tuple[int, int] | None = None, *, name: str | None = None) -> Picture:
    """A picture from a file, a PIL image or an array.

    Of a file the first frame is read, of a PIL image the current one. It is turned upright by its EXIF orientation
    and converted to sRGB by its ICC profile; a profile that can't be used is ignored, as browsers do. 16-bit PNG,
    16-bit TIFF and float TIFF files keep their precision, with two exceptions that are read with 8 bits: files with a
    profile other than sRGB; and colour TIFF with LZW compression, unless `imagecodecs` is installed.

    Args:
        source: The path of a file that Pillow opens (JPEG, PNG, WebP, TIFF, ...), a PIL image, a `Picture`, or an
            array or tensor. An array is `(height, width)` or `(height, width, channels)` with grey, grey and alpha,
            RGB, or RGB and alpha; bool, uint8 in [0, 255], uint16 in [0, 65535], or float in [0, 1]. Images and
            arrays are neither changed nor shared with the result; a `Picture` is.
        size: Size for `Picture.resized`: the longer side in pixels, or (height, width); None for the native size.
        name: The name for messages, in place of the path, "the PIL image" or "the array".

    Raises:
        InputError: The source can't be read, is damaged, is a file of more than `MAX_PIXELS` pixels, or has values
            outside the ranges above; or `size` can't be used.

    Examples:
        >>> picture = load(np.full((20, 30, 3), 128, np.uint8), size=15)
        >>> picture.rgb.shape, round(float(picture.rgb[0, 0, 0]), 3)
        ((10, 15, 3), 0.502)
    """
    if isinstance(source, Picture):
        picture = source if name is None else replace(source, name=name)
    elif isinstance(source, str | os.PathLike):
        picture = decoding.from_path(source, files.shown(name or source))
    elif isinstance(source, Image.Image):
        picture = decoding.from_image(source, name or "the PIL image")
    else:
        name = name or "the array"
        picture = make_picture(*channels_of(source, name), name)
    return picture if size is None else picture.resized(size)


def load_named(source: Source, role: str, index: int = 0, number: int = 1) -> Picture:
    """A picture that messages call by its role, if it has no name of its own.

    Args:
        source: The source, as for `load`. Paths and `Picture`s have a name.
        role: What the picture is for: "style image".
        index: Its place among the pictures of that role, from 0.
        number: How many pictures have the role.

    Raises:
        InputError: The source can't be read.

    Examples:
        >>> array = np.zeros((8, 8))
        >>> load_named(array, "content image").name, load_named(array, "style image", 1, 3).name
        ('the content image', 'style image 2')
    """
    has_name = isinstance(source, str | os.PathLike | Picture)
    return load(source, name=None if has_name else f"the {role}" if number == 1 else f"{role} {index + 1}")


def of_folder(folder: str | os.PathLike[str]) -> list[Path]:
    """The paths of the pictures in a folder, by their suffixes, sorted by name.

    Args:
        folder: The folder; folders in it are not searched.

    Raises:
        InputError: The folder can't be read, or has no picture.
    """
    if not os.fspath(folder):  # the current folder, for pathlib
        raise InputError("could not read the folder '': give its name")
    try:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    except OSError as error:
        raise InputError(f"could not read the folder {files.shown(folder)}: {files.reason(error)}") from error
    if not paths:
        raise InputError(
            f"there is no picture in the folder {files.shown(folder)}: put some there ({', '.join(SUFFIXES)})"
        )
    return paths


def save(
    picture: np.ndarray | Picture,
    path: str | os.PathLike[str],
    *,
    alpha: np.ndarray | None = None,
    bits: int = 8,
    quality: int = 95,
) -> None:
    """Write a picture, completely or not at all; the suffix of the path names the format.

    Args:
        picture: A `Picture`, or an array as for `load`; floats are clipped to [0, 1].
        path: A file ending in .png, .tif, .tiff, .jpg, .jpeg or .webp. JPEG has no transparency: the picture is put
            on white.
        alpha: Opacity, `(height, width)`, with the types and ranges of `load`; it replaces the picture's own.
        bits: Bits per channel: 8, or for PNG and TIFF also 16.
        quality: Quality of JPEG (always without chroma subsampling) and WebP, from 1 to 100.

    Raises:
        InputError: A value is NaN or infinite, the picture doesn't fit the format, an argument is none of the above,
            or the file can't be written.
    """
    check_writable(path, bits=bits)
    if quality not in range(1, 101):
        raise InputError(f"quality {quality!r} can't be used: give a whole number from 1 to 100")
    if isinstance(picture, Picture):
        rgb, picture_alpha = channels_of(picture.rgb, picture.name, clip=True)[0], picture.alpha
    else:
        rgb, picture_alpha = channels_of(picture, "the array", clip=True)
    alpha = picture_alpha if alpha is None else alpha
    if alpha is not None:
        alpha = channels_of(alpha, "the alpha", clip=True)[0][..., 0]
        if alpha.shape != rgb.shape[:2]:
            raise InputError(f"the alpha has shape {alpha.shape}; give it the picture's, {rgb.shape[:2]}")
    kind = _FORMATS[_suffix(path)][0]
    try:
        data = _encode(rgb, alpha, kind, bits, quality)
    except Exception as error:  # the exceptions of Pillow, tifffile and TensorFlow have no common class
        problem = f"could not write {files.shown(path)} as {kind}: {files.reason(error)}"
        raise InputError(f"{problem}; make the picture smaller or choose .png") from error
    files.atomic_write(path, data)


def check_writable(path: str | os.PathLike[str], *, bits: int = 8) -> None:
    """Check that `save` can write to a path, without writing: for use before long work.

    Args:
        path: The path for `save`.
        bits: The bits per channel for `save`.

    Raises:
        InputError: The suffix names no format that can be written, the format can't have `bits` per channel, the
            folder doesn't exist or can't be written in, or `path` is a folder or a device.
    """
    if _suffix(path) not in _FORMATS:
        raise InputError(f"could not write {files.shown(path)}: end its name in {', '.join(_FORMATS)}")
    kind, depths = _FORMATS[_suffix(path)]
    if bits not in depths:
        fix = "use 8 or 16" if 16 in depths else "use 8, or .png or .tif for 16"
        raise InputError(f"could not write {files.shown(path)}: {kind} can't have {bits!r} bits per channel; {fix}")
    files.check_place(path)


def _suffix(path: str | os.PathLike[str]) -> str:
    return os.path.splitext(path)[1].lower()


def _encode(rgb: np.ndarray, alpha: np.ndarray | None, kind: str, bits: int, quality: int) -> bytes:
    """The content of a file of one of the `_FORMATS`."""
    if alpha is not None and kind == "JPEG":
        rgb, alpha = 1 - (1 - rgb) * alpha[..., None], None
    levels = quantized(rgb if alpha is None else np.dstack([rgb, alpha]), bits)
    if kind == "PNG" and bits == 16:
        import_tensorflow()
        import tensorflow as tf

        return tf.io.encode_png(levels).numpy()
    file = io.BytesIO()
    if kind == "TIFF":
        import tifffile

        layout = {"photometric": "rgb", "planarconfig": "contig", "metadata": None}
        extra = None if alpha is None else ["unassalpha"]
        tifffile.imwrite(file, levels, **layout, extrasamples=extra, compression="zlib", predictor=True)
    else:
        Image.fromarray(levels).save(file, kind, quality=quality, subsampling=0)  # PNG ignores both
    return file.getvalue()
