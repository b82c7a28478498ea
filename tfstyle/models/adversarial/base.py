"""What models of generators and discriminators share: two optimizers, a step, random numbers, what is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core import replicas
from tfstyle.core.errors import InputError
from tfstyle.core.gradients import gradients_owned
from tfstyle.core.runtime import check_backend
from tfstyle.core.step_random import StepRandom, fresh

Tensor = Any
Losses = dict[str, Tensor]

_LOSSES_OF_KERAS = ("loss", "metrics", "weighted_metrics", "loss_weights")
_OPTIONS_OF_KERAS = ("run_eagerly", "steps_per_execution", "jit_compile")


class AdversarialModel(keras.Model):
    """A Keras model of generators and discriminators that train each other.

    Pictures go in and come out in [0, 1]; the networks see and give [-1, 1].

    What a training step depends on is in the weights: the networks, both optimizers, the number of the step, and the
    seed. So a saved model goes on as if there had been no break, on as many devices as one likes: `tf.distribute`
    shares out each batch, which must have a picture for each device, and losses are means over the whole of it.

    A subclass gives `generators` and `discriminators`, lists of networks, and `_train_step`.

    Args:
        losses: Names of what is shown in training.
        seed: Of kernels and of all that is drawn; None for one that nobody has chosen.
        **kwargs: As for `keras.Model`; `dtype` is for the networks.
    """

    def __init__(self, losses: tuple[str, ...], seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # pictures stay in full precision
        check_backend(keras.backend.backend())
        self.seed = seed
        self._chosen_seed = fresh(seed)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in losses}
        options = {"shape": (), "dtype": "int64", "trainable": False}
        self.step = self.add_weight(initializer="zeros", name="step", **options)
        self.seed_state = self.add_weight(
            initializer=keras.initializers.Constant(self._chosen_seed), name="seed_state", **options
        )

    @property
    def metrics(self) -> list[Any]:
        """The mean of each loss."""
        return list(self.trackers.values())

    @property
    def _generator_variables(self) -> list[Any]:
        return [variable for network in self.generators() for variable in network.trainable_variables]

    @property
    def _discriminator_variables(self) -> list[Any]:
        return [variable for network in self.discriminators() for variable in network.trainable_variables]

    def generators(self) -> list[keras.Model]:
        """The networks that make pictures."""
        raise TypeError(f"{type(self).__name__} says nothing of its generators")

    def discriminators(self) -> list[keras.Model]:
        """The networks that judge them."""
        raise TypeError(f"{type(self).__name__} says nothing of its discriminators")

    def _compile(self, generator: Any, discriminator: Any, own: dict[str, Any], **kwargs: Any) -> None:
        """`compile` of the subclasses, whose own arguments become attributes and are saved."""
        for name in _LOSSES_OF_KERAS:
            if kwargs.pop(name, None) is not None:
                raise InputError(f"{type(self).__name__} takes no {name}: its losses are both losses and metrics")
        for name, value in own.items():
            if isinstance(value, (int, float)) and not value >= 0:
                raise InputError(f"{name} {value:g} is negative: give 0 or more")
            setattr(self, name, value)
        self._own_compile_arguments = tuple(own)
        if generator is discriminator and not isinstance(generator, str):
            raise InputError(
                "one optimizer can't have the state of two: give generators and discriminators their own"
            )
        super().compile(optimizer=generator, **kwargs)
        self.generator_optimizer = self.optimizer
        self.discriminator_optimizer = keras.optimizers.get(discriminator)
        scaled = keras.optimizers.LossScaleOptimizer  # Keras does so for the first one only
        if isinstance(self.optimizer, scaled) and not isinstance(self.discriminator_optimizer, scaled):
            self.discriminator_optimizer = scaled(self.discriminator_optimizer)
        self.generator_optimizer.build(self._generator_variables)  # so that their state can be loaded before any step
        self.discriminator_optimizer.build(self._discriminator_variables)

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was called with."""
        config = super().get_compile_config()
        if not config:
            return {}
        optimizers = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("generator_optimizer", "discriminator_optimizer")
        }
        kept = {name: config[name] for name in _OPTIONS_OF_KERAS if name in config}
        return {**kept, **optimizers, **{name: getattr(self, name) for name in self._own_compile_arguments}}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as before saving, with room for both optimizers' state (Keras leaves both to custom models)."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def build(self, input_shape: Any) -> None:
        """Nothing is left to be built; Keras notes the shape, for `export`."""

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Nothing is left to be built; Keras 3.15 would average pictures for it, and fail with several workers."""

    def stylize(self, content: images.Source) -> np.ndarray:
        """A picture from the generator's domain, in place of a photograph.

        Args:
            content: A picture of any size: path, PIL image or array.

        Returns:
            float32 (height, width, 3) in [0, 1], of the content's size; transparency is left behind.

        Raises:
            InputError: The picture can't be read or used.
        """
        found = self(ops.convert_to_tensor(images.load(content).rgb[None]))
        return np.clip(ops.convert_to_numpy(found)[0], 0, 1).astype(np.float32, copy=False)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of all networks; the means of the losses so far."""
        with gradients_owned():  # of Keras' layers and optimizers, too
            return self._train_step(data)

    def _train_step(self, data: Any) -> dict[str, Any]:
        raise TypeError(f"{type(self).__name__} says nothing of its step")

    def _draws(self, pictures: Tensor) -> StepRandom:
        """Random numbers of this step for each of the pictures."""
        return StepRandom(self.seed_state.value, self.step.value, ops.shape(pictures)[0])

    def _minimize(
        self, optimizer: Any, variables: list[Any], weight: Tensor, losses: Callable[[], tuple[Losses, Any]]
    ) -> tuple[Losses, Any]:
        """One step of an optimizer down the sum of some losses.

        Args:
            optimizer: One of the two.
            variables: What it changes.
            weight: The replica's share of the whole batch.
            losses: Gives the losses, and whatever else has come of computing them.
        """
        with tf.GradientTape() as tape:
            found, others = losses()
            total = tf.add_n(list(found.values()))
            total = optimizer.scale_loss(ops.cast(weight, total.dtype) * total)
        optimizer.apply(tape.gradient(total, variables), variables)
        return found, others

    def _noted(self, losses: Losses, pictures: Tensor) -> dict[str, Any]:
        """The means of the losses so far, for Keras."""
        for name, value in losses.items():
            self.trackers[name].update_state(value, sample_weight=ops.shape(pictures)[0])
        means = self.get_metrics_result()
        # Keras 3.15 averages what several workers return over its first axis, and fails where there is none
        return {name: value[None] for name, value in means.items()} if replicas.several_workers() else means


