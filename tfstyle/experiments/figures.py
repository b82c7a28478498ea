"""Figures of experiments: grids of pictures, and curves. Nothing global of matplotlib is touched."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BYTES = 300_000  # of a figure's file (chosen): beyond it, colours are reduced to a palette
_DPI = 100


def grid(
    rows: Sequence[Sequence[Picture | None]],
    columns: Sequence[str],
    labels: Sequence[str],
    title: str,
    notes: Sequence[Sequence[str]] | None = None,
    side: float = 2.1,
) -> Figure:
    """Pictures in rows and columns.

    Args:
        rows: The pictures; None leaves a place empty. First rows and columns without any are left out.
        columns: What stands above each column.
        labels: What stands beside each row.
        title: Above all: what it is, its size, weights and seed.
        notes: What stands below each picture.
        side: Of a picture's longer side, in inches.
    """
    filled = [(i, j) for i, row in enumerate(rows) for j, picture in enumerate(row) if picture is not None]
    top, start = min(i for i, _ in filled), min(j for _, j in filled)
    rows, labels, columns = [row[start:] for row in rows[top:]], labels[top:], columns[start:]
    notes = notes and [line[start:] for line in notes[top:]]
    first = next(picture for row in rows for picture in row if picture is not None)
    height, width = first.rgb.shape[:2]
    tall, wide = (side * length / max(height, width) for length in (height, width))
    below = 0.2 if notes else 0.04
    head = 0.25 * (title.count("\n") + 1) + 0.15 * max(name.count("\n") + 1 for name in columns) + 0.1
    left = 0.12 + 0.084 * max((len(line) for label in labels for line in label.split("\n")), default=0)
    size = (left + len(columns) * (wide + 0.06), head + len(rows) * (tall + below))
    figure = _figure(size, title)
    for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
        bottom = 1 - (head + index * (tall + below) + tall) / size[1]
        figure.text(0.06 / size[0], bottom + tall / 2 / size[1], label, fontsize=9, va="center")
        for place, picture in enumerate(row):
            x = (left + place * (wide + 0.06)) / size[0]
            axes = figure.add_axes((x, bottom, wide / size[0], tall / size[1]))
            axes.axis("off")
            if picture is not None:
                axes.imshow(np.clip(picture.rgb, 0, 1), interpolation="antialiased", aspect="auto")
            if index == 0:
                axes.set_title(columns[place], fontsize=9, pad=3)
            if notes and picture is not None:
                figure.text(x + wide / 2 / size[0], bottom - 0.03 / size[1], notes[index][place], fontsize=7,
                            ha="center", va="top")  # fmt: skip
    return figure


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x: str,
    y: str,
    marks: Mapping[str, float] | None = None,
    size: tuple[float, float] = (7.0, 3.6),
) -> Figure:
    """Lines over a common axis; `marks` are upright lines at values of x, with what they mean."""
    figure = _figure(size, title)
    axes = plot(figure, (0.1, 0.16, 0.62, 0.84 - 0.26 * (title.count("\n") + 1) / size[1]), x, y)
    for (name, (xs, ys)), style in zip(lines.items(), _styles(), strict=False):
        axes.plot(xs, ys, style, label=name, markersize=4, linewidth=1.3)
    for name, value in (marks or {}).items():
        axes.axvline(value, color="0.5", linestyle=":", linewidth=1, label=name)
    axes.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False)
    return figure


def bars(
    groups: Sequence[str],
    series: Mapping[str, Sequence[float]],
    title: str,
    y: str,
    size: tuple[float, float] = (8, 3.6),
) -> Figure:
    """Bars in groups, one of each series in a group."""
    figure = _figure(size, title)
    axes = plot(figure, (0.09, 0.16, 0.66, 0.84 - 0.26 * (title.count("\n") + 1) / size[1]), "", y)
    width = 0.8 / len(series)
    for index, (name, values) in enumerate(series.items()):
        places = np.arange(len(groups)) + (index - (len(series) - 1) / 2) * width
        axes.bar(places, values, width * 0.92, label=name)
    axes.axhline(0, color="0.3", linewidth=0.8)
    axes.set_xticks(range(len(groups)), [textwrap.fill(group, 22) for group in groups], fontsize=8)
    axes.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False)
    return figure


def plot(figure: Figure, place: tuple[float, float, float, float], x: str, y: str) -> Axes:
    """Axes in a figure, at left, bottom, width and height in shares of it."""
    axes = figure.add_axes(place)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes


def png(figure: Figure) -> bytes:
    """A figure as PNG of at most `MOST_BYTES`: in fewer colours, those that suit it best, and then smaller."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    data = _encoded(image)
    while len(data) > MOST_BYTES:
        for colours in (256, 128):
            data = _encoded(image.quantize(colours, dither=Image.Dither.NONE))
            if len(data) <= MOST_BYTES:
                break
        image = image.resize([round(0.8 * side) for side in image.size], Image.Resampling.LANCZOS)
    return data


def _encoded(image: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)  # type: ignore[attr-defined]
    return file.getvalue()


def _figure(size: tuple[float, float], title: str) -> Figure:
    from matplotlib.figure import Figure  # which takes a while to import

    figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
    figure.text(0.06 / size[0], 1 - 0.06 / size[1], title, fontsize=9.5, va="top")
    return figure


def _styles() -> list[str]:
    return [f"{marker}{line}" for line in ("-", "--") for marker in "osD^v"]
