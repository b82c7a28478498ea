"""Figures of experiments: grids of images, curves and bars.

Curves and bars are drawn by matplotlib, without its global state.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image

from tfstyle.images.grids import Cell, Grid
from tfstyle.images.picture import Picture, quantized

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

    Figure: TypeAlias = Grid | Plot

MOST_BYTES = 300_000  # of a figure's file; beyond that, its colours are reduced to a palette (chosen)
_DPI = 100
_TEXT = 13  # size of the letters in a grid, in pixels (chosen)


def grid(
    rows: Sequence[Sequence[Picture | None]],
    headings: Sequence[str],
    labels: Sequence[str],
    title: str,
    captions: Sequence[Sequence[str]] | None = None,
    side: int = 210,
) -> Grid:
    """Images in rows and columns. First rows and columns without any image are left out.

    Args:
        rows: The images; None leaves a place empty. All rows have one length.
        headings: Text above each column.
        labels: Text at the left of each row.
        title: Text above all: what the figure shows, and the size, weights and seed.
        captions: Text below each image, in rows and columns as the images.
        side: Longer side to which the images are resized, in pixels.
    """
    filled = [(i, j) for i, row in enumerate(rows) for j, picture in enumerate(row) if picture is not None]
    top, left = min(i for i, _ in filled), min(j for _, j in filled)
    texts = captions or [[""] * len(row) for row in rows]
    cells = [
        [
            None if picture is None else Cell(picture.resized(side).rgb, text)
            for picture, text in zip(row[left:], line[left:], strict=True)
        ]
        for row, line in zip(rows[top:], texts[top:], strict=True)
    ]
    return Grid(cells, headings[left:], labels[top:], title, gap=8, text=_TEXT)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x: str,
    y: str,
    marks: Mapping[str, float] | None = None,
    size: tuple[float, float] = (7.0, 3.6),
) -> Plot:
    """Curves over a common axis.

    Args:
        lines: For each curve its name, its values of x and its values of y.
        title: Text above all.
        x: What the axis of x is.
        y: What the axis of y is.
        marks: Upright dotted lines: their names and values of x.
        size: Width and height, in inches of 100 pixels.
    """
    figure = _figure(size, title)
    axes = _axes(figure, (0.1, 0.16, 0.62, 0.84 - 0.26 * (title.count("\n") + 1) / size[1]), x, y)
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
) -> Plot:
    """Bars in groups.

    Args:
        groups: Names of the groups.
        series: For each series its name and one value for each group; a NaN leaves a bar out.
        title: Text above all.
        y: What the axis of y is.
        size: Width and height, in inches of 100 pixels.
    """
    figure = _figure(size, title)
    axes = _axes(figure, (0.09, 0.16, 0.66, 0.84 - 0.26 * (title.count("\n") + 1) / size[1]), "", y)
    width = 0.8 / len(series)
    for index, (name, values) in enumerate(series.items()):
        places = np.arange(len(groups)) + (index - (len(series) - 1) / 2) * width
        axes.bar(places, values, width * 0.92, label=name)
    axes.axhline(0, color="0.3", linewidth=0.8)
    axes.set_xticks(range(len(groups)), [textwrap.fill(group, 22) for group in groups], fontsize=8)
    axes.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False)
    return figure


def png(figure: Figure) -> bytes:
    """A figure as a PNG file of at most `MOST_BYTES`: in fewer colours if it must be, and then smaller."""
    image = _image(figure)
    data = _encoded(image)
    while len(data) > MOST_BYTES:
        for colours in (256, 128):
            data = _encoded(image.quantize(colours, dither=Image.Dither.NONE))
            if len(data) <= MOST_BYTES:
                break
        width, height = image.size
        image = image.resize((round(0.8 * width), round(0.8 * height)), Image.Resampling.LANCZOS)
    return data


def _image(figure: Figure) -> Image.Image:
    if isinstance(figure, Grid):
        return Image.fromarray(quantized(figure.render(), 8))
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _figure(size: tuple[float, float], title: str) -> Plot:
    from matplotlib.figure import Figure as Plot  # late: it takes a while

    figure = Plot(figsize=size, dpi=_DPI, facecolor="white")
    figure.text(0.06 / size[0], 1 - 0.06 / size[1], title, fontsize=9.5, va="top")
    return figure


def _axes(figure: Plot, place: tuple[float, float, float, float], x: str, y: str) -> Axes:
    """Axes in a figure; the place is left, bottom, width and height, in shares of it."""
    axes = figure.add_axes(place)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes


def _styles() -> list[str]:
    return [f"{marker}{line}" for line in ("-", "--") for marker in "osD^v"]
