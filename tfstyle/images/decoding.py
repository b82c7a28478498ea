"""Decoding of image files and PIL images: upright, in sRGB, and with the precision of the file."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.runtime import import_tensorflow
from tfstyle.images.icc import to_srgb, transform_to_srgb
from tfstyle.images.picture import MAX_PIXELS, Picture, channels_of, check_pixels, make_picture, unpremultiplied

_ORIENTATION, _ICC_PROFILE = 0x0112, 0x8773  # TIFF tags; EXIF data has the format of TIFF
_SILENT = logging.NullHandler()  # keeps tifffile from printing its log lines if nobody has set up logging
_warning_filters = threading.Lock()  # Python's warning filters belong to the process, not to the thread


def from_path(path: str | os.PathLike[str], name: str) -> Picture:
    """A picture from a file.

    Args:
        path: A file that Pillow or tifffile can decode.
        name: The name for messages.

    Raises:
        InputError: The file can't be read or decoded, or has more than `MAX_PIXELS` pixels.
    """
    return from_bytes(_read(path, name), name)


def from_bytes(data: bytes, name: str) -> Picture:
    """A picture from the content of a file.

    Args:
        data: The content.
        name: The name for messages.

    Raises:
        InputError: The data can't be decoded, or has more than `MAX_PIXELS` pixels.
    """
    is_tiff = data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
    if is_tiff and (picture := _from_deep_tiff(data, name)) is not None:
        return picture
    with _decoder_errors(name):
        image = Image.open(io.BytesIO(data))
        check_pixels(*image.size, name)
    is_deep_png = data.startswith(b"\x89PNG") and data[24] == 16  # the bit depth in IHDR
    return from_image(image, name, data if is_deep_png else None)


def from_image(image: Image.Image, name: str, deep_png: bytes | None = None) -> Picture:
    """A picture from a PIL image.

    Args:
        image: The image, whose current frame is taken.
        name: The name for messages.
        deep_png: Content of a 16-bit PNG file, whose pixels replace those of the image: Pillow cuts them to 8 bits.

    Raises:
        InputError: The image can't be decoded.
    """
    with _decoder_errors(name):
        icc = image.info.get("icc_profile")
        pixels = _pixels(image, icc) if deep_png is None else _decode_deep_png(deep_png)
        try:  # only now: a PNG may have EXIF data behind the pixels, and Pillow turns the pixels of a TIFF itself
            orientation = image.getexif().get(_ORIENTATION)
        except Exception:  # broken EXIF data is no reason to refuse good pixels
            orientation = None
    rgb, alpha = channels_of(pixels, name)
    if image.mode not in ("CMYK", "LAB"):  # those are converted already, and the profile is not of the result
        rgb = to_srgb(rgb, icc)
    return make_picture(_upright(rgb, orientation), _upright(alpha, orientation), name)


def _read(path: str | os.PathLike[str], name: str) -> bytes:
    """The content of a file that is not empty."""
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
def _decoder_errors(name: str) -> Iterator[None]:
    """Turn every exception of a decoder into an `InputError`, and suppress its warnings."""
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
    except Exception as error:  # decoders raise nearly every exception for damaged data
        raise InputError(f"{name} is damaged or incomplete ({files.reason(error)}); save it anew") from error


def _pixels(image: Image.Image, icc: bytes | None) -> np.ndarray:
    """The pixels of a PIL image as an array for `channels_of`."""
    if image.mode == "I":  # 32-bit integers, in which Pillow by custom keeps 16-bit greys
        values = np.asarray(image)
        return values.astype(np.uint16) if values.min() >= 0 and values.max() <= 65535 else values
    if image.mode == "F" or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.mode == "CMYK" and (transform := transform_to_srgb(icc)) and transform.input_mode == "CMYK":
        return np.asarray(ImageCms.applyTransform(image, transform))
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _decode_deep_png(data: bytes) -> np.ndarray:
    """The pixels of a PNG file: uint16 (height, width, 4)."""
    import_tensorflow()
    import tensorflow as tf

    return tf.io.decode_png(data, channels=4, dtype=tf.uint16).numpy()


def _from_deep_tiff(data: bytes, name: str) -> Picture | None:
    """A picture from a TIFF file of 16 or more bits a channel; None if Pillow has to decode it."""
    import tifffile

    logging.getLogger("tifffile").addHandler(_SILENT)
    with _decoder_errors(name), tifffile.TiffFile(io.BytesIO(data)) as file:
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
            raise ValueError("a part of the pixels is missing")  # tifffile would fill it with zeros
        planes = page.asarray(squeeze=False)[:, 0]  # (planes, height, width, channels): planes or channels are 1
        extra = page.extrasamples[0] if page.extrasamples else alphas.UNSPECIFIED
        channels = (3 if page.photometric == meaning.RGB else 1) + (extra != alphas.UNSPECIFIED)
        pixels = np.concatenate(list(planes), axis=-1)[..., :channels]
        icc, orientation = page.tags.valueof(_ICC_PROFILE), page.tags.valueof(_ORIENTATION)
    rgb, alpha = channels_of(pixels, name)
    if alpha is not None and extra == alphas.ASSOCALPHA:
        rgb = unpremultiplied(rgb, alpha[..., None])
    if page.photometric == meaning.MINISWHITE:
        rgb = 1 - rgb
    return make_picture(_upright(to_srgb(rgb, icc), orientation), _upright(alpha, orientation), name)


def _upright(array: Any, orientation: object) -> Any:
    """An array (height, width, ...), or None, turned upright by the value of EXIF's orientation tag."""
    if array is not None and orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if array is not None and orientation in (3, 4, 7, 8):
        array = array[::-1]
    if array is not None and orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array
