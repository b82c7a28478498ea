"""Keras layers of the models."""

from tfstyle.layers.preprocessing import PadToMultiple, Preprocessing

__all__ = ["PadToMultiple", "Preprocessing"]
