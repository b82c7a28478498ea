"""Sample pictures that need no network: photographs, generated paintings, scenes of known depth, and domains.

The photographs come with scikit-image; the true depth of one of them, `motorcycle`, is known. All others are
generated from a seed.

>>> from tfstyle import samples
>>> samples.content("chelsea").shape, samples.style("ink", 64).shape
((300, 451, 3), (64, 64, 3))
"""

from tfstyle.images.samples.generated import DOMAINS, STYLES, domain, scene, style
from tfstyle.images.samples.photographs import CONTENTS, content, motorcycle
from tfstyle.images.samples.scenes import SCENES

__all__ = ["CONTENTS", "DOMAINS", "SCENES", "STYLES", "content", "domain", "motorcycle", "scene", "style"]
