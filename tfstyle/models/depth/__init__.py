"""How near things are, from one picture.

One convention, everywhere: a *depth module* is a callable from pictures `(batch, height, width, 3)`, RGB in [0, 1],
to their *proximity* `(batch, height, width)`: the inverse of the depth, scaled for each picture to [0, 1]. 1 is the
nearest point of the picture, 0 the farthest; half as near as the nearest is twice as far only if the farthest is at
infinity, as the sky is. Inverse depth is what stereo pairs give, as disparity, and what networks learn up to scale
and shift (Ranftl et al. 2020). A depth module may be a Keras model, through which gradients flow, or any function.

- `DepthMini`: a small network of our own, which comes with the package.
- `DepthAnything`: Depth Anything V2 of KerasHub, where that is installed.
- `load`: a map from a file or array; `MapFile` of it makes a module for one picture.
"""

from tfstyle.models.depth.depth_anything import DepthAnything
from tfstyle.models.depth.depth_mini import DepthMini
from tfstyle.models.depth.inverse_depth import DepthModule, MapFile, estimate, load, relative

__all__ = ["DepthAnything", "DepthMini", "DepthModule", "MapFile", "estimate", "load", "relative"]
