"""Whether adversarial training goes wrong in one of the ways that losses don't show."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle.models.adversarial_losses import copy_ratio

log = logging.getLogger("tfstyle")

# All chosen
COPIES = 0.1  # copy_ratio below which a generator hardly does anything
INVERTED = -0.2  # correlation of lightness below which light has become dark
COLLAPSED = 0.1  # variety of pictures, as a share of that of the inputs, below which they are all alike


def correlation(pictures: np.ndarray, outputs: np.ndarray) -> float:
    """Mean over pictures of the correlation of their pixels' lightness: below 0 where light has become dark.

    Args:
        pictures: `(batch, height, width, 3)`.
        outputs: What they have become, of the same shape.
    """
    first, second = (np.asarray(x, "float64").mean(-1).reshape(len(x), -1) for x in (pictures, outputs))
    first, second = (x - x.mean(1, keepdims=True) for x in (first, second))
    scale = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(np.mean((first * second).sum(1) / np.maximum(scale, 1e-12)))


def variety(pictures: np.ndarray) -> float:
    """Root mean square of the differences of pictures from their mean picture: 0 where they are all the same.

    Args:
        pictures: `(batch, height, width, channels)`.
    """
    pictures = np.asarray(pictures, "float64")
    return float(np.sqrt(np.mean((pictures - pictures.mean(0)) ** 2)))


class TrainingHealth(keras.callbacks.Callback):
    """After each epoch, looks at what has become of some pictures, logs numbers, and warns of what they mean.

    - `health_copy_ratio`: how much the generator changes its input (0: it copies).
    - `health_correlation`: of lightness, before and after (below 0: it has inverted it).
    - `health_variety`: how unlike its pictures are, as a share of how unlike its inputs are (0: it has collapsed).

    For models of noise, only the last, with the pictures given as what is to be reached.

    Args:
        pictures: Several, unlike each other, `(batch, height, width, 3)`, RGB in [0, 1].
        generate: For models of noise, gives a number of pictures (`model.generate`); None for models of pictures.

    Reference:
        Remedies are those of the FAQ of junyanz/pytorch-CycleGAN-and-pix2pix.
    """

    def __init__(self, pictures: Any, generate: Callable[[int], np.ndarray] | None = None) -> None:
        super().__init__()
        self.pictures = np.asarray(pictures, "float32")
        self.generate = generate

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look, log and warn."""
        found = self.measured()
        if logs is not None:
            logs.update({f"health_{name}": value for name, value in found.items()})
        for name, (bad, problem) in _PROBLEMS.items():
            if name in found and found[name] < bad:
                log.warning("epoch %d: %s (%s %.2f)", epoch + 1, problem, name, found[name])

    def measured(self) -> dict[str, float]:
        """The numbers, by name."""
        if self.generate is not None:
            outputs = self.generate(len(self.pictures))
            return {"variety": variety(outputs) / max(variety(self.pictures), 1e-12)}
        outputs = ops.convert_to_numpy(self.model(self.pictures))
        return {
            "copy_ratio": float(copy_ratio(ops.convert_to_tensor(self.pictures), ops.convert_to_tensor(outputs))),
            "correlation": correlation(self.pictures, outputs),
            "variety": variety(outputs) / max(variety(self.pictures), 1e-12),
        }


_PROBLEMS = {
    "copy_ratio": (COPIES, "the generator copies its input: lower identity_weight, or leave out the outermost skip"),
    "correlation": (INVERTED, "light and dark are inverted: begin anew, with another seed or more identity_weight"),
    "variety": (COLLAPSED, "all pictures look alike: begin anew, with another seed or a slower discriminator"),
}
