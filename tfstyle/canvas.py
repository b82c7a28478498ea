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
from tfstyle.runtime import check_backend

Tensor = Any
LEAST_SIDE = 8  # pixels; less is no picture (chosen)
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
        super().__init__(name=name, dtype="float64" if keras.config.floatx() == "float64" else "float32")
        check_backend(keras.backend.backend())
        for backbone in objective.backbones:
            if backbone.compute_dtype == "float16":
                raise InputError(
                    f"{backbone.name} computes in float16, which its features overflow: use the dtype policy "
                    f"mixed_bfloat16"
                )
        if isinstance(styles, (str, bytes)) or not len(styles):
            raise InputError("styles must be a list of at least one picture")
        self.objective = objective
        photo, *paintings = (_load(source, size, objective.minimum_side) for source in (content, *styles))
        start = _start(init, photo, seed)

        targets = objective.targets(
            ops.convert_to_tensor(photo.rgb[None], self.compute_dtype),
            [ops.convert_to_tensor(painting.rgb[None], self.compute_dtype) for painting in paintings],
            mix,
        )
        self.pixels = self._state("pixels", start[None], trainable=True, constraint=ValueRange(0.0, 1.0))
        self.best_pixels = self._state("best_pixels", start[None])
        self.best_loss = self._state("best_loss", np.float32(np.inf))
        self.last_losses = self._state("last_losses", np.full(len(objective.names) + 1, np.nan))
        self.steps = self._state("steps", np.float32(0))
        self.targets = keras.tree.map_structure(lambda value: self._state("target", value), targets)
        self.alpha = photo.alpha
        self.step_log: dict[str, list[float]] = {}
        self._recent: Any = None  # made by `compile`
        self.built = True

    def _state(self, name: str, value: Any, trainable: bool = False, constraint: Any = None) -> keras.Variable:
        variable = self.add_weight(
            shape=value.shape,
            initializer="zeros",
            dtype=self.compute_dtype,
            trainable=trainable,
            constraint=constraint,
            name=name,
        )
        variable.assign(value)
        return variable

    @property
    def picture(self) -> np.ndarray:
        """The best picture so far: float32 `(height, width, 3)` in [0, 1]."""
        return np.clip(ops.convert_to_numpy(self.best_pixels)[0], 0.0, 1.0).astype(np.float32)

    @property
    def steps_done(self) -> int:
        """Number of optimisation steps so far."""
        return int(self.steps)

    @property
    def painted(self) -> bool:
        """Whether any picture has been found whose loss is a finite number."""
        return math.isfinite(float(self.best_loss))

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
        losses = ops.stack([loss, *terms.values()])
        self.last_losses.assign(losses)
        if training:
            row = ops.cast(self.steps, "int32") % self._recent.shape[0]
            self._recent.scatter_nd_update([[row]], losses[None])
            self.steps.assign_add(1.0)
        better = loss < self.best_loss
        self.best_loss.assign(ops.where(better, loss, self.best_loss))
        self.best_pixels.assign(ops.where(better, y_pred, self.best_pixels))
        return loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Tensor]:
        """The loss and each term at the last evaluation, rather than their means over an epoch."""
        return {name: self.last_losses[i] for i, name in enumerate(("loss", *self.objective.names))}

    def compile(self, optimizer: Any = None, **kwargs: Any) -> None:
        """Configure the optimisation.

        Args:
            optimizer: A Keras optimizer or its name; None for `LBFGS()`.
            **kwargs: As for `keras.Model.compile`, but for losses and metrics, which the objective has;
                `steps_per_execution` runs several steps in one call.
        """
        for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.get(name) is not None:
                raise InputError(f"a canvas takes no {name}: the terms of its objective are both loss and metrics")
        super().compile(optimizer=LBFGS() if optimizer is None else optimizer, **kwargs)
        # The losses of the steps of one call, which Keras would only report the last of.
        rows = self.steps_per_execution
        self._recent = tf.Variable(tf.zeros((rows, *self.last_losses.shape), self.compute_dtype), trainable=False)

    def fit(self, steps: int = 300, steps_per_epoch: int | None = None, callbacks: Any = None, verbose: Any = 0,
            **kwargs: Any) -> keras.callbacks.History:  # fmt: skip
        """Paint.

        Args:
            steps: Number of optimisation steps.
            steps_per_epoch: Steps between `on_epoch_end` calls; must divide `steps`, and be a multiple of
                `steps_per_execution` or all steps. None for the largest such number up to 10, or else all.
            callbacks: One Keras callback or a list.
            verbose: As for `keras.Model.fit`.
            **kwargs: As for `keras.Model.fit`, but for data, epochs and shuffling.

        Returns:
            Keras' history, by epoch; `step_log` has the losses by step.
        """
        if steps < 1:
            raise InputError(f"steps must be at least 1, not {steps}")
        per_call = self.steps_per_execution
        if steps_per_epoch is None:
            fitting = (d for d in range(per_call, EPOCH_STEPS + 1, per_call) if steps % d == 0)
            steps_per_epoch = max(fitting, default=steps)
        if steps % steps_per_epoch:
            raise InputError(f"steps_per_epoch {steps_per_epoch} does not divide {steps} steps")
        if steps_per_epoch % per_call and steps_per_epoch != steps:
            raise InputError(f"steps_per_epoch {steps_per_epoch} is no multiple of {per_call} steps per execution")
        others = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
        history = super().fit(
            tf.data.Dataset.from_tensors(np.zeros((1, 1), np.float32)).repeat(steps),
            epochs=steps // steps_per_epoch,
            steps_per_epoch=steps_per_epoch,
            callbacks=[_StepLog(), *others],
            verbose=verbose,
            shuffle=False,
            **kwargs,
        )
        if self.diverged:
            self.pixels.assign(self.best_pixels)  # so that another `fit` can go on
        else:
            self.evaluate(verbose=0)  # the last step's picture may be the best
        return history

    def evaluate(self, **kwargs: Any) -> Any:
        """The losses of the picture as it is now; as `keras.Model.evaluate` without data."""
        return super().evaluate(tf.data.Dataset.from_tensors(np.zeros((1, 1), np.float32)), **kwargs)

    def recent_losses(self, number: int) -> list[dict[str, float]]:
        """Losses of the last steps, oldest first; at most as many as a call of the compiled step runs."""
        rows = self._recent.numpy()
        return [
            dict(zip(("loss", *self.objective.names), map(float, rows[step % len(rows)]), strict=True))
            for step in range(self.steps_done - number, self.steps_done)
        ]

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
    """Appends each step's losses to the canvas's `step_log`; stops where they aren't finite."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._logged = self.model.steps_done

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        done = self.model.steps_done
        steps = range(self._logged + 1, done + 1)
        for step, losses in zip(steps, self.model.recent_losses(len(steps)), strict=True):
            for key, value in {"step": step, **losses}.items():
                self.model.step_log.setdefault(key, []).append(value)
        self._logged = done
        self.model.stop_training |= self.model.diverged


def _start(init: str | images.Source, photo: images.Picture, seed: int) -> np.ndarray:
    if isinstance(init, str) and init == "content":
        return photo.rgb
    if isinstance(init, str) and init == "noise":
        return np.random.default_rng(seed).random(photo.rgb.shape, np.float32)
    return _load(init, None, LEAST_SIDE).resized(photo.rgb.shape[:2]).rgb


def _load(source: images.Source, size: int | None, minimum: int) -> images.Picture:
    """A picture at its size on the canvas, which must leave the backbones enough of it."""
    native = images.load(source)
    longer, shorter = max(native.rgb.shape[:2]), min(native.rgb.shape[:2])
    if shorter < LEAST_SIDE:
        height, width = native.rgb.shape[:2]
        raise InputError(
            f"{native.name} is {width}x{height} pixels: give a picture of at least {LEAST_SIDE} pixels a side"
        )
    picture = native if size is None else native.resized(size)
    height, width = picture.rgb.shape[:2]
    if min(height, width) >= minimum:
        return picture
    needed = math.ceil(longer * minimum / shorter)
    at = "" if size is None else f" at size {size}"
    fix = f"use size {needed} or more" if needed <= 4096 else "crop it to a less narrow shape"
    raise InputError(
        f"{picture.name} is {width}x{height} pixels{at}, and the backbone needs at least {minimum} a side: {fix}"
    )
