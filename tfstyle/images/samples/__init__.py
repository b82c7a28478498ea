"""Sample pictures that need no network: photographs to paint, paintings to take a style from, and scenes with depth.

The photographs are those that come inside scikit-image. The paintings are made here, stroke by stroke,
from a seed, and so are the scenes, and as many pictures of a domain as are wanted, to train on. Of one photograph,
`motorcycle`, the true depth is known.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from tfstyle.core.errors import InputError, unknown
from tfstyle.core.files import reason

CONTENTS: tuple[str, ...] = ("astronaut", "chelsea", "coffee", "rocket")
STYLES: tuple[str, ...] = ("impasto", "ink", "mosaic")
SCENES: tuple[str, ...] = ("open", "street", "room", "table", "portrait")
DOMAINS: tuple[str, ...] = ("sketch", "ink", "oil", "photo")

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
    return _painted(name, _checked(size, seed), np.random.default_rng(seed))


def _painted(name: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A painting by one of the hands, reduced from a larger one."""
    # Here, not above: SciPy is slow to import.
    from tfstyle.images.samples import impasto, ink, mosaic, pencil

    hands = {"impasto": impasto.paint, "ink": ink.paint, "mosaic": mosaic.paint, "pencil": pencil.paint}
    canvas = hands[name]((shape[0] * _SUPERSAMPLING, shape[1] * _SUPERSAMPLING), rng)
    bands = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(canvas, -1, 0)]
    reduced = np.stack([np.asarray(band.reduce(_SUPERSAMPLING)) for band in bands], axis=-1)
    return np.clip(reduced, 0, 1)


def scene(name: str, size: int | tuple[int, int] = 512, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A made scene, and how near each of its points is.

    Args:
        name: One of `SCENES`: `open` (things in the open), `street`, `room`, `table` (seen from above) or `portrait`
            (one large thing before any of the first three).
        size: Side of a square, or `(h, w)`, in pixels, 64 or more.
        seed: Which scene, 0 or more; the same one gives the same pixels in every process.

    Returns:
        The picture, float32 `(h, w, 3)` in [0, 1]; and its proximity as `tfstyle.depth` has it: inverse depth,
        float32 `(h, w)`, scaled so that the farthest point is 0 and the nearest 1.

    Raises:
        InputError: If there is no such scene, it would be too small, or the seed is negative.
    """
    if name not in SCENES:
        raise unknown("scene", name, SCENES)
    from tfstyle.images.samples import scenes

    return scenes.render(_checked(size, seed), np.random.default_rng(seed), kind=name)


def domain(name: str, number: int = 0, size: int | tuple[int, int] = 256, seed: int = 0) -> np.ndarray:
    """A picture of a domain, of which there are as many as one likes: what unpaired training can be tried on.

    Args:
        name: One of `DOMAINS`: `sketch` (pencil drawings of made scenes, hatched), `ink` (landscapes in ink wash),
            `oil` (night skies in thick oil paint), or `photo` (made scenes, in the place of photographs).
        number: Which picture, 0 or more.
        size: Side of a square, or `(h, w)`, in pixels, 64 or more.
        seed: Of all of the domain's pictures, 0 or more; the same one gives the same pixels in every process.

    Returns:
        float32 `(h, w, 3)` in [0, 1].

    Raises:
        InputError: If there is no such domain, it would be too small, or number or seed is negative.
    """
    if name not in DOMAINS:
        raise unknown("domain", name, DOMAINS)
    shape = _checked(size, seed)
    if number < 0:
        raise InputError(f"number {number} is negative: use 0 or more")
    rng = np.random.default_rng([seed, DOMAINS.index(name), number])  # no sketch is of a scene that is a photo
    if name == "photo":
        from tfstyle.images.samples import scenes

        return scenes.render(shape, rng)[0]
    return _painted({"sketch": "pencil", "ink": "ink", "oil": "impasto"}[name], shape, rng)


def motorcycle() -> tuple[np.ndarray, np.ndarray]:
    """The left picture of scikit-image's stereo pair of a motorcycle, and its true disparity.

    It comes inside scikit-image 0.26; where it doesn't, scikit-image downloads it on first use, for which it needs
    pooch, but not with `TFSTYLE_OFFLINE=1`.

    Returns:
        float32 `(500, 741, 3)` in [0, 1]; and the disparity in pixels, which is inverse depth up to scale and shift,
        float32 `(500, 741)`, NaN where it isn't known.

    Raises:
        InputError: If it can't be had.

    Reference:
        Scharstein et al. 2014, "High-resolution stereo datasets with subpixel-accurate ground truth".
    """
    from skimage import data
    from skimage.data import _fetchers

    folders = (getattr(_fetchers, name, "") for name in ("data_dir", "_LEGACY_DATA_DIR"))
    kept = any((Path(folder) / "motorcycle_disp.npz").is_file() for folder in folders)
    missing = "the stereo pair motorcycle is not on this machine"
    if not kept and os.environ.get("TFSTYLE_OFFLINE", "") not in ("", "0"):
        raise InputError(f"{missing}, and $TFSTYLE_OFFLINE is set: unset it, with pooch installed, to download it")
    try:
        left, _, disparity = data.stereo_motorcycle()
    except (ImportError, OSError) as error:  # without pooch, or without network
        raise InputError(f"{missing} ({reason(error)[:90]}): pip install pooch, and try with a network") from error
    known = np.isfinite(disparity)
    return np.asarray(left, np.float32) / 255, np.where(known, disparity, np.nan).astype(np.float32)


def _checked(size: int | tuple[int, int], seed: int) -> tuple[int, int]:
    h, w = (size, size) if isinstance(size, int) else size
    if min(h, w) < _SMALLEST:
        raise InputError(f"a sample of {h} × {w} pixels is too small: both sides must be {_SMALLEST} or more")
    if seed < 0:
        raise InputError(f"seed {seed} is negative: use 0 or more")
    return h, w
