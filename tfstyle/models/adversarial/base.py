"""The base of models with generators and discriminators: two optimizers, a training step, random numbers, saving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core import replicas
from tfstyle.core.compile_options import without_losses
from tfstyle.core.errors import InputError, check_whole
from tfstyle.core.gradients import gradients_owned
from tfstyle.core.runtime import check_backend
from tfstyle.core.step_random import StepRandom, seed_or_random
from tfstyle.core.typing import Tensor
from tfstyle.models import signatures
from tfstyle.models.signatures import Sample, Signature

Losses = dict[str, Tensor]
Source = Literal["noise", "pictures"]

_OPTIONS_OF_KERAS = ("run_eagerly", "steps_per_execution", "jit_compile")
_GENERATED_AT_ONCE = 64  # chosen: images that are generated at a time


class AdversarialModel(keras.Model):
    """A Keras model of generators and discriminators that train each other.

    Images go in and come out in [0, 1]; the networks take and return [-1, 1].

    Everything that a training step depends on is a weight: the networks, both optimizers, the number of the step, and
    the seed. So a saved model continues as if it had not been interrupted, on any number of devices: `tf.distribute`
    divides each batch, which needs at least one image for each device, and losses are means over the whole batch.

    A subclass defines `generators` and `discriminators`, which list networks, and `_train_step`.

    Args:
        losses: Names of the values that training shows.
        seed: Seed of initial kernels and of all random numbers; None for a random one.
        **kwargs: As for `keras.Model`; `dtype` applies to the networks.

    Attributes:
        source: What the first generator takes: `"pictures"` (images of another domain) or `"noise"`.
    """

    source: Source = "pictures"

    def __init__(self, losses: tuple[str, ...], seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # images stay in full precision
        check_backend(keras.backend.backend())
        self.seed = seed
        self._chosen_seed = seed_or_random(seed)
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
        """The networks that make images."""
        raise NotImplementedError(f"{type(self).__name__} defines no generators")

    def discriminators(self) -> list[keras.Model]:
        """The networks that tell real images from generated ones."""
        raise NotImplementedError(f"{type(self).__name__} defines no discriminators")

    # Compiling and saving

    def _compile(self, generator: Any, discriminator: Any, arguments: dict[str, Any], **kwargs: Any) -> None:
        """Compile with two optimizers; the subclass's own arguments become attributes, and are saved."""
        options = without_losses(type(self).__name__, kwargs)
        for name, value in arguments.items():
            if isinstance(value, (int, float)) and not value >= 0:
                raise InputError(f"{name} {value:g} is negative: give 0 or more")
            setattr(self, name, value)
        self._compile_arguments = tuple(arguments)
        if generator is discriminator and not isinstance(generator, str):
            raise InputError("one optimizer can't serve both: give generators and discriminators an optimizer each")
        super().compile(optimizer=generator, **options)
        self.generator_optimizer = self.optimizer
        self.discriminator_optimizer = keras.optimizers.get(discriminator)
        scaled = keras.optimizers.LossScaleOptimizer  # in which Keras wraps the first one only
        if isinstance(self.optimizer, scaled) and not isinstance(self.discriminator_optimizer, scaled):
            self.discriminator_optimizer = scaled(self.discriminator_optimizer)
        self.generator_optimizer.build(self._generator_variables)  # so that their state can be loaded before any step
        self.discriminator_optimizer.build(self._discriminator_variables)

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`."""
        config = super().get_compile_config()
        if not config:
            return {}
        optimizers = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("generator_optimizer", "discriminator_optimizer")
        }
        options = {name: config[name] for name in _OPTIONS_OF_KERAS if name in config}
        return {**options, **optimizers, **{name: getattr(self, name) for name in self._compile_arguments}}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as before saving, and make room for the optimizers' state, which Keras leaves to custom models."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def build(self, input_shape: Any) -> None:
        """Keras records the shape, for `export`; everything is built already."""

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Do nothing: Keras 3.15 would average images here, and fails with several workers."""

    # Exporting

    def signatures(self) -> list[Signature]:
        """The function that the model is exported as: the first generator's."""
        generator = self.generators()[0]
        network = signatures.portable(generator)

        def paint(pictures: Tensor) -> Tensor:
            return ops.clip(unit(network(symmetric(pictures), training=False)), 0.0, 1.0)

        def generate(noise: Tensor) -> Tensor:
            return ops.clip(unit(network(noise, training=False)), 0.0, 1.0)

        if self.source == "noise":
            return [signatures.generate_signature(generate, generator.input_shape[-1])]
        return [signatures.paint_signature(paint)]

    def export_samples(self) -> list[Sample]:
        """A call of that function, and the model's own image."""
        if self.source == "noise":
            return [signatures.generate_sample(self, self.generators()[0].input_shape[-1])]
        return [signatures.paint_sample(self)]

    def in_float32(self) -> AdversarialModel:
        """The model, or a copy of its generators that computes in float32."""
        if self.compute_dtype == "float32":
            return self
        copy = type(self).from_config({**self.get_config(), "dtype": "float32"})
        for target, network in zip(copy.generators(), self.generators(), strict=True):
            target.set_weights(network.get_weights())
        return copy

    # Training

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of all networks; returns the means of the losses so far."""
        with gradients_owned():  # also those of Keras' layers and optimizers
            return self._train_step(data)

    def _train_step(self, data: Any) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} defines no training step")

    def _draws(self, pictures: Tensor) -> StepRandom:
        """Random numbers of this step, for each image of a batch."""
        return StepRandom(self.seed_state.value, self.step.value, ops.shape(pictures)[0])

    def _minimize(
        self, optimizer: Any, variables: list[Any], weight: Tensor, losses: Callable[[], tuple[Losses, Any]]
    ) -> tuple[Losses, Any]:
        """One step of an optimizer down the gradient of a sum of losses.

        Args:
            optimizer: One of the two.
            variables: The variables that it changes.
            weight: The replica's share of the whole batch.
            losses: Computes the losses by name, and other results that are returned as they are.
        """
        with tf.GradientTape() as tape:
            values, others = losses()
            total = tf.add_n(list(values.values()))
            total = optimizer.scale_loss(ops.cast(weight, total.dtype) * total)
        optimizer.apply(tape.gradient(total, variables), variables)
        return values, others

    def _update_metrics(self, losses: Losses, pictures: Tensor) -> dict[str, Any]:
        """Add the losses of a batch to their means; returns the means so far, for Keras."""
        for name, value in losses.items():
            self.trackers[name].update_state(value, sample_weight=ops.shape(pictures)[0])
        means = self.get_metrics_result()
        # Keras 3.15 averages the results of several workers over the first axis, and fails if there is none
        return {name: value[None] for name, value in means.items()} if replicas.several_workers() else means


def translate_image(model: keras.Model, content: images.Source) -> np.ndarray:
    """A content image as an image of the generator's domain.

    Args:
        model: A model from images to images.
        content: An image of any size: a path, PIL image or array.

    Returns:
        float32 `(height, width, 3)` in [0, 1], of the content's size, without transparency.

    Raises:
        InputError: The image can't be read or used.
    """
    painted = model(ops.convert_to_tensor(images.load(content).rgb[None]))
    return np.clip(ops.convert_to_numpy(painted)[0], 0, 1).astype(np.float32, copy=False)


def generate_images(generator: keras.Model, count: int, seed: int | None) -> np.ndarray:
    """Images that a generator makes from noise.

    An image depends on the seed and its place, not on how many there are.

    Args:
        generator: A network from noise `(batch, latent_dim)` to images in [-1, 1].
        count: Number of images, from 1 to 1,000,000.
        seed: Seed of the noise; None for a random one.

    Returns:
        float32 `(count, height, width, channels)` in [0, 1].
    """
    check_whole("count", count, 1, 1_000_000)
    seed, latent_dim = seed_or_random(seed) % 2**32, generator.input_shape[-1]
    noise = [np.random.default_rng([seed, place]).standard_normal(latent_dim, np.float32) for place in range(count)]
    parts = []
    for first in range(0, count, _GENERATED_AT_ONCE):
        pictures = unit(generator(np.stack(noise[first : first + _GENERATED_AT_ONCE]), training=False))
        parts.append(np.clip(ops.convert_to_numpy(pictures), 0, 1).astype(np.float32, copy=False))
    return np.concatenate(parts)


def height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a size: one number, or two."""
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def batch_share(pictures: Tensor) -> Tensor:
    """The replica's share of the whole batch, float32."""
    return replicas.share(ops.shape(pictures)[0])


def in_one_batch(network: keras.Model, pictures: Tensor, others: Tensor, training: bool) -> tuple[Tensor, Tensor]:
    """A network's outputs for two batches, in one call if their images are known to have one size: that is faster."""
    size = pictures.shape[1:]
    if None in size or size != others.shape[1:]:
        return network(pictures, training=training), network(others, training=training)
    count = ops.shape(pictures)[0]
    outputs = network(ops.concatenate([pictures, others]), training=training)
    return outputs[:count], outputs[count:]


def symmetric(pictures: Tensor, dtype: str = "float32") -> Tensor:
    """[0, 1] to [-1, 1]."""
    return 2.0 * ops.cast(pictures, dtype) - 1.0


def unit(pictures: Tensor) -> Tensor:
    """[-1, 1] to [0, 1]."""
    return 0.5 * (pictures + 1.0)


def two_domains(data: Any, model: str) -> tuple[Tensor, Tensor]:
    """Images of two domains; Keras takes the second for labels.

    Raises:
        InputError: There is one domain only.
    """
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    if y is None and isinstance(x, (list, tuple)) and len(x) == 2:
        x, y = x
    if y is None:
        raise InputError(f"{model} learns from two domains: give both, or a dataset of (photos, paintings)")
    return x, y


def one_domain(data: Any) -> Tensor:
    """Images without their labels, if there are any."""
    return keras.utils.unpack_x_y_sample_weight(data)[0]
