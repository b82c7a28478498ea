"""Diagnostics of adversarial trainings: mode collapse, copies of the input, and negatives.

Losses don't show these failures, so the diagnostics look at generated samples. The thresholds are chosen: they are
low enough that every warning is worth a look at the samples.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import keras
import numpy as np

from tfstyle.images.luminance import BT709

log = logging.getLogger("tfstyle")

COLLAPSED = 0.2  # variety, relative to real images, below which the generator may have collapsed (chosen)
COPIED = 0.1  # change, relative to the contrast of the input, below which the output may be a copy (chosen)
INVERTED = -0.3  # correlation of luminance below which the output may be a negative (chosen)
_CELLS = 8  # cells a side for `variety`: enough for the motif, too few for the brushwork (chosen)


def variety(images: np.ndarray) -> float:
    """How much images differ: the root mean square difference over all pairs, of means over 8 x 8 cells.

    Args:
        images: float `(number, height, width, channels)`, two or more.

    Returns:
        A number from 0 upwards, in the units of the images.

    Examples:
        >>> black, white = np.zeros((16, 16, 3)), np.ones((16, 16, 3))
        >>> variety(np.stack([black, white]))
        1.0
    """
    cells = _cell_means(images).reshape(len(images), -1)
    differences = cells[:, None] - cells[None]
    mean_square = np.square(differences).mean(axis=-1)
    return float(np.sqrt(mean_square[~np.eye(len(cells), dtype=bool)].mean()))


def luminance_correlation(inputs: np.ndarray, outputs: np.ndarray) -> float:
    """Pearson's correlation of luminance between inputs and outputs, averaged over images.

    Args:
        inputs: float `(number, height, width, 3)`, RGB.
        outputs: The images that were generated from the inputs, float `(number, height, width, 3)`, RGB.

    Returns:
        A number from −1 to 1. A pair in which one image has a single luminance counts as 0.

    Examples:
        >>> images = np.random.default_rng(0).random((2, 8, 8, 3))
        >>> round(luminance_correlation(images, 1 - images), 6)
        -1.0
    """
    correlations = []
    for first, second in zip(inputs, outputs, strict=True):
        a, b = ((image.astype(np.float64) @ BT709) for image in (first, second))
        a, b = a - a.mean(), b - b.mean()
        scale = np.sqrt(np.square(a).sum() * np.square(b).sum())
        correlations.append(float((a * b).sum() / scale) if scale > 1e-9 else 0.0)
    return float(np.mean(correlations))


def diagnostics(generated: np.ndarray, real: np.ndarray, inputs: np.ndarray | None = None) -> dict[str, float]:
    """Numbers that describe samples, by their names in the log of a training.

    Args:
        generated: Generated images, float `(number, height, width, channels)` in [0, 1], two or more.
        real: Real images of the same domain, float `(number, height, width, channels)` in [0, 1], two or more.
        inputs: The images that the samples were generated from, if any, float `(number, height, width, 3)` in [0, 1].

    Returns:
        `"variety"`, that of generated images relative to that of real ones; with inputs also `"luminance"`, the
        correlation of luminance.
    """
    values = {"variety": variety(generated) / max(variety(real), 1e-6)}
    if inputs is not None:
        values["luminance"] = luminance_correlation(inputs, generated)
    return values


def warnings_of(row: Mapping[str, float]) -> dict[str, str]:
    """Warnings about an epoch.

    Args:
        row: Values of the log by their names: `diagnostics`, `"copy_ratio"`, `"epoch"` (from 1). A missing value
            gives no warning. Neither does the first epoch, after which networks still generate a single grey.

    Returns:
        One line for each of `"collapse"`, `"copying"` and `"inversion"` that applies.

    Examples:
        >>> list(warnings_of({"epoch": 5, "variety": 0.05, "luminance": 0.7}))
        ['collapse']
    """
    warnings: dict[str, str] = {}
    if row.get("epoch", 2) < 2:
        return warnings
    if row.get("variety", 1.0) < COLLAPSED:
        warnings["collapse"] = (
            f"collapse: the variety of generated images is {row['variety']:.2g} of that of real images (less than "
            f"{COLLAPSED:g}); they may all be the same"
        )
    if row.get("copy_ratio", 1.0) < COPIED:
        warnings["copying"] = (
            f"copying: images change by {row['copy_ratio']:.2g} of their contrast (less than {COPIED:g}); the "
            f"generator may only copy its input"
        )
    if row.get("luminance", 0.0) < INVERTED:
        warnings["inversion"] = (
            f"inversion: the luminance of outputs and inputs has the correlation {row['luminance']:.2g} (less than "
            f"{INVERTED:g}); the generator may have learned a negative"
        )
    return warnings


class GANDiagnostics(keras.callbacks.Callback):
    """Adds `diagnostics` to the logs of each epoch, and logs each warning once, when it first applies.

    Put it before the callback that writes the log.

    Args:
        generate: From the model to generated images, float `(number, height, width, channels)` in [0, 1].
        real: Real images, float `(number, height, width, channels)` in [0, 1].
        inputs: The images that the samples are generated from, if any, float `(number, height, width, 3)` in [0, 1].
        previous: The last row of the log, if the training is resumed: its warnings are not repeated.
    """

    def __init__(
        self,
        generate: Callable[[keras.Model], np.ndarray],
        real: np.ndarray,
        inputs: np.ndarray | None = None,
        previous: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.generate, self.real, self.inputs = generate, real, inputs
        self._active = set(warnings_of(previous or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Compute the diagnostics, add them to the logs, and log new warnings."""
        logs = {} if logs is None else logs
        logs.update(diagnostics(self.generate(self.model), self.real, self.inputs))
        warnings = warnings_of({**logs, "epoch": epoch + 1})
        for name, line in warnings.items():
            if name not in self._active:
                log.warning("epoch %d: %s", epoch + 1, line)
        self._active = set(warnings)


def _cell_means(images: np.ndarray) -> np.ndarray:
    """Means over 8 x 8 cells, float64 (number, 8, 8, channels); along a side of fewer than 8 pixels, the pixels."""
    means = np.asarray(images, np.float64)
    for axis in (1, 2):
        length = means.shape[axis]
        edges = np.linspace(0, length, min(_CELLS, length) + 1).astype(int)
        sums = np.add.reduceat(means, edges[:-1], axis=axis)
        shape = [1] * means.ndim
        shape[axis] = -1
        means = sums / np.diff(edges).reshape(shape)
    return means
