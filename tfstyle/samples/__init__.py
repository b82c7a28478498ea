"""Sample pictures that need no network: photographs to paint, and paintings to take a style from.

The photographs are those that come inside scikit-image. The paintings are made here, stroke by stroke,
from a seed.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from tfstyle.errors import InputError, unknown

CONTENTS: tuple[str, ...] = ("astronaut", "chelsea", "coffee", "rocket")
STYLES: tuple[str, ...] = ("impasto", "ink", "mosaic")

_SMALLEST = 64
_SUPERSAMPLING = 2  # painted larger, then reduced: what rounds off the edges of strokes and tiles


def content(name: str) -> np.ndarray:
    """A photograph out of scikit-image, at its native size.

    Args:
        name: One of `CONTENTS`.

    Returns:
        float32 `(h, w, 3)` in [0, 1].

    Raises:
        InputError: If there is no such photograph.
    """
    if name not in CONTENTS:
        raise unknown("sample", name, CONTENTS)
    from skimage import data

    return np.asarray(getattr(data, name)(), np.float32) / 255


def style(name: str, size: int | tuple[int, int] = 512, seed: int = 0) -> np.ndarray:
    """A painting by the library's own hand.

    Strokes and tiles scale with the short side, so every size shows the same kind of picture.

    Args:
        name: One of `STYLES`: `impasto` (a swirling night sky in thick oil paint), `ink` (a landscape of
            misty mountains in ink wash) or `mosaic` (a fish in glass tesserae).
        size: Side of a square, or `(h, w)`, in pixels, 64 or more.
        seed: Which painting, 0 or more; the same one gives the same pixels in every process.

    Returns:
        float32 `(h, w, 3)` in [0, 1].

    Raises:
        InputError: If there is no such painting, it would be too small, or the seed is negative.
    """
    if name not in STYLES:
        raise unknown("sample", name, STYLES)
    h, w = (size, size) if isinstance(size, int) else size
    if min(h, w) < _SMALLEST:
        raise InputError(f"a sample of {h} × {w} pixels is too small: both sides must be {_SMALLEST} or more")
    if seed < 0:
        raise InputError(f"seed {seed} is negative: use 0 or more")
    # Here, not above: SciPy is slow to import.
    from tfstyle.samples import impasto, ink, mosaic

    paint = {"impasto": impasto.paint, "ink": ink.paint, "mosaic": mosaic.paint}[name]
    canvas = paint((h * _SUPERSAMPLING, w * _SUPERSAMPLING), np.random.default_rng(seed))
    bands = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(canvas, -1, 0)]
    reduced = np.stack([np.asarray(band.reduce(_SUPERSAMPLING)) for band in bands], axis=-1)
    return np.clip(reduced, 0, 1)
