"""The picture as a Keras model: its only trainable weight is its pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.gradients import gradients_owned
from tfstyle.core.runtime import check_backend, steady
from tfstyle.losses.objective import Objective, side_by_side
from tfstyle.optimization.callbacks import StepLog
from tfstyle.optimization.inputs import Inputs, for_each, prepare
from tfstyle.optimization.lbfgs import LBFGS, reset
from tfstyle.optimization.parameterization import Pixels

Tensor = Any
EPOCH_STEPS = 10  # steps between `on_epoch_end` calls when nothing else is asked for (chosen)


@keras.saving.register_keras_serializable(package="tfstyle")
class Canvas(keras.Model):
    """A picture that is optimised to match the content of one picture and the style of others.

    `compile` and `fit` paint, with Keras' own optimizers, callbacks and compiled step. Pixels stay in [0, 1] as
    part of the optimisation, and the best iterate is kept.

    A list of contents of one size is painted side by side, each on its own; under a `tf.distribute` strategy each
    replica takes its share of them.

    Args:
        objective: What is minimised.
        content: The content picture: path, PIL image or array; or a list of several of one size.
        styles: The style pictures, of any sizes.
        mix: Weights of the styles, which sum to 1; None for equal ones. Or a row of them for each content, whose
            styles, with their masks, are those that have a weight in it.
        init: `"content"`, `"noise"` (uniform white noise) or a picture to begin with; or one for each content.
        size: Longer side of the content, in pixels, to which the styles' longer sides are brought too; None
            for the pictures' own sizes.
        style_scale: Factor of the styles' sizes: larger ones make larger strokes.
        content_masks: Where on the picture which style goes, and `style_masks` (one for each style, or None):
            what of a style counts; see `tfstyle.images.masks`.
        style_masks: See above.
        voids: Grey masks, of the content and of each style, or none: what is white is bare paper, which is left as it
            is, and which doesn't count in a style.
        parameterization: What of the picture is optimised; None for its pixels.
        seed: Seed of the noise.

    Attributes:
        smoothness: What L-BFGS should have for it: the parameterization's; 0 where masks leave some of the picture as
            it is, which smoothed steps would reach.

    Raises:
        InputError: A picture or mask can't be read or used, or is too small for a backbone.

    Examples:
        >>> canvas = Canvas(objective, content="photo.jpg", styles=["painting.jpg"], size=512)
        >>> canvas.compile(optimizer=LBFGS())
        >>> canvas.fit(steps=300, callbacks=[keras.callbacks.CSVLogger("log.csv")])
        >>> canvas.picture  # (height, width, 3) in [0, 1]
    """

    def __init__(
        self,
        objective: Objective,
        content: images.Source | Sequence[images.Source],
        styles: Sequence[images.Source],
        mix: Sequence[float] | Sequence[Sequence[float]] | None = None,
        init: str | images.Source | Sequence[images.Source] = "content",
        size: int | None = None,
        style_scale: float = 1.0,
        content_masks: Sequence[images.Source] = (),
        style_masks: Sequence[images.Source | None] = (),
        voids: Sequence[images.Source] = (),
        parameterization: Pixels | None = None,
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
        self.objective = objective
        self.parameterization = Pixels() if parameterization is None else parameterization
        self._options: dict[str, Any] = {
            "mix": mix,
            "size": size,
            "style_scale": style_scale,
            "content_masks": content_masks,
            "style_masks": style_masks,
            "voids": voids,
            "seed": seed,
        }
        start, targets = self._begin(content, styles, init)
        number = len(start)
        self.parameters = [
            self._state(f"pixels_{i}" if i else "pixels", self._variable(picture), trainable=True)
            for i, picture in enumerate(start)
        ]
        # Each replica knows of its own pictures only, and leaves zeros for the others: the sum has all.
        self.best_pixels = self._state("best_pixels", start, aggregation="sum")
        self.best_losses = self._state("best_losses", np.full(number, np.inf), aggregation="sum")
        losses = np.full((number, len(objective.names) + 1), np.nan)
        self.last_losses = self._state("last_losses", losses, aggregation="sum")
        self.steps = self._state("steps", np.float32(0), aggregation="only_first_replica")
        self.targets = keras.tree.map_structure(lambda value: self._state("target", value), targets)
        self.steps_before = 0  # on smaller canvases
        self.finish: Callable[[np.ndarray], np.ndarray] = lambda picture: picture  # before it is shown
        self._recent: Any = None  # made by `compile`
        self.built = True

    def _begin(self, content: Any, styles: Sequence[images.Source], init: Any) -> tuple[np.ndarray, Any]:
        """The pictures to begin with, `(pictures, height, width, 3)`, and the objective's targets."""
        if isinstance(styles, (str, bytes)) or not len(styles):
            raise InputError("styles must be a list of at least one picture")
        contents = content if isinstance(content, (list, tuple)) else [content]
        inits = init if isinstance(init, (list, tuple)) else [init] * len(contents)
        asked: list[dict[str, Any]] = [{"styles": styles}] * len(contents)
        if self._mixed_each:
            options = (self._options[key] for key in ("content_masks", "style_masks"))
            asked = for_each(self._options["mix"], len(contents), styles, *options)
        inputs = [
            prepare(photo, minimum=self.objective.minimum_side, init=start, **{**self._options, **own})
            for photo, start, own in zip(contents, inits, asked, strict=True)
        ]
        first = inputs[0]
        for other in inputs[1:]:
            if other.photo.rgb.shape != first.photo.rgb.shape:
                raise InputError(f"{other.photo.name} has not the size of {first.photo.name}: paint it by itself")
        if self._mixed_each:
            alone = zip(inputs, asked, strict=True)
            targets = side_by_side([self._targets([each], own["mix"]) for each, own in alone])
        else:
            targets = self._targets(inputs, self._options["mix"])
        bare = first.regions is not None and (first.regions.content.max(axis=0) == 0).any()
        self.smoothness = 0.0 if bare else self.parameterization.smoothness
        self.alphas = [each.photo.alpha for each in inputs]
        self.step_logs: list[dict[str, list[float]]] = [{} for _ in inputs]
        return np.stack([each.start for each in inputs]), targets

    @property
    def _mixed_each(self) -> bool:
        """Whether each picture has a mix of its own."""
        return self._options["mix"] is not None and np.ndim(self._options["mix"][0]) > 0

    def _targets(self, inputs: Sequence[Inputs], mix: Sequence[float] | None) -> Any:
        """What the objective's terms compare pictures with that have the same styles."""
        return self.objective.targets(
            ops.convert_to_tensor(np.stack([each.photo.rgb for each in inputs]), self.compute_dtype),
            [ops.convert_to_tensor(painting.rgb[None], self.compute_dtype) for painting in inputs[0].paintings],
            mix,
            inputs[0].regions,
        )

    def restart(
        self,
        content: images.Source | Sequence[images.Source],
        styles: Sequence[images.Source],
        init: str | images.Source | Sequence[images.Source] = "content",
        style_masks: Sequence[images.Source | None] | None = None,
        voids: Sequence[images.Source] = (),
    ) -> None:
        """Begin anew with other pictures; what is compiled stays so where the sizes and their number are the same.

        Args:
            content: The content picture, or as many as before, of the canvas's size.
            styles: The style pictures.
            init: As for a new canvas.
            style_masks: Those of the styles; None for those that were given.
            voids: Likewise; there must be some if there were some before, and none if not.

        Raises:
            InputError: A picture can't be used, or the content has another size.
        """
        if style_masks is not None:
            self._options["style_masks"] = style_masks
        self._options["voids"] = voids
        start, targets = self._begin(content, styles, init)
        if start.shape != tuple(self.best_pixels.shape):
            height, width = start.shape[1:3]
            raise InputError(
                f"{len(start)} pictures of {width}x{height} pixels don't fit this canvas of "
                f"{self.best_pixels.shape[0]} of {self.best_pixels.shape[2]}x{self.best_pixels.shape[1]}"
            )
        for parameter, picture in zip(self.parameters, start, strict=True):
            parameter.assign(self._variable(picture))
        self.best_pixels.assign(start)
        self.best_losses.assign(np.full(len(start), np.inf))
        self.last_losses.assign(np.full(self.last_losses.shape, np.nan))
        self.steps.assign(0.0)
        values = _leaves(targets)
        for path, variable in _leaves(self.targets).items():
            variable.assign(values[path])
        if self.compiled:
            reset(self.optimizer)

    def _variable(self, picture: np.ndarray) -> np.ndarray:
        return self.parameterization.variable(picture[None])

    def _state(self, name: str, value: Any, trainable: bool = False, aggregation: str = "none") -> keras.Variable:
        half = keras.backend.standardize_dtype(value.dtype) == "bfloat16"  # targets that half precision holds
        variable = self.add_weight(
            shape=value.shape,
            initializer="zeros",
            dtype="bfloat16" if half else self.compute_dtype,
            trainable=trainable,
            constraint=self.parameterization.constraint if trainable else None,
            aggregation=aggregation,
            name=name,
        )
        variable.assign(value)
        return variable

    @property
    def pixels(self) -> keras.Variable:
        """The variable that is optimised; of the first picture, where there are several."""
        return self.parameters[0]

    @property
    def pictures(self) -> list[np.ndarray]:
        """The best pictures so far, each float32 `(height, width, 3)` in [0, 1]."""
        return list(np.clip(self.best_pixels.numpy(), 0.0, 1.0).astype(np.float32, copy=False))

    @property
    def picture(self) -> np.ndarray:
        """The best picture so far, or the first of several: float32 `(height, width, 3)` in [0, 1]."""
        return self.pictures[0]

    @property
    def best_loss(self) -> float:
        """The loss of the best picture so far; of the first picture, where there are several."""
        return float(self.best_losses.numpy()[0])

    @property
    def alpha(self) -> np.ndarray | None:
        """The content's transparency, `(height, width)` in [0, 1], if it has any."""
        return self.alphas[0]

    @property
    def step_log(self) -> dict[str, list[float]]:
        """Loss and terms by step; of the first picture, where there are several (`step_logs` has all)."""
        return self.step_logs[0]

    @property
    def steps_done(self) -> int:
        """Number of optimisation steps so far."""
        return int(self.steps.numpy())

    @property
    def painted(self) -> bool:
        """Whether for each picture there is one whose loss is a finite number."""
        return bool(np.isfinite(self.best_losses.numpy()).all())

    @property
    def diverged(self) -> bool:
        """Whether none of the last losses was a finite number."""
        return all(log and not math.isfinite(log["loss"][-1]) for log in self.step_logs)

    def call(self, inputs: Tensor) -> Tensor:
        """The pictures of the given numbers, `(number, height, width, 3)`."""
        pictures = [self.parameterization(parameter) for parameter in self.parameters]
        return pictures[0] if len(pictures) == 1 else ops.take(ops.concatenate(pictures), self._share(inputs), axis=0)

    def _share(self, numbers: Tensor) -> Tensor:
        """The numbers of a replica's pictures, in a tensor that knows how many they are."""
        return tf.ensure_shape(numbers, [len(self.parameters) // tf.distribute.get_strategy().num_replicas_in_sync])

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: bool = True) -> Tensor:  # fmt: skip
        """The objective at the pictures `y_pred`; notes its terms, and each picture that is its best."""
        x = self._share(x)
        targets = keras.tree.map_structure(lambda target: self._of(target, x), self.targets)
        terms = self.objective(y_pred, targets)
        # Networks swallow NaN (a ReLU may make it 0), so that a spoilt picture could pass for a good one.
        sound = ops.isfinite(ops.sum(y_pred, axis=(1, 2, 3)))
        loss = ops.where(sound, sum(terms.values()), float("nan"))
        losses = ops.stack([loss, *terms.values()], axis=1)
        self.last_losses.assign(self._all(losses, x))
        if training:
            rows = self._recent.shape[1]
            now = ops.arange(rows, dtype="int32") == ops.cast(self.steps, "int32") % rows
            recent = ops.where(now[None, :, None], losses[:, None], self._of(self._recent, x))
            self._recent.assign(self._all(recent, x))
            self.steps.assign_add(1.0)
        best = self._of(self.best_losses, x)
        better = loss < best
        self.best_losses.assign(self._all(ops.where(better, loss, best), x))
        before = self._of(self.best_pixels, x)
        if len(self.parameters) == 1:  # takes no copy, and shares the memory of the pixels
            best_pixels = tf.cond(better[0], lambda: y_pred, lambda: before)
        else:
            best_pixels = ops.where(better[:, None, None, None], y_pred, before)
        self.best_pixels.assign(self._all(best_pixels, x))
        return ops.sum(loss)

    def _of(self, values: Tensor, numbers: Tensor) -> Tensor:
        """What of `values`, the first axis of which is the pictures or has the length 1, is of those `numbers`."""
        values = ops.convert_to_tensor(values)
        several = len(self.parameters) > 1 and values.shape[0] == len(self.parameters)
        return ops.take(values, numbers, axis=0) if several else values

    def _all(self, values: Tensor, numbers: Tensor) -> Tensor:
        """The `values` of the pictures of those `numbers` in their places, and zeros in the others."""
        if len(self.parameters) == 1:
            return values
        return tf.scatter_nd(numbers[:, None], values, [len(self.parameters), *values.shape[1:]])

    def train_step(self, data: Any) -> dict[str, Tensor]:
        """As Keras', but nothing of it is left when the canvas is gone."""
        with gradients_owned():  # of Keras' optimizers, too
            return super().train_step(data)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Tensor]:
        """Loss and terms at the last evaluation, means over the pictures, rather than over an epoch."""
        means = ops.mean(self.last_losses, axis=0)
        return {name: means[i] for i, name in enumerate(("loss", *self.objective.names))}

    def compile(self, optimizer: Any = None, **kwargs: Any) -> None:
        """Configure the optimisation.

        Args:
            optimizer: A Keras optimizer or its name; None for `LBFGS`.
            **kwargs: As for `keras.Model.compile`, but for losses and metrics, which the objective has;
                `steps_per_execution` runs several steps in one call.
        """
        for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.get(name) is not None:
                raise InputError(f"a canvas takes no {name}: the terms of its objective are both loss and metrics")
        optimizer = LBFGS(smoothness=self.smoothness) if optimizer is None else optimizer
        super().compile(optimizer=optimizer, **kwargs)
        if not self.optimizer.built:
            # Variables that come into being in the first step would have it traced a second time.
            self.optimizer.build(self.trainable_variables)
        # The losses of the steps of one call, which Keras would only report the last of.
        pictures, losses = self.last_losses.shape
        zeros = tf.zeros((pictures, self.steps_per_execution, losses), self.compute_dtype)
        self._recent = tf.Variable(zeros, trainable=False, aggregation=tf.VariableAggregation.SUM)

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
            self._numbers().repeat(steps),
            epochs=steps // steps_per_epoch,
            steps_per_epoch=steps_per_epoch,
            callbacks=[StepLog(), *others],
            verbose=verbose,
            shuffle=False,
            **kwargs,
        )
        for index, log in enumerate(self.step_logs):
            if not math.isfinite(log["loss"][-1]):  # so that another `fit` can go on
                self.parameters[index].assign(self._variable(self.pictures[index]))
        if not self.diverged:
            self.evaluate(verbose=0)  # the last step's picture may be the best
        return history

    def evaluate(self, **kwargs: Any) -> Any:
        """The losses of the picture as it is now; as `keras.Model.evaluate` without data."""
        return super().evaluate(self._numbers(), **kwargs)

    def _numbers(self) -> tf.data.Dataset:
        """The pictures' numbers, as one batch."""
        return steady(tf.data.Dataset.from_tensors(np.arange(len(self.parameters), dtype=np.int32)))

    def recent_losses(self, number: int) -> list[np.ndarray]:
        """Losses of the last steps of the last call, oldest first, each `(pictures, 1 + terms)`."""
        recent = self._recent.numpy()
        return [recent[:, step % recent.shape[1]] for step in range(self.steps_done - number, self.steps_done)]

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as before saving, with room for the optimizer's state (Keras leaves both to custom models)."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def get_config(self) -> dict[str, Any]:
        """The objective, the size and how many regions there are; the picture and its targets are weights."""
        masks = [leaf for path, leaf in _leaves(self.targets).items() if "masks" in path]
        return {
            "objective": keras.saving.serialize_keras_object(self.objective),
            "parameterization": keras.saving.serialize_keras_object(self.parameterization),
            "shape": list(self.best_pixels.shape[:3]),
            "regions": masks[0].shape[1] if masks else 0,
            "mixed_each": self._mixed_each,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Canvas:
        """Blank pictures of the same objective, size and number, for the weights to be loaded into."""
        number, *sides = config["shape"]
        blank, regions = np.zeros((*sides, 3), np.float32), config["regions"]
        styles = max(1, regions)
        return cls(
            keras.saving.deserialize_keras_object(config["objective"]),
            [blank] * number,
            [blank] * styles,
            [[1 / styles] * styles] * number if config["mixed_each"] else None,
            content_masks=[np.full(sides, 0.5, np.float32)] * regions,  # white ones would be none
            parameterization=keras.saving.deserialize_keras_object(config["parameterization"]),
            name=config["name"],
        )


def _leaves(tree: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """The leaves of nested dictionaries and lists, by their keys; Keras' own kinds of them are as good as others."""
    if not isinstance(tree, (dict, list)):
        return {path: tree}
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {where: leaf for key, value in items for where, leaf in _leaves(value, (*path, key)).items()}
