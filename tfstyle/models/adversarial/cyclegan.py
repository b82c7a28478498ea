"""CycleGAN: translates images of one domain to another and back, and learns that without pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.core.precision import image_dtype
from tfstyle.core.saving import renamed_keys
from tfstyle.core.step_random import split_seed
from tfstyle.core.typing import Tensor
from tfstyle.layers import ImagePool
from tfstyle.models import torch_weights
from tfstyle.models.adversarial import losses
from tfstyle.models.adversarial.base import (
    AdversarialModel,
    Losses,
    batch_share,
    height_and_width,
    in_one_batch,
    symmetric,
    translate_image,
    two_domains,
    unit,
)
from tfstyle.models.adversarial.networks.patch_discriminator import minimum_side, patch_discriminator
from tfstyle.models.adversarial.networks.resnet_generator import resnet_generator
from tfstyle.models.adversarial.schedules import ConstantThenLinearDecay

# Zhu et al. 2017, sections 4, 5.2 and 7.1, and the authors' code
LEARNING_RATE, MOMENTUM = 2e-4, 0.5
CYCLE_WEIGHT, IDENTITY_WEIGHT = 10.0, 0.5
POOL_SIZE = 50
STEPS = 200_000  # 100 epochs and 100 more, of 1,000 pictures each (chosen: the paper counts epochs)
_FORMER_KEYS = {"layers": "n_layers"}
_NETWORKS = ("generator", "inverse", "discriminator", "inverse_discriminator")


@keras.saving.register_keras_serializable(package="tfstyle")
class CycleGAN(AdversarialModel):
    """Two generators, G from a domain X to Y and F back, and a discriminator of each domain.

    With D_Y the discriminator of Y, G minimises

        E (D_Y(G(x)) − 1)² + λ (E |F(G(x)) − x| + E |G(F(y)) − y|) + λ ι E |G(y) − y|,

    and D_Y minimises ½ E (D_Y(y) − 1)² + ½ E D_Y(G(x))², where G(x) comes from a pool of earlier images. F and the
    discriminator D_X of X have the same losses, with the domains exchanged. Both generators learn from both cycles.

    `fit` takes batches of two domains, as of `tf.data.Dataset.zip(photos.batch(1), paintings.batch(1))`: `(batch,
    height, width, 3)`, RGB in [0, 1]. `model(photos)` and `predict` return the images of G, `model.inverse_call`
    those of F; they accept any size, and keep it. `stylize` takes and returns single images. Batches whose size is
    known beforehand, as of `batch(1, drop_remainder=True)`, are faster. Training also shows `copy_ratio`, how much G
    changes its input relative to the contrast of the input.

    Args:
        size: Size of the training images, which the pools store, in pixels: one number, or (height, width).
        blocks: Residual blocks of the generators; None for 6 below 256 pixels, else 9, as in the paper.
        filters: Channels of the generators at full resolution, and of the discriminators' first layer.
        n_layers: Layers of the discriminators with stride 2; 3 for patches of 70x70 pixels.
        pool_size: Number of earlier images in each pool; 0 for no pools, which allows any size in training.
        seed: Seed of initial kernels and of the pools; None for a random one.
        name: Name of the model.
        **kwargs: As for `keras.Model`; `dtype` applies to the networks.

    Raises:
        InputError: A size that is too small for the discriminators, or a number out of range.

    Examples:
        >>> model = CycleGAN(size=256)
        >>> model.compile()
        >>> model.fit(tf.data.Dataset.zip(photos.batch(1), paintings.batch(1)), epochs=200)
        >>> image = model.stylize("photo.jpg")

    Reference:
        Zhu, Park, Isola & Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks", equations 1 to 3, and github.com/junyanz/pytorch-CycleGAN-and-pix2pix for identity loss and D's ½.
    """

    def __init__(
        self,
        size: int | tuple[int, int] = 256,
        blocks: int | None = None,
        filters: int = 64,
        n_layers: int = 3,
        pool_size: int = POOL_SIZE,
        seed: int | None = None,
        name: str = "cyclegan",
        **kwargs: Any,
    ) -> None:
        super().__init__(("generator", "cycle", "identity", "discriminator", "copy_ratio"), seed, name=name, **kwargs)
        self.size = height_and_width(size)
        self.blocks = (9 if min(self.size) >= 256 else 6) if blocks is None else blocks
        self.filters, self.n_layers, self.pool_size = filters, n_layers, pool_size
        check_whole("blocks", self.blocks, 0, 99)
        check_whole("filters", filters, 1, 4096)
        check_whole("n_layers", n_layers, 1, 8)
        check_whole("pool_size", pool_size, 0, 100_000)
        if min(self.size) < minimum_side(n_layers):
            raise InputError(
                f"size {self.size[0]}x{self.size[1]} is too small for discriminators of {n_layers} layers: give at "
                f"least {minimum_side(n_layers)} pixels, or a smaller n_layers"
            )
        seeds = split_seed(self._chosen_seed, 6)
        self.generator, self.inverse = (
            self._generator(seed=seed, dtype=self.dtype_policy, name=name)
            for seed, name in zip(seeds[:2], _NETWORKS[:2], strict=True)
        )
        self.discriminator, self.inverse_discriminator = (
            self._discriminator(seed=seed, dtype=self.dtype_policy, name=name)
            for seed, name in zip(seeds[2:4], _NETWORKS[2:], strict=True)
        )
        self.pool, self.inverse_pool = (
            ImagePool(pool_size, seed, dtype=image_dtype(self.dtype_policy), name=name)
            for seed, name in zip(seeds[4:], ("pool", "inverse_pool"), strict=True)
        )
        for pool in (self.pool, self.inverse_pool):
            pool.build((None, *self.size, 3))
        self.build((None, None, None, 3))

    def _generator(self, **options: Any) -> keras.Model:
        return resnet_generator(self.blocks, self.filters, **options)

    def _discriminator(self, **options: Any) -> keras.Model:
        return patch_discriminator(self.n_layers, self.filters, **options)

    def generators(self) -> list[keras.Model]:
        """G and F."""
        return [self.generator, self.inverse]

    def discriminators(self) -> list[keras.Model]:
        """D_Y and D_X."""
        return [self.discriminator, self.inverse_discriminator]

    def compile(
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        *,
        cycle_weight: float = CYCLE_WEIGHT,
        identity_weight: float = IDENTITY_WEIGHT,
        steps: int = STEPS,
        **kwargs: Any,
    ) -> None:
        """Configure the training; without arguments, as in the paper.

        Args:
            generator_optimizer: Optimizer of both generators: a Keras optimizer or its name; None for Adam with
                β₁ = 0.5, with the rate 2e-4 for the first half of the steps, which falls linearly to 0 over the
                second half.
            discriminator_optimizer: Optimizer of both discriminators; None for the same as of the generators.
            cycle_weight: λ, from 0 upwards.
            identity_weight: ι, a factor of λ, from 0 upwards; with 0 the identity loss is not computed.
            steps: Steps of the whole training, for the rates of the default optimizers.
            **kwargs: As for `keras.Model.compile`, without losses and metrics, which the model has.

        Raises:
            InputError: A negative weight, or losses or metrics.
        """
        check_whole("steps", steps, 2, 10**9)
        optimizers = (generator_optimizer, discriminator_optimizer)
        generator, discriminator = (_adam(steps) if optimizer is None else optimizer for optimizer in optimizers)
        weights = {"cycle_weight": cycle_weight, "identity_weight": identity_weight}
        self._compile(generator, discriminator, weights, **kwargs)

    def call(self, pictures: Tensor) -> Tensor:
        """G: images `(batch, height, width, 3)` of X, RGB in [0, 1], to images of Y, of the same shape."""
        return unit(self.generator(symmetric(pictures, image_dtype(self.dtype_policy))))

    def inverse_call(self, pictures: Tensor) -> Tensor:
        """F: images `(batch, height, width, 3)` of Y, RGB in [0, 1], to images of X, of the same shape."""
        return unit(self.inverse(symmetric(pictures, image_dtype(self.dtype_policy))))

    def stylize(self, content: images.Source) -> np.ndarray:
        """A content image, of X, as an image of Y.

        Args:
            content: An image of any size: a path, PIL image or array.

        Returns:
            float32 `(height, width, 3)` in [0, 1], of the content's size, without transparency.

        Raises:
            InputError: The image can't be read or used.
        """
        return translate_image(self, content)

    def _train_step(self, data: Any) -> dict[str, Any]:
        """One step of both generators, then one of both discriminators on the same images and earlier ones."""
        x, y = self._domains(data)
        if self.pool_size and None not in x.shape[1:3] and (x.shape[1:3], y.shape[1:3]) != (self.size, self.size):
            raise InputError(
                f"images of {_by(x.shape[1:3])} and {_by(y.shape[1:3])} don't fit the pools, whose images are "
                f"{_by(self.size)}: crop them, or make the model with their size or with pool_size=0"
            )
        weight = batch_share(x)
        generator_losses, (fake_x, fake_y) = self._minimize(
            self.generator_optimizer, self._generator_variables, weight, lambda: self._generator_losses(x, y)
        )
        pooled = self.inverse_pool(fake_x), self.pool(fake_y)
        discriminator_losses, _ = self._minimize(
            self.discriminator_optimizer,
            self._discriminator_variables,
            weight,
            lambda: self._discriminator_losses((x, y), pooled),
        )
        self.step.assign(self.step.value + 1)
        copy_ratio = losses.copy_ratio(x, fake_y)
        return self._update_metrics({**generator_losses, **discriminator_losses, "copy_ratio": copy_ratio}, x)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The losses, with the newest images in place of those of the pools."""
        x, y = self._domains(data)
        generator_losses, fakes = self._generator_losses(x, y, training=False)
        discriminator_losses, _ = self._discriminator_losses((x, y), fakes, training=False)
        copy_ratio = losses.copy_ratio(x, fakes[1])
        return self._update_metrics({**generator_losses, **discriminator_losses, "copy_ratio": copy_ratio}, x)

    def _domains(self, data: Any) -> tuple[Tensor, Tensor]:
        x, y = two_domains(data, type(self).__name__)
        dtype = image_dtype(self.dtype_policy)
        return symmetric(x, dtype), symmetric(y, dtype)

    def _generator_losses(self, x: Tensor, y: Tensor, training: bool = True) -> tuple[Losses, tuple[Tensor, Tensor]]:
        """The losses of G and F, and their images F(y) and G(x).

        For the identity loss each generator takes images of both domains, in one batch.
        """
        same_x = same_y = None
        if self.identity_weight > 0:
            fake_y, same_y = in_one_batch(self.generator, x, y, training)
            fake_x, same_x = in_one_batch(self.inverse, y, x, training)
        else:
            fake_y, fake_x = self.generator(x, training=training), self.inverse(y, training=training)
        cycled_x, cycled_y = self.inverse(fake_y, training=training), self.generator(fake_x, training=training)
        generator_losses = {
            "generator": losses.least_squares_generator(self.discriminator(fake_y))
            + losses.least_squares_generator(self.inverse_discriminator(fake_x)),
            "cycle": self.cycle_weight
            * (losses.absolute_difference(cycled_x, x) + losses.absolute_difference(cycled_y, y)),
        }
        if same_x is not None:
            generator_losses["identity"] = (
                self.cycle_weight
                * self.identity_weight
                * (losses.absolute_difference(same_x, x) + losses.absolute_difference(same_y, y))
            )
        return generator_losses, (fake_x, fake_y)

    def _discriminator_losses(
        self, reals: tuple[Tensor, Tensor], fakes: tuple[Tensor, Tensor], training: bool = True
    ) -> tuple[Losses, None]:
        """The loss of both discriminators; each takes real and generated images in one batch."""
        total = 0.0
        networks = (self.inverse_discriminator, self.discriminator)
        for discriminator, real, fake in zip(networks, reals, fakes, strict=True):
            scores = in_one_batch(discriminator, real, ops.stop_gradient(fake), training)
            total = total + losses.least_squares_discriminator(*scores)
        return {"discriminator": total}, None

    def load_torch(self, state_dict: Mapping[str, Any], network: str = "generator") -> None:
        """Load a network of junyanz/pytorch-CycleGAN-and-pix2pix, from `torch.load(path, weights_only=True)`.

        Args:
            state_dict: PyTorch tensors or arrays by name, of a checkpoint such as `latest_net_G_A.pth`.
            network: The network of this model: `"generator"` (G_A of the authors' code), `"inverse"` (G_B),
                `"discriminator"` (D_A) or `"inverse_discriminator"` (D_B).

        Raises:
            InputError: An unknown network, or other convolutions than the network has.
        """
        if network not in _NETWORKS:
            raise unknown("network", network, _NETWORKS)
        torch_weights.load(getattr(self, network), state_dict)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "blocks": self.blocks,
            "filters": self.filters,
            "n_layers": self.n_layers,
            "pool_size": self.pool_size,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> CycleGAN:
        """The model that `get_config` describes, now or under its former keys, untrained."""
        return super().from_config(renamed_keys(config, _FORMER_KEYS), custom_objects)


def _adam(steps: int) -> keras.optimizers.Optimizer:
    """Adam as in the paper, with PyTorch's epsilon."""
    rate = ConstantThenLinearDecay(LEARNING_RATE, steps // 2, steps - steps // 2)
    return keras.optimizers.Adam(rate, beta_1=MOMENTUM, epsilon=1e-8)


def _by(size: Any) -> str:
    return "x".join(map(str, size))
