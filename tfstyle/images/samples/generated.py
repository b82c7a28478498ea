"""Pictures that are generated from a seed: paintings, scenes of known depth, and domains for unpaired training."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tfstyle.core.errors import InputError, unknown
from tfstyle.images.samples import scenes
from tfstyle.images.samples.scenes import SCENES

STYLES: tuple[str, ...] = ("impasto", "ink", "mosaic")
"""The paintings of `style`."""
DOMAINS: tuple[str, ...] = ("sketch", "ink", "oil", "photo")
"""The domains of `domain`."""

_SMALLEST = 64  # shortest side in pixels (chosen)
_SUPERSAMPLING = 2  # factor by which a painting is larger before it is reduced: that smooths edges (chosen)


def style(name: str, size: int | tuple[int, int] = 512, seed: int = 0) -> np.ndarray:
    """A generated painting.

    Strokes and tiles scale with the short side, so that a painting looks alike at every size.

    Args:
        name: One of `STYLES`: `impasto` (a swirling night sky in thick oil paint), `ink` (a landscape of misty
            mountains in ink wash) or `mosaic` (a fish in glass tesserae).
        size: Side of a square, or `(h, w)`, in pixels, at least 64.
        seed: Seed of the painting, from 0; in every process it gives the same pixels.

    Returns:
        float32 `(h, w, 3)`, RGB in [0, 1].

    Raises:
        InputError: There is no painting of that name, the size is too small, or the seed is negative.

    Examples:
        >>> style("ink", (64, 80)).shape
        (64, 80, 3)
    """
    if name not in STYLES:
        raise unknown("sample", name, STYLES)
    return _paint(name, _checked_shape(size, seed), np.random.default_rng(seed))


def scene(name: str, size: int | tuple[int, int] = 512, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A generated scene, and its inverse depth.

    Args:
        name: One of `SCENES`: `open` (things outdoors), `street`, `room`, `table` (seen from above) or `portrait`
            (one large thing in front of any of the first three).
        size: Side of a square, or `(h, w)`, in pixels, at least 64.
        seed: Seed of the scene, from 0; in every process it gives the same pixels.

    Returns:
        The picture, float32 `(h, w, 3)`, RGB in [0, 1]; and its inverse depth as in `tfstyle.depth`, float32 `(h,
        w)`, scaled to [0, 1]: 1 at the nearest point, 0 at the farthest.

    Raises:
        InputError: There is no scene of that name, the size is too small, or the seed is negative.

    Examples:
        >>> picture, inverse_depth = scene("room", 64)
        >>> picture.shape, float(inverse_depth.max())
        ((64, 64, 3), 1.0)
    """
    if name not in SCENES:
        raise unknown("scene", name, SCENES)
    return scenes.render(_checked_shape(size, seed), np.random.default_rng(seed), kind=name)


def domain(name: str, number: int = 0, size: int | tuple[int, int] = 256, seed: int = 0) -> np.ndarray:
    """A generated picture of a domain, to try unpaired training on.

    Args:
        name: One of `DOMAINS`: `sketch` (hatched pencil drawings of scenes), `ink` (landscapes in ink wash), `oil`
            (night skies in thick oil paint) or `photo` (scenes, in place of photographs).
        number: Index of the picture in the domain, from 0.
        size: Side of a square, or `(h, w)`, in pixels, at least 64.
        seed: Seed of the domain, from 0; in every process it gives the same pixels.

    Returns:
        float32 `(h, w, 3)`, RGB in [0, 1].

    Raises:
        InputError: There is no domain of that name, the size is too small, or number or seed is negative.

    Examples:
        >>> domain("sketch", number=3, size=64).shape
        (64, 64, 3)
    """
    if name not in DOMAINS:
        raise unknown("domain", name, DOMAINS)
    shape = _checked_shape(size, seed)
    if number < 0:
        raise InputError(f"number {number} is negative: use 0 or more")
    rng = np.random.default_rng([seed, DOMAINS.index(name), number])  # so no sketch shows the scene of a photo
    if name == "photo":
        return scenes.render(shape, rng)[0]
    return _paint({"sketch": "pencil", "ink": "ink", "oil": "impasto"}[name], shape, rng)


def _paint(name: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A painting or drawing, reduced from a larger one."""
    from tfstyle.images.samples import impasto, ink, mosaic, pencil  # not above: SciPy takes a while to import

    painters = {"impasto": impasto.paint, "ink": ink.paint, "mosaic": mosaic.paint, "pencil": pencil.paint}
    canvas = painters[name]((shape[0] * _SUPERSAMPLING, shape[1] * _SUPERSAMPLING), rng)
    bands = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(canvas, -1, 0)]
    reduced = np.stack([np.asarray(band.reduce(_SUPERSAMPLING)) for band in bands], axis=-1)
    return np.clip(reduced, 0, 1)


def _checked_shape(size: int | tuple[int, int], seed: int) -> tuple[int, int]:
    """The shape of a picture; raises an `InputError` for a small size or a negative seed."""
    h, w = (size, size) if isinstance(size, int) else size
    if min(h, w) < _SMALLEST:
        raise InputError(f"a sample of {h} × {w} pixels is too small: both sides must be {_SMALLEST} or more")
    if seed < 0:
        raise InputError(f"seed {seed} is negative: use 0 or more")
    return h, w
