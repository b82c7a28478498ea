"""Pictures from files, PIL images and arrays, and back into files.

A picture here is always sRGB, in floats from 0 to 1, the right way up, with its transparency beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from tfstyle import files
from tfstyle.errors import InputError
from tfstyle.runtime import import_tensorflow

MAX_PIXELS = 178_956_970
"""The most pixels a file may have, and `Picture.resized` may make: where Pillow calls it an attack."""

_FORMATS = {  # what each suffix is written as, and the bits per channel it can hold
    ".png": ("PNG", (8, 16)),
    ".tif": ("TIFF", (8, 16)),
    ".tiff": ("TIFF", (8, 16)),
    ".jpg": ("JPEG", (8,)),
    ".jpeg": ("JPEG", (8,)),
    ".webp": ("WebP", (8,)),
}
_ORIENTATION, _ICC_PROFILE = 0x0112, 0x8773  # TIFF tags; EXIF is a TIFF inside
_TOPS = {"bool": 1, "uint8": 255, "uint16": 65535, "float": 1, "bfloat16": 1}  # what means 1.0, by dtype
_OVERSHOOT = 1e-3  # how far out of [0, 1] rounding may have carried a float that is meant to be in it
_INVISIBLE = 0.5 / 65535  # an alpha that even 16 bits round to zero
_SILENT = logging.NullHandler()  # keeps tifffile from printing what it logs where nobody set up logging
_warning_filters = threading.Lock()  # Python's warning filters belong to the process, not to the thread


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture in memory.

    Attributes:
        rgb: float32 (height, width, 3), sRGB in [0, 1]; white where `alpha` is 0.
        alpha: float32 (height, width) in [0, 1], not multiplied into `rgb`; None if all is opaque.
        name: What messages call it: the path as given, "the PIL image" or "the array".
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    name: str

    @property
    def sha256(self) -> str:
        """SHA-256, in hexadecimal, of the shape and the values, whatever file or array they came from."""
        digest = hashlib.sha256(repr(self.rgb.shape).encode())
        for channels in (self.rgb, self.alpha):
            digest.update(b"" if channels is None else np.ascontiguousarray(channels, "<f4").tobytes())
        return digest.hexdigest()

    def resized(self, size: int | tuple[int, int]) -> Picture:
        """This picture at another size, larger or smaller, by antialiased Lanczos resampling in floats.

        Nothing visible takes colour from transparent pixels, and no value leaves [0, 1].

        Args:
            size: Pixels of the longer side (the aspect ratio is kept), or the exact (height, width).

        Raises:
            InputError: `size` isn't positive whole pixels, or makes more than `MAX_PIXELS`.
        """
        old = self.rgb.shape[:2]
        sides = size if isinstance(size, tuple) else (size,)
        if len(sides) not in (1, 2) or not all(isinstance(n, int | np.integer) and n > 0 for n in sides):
            raise InputError(f"size {size!r} can't be used for {self.name}: give whole pixels, 1 or more")
        height, width = sides if len(sides) == 2 else fitted_shape(old[0], old[1], sides[0])
        if (height, width) == old:
            return self
        _check_pixels(width, height, f"{self.name} at size {size}")
        if self.alpha is None:
            return _picture(_resampled(self.rgb, height, width), None, self.name)
        alpha = _resampled(self.alpha[..., None], height, width)
        product = _resampled(self.rgb * self.alpha[..., None], height, width)
        return _picture(_unpremultiplied(product, alpha), alpha[..., 0], self.name)


Source = str | os.PathLike[str] | Image.Image | np.ndarray | Picture


def fitted_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """The (height, width), in pixels, of a picture whose longer side is brought to `size`, aspect kept."""
    longer = max(height, width)
    return max(1, round(height * size / longer)), max(1, round(width * size / longer))


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
        picture = _picture(*_channels(source, name), name)
    return picture if size is None else picture.resized(size)


def save(
    picture: np.ndarray | Picture,
    path: str | os.PathLike[str],
    *,
    alpha: np.ndarray | None = None,
    bits: int = 8,
    quality: int = 95,
) -> None:
    """Write a picture in the format the path's suffix names, completely or not at all (`tfstyle.files`).

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
        rgb, own = _channels(picture.rgb, picture.name, clip=True)[0], picture.alpha
    else:
        rgb, own = _channels(picture, "the array", clip=True)
    alpha = own if alpha is None else alpha
    if alpha is not None:
        alpha = _channels(alpha, "the alpha", clip=True)[0][..., 0]
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


