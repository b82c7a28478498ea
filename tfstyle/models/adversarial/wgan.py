"""Wasserstein GANs: from noise, or from photographs, to the images of a domain."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core import replicas
from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.core.precision import image_dtype
from tfstyle.core.saving import renamed_keys
from tfstyle.core.step_random import split_seed
from tfstyle.core.typing import Tensor
from tfstyle.layers.constraints import ValueRange
from tfstyle.models.adversarial import losses
from tfstyle.models.adversarial.base import (
    AdversarialModel,
    Losses,
    Source,
    batch_share,
    generate_images,
    height_and_width,
    in_one_batch,
    one_domain,
    symmetric,
    translate_image,
    two_domains,
    unit,
)
from tfstyle.models.adversarial.networks.dcgan import dcgan_discriminator, dcgan_generator
from tfstyle.models.adversarial.networks.patch_discriminator import minimum_side, patch_discriminator
from tfstyle.models.adversarial.networks.resnet_generator import resnet_generator

Lipschitz = Literal["clipping", "penalty"]

SOURCES, LIPSCHITZ = ("noise", "pictures"), ("clipping", "penalty")
CRITIC_STEPS = 5  # both papers, algorithm 1
CLIP = 0.01  # Arjovsky, Chintala & Bottou 2017, algorithm 1
PENALTY_WEIGHT = 10.0  # Gulrajani et al. 2017, section 4
CONTENT_WEIGHT = 10.0  # chosen: that of the cycles in CycleGAN
_LATENT_DIMS: dict[Lipschitz, int] = {"clipping": 100, "penalty": 128}  # of the code of the two papers' authors
_FORMER_KEYS = {"noise": "latent_dim", "layers": "n_layers"}


@keras.saving.register_keras_serializable(package="tfstyle")
class WGAN(AdversarialModel):
    """A generator G, and a critic D whose scores measure the distance between real and generated images.

    D, whose slope is kept near 1, minimises E D(G(z)) − E D(x). G minimises −E D(G(z)), in one step after several of
    D. The slope is bounded by clipping D's weights, or by the penalty λ E (‖∇D(x̂)‖₂ − 1)² at points x̂ drawn uniformly
    between real and generated images.

    From noise, `fit` takes batches of images, and `generate` makes images. From pictures, for style transfer, `fit`
    takes batches of two domains, photographs and paintings. Then z is a photograph, G is the generator of `CycleGAN`
    and also minimises μ E |G(z) − z|; `model(photos)` and `stylize` return its images, of any size. All images are
    RGB in [0, 1]. Each batch is a step of D. Metrics are the means of D's loss (`critic`), of the penalty, and of G's
    losses.

    Args:
        size: Size of the training images, in pixels: one number, or (height, width).
        source: What G takes: `"noise"` or `"pictures"`.
        lipschitz: How the slope is bounded: `"clipping"` or `"penalty"`.
        latent_dim: Length of the noise vectors; None for 100 with clipping, and 128 with the penalty.
        filters: Channels at full resolution.
        blocks: Residual blocks of G from pictures; None for 6 below 256 pixels, else 9.
        n_layers: Layers with stride 2 of D, a PatchGAN, for G from pictures.
        seed: Seed of initial kernels and of all random numbers; None for a random one.
        name: Name of the model.
        **kwargs: As for `keras.Model`; `dtype` applies to the networks.

    Raises:
        InputError: An unknown source or bound, or a number out of range.

    Examples:
        >>> model = WGAN(size=64, lipschitz="penalty")
        >>> model.compile()
        >>> model.fit(pictures.batch(64, drop_remainder=True), epochs=100)
        >>> images = model.generate(16, seed=0)

    Reference:
        Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN", algorithm 1; Gulrajani et al. 2017, "Improved Training of
        Wasserstein GANs", algorithm 1; Shi & Zhu 2020 for the transfer of style. The content term is chosen.
    """

    channels = 3

    def __init__(
        self,
        size: int | tuple[int, int] = 64,
        source: Source = "noise",
        lipschitz: Lipschitz = "clipping",
        latent_dim: int | None = None,
        filters: int = 64,
        blocks: int | None = None,
        n_layers: int = 3,
        seed: int | None = None,
        name: str = "wgan",
        **kwargs: Any,
    ) -> None:
        if source not in SOURCES:
            raise unknown("source", source, SOURCES)
        if lipschitz not in LIPSCHITZ:
            raise unknown("bound of the slope", lipschitz, LIPSCHITZ)
        penalty_losses = ("penalty",) if lipschitz == "penalty" else ()
        content_losses = ("content", "copy_ratio") if source == "pictures" else ()
        super().__init__(("critic", "generator", *penalty_losses, *content_losses), seed, name=name, **kwargs)
        self.size = height_and_width(size)
        self.source, self.lipschitz, self.filters, self.n_layers = source, lipschitz, filters, n_layers
        self.latent_dim = _LATENT_DIMS[lipschitz] if latent_dim is None else latent_dim
        self.blocks = (9 if min(self.size) >= 256 else 6) if blocks is None else blocks
        for name_, value, low, high in (
            ("size", min(self.size), 4 if source == "noise" else minimum_side(n_layers), 100_000),
            ("latent_dim", self.latent_dim, 1, 100_000),
            ("filters", filters, 1, 4096),
            ("blocks", self.blocks, 0, 99),
            ("n_layers", n_layers, 1, 8),
        ):
            check_whole(name_, value, low, high)
        first, second = ({"seed": seed, "dtype": self.dtype_policy} for seed in split_seed(self._chosen_seed, 2))
        if source == "noise":
            # The penalty applies to each image by itself, which batch normalisation would not allow.
            normalization: Any = "batch" if lipschitz == "clipping" else "layer"
            self.generator = dcgan_generator(self.size, self.latent_dim, filters, **first)
            self.critic = dcgan_discriminator(
                self.size, filters, normalization=normalization, name="critic", **second
            )
            self.build((None, self.latent_dim))
        else:
            self.generator = resnet_generator(self.blocks, filters, **first)
            self.critic = patch_discriminator(n_layers, filters, name="critic", **second)
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
        """Configure the training; without arguments, as in the paper of the bound.

        Args:
            generator_optimizer: A Keras optimizer or its name; None for the paper's: with clipping RMSprop with the
                rate 5e-5, with the penalty Adam with the rate 1e-4, β₁ = 0 and β₂ = 0.9.
            discriminator_optimizer: The critic's: a Keras optimizer or its name; None for the paper's.
            critic_steps: Steps of D, each with a batch of its own, for each step of G; from 1 to 10,000.
            clip: After each step of D, its weights are clipped to [−clip, clip]; from 0 upwards.
            penalty_weight: λ, from 0 upwards.
            content_weight: μ, for G from pictures, from 0 upwards.
            **kwargs: As for `keras.Model.compile`, without losses and metrics, which the model has.

        Raises:
            InputError: A number out of range, or losses or metrics.
        """
        check_whole("critic_steps", critic_steps, 1, 10_000)
        optimizers = (generator_optimizer, discriminator_optimizer)
        generator, critic = (self._optimizer() if optimizer is None else optimizer for optimizer in optimizers)
        arguments = {
            "critic_steps": critic_steps,
            "clip": clip,
            "penalty_weight": penalty_weight,
            "content_weight": content_weight,
        }
        self._compile(generator, critic, arguments, **kwargs)
        for variable in self.critic.trainable_variables:
            variable.constraint = ValueRange(-clip, clip) if self.lipschitz == "clipping" else None

    def _optimizer(self) -> keras.optimizers.Optimizer:
        if self.lipschitz == "clipping":
            # PyTorch's, whose ε of 1e-8 is added to the root, not to the square.
            return keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16)
        return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9, epsilon=1e-8)

    def call(self, inputs: Tensor) -> Tensor:
        """Images `(batch, height, width, 3)` in [0, 1], from noise `(batch, latent_dim)` or photographs in [0, 1]."""
        if self.source == "noise":
            return unit(self.generator(inputs))
        return unit(self.generator(symmetric(inputs, image_dtype(self.dtype_policy))))

    def generate(self, count: int, seed: int | None = None) -> np.ndarray:
        """Images made from noise: float32 `(count, height, width, 3)` in [0, 1].

        Args:
            count: Number of images, from 1 to 1,000,000.
            seed: Seed of the noise; None for a random one.

        Raises:
            InputError: The model's source is "pictures".
        """
        if self.source != "noise":
            raise InputError("this WGAN makes images from photographs, not from noise: use stylize")
        return generate_images(self.generator, count, seed)

    def stylize(self, content: images.Source) -> np.ndarray:
        """A photograph as an image of the paintings' domain.

        Args:
            content: An image of any size: a path, PIL image or array.

        Returns:
            float32 `(height, width, 3)` in [0, 1], of the content's size, without transparency.

        Raises:
            InputError: The image can't be read or used, or the model's source is "noise".
        """
        if self.source == "noise":
            raise InputError("this WGAN makes images from noise: use generate, or make one with source='pictures'")
        return translate_image(self, content)

    def _train_step(self, data: Any) -> dict[str, Any]:
        """One step of D, and after every few of them one of G."""
        photos, real = self._inputs(data)
        weight, draws = batch_share(real), self._draws(real)
        source, another = (draws.normal((self.latent_dim,)) if photos is None else photos for _ in range(2))
        mixing = draws.uniform()
        fake = ops.stop_gradient(self.generator(source, training=True))
        critic_losses, _ = self._minimize(
            self.discriminator_optimizer,
            self._discriminator_variables,
            weight,
            lambda: (self._critic_losses(real, fake, mixing), None),
        )
        self.step.assign(self.step.value + 1)
        replicas.when(self.step.value % self.critic_steps == 0, self._generator_step, another, weight)
        return self._update_metrics(critic_losses, real)

    def _generator_step(self, source: Tensor, weight: Tensor) -> None:
        generator_losses, fake = self._minimize(
            self.generator_optimizer, self._generator_variables, weight, lambda: self._generator_losses(source)
        )
        self._update_metrics({**generator_losses, **self._copy_ratio(source, fake)}, source)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The losses."""
        photos, real = self._inputs(data)
        draws = self._draws(real)
        source = draws.normal((self.latent_dim,)) if photos is None else photos
        generator_losses, fake = self._generator_losses(source, training=False)
        critic_losses = self._critic_losses(real, fake, draws.uniform(), training=False)
        return self._update_metrics({**generator_losses, **critic_losses, **self._copy_ratio(source, fake)}, real)

    def _inputs(self, data: Any) -> tuple[Tensor | None, Tensor]:
        """Photographs, or None if the source is noise, and images of the domain."""
        dtype = image_dtype(self.dtype_policy)
        if self.source == "noise":
            return None, symmetric(one_domain(data), dtype)
        photos, real = two_domains(data, "WGAN from pictures")
        return symmetric(photos, dtype), symmetric(real, dtype)

    def _critic_losses(self, real: Tensor, fake: Tensor, mixing: Tensor, training: bool = True) -> Losses:
        if self.source == "noise" and self.lipschitz == "clipping":  # each batch is normalised by itself
            scores = self.critic(real, training=training), self.critic(fake, training=training)
        else:
            scores = in_one_batch(self.critic, real, fake, training)
        critic_losses = {"critic": losses.wasserstein_critic(*scores)}
        if self.lipschitz == "penalty":
            penalty = losses.gradient_penalty(lambda x: self.critic(x, training=training), real, fake, mixing)
            critic_losses["penalty"] = self.penalty_weight * penalty
        return critic_losses

    def _generator_losses(self, source: Tensor, training: bool = True) -> tuple[Losses, Tensor]:
        fake = self.generator(source, training=training)
        generator_losses = {"generator": losses.wasserstein_generator(self.critic(fake, training=training))}
        if self.source == "pictures":
            generator_losses["content"] = self.content_weight * losses.absolute_difference(fake, source)
        return generator_losses, fake

    def _copy_ratio(self, source: Tensor, fake: Tensor) -> Losses:
        return {"copy_ratio": losses.copy_ratio(source, fake)} if self.source == "pictures" else {}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "source": self.source,
            "lipschitz": self.lipschitz,
            "latent_dim": self.latent_dim,
            "filters": self.filters,
            "blocks": self.blocks,
            "n_layers": self.n_layers,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> WGAN:
        """The model that `get_config` describes, now or under its former keys, untrained."""
        return super().from_config(renamed_keys(config, _FORMER_KEYS), custom_objects)
