"""Depth from one image.

There is one convention. A *depth module* is a callable from images `(batch, height, width, 3)`, RGB in [0, 1], to
their *inverse depth* `(batch, height, width)`, scaled for each image to [0, 1]: 1 is the nearest point of the image,
and 0 the farthest. If the farthest point is at infinity, as the sky is, then half the inverse depth is twice as far.
Inverse depth is what stereo pairs measure, as disparity, and what networks learn up to scale and shift (Ranftl et al.
2020). A depth module may be a Keras model, through which gradients flow, or any function.

- `DepthMini`: a small network that comes with the package.
- `DepthAnything`: Depth Anything V2 of KerasHub, where that is installed.
- `load`: a map from a file or array; `MapFile` makes it a depth module for one image.
"""

from tfstyle.models.depth.depth_anything import DepthAnything
from tfstyle.models.depth.depth_mini import DepthMini
from tfstyle.models.depth.inverse_depth import DepthModule, MapFile, estimate, load, relative

__all__ = ["DepthAnything", "DepthMini", "DepthModule", "MapFile", "estimate", "load", "relative"]
