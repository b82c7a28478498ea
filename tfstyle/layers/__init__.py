"""Keras layers of the models."""

from tfstyle.layers.preprocessing import SCALINGS, PadToMultiple, Preprocessing, Scaling

__all__ = ["SCALINGS", "PadToMultiple", "Preprocessing", "Scaling"]
