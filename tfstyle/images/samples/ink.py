"""A landscape of mountains in mist, in ink on rice paper. All proportions were set by eye."""

from __future__ import annotations

import numpy as np

from tfstyle.images.samples import noise
from tfstyle.images.samples.paper import Sheet


def paint(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Paint the picture.

    Args:
        shape: `(h, w)` in pixels.
        rng: Random numbers.

    Returns:
        float32 `(h, w, 3)`, RGB, mostly in [0, 1].
    """
    sheet = Sheet(shape, rng)
    side = int(rng.choice([-1, 1]))  # of the near bank: −1 for left, 1 for right
    _sky(sheet)
    _massif(sheet, centre=0.5 + 0.36 * side, width=0.50, top=0.30, foot=0.66, tone=0.42, rocks=10)
    _massif(sheet, centre=0.5 - 0.14 * side, width=0.70, top=0.09, foot=0.70, tone=0.80, rocks=20)
    _shore(sheet, x=0.5 - 0.30 * side, y=0.715)
    _shore(sheet, x=0.5 + 0.12 * side, y=0.70)
    _water(sheet)
    _boat(sheet, x=0.5 - 0.20 * side, y=0.84)
    _bank(sheet, side)
    _birds(sheet, x=0.5 + 0.28 * side, y=0.17)
    return sheet.developed(seal=(0.5 - 0.42 * side, 0.91))


def _sky(sheet: Sheet) -> None:
    """Paint thin clouds, and two distant ranges in wet wash without lines."""
    rng = sheet.rng
    y, x = sheet.positions(np.s_[:, :])
    sheet.ink += 0.035 * np.clip(noise.field(rng, sheet.shape, (5, 2.5), octaves=4), 0, 2)
    for level, rise, tone in ((0.37, 0.16, 0.20), (0.47, 0.13, 0.30)):
        swell, crags = noise.curve(rng, x[0], 1.2, 2), noise.curve(rng, x[0], 6, 3)
        depth = y - level * sheet.h + rise * (0.5 + 0.8 * swell + 0.18 * crags) + 0.006 * sheet.pools
        inside, below = np.clip(depth / 0.006, 0, 1), np.maximum(depth, 0)
        sheet.ink *= 1 - 0.6 * inside * np.exp(-below / 0.2)
        wash = tone * (0.85 * np.exp(-below / 0.07) + 0.15 * np.exp(-below / 0.01))
        sheet.ink += inside * wash * (1 + 0.35 * sheet.pools)


def _massif(sheet: Sheet, centre: float, width: float, top: float, foot: float, tone: float, rocks: int) -> None:
    """Paint a mountain of rocks in mist, from back to front; positions and sizes are fractions of the sheet."""
    rng = sheet.rng
    for step in [0, *np.sort(rng.random(rocks - 1))]:
        spread = (0.10 + 0.90 * step) * width / 2
        _Rock(
            sheet,
            x=sheet.w * (centre + spread * rng.uniform(-1, 1)),
            y=sheet.h * (top + (foot - top) * 0.78 * step + rng.uniform(-0.02, 0.02)),
            half=rng.uniform(0.06, 0.12) * (0.8 + 0.5 * step),
            height=rng.uniform(0.20, 0.34),
            foot=sheet.h * foot,
            tone=tone * rng.uniform(0.75, 1.15),
        ).paint()


class _Rock:
    """A rounded tower of rock with its summit at (x, y), which vanishes in mist above its foot."""

    def __init__(
        self, sheet: Sheet, x: float, y: float, half: float, height: float, foot: float, tone: float
    ) -> None:
        self.sheet, self.x, self.y, self.half, self.height = sheet, x, y, half, height
        self.foot, self.tone = foot, tone
        rng = sheet.rng
        self._power, self._lean = rng.uniform(1.4, 2.4), rng.uniform(0.7, 1.4)
        self._crags = int(rng.integers(1 << 31))

    def paint(self) -> None:
        """Paint wash, texture, outline and moss; the wash covers rocks behind."""
        self._wash()
        # Cun, the texture strokes down the faces; then strokes of a dry brush over them.
        self._faces(count=70, run=0.085, width=0.0016, load=0.75, dry=0.36)
        self._faces(count=18, run=0.075, width=0.0095, load=0.42, dry=0.62)
        self._outline()
        self._moss()

    def _crest(self, x: np.ndarray) -> np.ndarray:
        """Y of the rock's edge at x."""
        away = (x - self.x) / self.half
        away = np.where(away < 0, -away * self._lean, away / self._lean)
        crags = noise.curve(np.random.default_rng(self._crags), x, 0.55 / self.half, 5)
        return self.y + self.height * (away**self._power + 0.14 * crags * np.minimum(1, 0.3 + away))

    def _visibility(self, y: np.ndarray) -> np.ndarray:
        """Visibility of lines at y through the mist, from 0 to 1."""
        return np.clip((self.foot - y) / 0.16 - 0.25, 0, 1)

    def _wash(self) -> None:
        """Paint the wash, darkest at the edge, on a ground that hides the rocks behind."""
        sheet, short = self.sheet, self.sheet.short
        low, high = self.x - 2.2 * self.half, self.x + 2.2 * self.half
        rows = slice(max(0, int((self.y - 0.3 * self.height) * short)), max(0, int(self.foot * short)))
        columns = slice(max(0, int(low * short)), max(0, int(high * short)))
        window = (rows, columns)
        y, x = sheet.positions(window)
        if not y.size:
            return
        pools = sheet.pools[window]
        depth = y - self._crest(x[0]) + 0.002 * pools
        inside, below = np.clip(depth / 0.003, 0, 1), np.maximum(depth, 0)
        clear = np.clip((self.foot - y) / 0.12, 0, 1)
        mist = clear * np.clip((self.foot - y) / 0.20 - 0.35 + 0.30 * pools, 0, 1)
        shaded = 1 + 0.5 * np.tanh((x - self.x) / self.half)
        edge, rim, body = (np.exp(-below / reach) for reach in (0.008, 0.045, 0.16))
        wash = 0.20 * edge + 0.40 * rim + 0.26 * shaded * body
        sheet.ink[window] *= 1 - 0.93 * inside * clear * np.clip(1.4 * mist + 0.35 * body, 0, 1)
        sheet.ink[window] += self.tone * inside * mist * wash * np.clip(1 + 0.6 * pools, 0.15, 2.2)

    def _faces(self, count: int, run: float, width: float, load: float, dry: float) -> None:
        """Paint strokes down the faces."""
        rng, t = self.sheet.rng, np.linspace(0, 1, 9)
        away = np.clip(rng.normal(0.15, 0.55, (count, 1)), -1.1, 1.1)
        x0 = self.x + self.half * away
        y0 = self._crest(x0) + rng.uniform(0.02, 1, (count, 1)) ** 1.5 * 0.5 * self.height
        length = run * rng.uniform(0.35, 1.1, (count, 1))
        drift = (0.75 * away + rng.normal(0, 0.10, (count, 1))) * length
        bow = rng.normal(0, 0.10, (count, 1)) * length * np.sin(np.pi * t)
        x, y = x0 + drift * t**0.75 + bow, y0 + length * t
        press = width * rng.uniform(0.5, 1.4, (count, 1)) * np.minimum(1, 0.4 + 3 * t) * (1 - 0.8 * t**2)
        shade = self.tone * load * rng.uniform(0.4, 1.1, (count, 1)) * (1 + 0.3 * np.sign(away))
        on_rock = np.clip((y - self._crest(x)) / 0.006, 0, 1)
        self.sheet.stroke(np.stack([x, y], axis=-1), press, shade * self._visibility(y) * on_rock, dry=dry)

    def _outline(self) -> None:
        """Paint the edge on both sides of the summit, with varying pressure."""
        rng, t = self.sheet.rng, np.linspace(0, 1, 40)
        for direction in (-1, 1):
            x = self.x + direction * rng.uniform(0.75, 1.15) * self.half * (1.1 * t - 0.1)
            y = self._crest(x) + 0.0012 * rng.standard_normal(40)
            press = np.maximum(0.0026 * (0.85 + 0.9 * noise.curve(rng, t, 2.2, 3)) * (1 - 0.4 * t), 0.0005)
            load = rng.uniform(0.75, 1.1) * np.maximum(0.8 + 0.35 * noise.curve(rng, t, 1.5, 2), 0.15)
            load *= self.tone * self._visibility(y)
            self.sheet.stroke(np.stack([x, y], axis=-1)[None], press, load, dry=0.36)

    def _moss(self) -> None:
        """Paint clumps of dots along the crest: moss, or distant trees."""
        rng, count = self.sheet.rng, 34
        x = self.x + self.half * (rng.choice(rng.normal(0, 0.55, 5), count) + rng.normal(0, 0.13, count))
        y = self._crest(x) + rng.uniform(-0.007, 0.024, count)
        _dabs(self.sheet, x, y, rng.uniform(0.0018, 0.0050, count), self.tone * self._visibility(y))


def _dabs(sheet: Sheet, x: np.ndarray, y: np.ndarray, size: np.ndarray, load: np.ndarray) -> None:
    """Paint dots with the tip of the brush, of varying ink."""
    t = np.linspace(-1, 1, 9)
    touch = np.stack([0.45 * t, 0.6 * t], axis=-1) * size[:, None, None]
    spine = np.stack([x, y], axis=-1)[:, None] + touch
    round_tip = 0.8 * size[:, None] * np.sqrt(1.04 - t**2)
    uneven = load[:, None] * sheet.rng.uniform(0.3, 1.3, (len(x), 1))
    sheet.stroke(spine, round_tip, uneven, dry=0.15, bleed=0.0006)


def _shore(sheet: Sheet, x: float, y: float) -> None:
    """Paint flat land in the mist with a grove, at fractions (x, y) of the sheet."""
    rng = sheet.rng
    cx, cy = sheet.w * x, sheet.h * y
    t = np.linspace(-1, 1, 13)
    count = 9
    half = rng.uniform(0.05, 0.17, (count, 1))
    flat_x = cx + rng.normal(0, 0.05, (count, 1)) + half * t
    flat_y = cy + rng.uniform(-0.002, 0.020, (count, 1)) + 0.002 * rng.standard_normal((count, 13))
    press = rng.uniform(0.002, 0.006, (count, 1)) * (1 - t**2)
    sheet.stroke(np.stack([flat_x, flat_y], axis=-1), press, 0.34, dry=0.45, bleed=0.0008)
    for _ in range(11):
        foot = np.array([cx + rng.normal(0, 0.075), cy + rng.uniform(-0.004, 0.008)])
        tall, tone = rng.uniform(0.025, 0.060), rng.uniform(0.35, 0.95)
        stem = foot + np.array([(0, 0), (0.04, -0.5), (rng.normal(0, 0.12), -1)]) * tall
        sheet.stroke(stem[None], np.array([0.0018, 0.0013, 0.0006]), tone, dry=0.25)
        leaves = int(rng.integers(12, 26))
        place = stem[-1] + rng.normal(0, 1, (leaves, 2)) * (0.22 * tall, 0.24 * tall) + (0, 0.15 * tall)
        _dabs(sheet, place[:, 0], place[:, 1], rng.uniform(0.002, 0.0055, leaves), np.full(leaves, tone))


def _water(sheet: Sheet) -> None:
    """Paint pale, horizontal ripples in the lower part."""
    rng = sheet.rng
    count = round(70 * sheet.w)
    t = np.linspace(-0.5, 0.5, 25)
    x0 = rng.uniform(0, sheet.w, (count, 1))
    y0 = sheet.h * (0.755 + 0.24 * rng.random((count, 1)))
    run = rng.uniform(0.05, 0.22, (count, 1))
    y = y0 + 0.0022 * noise.curve(rng, x0 + 7 * y0 + run * t, 8, 2)
    spine = np.stack([x0 + run * t, y], axis=-1)
    load = rng.uniform(0.08, 0.24, (count, 1))
    sheet.stroke(spine, 0.0016 * (1 - 3.6 * t**2), load, dry=0.40, bleed=0.0008)


def _boat(sheet: Sheet, x: float, y: float) -> None:
    """Paint a small boat with a roof of mats and a man who punts it, at fractions (x, y) of the sheet."""
    place, size = np.array([x * sheet.w, y * sheet.h]), 0.055

    def draw(*points: tuple[float, float], width: float | np.ndarray, load: float, dry: float) -> None:
        sheet.stroke(place + size * np.array(points)[None], width, load, dry)

    t = np.linspace(-1, 1, 9)
    draw(*zip(t, 0.25 - 0.25 * t**2, strict=True), width=0.0042 * (1.15 - t**2), load=0.85, dry=0.12)
    draw(*zip(0.42 * t, 0.06 - 0.30 * np.sqrt(1 - t**2), strict=True), width=0.0030, load=0.6, dry=0.2)
    robe = np.array([0.0040, 0.0045, 0.0020])
    draw((0.68, 0.10), (0.70, -0.15), (0.66, -0.34), width=robe, load=0.9, dry=0.05)
    draw((0.66, -0.40), (0.67, -0.45), width=0.0030, load=1.0, dry=0.0)
    draw((0.50, -0.70), (0.98, 0.45), width=0.0008, load=0.8, dry=0.1)
    draw((-0.9, 0.32), (0.0, 0.38), (0.9, 0.32), width=np.array([0.001, 0.004, 0.001]), load=0.25, dry=0.3)


def _birds(sheet: Sheet, x: float, y: float) -> None:
    """Paint a few birds with two strokes each, around fractions (x, y) of the sheet."""
    rng = sheet.rng
    for _ in range(6):
        body = np.array([x * sheet.w + rng.normal(0, 0.07), y * sheet.h + rng.normal(0, 0.03)])
        span, tilt, beat = rng.uniform(0.008, 0.016), rng.uniform(-0.5, 0.5), rng.uniform(-0.1, 0.55)
        for direction in (-1, 1):
            reach = direction * np.array([0, 0.4, 0.75, 1.05])
            lift = np.array([0, beat + 0.12, beat, 0.5 * beat])
            wing = body + span * np.stack([reach, tilt * reach - lift], axis=-1)
            sheet.stroke(wing[None], np.array([0.0016, 0.0013, 0.0009, 0.0004]), 0.75, dry=0.15)


def _bank(sheet: Sheet, side: int) -> None:
    """Paint the near bank: dark rocks in the corner, two pines between them, grass in front."""
    rng = sheet.rng
    corner = sheet.w / 2 + side * sheet.w / 2
    for inset, summit, half, pine in (
        (0.16, 0.17, 0.13, 0.56), (0.31, 0.12, 0.11, 0.40), (0.02, 0.22, 0.13, 0),
        (0.22, 0.08, 0.12, 0), (0.42, 0.05, 0.10, 0),
    ):  # fmt: skip
        top = sheet.h - summit
        middle = corner - side * inset
        if pine:
            _pine(sheet, middle, top + 0.03, pine * rng.uniform(0.92, 1.08), -side)
        _Rock(sheet, middle, top, half, height=0.14, foot=sheet.h + 0.22, tone=1.15).paint()

    count, t = 130, np.linspace(0, 1, 6)
    tufts = corner - side * rng.uniform(0, 0.58, 9)
    x = rng.choice(tufts, (count, 1)) + rng.normal(0, 0.012, (count, 1))
    y = sheet.h - rng.uniform(0, 0.07, (count, 1))
    blade, bend = rng.uniform(0.02, 0.06, (count, 1)), rng.normal(0, 0.5, (count, 1))
    grass = np.stack([x + blade * bend * t**1.8, y - blade * t], axis=-1)
    sheet.stroke(grass, 0.0016 * (1 - 0.85 * t), rng.uniform(0.4, 1.1, (count, 1)), dry=0.2)


def _pine(sheet: Sheet, x: float, y: float, height: float, lean: int) -> None:
    """Paint a leaning pine: trunk, crooked branches, and fans of needles on pale wash; lengths in short sides."""
    rng = sheet.rng
    t = np.linspace(0, 1, 40)
    crook = 0.055 * noise.curve(rng, t, 1.3, 4) * t**0.5
    trunk = np.stack([x + lean * (0.30 * t**1.4 + crook) * height, y - height * t], axis=-1)
    girth = 0.028 * height * (1.25 - 0.25 * np.minimum(1, 6 * t)) * (1 - 0.75 * t)
    sheet.stroke(trunk[None], girth, 0.40, dry=0.42)
    for edge in (-0.85, 0.85):
        rim = trunk + np.stack([edge * girth * (1 + 0.15 * rng.standard_normal(40)), 0 * t], axis=-1)
        sheet.stroke(rim[None], 0.0017 * (1 + 0.4 * edge) + 0 * t, 0.95, dry=0.36)
    count = 80
    at = rng.integers(0, 33, count)
    bark_x = trunk[at, 0] + girth[at] * rng.uniform(-0.8, 0.8, count)
    bark_y = trunk[at, 1] + rng.uniform(0, 0.02, count)
    _dabs(sheet, bark_x, bark_y, rng.uniform(0.0008, 0.0035, count), np.full(count, 0.7))

    s = np.linspace(0, 1, 10)
    for fraction in [*np.sort(rng.uniform(0.42, 0.98, 9)), 1.0]:
        root = trunk[round(fraction * 39)]
        direction = lean * rng.choice([-1, 1], p=[0.42, 0.58])
        reach = height * rng.uniform(0.24, 0.42) * (1.25 - 0.75 * fraction)
        drop = 0.10 * s - 0.18 * np.sin(np.pi * s) + 0.02 * rng.standard_normal(10).cumsum()
        branch = root + np.stack([direction * reach * s, reach * drop], axis=-1)
        sheet.stroke(branch[None], 0.0085 * height * (1 - 0.75 * s), 0.9, dry=0.28)
        for place in rng.choice(np.arange(4, 10), 3, replace=False):
            _needles(sheet, branch[place] + rng.normal(0, 0.010, 2), rng.uniform(0.060, 0.085) * height)


def _needles(sheet: Sheet, root: np.ndarray, length: float) -> None:
    """Paint a fan of needles on pale wash."""
    rng = sheet.rng
    cloud = root + np.array([(-1.0, -0.25), (0.0, -0.45), (1.0, -0.25)]) * length
    sheet.stroke(cloud[None], np.array([0.25, 0.5, 0.25]) * length, 0.15, dry=0.1, bleed=0.005)
    count = 30
    angle = rng.uniform(-0.08, 1.08, count) * np.pi
    reach = length * rng.uniform(0.75, 1.1, count) * (0.65 + 0.35 * np.abs(np.cos(angle)))
    tip = np.stack([np.cos(angle) * 1.25, -np.sin(angle) * 0.85], axis=-1) * reach[:, None]
    t = np.array([0.08, 0.55, 1.0])
    spine = root + tip[:, None] * t[:, None] + rng.normal(0, 0.0012, (count, 1, 2))
    sheet.stroke(spine, 0.0009 * (1.2 - t), rng.uniform(0.35, 1.0, (count, 1)), dry=0.15)
