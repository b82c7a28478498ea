"""Keras layers. Importing this package registers them, so that Keras can load saved models that contain them."""

from tfstyle.layers.adaptive_instance_normalization import AdaptiveInstanceNormalization
from tfstyle.layers.channel_projection import ChannelProjection
from tfstyle.layers.image_pool import ImagePool
from tfstyle.layers.instance_normalization import InstanceNormalization
from tfstyle.layers.padded_conv import PaddedConv2D, UpsamplingConv2DTranspose
from tfstyle.layers.padding import ReflectedConvolution, ReflectionPadding2D
from tfstyle.layers.preprocessing import SCALINGS, CropTo, PadToMultiple, Preprocessing, Scaling
from tfstyle.layers.self_attention import SelfAttention2D
from tfstyle.layers.spectral_conv import SpectralConv2D
from tfstyle.layers.stateless_dropout import StatelessDropout
from tfstyle.layers.winograd_conv import WinogradConv2D

__all__ = [
    "SCALINGS",
    "AdaptiveInstanceNormalization",
    "ChannelProjection",
    "CropTo",
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
    "StatelessDropout",
    "UpsamplingConv2DTranspose",
    "WinogradConv2D",
]
