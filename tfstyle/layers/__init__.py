"""Keras layers of the models."""

from tfstyle.layers.adaptive_instance_normalization import AdaptiveInstanceNormalization
from tfstyle.layers.channel_mixing import ChannelMixing
from tfstyle.layers.image_pool import ImagePool
from tfstyle.layers.instance_normalization import InstanceNormalization
from tfstyle.layers.padded_conv import DoublingConv2DTranspose, PaddedConv2D
from tfstyle.layers.padding import ReflectedConvolution, ReflectionPadding2D
from tfstyle.layers.preprocessing import SCALINGS, CropTo, PadToMultiple, Preprocessing, Scaling
from tfstyle.layers.self_attention import SelfAttention2D
from tfstyle.layers.spectral_conv import SpectralConv2D
from tfstyle.layers.stateless_dropout import CountedDropout
from tfstyle.layers.winograd_conv import WinogradConv2D

__all__ = [
    "SCALINGS",
    "AdaptiveInstanceNormalization",
    "ChannelMixing",
    "CountedDropout",
    "CropTo",
    "DoublingConv2DTranspose",
    "ImagePool",
    "InstanceNormalization",
    "PadToMultiple",
    "PaddedConv2D",
    "Preprocessing",
    "ReflectedConvolution",
    "ReflectionPadding2D",
    "Scaling",
    "SelfAttention2D",
    "SpectralConv2D",
    "WinogradConv2D",
]
