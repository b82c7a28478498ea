"""What AdaIN knows of a style: two numbers a channel, that can be saved, mixed and used again."""

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

    Codes mix as vectors do: of AdaIN with each style, `0.3 a + 0.7 b` is AdaIN with the mixed code.

    Attributes:
        mean: float32 (N,), of each channel over positions, in units of the backbone's own features.
        deviation: float32 (N,), likewise.
        layer: Of which backbone's layer, as "VGG19/block4_conv1".

    Examples:
        >>> night, wave = (model.encode_style(path) for path in ("night.jpg", "wave.jpg"))
        >>> StyleCode.mix([night, wave], [0.3, 0.7]).save("both.npz")
        >>> model.stylize("photo.jpg", StyleCode.load("both.npz"))
    """

    mean: np.ndarray
    deviation: np.ndarray
    layer: str

    @classmethod
    def mix(cls, codes: Sequence[StyleCode], weights: Sequence[float] | None = None) -> StyleCode:
        """The weighted mean of codes.

        Args:
            codes: At least one, all of one layer.
            weights: One for each, as they are: a convex mix needs them to sum to 1. None for equal ones.

        Raises:
            InputError: No codes, codes of different layers, or not as many weights.
        """
        layers = sorted({code.layer for code in codes})
        if len(layers) != 1:
            raise InputError(f"codes of {' and '.join(layers) or 'nothing'} can't be mixed: give codes of one layer")
        weights = [1 / len(codes)] * len(codes) if weights is None else weights
        if len(weights) != len(codes):
            raise InputError(f"there are {len(weights)} weights for {len(codes)} codes: give one for each")
        mean, deviation = (
            np.tensordot(np.asarray(weights, np.float64), np.stack(values), axes=1).astype(np.float32)
            for values in ([code.mean for code in codes], [code.deviation for code in codes])
        )
        return cls(mean, deviation, layers[0])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the code to an `.npz` file.

        Raises:
            InputError: It can't be written.
        """
        data = io.BytesIO()
        np.savez(data, mean=self.mean, deviation=self.deviation, layer=np.array(self.layer))
        files.atomic_write(path, data.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> StyleCode:
        """Read what `save` has written.

        Raises:
            InputError: It can't be read, or is no code.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(data["mean"], data["deviation"], str(data["layer"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
            raise InputError(
                f"{files.shown(path)} can't be read as a style code ({files.reason(error)}): give a file that "
                f"StyleCode.save has written"
            ) from error
