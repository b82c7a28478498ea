"""Backbones: frozen networks that give the features of named layers for RGB in [0, 1]."""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import keras
import numpy as np

from tfstyle.core.errors import InputError, unknown
from tfstyle.core.precision import Precision
from tfstyle.core.saving import renamed_keys
from tfstyle.core.typing import Tensor
from tfstyle.features import weights as weights_files
from tfstyle.features.network import (
    build,
    canonical_name,
    he_initialize,
    layer_shapes,
    layers_by_stride,
    stable_names,
)
from tfstyle.features.receptive_field import ReceptiveField, receptive_fields
from tfstyle.features.registry import BackboneSpec, spec_of
from tfstyle.layers import SCALINGS, PadToMultiple, Preprocessing, ReflectedConvolution, Scaling

Pooling = Literal["max", "avg"]
Padding = Literal["zeros", "reflection"]
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


class Backbone:
    """A frozen network of `keras.applications` or of this package, which gives the features of named layers.

    It takes RGB pictures in [0, 1] and preprocesses them itself. Batch normalisation runs in inference mode. The
    layers above the deepest requested layer are cut off.

    Layers have the names that they have in a fresh process, in any process and whatever was built before. Keras
    numbers the layers of a second InceptionV3 on and on (`activation_94`, ...); here they start with `activation`.

    Args:
        name: Name of a network: see `tfstyle.features.network.names`. Case does not matter.
        weights: `"imagenet"` (see `tfstyle.features.weights`); `"embedded"` for those that come with the package;
            `"random"` for He initialisation; or the path of a weights file without top. None for embedded weights if
            there are some, else ImageNet's.
        pooling: `"max"` leaves the network as it is. `"avg"` replaces its max pooling by average pooling (section 2
            of Gatys et al. 2016: slightly more appealing results).
        normalize: Whether terms scale the features of each layer to a mean activation of 1 over the images of an
            optimisation (the normalised VGG of Gatys et al. 2016, section 2, with one factor for each layer). None
            for random weights only.
        seed: Seed of random weights.
        precision: `"float32"`; or `"bfloat16"` for convolutions in bfloat16, with weights, statistics and losses in
            float32. None for the dtype policy of Keras.
        input_scaling: `"own"` for the range that the network was trained on. `"unit"` or `"symmetric"` for RGB in
            [0, 1] or [-1, 1], so that several networks see the same numbers.
        activation_smoothing: Whether features pass a softmax over channels, which evens the peaked features of
            residual networks (Wang, Li & Vasconcelos 2021).
        padding: `"zeros"` leaves the network as it is. `"reflection"` pads convolutions of stride 1 by reflection
            (Huang & Belongie 2017, section 6.1: against artifacts at borders).

    Attributes:
        weights_record: Name, source, file and SHA-256 of the weights, as JSON can hold them.

    Raises:
        InputError: The name is unknown, there are no weights, a file does not fit, or an option has no such value.

    Reference:
        Wang, Li, Vasconcelos 2021, "Rethinking and Improving the Robustness of Image Style Transfer".

    Examples:
        >>> import numpy as np
        >>> backbone = Backbone("VGG19Mini")
        >>> pictures = np.zeros((1, 32, 48, 3), "float32")
        >>> features = backbone(pictures, ["block1_conv1", "block3_conv1"])
        >>> features["block3_conv1"].shape
        TensorShape([1, 8, 12, 80])
    """

    def __init__(
        self,
        name: str = "VGG19",
        weights: str | os.PathLike[str] | None = None,
        pooling: Pooling = "max",
        normalize: bool | None = None,
        seed: int = 0,
        precision: Precision | None = None,
        input_scaling: Scaling = "own",
        activation_smoothing: bool = False,
        padding: Padding = "zeros",
    ) -> None:
        name = canonical_name(name)
        if pooling not in ("max", "avg"):
            raise InputError(f"pooling must be 'max' or 'avg', not {pooling!r}")
        if padding not in ("zeros", "reflection"):
            raise InputError(f"padding must be 'zeros' or 'reflection', not {padding!r}")
        if input_scaling not in SCALINGS:
            raise unknown("input scaling", input_scaling, SCALINGS)
        if precision is not None and precision not in POLICIES:
            raise InputError(f"precision must be 'float32' or 'bfloat16', not {precision!r}")
        if keras.config.image_data_format() != "channels_last":
            raise InputError(
                "image_data_format is channels_first: tfstyle needs "
                "keras.config.set_image_data_format('channels_last')"
            )
        self.name = name
        self.weights = os.fspath(weights_files.default(self.name) if weights is None else weights)
        self.pooling = pooling
        self.normalize = self.weights == "random" if normalize is None else normalize
        self.seed = seed
        self.precision = precision
        self.input_scaling = input_scaling
        self.activation_smoothing = activation_smoothing
        self.padding = padding
        # A missing file is reported before the network is built, which takes seconds.
        file = None if self.weights == "random" else weights_files.find(self.name, self.weights)
        with _dtype_policy(precision):
            self._application = build(self.spec)
        if file is None:
            he_initialize(self._application, seed)
            self.weights_record: dict[str, Any] = {"name": "random", "source": f"He, seed {seed}"}
        else:
            weights_files.load_into(self._application, self.name, file)
            self.weights_record = file.record()
        self._layers = stable_names(self._application)
        self._extractors: dict[tuple[str, ...], keras.Model] = {}
        self._fields: dict[tuple[str, ...], dict[str, ReceptiveField]] = {}

    @property
    def spec(self) -> BackboneSpec:
        """What is known of the network by its name."""
        return spec_of(self.name)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of all layers, from the input upwards."""
        return tuple(self._layers)

    @property
    def compute_dtype(self) -> str:
        """The dtype that the network computes in."""
        return self._application.layers[-1].compute_dtype

    @property
    def trained(self) -> bool:
        """Whether the weights are not random."""
        return self.weights != "random"

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels."""
        return self.spec.minimum_side

    @property
    def multiple(self) -> int:
        """Both sides of a picture are padded to a multiple of this, in pixels; 1 for no padding."""
        return self.spec.multiple

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The default layers of style losses."""
        return self._default_layers[1]

    @property
    def content_layer(self) -> str:
        """The default layer of content losses."""
        return self._default_layers[0]

    @functools.cached_property
    def _default_layers(self) -> tuple[str, tuple[str, ...]]:
        """The content layer and the style layers."""
        if self.spec.content_layer is None or self.spec.style_layers is None:
            return layers_by_stride(self.name, self._application, self._layers)
        return self.spec.content_layer, self.spec.style_layers

    def extractor(self, layers: Iterable[str]) -> keras.Model:
        """The network from RGB in [0, 1], `(batch, height, width, 3)`, to `{layer name: features}`.

        Args:
            layers: Names of layers, in any order.

        Raises:
            InputError: A layer is unknown (the nearest names are suggested), or depends on a layer whose weights are
                all zero.
        """
        wanted = tuple(sorted(dict.fromkeys(layers), key=str))
        if wanted not in self._extractors:
            self._extractors[wanted] = self._cut(wanted)
        return self._extractors[wanted]

    def _cut(self, wanted: tuple[str, ...]) -> keras.Model:
        for layer in wanted:
            if layer not in self._layers:
                raise unknown(f"layer of {self.name}", layer, self._layers)
        application = keras.Model(self._application.input, {layer: self._layers[layer].output for layer in wanted})
        used = {id(layer) for layer in application.layers}
        for name, layer in self._layers.items():
            if not (self.trained and id(layer) in used):
                continue
            if any(_is_zero(weight) for weight in layer.weights if "kernel" in weight.path):
                raise InputError(
                    f"{self.name}: the weights file leaves layer {name} all zero, so {', '.join(wanted)} "
                    f"can't be computed: use layers below {name}, or give complete weights"
                )
        pictures = keras.Input((None, None, 3), name="pictures")
        full = "float64" if self.compute_dtype == "float64" else "float32"  # never half precision
        x = Preprocessing(self.spec.preprocessing or self.name, self.input_scaling, dtype=full)(pictures)
        if self.multiple > 1:
            x = PadToMultiple(self.multiple, dtype=full)(x)
        # Running the graph again on an input without a size keeps layers and weights, but for pooling and padding.
        size = keras.Input(x.shape[1:])
        frozen = keras.models.clone_model(application, input_tensors=size, clone_function=self._replacement)
        frozen.trainable = False
        features = frozen(x, training=False)
        if self.activation_smoothing:
            features = {layer: keras.layers.Softmax(axis=-1, dtype=full)(each) for layer, each in features.items()}
        return keras.Model(pictures, features, name=f"{self.name.lower()}_features", trainable=False)

    def _replacement(self, layer: keras.layers.Layer) -> keras.layers.Layer:
        """The layer that replaces a layer of the network, or the layer itself."""
        if self.pooling == "avg" and isinstance(layer, keras.layers.MaxPooling2D):
            return keras.layers.AveragePooling2D(
                layer.pool_size, layer.strides, layer.padding, dtype=layer.dtype_policy
            )
        if self.padding == "reflection" and ReflectedConvolution.fits(layer):
            return ReflectedConvolution(layer)
        return layer

    def receptive_fields(self, layers: Iterable[str]) -> dict[str, ReceptiveField]:
        """The receptive field of each layer.

        Raises:
            InputError: A layer is unknown, or sees the whole picture.
        """
        wanted = tuple(layers)
        if wanted not in self._fields:
            self._fields[wanted] = receptive_fields(self.extractor(wanted))
        return self._fields[wanted]

    def below(self, layers: Iterable[str]) -> tuple[int, list[tuple[keras.layers.Layer, tuple[int, ...]]]]:
        """The side, in pixels, of a square picture, and all layers up to some layers with their shapes for it.

        Args:
            layers: Names of layers.

        Raises:
            InputError: A layer is unknown.
        """
        self.extractor(layers)  # raises an error for unknown layers
        cut = keras.Model(self._application.input, [self._layers[layer].output for layer in set(layers)])
        side, shapes = layer_shapes(self.name, cut, {layer.name: layer for layer in cut.layers})
        return side, [(layer, shapes[layer.name]) for layer in cut.layers]

    def feature_bytes(self, layers: Iterable[str]) -> float:
        """Estimate of the bytes per pixel of a picture that all features up to some layers take."""
        side, below = self.below(tuple(layers))
        numbers = sum(math.prod(shape[1:]) for _, shape in below)
        return numbers / side**2 * {"float64": 8, "float32": 4}.get(self.compute_dtype, 2)

    def __call__(self, pictures: Tensor, layers: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Features of pictures.

        Args:
            pictures: `(batch, height, width, 3)`, RGB in [0, 1].
            layers: Names of layers. None for the default style and content layers.

        Returns:
            By layer, features `(batch, height, width, channels)`.

        Raises:
            InputError: A layer is unknown, or the pictures are too small.
        """
        layers = (*self.style_layers, self.content_layer) if layers is None else layers
        self.check_size(pictures)
        return self.extractor(layers)(pictures, training=False)

    def check_size(self, pictures: Tensor) -> None:
        """Raise an `InputError` if pictures `(batch, height, width, 3)` of known size are too small."""
        height, width = pictures.shape[1:3]
        if min(height or self.minimum_side, width or self.minimum_side) < self.minimum_side:
            raise InputError(
                f"pictures of {width}x{height} pixels are too small for {self.name}, which needs at least "
                f"{self.minimum_side} a side"
            )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        names = (
            "name",
            "weights",
            "pooling",
            "normalize",
            "seed",
            "precision",
            "input_scaling",
            "activation_smoothing",
            "padding",
        )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Backbone:
        """The backbone with the configuration of `get_config`."""
        return cls(**renamed_keys(config, {"smoothing": "activation_smoothing"}))

    def __repr__(self) -> str:
        return f"Backbone({self.name!r}, weights={self.weights!r}, pooling={self.pooling!r})"


keras.saving.register_keras_serializable(package="tfstyle")(Backbone)


@contextlib.contextmanager
def _dtype_policy(precision: Precision | None) -> Iterator[None]:
    """Set the dtype policy of Keras, as networks of `keras.applications` take none."""
    before = keras.config.dtype_policy()
    if precision is not None:
        keras.config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _is_zero(variable: Any) -> bool:
    return not np.any(keras.ops.convert_to_numpy(variable))
