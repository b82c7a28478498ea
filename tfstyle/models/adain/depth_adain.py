"""DepthAdaIN: AdaIN with a depth module, in training and in painting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.typing import Tensor
from tfstyle.features.backbone import Backbone
from tfstyle.models.adain.adain import AdaIN
from tfstyle.models.depth import DepthMini, DepthModule, MapFile, strength
from tfstyle.models.depth.inverse_depth import differentiable

DEPTH_WEIGHT = 100.0  # chosen: squared differences of inverse depth are below 0.1, and the content loss is some units


@keras.saving.register_keras_serializable(package="tfstyle")
class DepthAdaIN(AdaIN):
    """AdaIN with a depth module, which estimates how near each point of the content image is.

    Depth has two uses. In training, the result should be as deep as its content; a third loss is added to AdaIN's:

        depth loss = mean over pixels of (d(g(t)) − d(c))²

    where d is the inverse depth by the depth module (`tfstyle.depth`), c the content image and g(t) the result. The
    depth module is not trained. In painting, the strength of the style varies with the inverse depth (`stylize`). The
    two are independent: with a decoder that AdaIN has trained (`from_adain`), `stylize` needs no training.

    Of Wu & Song 2020 only one sentence was at hand: "integrating the depth computation module of the content image
    into the encoder-decoder structure while preserving the structure". Here "integrating" is read as both of the
    above, and "preserving the structure" as the depth loss. That loss follows Liu et al. 2017 and Ioannou & Maddock
    2022, whose networks are trained so that a depth network estimates the same depth for the result as for its
    content. Strength by depth follows Kitov et al. 2020. Weights and strengths are chosen.

    Args:
        encoder: A `Backbone` or its name, as for `AdaIN`.
        layer: The layer whose features get the style's statistics, as for `AdaIN`.
        style_layers: The layers of the style loss, as for `AdaIN`.
        seed: Seed of the decoder's initial kernels; None for Keras' own.
        depth: A depth module: a Keras model, which is frozen, or any callable; `"auto"` for a `DepthMini`; None for
            none, so that `stylize` needs maps. A module that is no Keras object isn't saved with the model.
        **kwargs: As for `AdaIN`.

    Raises:
        InputError: An argument that `AdaIN` refuses, or a depth that is no depth module.

    Examples:
        >>> model = DepthAdaIN.from_adain(trained)
        >>> image = model.stylize("photo.jpg", "night.jpg", near=0.2)
        >>> model.compile(depth_weight=100.0)
        >>> model.fit(tf.data.Dataset.zip(contents.batch(8), styles.batch(8)))

    Reference:
        Wu & Song 2020 (as quoted above); Liu, Cheng, Lai & Rosin 2017, "Depth-Aware Neural Style Transfer"; Kitov,
        Kozlovtsev & Mishustina 2020, "Depth-Aware Arbitrary Style Transfer Using Instance Normalization"
        (arXiv:1906.01123); Ioannou & Maddock 2022, "Depth-aware Neural Style Transfer using Instance Normalization".
    """

    def __init__(
        self,
        encoder: Backbone | str = "VGG19",
        layer: str | None = None,
        style_layers: Sequence[str] | None = None,
        seed: int | None = None,
        depth: DepthModule | str | None = "auto",
        name: str = "depth_adain",
        **kwargs: Any,
    ) -> None:
        if not (callable(depth) or depth is None or depth == "auto"):
            raise InputError(f"depth {depth!r} is no depth module: give a Keras model, a callable, 'auto' or None")
        # Before AdaIN's constructor, after which Keras takes no more layers.
        self.depth = DepthMini(dtype="float32") if isinstance(depth, str) else depth
        self.depth_tracker = keras.metrics.Mean(name="depth")
        super().__init__(encoder, layer, style_layers, seed, name=name, **kwargs)
        if isinstance(self.depth, keras.Layer):
            self.depth.trainable = False
        self.depth_weight = 0.0

    @classmethod
    def from_adain(cls, model: AdaIN, depth: DepthModule | str | None = "auto", **kwargs: Any) -> DepthAdaIN:
        """A model with the encoder of another one, and a copy of its decoder.

        Args:
            model: The other model, trained or not.
            depth: A depth module, as for the constructor.
            **kwargs: More arguments of the constructor.
        """
        options = {"dtype": model.dtype_policy, "seed": model.seed, **kwargs}
        copy = cls(model.encoder.backbone, model.layer, model.style_layers, depth=depth, **options)
        copy.decoder.set_weights(model.decoder.get_weights())
        for layer, scale in copy.encoder.scales.items():
            scale.assign(model.encoder.scales[layer])
        return copy

    def inverse_depth(self, pictures: Tensor) -> Tensor:
        """The inverse depth of images `(batch, height, width, 3)` by the depth module: see `tfstyle.depth`.

        Raises:
            InputError: The model has no depth module.
        """
        if self.depth is None:
            raise InputError("the model has no depth module: give depth, a map or a module")
        if isinstance(self.depth, keras.Layer):
            return self.depth(pictures, training=False)
        return self.depth(pictures)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """AdaIN's losses, and the depth loss with its weight; the arguments are those of `AdaIN.compute_loss`."""
        encoded = self._encoded(x)
        loss = super().compute_loss(encoded, y, y_pred, sample_weight, training)
        if not self.depth_weight:
            return loss
        target = tf.stop_gradient(self.inverse_depth(encoded["content"]))
        depth = self.depth_weight * ops.mean(ops.square(self.inverse_depth(y_pred) - target))
        self.depth_tracker.update_state(depth, sample_weight=ops.shape(y_pred)[0])
        return loss + ops.cast(depth, loss.dtype) / tf.distribute.get_strategy().num_replicas_in_sync

    def compile(self, optimizer: Any = None, *, depth_weight: float = DEPTH_WEIGHT, **kwargs: Any) -> None:
        """Configure the training.

        Args:
            optimizer: A Keras optimizer or its name; None for that of `AdaIN`.
            depth_weight: Factor of the depth loss, from 0 upwards; 0 trains as `AdaIN` does.
            **kwargs: As for `AdaIN.compile`.

        Raises:
            InputError: A negative weight, a depth module without a gradient, or an argument that `AdaIN` refuses.
        """
        if not depth_weight >= 0:
            raise InputError(f"depth_weight {depth_weight:g} is negative: give 0 or more")
        if depth_weight and not differentiable(self.depth):
            raise InputError(
                "the depth module has no gradient to train by: give a Keras model as depth, or compile with "
                "depth_weight=0"
            )
        self.depth_weight = depth_weight
        super().compile(optimizer, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`."""
        config = super().get_compile_config()
        return {**config, "depth_weight": self.depth_weight} if config else {}

    def stylize(
        self,
        content: images.Source,
        styles: Any,
        *,
        depth: images.Source | DepthModule | None = "auto",
        near: float = strength.NEAR,
        far: float = strength.FAR,
        depth_contrast: float = strength.CONTRAST,
        depth_offset: float = strength.OFFSET,
        alpha: float | images.Source = 1.0,
        **kwargs: Any,
    ) -> np.ndarray:
        """Paint a content image in one style or a mixture of several, with a strength that varies with depth.

        The strength is α times `strength_by_depth` of the inverse depth. At each position it weighs the style's
        features against the content's.

        Args:
            content: The content image, of any size: a path, PIL image or array.
            styles: A style image or style code, or a list of them.
            depth: `"auto"` for the model's depth module; a map of the content's inverse depth, which
                `tfstyle.depth.load` can read; another depth module; or None for the same strength everywhere,
                whatever `near` and `far`.
            near: Strength of the style at the nearest point, from 0 to 1.
            far: Strength of the style at the farthest point, from 0 to 1.
            depth_contrast: How sharply near and far are separated, from 0 (linearly) to 1000.
            depth_offset: The inverse depth that separates near from far, from 0 to 1.
            alpha: α from 0 to 1: a number, or a grey image of the content's shape.
            **kwargs: As for `AdaIN.stylize`.

        Returns:
            float32 `(height, width, 3)` in [0, 1], of the content's size, without transparency.

        Raises:
            InputError: No depth module, a map that can't be used, a number out of range, or an argument that
                `AdaIN.stylize` refuses.
        """
        if depth is None:
            return super().stylize(content, styles, alpha=alpha, **kwargs)
        content = images.load(content)
        module: DepthModule
        if isinstance(depth, str) and depth == "auto":
            module = self.inverse_depth
        else:
            module = depth if callable(depth) else MapFile(depth)
        by_depth = strength.DepthStrength(module, near, far, depth_contrast, depth_offset)
        return super().stylize(content, styles, alpha=by_depth.of(content, alpha), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a depth module that Keras can't save is left out."""
        known = keras.saving.get_registered_name(type(self.depth)) != type(self.depth).__name__
        known = known or isinstance(self.depth, keras.Layer)
        return {**super().get_config(), "depth": keras.saving.serialize_keras_object(self.depth) if known else None}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> DepthAdaIN:
        """The model that `get_config` describes, untrained; its weights can be loaded then."""
        depth = config["depth"] and keras.saving.deserialize_keras_object(config["depth"], custom_objects)
        return super().from_config({**config, "depth": depth}, custom_objects)
