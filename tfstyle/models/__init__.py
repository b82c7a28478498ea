"""Feed-forward networks that are trained on many pictures, as ordinary Keras models.

Importing this registers them, which `keras.saving.load_model` asks for.
"""

from tfstyle.models.adain.adain import AdaIN
from tfstyle.models.adain.depth_adain import DepthAdaIN
from tfstyle.models.adain.style_code import StyleCode
from tfstyle.models.adversarial.attention_cyclegan import AttentionCycleGAN
from tfstyle.models.adversarial.cyclegan import CycleGAN
from tfstyle.models.adversarial.gan import GAN
from tfstyle.models.adversarial.schedules import HeldThenLinear
from tfstyle.models.adversarial.wgan import WGAN
from tfstyle.models.export import export
from tfstyle.models.pretrained import load

__all__ = [
    "GAN",
    "WGAN",
    "AdaIN",
    "AttentionCycleGAN",
    "CycleGAN",
    "DepthAdaIN",
    "HeldThenLinear",
    "StyleCode",
    "export",
    "load",
]
