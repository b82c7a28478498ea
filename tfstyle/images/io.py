"""Pictures from files, PIL images and arrays, and back into files.

A picture here is always sRGB, in floats from 0 to 1, the right way up, with its transparency beside it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.runtime import import_tensorflow
from tfstyle.images.icc import to_srgb, transform_to_srgb
from tfstyle.images.picture import (
    MAX_PIXELS,
    Picture,
    channels_of,
    check_pixels,
    made_picture,
    quantized,
    unpremultiplied,
)

_FORMATS = {  # what each suffix is written as, and the bits per channel it can hold
    ".png": ("PNG", (8, 16)),
    ".tif": ("TIFF", (8, 16)),
    ".tiff": ("TIFF", (8, 16)),
    ".jpg": ("JPEG", (8,)),
    ".jpeg": ("JPEG", (8,)),
    ".webp": ("WebP", (8,)),
}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm")  # of what folders are searched
_ORIENTATION, _ICC_PROFILE = 0x0112, 0x8773  # TIFF tags; EXIF is a TIFF inside
_SILENT = logging.NullHandler()  # keeps tifffile from printing what it logs where nobody set up logging
_warning_filters = threading.Lock()  # Python's warning filters belong to the process, not to the thread


Source = str | os.PathLike[str] | Image.Image | np.ndarray | Picture


def load(source: Source, size: int | tuple[int, int] | None = None, *, name: str | None = None) -> Picture:
    """A picture from a file, a PIL image or an array.

    Of a file or PIL image it is the first or current frame, turned upright as its EXIF orientation says and
    brought to sRGB from its ICC profile; a profile that can't be used is ignored, as browsers do. 16-bit PNG,
    16-bit TIFF and float TIFF files keep their precision, but for two cases that come through 8 bits: with a
    profile other than sRGB; and colour TIFF compressed with LZW, unless `imagecodecs` is installed.

    Args:
        source: A path to anything Pillow opens (JPEG, PNG, WebP, TIFF, ...), a PIL image, a `Picture` (taken as
            it is), or an array or tensor: (height, width) or (height, width, channels) with grey, grey and
            alpha, RGB, or RGB and alpha; bool, uint8 in [0, 255], uint16 in [0, 65535], or floats in [0, 1].
            Neither image nor array is changed or shared with the result.
        size: What to resize to, as in `Picture.resized`; None for no resizing.
        name: What messages shall call it, where the path or "the array" wouldn't tell enough.

    Raises:
        InputError: The source can't be read, is damaged, has (being a file) more than `MAX_PIXELS` pixels, or
            has values other than those above; or `size` can't be used.
    """
    if isinstance(source, Picture):
        picture = source if name is None else replace(source, name=name)
    elif isinstance(source, str | os.PathLike):
        name = files.shown(name or source)
        picture = _from_file(_read(source, name), name)
    elif isinstance(source, Image.Image):
        picture = _from_image(source, name or "the PIL image")
    else:
        name = name or "the array"
        picture = made_picture(*channels_of(source, name), name)
    return picture if size is None else picture.resized(size)


def of_folder(folder: str | os.PathLike[str]) -> list[Path]:
    """The pictures of a folder by their suffixes, sorted by name.

    Raises:
        InputError: There is no such folder, or no picture in it.
    """
    if not os.fspath(folder):  # which would be the current one
        raise InputError("could not read the folder '': give its name")
    try:
        found = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    except OSError as error:
        raise InputError(f"could not read the folder {files.shown(folder)}: {files.reason(error)}") from error
    if not found:
        raise InputError(
            f"there is no picture in the folder {files.shown(folder)}: put some there ({', '.join(SUFFIXES)})"
        )
    return found


def save(
    picture: np.ndarray | Picture,
    path: str | os.PathLike[str],
    *,
    alpha: np.ndarray | None = None,
    bits: int = 8,
    quality: int = 95,
) -> None:
    """Write a picture in the format the path's suffix names, completely or not at all (`tfstyle.core.files`).

    Args:
        picture: A `Picture`, or an array as `load` takes; floats are clipped to [0, 1].
        path: A file ending in .png, .tif, .tiff, .jpg, .jpeg or .webp. JPEG has no transparency: there the
            picture is laid on white.
        alpha: Transparency (height, width), as an array `load` would take, instead of the picture's own.
        bits: Bits per channel: 8, or for PNG and TIFF also 16.
        quality: Of JPEG (never with chroma subsampling) and WebP, 1 to 100.

    Raises:
        InputError: A value is NaN or infinite, the picture doesn't fit the format, an argument is of another
            kind than above, or the file can't be written.
    """
    check_writable(path, bits=bits)
    if quality not in range(1, 101):
        raise InputError(f"quality {quality!r} can't be used: give a whole number from 1 to 100")
    if isinstance(picture, Picture):
        rgb, own = channels_of(picture.rgb, picture.name, clip=True)[0], picture.alpha
    else:
        rgb, own = channels_of(picture, "the array", clip=True)
    alpha = own if alpha is None else alpha
    if alpha is not None:
        alpha = channels_of(alpha, "the alpha", clip=True)[0][..., 0]
        if alpha.shape != rgb.shape[:2]:
            raise InputError(f"the alpha has shape {alpha.shape}; give it the picture's, {rgb.shape[:2]}")
    kind = _FORMATS[_suffix(path)][0]
    try:
        data = _encoded(rgb, alpha, kind, bits, quality)
    except Exception as error:  # what Pillow, tifffile and TensorFlow raise has nothing in common
        problem = f"could not write {files.shown(path)} as {kind}: {files.reason(error)}"
        raise InputError(f"{problem}; make the picture smaller or choose .png") from error
    files.atomic_write(path, data)


def check_writable(path: str | os.PathLike[str], *, bits: int = 8) -> None:
    """Find out before long work, and without writing, whether `save` can write to `path`.

    Raises:
        InputError: The suffix isn't one that's written, the format can't have `bits` per channel, the folder
            doesn't exist or can't be written in, or `path` is a folder or a device.
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


