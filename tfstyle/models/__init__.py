"""Feed-forward networks that are trained on many pictures, as ordinary Keras models.

Importing this registers them, which `keras.saving.load_model` asks for.
"""

from tfstyle.models.adain import AdaIN
from tfstyle.models.depth_adain import DepthAdaIN
from tfstyle.models.exporting import export
from tfstyle.models.pretrained import load
from tfstyle.models.style_code import StyleCode

__all__ = ["AdaIN", "DepthAdaIN", "StyleCode", "export", "load"]