def sides(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width, of one number or two."""
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def share(pictures: Tensor) -> Tensor:
    """A replica's share of the whole batch."""
    return replicas.share(ops.shape(pictures)[0])


def together(network: keras.Model, pictures: Tensor, others: Tensor, training: bool) -> tuple[Tensor, Tensor]:
    """What a network says of two batches, taken as one where they are known to have one size, which is faster."""
    size = pictures.shape[1:]
    if None in size or size != others.shape[1:]:
        return network(pictures, training=training), network(others, training=training)
    number = ops.shape(pictures)[0]
    found = network(ops.concatenate([pictures, others]), training=training)
    return found[:number], found[number:]


def symmetric(pictures: Tensor, dtype: str = "float32") -> Tensor:
    """[0, 1] to [-1, 1]."""
    return 2.0 * ops.cast(pictures, dtype) - 1.0


def unit(pictures: Tensor) -> Tensor:
    """[-1, 1] to [0, 1]."""
    return 0.5 * (pictures + 1.0)


def two_domains(data: Any, model: str) -> tuple[Tensor, Tensor]:
    """Pictures of two domains, of which Keras takes the second for labels.

    Raises:
        InputError: Only one is there.
    """
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    if y is None and isinstance(x, (list, tuple)) and len(x) == 2:
        x, y = x
    if y is None:
        raise InputError(f"{model} learns from two domains: give both, or a dataset of (photos, paintings)")
    return x, y


def one_domain(data: Any) -> Tensor:
    """Pictures alone, with or without labels, which don't count."""
    return keras.utils.unpack_x_y_sample_weight(data)[0]


def full(dtype: Any) -> str:
    """The precision of pictures and scores where networks compute in that of a policy."""
    return "float64" if keras.dtype_policies.get(dtype).compute_dtype == "float64" else "float32"
