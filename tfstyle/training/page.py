"""A training as a page: its newest samples, earlier ones, curves of its losses, its settings.

One file that needs nothing else: images and curves are inside it, and there is no script.
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
from tfstyle.training.chart import chart

EARLIER = 6  # samples of earlier epochs, evenly spaced (chosen)
_QUALITY = 88  # of JPEGs: a page stays at some hundred kilobytes (chosen)
_THUMBNAIL = 320  # side of earlier samples in pixels (chosen)
_RELOAD = 30  # seconds between two reloads while the training runs (chosen)
_POINTS = 1000  # points of a curve: more can't be told apart (chosen)
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
        name: Name of the training's folder.
        settings: Settings of the training.
        rows: Rows of its log, at least one: `"epoch"`, losses and other measurements by name.
        samples: Image files of the samples by the number of their epoch.
        epochs: Number of epochs of the whole training; until then, the page reloads itself.

    Returns:
        HTML in UTF-8, without scripts and without links to other files.
    """
    finished = int(rows[-1]["epoch"])
    reload = f'<meta http-equiv="refresh" content="{_RELOAD}">' if epochs and finished < epochs else ""
    of_all = f" of {epochs}" if epochs else ""
    title = f"{escape(str(settings.get('network', 'training')))} in {escape(name)}"
    last_row = {key: float(value) for key, value in rows[-1].items() if value}
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{reload}<title>{title}, epoch {finished}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="small">epoch {finished}{of_all}, tfstyle {VERSION}</p>',
        *(f'<p class="warning">{escape(line)}</p>' for line in gan_diagnostics.warnings_of(last_row).values()),
    ]
    if samples:
        parts.append(_samples(samples))
    parts.append(f'<h2>Losses</h2><div class="row">{"".join(_charts(rows))}</div>')
    lines = (f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>" for key, value in settings.items())
    parts.append(f"<h2>Settings</h2><table>{''.join(lines)}</table></body></html>\n")
    return "\n".join(parts)


def _samples(samples: Mapping[int, Path]) -> str:
    """The newest samples at their size, and thumbnails of earlier ones."""
    *before, newest = sorted(samples)
    number = min(EARLIER, len(before))
    earlier = [before[round(i * (len(before) - 1) / max(number - 1, 1))] for i in range(number)]
    parts = [f"<h2>Samples</h2>{_figure(samples[newest], newest)}"]
    if earlier:
        figures = (_figure(samples[epoch], epoch, _THUMBNAIL) for epoch in earlier)
        parts.append(f'<h2>Earlier</h2><div class="row">{"".join(figures)}</div>')
    return "\n".join(parts)


def _figure(path: Path, epoch: int, side: int | None = None) -> str:
    """The samples of an epoch as a figure, reduced to `side` pixels if that is given."""
    file = io.BytesIO()
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
        if side is not None:
            picture.thumbnail((side, side))
        picture.save(file, "JPEG", quality=_QUALITY)
    data = base64.b64encode(file.getvalue()).decode()
    image = f'<img alt="samples" src="data:image/jpeg;base64,{data}">'
    return f"<figure>{image}<figcaption>epoch {epoch}</figcaption></figure>"


def _charts(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A chart for each name of the log, with the values of held-out images dashed beside those of the training."""
    charts = []
    for name in rows[-1]:
        if name == "epoch" or name.startswith("val_"):
            continue
        curves = {each: points for each in (name, f"val_{name}") if (points := _points(rows, each))}
        if curves:
            charts.append(chart(curves))
    return charts


def _points(rows: Sequence[Mapping[str, str]], name: str) -> list[tuple[float, float]]:
    """Epoch and value of each row that has a finite value of that name; some of them where there are very many."""
    points = [(float(row["epoch"]), float(row[name])) for row in rows if row.get(name)]
    points = [point for point in points if math.isfinite(point[1])]
    stride = -(-len(points) // _POINTS)
    return [*points[: -1 : max(stride, 1)], *points[-1:]]
