"""A training as a page: its newest samples, earlier ones, curves of its losses, its settings.

One file that needs nothing else: images and curves are inside it, and there is no script.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tfstyle.core import html
from tfstyle.core.table import as_html
from tfstyle.core.version import VERSION
from tfstyle.evaluation.gan_diagnostics import warnings_of
from tfstyle.training.chart import chart

EARLIER = 6  # samples of earlier epochs, evenly spaced (chosen)
_THUMBNAIL = 320  # side of earlier samples in pixels (chosen)
_RELOAD = 30  # seconds between two reloads while the training runs (chosen)
_POINTS = 1000  # points of a curve: more can't be told apart (chosen)


def page(
    name: str,
    settings: Mapping[str, Any],
    rows: Sequence[Mapping[str, float | str]],
    samples: Mapping[int, Path],
    epochs: int | None = None,
) -> str:
    """The page of a training.

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
    title = f"{settings.get('network', 'training')} in {name}"
    last_row = {key: float(value) for key, value in rows[-1].items() if value != ""}
    of_all = f" of {epochs}" if epochs else ""
    values = [{"setting": key, "value": str(value)} for key, value in settings.items()]
    body = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="small">epoch {finished}{of_all}, tfstyle {VERSION}</p>',
        *map(html.warning, warnings_of(last_row).values()),
        _samples(samples) if samples else "",
        f'<h2>Losses</h2><div class="row">{"".join(_charts(rows))}</div>',
        "<h2>Settings</h2>",
        as_html(values, {"setting": "setting", "value": "value"}),
    ]
    refresh = _RELOAD if epochs and finished < epochs else None
    return html.page(f"{title}, epoch {finished}", body, refresh=refresh)


def _samples(samples: Mapping[int, Path]) -> str:
    """The newest samples at their size, and thumbnails of earlier ones."""
    *before, newest = sorted(samples)
    number = min(EARLIER, len(before))
    earlier = [before[round(i * (len(before) - 1) / max(number - 1, 1))] for i in range(number)]
    parts = ["<h2>Samples</h2>", _figure(samples[newest], newest)]
    if earlier:
        figures = (_figure(samples[epoch], epoch, _THUMBNAIL) for epoch in earlier)
        parts.append(f'<h2>Earlier</h2><div class="row">{"".join(figures)}</div>')
    return "\n".join(parts)


def _figure(path: Path, epoch: int, side: int | None = None) -> str:
    """The samples of an epoch as a figure, reduced to `side` pixels if that is given."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if side is not None:
        picture.thumbnail((side, side))
    return html.figure(html.image(html.jpeg(picture), f"samples of epoch {epoch}"), f"epoch {epoch}")


def _charts(rows: Sequence[Mapping[str, float | str]]) -> list[str]:
    """A chart for each name of the log, with the values of held-out images dashed beside those of the training."""
    charts = []
    for name in rows[-1]:
        if name == "epoch" or name.startswith("val_"):
            continue
        curves = {each: points for each in (name, f"val_{name}") if (points := _points(rows, each))}
        if curves:
            charts.append(chart(curves))
    return charts


def _points(rows: Sequence[Mapping[str, float | str]], name: str) -> list[tuple[float, float]]:
    """Epoch and value of each row that has a finite value of that name; some of them where there are very many."""
    points = [(float(row["epoch"]), float(row[name])) for row in rows if row.get(name, "") != ""]
    points = [point for point in points if math.isfinite(point[1])]
    stride = -(-len(points) // _POINTS)
    return [*points[: -1 : max(stride, 1)], *points[-1:]]
