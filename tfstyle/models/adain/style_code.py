"""Style codes of AdaIN: two numbers for each channel, which can be saved, mixed and used again."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfstyle.core import files
from tfstyle.core.errors import InputError


@dataclass(frozen=True, eq=False)
class StyleCode:
    """The mean and deviation of a style's features.

    Codes mix as vectors do: a mixture 0.3 AdaIN(f, a) + 0.7 AdaIN(f, b) equals AdaIN(f, 0.3 a + 0.7 b).

    Attributes:
        mean: float32 `(channels,)`, the mean over positions, in units of the backbone's features.
        deviation: float32 `(channels,)`, the standard deviation over positions, in the same units.
        layer: The backbone's layer, as "VGG19/block4_conv1".

    Examples:
        >>> night, wave = (model.encode_style(path) for path in ("night.jpg", "wave.jpg"))
        >>> StyleCode.mix([night, wave], [0.3, 0.7]).save("both.npz")
        >>> model.stylize("photo.jpg", StyleCode.load("both.npz"))
    """

    mean: np.ndarray
    deviation: np.ndarray
    layer: str

    @classmethod
    def mix(cls, codes: Sequence[StyleCode], style_weights: Sequence[float] | None = None) -> StyleCode:
        """The weighted mean of codes.

        Args:
            codes: At least one, all of one layer.
            style_weights: One for each code; they are not normalised, so a convex mixture needs a sum of 1. None for
                equal weights.

        Raises:
            InputError: No codes, codes of different layers, or another number of weights than of codes.
        """
        layers = sorted({code.layer for code in codes})
        if len(layers) != 1:
            names = " and ".join(layers) or "nothing"
            raise InputError(f"style codes of {names} can't be mixed: give codes of one layer")
        weights = [1 / len(codes)] * len(codes) if style_weights is None else style_weights
        if len(weights) != len(codes):
            raise InputError(
                f"there are {len(weights)} style weights for {len(codes)} style codes: give one for each"
            )
        mean, deviation = (
            np.tensordot(np.asarray(weights, np.float64), np.stack(values), axes=1).astype(np.float32)
            for values in ([code.mean for code in codes], [code.deviation for code in codes])
        )
        return cls(mean, deviation, layers[0])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the code to an `.npz` file.

        Raises:
            InputError: The file can't be written.
        """
        data = io.BytesIO()
        np.savez(data, mean=self.mean, deviation=self.deviation, layer=np.array(self.layer))
        files.atomic_write(path, data.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> StyleCode:
        """Read a file that `save` has written.

        Raises:
            InputError: A file that can't be read, or that contains no code.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(data["mean"], data["deviation"], str(data["layer"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
            raise InputError(
                f"{files.shown(path)} can't be read as a style code ({files.reason(error)}): give a file that "
                f"StyleCode.save has written"
            ) from error
