"""The picture as a Keras model: its only trainable weight is its pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.errors import InputError
from tfstyle.objective import Objective
from tfstyle.optimizers import LBFGS, ValueRange

Tensor = Any
EPOCH_STEPS = 10  # steps between `on_epoch_end` calls when nothing else is asked for (chosen)


@keras.saving.register_keras_serializable(package="tfstyle")
class Canvas(keras.Model):
    """A picture that is optimised to match the content of one picture and the style of others.

    `compile` and `fit` paint, with Keras' own optimizers, callbacks and compiled step. Pixels stay in [0, 1] as
    part of the optimisation, and the best iterate is kept.

    Args:
        objective: What is minimised.
        content: The content picture: path, PIL image or array.
        styles: The style pictures, of any sizes.
        mix: Weights of the styles, which sum to 1; None for equal ones.
        init: `"content"`, `"noise"` (uniform white noise) or a picture to begin with.
        size: Longer side of the content, in pixels, to which the styles' longer sides are brought too; None
            for the pictures' own sizes.
        seed: Seed of the noise.

    Raises:
        InputError: A picture can't be read or is too small for a backbone.

    Examples:
        >>> canvas = Canvas(objective, content="photo.jpg", styles=["painting.jpg"], size=512)
        >>> canvas.compile(optimizer=LBFGS())
        >>> canvas.fit(steps=300, callbacks=[keras.callbacks.CSVLogger("log.csv")])
        >>> canvas.picture  # (height, width, 3) in [0, 1]
    """

    def __init__(
        self,
        objective: Objective,
        content: images.Source,
        styles: Sequence[images.Source],
        mix: Sequence[float] | None = None,
        init: str | images.Source = "content",
        size: int | None = None,
        seed: int = 0,
        name: str = "canvas",
    ) -> None:
        # Half precision is for backbones: pixels, statistics and losses need more.
        super().__init__(name=name, dtype="float32")
        if keras.backend.backend() != "tensorflow":
            raise InputError(
                f"Keras runs on {keras.backend.backend()}, and a canvas needs TensorFlow: "
                f"set KERAS_BACKEND=tensorflow"
            )
        if isinstance(styles, (str, bytes)) or not len(styles):
            raise InputError("styles must be a list of at least one picture")
        self.objective = objective
        photo, *paintings = (_load(source, size, objective.minimum_side) for source in (content, *styles))
        start = _start(init, photo, seed)

        targets = objective.targets(
            ops.convert_to_tensor(photo.rgb[None]),
            [ops.convert_to_tensor(painting.rgb[None]) for painting in paintings],
            mix,
        )
        self.pixels = self._state("pixels", start[None], trainable=True, constraint=ValueRange(0.0, 1.0))
        self.best_pixels = self._state("best_pixels", start[None])
        self.best_loss = self._state("best_loss", np.float32(np.inf))
        self.losses_now = self._state("losses_now", np.full(len(objective.names) + 1, np.nan, np.float32))
        self.targets = keras.tree.map_structure(lambda value: self._state("target", value), targets)
        self.alpha = photo.alpha
        self.step_log: dict[str, list[float]] = {}
        self.built = True

    def _state(self, name: str, value: Any, trainable: bool = False, constraint: Any = None) -> keras.Variable:
        variable = self.add_weight(
            shape=value.shape,
            initializer="zeros",
            dtype="float32",
            trainable=trainable,
            constraint=constraint,
            name=name,
        )
        variable.assign(value)
        return variable

    @property
    def picture(self) -> np.ndarray:
        """The best picture so far: float32 `(height, width, 3)` in [0, 1]."""
        return np.clip(ops.convert_to_numpy(self.best_pixels)[0], 0.0, 1.0)

    @property
    def steps_done(self) -> int:
        """Number of optimisation steps so far."""
        return int(self.optimizer.iterations) if getattr(self, "optimizer", None) else 0

    @property
    def diverged(self) -> bool:
        """Whether the last loss was not a finite number."""
        return bool(self.step_log) and not math.isfinite(self.step_log["loss"][-1])

    def call(self, inputs: Tensor) -> Tensor:
        """The picture, whatever the input: `(1, height, width, 3)`."""
        return ops.convert_to_tensor(self.pixels)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: bool = True) -> Tensor:  # fmt: skip
        """The objective at the picture `y_pred`; notes its terms, and the picture if it is the best."""
        terms = {name: ops.sum(loss) for name, loss in self.objective(y_pred, self.targets).items()}
        # Networks swallow NaN (a ReLU may make it 0), so that a spoilt picture could pass for a good one.
        loss = ops.where(ops.isfinite(ops.sum(y_pred)), sum(terms.values()), float("nan"))
        self.losses_now.assign(ops.stack([loss, *terms.values()]))
        better = loss < self.best_loss
        self.best_loss.assign(ops.where(better, loss, self.best_loss))
        self.best_pixels.assign(ops.where(better, y_pred, self.best_pixels))
        return loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Tensor]:
        """The loss and each term at the last evaluation, rather than their means over an epoch."""
        return {name: self.losses_now[i] for i, name in enumerate(("loss", *self.objective.names))}

    def compile(self, optimizer: Any = None, **kwargs: Any) -> None:
        """Configure the optimisation.

        Args:
            optimizer: A Keras optimizer or its name; None for `LBFGS()`.
            **kwargs: As for `keras.Model.compile`; `steps_per_execution` runs several steps in one call.
        """
        super().compile(optimizer=LBFGS() if optimizer is None else optimizer, **kwargs)

    def fit(self, steps: int = 300, steps_per_epoch: int | None = None, callbacks: Any = None, verbose: Any = 0,
            **kwargs: Any) -> keras.callbacks.History:  # fmt: skip
        """Paint.

        Args:
            steps: Number of optimisation steps.
            steps_per_epoch: Steps between `on_epoch_end` calls; must divide `steps`. None for the largest
                divisor up to 10.
            callbacks: Keras callbacks.
            verbose: As for `keras.Model.fit`.
            **kwargs: As for `keras.Model.fit`, but for the data, which a canvas has already.

        Returns:
            Keras' history, by epoch; `step_log` has the losses by step.
        """
        if steps < 1:
            raise InputError(f"steps must be at least 1, not {steps}")
        if steps_per_epoch is None:
            steps_per_epoch = max(d for d in range(1, min(steps, EPOCH_STEPS) + 1) if steps % d == 0)
        if steps % steps_per_epoch:
            raise InputError(f"steps_per_epoch {steps_per_epoch} does not divide {steps} steps")
        data = tf.data.Dataset.from_tensors(np.zeros((1, 1), np.float32)).repeat(steps)
        history = super().fit(
            data,
            epochs=steps // steps_per_epoch,
            steps_per_epoch=steps_per_epoch,
            callbacks=[_StepLog(), *(callbacks or [])],
            verbose=verbose,
            shuffle=False,
            **kwargs,
        )
        if not self.diverged:
            self.evaluate(verbose=0)  # the last step's picture may be the best
        return history

    def evaluate(self, **kwargs: Any) -> Any:
        """The losses of the picture as it is now; as `keras.Model.evaluate` without data."""
        return super().evaluate(tf.data.Dataset.from_tensors(np.zeros((1, 1), np.float32)), **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as before saving, with room for the optimizer's state (Keras leaves both to custom models)."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def get_config(self) -> dict[str, Any]:
        """The objective and the size; the picture and its targets are weights."""
        return {
            "objective": keras.saving.serialize_keras_object(self.objective),
            "shape": list(self.pixels.shape[1:3]),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Canvas:
        """A blank canvas of the same objective and size, for its weights to be loaded into."""
        blank = np.zeros((*config["shape"], 3), np.float32)
        return cls(keras.saving.deserialize_keras_object(config["objective"]), blank, [blank], name=config["name"])


class _StepLog(keras.callbacks.Callback):
    """Appends the losses after each call of the compiled step to the canvas's `step_log`; stops at NaN."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        log = self.model.step_log
        log.setdefault("step", []).append(self.model.steps_done)
        for key, value in (logs or {}).items():
            log.setdefault(key, []).append(float(value))
        self.model.stop_training |= self.model.diverged


def _start(init: str | images.Source, photo: images.Picture, seed: int) -> np.ndarray:
    if isinstance(init, str) and init == "content":
        return photo.rgb
    if isinstance(init, str) and init == "noise":
        return np.random.default_rng(seed).random(photo.rgb.shape, np.float32)
    return images.load(init).resized(photo.rgb.shape[:2]).rgb


def _load(source: images.Source, size: int | None, minimum: int) -> images.Picture:
    """A picture at its size on the canvas, which must leave the backbones enough of it."""
    native = images.load(source)
    picture = native if size is None else native.resized(size)
    height, width = picture.rgb.shape[:2]
    if min(height, width) >= minimum:
        return picture
    longer, shorter = max(native.rgb.shape[:2]), min(native.rgb.shape[:2])
    needed = math.ceil(longer * minimum / shorter)
    at = "" if size is None else f" at size {size}"
    fix = f"use size {needed} or more" if needed <= 4096 else "crop it to a less narrow shape"
    raise InputError(
        f"{picture.name} is {width}x{height} pixels{at}, and the backbone needs at least {minimum} a side: {fix}"
    )
