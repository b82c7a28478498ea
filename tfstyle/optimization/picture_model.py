"""Pictures as the trainable weights of a Keras model: the optimisation, whatever the pictures are made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle.core.errors import InputError
from tfstyle.core.gradients import gradients_owned
from tfstyle.core.runtime import check_backend
from tfstyle.core.settings import as_list
from tfstyle.core.typing import Tensor
from tfstyle.losses.objective import Objective
from tfstyle.losses.term import Targets
from tfstyle.optimization.best_pictures import BestPictures
from tfstyle.optimization.callbacks import StepLog
from tfstyle.optimization.lbfgs import LBFGS
from tfstyle.optimization.parameterization import Pixels
from tfstyle.optimization.picture_batch import PictureBatch
from tfstyle.optimization.step_losses import StepLosses

EPOCH_STEPS = 10  # default number of steps between `on_epoch_end` calls (chosen)


class PictureModel(keras.Model):
    """Pictures that are optimised for an objective, each on its own. `Canvas` makes them from images.

    Args:
        objective: The objective that is minimised.
        parameterization: What of the pictures is optimised.
        name: Name of the model.

    Attributes:
        smoothness: The `smoothness` of L-BFGS in `compile` without an optimizer.
        parameters: The optimised variable of each picture.
        targets: What the objective compares the pictures with.
        step_logs: For each picture, losses by step: `"step"`, `"loss"` and the names of the terms.
        steps_before: Number of steps on smaller canvases, for names of previews.
        finish: Function from a picture to the picture that previews show.

    Raises:
        InputError: Keras does not run on TensorFlow, or a backbone computes in float16.
    """

    def __init__(self, objective: Objective, parameterization: Pixels, name: str) -> None:
        # Half precision is for backbones: pixels, statistics and losses need more.
        super().__init__(name=name, dtype="float64" if keras.config.floatx() == "float64" else "float32")
        check_backend(keras.backend.backend())
        for backbone in objective.backbones:
            if backbone.compute_dtype == "float16":
                raise InputError(
                    f"{backbone.name} computes in float16, which its features overflow: use the dtype policy "
                    f"mixed_bfloat16"
                )
        self.objective = objective
        self.parameterization = parameterization
        self.smoothness = parameterization.smoothness
        self.step_logs: list[dict[str, list[float]]] = []
        self.steps_before = 0
        self.finish: Callable[[np.ndarray], np.ndarray] = lambda picture: picture

    def create_state(self, initial: np.ndarray, targets: Targets) -> None:
        """Make all variables, and give them their initial values.

        Args:
            initial: The initial pictures, `(pictures, height, width, 3)` in [0, 1].
            targets: What the objective compares the pictures with.
        """
        self._batch = PictureBatch(len(initial))
        # Keras saves weights in the order in which they are made.
        shape = self._parameter(initial[0]).shape
        self.parameters = [
            self._weight(f"pixels_{i}" if i else "pixels", shape, trainable=True) for i in range(len(initial))
        ]
        self._best = BestPictures(self._batch, self._summed_weight, initial.shape)
        self._step_losses = StepLosses(self._batch, self._summed_weight, len(self.objective.names))
        self.steps = self._weight("steps", (), aggregation="only_first_replica")
        self.targets = keras.tree.map_structure(self._target, targets)
        self.built = True
        self.reset_state(initial, targets)

    def reset_state(self, initial: np.ndarray, targets: Targets) -> None:
        """Give all variables their initial values; see `create_state` for the arguments."""
        for parameter, picture in zip(self.parameters, initial, strict=True):
            parameter.assign(self._parameter(picture))
        self._best.reset(initial)
        self._step_losses.reset()
        self.steps.assign(0.0)
        values = leaves_by_path(targets)
        for path, variable in leaves_by_path(self.targets).items():
            variable.assign(values[path])
        self.step_logs = [{} for _ in initial]

    def _weight(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str | None = None,
        trainable: bool = False,
        aggregation: str = "none",
    ) -> keras.Variable:
        return self.add_weight(
            shape=shape,
            initializer="zeros",
            dtype=self.compute_dtype if dtype is None else dtype,
            trainable=trainable,
            constraint=self.parameterization.constraint if trainable else None,
            aggregation=aggregation,
            name=name,
        )

    def _summed_weight(self, name: str, shape: Sequence[int]) -> keras.Variable:
        """A variable that each replica writes for its own pictures, and zeros for the others."""
        return self._weight(name, shape, aggregation="sum")

    def _target(self, value: Tensor) -> keras.Variable:
        """A variable for a target, in half precision if the target is."""
        half = keras.backend.standardize_dtype(value.dtype) == "bfloat16"
        return self._weight("target", value.shape, "bfloat16" if half else None)

    def _parameter(self, picture: np.ndarray) -> np.ndarray:
        """The value of the optimised variable for a picture `(height, width, 3)`."""
        return self.parameterization.variable(picture[None])

    @property
    def pixels(self) -> keras.Variable:
        """The optimised variable of the first picture."""
        return self.parameters[0]

    @property
    def best_pixels(self) -> keras.Variable:
        """The best pictures so far, `(pictures, height, width, 3)`."""
        return self._best.pixels

    @property
    def best_losses(self) -> keras.Variable:
        """The losses of the best pictures so far, `(pictures,)`."""
        return self._best.losses

    @property
    def last_losses(self) -> keras.Variable:
        """The losses of the last evaluation, `(pictures, 1 + terms)`: the sum, then the terms."""
        return self._step_losses.last

    @property
    def pictures(self) -> list[np.ndarray]:
        """The best pictures so far, each float32 `(height, width, 3)` in [0, 1]."""
        return list(np.clip(self.best_pixels.numpy(), 0.0, 1.0).astype(np.float32, copy=False))

    @property
    def picture(self) -> np.ndarray:
        """The best picture so far, of several the first: float32 `(height, width, 3)` in [0, 1]."""
        return self.pictures[0]

    @property
    def best_loss(self) -> float:
        """The loss of the best picture so far, of several the first."""
        return float(self.best_losses.numpy()[0])

    @property
    def step_log(self) -> dict[str, list[float]]:
        """Losses by step, of several pictures the first."""
        return self.step_logs[0]

    @property
    def steps_done(self) -> int:
        """Number of optimisation steps so far."""
        return int(self.steps.numpy())

    @property
    def painted(self) -> bool:
        """Whether each picture has had a finite loss."""
        return bool(np.isfinite(self.best_losses.numpy()).all())

    @property
    def diverged(self) -> bool:
        """Whether the last loss of every picture is not finite."""
        return all(log and not math.isfinite(log["loss"][-1]) for log in self.step_logs)

    def call(self, inputs: Tensor) -> Tensor:
        """Pictures `(number, height, width, 3)` by their numbers `(number,)`."""
        pictures = [self.parameterization(parameter) for parameter in self.parameters]
        if len(pictures) == 1:
            return pictures[0]
        return ops.take(ops.concatenate(pictures), self._batch.with_known_length(inputs), axis=0)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The sum of the losses of the pictures `y_pred` with the numbers `x`. Notes losses and best pictures."""
        numbers = self._batch.with_known_length(x)
        targets = keras.tree.map_structure(lambda target: self._batch.take(target, numbers), self.targets)
        terms = self.objective(y_pred, targets)
        # A ReLU may turn NaN into 0, so that a picture with NaN could have a low loss.
        finite = ops.isfinite(ops.sum(y_pred, axis=(1, 2, 3)))
        loss = ops.where(finite, sum(terms.values()), float("nan"))
        losses = ops.stack([loss, *terms.values()], axis=1)
        self._step_losses.update(losses, numbers)
        if training:
            self._step_losses.append(losses, numbers, self.steps)
            self.steps.assign_add(1.0)
        self._best.update(y_pred, loss, numbers)
        return ops.sum(loss)

    def train_step(self, data: Any) -> dict[str, Tensor]:
        """The step of Keras; the gradients that it registers in TensorFlow are removed with the canvas."""
        with gradients_owned():  # those of Keras' optimizers, too
            return super().train_step(data)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Tensor]:
        """Loss and terms of the last evaluation, as means over the pictures, not over an epoch."""
        means = ops.mean(self.last_losses, axis=0)
        return {name: means[i] for i, name in enumerate(("loss", *self.objective.names))}

    def compile(self, optimizer: Any = None, **kwargs: Any) -> None:
        """Configure the optimisation.

        Args:
            optimizer: A Keras optimizer or its name. None for `LBFGS`.
            **kwargs: Arguments of `keras.Model.compile` except losses and metrics, which the objective has.
                `steps_per_execution` runs several steps in one call.

        Raises:
            InputError: Losses or metrics are given.
        """
        for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.get(name) is not None:
                raise InputError(
                    f"a canvas takes no {name}, as its objective has losses and metrics: leave {name} out"
                )
        optimizer = LBFGS(smoothness=self.smoothness) if optimizer is None else optimizer
        super().compile(optimizer=optimizer, **kwargs)
        if not self.optimizer.built:
            # If the first step made the optimizer's variables, the step would be traced a second time.
            self.optimizer.build(self.trainable_variables)
        self._step_losses.prepare(self.steps_per_execution, self.compute_dtype)

    def fit(
        self,
        steps: int = 300,
        steps_per_epoch: int | None = None,
        callbacks: Any = None,
        verbose: Any = 0,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Paint.

        Args:
            steps: Number of optimisation steps.
            steps_per_epoch: Steps between `on_epoch_end` calls. It must divide `steps`, and be `steps` or a multiple
                of `steps_per_execution`. None for the largest such number up to 10, or else `steps`.
            callbacks: One Keras callback or a list.
            verbose: As for `keras.Model.fit`.
            **kwargs: Arguments of `keras.Model.fit` except data, epochs and shuffling.

        Returns:
            The history of Keras, by epoch. `step_log` has the losses by step.

        Raises:
            InputError: The number of steps can't be used.
        """
        if steps < 1:
            raise InputError(f"steps must be at least 1, not {steps}")
        steps_per_epoch = self._steps_per_epoch(steps, steps_per_epoch)
        history = super().fit(
            self._batch.dataset().repeat(steps),
            epochs=steps // steps_per_epoch,
            steps_per_epoch=steps_per_epoch,
            callbacks=[StepLog(), *as_list(callbacks)],
            verbose=verbose,
            shuffle=False,
            **kwargs,
        )
        for index, log in enumerate(self.step_logs):
            if not math.isfinite(log["loss"][-1]):  # so that another `fit` can go on
                self.parameters[index].assign(self._parameter(self.pictures[index]))
        if not self.diverged:
            self.evaluate(verbose=0)  # the picture of the last step may be the best
        return history

    def _steps_per_epoch(self, steps: int, steps_per_epoch: int | None) -> int:
        per_call = self.steps_per_execution
        if steps_per_epoch is None:
            divisors = (number for number in range(per_call, EPOCH_STEPS + 1, per_call) if steps % number == 0)
            return max(divisors, default=steps)
        if steps % steps_per_epoch:
            raise InputError(f"steps_per_epoch {steps_per_epoch} does not divide {steps} steps")
        if steps_per_epoch % per_call and steps_per_epoch != steps:
            raise InputError(f"steps_per_epoch {steps_per_epoch} is no multiple of {per_call} steps per execution")
        return steps_per_epoch

    def evaluate(self, **kwargs: Any) -> Any:
        """The losses of the present pictures: `keras.Model.evaluate` without data."""
        return super().evaluate(self._batch.dataset(), **kwargs)

    def recent_losses(self, number: int) -> list[np.ndarray]:
        """Losses of the last steps, at most those of one call, oldest first: each `(pictures, 1 + terms)`."""
        return self._step_losses.recent(number, self.steps_done)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as before saving, and make room for the optimizer's state, which Keras leaves to custom models."""
        self.compile(**keras.saving.deserialize_keras_object(config))


def leaves_by_path(tree: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """The leaves of nested dictionaries and lists by their keys.

    Keras replaces dictionaries and lists that are attributes by kinds of its own, which `keras.tree` tells apart from
    plain ones.
    """
    if not isinstance(tree, (dict, list)):
        return {path: tree}
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {
        leaf_path: leaf for key, value in items for leaf_path, leaf in leaves_by_path(value, (*path, key)).items()
    }
