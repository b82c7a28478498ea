"""AdaIN: any content image in the style of any other image, in one pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core.compile_options import without_losses
from tfstyle.core.errors import InputError, unknown
from tfstyle.core.gradients import gradients_owned
from tfstyle.core.precision import image_dtype
from tfstyle.core.runtime import check_backend
from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.layers import AdaptiveInstanceNormalization, PadToMultiple
from tfstyle.losses.statistics import MeanAndDeviation, at_least_float32
from tfstyle.models.adain import decoder as decoders, signatures
from tfstyle.models.adain.encoder import Encoder, backbone_config, backbone_from_config
from tfstyle.models.adain.stylization import AdaINStylization
from tfstyle.models.signatures import Sample, Signature

Reduction = Literal["sum", "mean"]

# The style weight depends on how the squared differences of a layer's channels are reduced: 1e-2 in the code of the
# paper's authors (github.com/xunhuang1995/AdaIN-style), 10 in naoto0804/pytorch-AdaIN.
STYLE_WEIGHTS: dict[Reduction, float] = {"sum": 1e-2, "mean": 10.0}
LEARNING_RATE, DECAY = 1e-4, 5e-5  # of the authors' code
_ENCODER_PRECISIONS = {"float16": "float32", "bfloat16": "bfloat16", "float32": "float32"}  # VGG overflows float16


@keras.saving.register_keras_serializable(package="tfstyle")
class AdaIN(AdaINStylization):
    """Arbitrary style transfer: a frozen encoder, adaptive instance normalisation, and a decoder that is trained.

    With f the encoder's features at one layer and g the decoder, the result is T = g(t), t = AdaIN(f(c), f(s)), for
    a content image c and a style image s. Trained once on many photographs and paintings, it paints in styles that it
    has never seen.

    `fit` takes batches of contents and styles, as of `tf.data.Dataset.zip(contents, styles)`: `(batch, height,
    width, 3)`, RGB in [0, 1]. `model((contents, styles))` and `predict` return images of the contents' size, which
    may exceed [0, 1]. `stylize` takes and returns single images, with all that can be controlled.

    A saved model contains the decoder, the optimizer and the encoder's scales, but not the encoder's weights: its
    configuration names their source, where `tfstyle.features.weights` finds them again.

    Args:
        encoder: A `Backbone`, or the name of one with ImageNet weights, padded by reflection as the paper's.
        layer: The layer whose features get the style's statistics; None for relu4_1 of VGG, and for the content layer
            of other backbones.
        style_layers: The layers whose means and deviations the style loss compares; None for the style layers of the
            backbone, up to `layer`.
        seed: Seed of the decoder's initial kernels; None for Keras' own.
        **kwargs: As for `keras.Model`. `dtype` applies to the decoder, and to an encoder given by name.

    Raises:
        InputError: An unknown layer, or one that can't be decoded; an encoder in float16; no weights.

    Examples:
        >>> model = AdaIN()
        >>> model.compile()
        >>> model.fit(tf.data.Dataset.zip(contents.batch(8), styles.batch(8)), epochs=10)
        >>> styles = ["night.jpg", "wave.jpg"]
        >>> image = model.stylize("photo.jpg", styles, style_weights=[0.3, 0.7], alpha=0.8)

    Reference:
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization".
    """

    def __init__(
        self,
        encoder: Backbone | str = "VGG19",
        layer: str | None = None,
        style_layers: Sequence[str] | None = None,
        seed: int | None = None,
        name: str = "adain",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, autocast=False, **kwargs)  # images stay in full precision
        check_backend(keras.backend.backend())
        if isinstance(encoder, str):
            precision: Any = _ENCODER_PRECISIONS.get(self.compute_dtype)
            encoder = Backbone(encoder, precision=precision, padding="reflection")
        if encoder.compute_dtype == "float16":
            raise InputError(
                f"{encoder.name} computes in float16, which its features overflow: give it precision='float32'"
            )
        self.layer = (encoder.spec.adain_layer or encoder.content_layer) if layer is None else layer
        self.style_layers = _up_to(self.layer, encoder) if style_layers is None else tuple(style_layers)
        self.seed = seed
        levels = decoders.levels(encoder, self.layer)
        full = image_dtype(self.dtype_policy)
        self.encoder = Encoder(encoder, sorted({self.layer, *self.style_layers}), dtype=full, name="encoder")
        self.adain = AdaptiveInstanceNormalization(dtype=full, name="adain")
        self.decoder = decoders.mirrored(levels, self.dtype_policy, seed)
        self._pad = PadToMultiple(math.lcm(levels[0].stride, encoder.multiple), dtype=full)
        self._exact = decoders.exact(encoder, self.layer)
        self._statistic = MeanAndDeviation(self.adain.epsilon)
        self.content_tracker = keras.metrics.Mean(name="content")
        self.style_tracker = keras.metrics.Mean(name="style")
        self.build(((None, None, None, 3), (None, None, None, 3)))

    def build(self, input_shape: Any) -> None:
        """Keras records the shapes, for `export`; everything is built already."""

    def call(self, inputs: Any) -> Tensor:
        """The contents in the styles: images `(batch, height, width, 3)` of the contents' size.

        Args:
            inputs: Contents and styles, each `(batch, height, width, 3)` of any size, RGB in [0, 1].
        """
        encoded = self._encoded(inputs)
        return self.decode(encoded["target"], ops.shape(encoded["content"])[1:3])

    def _encoded(self, inputs: Any) -> dict[str, Any]:
        """Contents, styles and what is computed from their features; inputs that are encoded already as they are."""
        if isinstance(inputs, dict) and "target" in inputs:
            return inputs
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise InputError("AdaIN takes pairs: give contents and styles, or a dataset of (contents, styles)")
        content, style = inputs
        features = self.features(style)
        target = self.adain((self.features(content)[self.layer], self.adain.statistics(features[self.layer])))
        averages = {layer: self._statistic(features[layer]) for layer in self.style_layers}
        return {"content": content, "style": style, "style_averages": averages, "target": target}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The content and the style loss of the paper, each with its weight, as means over the batch.

        - content: mean over positions and channels of (f(g(t)) − t)²;
        - style: Σ over layers of Σ over channels (or the mean, by the `reduction` of `compile`) of
          (μ(g(t)) − μ(s))² + (σ(g(t)) − σ(s))².

        Args:
            x: Contents and styles, as for `call`.
            y: Not used.
            y_pred: The images g(t).
            sample_weight: Not used.
            training: Not used.

        Reference:
            Huang & Belongie 2017, equations 11 to 13.
        """
        encoded = self._encoded(x)
        features = self.features(y_pred)
        difference = at_least_float32(features[self.layer]) - at_least_float32(encoded["target"])
        content = self.content_weight * ops.mean(ops.square(difference))
        style = self.style_weight * sum(
            ops.mean(self._statistic.distance(self._statistic(features[layer]), encoded["style_averages"][layer]))
            * (features[layer].shape[-1] if self.reduction == "sum" else 1)
            for layer in self.style_layers
        )
        batch = ops.shape(y_pred)[0]
        self.content_tracker.update_state(content, sample_weight=batch)
        self.style_tracker.update_state(style, sample_weight=batch)
        return (content + style) / tf.distribute.get_strategy().num_replicas_in_sync  # gradients are summed over them

    def train_step(self, data: Any) -> dict[str, Tensor]:
        """Keras' own step; `call` and `compute_loss` share the encoded contents and styles."""
        with gradients_owned():  # of Keras' optimizers, too: else each training would leave its graph behind
            return super().train_step((self._encoded(_pair(data)),))

    def test_step(self, data: Any) -> dict[str, Tensor]:
        """Keras' own step; `call` and `compute_loss` share the encoded contents and styles."""
        return super().test_step((self._encoded(_pair(data)),))

    def predict_step(self, data: Any) -> Tensor:
        """Keras' own step, which would take the styles of a dataset for labels."""
        return super().predict_step((_pair(data),))

    def compile(
        self,
        optimizer: Any = None,
        *,
        content_weight: float = 1.0,
        style_weight: float | None = None,
        reduction: Reduction = "sum",
        **kwargs: Any,
    ) -> None:
        """Configure the training; without arguments, as in the paper.

        Args:
            optimizer: A Keras optimizer or its name; None for Adam with the rate 1e-4 / (1 + 5e-5 step).
            content_weight: Factor of the content loss, from 0 upwards.
            style_weight: Factor of the style loss, from 0 upwards; None for 1e-2 with "sum", and 10 with "mean".
            reduction: How the style loss is reduced over channels: `"sum"` as in the authors' code, or `"mean"` as in
                the widely used PyTorch code, which gives the coarse layers less weight.
            **kwargs: As for `keras.Model.compile`, without losses and metrics, which the model has.

        Raises:
            InputError: An unknown reduction, a negative weight, or losses or metrics.
        """
        options = without_losses("AdaIN", kwargs)
        if reduction not in STYLE_WEIGHTS:
            raise unknown("reduction", reduction, STYLE_WEIGHTS)
        style_weight = STYLE_WEIGHTS[reduction] if style_weight is None else style_weight
        for name, weight in (("content_weight", content_weight), ("style_weight", style_weight)):
            if not weight >= 0:
                raise InputError(f"{name} {weight:g} is negative: give 0 or more")
        self.content_weight, self.style_weight, self.reduction = content_weight, style_weight, reduction
        super().compile(optimizer=adam() if optimizer is None else optimizer, **options)
        self.optimizer.build(self.trainable_variables)  # so that its state can be loaded before any step

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`."""
        config = super().get_compile_config()
        weights = ("content_weight", "style_weight", "reduction")
        return {**config, **{name: getattr(self, name) for name in weights}} if config else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as before saving, and make room for the optimizer's state, which Keras leaves to custom models."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def signatures(self) -> list[Signature]:
        """The functions that the model is exported as."""
        return signatures.signatures(self)

    def export_samples(self) -> list[Sample]:
        """Calls of these functions, and the images that the model itself paints for them."""
        return signatures.samples(self)

    def in_float32(self) -> AdaIN:
        """The model, or a copy that computes in float32."""
        return signatures.in_float32(self)

    def load_torch_decoder(
        self, state_dict: Mapping[str, Any], encoder_state_dict: Mapping[str, Any] | None = None
    ) -> None:
        """Load a decoder with the layout of naoto0804/pytorch-AdaIN, from `torch.load(path, weights_only=True)`.

        A decoder belongs to its encoder: the published ones to a VGG19 with normalised filters, padded by reflection.
        With the state dict of that encoder, the features get its scales.

        Args:
            state_dict: The decoder's PyTorch tensors or arrays by name.
            encoder_state_dict: The encoder's; None to leave the scales as they are.

        Raises:
            InputError: Other convolutions than the decoder's, or an encoder that is no scaled version of this one.
        """
        if encoder_state_dict is not None:
            self.encoder.load_torch_scales(encoder_state_dict)
        decoders.load_torch(self.decoder, state_dict)

    def copy_weights(self, model: Any) -> None:
        """Copy the decoder of a trained model and the scales of its encoder, to continue its training.

        Args:
            model: An `AdaIN` on the same backbone, with the same layer.

        Raises:
            InputError: It is another model.
        """
        same_class = isinstance(model, AdaIN)
        if not same_class or model.code_layer != self.code_layer:
            initial = f"an AdaIN at {model.code_layer}" if same_class else f"a {type(model).__name__}"
            raise InputError(
                f"the initial model is {initial}, and this one an AdaIN at {self.code_layer}: give an AdaIN on that "
                f"backbone, with that layer"
            )
        self.decoder.set_weights(model.decoder.get_weights())
        for name, scale in self.encoder.scales.items():
            if name in model.encoder.scales:
                scale.assign(model.encoder.scales[name])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "encoder": backbone_config(self.encoder.backbone),
            "layer": self.layer,
            "style_layers": self.style_layers,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> AdaIN:
        """The model that `get_config` describes, untrained; its weights can be loaded then."""
        return cls(**{**config, "encoder": backbone_from_config(config["encoder"])})


def _up_to(layer: str, backbone: Backbone) -> tuple[str, ...]:
    """The style layers of a backbone, up to a layer."""
    order = {name: place for place, name in enumerate(backbone.layer_names)}
    if layer not in order:
        raise unknown(f"layer of {backbone.name}", layer, order)
    return tuple(name for name in backbone.style_layers if order[name] <= order[layer]) or (layer,)


def _pair(data: Any) -> Any:
    """Contents and styles; Keras takes the second part of a dataset for labels."""
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    return x if y is None else (x, y)


def adam(learning_rate: float = LEARNING_RATE, decay: float = DECAY) -> keras.optimizers.Optimizer:
    """Adam as in the authors' code: the rate `learning_rate / (1 + decay step)`, and Torch's epsilon."""
    rate = keras.optimizers.schedules.InverseTimeDecay(learning_rate, decay_steps=1, decay_rate=decay)
    return keras.optimizers.Adam(rate, epsilon=1e-8)
