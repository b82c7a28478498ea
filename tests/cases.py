"""All layers and models of the package, small, with what they take: what the battery is run over.

A new layer is a line in `LAYERS`, a new model one in `MODELS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from tfstyle import Backbone, layers
from tfstyle.models import GAN, WGAN, AdaIN, AttentionCycleGAN, CycleGAN, DepthAdaIN
from tfstyle.models.adain.decoder import Level, mirrored
from tfstyle.models.adain.encoder import Encoder
from tfstyle.models.depth import DepthMini

BATCH = 2


@dataclass(frozen=True)
class Case:
    """A layer or a model.

    Attributes:
        make: Makes it anew, the same each time; a model also with a Keras dtype policy.
        inputs: What it is called on: arrays, in tuples and dictionaries.
        data: What a model is fitted to: `(pictures,)` or `(photos, paintings)`, float32, `BATCH` at a time.
        training: Options of the call.
        together: With what a model is trained as on one device, in this battery: `"devices"`, `"workers"`, and
            `"one"`, a strategy of a single device.
        rate: At which it is trained so, for all networks to move.
    """

    make: Callable[..., Any]
    inputs: Any
    data: tuple[np.ndarray, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    together: tuple[str, ...] = ()
    rate: float = 1e-3


def pictures(number: int, size: tuple[int, int], channels: int = 3, seed: int = 0) -> np.ndarray:
    """Float32 in [0, 1]."""
    return np.random.default_rng(seed).random((number, *size, channels), "float32")


def _convolution() -> keras.layers.Layer:
    layer = keras.layers.Conv2D(2, 3, padding="same", kernel_initializer=keras.initializers.GlorotUniform(0))
    layer.build((None, None, None, 4))
    return layers.ReflectedConvolution(layer)


def _vgg(dtype: str | None = None) -> Backbone:
    return Backbone("VGG16", "random", precision="bfloat16" if dtype == "mixed_bfloat16" else "float32")


def _adain(dtype: str | None = None) -> AdaIN:
    return AdaIN(_vgg(dtype), "block1_conv2", seed=0, dtype=dtype)


def _depth_adain(dtype: str | None = None) -> DepthAdaIN:
    depth = DepthMini(None, side=32, seed=1)
    return DepthAdaIN(_vgg(dtype), "block1_conv2", seed=0, depth=depth, dtype=dtype)


_FEATURES = pictures(2, (6, 8), 4)
_STYLE = {"mean": _FEATURES[:, 0, 0], "deviation": _FEATURES[:, 1, 1]}
_X, _Y = pictures(8, (16, 24)), pictures(8, (16, 24), seed=1)
_PHOTOS, _PAINTINGS = pictures(8, (32, 32)), pictures(8, (32, 32), seed=1)
_SMALL: dict[str, Any] = {"size": (16, 24), "filters": 4, "seed": 0}

LAYERS = {
    "AdaptiveInstanceNormalization": Case(layers.AdaptiveInstanceNormalization, (_FEATURES, _STYLE)),
    "ChannelProjection": Case(layers.ChannelProjection, _FEATURES),
    "StatelessDropout": Case(lambda: layers.StatelessDropout(0.5, seed=1), _FEATURES, training={"training": True}),
    "CropTo": Case(layers.CropTo, (_FEATURES, _FEATURES[:, :3, :5])),
    "UpsamplingConv2DTranspose": Case(
        lambda: layers.UpsamplingConv2DTranspose(3, kernel_initializer=keras.initializers.GlorotUniform(0)), _FEATURES
    ),
    "Encoder": Case(lambda: Encoder(_vgg(), ["block1_conv2", "block2_conv1"]), _PHOTOS[:1]),
    "ImagePool": Case(lambda: layers.ImagePool(3, seed=1), _FEATURES),
    "InstanceNormalization": Case(lambda: layers.InstanceNormalization(1e-4, affine=True), _FEATURES),
    "PaddedConv2D": Case(
        lambda: layers.PaddedConv2D(
            3, 4, strides=2, pad=2, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(0)
        ),
        _FEATURES,
    ),
    "PadToMultiple": Case(lambda: layers.PadToMultiple(4, 8), _FEATURES),
    "Preprocessing": Case(lambda: layers.Preprocessing("VGG16", "own"), _X[:1]),
    "ReflectedConvolution": Case(_convolution, _FEATURES),
    "ReflectionPadding2D": Case(lambda: layers.ReflectionPadding2D((1, 2)), _FEATURES),
    "SelfAttention2D": Case(lambda: layers.SelfAttention2D(4, seed=1), _FEATURES, training={"training": True}),
    "SpectralConv2D": Case(
        lambda: layers.SpectralConv2D(3, 3, kernel_initializer=keras.initializers.GlorotUniform(0)),
        _FEATURES,
        training={"training": True},
    ),
    "WinogradConv2D": Case(
        lambda: layers.WinogradConv2D(64, kernel_initializer=keras.initializers.GlorotUniform(0)),
        pictures(2, (6, 8), 64),
    ),
}

NETWORKS = {
    "decoder": Case(lambda: mirrored([Level(4, 4, 1), Level(1, 4, 2)], seed=0), _FEATURES),
}

_BOTH = ("devices", "workers")
_NOISE = pictures(2, (1, 4), 1).reshape(2, 4)

MODELS = {
    "AdaIN": Case(_adain, (_PHOTOS[:1], _PAINTINGS[:1]), (_PHOTOS, _PAINTINGS)),
    "AttentionCycleGAN": Case(
        lambda dtype=None: AttentionCycleGAN(
            **_SMALL, depth=2, n_layers=1, pool_size=3, spectral=True, skip_outermost=False, dtype=dtype
        ),
        _X[:1],
        (_X, _Y),
        together=_BOTH,
    ),
    "CycleGAN": Case(
        lambda dtype=None: CycleGAN(**_SMALL, blocks=1, n_layers=1, pool_size=3, dtype=dtype),
        _X[:1],
        (_X, _Y),
        together=_BOTH,
    ),
    "DepthAdaIN": Case(_depth_adain, (_PHOTOS[:1], _PAINTINGS[:1]), (_PHOTOS, _PAINTINGS)),
    "GAN": Case(lambda dtype=None: GAN(**_SMALL, latent_dim=4, dtype=dtype), _NOISE, (_X,), together=_BOTH),
    "GAN of dense layers": Case(
        lambda dtype=None: GAN((16, 24), "maxout", latent_dim=4, seed=0, dtype=dtype),
        _NOISE,
        (_X,),
        together=_BOTH,
        rate=1.0,
    ),
    "WGAN": Case(
        lambda dtype=None: WGAN(**_SMALL, latent_dim=4, dtype=dtype),
        _NOISE,
        (_X,),
        together=(*_BOTH, "one"),
        rate=0.01,
    ),
    "WGAN with penalty": Case(
        lambda dtype=None: WGAN(**_SMALL, source="pictures", lipschitz="penalty", blocks=1, n_layers=1, dtype=dtype),
        _X[:1],
        (_X, _Y),
        together=_BOTH,
    ),
}

CASES = {**LAYERS, **NETWORKS, **MODELS}
