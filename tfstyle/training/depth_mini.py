"""What DepthMini is trained on, and its loss: rendered scenes, and inverse depth up to scale and shift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import stats

from tfstyle.images.samples import scenes

Tensor = Any

SCALES = 4  # scales of the gradients that are compared (Ranftl et al. 2020, equation 11)
GRADIENT_WEIGHT = 0.5  # weight of the gradient loss (Ranftl et al. 2020, equation 12)
_MINIMUM_SPREAD = 1e-4  # least mean absolute deviation of a map (chosen)


def aligned(inverse_depth: Tensor) -> Tensor:
    """Inverse depth without scale and shift: less its median, over its mean absolute deviation from the median.

    Args:
        inverse_depth: `(batch, height, width)`.

    Returns:
        float32 `(batch, height, width)`.

    Reference:
        Ranftl et al. 2020, "Towards Robust Monocular Depth Estimation", equations 5 and 6.
    """
    _, height, width = tf.unstack(tf.shape(inverse_depth))
    flat = tf.reshape(tf.cast(inverse_depth, "float32"), (-1, height * width))
    median = tf.sort(flat, axis=1)[:, (height * width - 1) // 2, None]
    spread = tf.reduce_mean(tf.abs(flat - median), axis=1, keepdims=True)
    return tf.reshape((flat - median) / tf.maximum(spread, _MINIMUM_SPREAD), tf.shape(inverse_depth))


def loss(truth: Tensor, predicted: Tensor) -> Tensor:
    """The scale- and shift-invariant loss with gradient matching, the mean over a batch.

    With r the difference of the `aligned` maps: mean |r| + 0.5 Σ over scales of mean (|∂x r| + |∂y r|), where each
    scale has every second position of the scale before.

    Args:
        truth: Inverse depth `(batch, height, width)`, of any scale and shift.
        predicted: Inverse depth `(batch, height, width)`, of any scale and shift.

    Reference:
        Ranftl et al. 2020, equations 7 (untrimmed: the truth has no outliers), 11 and 12.
    """
    residual = aligned(predicted) - aligned(truth)
    gradients = []
    for scale in range(SCALES):
        part = residual[:, :: 2**scale, :: 2**scale]
        across, down = part[:, :, 1:] - part[:, :, :-1], part[:, 1:] - part[:, :-1]
        gradients.append(tf.reduce_mean(tf.abs(across)) + tf.reduce_mean(tf.abs(down)))
    return tf.reduce_mean(tf.abs(residual)) + GRADIENT_WEIGHT * tf.add_n(gradients)


class Scenes:
    """Batches of rendered scenes, which depend on the seed and the step alone. Half of the scenes are mirrored.

    Args:
        side: Side of the images in pixels.
        batch: Scenes per step.
        seed: Seed of the scenes.
        pictures: Images whose parts are used as textures, beside procedural ones.
    """

    def __init__(self, side: int, batch: int, seed: int = 0, pictures: Sequence[np.ndarray] = ()) -> None:
        self.side, self.batch, self.seed, self.pictures = side, batch, seed, pictures

    def __call__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Images `(batch, side, side, 3)` in [0, 1], and inverse depth `(batch, side / 2, side / 2)`."""
        rendered = [self._scene(np.random.default_rng([self.seed, step, i])) for i in range(self.batch)]
        pictures, inverse_depth = (np.stack(each) for each in zip(*rendered, strict=True))
        half = self.side // 2
        return pictures, inverse_depth.reshape(-1, half, 2, half, 2).mean(axis=(2, 4))

    def _scene(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        picture, inverse_depth = scenes.render((self.side, self.side), rng, self.pictures)
        direction = 1 if rng.random() < 0.5 else -1
        return picture[:, ::direction], inverse_depth[:, ::direction]


def agreement(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Correlations of two maps of inverse depth, whatever their scale and shift; 1 is perfect, 0 is chance.

    Args:
        truth: Inverse depth of any shape; positions that are not finite are unknown and left out.
        predicted: Inverse depth of the same shape.

    Returns:
        `correlation` (Pearson's) and `rank` (Spearman's).
    """
    known = np.isfinite(truth)
    x, y = truth[known].astype(np.float64), predicted[known].astype(np.float64)
    if not (np.ptp(x) and np.ptp(y)):
        return {"correlation": 0.0, "rank": 0.0}
    return {
        "correlation": float(np.corrcoef(x, y)[0, 1]),
        "rank": float(stats.spearmanr(x, y).statistic),
    }
