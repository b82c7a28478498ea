"""Preprocessing: from RGB images in [0, 1] to the inputs of Keras applications."""

from __future__ import annotations

import importlib
from typing import Any, Literal

import keras
from keras import ops

from tfstyle.core.typing import Tensor

Scaling = Literal["own", "unit", "symmetric"]
SCALINGS = ("own", "unit", "symmetric")


@keras.saving.register_keras_serializable(package="tfstyle")
class Preprocessing(keras.layers.Layer):
    """RGB images in [0, 1] to the inputs that a `keras.applications` network was trained on.

    VGG and ResNet50 take BGR in [0, 255] less the mean colour; InceptionV3, NASNet and MobileNet take RGB in [-1, 1].

    Args:
        application: Name of the `keras.applications` model.
        scaling: `"own"` for the network's own inputs; `"unit"` leaves RGB in [0, 1], and `"symmetric"` scales it to
            [-1, 1], for any network.
    """

    def __init__(self, application: str, scaling: Scaling = "own", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.application = application
        self.scaling = scaling
        module = importlib.import_module(getattr(keras.applications, application).__module__)
        self._preprocess = module.preprocess_input

    def call(self, pictures: Tensor) -> Tensor:
        """Images `(batch, height, width, 3)`, preprocessed; the shape stays."""
        if self.scaling == "own":
            return self._preprocess(pictures * 255.0, data_format="channels_last")
        return pictures if self.scaling == "unit" else pictures * 2.0 - 1.0

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the images."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "application": self.application, "scaling": self.scaling}


@keras.saving.register_keras_serializable(package="tfstyle")
class PadToMultiple(keras.layers.Layer):
    """Pads images by reflection, at the bottom and the right, until both sides are multiples of a number.

    Where the padding is larger than the image, the image is reflected repeatedly.

    Args:
        multiple: The number, in pixels.
        least: The least side of padded images, in pixels; a multiple of `multiple`.
    """

    def __init__(self, multiple: int, least: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.multiple = multiple
        self.least = least
        self.built = True

    def call(self, pictures: Tensor) -> Tensor:
        """Images `(batch, height, width, channels)`, padded to the next multiples."""
        for axis in (1, 2):
            side = ops.shape(pictures)[axis]
            if isinstance(side, int) and (more := self._padded(side) - side) < side:
                if more:
                    pads = [(0, more if each == axis else 0) for each in range(4)]
                    pictures = ops.pad(pictures, pads, mode="reflect")
                continue
            missing = (self.multiple - side % self.multiple) % self.multiple  # ONNX has another % of negative numbers
            places = ops.arange(ops.maximum(side + missing, self.least))
            period = ops.maximum(2 * (side - 1), 1)
            places = places % period
            pictures = ops.take(pictures, ops.minimum(places, period - places), axis=axis)
        return pictures

    def _padded(self, side: int) -> int:
        return max(side + -side % self.multiple, self.least)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The padded shape, where the size is known."""
        batch, height, width, channels = input_shape
        return (batch, *(None if side is None else self._padded(side) for side in (height, width)), channels)

    def compute_output_spec(self, pictures: Tensor) -> Tensor:
        """The padded shape, where the size is known."""
        return keras.KerasTensor(self.compute_output_shape(pictures.shape), dtype=pictures.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "multiple": self.multiple, "least": self.least}


@keras.saving.register_keras_serializable(package="tfstyle")
class CropTo(keras.layers.Layer):
    """Crops images at the bottom and the right to the size of others: undoes `PadToMultiple`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        """The first images `(batch, height, width, channels)`, cropped to the height and width of the second ones."""
        pictures, size = inputs
        height, width = ops.shape(size)[1:3]
        return pictures[:, :height, :width]

    def compute_output_spec(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        """The shape of the first images, with the height and width of the second ones."""
        pictures, size = inputs
        return keras.KerasTensor((pictures.shape[0], *size.shape[1:3], pictures.shape[3]), dtype=pictures.dtype)
