"""Keras layers of the models."""

from tfstyle.layers.mixing import ChannelMixing
from tfstyle.layers.normalization import AdaptiveInstanceNormalization
from tfstyle.layers.padding import ReflectedConvolution, ReflectionPadding2D
from tfstyle.layers.preprocessing import SCALINGS, PadToMultiple, Preprocessing, Scaling

__all__ = [
    "SCALINGS",
    "AdaptiveInstanceNormalization",
    "ChannelMixing",
    "PadToMultiple",
    "Preprocessing",
    "ReflectedConvolution",
    "ReflectionPadding2D",
    "Scaling",
]
