"""Wasserstein GANs: from noise, or from photographs, to the pictures of a domain."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core import replicas
from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.core.step_random import several
from tfstyle.layers.constraints import ValueRange
from tfstyle.models.adversarial import losses
from tfstyle.models.adversarial.base import (
    AdversarialModel,
    Losses,
    full,
    one_domain,
    share,
    sides,
    symmetric,
    together,
    two_domains,
    unit,
)
from tfstyle.models.adversarial.networks.dcgan import dcgan_discriminator, dcgan_generator, generated
from tfstyle.models.adversarial.networks.patch_discriminator import least_side, patch_discriminator
from tfstyle.models.adversarial.networks.resnet_generator import resnet_generator

Tensor = Any
Source = Literal["noise", "pictures"]
Lipschitz = Literal["clipping", "penalty"]

SOURCES, LIPSCHITZ = ("noise", "pictures"), ("clipping", "penalty")
CRITIC_STEPS = 5  # both papers, algorithm 1
CLIP = 0.01  # Arjovsky, Chintala & Bottou 2017, algorithm 1
PENALTY_WEIGHT = 10.0  # Gulrajani et al. 2017, section 4
CONTENT_WEIGHT = 10.0  # chosen: as of cycles in CycleGAN


@keras.saving.register_keras_serializable(package="tfstyle")
class WGAN(AdversarialModel):
    """A generator G, and a critic D whose scores of real and generated pictures tell how far apart they are.

    D, kept near functions of slope 1, learns to minimise E D(G(z)) − E D(x), and G, after each few steps of D, to
    minimise −E D(G(z)). The slope is bounded by clipping D's weights, or by the penalty λ E (‖∇D(x̂)‖₂ − 1)² at
    points x̂ evenly drawn between real and generated pictures.

    From noise, `fit` takes batches of pictures, and `generate` makes some. From pictures, for the transfer of style,
    it takes batches of two domains, photographs and paintings; G, that of `CycleGAN`, gets a photograph z, and learns
    to minimise μ E |G(z) − z| as well; `model(photos)` and `stylize` give its pictures, of any size. All are RGB in
    [0, 1]. Each batch is a step of D; metrics are the mean of D's loss (`critic`), of the penalty, and of G's losses.

    Args:
        size: Of the pictures in training, in pixels: one number, or (height, width).
        source: `"noise"` or `"pictures"`.
        lipschitz: `"clipping"` or `"penalty"`.
        noise: Numbers that a picture is made of; None for 100 with clipping and 128 with the penalty.
        filters: Channels at full resolution.
        blocks: Residual blocks of G from pictures; None for 6 below 256 pixels, else 9.
        layers: With stride 2, of D for G from pictures, a PatchGAN.
        seed: Of kernels and of all that is drawn; None for one that nobody has chosen.
        name: Of the model.
        **kwargs: As for `keras.Model`; `dtype` is for the networks.

    Raises:
        InputError: An unknown source or bound, or a number that can't be used.

    Examples:
        >>> model = WGAN(size=64, lipschitz="penalty")
        >>> model.compile()
        >>> model.fit(pictures.batch(64, drop_remainder=True), epochs=100)
        >>> grid = model.generate(16, seed=0)

    Reference:
        Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN", algorithm 1; Gulrajani et al. 2017, "Improved Training of
        Wasserstein GANs", algorithm 1; Shi & Zhu 2020 for the transfer of style. The content term is chosen.
    """

    def __init__(
        self,
        size: int | tuple[int, int] = 64,
        source: Source = "noise",
        lipschitz: Lipschitz = "clipping",
        noise: int | None = None,
        filters: int = 64,
        blocks: int | None = None,
        layers: int = 3,
        seed: int | None = None,
        name: str = "wgan",
        **kwargs: Any,
    ) -> None:
        if source not in SOURCES:
            raise unknown("source", source, SOURCES)
        if lipschitz not in LIPSCHITZ:
            raise unknown("bound of the slope", lipschitz, LIPSCHITZ)
        shown = (*("critic", "generator"), *(("penalty",) if lipschitz == "penalty" else ()))
        super().__init__(
            (*shown, *(("content", "copy_ratio") if source == "pictures" else ())), seed, name=name, **kwargs
        )
        self.size = sides(size)
        self.source, self.lipschitz, self.filters, self.layers_with_stride = source, lipschitz, filters, layers
        self.noise = (100 if lipschitz == "clipping" else 128) if noise is None else noise
        self.blocks = (9 if min(self.size) >= 256 else 6) if blocks is None else blocks
        for name_, value, low, high in (
            ("size", min(self.size), 4 if source == "noise" else least_side(layers), 100_000),
            ("noise", self.noise, 1, 100_000),
            ("filters", filters, 1, 4096),
            ("blocks", self.blocks, 0, 99),
            ("layers", layers, 1, 8),
        ):
            check_whole(name_, value, low, high)
        of_generator, of_critic = (
            {"seed": seed, "dtype": self.dtype_policy} for seed in several(self._chosen_seed, 2)
        )
        if source == "noise":
            # The penalty is of each picture by itself, which batch normalisation would not leave it.
            normalization: Any = "batch" if lipschitz == "clipping" else "layer"
            self.generator = dcgan_generator(self.size, self.noise, filters, **of_generator)
            self.critic = dcgan_discriminator(
                self.size, filters, normalization=normalization, name="critic", **of_critic
            )
            self.build((None, self.noise))
        else:
            self.generator = resnet_generator(self.blocks, filters, **of_generator)
            self.critic = patch_discriminator(layers, filters, name="critic", **of_critic)
            self.build((None, None, None, 3))

    def generators(self) -> list[keras.Model]:
        """G."""
        return [self.generator]

    def discriminators(self) -> list[keras.Model]:
        """D."""
        return [self.critic]

    def compile(
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        *,
        critic_steps: int = CRITIC_STEPS,
        clip: float = CLIP,
        penalty_weight: float = PENALTY_WEIGHT,
        content_weight: float = CONTENT_WEIGHT,
        **kwargs: Any,
    ) -> None:
        """Prepare for `fit`; without arguments, as in the paper of the chosen bound.

        Args:
            generator_optimizer: A Keras optimizer or its name; None for RMSprop at 5e-5 with clipping, and for Adam
                at 1e-4 with β₁ = 0 and β₂ = 0.9 with the penalty.
            discriminator_optimizer: Of the critic, likewise.
            critic_steps: Steps of D, each with a batch of its own, for each step of G.
            clip: What D's weights are clipped to in either direction, after each of its steps.
            penalty_weight: λ.
            content_weight: μ, for G from pictures.
            **kwargs: As for `keras.Model.compile`, but for losses and metrics, which the model has.

        Raises:
            InputError: A number that can't be used, or losses or metrics.
        """
        check_whole("critic_steps", critic_steps, 1, 10_000)
        given = (generator_optimizer, discriminator_optimizer)
        generator, critic = (self._optimizer() if optimizer is None else optimizer for optimizer in given)
        own = {
            "critic_steps": critic_steps,
            "clip": clip,
            "penalty_weight": penalty_weight,
            "content_weight": content_weight,
        }
        self._compile(generator, critic, own, **kwargs)
        for variable in self.critic.trainable_variables:
            variable.constraint = ValueRange(-clip, clip) if self.lipschitz == "clipping" else None

    def _optimizer(self) -> keras.optimizers.Optimizer:
        if self.lipschitz == "clipping":
            # As PyTorch's, whose ε of 1e-8 is added to the root, and not to the square.
            return keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16)
        return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9, epsilon=1e-8)

    def call(self, inputs: Tensor) -> Tensor:
        """Pictures `(batch, height, width, 3)` in [0, 1], of noise `(batch, noise)` or of photographs in [0, 1]."""
        if self.source == "noise":
            return unit(self.generator(inputs))
        return unit(self.generator(symmetric(inputs, full(self.dtype_policy))))

    def generate(self, number: int, seed: int | None = None) -> np.ndarray:
        """Pictures made of noise: float32 `(number, height, width, 3)` in [0, 1].

        Args:
            number: Of pictures.
            seed: Of the noise; None for one that nobody has chosen.

        Raises:
            InputError: The model makes pictures of pictures.
        """
        if self.source != "noise":
            raise InputError("this WGAN makes pictures of photographs, not of noise: use stylize")
        return generated(self.generator, number, seed)

    def stylize(self, content: images.Source) -> np.ndarray:
        """As `AdversarialModel.stylize`, if it is pictures that the model makes pictures of."""
        if self.source == "noise":
            raise InputError("this WGAN makes pictures of noise: use generate, or make one with source='pictures'")
        return super().stylize(content)

    def _train_step(self, data: Any) -> dict[str, Any]:
        """One step of D, and after every few of them one of G."""
        given, real = self._inputs(data)
        weight, draws = share(real), self._draws(real)
        source, another = (draws.normal((self.noise,)) if given is None else given for _ in range(2))
        mixing = draws.uniform()
        fake = ops.stop_gradient(self.generator(source, training=True))
        judged, _ = self._minimize(
            self.discriminator_optimizer,
            self._discriminator_variables,
            weight,
            lambda: (self._critic_losses(real, fake, mixing), None),
        )
        self.step.assign(self.step.value + 1)
        replicas.when(self.step.value % self.critic_steps == 0, self._generator_step, another, weight)
        return self._noted(judged, real)

    def _generator_step(self, source: Tensor, weight: Tensor) -> None:
        found, fake = self._minimize(
            self.generator_optimizer, self._generator_variables, weight, lambda: self._generator_losses(source)
        )
        self._noted({**found, **self._copied(source, fake)}, source)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The losses."""
        given, real = self._inputs(data)
        draws = self._draws(real)
        source = draws.normal((self.noise,)) if given is None else given
        found, fake = self._generator_losses(source, training=False)
        judged = self._critic_losses(real, fake, draws.uniform(), training=False)
        return self._noted({**found, **judged, **self._copied(source, fake)}, real)

    def _inputs(self, data: Any) -> tuple[Tensor | None, Tensor]:
        """Photographs, if there are any, and the pictures of the domain."""
        dtype = full(self.dtype_policy)
        if self.source == "noise":
            return None, symmetric(one_domain(data), dtype)
        photos, real = two_domains(data, "WGAN from pictures")
        return symmetric(photos, dtype), symmetric(real, dtype)

    def _critic_losses(self, real: Tensor, fake: Tensor, mixing: Tensor, training: bool = True) -> Losses:
        if self.source == "noise" and self.lipschitz == "clipping":  # each batch is normalised by itself
            said = self.critic(real, training=training), self.critic(fake, training=training)
        else:
            said = together(self.critic, real, fake, training)
        found = {"critic": losses.wasserstein_critic(*said)}
        if self.lipschitz == "penalty":
            penalty = losses.gradient_penalty(lambda x: self.critic(x, training=training), real, fake, mixing)
            found["penalty"] = self.penalty_weight * penalty
        return found

    def _generator_losses(self, source: Tensor, training: bool = True) -> tuple[Losses, Tensor]:
        fake = self.generator(source, training=training)
        found = {"generator": losses.wasserstein_generator(self.critic(fake, training=training))}
        if self.source == "pictures":
            found["content"] = self.content_weight * losses.absolute_difference(fake, source)
        return found, fake

    def _copied(self, source: Tensor, fake: Tensor) -> Losses:
        return {"copy_ratio": losses.copy_ratio(source, fake)} if self.source == "pictures" else {}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "source": self.source,
            "lipschitz": self.lipschitz,
            "noise": self.noise,
            "filters": self.filters,
            "blocks": self.blocks,
            "layers": self.layers_with_stride,
            "seed": self.seed,
        }
