"""The generative adversarial network: images from noise."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.errors import check_whole, unknown
from tfstyle.core.precision import image_dtype
from tfstyle.core.saving import renamed_keys
from tfstyle.core.step_random import split_seed
from tfstyle.core.typing import Tensor
from tfstyle.models.adversarial import losses
from tfstyle.models.adversarial.base import (
    AdversarialModel,
    Losses,
    batch_share,
    generate_images,
    height_and_width,
    one_domain,
    symmetric,
    unit,
)
from tfstyle.models.adversarial.networks.dcgan import dcgan_discriminator, dcgan_generator
from tfstyle.models.adversarial.networks.maxout import maxout_discriminator, maxout_generator, maxout_optimizer

Architecture = Literal["dcgan", "maxout"]

ARCHITECTURES = ("dcgan", "maxout")
LEARNING_RATE, MOMENTUM = 2e-4, 0.5  # Radford, Metz & Chintala 2016, section 4
_FORMER_KEYS = {"noise": "latent_dim"}


@keras.saving.register_keras_serializable(package="tfstyle")
class GAN(AdversarialModel):
    """A generator G of images from noise z, and a discriminator D that tells them from real images x.

    D minimises the cross entropy with the targets D(x) = 1 and D(G(z)) = 0, and G that with the target D(G(z)) = 1.

    `fit` takes batches of images `(batch, height, width, channels)` in [0, 1]; labels are ignored. `generate` makes
    images. Each batch is a step of D and then one of G, with the same generated images. Metrics are both losses, and
    the mean probabilities that D assigns to real and to generated images (`real`, `fake`).

    Args:
        size: Size of the images, in pixels: one number, or (height, width).
        architecture: `"dcgan"`, convolutions with batch normalisation; or `"maxout"`, the dense layers of the paper's
            authors for MNIST (`GAN(28, "maxout", channels=1)`).
        latent_dim: Length of the noise vectors, which are normally distributed.
        filters: Channels of DCGAN at full resolution.
        channels: Channels of the images.
        seed: Seed of initial kernels and of all random numbers; None for a random one.
        name: Name of the model.
        **kwargs: As for `keras.Model`; `dtype` applies to the networks.

    Raises:
        InputError: An unknown architecture, or a number out of range.

    Examples:
        >>> model = GAN(size=64)
        >>> model.compile()
        >>> model.fit(pictures.batch(128), epochs=100)
        >>> images = model.generate(16, seed=0)

    Reference:
        Goodfellow et al. 2014, "Generative Adversarial Nets", algorithm 1 with the loss of section 3 for G; Radford,
        Metz & Chintala 2016 for the networks.
    """

    source = "noise"

    def __init__(
        self,
        size: int | tuple[int, int] = 64,
        architecture: Architecture = "dcgan",
        latent_dim: int = 100,
        filters: int = 64,
        channels: int = 3,
        seed: int | None = None,
        name: str = "gan",
        **kwargs: Any,
    ) -> None:
        if architecture not in ARCHITECTURES:
            raise unknown("architecture", architecture, ARCHITECTURES)
        super().__init__(("generator", "discriminator", "real", "fake"), seed, name=name, **kwargs)
        self.size = height_and_width(size)
        self.architecture, self.latent_dim, self.filters, self.channels = architecture, latent_dim, filters, channels
        check_whole("size", min(self.size), 4 if architecture == "dcgan" else 1, 100_000)
        check_whole("latent_dim", latent_dim, 1, 100_000)
        check_whole("filters", filters, 1, 4096)
        check_whole("channels", channels, 1, 64)
        first, second = ({"seed": seed, "dtype": self.dtype_policy} for seed in split_seed(self._chosen_seed, 2))
        if architecture == "dcgan":
            self.generator = dcgan_generator(self.size, latent_dim, filters, channels, **first)
            self.discriminator = dcgan_discriminator(self.size, filters, channels, **second)
        else:
            self.generator = maxout_generator((*self.size, channels), latent_dim, **first)
            self.discriminator = maxout_discriminator((*self.size, channels), **second)
        self.build((None, latent_dim))

    def generators(self) -> list[keras.Model]:
        """G."""
        return [self.generator]

    def discriminators(self) -> list[keras.Model]:
        """D."""
        return [self.discriminator]

    def compile(self, generator_optimizer: Any = None, discriminator_optimizer: Any = None, **kwargs: Any) -> None:
        """Configure the training; without arguments, as in the paper of the architecture.

        Args:
            generator_optimizer: A Keras optimizer or its name; None for the architecture's: for DCGAN Adam with the
                rate 2e-4 and β₁ = 0.5, for maxout the authors' gradient descent with momentum.
            discriminator_optimizer: A Keras optimizer or its name; None for the architecture's.
            **kwargs: As for `keras.Model.compile`, without losses and metrics, which the model has.

        Raises:
            InputError: Losses or metrics.
        """
        optimizers = (generator_optimizer, discriminator_optimizer)
        generator, discriminator = (self._optimizer() if optimizer is None else optimizer for optimizer in optimizers)
        self._compile(generator, discriminator, {}, **kwargs)

    def _optimizer(self) -> keras.optimizers.Optimizer:
        if self.architecture == "maxout":
            return maxout_optimizer()
        return keras.optimizers.Adam(LEARNING_RATE, beta_1=MOMENTUM, epsilon=1e-8)

    def call(self, noise: Tensor) -> Tensor:
        """Noise `(batch, latent_dim)` to images `(batch, height, width, channels)` in [0, 1]."""
        return unit(self.generator(noise))

    def generate(self, count: int, seed: int | None = None) -> np.ndarray:
        """Images made from noise: float32 `(count, height, width, channels)` in [0, 1].

        Args:
            count: Number of images, from 1 to 1,000,000.
            seed: Seed of the noise; None for a random one.
        """
        return generate_images(self.generator, count, seed)

    def _train_step(self, data: Any) -> dict[str, Any]:
        """One step of D, then one of G through the new D."""
        real = symmetric(one_domain(data), image_dtype(self.dtype_policy))
        weight = batch_share(real)
        noise = self._draws(real).normal((self.latent_dim,))
        with tf.GradientTape() as tape:
            fake = self.generator(noise, training=True)
            discriminator_losses, probabilities = self._minimize(
                self.discriminator_optimizer,
                self._discriminator_variables,
                weight,
                lambda: self._discriminator_losses(real, ops.stop_gradient(fake)),
            )
            loss = losses.cross_entropy_generator(self.discriminator(fake, training=True))
            total = self.generator_optimizer.scale_loss(ops.cast(weight, loss.dtype) * loss)
        variables = self._generator_variables
        self.generator_optimizer.apply(tape.gradient(total, variables), variables)
        self.step.assign(self.step.value + 1)
        return self._update_metrics({"generator": loss, **discriminator_losses, **probabilities}, real)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The losses."""
        real = symmetric(one_domain(data), image_dtype(self.dtype_policy))
        fake = self.generator(self._draws(real).normal((self.latent_dim,)), training=False)
        discriminator_losses, probabilities = self._discriminator_losses(real, fake, training=False)
        loss = losses.cross_entropy_generator(self.discriminator(fake, training=False))
        return self._update_metrics({"generator": loss, **discriminator_losses, **probabilities}, real)

    def _discriminator_losses(self, real: Tensor, fake: Tensor, training: bool = True) -> tuple[Losses, Losses]:
        """D's loss, and its mean probabilities. Each batch is normalised by itself."""
        real_logits, fake_logits = (self.discriminator(pictures, training=training) for pictures in (real, fake))
        probabilities = {"real": ops.mean(ops.sigmoid(real_logits)), "fake": ops.mean(ops.sigmoid(fake_logits))}
        return {"discriminator": losses.cross_entropy_discriminator(real_logits, fake_logits)}, probabilities

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "architecture": self.architecture,
            "latent_dim": self.latent_dim,
            "filters": self.filters,
            "channels": self.channels,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> GAN:
        """The model that `get_config` describes, now or under its former keys, untrained."""
        return super().from_config(renamed_keys(config, _FORMER_KEYS), custom_objects)
