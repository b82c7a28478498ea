"""Colour conversion from ICC profiles to sRGB."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from tfstyle.images.picture import quantized


def transform_to_srgb(icc: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """The transform from a profile's colours to 8-bit sRGB.

    Args:
        icc: An ICC profile, or None.

    Returns:
        The transform; None without a profile, or with one that can't be used.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc or b""))
        mode = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}[profile.profile.xcolor_space]
        # The optimised transform of Little CMS for grey is up to ten levels off in the shadows.
        flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB", flags=flags)
    except Exception:  # a broken profile is no reason to refuse good pixels
        return None


def to_srgb(rgb: np.ndarray, icc: bytes | None) -> np.ndarray:
    """Colours converted from an RGB or grey profile to sRGB, with 8 bits; unchanged if the profile is sRGB.

    Args:
        rgb: float32 `(height, width, 3)` in [0, 1].
        icc: An ICC profile, or None.

    Returns:
        float32 `(height, width, 3)` in [0, 1].
    """
    transform = transform_to_srgb(icc)
    mode = transform.input_mode if transform else None
    if transform is None or mode == "CMYK" or (mode == "L" and not (rgb == rgb[..., :1]).all()):
        return rgb

    def convert(levels: np.ndarray) -> np.ndarray:
        image = Image.fromarray(levels if mode == "RGB" else np.ascontiguousarray(levels[..., 0]))
        return np.asarray(ImageCms.applyTransform(image, transform))

    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    samples = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    expected = samples if mode == "RGB" else samples[..., :1]
    if np.abs(convert(samples) - expected.astype(int)).max() <= 1:
        return rgb  # the profile is sRGB, whatever its name: the colours keep their precision
    return convert(quantized(rgb, 8)) / np.float32(255)
