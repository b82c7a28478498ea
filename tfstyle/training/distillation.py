"""How `VGG19Mini` learns VGG19's features: distillation through linear maps, also on pictures in the making."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.features.vgg19mini import TAPS
from tfstyle.layers import ChannelProjection

Tensor = Any

LIFE = 80  # steps that a painting is worked on (chosen: most of Adam's progress from the content picture)
_PAINTING_RATE = 8 / 255  # Adam's, for paintings (chosen, near Johnson's 10/255)
INPUT_SCALE = 64.0  # chosen: deviation of preprocessed pictures, roughly
_LEAST_RATE = 0.01  # of the learning rate, which the cosine ends at (chosen)
_WARMUP = 200  # steps, in which the rate rises, or a tenth of them all (chosen)
_LEAST_SHARE = 0.01  # chosen: of a layer's mean activation, which a filter's counts as at least


class Distillation:
    """A student network trained to give a teacher's features, through one linear map a layer.

    At each tap the student's features f, mapped by a matrix M, shall be the teacher's t over their RMS, and the
    Gram matrix MᵀGM of the mapped features the teacher's. Both losses are shares of what there is to explain,

        residual = Σ (M f − t)² / Σ t²        gram = Σ |MᵀG M − G_t|² / Σ |G_t − mean G_t|²

    with denominators measured once, by `calibrate`. They are summed over taps, and Adam follows, its learning rate
    falling as a cosine. The maps begin at zero, where the Gram loss has no gradient: as it doesn't know M from −M,
    it would lead half of the filters the wrong way.

    They are not part of the student, which has fewer channels than they give. But what they tell of distances is:
    with A the square root of M Mᵀ, |f A| = |f M|, and |AᵀGA| = |MᵀGM| of Gram matrices, so `finish` makes A each
    tap's mixing.

    A network that is optimised against is led to what it overlooks. So besides crops each batch holds *paintings*:
    crops on their way to the Gram matrices that the student, as it is, sees in other crops, a step of Adam on pixels
    for every step of training. The teacher says what they really look like.

    Args:
        teacher: From RGB in [0, 1] to features by layer, as `Backbone.extractor` is.
        student: `VGG19Mini`, from preprocessed pictures. It is initialised, and its convolutions are trained.
        preprocess: From RGB in [0, 1] to what the student takes.
        taps: Layers of both.
        steps: Length of the training, for the learning rate.
        learning_rate: Adam's highest.
        gram_weight: Of the Gram loss against that of features (chosen).
        paintings: How many are worked on at any time; a batch must hold twice as many crops.
        side: Of crops and paintings, in pixels.
        seed: Of the student's and the maps' initialisation.
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
        paintings: int = 4,
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
            self.maps[tap] = _variable(np.zeros(shape), True)
            self.rms[tap], self.deviations[tap] = _variable(1.0), _variable(1.0)
        blank = np.zeros((paintings, side, side, 3))
        self.pixels, self.styles, self.first, self.second = (_variable(blank) for _ in range(4))
        self.ages = _variable(np.zeros(paintings))
        warmup = min(_WARMUP, steps // 10)
        cosine = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warmup), alpha=_LEAST_RATE, warmup_target=learning_rate, warmup_steps=warmup
        )
        self.optimizer = keras.optimizers.Adam(cosine, global_clipnorm=1.0)
        self.trained = [*self.student.trainable_variables, *(self.maps[tap] for tap in self.taps)]
        self.optimizer.build(self.trained)
        self._train = tf.function(self._train_eagerly)
        self._compiled_losses = tf.function(self._losses)

    def calibrate(self, batches: Iterable[np.ndarray]) -> None:
        """Measure the teacher's RMS and the deviation of its Gram matrices on batches of RGB in [0, 1]."""
        squares, sums, norms = ({tap: np.zeros(()) for tap in self.taps} for _ in range(3))
        number = 0
        for pictures in batches:
            number += len(pictures)
            for tap, features in self.teacher(tf.constant(pictures)).items():
                grams = _gram(features).numpy().astype("float64")
                squares[tap] = squares[tap] + np.trace(grams, axis1=1, axis2=2).sum() / features.shape[-1]
                sums[tap] = sums[tap] + grams.sum(axis=0)
                norms[tap] = norms[tap] + (grams**2).sum()
        for tap in self.taps:
            square = squares[tap] / number
            variance = norms[tap] / number - ((sums[tap] / number) ** 2).sum()
            self.rms[tap].assign(np.sqrt(square))
            self.deviations[tap].assign(np.sqrt(variance) / square)

    def train(self, crops: np.ndarray) -> dict[str, float]:
        """One step on crops `(batch, side, side, 3)`, RGB in [0, 1], and on the paintings; its losses."""
        count = self.ages.shape[0]
        # New paintings one by one, at equal intervals, but all at the first step: contents and styles are crops.
        turn, rest = divmod(self.step, max(1, LIFE // count)) if count else (0, 1)
        for place in range(count) if self.step == 0 else [turn % count] if rest == 0 else []:
            new = {id(self.pixels): crops[2 * place], id(self.styles): crops[2 * place + 1]}
            for variable in (self.pixels, self.styles, self.first, self.second):
                variable.assign(_with_row(variable, place, new.get(id(variable), 0.0)))
            self.ages.assign(_with_row(self.ages, place, 0.0))
        losses = self._train(tf.constant(crops))
        self.step += 1
        return {name: float(loss) for name, loss in losses.items()}

    def evaluate(self, batches: Iterable[np.ndarray]) -> dict[str, float]:
        """The mean losses of batches of RGB in [0, 1], `residual_TAP` and `gram_TAP`, of what was calibrated."""
        found = [{name: float(loss) for name, loss in self._compiled_losses(tf.constant(b)).items()} for b in batches]
        return {name: float(np.mean([losses[name] for losses in found])) for name in found[0]}

    def _see(self, pictures: Tensor) -> dict[str, Tensor]:
        """The student's features of RGB in [0, 1]; it learns from numbers near 1, for which Adam's steps are made."""
        return self.student(self.preprocess(pictures) / INPUT_SCALE)

    def _losses(self, pictures: Tensor) -> dict[str, Tensor]:
        return self._compare(self._see(pictures), self.teacher(pictures))

    def _compare(self, seen: dict[str, Tensor], taught: dict[str, Tensor]) -> dict[str, Tensor]:
        """Both losses by name. Squares of differences are summed from Gram matrices, which costs half the time."""
        losses = {}
        for tap in self.taps:
            student, teacher = seen[tap], taught[tap]
            matrix, rms = self.maps[tap].value, self.rms[tap].value
            mapped = tf.matmul(tf.matmul(matrix, _gram(student), transpose_a=True), matrix)
            goal = _gram(teacher) / rms**2
            both = tf.reduce_sum(matrix * _gram(student, teacher), axis=(1, 2)) / rms
            squares = tf.linalg.trace(mapped) - 2 * both + tf.linalg.trace(goal)
            apart = tf.reduce_sum((mapped - goal) ** 2, axis=(1, 2))
            losses[f"residual_{tap}"] = tf.reduce_mean(squares) / teacher.shape[-1]
            losses[f"gram_{tap}"] = tf.reduce_mean(apart) / self.deviations[tap].value ** 2
        return losses

    def _train_eagerly(self, crops: Tensor) -> dict[str, Tensor]:
        pictures = tf.concat([crops, self.pixels.value], axis=0)
        taught = {tap: tf.stop_gradient(features) for tap, features in self.teacher(pictures).items()}
        with tf.GradientTape() as tape:
            losses = self._compare(self._see(pictures), taught)
            weights = {"residual": 1.0, "gram": self.gram_weight}
            loss = tf.add_n([weights[name.partition("_")[0]] * each for name, each in losses.items()])
        gradients = tape.gradient(loss, self.trained)
        if self.ages.shape[0]:
            self._paint()
        self.optimizer.apply(gradients, self.trained)
        return losses

    def _paint(self) -> None:
        """A step of Adam on the paintings' pixels, towards the student's Gram matrices of their styles."""
        goals = [_gram(each) for each in self._see(self.styles.value).values()]
        pixels = tf.convert_to_tensor(self.pixels.value)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            features = self._see(pixels).values()
            apart = [
                tf.reduce_sum((_gram(each) - goal) ** 2) / tf.reduce_sum(goal**2)
                for each, goal in zip(features, goals, strict=True)
            ]
            loss = tf.add_n(apart)
        gradient = tape.gradient(loss, pixels)
        age = tf.reshape(self.ages.value, (-1, 1, 1, 1)) + 1.0
        first = 0.9 * self.first.value + 0.1 * gradient
        second = 0.99 * self.second.value + 0.01 * gradient**2
        step = (first / (1 - 0.9**age)) / (tf.sqrt(second / (1 - 0.99**age)) + 1e-12)
        self.pixels.assign(tf.clip_by_value(pixels - _PAINTING_RATE * step, 0.0, 1.0))
        self.first.assign(first)
        self.second.assign(second)
        self.ages.assign(self.ages.value + 1.0)

    def finish(self, network: keras.Model) -> None:
        """Give another `VGG19Mini` the student's weights, for preprocessed pictures as they are, and its metric."""
        network.set_weights(self.network.get_weights())
        first = convolutions(network)[0]
        first.kernel.assign(np.asarray(first.kernel) / INPUT_SCALE)
        for tap in self.taps:
            network.get_layer(tap).mixing.assign(root(np.asarray(self.maps[tap], "float64")))

    def _state(self) -> list[keras.Variable]:
        """All that a checkpoint holds, in a fixed order."""
        scales = [each[tap] for each in (self.rms, self.deviations) for tap in self.taps]
        paintings = [self.pixels, self.styles, self.first, self.second, self.ages]
        return [*self.trained, *scales, *paintings, *self.optimizer.variables]

    def save(self, path: str | os.PathLike[str], settings: dict[str, Any]) -> None:
        """Write a checkpoint, completely or not at all, with the settings that it belongs to."""
        data = io.BytesIO()
        arrays: dict[str, Any] = {f"{i:04}": np.asarray(variable) for i, variable in enumerate(self._state())}
        np.savez(data, step=self.step, settings=json.dumps(settings, sort_keys=True), **arrays)
        files.atomic_write(path, data.getvalue())

    def restore(self, path: str | os.PathLike[str], settings: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            InputError: It can't be read, or is of other settings.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                stored = {name: file[name] for name in file.files}
            before = json.loads(str(stored["settings"]))
        except Exception as error:  # what NumPy and zipfile raise has nothing in common
            problem = f"checkpoint {files.shown(path)} can't be read: {files.reason(error)}"
            raise InputError(f"{problem}; delete it to begin anew") from error
        if other := [name for name in settings if before.get(name) != settings[name]]:
            raise InputError(
                f"checkpoint {files.shown(path)} is of a training with another {' and '.join(other)}: "
                f"give what it had, or another folder"
            )
        for i, variable in enumerate(self._state()):
            variable.assign(stored[f"{i:04}"])
        self.step = int(stored["step"])


def convolutions(network: keras.Model) -> list[keras.layers.Conv2D]:
    """A network's convolutions, from the input upwards."""
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root A of M Mᵀ, `(N, N)`, for M `(N, T)`: |f A| = |f M| for all f."""
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def normalize(network: keras.Model, batches: Iterable[Tensor]) -> None:
    """Scale `VGG19Mini` so that each filter's mean activation is 1 (Gatys et al. 2016, section 2), and each tap's.

    With m the mean activations of a layer, and n of the layer below, kernels W become W n / m and biases b become
    b / m: as ReLU and max pooling are homogeneous, all features f become f / m, exactly. A filter that is hardly ever
    active counts as 1 % of its layer's mean (chosen).

    The filters' factors leave the taps' distances as they were: A becomes the root of m A Aᵀ m. Then A is divided by
    the mean of the tap's |features|.

    Args:
        network: What is changed.
        batches: Of preprocessed pictures, `(batch, height, width, 3)`.
    """
    batches = list(batches)
    layers = convolutions(network)
    taps = {f"{layer.name}_filters": layer for layer in network.layers if isinstance(layer, ChannelProjection)}
    below = np.ones(network.input.shape[-1])
    for layer, mean in zip(layers, _activations(network, layers, batches), strict=True):
        mean = np.maximum(mean, _LEAST_SHARE * mean.mean())
        kernel, bias = (np.asarray(each, "float64") for each in (layer.kernel, layer.bias))
        layer.kernel.assign(kernel * below[:, None] / mean)
        layer.bias.assign(bias / mean)
        below = mean
        tap = taps.get(layer.name)
        if tap is not None:
            tap.mixing.assign(root(mean[:, None] * np.asarray(tap.mixing, "float64")))
    for tap, mean in zip(taps.values(), _activations(network, list(taps.values()), batches), strict=True):
        tap.mixing.assign(np.asarray(tap.mixing) / mean.mean())


def _activations(
    network: keras.Model, layers: Sequence[keras.layers.Layer], batches: Sequence[Tensor]
) -> list[np.ndarray]:
    """The mean |features| of each channel of each layer, float64."""
    outputs = keras.Model(network.input, [layer.output for layer in layers])
    means: list[Any] = [0.0] * len(layers)
    for pictures in batches:
        found = outputs(pictures)
        for i, features in enumerate(found if isinstance(found, list) else [found]):
            means[i] = means[i] + np.abs(np.asarray(features, "float64")).mean(axis=(0, 1, 2)) / len(batches)
    return means


def _initialize(network: keras.Model, random: np.random.Generator) -> None:
    """He initialisation, from a generator and not from Keras' global seed."""
    for layer in convolutions(network):
        height, width, inputs, _ = layer.kernel.shape
        deviation = np.sqrt(2 / (height * width * inputs))
        layer.kernel.assign(random.normal(0, deviation, layer.kernel.shape))
        layer.bias.assign(np.zeros(layer.bias.shape))


def _variable(value: Any, trainable: bool = False) -> keras.Variable:
    return keras.Variable(np.asarray(value, "float32"), dtype="float32", trainable=trainable)


def _with_row(variable: keras.Variable, place: int, row: Any) -> np.ndarray:
    """A variable's value with one row replaced."""
    value = np.array(variable)
    value[place] = row
    return value


def _gram(features: Tensor, others: Tensor | None = None) -> Tensor:
    """Gram matrices FᵀF over positions, or FᵀO with other features, over their number.

    Args:
        features: `(batch, height, width, N)`, of any precision.
        others: `(batch, height, width, M)`; None for the same.

    Returns:
        float32 `(batch, N, N)` or `(batch, N, M)`.
    """
    batch, height, width, _ = tf.unstack(tf.shape(features))
    first, second = (
        tf.reshape(each, (batch, height * width, each.shape[-1]))
        for each in (features, features if others is None else others)
    )
    sums = tf.matmul(first, tf.cast(second, first.dtype), transpose_a=True)
    return tf.cast(sums, tf.float32) / tf.cast(height * width, tf.float32)
