"""Colours of ICC profiles brought to sRGB."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from tfstyle.images.picture import quantized


def transform_to_srgb(icc: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """The transform from an ICC profile's colours to 8-bit sRGB; None without a profile that can be used."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc or b""))
        mode = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}[profile.profile.xcolor_space]
        # Little CMS's shortcut for greys is up to ten levels off in the shadows
        flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB", flags=flags)
    except Exception:  # as for EXIF data
        return None


def to_srgb(rgb: np.ndarray, icc: bytes | None) -> np.ndarray:
    """Float colours brought from an RGB or grey ICC profile to sRGB; unchanged if that's what they're in."""
    transform = transform_to_srgb(icc)
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
    return converted(quantized(rgb, 8)) / np.float32(255)
