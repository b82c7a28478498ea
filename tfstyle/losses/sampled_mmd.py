"""Maximum mean discrepancy, estimated in each step from random pairs of positions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.losses.mmd import median_distance
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.term import Features, Masks, References, Sums, Targets, Term, Windows

STYLE_POSITIONS = 2048  # of the style images, that pairs are drawn from (chosen)


@keras.saving.register_keras_serializable(package="tfstyle")
class PairedDiscrepancyTerm(Term):
    """MMD² under a Gaussian kernel by the linear-time unbiased estimate, averaged over layers.

    The loss of a layer is the mean over n pairs of k(x, x') + k(y, y') − k(x, y') − k(x', y), with
    k(x, y) = exp(−|x − y|² / 2σ²). x and x' are features of the picture at random positions, y and y' features of the
    style. The loss may be below 0.

    New pairs are drawn whenever the picture changes, seeded by its pixels. So the loss suits Adam, but not L-BFGS.
    `GaussianKernel` has no such noise.

    The style images are known by a sample of their positions, which contains each according to its weight.

    Args:
        backbone: The backbone.
        layers: Names of layers. None for the backbone's style layers.
        weight: Factor of the loss, at least 0.
        bandwidth: σ, in units of the features. None for the median distance between positions of the style.
        pairs: n, at least 1 (chosen). The standard deviation of the estimate falls with √n.
        name: Name under which the loss is reported.

    Raises:
        InputError: An argument is out of its range; or, for targets, there are masks, which this term can't use.

    Reference:
        Li, Wang, Liu, Hou 2017, "Demystifying Neural Style Transfer", section 4.1;
        Gretton et al. 2012, "A Kernel Two-Sample Test", section 6.
    """

    def __init__(
        self,
        backbone: Backbone,
        layers: Iterable[str] | None = None,
        weight: float = 1.0,
        bandwidth: float | None = None,
        pairs: int = 1024,
        name: str = "mmd",
    ) -> None:
        super().__init__(backbone, backbone.style_layers if layers is None else layers, weight, name)
        if bandwidth is not None and not 0 < bandwidth < math.inf:
            raise InputError(f"{name} bandwidth {bandwidth:g} is not above 0: give more, or None for the median")
        if pairs < 1 or pairs != int(pairs):
            raise InputError(f"{name} pairs {pairs:g} is not a whole number from 1")
        self.bandwidth = bandwidth
        self.pairs = int(pairs)

    @property
    def stochastic(self) -> bool:
        """True."""
        return True

    def reference_sums(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """By layer features at random positions, `(batch, STYLE_POSITIONS, channels)`."""
        places = np.random.default_rng(0).random((1, STYLE_POSITIONS, 2))
        return {layer: windows[layer].sample(at_least_float32(features[layer]), places) for layer in self.layers}

    def targets(self, references: References) -> Targets:
        """By layer the sample of the styles, `(1 or batch, STYLE_POSITIONS, channels)`, and σ, `(1 or batch,)`."""
        if references.masks is not None:
            raise InputError(f"the {self.name} term can't use masks: leave them out, or use GaussianKernel")
        bounds = [0, *np.rint(np.cumsum(references.style_weights[0]) * STYLE_POSITIONS).astype(int)]
        targets = {}
        for layer in self.layers:
            parts = [sums[layer][:, bounds[i] : bounds[i + 1]] for i, sums in enumerate(references.style_sums)]
            sample = ops.concatenate(parts, axis=1)
            some = ops.convert_to_numpy(sample[:, ::4])  # enough for a median (chosen)
            bandwidth = [median_distance(each) if self.bandwidth is None else self.bandwidth for each in some]
            targets[layer] = {"sample": sample, "bandwidth": ops.convert_to_tensor(bandwidth, sample.dtype)}
        return targets

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """By layer the features x, and after them x', `(batch, 2n, channels)`."""
        places = _random(targets["seeds"], 0, (2 * self.pairs, 2))
        return {layer: windows[layer].sample(at_least_float32(features[layer]), places) for layer in self.layers}

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """The mean over layers of the estimates by the formula of the class, `(batch,)`."""
        indices = _random(targets["seeds"], 1, (2 * self.pairs,), STYLE_POSITIONS)
        return sum(self._layer(sums[layer], indices, **targets[layer]) for layer in self.layers) / len(self.layers)

    def _layer(self, features: Tensor, indices: Tensor, sample: Tensor, bandwidth: Tensor) -> Tensor:
        sample = tf.broadcast_to(tf.cast(sample, features.dtype), (indices.shape[0], *sample.shape[1:]))
        style = tf.gather(sample, indices, batch_dims=1)
        sharpness = 1 / (2 * tf.square(tf.cast(bandwidth, features.dtype)))[:, None]

        def k(x: Tensor, y: Tensor) -> Tensor:
            return ops.exp(-sharpness * ops.sum(ops.square(x - y), axis=-1))

        (x, other_x), (y, other_y) = (ops.split(each, 2, axis=1) for each in (features, style))
        return ops.mean(k(x, other_x) + k(y, other_y) - k(x, other_y) - k(other_x, y), axis=1)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "bandwidth": self.bandwidth, "pairs": self.pairs}


def _random(seeds: Tensor, purpose: int, shape: tuple[int, ...], end: int | None = None) -> Tensor:
    """Random numbers for each picture, `(batch, *shape)`.

    Args:
        seeds: A seed for each picture, `(batch,)`.
        purpose: A second seed, which tells the two uses of random numbers apart.
        shape: Shape of the numbers of one picture.
        end: For whole numbers from 0 up to `end`, exclusive. None for numbers in [0, 1).
    """
    dtype = "float32" if end is None else "int32"
    return tf.stack(
        [
            tf.random.stateless_uniform(
                shape, tf.stack([seed, tf.cast(purpose, seed.dtype)]), maxval=end, dtype=dtype
            )
            for seed in tf.unstack(seeds)
        ]
    )
