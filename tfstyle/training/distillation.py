"""How `VGG19Mini` learns VGG19's features: distillation through linear maps, also on images under optimisation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle.features.vgg19mini import TAPS
from tfstyle.training.filter_normalization import convolutions, root
from tfstyle.training.optimized_images import OptimizedImages, gram, variable
from tfstyle.training.steps import restore_checkpoint, save_checkpoint

Tensor = Any

INPUT_SCALE = 64.0  # roughly the standard deviation of preprocessed images (chosen)
_FINAL_RATE = 0.01  # learning rate at the end of the cosine, as a share of the highest (chosen)
_WARMUP = 200  # steps over which the learning rate rises, or a tenth of all steps (chosen)


class Distillation:
    """A student network trained to give a teacher's features, through one linear map per layer.

    At each tap the student's features f, mapped by a matrix M, shall be the teacher's t over their RMS, and the
    Gram matrix MᵀGM of the mapped features the teacher's. Both losses are shares of what there is to explain,

        residual = Σ (M f − t)² / Σ t²        gram = Σ |MᵀG M − G_t|² / Σ |G_t − mean G_t|²

    with denominators measured once, by `calibrate`. They are summed over taps, and minimised by Adam, whose learning
    rate falls as a cosine. The maps start at zero, where the Gram loss has no gradient: as it doesn't tell M from −M,
    it would lead half of the filters the wrong way.

    The maps are not part of the student, which has fewer channels than they return. But they define its distances:
    with A the square root of M Mᵀ, |f A| = |f M|, and |AᵀGA| = |MᵀGM| of Gram matrices, so `finish` makes A each
    tap's mixing.

    A network that images are optimised against is led to what it overlooks. So besides crops each batch holds images
    under optimisation (`OptimizedImages`), with the teacher's features as their truth.

    Args:
        teacher: From RGB in [0, 1] to features by layer, as `Backbone.extractor`.
        student: `VGG19Mini`, from preprocessed images. It is initialised, and its convolutions are trained.
        preprocess: From RGB in [0, 1] to the student's input.
        taps: Layers of both networks.
        steps: Length of the training, for the learning rate.
        learning_rate: Adam's highest.
        gram_weight: Weight of the Gram loss; that of the residuals is 1 (chosen).
        optimized: Number of images under optimisation; a batch must hold twice as many crops.
        side: Side of crops and images in pixels.
        seed: Seed of the student's initial weights.
    """

    def __init__(
        self,
        teacher: Callable[[Tensor], dict[str, Tensor]],
        student: keras.Model,
        preprocess: Callable[[Tensor], Tensor],
        taps: Sequence[str] = TAPS,
        *,
        steps: int,
        learning_rate: float = 2e-3,
        gram_weight: float = 0.1,
        optimized: int = 4,
        side: int = 128,
        seed: int = 0,
    ) -> None:
        self.teacher, self.network, self.preprocess = teacher, student, preprocess
        self.taps, self.gram_weight, self.step = tuple(taps), gram_weight, 0
        self.student = keras.Model(student.input, {tap: student.get_layer(f"{tap}_filters").output for tap in taps})
        random = np.random.default_rng([seed, 3])
        _initialize(student, random)
        self.maps, self.rms, self.deviations = {}, {}, {}
        for tap, features in teacher(tf.zeros((1, side, side, 3))).items():
            shape = (self.student.output[tap].shape[-1], features.shape[-1])
            self.maps[tap] = variable(np.zeros(shape), trainable=True)
            self.rms[tap], self.deviations[tap] = variable(1.0), variable(1.0)
        self.images = OptimizedImages(optimized, side)
        warmup = min(_WARMUP, steps // 10)
        cosine = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warmup), alpha=_FINAL_RATE, warmup_target=learning_rate, warmup_steps=warmup
        )
        self.optimizer = keras.optimizers.Adam(cosine, global_clipnorm=1.0)
        self.trained = [*self.student.trainable_variables, *(self.maps[tap] for tap in self.taps)]
        self.optimizer.build(self.trained)
        self._compiled_step = tf.function(self._train_step)
        self._compiled_losses = tf.function(self._losses)

    def calibrate(self, batches: Iterable[np.ndarray]) -> None:
        """Measure the RMS of the teacher's features and the deviation of its Gram matrices.

        Args:
            batches: RGB in [0, 1], `(batch, side, side, 3)`.
        """
        squares, sums, norms = ({tap: np.zeros(()) for tap in self.taps} for _ in range(3))
        number = 0
        for pictures in batches:
            number += len(pictures)
            for tap, features in self.teacher(tf.constant(pictures)).items():
                grams = gram(features).numpy().astype("float64")
                squares[tap] = squares[tap] + np.trace(grams, axis1=1, axis2=2).sum() / features.shape[-1]
                sums[tap] = sums[tap] + grams.sum(axis=0)
                norms[tap] = norms[tap] + (grams**2).sum()
        for tap in self.taps:
            square = squares[tap] / number
            variance = norms[tap] / number - ((sums[tap] / number) ** 2).sum()
            self.rms[tap].assign(np.sqrt(square))
            self.deviations[tap].assign(np.sqrt(variance) / square)

    def train(self, crops: np.ndarray) -> dict[str, float]:
        """Make one step on crops and on the images under optimisation.

        Args:
            crops: `(batch, side, side, 3)`, RGB in [0, 1].

        Returns:
            The losses, `residual_TAP` and `gram_TAP`.
        """
        self.images.replace(self.step, crops)
        losses = self._compiled_step(tf.constant(crops))
        self.step += 1
        return {name: float(loss) for name, loss in losses.items()}

    def evaluate(self, batches: Iterable[np.ndarray]) -> dict[str, float]:
        """The mean losses over batches, `residual_TAP` and `gram_TAP`.

        Args:
            batches: RGB in [0, 1], `(batch, side, side, 3)`.
        """
        rows = [
            {name: float(loss) for name, loss in self._compiled_losses(tf.constant(batch)).items()}
            for batch in batches
        ]
        return {name: float(np.mean([losses[name] for losses in rows])) for name in rows[0]}

    def features(self, pictures: Tensor) -> dict[str, Tensor]:
        """The student's features of RGB in [0, 1]; its input is scaled to values near 1, which suit Adam's steps."""
        return self.student(self.preprocess(pictures) / INPUT_SCALE)

    def _losses(self, pictures: Tensor) -> dict[str, Tensor]:
        return self._compare(self.features(pictures), self.teacher(pictures))

    def _compare(self, predicted: dict[str, Tensor], truth: dict[str, Tensor]) -> dict[str, Tensor]:
        """Both losses by name. Squares of differences are summed from Gram matrices, which costs half the time."""
        losses = {}
        for tap in self.taps:
            student, teacher = predicted[tap], truth[tap]
            matrix, rms = self.maps[tap].value, self.rms[tap].value
            mapped = tf.matmul(tf.matmul(matrix, gram(student), transpose_a=True), matrix)
            target = gram(teacher) / rms**2
            both = tf.reduce_sum(matrix * gram(student, teacher), axis=(1, 2)) / rms
            squares = tf.linalg.trace(mapped) - 2 * both + tf.linalg.trace(target)
            differences = tf.reduce_sum((mapped - target) ** 2, axis=(1, 2))
            losses[f"residual_{tap}"] = tf.reduce_mean(squares) / teacher.shape[-1]
            losses[f"gram_{tap}"] = tf.reduce_mean(differences) / self.deviations[tap].value ** 2
        return losses

    def _train_step(self, crops: Tensor) -> dict[str, Tensor]:
        pictures = tf.concat([crops, self.images.pixels.value], axis=0)
        truth = {tap: tf.stop_gradient(features) for tap, features in self.teacher(pictures).items()}
        with tf.GradientTape() as tape:
            losses = self._compare(self.features(pictures), truth)
            weights = {"residual": 1.0, "gram": self.gram_weight}
            loss = tf.add_n([weights[name.partition("_")[0]] * each for name, each in losses.items()])
        gradients = tape.gradient(loss, self.trained)
        self.images.optimize(self.features)
        self.optimizer.apply(gradients, self.trained)
        return losses

    def finish(self, network: keras.Model) -> None:
        """Give another `VGG19Mini` the student's weights, for preprocessed images that are not scaled, and its taps.

        Args:
            network: The network, which is changed.
        """
        network.set_weights(self.network.get_weights())
        first = convolutions(network)[0]
        first.kernel.assign(np.asarray(first.kernel) / INPUT_SCALE)
        for tap in self.taps:
            network.get_layer(tap).mixing.assign(root(np.asarray(self.maps[tap], "float64")))

    def _state(self) -> list[keras.Variable]:
        """All that a checkpoint holds, in a fixed order."""
        scales = [each[tap] for each in (self.rms, self.deviations) for tap in self.taps]
        return [*self.trained, *scales, *self.images.variables, *self.optimizer.variables]

    def save(self, path: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        """Write a checkpoint with the settings that it belongs to."""
        save_checkpoint(path, self._state(), self.step, settings)

    def restore(self, path: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        """Continue from a checkpoint.

        Raises:
            InputError: The checkpoint can't be read, or belongs to a training with other settings.
        """
        self.step = restore_checkpoint(path, self._state(), settings)


def _initialize(network: keras.Model, random: np.random.Generator) -> None:
    """He initialisation, from a generator and not from Keras' global seed."""
    for layer in convolutions(network):
        height, width, inputs, _ = layer.kernel.shape
        deviation = np.sqrt(2 / (height * width * inputs))
        layer.kernel.assign(random.normal(0, deviation, layer.kernel.shape))
        layer.bias.assign(np.zeros(layer.bias.shape))
