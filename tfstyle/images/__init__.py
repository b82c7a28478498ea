"""Pictures: files, colours, masks, grids, samples.

A picture is sRGB in floats from 0 to 1, upright, with its opacity in a separate array.

>>> from tfstyle import images
>>> picture = images.load("photo.jpg", size=512)  # doctest: +SKIP
>>> images.save(picture.rgb, "copy.png")  # doctest: +SKIP
"""

from tfstyle.images.io import SUFFIXES, Source, check_writable, load, of_folder, save
from tfstyle.images.picture import Picture

__all__ = ["SUFFIXES", "Picture", "Source", "check_writable", "load", "of_folder", "save"]
