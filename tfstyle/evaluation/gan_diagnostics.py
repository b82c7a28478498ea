"""The health of an adversarial training: whether it collapses, only copies, or turns light into dark.

Each is seen in samples, and not in losses. The bounds are chosen, low enough that what is named is worth looking at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import keras
import numpy as np

log = logging.getLogger("tfstyle")

COLLAPSED = 0.2  # of real pictures' variety (chosen)
COPIED = 0.1  # of a picture's contrast (chosen)
INVERTED = -0.3  # correlation of luminance (chosen)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # Rec. 709
_CELLS = 8  # of pictures, to a side: what they are of, without what they are drawn with (chosen)


def variety(pictures: np.ndarray) -> float:
    """How much pictures differ: the root mean square of the differences of any two, seen in 8 x 8 cells.

    Args:
        pictures: float (number, height, width, channels), two or more.

    Returns:
        0 or more, in units of the pictures.
    """
    cells = _cells(pictures).reshape(len(pictures), -1)
    differences = cells[:, None] - cells[None]
    mean_square = np.square(differences).mean(axis=-1)
    return float(np.sqrt(mean_square[~np.eye(len(cells), dtype=bool)].mean()))


def luminance_correlation(inputs: np.ndarray, outputs: np.ndarray) -> float:
    """Pearson's correlation of the luminance of inputs and outputs over a picture, in the mean over pictures.

    Args:
        inputs: float (number, height, width, 3).
        outputs: Of the same shape.

    Returns:
        From −1 to 1; pictures of one flat grey count as 0.
    """
    found = []
    for one, other in zip(inputs, outputs, strict=True):
        a, b = ((picture.astype(np.float64) @ _LUMINANCE) for picture in (one, other))
        a, b = a - a.mean(), b - b.mean()
        length = np.sqrt(np.square(a).sum() * np.square(b).sum())
        found.append(float((a * b).sum() / length) if length > 1e-9 else 0.0)
    return float(np.mean(found))


def measures(fakes: np.ndarray, reals: np.ndarray, inputs: np.ndarray | None = None) -> dict[str, float]:
    """What is measured of samples, as the log has it.

    Args:
        fakes: Generated pictures, float (number, height, width, channels) in [0, 1], two or more.
        reals: Real ones of the domain they should be of, likewise.
        inputs: What the fakes were made of, if that was pictures.

    Returns:
        `"variety"`, of fakes as a share of that of real pictures; and with inputs `"luminance"`, the correlation.
    """
    found = {"variety": variety(fakes) / max(variety(reals), 1e-6)}
    if inputs is not None:
        found["luminance"] = luminance_correlation(inputs, fakes)
    return found


def ailments(row: Mapping[str, float]) -> dict[str, str]:
    """What an epoch's measures say is wrong, by name, each as one line.

    Args:
        row: `measures`, and what training shows as `copy_ratio`; what isn't there isn't judged. Nor is the first
            `"epoch"`: all that networks make that have hardly learned is one grey.
    """
    found: dict[str, str] = {}
    if row.get("epoch", 2) < 2:
        return found
    if row.get("variety", 1.0) < COLLAPSED:
        found["collapse"] = (
            f"collapse: generated pictures differ {row['variety']:.2g} times as much as real ones do (less than "
            f"{COLLAPSED:g}); they may be all the same"
        )
    if row.get("copy_ratio", 1.0) < COPIED:
        found["copying"] = (
            f"copying: pictures are changed by {row['copy_ratio']:.2g} of their contrast (less than {COPIED:g}); the "
            f"generator may only pass them on"
        )
    if row.get("luminance", 0.0) < INVERTED:
        found["inversion"] = (
            f"inversion: light and dark correlate by {row['luminance']:.2g} with those of the input (less than "
            f"{INVERTED:g}); the generator may have learned a negative"
        )
    return found


class Health(keras.callbacks.Callback):
    """Measures samples after each epoch, for the log, and says once what is wrong when it begins.

    It stands before whatever writes the log.

    Args:
        fakes: Gives generated pictures of a model, float (number, height, width, channels) in [0, 1].
        reals: Real ones.
        inputs: What the fakes are made of, if that is pictures.
        before: The log's last row, of a training that goes on: what was wrong then was said then.
        say: Takes each line; None for the logger `tfstyle`.
    """

    def __init__(
        self,
        fakes: Callable[[keras.Model], np.ndarray],
        reals: np.ndarray,
        inputs: np.ndarray | None = None,
        before: Mapping[str, float] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self.fakes, self.reals, self.inputs = fakes, reals, inputs
        self.say = log.warning if say is None else say
        self._known = set(ailments(before or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Measure, note it in the logs, and say what has begun."""
        logs = {} if logs is None else logs
        logs.update(measures(self.fakes(self.model), self.reals, self.inputs))
        found = ailments({**logs, "epoch": epoch + 1})
        for name, line in found.items():
            if name not in self._known:
                self.say(f"epoch {epoch + 1}: {line}")
        self._known = set(found)


def _cells(pictures: np.ndarray) -> np.ndarray:
    """Means over cells, float64 (number, 8, 8, channels), or over pixels where there are fewer."""
    pictures = np.asarray(pictures, np.float64)
    for axis in (1, 2):
        length = pictures.shape[axis]
        edges = np.linspace(0, length, min(_CELLS, length) + 1).astype(int)
        sums = np.add.reduceat(pictures, edges[:-1], axis=axis)
        shape = [1] * pictures.ndim
        shape[axis] = -1
        pictures = sums / np.diff(edges).reshape(shape)
    return pictures
