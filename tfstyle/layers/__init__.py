"""Keras layers of the models."""

from tfstyle.layers.counted_dropout import CountedDropout
from tfstyle.layers.image_pool import ImagePool
from tfstyle.layers.instance_normalization import InstanceNormalization
from tfstyle.layers.mixing import ChannelMixing
from tfstyle.layers.normalization import AdaptiveInstanceNormalization
from tfstyle.layers.padded_convolution import DoublingConv2DTranspose, PaddedConv2D
from tfstyle.layers.padding import ReflectedConvolution, ReflectionPadding2D
from tfstyle.layers.preprocessing import SCALINGS, CropTo, PadToMultiple, Preprocessing, Scaling
from tfstyle.layers.self_attention import SelfAttention2D
from tfstyle.layers.spectral_convolution import SpectralConv2D
from tfstyle.layers.winograd import WinogradConv2D

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
