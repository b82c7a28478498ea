"""What of a picture is optimised: its pixels, or the coefficients of waves that add up to it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle.images import spectrum as spectra
from tfstyle.images.luminance import luminance
from tfstyle.layers.constraints import ValueRange

Tensor = Any

_NEAREST = 0.5 / 255  # to 0 and to 1 that a sigmoid is asked for (chosen): half a level of 8 bits
# From decorrelated colours to RGB: Olah et al. 2017's root of the colours' covariance in ImageNet, over its norm.
_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
_COLOURS /= np.linalg.norm(_COLOURS, axis=0).max()


@keras.saving.register_keras_serializable(package="tfstyle")
class Pixels:
    """The pixels themselves, kept in [0, 1].

    Args:
        grey: One value a pixel for all three colours, so that only the luminance is optimised.
    """

    smoothness = 0.75
    """Of L-BFGS: see `tfstyle.optimization.lbfgs`."""

    def __init__(self, grey: bool = False) -> None:
        self.grey = grey

    @property
    def constraint(self) -> keras.constraints.Constraint | None:
        """What the variable must keep to."""
        return ValueRange(0.0, 1.0)

    def variable(self, pictures: np.ndarray) -> np.ndarray:
        """The value of the variable that stands for `pictures`, `(batch, height, width, 3)` in [0, 1]."""
        return luminance(pictures) if self.grey else pictures

    def __call__(self, variable: Tensor) -> Tensor:
        """The pictures `(batch, height, width, 3)` in [0, 1] that the variable stands for."""
        pictures = ops.convert_to_tensor(variable)
        return ops.repeat(pictures, 3, axis=-1) if self.grey else pictures

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"grey": self.grey}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pixels:
        """The parameterization that `get_config` described."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="tfstyle")
class Fourier(Pixels):
    """The spectrum of the picture, decorrelated, behind a sigmoid that keeps pixels in (0, 1).

    Neighbouring pixels of pictures go together, and so do their colours. A step in the spectrum, scaled by
    1/f^decay as that of pictures about is, and in colours with the correlations taken out, moves what is large
    and smooth as much as what is fine, so that there is less grain.

    Args:
        grey: One value a pixel for all three colours.
        decay: Power of the frequency (1 as in Mordvintsev et al. 2018).

    Reference:
        Mordvintsev et al. 2018, "Differentiable Image Parameterizations" (Distill); Olah et al. 2017, "Feature
        Visualization" (Distill), section "Preconditioning and parameterization".
    """

    smoothness = 0.0  # there is nothing left to smooth

    def __init__(self, grey: bool = False, decay: float = 1.0) -> None:
        super().__init__(grey)
        self.decay = decay

    @property
    def constraint(self) -> keras.constraints.Constraint | None:
        """None: the sigmoid keeps the range."""
        return None

    def variable(self, pictures: np.ndarray) -> np.ndarray:
        """The spectrum of `pictures`, `(batch, height, width, 3 or 1)`, cosine by cosine over its usual amplitude."""
        pictures = np.clip(super().variable(pictures).astype(np.float64), _NEAREST, 1 - _NEAREST)
        colours = np.log(pictures / (1 - pictures))
        if not self.grey:
            colours = colours @ np.linalg.inv(_COLOURS).T
        _, height, width, _ = pictures.shape
        return spectra.transform(colours).numpy() / spectra.falloff(height, width, self.decay)

    def __call__(self, variable: Tensor) -> Tensor:
        """The pictures `(batch, height, width, 3)` in (0, 1) that the spectrum stands for."""
        spectrum = ops.convert_to_tensor(variable)
        _, height, width, _ = spectrum.shape
        scale = spectra.falloff(height, width, self.decay)
        colours = spectra.inverse(spectrum * ops.cast(scale, spectrum.dtype))
        if self.grey:
            return ops.repeat(ops.sigmoid(colours), 3, axis=-1)
        return ops.sigmoid(ops.matmul(colours, ops.cast(_COLOURS.T, spectrum.dtype)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "decay": self.decay}
