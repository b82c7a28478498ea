"""Pictures: files, colours, masks, grids, samples.

A picture is sRGB in floats from 0 to 1, upright, with its opacity in a separate array.

>>> from tfstyle import images
>>> picture = images.load("photo.jpg", size=512)  # doctest: +SKIP
>>> images.save(picture.rgb, "copy.png")  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

from tfstyle.images.io import SUFFIXES, Source, check_writable, load, of_folder, save
from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from tfstyle.images.display import show as show

__all__ = ["SUFFIXES", "Picture", "Source", "check_writable", "load", "of_folder", "save", "show"]


def __getattr__(name: str) -> Any:
    if name != "show":
        raise AttributeError(f"module 'tfstyle.images' has no attribute {name!r}")
    from tfstyle.images.display import show  # here, as Matplotlib is slow to import

    return show
