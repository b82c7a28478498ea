"""Feed-forward networks that are trained on many pictures, as ordinary Keras models.

Importing this registers them, which `keras.saving.load_model` asks for.
"""

from tfstyle.models.adain import AdaIN
from tfstyle.models.attention_cyclegan import AttentionCycleGAN
from tfstyle.models.cyclegan import CycleGAN
from tfstyle.models.gan import GAN
from tfstyle.models.health import TrainingHealth
from tfstyle.models.schedules import HeldThenLinear
from tfstyle.models.style_code import StyleCode
from tfstyle.models.wgan import WGAN

__all__ = ["GAN", "WGAN", "AdaIN", "AttentionCycleGAN", "CycleGAN", "HeldThenLinear", "StyleCode", "TrainingHealth"]
