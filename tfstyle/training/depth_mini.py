"""What DepthMini is trained on, and the loss: made scenes, and inverse depth up to scale and shift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import stats

from tfstyle.images.samples import scenes

Tensor = Any

SCALES = 4  # of the gradients that are compared (Ranftl et al. 2020, equation 11)
GRADIENT_WEIGHT = 0.5  # of their loss (Ranftl et al. 2020, equation 12)
_LEAST = 1e-4  # chosen: what a deviation is at least


def aligned(inverse: Tensor) -> Tensor:
    """Inverse depth without scale and shift: less its median, over its mean absolute deviation from it.

    Args:
        inverse: `(batch, height, width)`.

    Reference:
        Ranftl et al. 2020, "Towards Robust Monocular Depth Estimation", equations 5 and 6.
    """
    _, height, width = tf.unstack(tf.shape(inverse))
    flat = tf.reshape(tf.cast(inverse, "float32"), (-1, height * width))
    middle = tf.sort(flat, axis=1)[:, (height * width - 1) // 2, None]
    spread = tf.reduce_mean(tf.abs(flat - middle), axis=1, keepdims=True)
    return tf.reshape((flat - middle) / tf.maximum(spread, _LEAST), tf.shape(inverse))


def loss(truth: Tensor, found: Tensor) -> Tensor:
    """The scale- and shift-invariant loss with gradient matching, the mean over a batch.

    With r the difference of what is `aligned`: mean |r| + 0.5 Σ over scales of mean (|∂x r| + |∂y r|), each scale
    having every second position of the one before.

    Args:
        truth: Inverse depth `(batch, height, width)`, of any scale and shift.
        found: The same.

    Reference:
        Ranftl et al. 2020, equations 7 (untrimmed: the truth has no outliers), 11 and 12.
    """
    residual = aligned(found) - aligned(truth)
    gradients = []
    for scale in range(SCALES):
        part = residual[:, :: 2**scale, :: 2**scale]
        across, down = part[:, :, 1:] - part[:, :, :-1], part[:, 1:] - part[:, :-1]
        gradients.append(tf.reduce_mean(tf.abs(across)) + tf.reduce_mean(tf.abs(down)))
    return tf.reduce_mean(tf.abs(residual)) + GRADIENT_WEIGHT * tf.add_n(gradients)


class Scenes:
    """Batches of made scenes, the same ones for the same seed and step in any order of asking.

    Half of them are mirrored.

    Args:
        side: In pixels.
        batch: Scenes a step.
        seed: Of the scenes.
        pictures: Parts of which are used as textures beside those that are made.
    """

    def __init__(self, side: int, batch: int, seed: int = 0, pictures: Sequence[np.ndarray] = ()) -> None:
        self.side, self.batch, self.seed, self.pictures = side, batch, seed, pictures

    def __call__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Pictures `(batch, side, side, 3)` in [0, 1], and proximities `(batch, side / 2, side / 2)`."""
        found = [self._scene(np.random.default_rng([self.seed, step, i])) for i in range(self.batch)]
        pictures, proximities = (np.stack(each) for each in zip(*found, strict=True))
        half = self.side // 2
        return pictures, proximities.reshape(-1, half, 2, half, 2).mean(axis=(2, 4))

    def _scene(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        picture, proximity = scenes.render((self.side, self.side), rng, self.pictures)
        turn = 1 if rng.random() < 0.5 else -1
        return picture[:, ::turn], proximity[:, ::turn]


def agreement(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """How well two maps of inverse depth agree, whatever their scale and shift; 1 is perfect, 0 is chance.

    Args:
        truth: Of any shape; what is not finite isn't known, and doesn't count.
        found: Of the same.

    Returns:
        `correlation` (Pearson's) and `rank` (Spearman's).
    """
    known = np.isfinite(truth)
    first, second = truth[known].astype(np.float64), found[known].astype(np.float64)
    if not (np.ptp(first) and np.ptp(second)):
        return {"correlation": 0.0, "rank": 0.0}
    return {
        "correlation": float(np.corrcoef(first, second)[0, 1]),
        "rank": float(stats.spearmanr(first, second).statistic),
    }
