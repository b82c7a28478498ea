"""AdaIN: any picture in the style of any other, in one pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError, unknown
from tfstyle.core.runtime import check_backend
from tfstyle.features.backbone import Backbone
from tfstyle.images import color_transfer, masks as masks_room
from tfstyle.layers import AdaptiveInstanceNormalization, PadToMultiple
from tfstyle.losses.statistics import MeanAndDeviation, at_least_float32
from tfstyle.models.adain import decoder as decoders, guidance
from tfstyle.models.adain.encoder import Encoder, described, restored
from tfstyle.models.adain.style_code import StyleCode

Tensor = Any
Reduction = Literal["sum", "mean"]
Style = images.Source | StyleCode

# By what the squared differences of a layer's means and deviations become over its channels: 1e-2 in the code of the
# paper's authors (github.com/xunhuang1995/AdaIN-style), 10 in naoto0804/pytorch-AdaIN.
STYLE_WEIGHTS: dict[Reduction, float] = {"sum": 1e-2, "mean": 10.0}
_PRECISIONS = {"float16": "float32", "bfloat16": "bfloat16", "float32": "float32"}  # float16 overflows in VGG


@keras.saving.register_keras_serializable(package="tfstyle")
class AdaIN(keras.Model):
    """Arbitrary style transfer: a frozen encoder, adaptive instance normalisation, and a decoder that is trained.

    With f the encoder's features at one layer and g the decoder, the picture is T = g(t), t = AdaIN(f(c), f(s)), for
    a content c and a style s. Trained once on many photographs and paintings, it paints in styles never seen.

    `fit` takes batches of contents and styles, as of `tf.data.Dataset.zip(contents, styles)`: `(batch, height,
    width, 3)`, RGB in [0, 1]. `model((contents, styles))` and `predict` give pictures of the contents' size, which
    may leave [0, 1]; `stylize` takes and gives single pictures, with all that can be controlled.

    A saved model has the decoder, the optimizer and the encoder's scales in it, but not the encoder's weights: its
    configuration names their source, and they are looked for again as `tfstyle.features.weights` says.

    Args:
        encoder: A `Backbone`, or the name of one with ImageNet weights, padded by reflection as the paper's.
        layer: Whose features get the style's statistics; None for relu4_1 of VGG, or else the content layer.
        style_layers: Whose means and deviations the style loss compares; None for the backbone's, up to `layer`.
        seed: Of the decoder's kernels; None for Keras' own.
        **kwargs: As for `keras.Model`; `dtype` is for the decoder, and for an encoder given by name.

    Raises:
        InputError: An unknown layer, or one that can't be decoded; an encoder in float16; no weights.

    Examples:
        >>> model = AdaIN()
        >>> model.compile()
        >>> model.fit(tf.data.Dataset.zip(contents.batch(8), styles.batch(8)), epochs=10)
        >>> picture = model.stylize("photo.jpg", ["night.jpg", "wave.jpg"], weights=[0.3, 0.7], alpha=0.8)

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
        super().__init__(name=name, autocast=False, **kwargs)  # pictures stay in full precision
        check_backend(keras.backend.backend())
        if isinstance(encoder, str):
            precision: Any = _PRECISIONS.get(self.compute_dtype)
            encoder = Backbone(encoder, precision=precision, padding="reflection")
        if encoder.compute_dtype == "float16":
            raise InputError(
                f"{encoder.name} computes in float16, which its features overflow: give it precision='float32'"
            )
        self.layer = (encoder.spec.adain_layer or encoder.content_layer) if layer is None else layer
        self.style_layers = _up_to(self.layer, encoder) if style_layers is None else tuple(style_layers)
        self.seed = seed
        levels = decoders.levels(encoder, self.layer)
        full = "float64" if self.compute_dtype == "float64" else "float32"
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
        """Nothing is left to be built; Keras notes the shapes, for `export`."""

    def call(self, inputs: Any) -> Tensor:
        """Pictures `(batch, height, width, 3)` of the contents in the styles, of the contents' size.

        Args:
            inputs: Contents and styles, each `(batch, height, width, 3)` of any size, RGB in [0, 1].
        """
        seen = self._seen(inputs)
        return self._decoded(seen["target"], ops.shape(seen["content"])[1:3])

    def _seen(self, inputs: Any) -> dict[str, Any]:
        """All that is known before anything is painted; what is known already is not encoded again."""
        if isinstance(inputs, dict) and "target" in inputs:
            return inputs
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise InputError("AdaIN takes pairs: give contents and styles, or a dataset of (contents, styles)")
        content, style = inputs
        features = self._features(style)
        target = self.adain((self._features(content)[self.layer], self.adain.statistics(features[self.layer])))
        averages = {layer: self._statistic(features[layer]) for layer in self.style_layers}
        return {"content": content, "style": style, "style_averages": averages, "target": target}

    def _features(self, pictures: Tensor) -> dict[str, Tensor]:
        self.encoder.backbone.check_size(pictures)  # before they are padded, which the message need not know of
        return self.encoder(self._pad(pictures))

    def _decoded(self, features: Tensor, size: Any, decoder: keras.Model | None = None) -> Tensor:
        """Pictures of a size, from features of the padded ones; by the model's decoder, or another form of it."""
        pictures = (decoder or self.decoder)(features)
        height, width = size
        if not self._exact:  # a backbone that loses borders has fewer features than a multiple of the stride
            multiple = self._pad.multiple
            padded = tuple(side + (multiple - side % multiple) % multiple for side in (height, width))
            pictures = tf.image.resize(pictures, padded)  # keras.ops takes no size that is known but in the graph
        return pictures[:, :height, :width]

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
        - style: Σ over layers of Σ over channels (or their mean, by the `reduction` of `compile`) of
          (μ(g(t)) − μ(s))² + (σ(g(t)) − σ(s))².

        Args:
            x: Contents and styles, as for `call`.
            y: Not used.
            y_pred: The pictures g(t).
            sample_weight: Not used.
            training: Not used.

        Reference:
            Huang & Belongie 2017, equations 11 to 13.
        """
        seen = self._seen(x)
        found = self._features(y_pred)
        difference = at_least_float32(found[self.layer]) - at_least_float32(seen["target"])
        content = self.content_weight * ops.mean(ops.square(difference))
        style = self.style_weight * sum(
            ops.mean(self._statistic.distance(self._statistic(found[layer]), seen["style_averages"][layer]))
            * (found[layer].shape[-1] if self.reduction == "sum" else 1)
            for layer in self.style_layers
        )
        batch = ops.shape(y_pred)[0]
        self.content_tracker.update_state(content, sample_weight=batch)
        self.style_tracker.update_state(style, sample_weight=batch)
        return (content + style) / tf.distribute.get_strategy().num_replicas_in_sync  # gradients are summed over them

    def train_step(self, data: Any) -> dict[str, Tensor]:
        """Keras' own step; contents and styles are encoded before it, once for `call` and `compute_loss`."""
        return super().train_step((self._seen(_pair(data)),))

    def test_step(self, data: Any) -> dict[str, Tensor]:
        """Keras' own step, see `train_step`."""
        return super().test_step((self._seen(_pair(data)),))

    def predict_step(self, data: Any) -> Tensor:
        """Keras' own step, where a dataset's styles would be taken for labels."""
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
            optimizer: A Keras optimizer or its name; None for Adam at 1e-4 / (1 + 5e-5 step).
            content_weight: Factor of the content loss.
            style_weight: Factor of the style loss; None for 1e-2 with "sum", and 10 with "mean".
            reduction: Of the style loss over channels: `"sum"` as the authors' code has it, or `"mean"` as the widely
                used one in PyTorch, in which the coarse layers count for less.
            **kwargs: As for `keras.Model.compile`, but for losses and metrics, which the model has.

        Raises:
            InputError: Another reduction, a negative weight, or losses or metrics.
        """
        for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.get(name) is not None:
                raise InputError(f"AdaIN takes no {name}: its content and style loss are both loss and metrics")
        if reduction not in STYLE_WEIGHTS:
            raise unknown("reduction", reduction, STYLE_WEIGHTS)
        style_weight = STYLE_WEIGHTS[reduction] if style_weight is None else style_weight
        for name, weight in (("content_weight", content_weight), ("style_weight", style_weight)):
            if not weight >= 0:
                raise InputError(f"{name} {weight:g} is negative: give 0 or more")
        self.content_weight, self.style_weight, self.reduction = content_weight, style_weight, reduction
        super().compile(optimizer=adam() if optimizer is None else optimizer, **kwargs)
        self.optimizer.build(self.trainable_variables)  # so that its state can be loaded before any step

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was called with."""
        config = super().get_compile_config()
        own = ("content_weight", "style_weight", "reduction")
        return {**config, **{name: getattr(self, name) for name in own}} if config else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as before saving, with room for the optimizer's state (Keras leaves both to custom models)."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def encode_style(self, style: images.Source, mask: images.Source | None = None) -> StyleCode:
        """What the model needs to know of a style.

        Args:
            style: A picture of any size: path, PIL image or array.
            mask: What of it counts, as a grey picture of its shape: white does. None for all.

        Raises:
            InputError: The picture or the mask can't be read or used.
        """
        picture = images.load(style)
        features = self._features(ops.convert_to_tensor(picture.rgb[None]))[self.layer]
        weights = None
        if mask is not None:
            shape = picture.rgb.shape[:2]
            where = masks_room.regions((), [mask], [1.0], shape, [shape]).styles[0]
            assert where is not None
            weights = guidance.shrunk(where, self._pad.multiple, features)
        found = self.adain.statistics(features, weights)
        scale = ops.convert_to_numpy(self.encoder.scales[self.layer])
        mean, deviation = (ops.convert_to_numpy(found[key])[0] * scale for key in ("mean", "deviation"))
        return StyleCode(mean, deviation, self._place)

    def stylize(
        self,
        content: images.Source,
        styles: Style | Sequence[Style],
        *,
        alpha: float | images.Source = 1.0,
        weights: Sequence[float] | None = None,
        masks: images.Source | Sequence[images.Source] = (),
        preserve_color: str | None = None,
    ) -> np.ndarray:
        """A picture in one style or in a mix of several.

        Args:
            content: A picture of any size: path, PIL image or array.
            styles: One picture or style code, or a list of them.
            alpha: How much of the style, from 0 (the content, as the decoder gives it) to 1: a number, or for each
                pixel a grey picture of the content's shape, such as a mask or a map of depths.
            weights: Of the styles, 0 or more; only their ratios count. None for equal ones.
            masks: Where on the content: none, one for the mix of all styles, or one for each style; grey and soft,
                white is where. Regions are normalised each by its own statistics, as in the authors' code, and what
                no mask covers stays the content.
            preserve_color: One of `tfstyle.images.color_transfer.KINDS`, to keep the content's colours; None not to.

        Returns:
            float32 (height, width, 3) in [0, 1], of the content's size; transparency is left behind.

        Raises:
            InputError: A picture or mask can't be read or used, numbers of things that don't match, or codes of
                another layer.

        Reference:
            Huang & Belongie 2017, section 7.3: content-style trade-off, interpolation, spatial and color control.
        """
        photo = images.load(content)
        paintings = _listed(styles)
        mix = guidance.shares(weights, len(paintings))
        shown = photo
        if preserve_color is not None:
            if any(isinstance(style, StyleCode) for style in paintings):
                raise InputError("colours can't be kept with style codes, which have none: give the style pictures")
            paintings = [images.load(style) for style in paintings]
            shown, paintings = color_transfer.prepared(preserve_color, photo, paintings, mix)
        codes = [style if isinstance(style, StyleCode) else self.encode_style(style) for style in paintings]
        size = photo.rgb.shape[:2]
        where = masks_room.regions(_listed(masks), (), mix, size, [size] * len(codes))
        features = self._features(ops.convert_to_tensor(shown.rgb[None]))[self.layer]
        multiple = self._pad.multiple
        target = guidance.moved(
            self.adain,
            features,
            [self._statistics(StyleCode.mix(codes, row)) for row in where.mix.tolist()],
            None if where.everywhere else guidance.shrunk(where.content, multiple, features),
        )
        strength = guidance.shrunk(guidance.strength(alpha, size), multiple, features)
        painted = self._decoded(guidance.weakened(target, features, strength), size)
        picture = np.clip(ops.convert_to_numpy(painted)[0], 0, 1).astype(np.float32, copy=False)
        return picture if preserve_color is None else color_transfer.restore(preserve_color, picture, photo)

    def _statistics(self, code: StyleCode) -> dict[str, Tensor]:
        """A style's statistics in units of the scaled features."""
        if code.layer != self._place:
            raise InputError(
                f"the style code is of {code.layer}, and the model's styles of {self._place}: encode the style anew"
            )
        scale = self.encoder.scales[self.layer]
        return {key: getattr(code, key)[None] / scale for key in ("mean", "deviation")}

    @property
    def _place(self) -> str:
        return f"{self.encoder.backbone.name}/{self.layer}"

    def load_torch_decoder(
        self, state_dict: Mapping[str, Any], encoder_state_dict: Mapping[str, Any] | None = None
    ) -> None:
        """Load a decoder of naoto0804/pytorch-AdaIN's layout, as `torch.load(path, weights_only=True)` gives it.

        A decoder belongs to its encoder: the published ones to a VGG19 with normalised filters, padded by reflection.
        With that one's state dict too, the features get its scales.

        Args:
            state_dict: The decoder's PyTorch tensors or arrays by name.
            encoder_state_dict: The encoder's; None to leave the scales as they are.

        Raises:
            InputError: Other convolutions than the decoder's, or an encoder that is no scaled version of this one.
        """
        if encoder_state_dict is not None:
            self.encoder.load_torch_scales(encoder_state_dict)
        decoders.load_torch(self.decoder, state_dict)

    def take_decoder(self, model: AdaIN) -> None:
        """Take over the decoder of a trained model, and the scales of its encoder, to train on from there.

        Args:
            model: On the same network, with the same layer.

        Raises:
            InputError: It isn't.
        """
        if not isinstance(model, AdaIN) or model._place != self._place:
            given = f"an AdaIN at {model._place}" if isinstance(model, AdaIN) else f"a {type(model).__name__}"
            raise InputError(f"the model to begin with is {given}, and this one an AdaIN at {self._place}: give such")
        self.decoder.set_weights(model.decoder.get_weights())
        for layer, scale in self.encoder.scales.items():
            if layer in model.encoder.scales:
                scale.assign(model.encoder.scales[layer])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "encoder": described(self.encoder.backbone),
            "layer": self.layer,
            "style_layers": self.style_layers,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> AdaIN:
        """A model as `get_config` described it, untrained, for the weights to be loaded into."""
        return cls(**{**config, "encoder": restored(config["encoder"])})


def _up_to(layer: str, backbone: Backbone) -> tuple[str, ...]:
    """The backbone's style layers, up to a layer."""
    order = {name: place for place, name in enumerate(backbone.layer_names)}
    if layer not in order:
        raise unknown(f"layer of {backbone.name}", layer, order)
    return tuple(name for name in backbone.style_layers if order[name] <= order[layer]) or (layer,)


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _pair(data: Any) -> Any:
    """Contents and styles, of which Keras takes a dataset's second for labels."""
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    return x if y is None else (x, y)


def adam(learning_rate: float = 1e-4, decay: float = 5e-5) -> keras.optimizers.Optimizer:
    """Adam as the authors' code has it: `learning_rate / (1 + decay step)`, and Torch's epsilon."""
    rate = keras.optimizers.schedules.InverseTimeDecay(learning_rate, decay_steps=1, decay_rate=decay)
    return keras.optimizers.Adam(rate, epsilon=1e-8)
