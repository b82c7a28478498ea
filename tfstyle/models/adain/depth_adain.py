"""DepthAdaIN: AdaIN that knows near from far, in training and in painting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.features.backbone import Backbone
from tfstyle.models.adain import guidance
from tfstyle.models.adain.adain import AdaIN, Style
from tfstyle.models.depth import DepthMini, DepthModule, MapFile
from tfstyle.models.depth.inverse_depth import differentiable

Tensor = Any

DEPTH_WEIGHT = 100.0  # chosen: a mean square of proximities is below 0.1, and the content loss is some units


@keras.saving.register_keras_serializable(package="tfstyle")
class DepthAdaIN(AdaIN):
    """AdaIN with a depth module, which finds how near each point of the content is.

    It enters twice. In training, the picture shall be as deep as its content: to AdaIN's losses comes

        depth loss = mean over pixels of (d(g(t)) − d(c))²

    with d the module's proximity (`tfstyle.depth`), c the content and g(t) the picture; the module stays as it is. In
    painting, the strength of the style varies with the proximity (`stylize`). Either can be had without the other:
    with a decoder that AdaIN has trained (`from_adain`), `stylize` needs no training.

    What is known of Wu & Song 2020, and what is read into it: of that paper only this was at hand, "integrating the
    depth computation module of the content image into the encoder-decoder structure while preserving the structure".
    Here "integrating" is read as both of the above, and "preserving the structure" as the depth loss. That loss is
    after Liu et al. 2017 and Ioannou & Maddock 2022, whose networks are trained so that a depth network finds the
    same in the picture as in its content; strength by proximity is after Kitov et al. 2020. Weights and strengths are
    chosen.

    Args:
        encoder: As for `AdaIN`.
        layer: As for `AdaIN`.
        style_layers: As for `AdaIN`.
        seed: As for `AdaIN`.
        depth: A depth module: a Keras model, which is frozen, or any callable; None for none, so that maps must be
            given to `stylize`; `"auto"` for a `DepthMini`. One that is no Keras object isn't saved with the model.
        **kwargs: As for `AdaIN`.

    Raises:
        InputError: As for `AdaIN`; something else than a depth module.

    Examples:
        >>> model = DepthAdaIN.from_adain(trained)
        >>> picture = model.stylize("photo.jpg", "night.jpg", near=0.2)
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
        # Before AdaIN's, after which Keras lets no layers be added.
        self.depth = DepthMini(dtype="float32") if isinstance(depth, str) else depth
        self.depth_tracker = keras.metrics.Mean(name="depth")
        super().__init__(encoder, layer, style_layers, seed, name=name, **kwargs)
        if isinstance(self.depth, keras.Layer):
            self.depth.trainable = False
        self.depth_weight = 0.0

    @classmethod
    def from_adain(cls, model: AdaIN, depth: DepthModule | str | None = "auto", **kwargs: Any) -> DepthAdaIN:
        """A model with the encoder of another one, and its decoder's weights.

        Args:
            model: Trained or not.
            depth: As for the constructor.
            **kwargs: Likewise.
        """
        given = {"dtype": model.dtype_policy, "seed": model.seed, **kwargs}
        made = cls(model.encoder.backbone, model.layer, model.style_layers, depth=depth, **given)
        made.decoder.set_weights(model.decoder.get_weights())
        for layer, scale in made.encoder.scales.items():
            scale.assign(model.encoder.scales[layer])
        return made

    def proximity(self, pictures: Tensor) -> Tensor:
        """What the depth module finds in pictures `(batch, height, width, 3)`: see `tfstyle.depth`."""
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
        """AdaIN's losses, and the depth loss with its weight; arguments as there."""
        seen = self._seen(x)
        loss = super().compute_loss(seen, y, y_pred, sample_weight, training)
        if not self.depth_weight:
            return loss
        wanted = tf.stop_gradient(self.proximity(seen["content"]))
        depth = self.depth_weight * ops.mean(ops.square(self.proximity(y_pred) - wanted))
        self.depth_tracker.update_state(depth, sample_weight=ops.shape(y_pred)[0])
        return loss + ops.cast(depth, loss.dtype) / tf.distribute.get_strategy().num_replicas_in_sync

    def compile(self, optimizer: Any = None, *, depth_weight: float = DEPTH_WEIGHT, **kwargs: Any) -> None:
        """Configure the training.

        Args:
            optimizer: As for `AdaIN.compile`.
            depth_weight: Factor of the depth loss; 0 trains AdaIN.
            **kwargs: As for `AdaIN.compile`.

        Raises:
            InputError: As there; a negative weight; a depth module without a gradient.
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
        """What `compile` was called with."""
        config = super().get_compile_config()
        return {**config, "depth_weight": self.depth_weight} if config else {}

    def stylize(
        self,
        content: images.Source,
        styles: Style | Sequence[Style],
        *,
        depth: images.Source | DepthModule | None = "auto",
        near: float = guidance.NEAR,
        far: float = guidance.FAR,
        depth_contrast: float = guidance.CONTRAST,
        depth_offset: float = guidance.OFFSET,
        alpha: float | images.Source = 1.0,
        **kwargs: Any,
    ) -> np.ndarray:
        """A picture in one style or a mix of several, as strongly as each point is far.

        The strength is α times what `guidance.by_proximity` makes of the proximity, and as such weighs
        the style's features against the content's at each position.

        Args:
            content: As for `AdaIN.stylize`.
            styles: Likewise.
            depth: `"auto"` for the model's module; a map of the content's proximity, as `tfstyle.depth.load` takes
                it; another module; None for the same strength everywhere, whatever `near` and `far` are.
            near: Strength of the style for the nearest point, from 0 to 1.
            far: For the farthest.
            depth_contrast: How sharply near and far are told apart; 0 is a line.
            depth_offset: The proximity in the middle of what is near and what is far.
            alpha: As for `AdaIN.stylize`; a factor.
            **kwargs: As for `AdaIN.stylize`.

        Raises:
            InputError: As there; no depth module; a map that can't be used; a number out of range.
        """
        if depth is None:
            return super().stylize(content, styles, alpha=alpha, **kwargs)
        photo = images.load(content)
        module: DepthModule
        if isinstance(depth, str) and depth == "auto":
            module = self.proximity
        else:
            module = depth if callable(depth) else MapFile(depth)
        strength = guidance.DepthStrength(module, near, far, depth_contrast, depth_offset)
        return super().stylize(photo, styles, alpha=strength.of(photo, alpha), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a depth module that Keras doesn't know is left out."""
        known = keras.saving.get_registered_name(type(self.depth)) != type(self.depth).__name__
        known = known or isinstance(self.depth, keras.Layer)
        return {**super().get_config(), "depth": keras.saving.serialize_keras_object(self.depth) if known else None}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> DepthAdaIN:
        """A model as `get_config` described it, untrained, for the weights to be loaded into."""
        depth = config["depth"] and keras.saving.deserialize_keras_object(config["depth"], custom_objects)
        return super().from_config({**config, "depth": depth}, custom_objects)
