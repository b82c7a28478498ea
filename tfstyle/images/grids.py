"""Several pictures as one, in rows with captions, to be looked at side by side."""

from __future__ import annotations

import io
import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.images.picture import quantized

LARGEST_SIDE = 512  # of a picture in an overview, in pixels (chosen)
COLUMNS = 6  # of an overview; more would be small on a screen (chosen)
_INK, _PAPER = (40, 40, 40), (255, 255, 255)
_MARK = ("Software", "tfstyle")  # in PNG files, to know our own by


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture of a grid.

    Attributes:
        picture: float (height, width, 3), sRGB in [0, 1].
        caption: What stands below it; wrapped where it is wider than its column.
    """

    picture: np.ndarray
    caption: str = ""


def grid(rows: Sequence[Sequence[Cell | None]], *, gap: int = 12, text: int = 16) -> np.ndarray:
    """Rows of pictures, each at its own size in the middle of its column, with its caption below.

    Columns are as wide as their widest picture, and rows as high as their highest one with its caption. The pictures
    of a row stand on one line.

    Args:
        rows: The pictures; None for an empty place. Rows need not be of one length.
        gap: Between pictures, and around them, in pixels.
        text: Size of the letters, in pixels; what the built-in font lacks, as it does Chinese, becomes boxes.

    Returns:
        float32 (height, width, 3), in [0, 1].

    Raises:
        InputError: There is no picture.
    """
    cells = [cell for row in rows for cell in row if cell is not None]
    if not cells:
        raise InputError("there is no picture for the grid: give at least one")
    font = ImageFont.load_default(text)
    line = math.ceil(text * 1.3)  # chosen
    columns = itertools.zip_longest(*rows)
    widths = [max((cell.picture.shape[1] for cell in column if cell is not None), default=0) for column in columns]
    captions = [
        [
            [] if cell is None else _wrapped(cell.caption, font, width)
            for cell, width in zip(row, widths, strict=False)
        ]
        for row in rows
    ]
    heights = [max((cell.picture.shape[0] for cell in row if cell is not None), default=0) for row in rows]
    below = [line * max(map(len, lines), default=0) for lines in captions]
    page = Image.new(
        "RGB", (sum(widths) + gap * (len(widths) + 1), sum(heights) + sum(below) + gap * (len(rows) + 1)), _PAPER
    )
    draw = ImageDraw.Draw(page)
    top = gap
    for row, height, space, texts in zip(rows, heights, below, captions, strict=True):
        left = gap
        for cell, width, lines in zip(row, widths, texts, strict=False):
            if cell is not None:
                own_height, own_width = cell.picture.shape[:2]
                place = (left + (width - own_width) // 2, top + height - own_height)
                page.paste(Image.fromarray(quantized(np.clip(cell.picture, 0, 1), 8)), place)
                for number, words in enumerate(lines):
                    at = (left + width / 2, top + height + number * line + line / 2)
                    draw.text(at, words, _INK, font, anchor="mm")
            left += width + gap
        top += height + space + gap
    return np.asarray(page, np.float32) / 255


def _wrapped(caption: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """The caption in lines no wider than `width` pixels, broken between words, or within those that are wider."""
    lines: list[str] = []
    for paragraph in caption.splitlines():
        current = ""
        for word in paragraph.split():
            longer = f"{current} {word}" if current else word
            if font.getlength(longer) <= width:
                current = longer
                continue
            if current:
                lines.append(current)
            while font.getlength(word) > width and len(word) > 1:
                fits = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or font.getlength(word[:n]) <= width)
                fits = next((n for n in range(fits, fits // 2, -1) if word[n - 1] in "_-/\\"), fits)  # as in names
                lines.append(word[:fits])
                word = word[fits:]
            current = word
        lines.append(current)
    return lines


def overview(content: Cell, painted: Sequence[tuple[Cell, Cell]]) -> np.ndarray:
    """The content, and beside it each style in small above what was painted in it; in bands of up to six columns.

    Args:
        content: The content picture.
        painted: Each style with its result. The longer side of the first result, at most `LARGEST_SIDE`, is that of
            the content and of all results.

    Returns:
        float32 (height, width, 3), in [0, 1].
    """
    side = min(LARGEST_SIDE, max(painted[0][1].picture.shape[:2]))
    columns = [(None, _sized(content, side)), *((_sized(s, side // 2), _sized(r, side)) for s, r in painted)]
    bands = math.ceil(len(columns) / COLUMNS)
    each = math.ceil(len(columns) / bands)
    rows: list[list[Cell | None]] = []
    for begin in range(0, len(columns), each):
        rows += [list(cells) for cells in zip(*columns[begin : begin + each], strict=True)]
    text = max(14, side // 16)  # as large beside the pictures at any size (chosen)
    return grid(rows, gap=text, text=text)


def on_white(rgb: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """What is seen of a picture with transparency on white paper."""
    return rgb if alpha is None else 1 - (1 - rgb) * alpha[..., None]


def _sized(cell: Cell, side: int) -> Cell:
    return Cell(images.load(cell.picture, side).rgb, cell.caption)


def save(picture: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write a grid as PNG, marked as one of tfstyle.

    Raises:
        InputError: It can't be written, or another file is there.
    """
    check_writable(path)
    mark = PngImagePlugin.PngInfo()
    mark.add_text(*_MARK)
    file = io.BytesIO()
    Image.fromarray(quantized(picture, 8)).save(file, "PNG", pnginfo=mark)
    files.atomic_write(path, file.getvalue())


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out before long work whether `save` can write to `path`, where nothing but an older grid may be.

    Raises:
        InputError: It can't.
    """
    images.check_writable(path)
    if os.path.lexists(path) and not _is_ours(path):
        raise InputError(
            f"could not write {files.shown(path)}: there is one already, which is not of tfstyle; move it, or choose "
            f"another folder"
        )


def _is_ours(path: str | os.PathLike[str]) -> bool:
    try:
        with Image.open(path) as image:
            return image.info.get(_MARK[0]) == _MARK[1]
    except Exception:  # of all sorts, as Pillow has it
        return False