def _check_pixels(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        problem = f"{name} has {width}x{height} pixels, more than the {MAX_PIXELS:,} allowed"
        raise InputError(f"{problem}; make it smaller")


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
        _check_pixels(*image.size, name)
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
    rgb, alpha = _channels(pixels, name)
    if image.mode not in ("CMYK", "LAB"):  # converted already, and not a matter of their profile any more
        rgb = _managed(rgb, icc)
    return _picture(_upright(rgb, orientation), _upright(alpha, orientation), name)


def _pixels(image: Image.Image, icc: bytes | None) -> np.ndarray:
    """The pixels of a PIL image as an array that `_channels` takes."""
    if image.mode == "I":  # 32-bit integers, in which Pillow by custom keeps 16-bit greys
        values = np.asarray(image)
        return values.astype(np.uint16) if values.min() >= 0 and values.max() <= 65535 else values
    if image.mode == "F" or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.mode == "CMYK" and (transform := _to_srgb(icc)) and transform.input_mode == "CMYK":
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
        _check_pixels(page.imagewidth, page.imagelength, name)
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
    rgb, alpha = _channels(pixels, name)
    if alpha is not None and extra == alphas.ASSOCALPHA:
        rgb = _unpremultiplied(rgb, alpha[..., None])
    if page.photometric == meaning.MINISWHITE:
        rgb = 1 - rgb
    return _picture(_upright(_managed(rgb, icc), orientation), _upright(alpha, orientation), name)


def _channels(source: Any, name: str, *, clip: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours (height, width, 3) and alpha (height, width) of an array, as new float32 arrays in [0, 1].

    Floats well outside that are refused, or with `clip` clipped.
    """
    try:
        array = np.asarray(source)
    except (TypeError, ValueError, RuntimeError) as error:  # such as a tensor on another device
        raise InputError(f"{name} can't be made a NumPy array ({files.reason(error)}); convert it") from error
    kind = "float" if array.dtype.kind == "f" else array.dtype.name
    if kind not in _TOPS:
        raise InputError(f"{name} has the dtype {kind}; convert it to uint8, uint16 or floats in [0, 1]")
    shape = array.shape
    if array.ndim not in (2, 3) or 0 in shape or (array.ndim == 3 and shape[2] > 4):
        wanted = "(height, width) or (height, width, 1 to 4 channels)"
        raise InputError(f"{name} has the shape {shape}; give it {wanted}, none of them zero")
    with np.errstate(over="ignore"):  # what overflows is refused below
        array = np.atleast_3d(array).astype(np.float32) / np.float32(_TOPS[kind])
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


def _picture(rgb: np.ndarray, alpha: np.ndarray | None, name: str) -> Picture:
    """A `Picture` that keeps its promises on range, opaque alpha, and the colour of what can't be seen."""
    rgb = np.ascontiguousarray(np.clip(rgb, 0, 1))
    if alpha is not None:
        alpha = np.ascontiguousarray(np.clip(alpha, 0, 1))
        rgb[alpha == 0] = 1
    return Picture(rgb, None if alpha is None or alpha.min() == 1 else alpha, name)


def _unpremultiplied(product: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours whose product with alpha (h, w, 1) is given; white where there's too little to tell."""
    return np.divide(product, alpha, out=np.ones_like(product), where=alpha > _INVISIBLE)


def _resampled(channels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Float32 (h, w, c) at another size: Pillow resamples floats one channel at a time."""
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(channels, -1, 0))
    resized = (plane.resize((width, height), Image.Resampling.LANCZOS) for plane in planes)
    return np.stack([np.asarray(plane) for plane in resized], axis=-1)


def _upright(array: Any, orientation: object) -> Any:
    """An array (height, width, ...), or None, turned upright from how EXIF says it's stored."""
    if array is not None and orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if array is not None and orientation in (3, 4, 7, 8):
        array = array[::-1]
    if array is not None and orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _to_srgb(icc: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """The transform from an ICC profile's colours to 8-bit sRGB; None without a profile that can be used."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc or b""))
        mode = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}[profile.profile.xcolor_space]
        # Little CMS's shortcut for greys is up to ten levels off in the shadows
        flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB", flags=flags)
    except Exception:  # as for EXIF data
        return None


def _managed(rgb: np.ndarray, icc: bytes | None) -> np.ndarray:
    """Float colours brought from an RGB or grey ICC profile to sRGB; unchanged if that's what they're in."""
    transform = _to_srgb(icc)
    mode = transform.input_mode if transform else None
    if transform is None or mode == "CMYK" or (mode == "L" and not (rgb == rgb[..., :1]).all()):
        return rgb

    def converted(levels: np.ndarray) -> np.ndarray:
        image = Image.fromarray(levels if mode == "RGB" else np.ascontiguousarray(levels[..., 0]))
        return np.asarray(ImageCms.applyTransform(image, transform))

    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    expected = probe if mode == "RGB" else probe[..., :1]
    if np.abs(converted(probe) - expected.astype(int)).max() <= 1:
        return rgb  # the profile is sRGB, under whichever name: no reason to go through 8 bits
    return converted(_quantized(rgb, 8)) / np.float32(255)


def _quantized(values: np.ndarray, bits: int) -> np.ndarray:
    """Floats in [0, 1] as the nearest of the levels that 8 or 16 bits have."""
    levels = np.rint(np.multiply(values, 2**bits - 1, dtype=np.float64))
    return levels.astype(np.uint8 if bits == 8 else np.uint16)


def _encoded(rgb: np.ndarray, alpha: np.ndarray | None, kind: str, bits: int, quality: int) -> bytes:
    """The bytes of a file of one of the `_FORMATS`."""
    if alpha is not None and kind == "JPEG":
        rgb, alpha = 1 - (1 - rgb) * alpha[..., None], None
    levels = _quantized(rgb if alpha is None else np.dstack([rgb, alpha]), bits)
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
