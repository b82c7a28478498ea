"""The generative adversarial network: pictures from noise."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.core.step_random import several
from tfstyle.models.adversarial import losses
from tfstyle.models.adversarial.base import AdversarialModel, Losses, full, one_domain, share, sides, symmetric, unit
from tfstyle.models.adversarial.networks.dcgan import dcgan_discriminator, dcgan_generator, generated
from tfstyle.models.adversarial.networks.maxout import maxout_discriminator, maxout_generator, maxout_optimizer

Tensor = Any
Architecture = Literal["dcgan", "maxout"]

ARCHITECTURES = ("dcgan", "maxout")
RATE, MOMENTUM = 2e-4, 0.5  # Radford, Metz & Chintala 2016, section 4


@keras.saving.register_keras_serializable(package="tfstyle")
class GAN(AdversarialModel):
    """A generator G of pictures from noise, and a discriminator D that tells them from real ones.

    D learns that D(x) = 1 and D(G(z)) = 0, as cross entropy, and G that D(G(z)) = 1.

    `fit` takes batches of pictures `(batch, height, width, channels)` in [0, 1], with or without labels, which don't
    count; `generate` makes some. Each batch is a step of D and then of G, with the same generated pictures. Metrics
    are both losses, and the mean of what D says of real and of generated pictures, as probabilities.

    Args:
        size: Of the pictures, in pixels: one number, or (height, width).
        architecture: `"dcgan"`, convolutions with batch normalisation; or `"maxout"`, the authors' own for MNIST,
            dense layers (`GAN(28, "maxout", channels=1)`).
        noise: Numbers that a picture is made of, normally distributed.
        filters: Channels of DCGAN at full resolution.
        channels: Of the pictures.
        seed: Of kernels and of all that is drawn; None for one that nobody has chosen.
        name: Of the model.
        **kwargs: As for `keras.Model`; `dtype` is for the networks.

    Raises:
        InputError: An unknown architecture, or a number that can't be used.

    Examples:
        >>> model = GAN(size=64)
        >>> model.compile()
        >>> model.fit(pictures.batch(128), epochs=100)
        >>> grid = model.generate(16, seed=0)

    Reference:
        Goodfellow et al. 2014, "Generative Adversarial Nets", algorithm 1 with the loss of section 3 for G; Radford,
        Metz & Chintala 2016 for the networks.
    """

    def __init__(
        self,
        size: int | tuple[int, int] = 64,
        architecture: Architecture = "dcgan",
        noise: int = 100,
        filters: int = 64,
        channels: int = 3,
        seed: int | None = None,
        name: str = "gan",
        **kwargs: Any,
    ) -> None:
        if architecture not in ARCHITECTURES:
            raise unknown("architecture", architecture, ARCHITECTURES)
        super().__init__(("generator", "discriminator", "real", "fake"), seed, name=name, **kwargs)
        self.size = sides(size)
        self.architecture, self.noise, self.filters, self.channels = architecture, noise, filters, channels
        check_whole("size", min(self.size), 4 if architecture == "dcgan" else 1, 100_000)
        check_whole("noise", noise, 1, 100_000)
        check_whole("filters", filters, 1, 4096)
        check_whole("channels", channels, 1, 64)
        first, second = ({"seed": seed, "dtype": self.dtype_policy} for seed in several(self._chosen_seed, 2))
        if architecture == "dcgan":
            self.generator = dcgan_generator(self.size, noise, filters, channels, **first)
            self.discriminator = dcgan_discriminator(self.size, filters, channels, **second)
        else:
            self.generator = maxout_generator((*self.size, channels), noise, **first)
            self.discriminator = maxout_discriminator((*self.size, channels), **second)
        self.build((None, noise))

    def generators(self) -> list[keras.Model]:
        """G."""
        return [self.generator]

    def discriminators(self) -> list[keras.Model]:
        """D."""
        return [self.discriminator]

    def compile(self, generator_optimizer: Any = None, discriminator_optimizer: Any = None, **kwargs: Any) -> None:
        """Prepare for `fit`; without arguments, as in the paper of the architecture.

        Args:
            generator_optimizer: A Keras optimizer or its name; None for Adam at 2e-4 with β₁ = 0.5 for DCGAN, and for
                the authors' gradient descent with momentum for maxout.
            discriminator_optimizer: Likewise.
            **kwargs: As for `keras.Model.compile`, but for losses and metrics, which the model has.

        Raises:
            InputError: Losses or metrics.
        """
        given = (generator_optimizer, discriminator_optimizer)
        generator, discriminator = (self._optimizer() if optimizer is None else optimizer for optimizer in given)
        self._compile(generator, discriminator, {}, **kwargs)

    def _optimizer(self) -> keras.optimizers.Optimizer:
        if self.architecture == "maxout":
            return maxout_optimizer()
        return keras.optimizers.Adam(RATE, beta_1=MOMENTUM, epsilon=1e-8)

    def call(self, noise: Tensor) -> Tensor:
        """Noise `(batch, noise)` to pictures `(batch, height, width, channels)` in [0, 1]."""
        return unit(self.generator(noise))

    def generate(self, number: int, seed: int | None = None) -> np.ndarray:
        """Pictures made of noise: float32 `(number, height, width, channels)` in [0, 1].

        Args:
            number: Of pictures.
            seed: Of the noise; None for one that nobody has chosen.
        """
        return generated(self.generator, number, seed)

    def stylize(self, content: Any) -> np.ndarray:
        """There is no content in noise.

        Raises:
            InputError: Always.
        """
        raise InputError("GAN makes pictures of noise: use generate, or a WGAN with source='pictures', or CycleGAN")

    def _train_step(self, data: Any) -> dict[str, Any]:
        """One step of D, then one of G through the new D."""
        real = symmetric(one_domain(data), full(self.dtype_policy))
        weight = share(real)
        noise = self._draws(real).normal((self.noise,))
        with tf.GradientTape() as tape:
            fake = self.generator(noise, training=True)
            judged, said = self._minimize(
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
        return self._noted({"generator": loss, **judged, **said}, real)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The losses."""
        real = symmetric(one_domain(data), full(self.dtype_policy))
        fake = self.generator(self._draws(real).normal((self.noise,)), training=False)
        judged, said = self._discriminator_losses(real, fake, training=False)
        loss = losses.cross_entropy_generator(self.discriminator(fake, training=False))
        return self._noted({"generator": loss, **judged, **said}, real)

    def _discriminator_losses(self, real: Tensor, fake: Tensor, training: bool = True) -> tuple[Losses, Losses]:
        """D's loss, and what it says; each batch is normalised by itself."""
        of_real, of_fake = (self.discriminator(pictures, training=training) for pictures in (real, fake))
        said = {"real": ops.mean(ops.sigmoid(of_real)), "fake": ops.mean(ops.sigmoid(of_fake))}
        return {"discriminator": losses.cross_entropy_discriminator(of_real, of_fake)}, said

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "architecture": self.architecture,
            "noise": self.noise,
            "filters": self.filters,
            "channels": self.channels,
            "seed": self.seed,
        }