def _read(path: str | os.PathLike[str], name: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise InputError(f"{name} does not exist; check the path") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder; give the path of a picture in it") from None
    except (OSError, ValueError) as error:  # ValueError: the path has a zero character in it
        raise InputError(f"{name} can't be read: {files.reason(error)}; check path and permissions") from error
    if not data:
        raise InputError(f"{name} is an empty file; give a picture")
    return data


@contextlib.contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turn whatever decoders raise into an `InputError`, and keep what they warn of to themselves."""
    try:
        with _warning_filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(f"{name} needs more memory than there is; make it smaller") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} has more than {MAX_PIXELS:,} pixels; make it smaller") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{name} is not a picture of a known kind; use JPEG, PNG, WebP or TIFF") from error
    except Exception as error:  # garbage makes decoders raise nearly everything there is
        raise InputError(f"{name} is damaged or incomplete ({files.reason(error)}); save it anew") from error


def _from_file(data: bytes, name: str) -> Picture:
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")) and (deep := _from_deep_tiff(data, name)):
        return deep
    with _decoding(name):
        image = Image.open(io.BytesIO(data))
        check_pixels(*image.size, name)
    is_deep_png = data.startswith(b"\x89PNG") and data[24] == 16  # the bit depth in IHDR
    return _from_image(image, name, data if is_deep_png else None)


def _from_image(image: Image.Image, name: str, deep_png: bytes | None = None) -> Picture:
    """A picture from a PIL image, but with the pixels of `deep_png`, which Pillow would cut to 8 bits."""
    with _decoding(name):
        icc = image.info.get("icc_profile")
        pixels = _pixels(image, icc) if deep_png is None else _decoded_png(deep_png)
        try:  # only now: a PNG may have it behind the pixels, and of a TIFF Pillow turns them itself
            orientation = image.getexif().get(_ORIENTATION)
        except Exception:  # broken EXIF data is no reason to refuse good pixels
            orientation = None
    rgb, alpha = channels_of(pixels, name)
    if image.mode not in ("CMYK", "LAB"):  # converted already, and not a matter of their profile any more
        rgb = to_srgb(rgb, icc)
    return made_picture(_upright(rgb, orientation), _upright(alpha, orientation), name)


def _pixels(image: Image.Image, icc: bytes | None) -> np.ndarray:
    """The pixels of a PIL image as an array that `channels_of` takes."""
    if image.mode == "I":  # 32-bit integers, in which Pillow by custom keeps 16-bit greys
        values = np.asarray(image)
        return values.astype(np.uint16) if values.min() >= 0 and values.max() <= 65535 else values
    if image.mode == "F" or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.mode == "CMYK" and (transform := transform_to_srgb(icc)) and transform.input_mode == "CMYK":
        return np.asarray(ImageCms.applyTransform(image, transform))
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _decoded_png(data: bytes) -> np.ndarray:
    import_tensorflow()
    import tensorflow as tf

    return tf.io.decode_png(data, channels=4, dtype=tf.uint16).numpy()


def _from_deep_tiff(data: bytes, name: str) -> Picture | None:
    """A picture from a TIFF of 16 or more bits per channel; None if it's no such file, or Pillow's to try."""
    import tifffile

    logging.getLogger("tifffile").addHandler(_SILENT)
    with _decoding(name), tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        check_pixels(page.imagewidth, page.imagelength, name)
        meaning, alphas = tifffile.PHOTOMETRIC, tifffile.EXTRASAMPLE
        if (
            page.bitspersample not in (16, 32, 64)
            or page.samplesperpixel > 8
            or page.photometric not in (meaning.RGB, meaning.MINISBLACK, meaning.MINISWHITE)
            or page.compression not in tifffile.TIFF.DECOMPRESSORS
            or page.predictor not in tifffile.TIFF.UNPREDICTORS
        ):
            return None
        if np.count_nonzero(page.databytecounts) < np.prod(page.chunked):
            raise ValueError("a part of the pixels is missing")  # which tifffile would fill with zeros
        planes = page.asarray(squeeze=False)[:, 0]  # (planes, height, width, channels), one of the two 1
        extra = page.extrasamples[0] if page.extrasamples else alphas.UNSPECIFIED
        used = (3 if page.photometric == meaning.RGB else 1) + (extra != alphas.UNSPECIFIED)
        pixels = np.concatenate(list(planes), axis=-1)[..., :used]
        icc, orientation = page.tags.valueof(_ICC_PROFILE), page.tags.valueof(_ORIENTATION)
    rgb, alpha = channels_of(pixels, name)
    if alpha is not None and extra == alphas.ASSOCALPHA:
        rgb = unpremultiplied(rgb, alpha[..., None])
    if page.photometric == meaning.MINISWHITE:
        rgb = 1 - rgb
    return made_picture(_upright(to_srgb(rgb, icc), orientation), _upright(alpha, orientation), name)


def _upright(array: Any, orientation: object) -> Any:
    """An array (height, width, ...), or None, turned upright from how EXIF says it's stored."""
    if array is not None and orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if array is not None and orientation in (3, 4, 7, 8):
        array = array[::-1]
    if array is not None and orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _encoded(rgb: np.ndarray, alpha: np.ndarray | None, kind: str, bits: int, quality: int) -> bytes:
    """The bytes of a file of one of the `_FORMATS`."""
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
        Image.fromarray(levels).save(file, kind, quality=quality, subsampling=0)  # PNG minds neither
    return file.getvalue()
