"""Any `keras.applications` model, or `VGG19Mini`, as a frozen feature extractor that takes RGB in [0, 1]."""

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
from tfstyle.features import weights as weights_room
from tfstyle.features.receptive_field import ReceptiveField, receptive_fields
from tfstyle.features.registry import (
    DEFAULTS,
    GRIDS,
    Defaults,
    build,
    he_initialize,
    minimum_side,
    names,
    sees_as,
    stable_names,
)
from tfstyle.layers import SCALINGS, PadToMultiple, Preprocessing, ReflectedConvolution, Scaling

Tensor = Any
Pooling = Literal["max", "avg"]
Padding = Literal["zeros", "reflection"]
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


class Backbone:
    """A frozen `keras.applications` network, or `VGG19Mini`, asked for the features of named layers.

    It takes RGB pictures in [0, 1] and does its own preprocessing; batch normalisation runs in inference
    mode; what lies above the deepest layer asked for is cut off.

    Layer names are those of a fresh process, in any process and in any order of construction: Keras numbers
    InceptionV3's layers on and on (`activation_94`, ...), here they always begin with `activation`.

    Args:
        name: Name of the `keras.applications` model, or "VGG19Mini"; case doesn't matter.
        weights: `"imagenet"` (see `tfstyle.features.weights`), `"embedded"` for those of
            `VGG19Mini` that come with the package, `"random"` (He initialisation from `seed`, normalised), or the
            path of a weights file without top. None for embedded ones where there are, else ImageNet's.
        pooling: `"max"` leaves the network as it is, `"avg"` replaces its max pooling by average pooling
            (section 2 of Gatys et al. 2016: slightly more appealing results).
        normalize: Whether terms scale each layer's features to a mean activation of 1 on the pictures at
            hand (Gatys' normalised VGG, generalised, with one factor a layer). None: for random weights only.
        seed: Seed of random weights.
        input_scaling: `"own"` for what the network was trained on; `"unit"` or `"symmetric"` for RGB in [0, 1] or
            [-1, 1], so that networks of different preprocessing see the same numbers.
        smoothing: Whether features pass a softmax over channels, which makes the peaked ones of residual networks
            even (Wang, Li & Vasconcelos 2021, "Rethinking and Improving the Robustness of Image Style Transfer").
        padding: `"zeros"` leaves the network as it is, `"reflection"` pads convolutions of stride 1 by reflection
            (section 6.1 of Huang & Belongie 2017: against artifacts at borders).
        precision: `"float32"`, or `"bfloat16"` for convolutions in bfloat16 with weights, statistics and
            losses in float32. None for Keras' dtype policy.

    Raises:
        InputError: Unknown name, no weights, or a file that doesn't fit.

    Examples:
        >>> vgg = Backbone("VGG19", weights="random")
        >>> pictures = np.zeros((1, 64, 64, 3), "float32")
        >>> features = vgg(pictures, ["block1_conv1", "block4_conv2"])
        >>> tuple(features["block4_conv2"].shape)
        (1, 8, 8, 512)
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
        smoothing: bool = False,
        padding: Padding = "zeros",
    ) -> None:
        canonical = {known.lower(): known for known in names()}
        if name.lower() not in canonical:
            raise unknown("backbone", name, names())
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
        self.name = canonical[name.lower()]
        self.weights = os.fspath(weights_room.default(self.name) if weights is None else weights)
        self.pooling = pooling
        self.normalize = self.weights == "random" if normalize is None else normalize
        self.seed = seed
        self.precision = precision
        self.input_scaling = input_scaling
        self.smoothing = smoothing
        self.padding = padding
        # A missing file is found out before the network is built, which takes seconds.
        file = None if self.weights == "random" else weights_room.find(self.name, self.weights)
        with _dtype_policy(precision):
            self._application = build(self.name)
        if file is None:
            he_initialize(self._application, seed)
            self.weights_record: dict[str, Any] = {"name": "random", "source": f"He, seed {seed}"}
        else:
            weights_room.load_into(self._application, self.name, file)
            self.weights_record = file.record()
        self._layers = stable_names(self._application)
        self._extractors: dict[tuple[str, ...], keras.Model] = {}
        self._fields: dict[tuple[str, ...], dict[str, ReceptiveField]] = {}

    @property
    def layer_names(self) -> tuple[str, ...]:
        """All layers' names, from the input upwards."""
        return tuple(self._layers)

    @property
    def compute_dtype(self) -> str:
        """What the network computes in, as the dtype policy was when it was built."""
        return self._application.layers[-1].compute_dtype

    @property
    def trained(self) -> bool:
        """Whether the weights are not random."""
        return self.weights != "random"

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels, that the network takes."""
        return minimum_side(self.name)

    @property
    def multiple(self) -> int:
        """What both sides of a picture are padded to a multiple of, in pixels; 1 for no padding."""
        return GRIDS[self.name][1] if self.name in GRIDS else 1

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The layers whose statistics are the style, when none are named."""
        return self._defaults.style

    @property
    def content_layer(self) -> str:
        """The layer whose features are the content, when none is named."""
        return self._defaults.content

    @functools.cached_property
    def _defaults(self) -> Defaults:
        return DEFAULTS.get(self.name) or self._defaults_by_stride()

    def _defaults_by_stride(self) -> Defaults:
        """For networks without a table: the last layer at each stride to 16; content is that of stride 8."""
        side, shapes = self._shapes(self._application, self._layers)
        by_stride: dict[int, str] = {}
        for name, shape in shapes.items():
            kind = type(self._layers[name]).__name__
            features = kind in ("Activation", "ReLU", "Add", "Concatenate", "Conv2D", "Multiply")
            if kind == "Activation" and self._layers[name].activation is keras.activations.linear:
                continue  # a mere name, as that of ConvNeXt's branches before they are added
            if features and len(shape) == 4 and shape[1] and side // shape[1] <= 16 and shape[1] > 1:
                by_stride[round(side / shape[1])] = name
        strides = sorted(by_stride)
        middle = max((s for s in strides if s <= 8), default=strides[-1])
        return Defaults(by_stride[middle], tuple(by_stride[stride] for stride in strides))

    def extractor(self, layers: Iterable[str]) -> keras.Model:
        """The network from RGB in [0, 1], `(batch, height, width, 3)`, to `{layer name: features}`.

        Args:
            layers: Names of layers; each is asked for once, in whatever order.

        Raises:
            InputError: An unknown layer (the nearest names are suggested), or one whose weights are all zero.
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
                    f"can't all be had from it; ask for layers below, or give the complete weights"
                )
        pictures = keras.Input((None, None, 3), name="pictures")
        full = "float64" if self.compute_dtype == "float64" else "float32"  # never half precision
        x = Preprocessing(sees_as(self.name), self.input_scaling, dtype=full)(pictures)
        if self.name in GRIDS:
            x = PadToMultiple(self.multiple, dtype=full)(x)
        # Running the graph again on an input without a size keeps layers and weights, and swaps pooling and padding.
        size = keras.Input(x.shape[1:])
        frozen = keras.models.clone_model(application, input_tensors=size, clone_function=self._swapped)
        frozen.trainable = False
        features = frozen(x, training=False)
        if self.smoothing:
            features = {layer: keras.layers.Softmax(axis=-1, dtype=full)(each) for layer, each in features.items()}
        return keras.Model(pictures, features, name=f"{self.name.lower()}_features", trainable=False)

    def _swapped(self, layer: keras.layers.Layer) -> keras.layers.Layer:
        """The layer that takes another one's place."""
        if self.pooling == "avg" and isinstance(layer, keras.layers.MaxPooling2D):
            return keras.layers.AveragePooling2D(
                layer.pool_size, layer.strides, layer.padding, dtype=layer.dtype_policy
            )
        if self.padding == "reflection" and ReflectedConvolution.fits(layer):
            return ReflectedConvolution(layer)
        return layer

    def receptive_fields(self, layers: Iterable[str]) -> dict[str, ReceptiveField]:
        """What each layer's features see of the picture.

        Raises:
            InputError: An unknown layer, or one that looks at the whole picture.
        """
        wanted = tuple(layers)
        if wanted not in self._fields:
            self._fields[wanted] = receptive_fields(self.extractor(wanted))
        return self._fields[wanted]

    def below(self, layers: Iterable[str]) -> tuple[int, list[tuple[keras.layers.Layer, tuple[int, ...]]]]:
        """The side, in pixels, of a picture, and all layers up to the given ones with their shapes for it.

        Raises:
            InputError: An unknown layer.
        """
        self.extractor(layers)  # which refuses layers that there aren't
        cut = keras.Model(self._application.input, [self._layers[layer].output for layer in set(layers)])
        side, shapes = self._shapes(cut, {layer.name: layer for layer in cut.layers})
        return side, [(layer, shapes[layer.name]) for layer in cut.layers]

    def feature_bytes(self, layers: Iterable[str]) -> float:
        """Bytes per pixel of a picture of all features up to the given layers, roughly."""
        side, below = self.below(tuple(layers))
        numbers = sum(math.prod(shape[1:]) for _, shape in below)
        return numbers / side**2 * {"float64": 8, "float32": 4}.get(self.compute_dtype, 2)

    def _shapes(
        self, network: keras.Model, layers: dict[str, keras.layers.Layer]
    ) -> tuple[int, dict[str, tuple[int, ...]]]:
        """The side, in pixels, of a picture that fits the network, and its layers' shapes for it."""
        outputs = {name: layer.output for name, layer in layers.items()}
        side = GRIDS[self.name][0] if self.name in GRIDS else 256
        if self.name not in GRIDS:  # else they know their sizes
            outputs = keras.Model(network.input, outputs)(keras.Input((side, side, 3)))
        return side, {name: output.shape for name, output in outputs.items()}

    def __call__(self, pictures: Tensor, layers: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Features of pictures.

        Args:
            pictures: `(batch, height, width, 3)`, RGB in [0, 1].
            layers: Names of layers; the default style and content layers where none are named.

        Raises:
            InputError: An unknown layer, or pictures smaller than the network takes.
        """
        layers = (*self.style_layers, self.content_layer) if layers is None else layers
        self.check_size(pictures)
        return self.extractor(layers)(pictures, training=False)

    def check_size(self, pictures: Tensor) -> None:
        """Raise an `InputError` if pictures `(batch, height, width, 3)` are known to be too small."""
        height, width = pictures.shape[1:3]
        if min(height or self.minimum_side, width or self.minimum_side) < self.minimum_side:
            raise InputError(
                f"pictures of {width}x{height} pixels are too small for {self.name}, which needs at least "
                f"{self.minimum_side} a side"
            )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = (
            "name",
            "weights",
            "pooling",
            "normalize",
            "seed",
            "precision",
            "input_scaling",
            "smoothing",
            "padding",
        )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Backbone:
        """The backbone that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"Backbone({self.name!r}, weights={self.weights!r}, pooling={self.pooling!r})"


keras.saving.register_keras_serializable(package="tfstyle")(Backbone)


@contextlib.contextmanager
def _dtype_policy(precision: Precision | None) -> Iterator[None]:
    """Keras' dtype policy for what is built within; applications take none of their own."""
    before = keras.config.dtype_policy()
    if precision is not None:
        keras.config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _is_zero(variable: Any) -> bool:
    return not np.any(keras.ops.convert_to_numpy(variable))
