"""The maximum mean discrepancy, estimated in each step from a few random pairs of positions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.errors import InputError
from tfstyle.features.backbone import Backbone
from tfstyle.losses.mmd import median_distance
from tfstyle.losses.statistics import at_least_float32
from tfstyle.losses.terms import Features, Masks, Sums, Targets, Tensor, Term, Windows

KEPT = 2048  # positions of the styles that pairs are drawn from (chosen)


@keras.saving.register_keras_serializable(package="tfstyle")
class PairedDiscrepancyTerm(Term):
    """MMD² under a Gaussian kernel, by the linear-time unbiased estimate, averaged over layers.

    The loss of a layer is the mean over n pairs of k(x, x') + k(y, y') − k(x, y') − k(x', y), where x and x' are
    features of the picture and y and y' of the style at random positions, and k(x, y) = exp(−|x − y|² / 2σ²). It may
    be below 0. Pairs are drawn anew, seeded by the picture's own numbers, wherever the picture changes: so the loss
    is one for Adam, not for L-BFGS, and `GaussianKernel` is the one without noise.

    Styles are known by a sample of their positions, in which each has its share of the mix.

    Args:
        backbone: Whose features.
        layers: Names of layers; None for the backbone's style layers.
        weight: Factor of the loss.
        bandwidth: σ, in units of the features; None for the median distance between positions of the style.
        pairs: n (chosen); the estimate's deviation falls with √n.
        name: Under which the loss is reported.

    Raises:
        InputError: An argument is out of its range, or there are regions, which this term does not know.

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
    def draws(self) -> bool:
        """It does."""
        return True

    def survey(
        self, features: Features, windows: Windows, masks: Masks | None, constants: Targets | None = None
    ) -> Sums:
        """Features at random positions, by layer: `(batch, KEPT, channels)`."""
        places = np.random.default_rng(0).random((1, KEPT, 2))
        return {layer: windows[layer].sample(at_least_float32(features[layer]), places) for layer in self.layers}

    def targets(
        self,
        kept: Features,
        content: Sums,
        styles: Sequence[Sums],
        mix: Sequence[Sequence[float]],
        masks: Masks | None,
    ) -> Targets:
        """By layer: the sample of the styles, `(1 or batch, KEPT, channels)`, and σ, `(1 or batch,)`."""
        if masks is not None:
            raise InputError(f"the {self.name} term knows no regions: leave out the masks, or use GaussianKernel")
        bounds = [0, *np.rint(np.cumsum(mix[0]) * KEPT).astype(int)]
        result = {}
        for layer in self.layers:
            parts = [style[layer][:, bounds[i] : bounds[i + 1]] for i, style in enumerate(styles)]
            sample = ops.concatenate(parts, axis=1)
            some = ops.convert_to_numpy(sample[:, ::4])  # enough for a median (chosen)
            bandwidth = [median_distance(each) if self.bandwidth is None else self.bandwidth for each in some]
            result[layer] = {"sample": sample, "bandwidth": ops.convert_to_tensor(bandwidth, sample.dtype)}
        return result

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """The features x, and after them x', by layer: `(batch, 2n, channels)`."""
        places = _drawn(targets["seeds"], 0, (2 * self.pairs, 2))
        return {layer: windows[layer].sample(at_least_float32(features[layer]), places) for layer in self.layers}

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """See the class; shape `(batch,)`."""
        chosen = _drawn(targets["seeds"], 1, (2 * self.pairs,), KEPT)
        return sum(self._layer(sums[layer], chosen, **targets[layer]) for layer in self.layers) / len(self.layers)

    def _layer(self, features: Tensor, chosen: Tensor, sample: Tensor, bandwidth: Tensor) -> Tensor:
        sample = tf.broadcast_to(tf.cast(sample, features.dtype), (chosen.shape[0], *sample.shape[1:]))
        style = tf.gather(sample, chosen, batch_dims=1)
        sharpness = 1 / (2 * tf.square(tf.cast(bandwidth, features.dtype)))[:, None]

        def k(x: Tensor, y: Tensor) -> Tensor:
            return ops.exp(-sharpness * ops.sum(ops.square(x - y), axis=-1))

        (x, other_x), (y, other_y) = (ops.split(each, 2, axis=1) for each in (features, style))
        return ops.mean(k(x, other_x) + k(y, other_y) - k(x, other_y) - k(other_x, y), axis=1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "bandwidth": self.bandwidth, "pairs": self.pairs}


def _drawn(seeds: Tensor, purpose: int, shape: tuple[int, ...], end: int | None = None) -> Tensor:
    """Random numbers for each picture, `(batch, *shape)`: in [0, 1), or whole ones below `end`."""
    dtype = "float32" if end is None else "int32"
    return tf.stack(
        [
            tf.random.stateless_uniform(
                shape, tf.stack([seed, tf.cast(purpose, seed.dtype)]), maxval=end, dtype=dtype
            )
            for seed in tf.unstack(seeds)
        ]
    )
