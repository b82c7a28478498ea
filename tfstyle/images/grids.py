"""Several images as one, in rows and columns, with captions, headings and a title.

Experiments, trainings and the command line put images side by side with `grid`.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.images.grid_layout import Layout
from tfstyle.images.picture import quantized

LARGEST_SIDE = 512  # of an image in an overview, in pixels (chosen)
COLUMNS = 6  # of an overview; more would be small on a screen (chosen)
_INK, _PAPER = (40, 40, 40), (255, 255, 255)
_MARK = ("Software", "tfstyle")  # in PNG files, so that the package recognizes its own


@dataclass(frozen=True, eq=False)
class Cell:
    """An image of a grid.

    Attributes:
        picture: float (height, width, 3), sRGB in [0, 1].
        caption: Text below the image; wrapped where it is wider than its column.
    """

    picture: np.ndarray
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Grid:
    """Images in rows and columns, and the texts around them.

    Attributes:
        rows: The images; None for an empty place. Rows need not have one length.
        headings: Text above each column.
        labels: Text at the left of each row; broken at its line ends only.
        title: Text above all.
        gap: Pixels between the images, and around them.
        text: Size of the letters, in pixels.
    """

    rows: Sequence[Sequence[Cell | None]]
    headings: Sequence[str] = ()
    labels: Sequence[str] = ()
    title: str = ""
    gap: int = 12
    text: int = 16

    @property
    def cells(self) -> list[Cell]:
        """The images, without the empty places."""
        return [cell for row in self.rows for cell in row if cell is not None]

    @property
    def words(self) -> list[str]:
        """All texts: title, headings, labels and captions."""
        texts = [self.title, *self.headings, *self.labels, *(cell.caption for cell in self.cells)]
        return [text for text in texts if text]

    def render(self) -> np.ndarray:
        """The grid as one image; see `grid`."""
        if not self.cells:
            raise InputError("there is no image for the grid: give at least one")
        layout = Layout(self)
        page = Image.new("RGB", (layout.width, layout.height), _PAPER)
        for cell, left, top in layout.images():
            page.paste(Image.fromarray(quantized(np.clip(cell.picture, 0, 1), 8)), (left, top))
        draw = ImageDraw.Draw(page)
        for text, x, y, anchor in layout.texts():
            draw.text((x, y), text, _INK, layout.font, anchor=anchor)
        return np.asarray(page, np.float32) / 255


def grid(
    rows: Sequence[Sequence[Cell | np.ndarray | None]],
    *,
    headings: Sequence[str] = (),
    labels: Sequence[str] = (),
    title: str = "",
    gap: int = 12,
    text: int = 16,
) -> np.ndarray:
    """Images side by side, each at its own size in the middle of its column, with its caption below.

    Columns are as wide as their widest image, and rows as high as their highest one with its caption. The images of a
    row stand on one line. Letters are Pillow's built-in font, or DejaVu Sans where a text is not ASCII; what a font
    lacks, such as Chinese, becomes boxes.

    Args:
        rows: Cells, or images as float arrays (height, width, 3) in [0, 1]; None for an empty place. Rows need not
            have one length.
        headings: Text above each column.
        labels: Text at the left of each row.
        title: Text above all.
        gap: Pixels between the images, and around them.
        text: Size of the letters, in pixels.

    Returns:
        float32 (height, width, 3), in [0, 1].

    Raises:
        InputError: There is no image.

    Examples:
        >>> grey, white = np.full((20, 30, 3), 0.5), np.ones((20, 30, 3))
        >>> grid([[grey, white]], gap=10).shape
        (40, 90, 3)
    """
    cells = [[each if each is None or isinstance(each, Cell) else Cell(each) for each in row] for row in rows]
    return Grid(cells, headings, labels, title, gap, text).render()


def overview(content: Cell, results: Sequence[tuple[Cell, Cell]]) -> np.ndarray:
    """One content image in several styles: each small style image stands above its result.

    The content image stands in the first column. There are at most six columns; more styles go into further bands.

    Args:
        content: The content image.
        results: Each style image with its result. The content image and all results get the longer side of the first
            result, at most `LARGEST_SIDE`.

    Returns:
        float32 (height, width, 3), in [0, 1].
    """
    side = min(LARGEST_SIDE, max(results[0][1].picture.shape[:2]))
    columns: list[tuple[Cell | None, Cell]] = [(None, _resized(content, side))]
    columns += [(_resized(style, side // 2), _resized(result, side)) for style, result in results]
    bands = math.ceil(len(columns) / COLUMNS)
    per_band = math.ceil(len(columns) / bands)
    rows: list[list[Cell | None]] = []
    for start in range(0, len(columns), per_band):
        rows += [list(cells) for cells in zip(*columns[start : start + per_band], strict=True)]
    text = max(14, side // 16)  # in proportion to the images (chosen)
    return grid(rows, gap=text, text=text)


def on_white(rgb: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """An image with transparency, as it looks on white.

    Args:
        rgb: (height, width, 3), in [0, 1].
        alpha: (height, width), in [0, 1]; None for an opaque image.
    """
    return rgb if alpha is None else 1 - (1 - rgb) * alpha[..., None]


def _resized(cell: Cell, side: int) -> Cell:
    return Cell(images.load(cell.picture, side).rgb, cell.caption)


def save(picture: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write a grid as PNG, with a mark that the package recognizes.

    Args:
        picture: float (height, width, 3), in [0, 1].
        path: The file.

    Raises:
        InputError: The file can't be written, or replaces one that is not a grid of this package.
    """
    check_writable(path)
    mark = PngImagePlugin.PngInfo()
    mark.add_text(*_MARK)
    file = io.BytesIO()
    Image.fromarray(quantized(picture, 8)).save(file, "PNG", pnginfo=mark)
    files.atomic_write(path, file.getvalue())


def check_writable(path: str | os.PathLike[str]) -> None:
    """Check before long work that `save` can write a file; it may replace nothing but an older grid.

    Raises:
        InputError: It can't.
    """
    images.check_writable(path)
    if os.path.lexists(path) and not _is_grid(path):
        raise InputError(
            f"could not write {files.shown(path)}: there is a file that tfstyle did not write; move it, or choose "
            f"another folder"
        )


def _is_grid(path: str | os.PathLike[str]) -> bool:
    """Whether a file has the mark."""
    try:
        with Image.open(path) as image:
            return image.info.get(_MARK[0]) == _MARK[1]
    except Exception:  # Pillow raises many kinds
        return False
