"""CycleGAN: from one domain of pictures to another and back, learned without pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.core.step_random import several
from tfstyle.layers import ImagePool
from tfstyle.models import torch_weights
from tfstyle.models.adversarial import losses
from tfstyle.models.adversarial.base import (
    AdversarialModel,
    Losses,
    full,
    share,
    sides,
    symmetric,
    together,
    two_domains,
    unit,
)
from tfstyle.models.adversarial.networks.patch_discriminator import least_side, patch_discriminator
from tfstyle.models.adversarial.networks.resnet_generator import resnet_generator
from tfstyle.models.adversarial.schedules import HeldThenLinear

Tensor = Any

# Zhu et al. 2017, sections 4, 5.2 and 7.1, and the code of the authors
RATE, MOMENTUM = 2e-4, 0.5
CYCLE_WEIGHT, IDENTITY_WEIGHT = 10.0, 0.5
POOL_SIZE = 50
STEPS = 200_000  # 100 epochs and 100 more, of 1,000 pictures each (chosen: the paper counts epochs)
_NETWORKS = ("generator", "inverse", "discriminator", "inverse_discriminator")


@keras.saving.register_keras_serializable(package="tfstyle")
class CycleGAN(AdversarialModel):
    """Two generators, G from a domain X to Y and F back, and a discriminator of each domain.

    With D_Y the discriminator of Y, G learns to minimise

        E (D_Y(G(x)) − 1)² + λ (E |F(G(x)) − x| + E |G(F(y)) − y|) + λ ι E |G(y) − y|,

    F likewise, and D_Y ½ E (D_Y(y) − 1)² + ½ E D_Y(G(x))², the latter of pictures from a pool of earlier ones. Both
    generators learn from both cycles.

    `fit` takes batches of two domains, as of `tf.data.Dataset.zip(photos.batch(1), paintings.batch(1))`: `(batch,
    height, width, 3)`, RGB in [0, 1]. `model(photos)` and `predict` give G's pictures, of the same size, whatever it
    is; `stylize` takes and gives single ones, and `model.inverse_call(paintings)` gives F's. Batches whose size is
    known beforehand, as of `batch(1, drop_remainder=True)`, are faster. Beside the losses, training shows
    `copy_ratio`, by how much G changes what it is given, as a share of the contrast in it.

    Args:
        size: Of the pictures in training, in pixels: one number, or (height, width). The pools hold such.
        blocks: Residual blocks of the generators; None for 6 below 256 pixels, else 9, as in the paper.
        filters: Channels of the generators at full resolution, and of the discriminators' first layer.
        layers: Of the discriminators, with stride 2: 3 for patches of 70x70 pixels.
        pool_size: Number of earlier pictures in each pool; 0 for none, and then of training in any size.
        seed: Of kernels and pools; None for one that nobody has chosen.
        name: Of the model.
        **kwargs: As for `keras.Model`; `dtype` is for the networks.

    Raises:
        InputError: A size that is too small for the discriminators, or a number that can't be used.

    Examples:
        >>> model = CycleGAN(size=256)
        >>> model.compile()
        >>> model.fit(tf.data.Dataset.zip(photos.batch(1), paintings.batch(1)), epochs=200)
        >>> picture = model.stylize("photo.jpg")

    Reference:
        Zhu, Park, Isola & Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks", equations 1 to 3, and github.com/junyanz/pytorch-CycleGAN-and-pix2pix for identity loss and D's ½.
    """

    def __init__(
        self,
        size: int | tuple[int, int] = 256,
        blocks: int | None = None,
        filters: int = 64,
        layers: int = 3,
        pool_size: int = POOL_SIZE,
        seed: int | None = None,
        name: str = "cyclegan",
        **kwargs: Any,
    ) -> None:
        super().__init__(("generator", "cycle", "identity", "discriminator", "copy_ratio"), seed, name=name, **kwargs)
        self.size = sides(size)
        self.blocks = (9 if min(self.size) >= 256 else 6) if blocks is None else blocks
        self.filters, self.layers_with_stride, self.pool_size = filters, layers, pool_size
        check_whole("blocks", self.blocks, 0, 99)
        check_whole("filters", filters, 1, 4096)
        check_whole("layers", layers, 1, 8)
        check_whole("pool_size", pool_size, 0, 100_000)
        if min(self.size) < least_side(layers):
            raise InputError(
                f"size {self.size[0]}x{self.size[1]} has no patch for {layers} layers: give at least "
                f"{least_side(layers)} pixels, or fewer layers"
            )
        seeds = several(self._chosen_seed, 6)
        self.generator, self.inverse = (
            self._generator(seed=seed, dtype=self.dtype_policy, name=name)
            for seed, name in zip(seeds[:2], _NETWORKS[:2], strict=True)
        )
        self.discriminator, self.inverse_discriminator = (
            self._discriminator(seed=seed, dtype=self.dtype_policy, name=name)
            for seed, name in zip(seeds[2:4], _NETWORKS[2:], strict=True)
        )
        self.pool, self.inverse_pool = (
            ImagePool(pool_size, seed, dtype=full(self.dtype_policy), name=name)
            for seed, name in zip(seeds[4:], ("pool", "inverse_pool"), strict=True)
        )
        for pool in (self.pool, self.inverse_pool):
            pool.build((None, *self.size, 3))
        self.build((None, None, None, 3))

    def _generator(self, **options: Any) -> keras.Model:
        return resnet_generator(self.blocks, self.filters, **options)

    def _discriminator(self, **options: Any) -> keras.Model:
        return patch_discriminator(self.layers_with_stride, self.filters, **options)

    def generators(self) -> list[keras.Model]:
        """G and F."""
        return [self.generator, self.inverse]

    def discriminators(self) -> list[keras.Model]:
        """Those of Y and X."""
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
        """Prepare for `fit`; without arguments, as in the paper.

        Args:
            generator_optimizer: Of both generators: a Keras optimizer or its name; None for Adam with β₁ = 0.5, at
                2e-4 for the first half of the steps, and falling linearly to 0 over the second.
            discriminator_optimizer: Of both discriminators, likewise.
            cycle_weight: λ.
            identity_weight: ι, as a factor of λ; with 0, what it takes to compute is saved too.
            steps: Of the whole training, for the rates of None.
            **kwargs: As for `keras.Model.compile`, but for losses and metrics, which the model has.

        Raises:
            InputError: A negative weight, or losses or metrics.
        """
        check_whole("steps", steps, 2, 10**9)
        given = (generator_optimizer, discriminator_optimizer)
        generator, discriminator = (_adam(steps) if optimizer is None else optimizer for optimizer in given)
        own = {"cycle_weight": cycle_weight, "identity_weight": identity_weight}
        self._compile(generator, discriminator, own, **kwargs)

    def call(self, pictures: Tensor) -> Tensor:
        """G: pictures `(batch, height, width, 3)` of X, RGB in [0, 1], to as many of Y, of the same size."""
        return unit(self.generator(symmetric(pictures, full(self.dtype_policy))))

    def inverse_call(self, pictures: Tensor) -> Tensor:
        """F: from Y to X, likewise."""
        return unit(self.inverse(symmetric(pictures, full(self.dtype_policy))))

    def _train_step(self, data: Any) -> dict[str, Any]:
        """One step of both generators, then of both discriminators on the same pictures and older ones."""
        x, y = self._domains(data)
        if self.pool_size and None not in x.shape[1:3] and (x.shape[1:3], y.shape[1:3]) != (self.size, self.size):
            raise InputError(
                f"pictures of {_by(x.shape[1:3])} and {_by(y.shape[1:3])} can't be pooled with those of "
                f"{_by(self.size)}: crop them, or make the model with their size or with pool_size=0"
            )
        weight = share(x)
        found, (fake_x, fake_y) = self._minimize(
            self.generator_optimizer, self._generator_variables, weight, lambda: self._generator_losses(x, y)
        )
        pooled = self.inverse_pool(fake_x), self.pool(fake_y)
        judged, _ = self._minimize(
            self.discriminator_optimizer,
            self._discriminator_variables,
            weight,
            lambda: self._discriminator_losses((x, y), pooled),
        )
        self.step.assign(self.step.value + 1)
        return self._noted({**found, **judged, "copy_ratio": losses.copy_ratio(x, fake_y)}, x)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The losses, with the newest pictures in place of the pools'."""
        x, y = self._domains(data)
        found, fakes = self._generator_losses(x, y, training=False)
        judged, _ = self._discriminator_losses((x, y), fakes, training=False)
        return self._noted({**found, **judged, "copy_ratio": losses.copy_ratio(x, fakes[1])}, x)

    def _domains(self, data: Any) -> tuple[Tensor, Tensor]:
        x, y = two_domains(data, type(self).__name__)
        dtype = full(self.dtype_policy)
        return symmetric(x, dtype), symmetric(y, dtype)

    def _generator_losses(self, x: Tensor, y: Tensor, training: bool = True) -> tuple[Losses, tuple[Tensor, Tensor]]:
        """What G and F minimise together, and their pictures F(y) and G(x).

        Each generator has a picture of either domain to begin with, and takes both in one batch.
        """
        same_x = same_y = None
        if self.identity_weight > 0:
            fake_y, same_y = together(self.generator, x, y, training)
            fake_x, same_x = together(self.inverse, y, x, training)
        else:
            fake_y, fake_x = self.generator(x, training=training), self.inverse(y, training=training)
        cycled_x, cycled_y = self.inverse(fake_y, training=training), self.generator(fake_x, training=training)
        found = {
            "generator": losses.least_squares_generator(self.discriminator(fake_y))
            + losses.least_squares_generator(self.inverse_discriminator(fake_x)),
            "cycle": self.cycle_weight
            * (losses.absolute_difference(cycled_x, x) + losses.absolute_difference(cycled_y, y)),
        }
        if same_x is not None:
            found["identity"] = (
                self.cycle_weight
                * self.identity_weight
                * (losses.absolute_difference(same_x, x) + losses.absolute_difference(same_y, y))
            )
        return found, (fake_x, fake_y)

    def _discriminator_losses(
        self, reals: tuple[Tensor, Tensor], fakes: tuple[Tensor, Tensor], training: bool = True
    ) -> tuple[Losses, None]:
        """What both discriminators minimise; each takes real and fake pictures in one batch."""
        total = 0.0
        networks = (self.inverse_discriminator, self.discriminator)
        for discriminator, real, fake in zip(networks, reals, fakes, strict=True):
            said = together(discriminator, real, ops.stop_gradient(fake), training)
            total = total + losses.least_squares_discriminator(*said)
        return {"discriminator": total}, None

    def load_torch(self, state_dict: Mapping[str, Any], network: str = "generator") -> None:
        """Load a network of junyanz/pytorch-CycleGAN-and-pix2pix, as `torch.load(path, weights_only=True)` gives it.

        Args:
            state_dict: PyTorch tensors or arrays by name, of a checkpoint such as `latest_net_G_A.pth`.
            network: Which one it becomes: `"generator"` (G_A of the authors' code), `"inverse"` (G_B),
                `"discriminator"` (D_A) or `"inverse_discriminator"` (D_B).

        Raises:
            InputError: Another network, or other convolutions than it has.
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
            "layers": self.layers_with_stride,
            "pool_size": self.pool_size,
            "seed": self.seed,
        }


def _adam(steps: int) -> keras.optimizers.Optimizer:
    """Adam as in the paper, with PyTorch's epsilon."""
    rate = HeldThenLinear(RATE, steps // 2, steps - steps // 2)
    return keras.optimizers.Adam(rate, beta_1=MOMENTUM, epsilon=1e-8)


def _by(size: Any) -> str:
    return "x".join(map(str, size))
