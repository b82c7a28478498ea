"""Feed-forward models, trained on many images: ordinary Keras models.

Importing this package registers them with Keras. `tfstyle.models.load` reads a saved model in any process;
`keras.saving.load_model` does so after `import tfstyle.models`. (`import tfstyle` alone is not enough: it doesn't
import Keras, which takes seconds.)

A model of another kind touches five places:

1. its module in `tfstyle/models/`, which implements one of the protocols of `tfstyle.models.interfaces`. A model that
   takes style images is a `tfstyle.models.arbitrary_style.ArbitraryStyleModel`; the command line, masks, colours,
   depth and initial images need no more than its `encode_style`, `mix_styles`, `paint`, `minimum_side` and `record`.
   With `signatures`, `export_samples` and `in_float32` it can be exported;
2. its new layers in `tfstyle/layers/`, if any, and their names in `tfstyle/layers/__init__.py`;
3. its import and its name in `__all__`, below;
4. its entry in the trainers of `tfstyle/training/`;
5. a line in `tests/cases.py`, which runs the tests of all models.

A trained model that comes with the package is a line in `tfstyle.models.pretrained.EMBEDDED`.
"""

from tfstyle.models.adain.adain import AdaIN
from tfstyle.models.adain.depth_adain import DepthAdaIN
from tfstyle.models.adain.style_code import StyleCode
from tfstyle.models.adversarial.attention_cyclegan import AttentionCycleGAN
from tfstyle.models.adversarial.cyclegan import CycleGAN
from tfstyle.models.adversarial.gan import GAN
from tfstyle.models.adversarial.schedules import ConstantThenLinearDecay
from tfstyle.models.adversarial.wgan import WGAN
from tfstyle.models.export import export
from tfstyle.models.interfaces import Generates, Stylizes, Translates
from tfstyle.models.pretrained import load

__all__ = [
    "GAN",
    "WGAN",
    "AdaIN",
    "AttentionCycleGAN",
    "ConstantThenLinearDecay",
    "CycleGAN",
    "DepthAdaIN",
    "Generates",
    "StyleCode",
    "Stylizes",
    "Translates",
    "export",
    "load",
]
