"""Parameterizations: the variable that is optimised for a picture, its pixels or its spectrum."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.images import spectrum as spectra
from tfstyle.images.luminance import luminance
from tfstyle.layers.constraints import ValueRange

_MARGIN = 0.5 / 255  # distance of pixels from 0 and 1, which a sigmoid never reaches (chosen): half a level of 8 bits
# From decorrelated colours to RGB: the root of the covariance of colours in ImageNet, divided by its norm (Olah et
# al. 2017).
_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
_COLOURS /= np.linalg.norm(_COLOURS, axis=0).max()


@keras.saving.register_keras_serializable(package="tfstyle")
class Pixels:
    """The pixels themselves, kept in [0, 1].

    Args:
        grey: Whether a pixel has one value for all three colours, so that only the luminance is optimised.

    Examples:
        >>> pictures = np.full((1, 4, 6, 3), 0.5, "float32")
        >>> grey = Pixels(grey=True)
        >>> grey.variable(pictures).shape, grey(grey.variable(pictures)).shape
        ((1, 4, 6, 1), TensorShape([1, 4, 6, 3]))
    """

    smoothness = 0.75
    """The `smoothness` that suits L-BFGS: see `tfstyle.optimization.lbfgs`."""

    def __init__(self, grey: bool = False) -> None:
        self.grey = grey

    @property
    def constraint(self) -> keras.constraints.Constraint | None:
        """The constraint of the variable."""
        return ValueRange(0.0, 1.0)

    def variable(self, pictures: np.ndarray) -> np.ndarray:
        """The value of the variable for pictures `(batch, height, width, 3)` in [0, 1]."""
        return luminance(pictures) if self.grey else pictures

    def __call__(self, variable: Tensor) -> Tensor:
        """The pictures `(batch, height, width, 3)` in [0, 1] for a value of the variable."""
        pictures = ops.convert_to_tensor(variable)
        return ops.repeat(pictures, 3, axis=-1) if self.grey else pictures

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"grey": self.grey}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pixels:
        """The parameterization with the configuration of `get_config`."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="tfstyle")
class Fourier(Pixels):
    """The decorrelated spectrum of the picture, behind a sigmoid that keeps pixels in (0, 1).

    Neighbouring pixels are correlated, and so are the colours of a pixel. The spectrum is scaled by 1/f^decay, about
    that of natural images, and the colours are decorrelated. A step then changes large smooth areas as much as fine
    detail, so that there is less grain.

    Args:
        grey: Whether a pixel has one value for all three colours.
        decay: Exponent of the frequency f (1 as in Mordvintsev et al. 2018).

    Reference:
        Mordvintsev et al. 2018, "Differentiable Image Parameterizations" (Distill); Olah et al. 2017, "Feature
        Visualization" (Distill), section "Preconditioning and parameterization".

    Examples:
        >>> pictures = np.full((1, 4, 6, 3), 0.5, "float32")
        >>> fourier = Fourier()
        >>> bool(np.allclose(fourier(fourier.variable(pictures)), pictures, atol=1e-5))
        True
    """

    smoothness = 0.0  # the spectrum is smooth by its scale

    def __init__(self, grey: bool = False, decay: float = 1.0) -> None:
        super().__init__(grey)
        self.decay = decay

    @property
    def constraint(self) -> keras.constraints.Constraint | None:
        """None: the sigmoid keeps the range."""
        return None

    def variable(self, pictures: np.ndarray) -> np.ndarray:
        """The coefficients of cosines divided by their usual amplitudes, `(batch, height, width, 3 or 1)`."""
        pictures = np.clip(super().variable(pictures).astype(np.float64), _MARGIN, 1 - _MARGIN)
        colours = np.log(pictures / (1 - pictures))
        if not self.grey:
            colours = colours @ np.linalg.inv(_COLOURS).T
        _, height, width, _ = pictures.shape
        return spectra.transform(colours).numpy() / spectra.falloff(height, width, self.decay)

    def __call__(self, variable: Tensor) -> Tensor:
        """The pictures `(batch, height, width, 3)` in (0, 1) for a value of the variable."""
        spectrum = ops.convert_to_tensor(variable)
        _, height, width, _ = spectrum.shape
        scale = spectra.falloff(height, width, self.decay)
        colours = spectra.inverse(spectrum * ops.cast(scale, spectrum.dtype))
        if self.grey:
            return ops.repeat(ops.sigmoid(colours), 3, axis=-1)
        return ops.sigmoid(ops.matmul(colours, ops.cast(_COLOURS.T, spectrum.dtype)))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "decay": self.decay}
