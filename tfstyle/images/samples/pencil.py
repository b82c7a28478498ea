"""A pencil drawing of a generated scene: outlines, hatching, grain of paper. All proportions were set by eye."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tfstyle.images.luminance import BT709
from tfstyle.images.samples import noise, scenes
from tfstyle.images.samples.paper import Sheet

_PAPER = np.array([0.965, 0.958, 0.940], np.float32)
_GRAPHITE = np.array([1.00, 0.985, 0.955], np.float32)  # absorbance of graphite in each channel
_GRID = 224  # resolution of the scene along the short side; strokes add the finer detail
# Layers of hatching: angle in degrees, pitch of the lines in short sides, least darkness, and pressure.
_LAYERS = (
    (-52.0, 0.0095, 0.26, 0.34),
    (-47.0, 0.0085, 0.50, 0.42),
    (-8.0, 0.0090, 0.68, 0.45),
    (-80.0, 0.0085, 0.82, 0.55),
)
_RUN = 0.085  # length of a line of hatching, in short sides
_POINTS = 12  # points of a line


def paint(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw the picture.

    Args:
        shape: `(h, w)` in pixels.
        rng: Random numbers.

    Returns:
        float32 `(h, w, 3)`, RGB in [0, 1].
    """
    short = min(shape)
    grid = (round(shape[0] * _GRID / short), round(shape[1] * _GRID / short))
    picture, inverse_depth = scenes.render(grid, rng)
    sheet = Sheet(shape, rng)
    dark, lines = _darkness(picture), _lines(picture, inverse_depth)
    for layer in _LAYERS:
        _hatch(sheet, dark, *layer)
    _outline(sheet, lines)
    return _drawn(sheet)


def _darkness(picture: np.ndarray) -> np.ndarray:
    """The darkness of each point of the drawing, in [0, 1]: from the rank of its light, so that all tones occur."""
    from scipy import ndimage

    light = ndimage.gaussian_filter(picture @ BT709.astype(np.float32), 2.0)
    rank = np.searchsorted(np.sort(light.ravel()), light) / light.size
    low, high = np.percentile(light, (2, 98))
    level = np.clip((light - low) / max(high - low, 1e-3), 0, 1)
    return (1 - (0.35 * rank + 0.65 * level)).astype(np.float32)


def _lines(picture: np.ndarray, inverse_depth: np.ndarray) -> np.ndarray:
    """The strength of outlines, in [0, 1]: at steps of depth, and at strong steps of light."""
    from scipy import ndimage

    light = ndimage.gaussian_filter(picture.mean(axis=-1), 0.8)
    near = np.log(0.05 + ndimage.gaussian_filter(inverse_depth, 0.6))
    steps = [np.hypot(*np.gradient(each)) for each in (near, light)]
    strength = np.clip(np.maximum(steps[0] / 0.10, steps[1] / 0.08), 0, 1.5)
    thin = strength - 1.05 * ndimage.gaussian_filter(strength, 2.2)  # the middle of a step only
    return np.clip(2.2 * (thin - 0.28), 0, 1).astype(np.float32)


def _at(field: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The values of a field at positions in short sides; outside the field, the nearest ones."""
    short = min(field.shape)
    row = np.clip((y * short).astype(int), 0, field.shape[0] - 1)
    column = np.clip((x * short).astype(int), 0, field.shape[1] - 1)
    return field[row, column]


def _hatch(sheet: Sheet, dark: np.ndarray, angle: float, pitch: float, least: float, pressure: float) -> None:
    """Draw parallel lines where it is darker than `least`: darker lines for more pressure, lighter at the ends."""
    rng = sheet.rng
    turn = np.deg2rad(angle + rng.normal(0, 4))
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    reach = np.hypot(sheet.h, sheet.w) / 2
    a, b = np.meshgrid(np.arange(-reach, reach, 0.8 * _RUN), np.arange(-reach, reach, pitch))
    a = a + rng.uniform(0, 0.8 * _RUN, (len(a), 1)) + rng.normal(0, 0.12 * _RUN, a.shape)
    b = b + rng.normal(0, 0.16 * pitch, b.shape)
    t = np.linspace(-0.5, 0.5, _POINTS)
    run = _RUN * rng.uniform(0.6, 1.25, (a.size, 1))
    bow = rng.normal(0.012, 0.02, (a.size, 1)) * run * (1 - 4 * t**2)  # curvature by the wrist
    p, q = a.reshape(-1, 1) + run * t, b.reshape(-1, 1) + bow + rng.normal(0, 0.02, (a.size, 1)) * run * t
    x = sheet.w / 2 + p * along[0] + q * across[0]
    y = sheet.h / 2 + p * along[1] + q * across[1]
    tone = _at(dark, x, y)
    load = np.clip((tone - least) / 0.10, 0, 1) * pressure * (0.55 + 0.75 * tone)
    load *= rng.uniform(0.65, 1.1, (a.size, 1)) * (1.1 - 0.5 * np.abs(2 * t) ** 3)
    used = (load.max(axis=1) > 0.02) & (x.max(axis=1) > 0) & (x.min(axis=1) < sheet.w)
    used &= (y.max(axis=1) > 0) & (y.min(axis=1) < sheet.h)
    if used.any():
        width = 0.0011 * rng.uniform(0.7, 1.5, (int(used.sum()), 1))
        sheet.stroke(np.stack([x, y], axis=-1)[used], width, load[used], dry=0.12)


def _outline(sheet: Sheet, lines: np.ndarray) -> None:
    """Draw the outlines twice, each time with random offsets."""
    from scipy import ndimage

    rng = sheet.rng
    short, grid = sheet.short, min(lines.shape)
    rows, columns = (np.arange(side, dtype=np.float32) * grid / short for side in sheet.shape)
    for pressure, off in ((0.80, 0.5), (0.45, 1.3)):
        sway = [off * noise.field(rng, sheet.shape, 5, octaves=2) for _ in range(2)]
        where = [rows[:, None] + sway[0], columns[None] + sway[1]]
        drawn = ndimage.map_coordinates(lines, where, order=1, mode="nearest")
        drawn = np.clip((drawn - 0.12) / 0.5, 0, 1) * np.clip(
            0.75 + 0.4 * noise.field(rng, sheet.shape, 9, 2), 0.1, 1.3
        )
        sheet.ink += pressure * drawn * (1 - 0.5 * np.clip(sheet.ink, 0, 1))


def _drawn(sheet: Sheet) -> np.ndarray:
    """The picture of the sheet: graphite stays on the heights of the paper, unless it is pressed into it."""
    grain = np.asarray(
        Image.fromarray(sheet.rng.standard_normal((round(sheet.h * 420), round(sheet.w * 420)), np.float32)).resize(
            sheet.shape[::-1], Image.Resampling.BICUBIC
        )
    )
    tooth = 0.55 * sheet.tooth + 0.75 * grain
    retained = np.clip(0.78 + 0.5 * tooth + 0.35 * sheet.ink, 0.12, 1.25)
    smudge = 0.02 * np.clip(1 + sheet.pools, 0, 2)  # by the hand
    shade = np.exp(-1.55 * (np.minimum(sheet.ink, 1.5) * retained + smudge)[..., None] * _GRAPHITE)
    light = 1 + 0.010 * tooth + 0.008 * sheet.pools
    return np.clip(_PAPER * light[..., None] * shade, 0, 1).astype(np.float32)
