"""Where the images and texts of a grid stand, in pixels."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from tfstyle.images.grids import Cell, Grid

    Text = tuple[str, float, float, str]  # a line of text, its x, its y, and Pillow's anchor
    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_LEAST_TITLE = 480  # pixels that a title may take before it is wrapped, however narrow the images are (chosen)
_JOINTS = "_-/\\"  # of file names: a long word is broken there if it can be
_LINE = 1.3  # height of a line of text, in font sizes (chosen)


class Layout:
    """The places of a grid's images and texts.

    Args:
        grid: The grid, with at least one image.

    Attributes:
        width: Width of the whole, in pixels.
        height: Height of the whole, in pixels.
        font: The font of all texts.
    """

    def __init__(self, grid: Grid) -> None:
        gap, rows = grid.gap, grid.rows
        self._grid = grid
        self.font = font(grid.text, grid.words)
        self._line = math.ceil(grid.text * _LINE)
        self._labels = [label.split("\n") for label in grid.labels]
        self._left = gap + self._label_width()
        self._widths = [_most(cell.picture.shape[1] for cell in column if cell) for column in _columns(rows)]
        self._heights = [_most(cell.picture.shape[0] for cell in row if cell) for row in rows]
        self._headings = self._wrapped(grid.headings)
        self._captions = [self._wrapped([cell.caption if cell else "" for cell in row]) for row in rows]
        self.width = self._left + sum(self._widths) + gap * len(self._widths)
        if grid.title:
            self.width = max(self.width, _LEAST_TITLE)
        self._title = wrapped(grid.title, self.font, self.width - 2 * gap)
        self._top = gap + self._space(len(self._title)) + self._space(_most(map(len, self._headings)))
        self._bottoms = []
        self.height = self._top
        for height, captions in zip(self._heights, self._captions, strict=True):
            self._bottoms.append(self.height + height)
            self.height += height + self._line * _most(map(len, captions)) + gap

    def images(self) -> Iterator[tuple[Cell, int, int]]:
        """Each image with its left and top: in the middle of its column, at the bottom of its row."""
        for row, bottom in zip(self._grid.rows, self._bottoms, strict=True):
            for cell, left, width in zip(row, self._lefts(), self._widths, strict=False):
                if cell is not None:
                    yield cell, left + (width - cell.picture.shape[1]) // 2, bottom - cell.picture.shape[0]

    def texts(self) -> Iterator[Text]:
        """Each line of text with its x, its y and Pillow's anchor."""
        gap = self._grid.gap
        yield from self._lines(self._title, gap, gap, "lm")
        for lines, left, width in zip(self._headings, self._lefts(), self._widths, strict=False):
            yield from self._lines(lines, left + width / 2, self._top - gap - len(lines) * self._line, "mm")
        for lines, bottom, height in zip(self._labels, self._bottoms, self._heights, strict=False):
            yield from self._lines(lines, gap, bottom - (height + len(lines) * self._line) / 2, "lm")
        for captions, bottom in zip(self._captions, self._bottoms, strict=True):
            for lines, left, width in zip(captions, self._lefts(), self._widths, strict=False):
                yield from self._lines(lines, left + width / 2, bottom, "mm")

    def _lines(self, lines: Sequence[str], x: float, top: float, anchor: str) -> Iterator[Text]:
        """Lines below one another."""
        for number, line in enumerate(lines):
            yield line, x, top + number * self._line + self._line / 2, anchor

    def _lefts(self) -> Iterator[int]:
        """The left of each column."""
        left = self._left
        for width in self._widths:
            yield left
            left += width + self._grid.gap

    def _wrapped(self, texts: Sequence[str]) -> list[list[str]]:
        """Texts in lines no wider than their columns."""
        return [
            wrapped(text, self.font, width) if width else [] for text, width in zip(texts, self._widths, strict=False)
        ]

    def _label_width(self) -> int:
        """Pixels that the labels take, with the gap beside them."""
        longest = max((self.font.getlength(line) for lines in self._labels for line in lines), default=0)
        return math.ceil(longest) + self._grid.gap if longest else 0

    def _space(self, lines: int) -> int:
        """Pixels that lines of text take, with the gap below them."""
        return lines * self._line + self._grid.gap if lines else 0


def font(size: int, texts: Sequence[str]) -> Font:
    """Pillow's built-in font; DejaVu Sans of matplotlib where a text has letters beyond ASCII.

    Args:
        size: Size of the letters, in pixels.
        texts: All texts that are written in it.
    """
    if all(text.isascii() for text in texts):
        return ImageFont.load_default(size)
    import matplotlib  # late: it takes a while

    return ImageFont.truetype(os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


def wrapped(text: str, font: Font, width: int) -> list[str]:
    """A text in lines no wider than `width` pixels, broken between words, or within words that are wider."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        current = ""
        for word in paragraph.split():
            longer = f"{current} {word}" if current else word
            if font.getlength(longer) <= width:
                current = longer
                continue
            if current:
                lines.append(current)
            while font.getlength(word) > width and len(word) > 1:
                length = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or font.getlength(word[:n]) <= width)
                length = next((n for n in range(length, length // 2, -1) if word[n - 1] in _JOINTS), length)
                lines.append(word[:length])
                word = word[length:]
            current = word
        lines.append(current)
    return lines


def _columns(rows: Sequence[Sequence[Cell | None]]) -> Iterator[tuple[Cell | None, ...]]:
    return itertools.zip_longest(*rows)


def _most(numbers: Iterable[int]) -> int:
    """The largest of the numbers, or 0."""
    return max(numbers, default=0)
