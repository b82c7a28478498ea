"""Pictures side by side, for notebooks."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure


class PicturesFigure(Figure):
    """A figure that notebooks show as JPEG, with or without pyplot."""

    def _ipython_display_(self) -> None:
        from IPython.display import Image, display

        file = io.BytesIO()
        self.savefig(file, format="jpeg")
        display(Image(data=file.getvalue(), format="jpeg"))


def show(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    *,
    columns: int = 4,
    width: float = 2.6,
    row_titles: Sequence[str] = (),
) -> PicturesFigure:
    """Draw pictures side by side.

    A notebook shows the figure if it is the last value of a cell. Elsewhere use `figure.savefig("figure.png")`. The
    function doesn't use pyplot, so it changes no global state.

    Args:
        pictures: Arrays `(height, width, 3)` or `(height, width)`, in [0, 1]; values outside are clipped.
        titles: Text above each picture, or above the first ones.
        columns: Number of pictures in a row; with fewer pictures, a row has as many as there are.
        width: Width of a picture in inches.
        row_titles: Text to the left of each row.

    Returns:
        The figure.

    Examples:
        >>> import numpy as np
        >>> figure = show([np.zeros((2, 3, 3)), np.ones((2, 3))], ["black", "white"])
        >>> [axes.get_title() for axes in figure.axes]
        ['black', 'white']
    """
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, -(-len(pictures) // columns))
    tallest = max((picture.shape[0] / picture.shape[1] for picture in pictures), default=1)
    title_height = 0.3 if titles else 0.1  # inches
    size = (width * columns, (width * tallest + title_height) * rows)
    figure = PicturesFigure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
    for axis, picture in zip(axes.flat, pictures, strict=False):
        axis.imshow(np.clip(picture, 0, 1), cmap="gray", vmin=0, vmax=1)
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=8)
    for row, title in zip(axes, row_titles, strict=False):
        row[0].set_ylabel(title, fontsize=8)
    return figure
