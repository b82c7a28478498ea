"""Luminance: how light a pixel is, as a weighted sum of red, green and blue."""

from __future__ import annotations

import numpy as np

BT601 = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in the Y of NTSC's YIQ: ITU-R BT.601, section 2.5.1."""
BT709 = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue in the luminance of sRGB's primaries: ITU-R BT.709."""


def luminance(rgb: np.ndarray) -> np.ndarray:
    """The luminance Y of YIQ, 0.299 R + 0.587 G + 0.114 B.

    It is computed from sRGB values as they are, not from linear light. The luminance of a grey pixel is exactly its
    value.

    Args:
        rgb: `(..., 3)`, RGB in [0, 1].

    Returns:
        float32 `(..., 1)` in [0, 1].

    Examples:
        >>> luminance(np.array([[0.25, 0.25, 0.25], [1.0, 1.0, 1.0]])).tolist()
        [[0.25], [1.0]]
    """
    return (np.asarray(rgb) @ BT601)[..., None].astype(np.float32)  # float64 until here: greys stay exact
