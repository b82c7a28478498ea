"""Feed-forward networks that are trained on many pictures, as ordinary Keras models."""

from tfstyle.models.style_code import StyleCode

__all__ = ["StyleCode"]
