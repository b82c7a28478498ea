"""Sample images of a training in one grid."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tfstyle.images.grids import Cell, grid

GAP = 4  # pixels between samples (chosen)


def sample_grid(rows: Iterable[Iterable[np.ndarray | None]]) -> np.ndarray:
    """Samples side by side.

    Args:
        rows: Images, each float (height, width, 3) in [0, 1]; None for an empty place.

    Returns:
        float32 (height, width, 3) in [0, 1].
    """
    return grid([[None if image is None else Cell(image) for image in row] for row in rows], gap=GAP)
