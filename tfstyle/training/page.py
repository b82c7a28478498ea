"""A training as a page to look at: its newest samples, earlier ones, curves of its losses, its settings.

One file that needs nothing else: pictures and curves are inside it, and there is no script.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from tfstyle.core.version import VERSION
from tfstyle.evaluation import gan_diagnostics

EARLIER = 6  # samples of earlier epochs, evenly chosen (chosen)
_QUALITY = 88  # of JPEGs: a page of some hundred kilobytes (chosen)
_SMALL = 320  # side of earlier samples in pixels
_RELOAD = 30  # seconds, while the training goes on
_WIDTH, _HEIGHT, _LEFT, _BELOW, _ABOVE = 330, 150, 52, 18, 8  # of a chart, and around its curves, in pixels
_POINTS = 1000  # of a curve: more can't be told apart
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 13px; } td, th { padding: .2rem .7rem; text-align: left; }
td { border-top: 1px solid #ddd; overflow-wrap: anywhere; } th { font-weight: 600; border-top: 1px solid #ddd; }
img { max-width: 100%; height: auto; } .row { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } figcaption, .small { color: #555; font-size: 13px; } .row img { width: 10rem; }
.warning { background: #fff4d6; border-left: 4px solid #e0a800; padding: .5rem .8rem; margin: .6rem 0; }
"""


def html(
    name: str,
    settings: Mapping[str, Any],
    rows: Sequence[Mapping[str, str]],
    samples: Mapping[int, Path],
    epochs: int | None = None,
) -> str:
    """The page.

    Args:
        name: Of the training's folder.
        settings: Of the training.
        rows: Of its log: what was measured in each epoch, by name, with `"epoch"`; at least one.
        samples: Files of pictures by the number of their epoch.
        epochs: Of the whole training; until then, the page reloads itself.

    Returns:
        HTML in UTF-8, without scripts, and without anything from elsewhere.
    """
    done = int(rows[-1]["epoch"])
    reload = f'<meta http-equiv="refresh" content="{_RELOAD}">' if epochs and done < epochs else ""
    of = f" of {epochs}" if epochs else ""
    title = f"{escape(str(settings.get('network', 'training')))} in {escape(name)}"
    last = {key: float(value) for key, value in rows[-1].items() if value}
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{reload}<title>{title}, epoch {done}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="small">epoch {done}{of}, tfstyle {VERSION}</p>',
        *(f'<p class="warning">{escape(line)}</p>' for line in gan_diagnostics.warnings_of(last).values()),
    ]
    if samples:
        parts.append(_pictures(samples))
    parts.append(f'<h2>Losses</h2><div class="row">{"".join(_charts(rows))}</div>')
    lines = (f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>" for key, value in settings.items())
    parts.append(f"<h2>Settings</h2><table>{''.join(lines)}</table></body></html>\n")
    return "\n".join(parts)


def _pictures(samples: Mapping[int, Path]) -> str:
    """The newest samples at their size, and earlier ones in small."""
    *before, newest = sorted(samples)
    number = min(EARLIER, len(before))
    chosen = [before[round(i * (len(before) - 1) / max(number - 1, 1))] for i in range(number)]
    parts = [f"<h2>Samples</h2><figure>{_image(samples[newest])}<figcaption>epoch {newest}</figcaption></figure>"]
    if chosen:
        figures = (
            f"<figure>{_image(samples[epoch], _SMALL)}<figcaption>epoch {epoch}</figcaption></figure>"
            for epoch in chosen
        )
        parts.append(f'<h2>Earlier</h2><div class="row">{"".join(figures)}</div>')
    return "\n".join(parts)


def _image(path: Path, side: int | None = None) -> str:
    file = io.BytesIO()
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
        if side is not None:
            picture.thumbnail((side, side))
        picture.save(file, "JPEG", quality=_QUALITY)
    return f'<img alt="samples" src="data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _charts(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A chart for each name of the log; what was held out is drawn beside what was trained on, dashed."""
    names = [name for name in rows[-1] if name != "epoch" and not name.startswith("val_")]
    found = []
    for name in names:
        both = {each: _points(rows, each) for each in (name, f"val_{name}")}
        if any(both.values()):
            found.append(_chart(name, {each: points for each, points in both.items() if points}))
    return found


def _points(rows: Sequence[Mapping[str, str]], name: str) -> list[tuple[float, float]]:
    points = [(float(row["epoch"]), float(row[name])) for row in rows if row.get(name)]
    points = [point for point in points if math.isfinite(point[1])]
    stride = -(-len(points) // _POINTS)
    return [*points[: -1 : max(stride, 1)], *points[-1:]]


def _chart(name: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Curves over epochs as SVG, with their range at the side."""
    xs, ys = zip(*(point for points in curves.values() for point in points), strict=True)
    low, high = min(ys), max(ys)
    first, last = min(xs), max(xs)
    wide, tall = _WIDTH - _LEFT - 6, _HEIGHT - _ABOVE - _BELOW

    def place(x: float, y: float) -> str:
        across = (x - first) / (last - first) if last > first else 0.5
        up = (y - low) / (high - low) if high > low else 0.5
        return f"{_LEFT + across * wide:.1f},{_ABOVE + (1 - up) * tall:.1f}"

    lines = []
    for each, points in curves.items():
        look = 'stroke="#c0392b" stroke-dasharray="4 3"' if each.startswith("val_") else 'stroke="#1f5fa8"'
        path = " ".join(place(*point) for point in points)
        lines.append(f'<polyline fill="none" stroke-width="1.5" {look} points="{path}"/>')
        x, y = place(*points[-1]).split(",")
        lines.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="none" {look}/>')
    bottom = _ABOVE + tall
    texts = [
        (_LEFT - 5, _ABOVE + 9, "end", f"{high:.3g}"),
        (_LEFT - 5, bottom, "end", f"{low:.3g}"),
        (_LEFT, bottom + 14, "start", f"{first:.0f}"),
        (_LEFT + wide, bottom + 14, "end", f"{last:.0f}"),
    ]
    written = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="11" fill="#555">{text}</text>'
        for x, y, anchor, text in texts
    )
    now = ", ".join(f"{each} {points[-1][1]:.4g}" for each, points in curves.items())
    return (
        f'<figure><svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{escape(now)}">'
        f'<path d="M{_LEFT} {_ABOVE}V{bottom}H{_LEFT + wide}" fill="none" stroke="#bbb"/>{"".join(lines)}{written}'
        f"</svg><figcaption>{escape(now)}</figcaption></figure>"
    )
