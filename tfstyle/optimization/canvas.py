"""A picture as a Keras model: its only trainable weight is its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.saving import renamed_keys
from tfstyle.core.settings import as_list
from tfstyle.losses.objective import Objective
from tfstyle.losses.targets import side_by_side
from tfstyle.losses.term import Targets
from tfstyle.optimization.inputs import CanvasInputs, CanvasOptions, prepare_batch
from tfstyle.optimization.lbfgs import reset
from tfstyle.optimization.parameterization import Pixels
from tfstyle.optimization.picture_model import PictureModel, leaves_by_path


@keras.saving.register_keras_serializable(package="tfstyle")
class Canvas(PictureModel):
    """A picture that is optimised to match the content of one image and the style of others.

    `compile` and `fit` paint with Keras' optimizers, callbacks and compiled step. Pixels stay in [0, 1] throughout
    the optimisation, and the picture with the lowest loss is kept.

    Several contents of one size are painted in one step, each on its own. Under a `tf.distribute` strategy, the
    replicas share them.

    Args:
        objective: The objective that is minimised.
        content: The content image: a path, a PIL image or an array; or a list of several images of one size.
        styles: The style images, of any sizes.
        style_weights: Weights of the style images, which sum to 1. None for equal weights. Or a row of weights for
            each content image, which then has the styles, with their masks, whose weight in its row is above 0.
        init: The initial image: `"content"`, `"noise"` (uniform white noise) or an image; or one for each content.
        size: Longer side of the content image, in pixels, which the longer sides of the style images are brought to,
            too. None for the images' own sizes.
        style_scale: Factor of the sizes of the style images. Above 1, strokes become larger.
        content_masks: Which style goes where in the content image: see `tfstyle.images.masks`.
        style_masks: What counts in each style image: a mask, or None for all of it; or no masks.
        blank_masks: Masks of the blank areas of the content image and of each style image, or no masks. White areas
            of the content image stay as they are, and white areas of a style image don't count.
        parameterization: What of the picture is optimised. None for `Pixels()`.
        seed: Seed of the noise.
        name: Name of the model.

    Attributes:
        smoothness: The `smoothness` that L-BFGS should have: that of the parameterization, or 0 where masks leave
            part of the picture as it is, which smoothed steps would change.
        parameters: The optimised variable of each picture.
        targets: What the objective compares the pictures with.
        step_logs: For each picture, losses by step: `"step"`, `"loss"` and the names of the terms.
        alphas: For each picture, the transparency of the content image, `(height, width)` in [0, 1], or None.
        steps_before: Number of steps on smaller canvases, for names of previews.
        finish: Function from a picture to the picture that previews show.

    Raises:
        InputError: An image or a mask can't be read or used, or is too small for a backbone.

    Examples:
        >>> from tfstyle import LBFGS, Backbone, ContentTerm, Objective, StyleTerm
        >>> backbone = Backbone("VGG19Mini")
        >>> layers = ["block1_conv1", "block2_conv1"]
        >>> objective = Objective([ContentTerm(backbone, layers), StyleTerm(backbone, layers, weight=100.0)])
        >>> content, style = np.random.default_rng(0).random((2, 32, 48, 3))
        >>> canvas = Canvas(objective, content, [style])
        >>> canvas.compile(optimizer=LBFGS())
        >>> history = canvas.fit(steps=30)  # doctest: +SKIP
        >>> canvas.picture.shape
        (32, 48, 3)
    """

    def __init__(
        self,
        objective: Objective,
        content: images.Source | Sequence[images.Source],
        styles: Sequence[images.Source],
        style_weights: Sequence[float] | Sequence[Sequence[float]] | None = None,
        init: images.Source | Sequence[images.Source] = "content",
        size: int | None = None,
        style_scale: float = 1.0,
        content_masks: Sequence[images.Source] = (),
        style_masks: Sequence[images.Source | None] = (),
        blank_masks: Sequence[images.Source] = (),
        parameterization: Pixels | None = None,
        seed: int = 0,
        name: str = "canvas",
    ) -> None:
        super().__init__(objective, Pixels() if parameterization is None else parameterization, name)
        self._options = CanvasOptions(style_weights, size, style_scale, content_masks, style_masks, blank_masks, seed)
        self.create_state(*self._load(content, styles, init))

    def _load(self, content: Any, styles: Sequence[images.Source], init: Any) -> tuple[np.ndarray, Targets]:
        """The initial pictures, `(pictures, height, width, 3)`, and the targets of the objective."""
        if isinstance(styles, (str, bytes)) or not len(styles):
            raise InputError("styles must be a list of at least one image")
        contents = as_list(content)
        inits = list(init) if isinstance(init, (list, tuple)) else [init] * len(contents)
        inputs = prepare_batch(contents, styles, inits, self.objective.minimum_side, self._options)
        if self._options.weights_by_picture:
            targets = side_by_side([self._objective_targets([each]) for each in inputs])
        else:
            targets = self._objective_targets(inputs)
        regions = inputs[0].regions
        leaves_uncovered = regions is not None and bool((regions.content.max(axis=0) == 0).any())
        self.smoothness = 0.0 if leaves_uncovered else self.parameterization.smoothness
        self.alphas = [each.content.alpha for each in inputs]
        return np.stack([each.initial for each in inputs]), targets

    def _objective_targets(self, inputs: Sequence[CanvasInputs]) -> Targets:
        """The targets of pictures that have the same styles."""
        return self.objective.targets(
            ops.convert_to_tensor(np.stack([each.content.rgb for each in inputs]), self.compute_dtype),
            [ops.convert_to_tensor(style.rgb[None], self.compute_dtype) for style in inputs[0].styles],
            inputs[0].style_weights,
            inputs[0].regions,
        )

    def restart(
        self,
        content: images.Source | Sequence[images.Source],
        styles: Sequence[images.Source],
        init: images.Source | Sequence[images.Source] = "content",
        style_masks: Sequence[images.Source | None] | None = None,
        blank_masks: Sequence[images.Source] = (),
    ) -> None:
        """Start again with other images. What is compiled stays compiled.

        Args:
            content: The content image, or as many as before, of the canvas's size.
            styles: The style images.
            init: As for a new canvas.
            style_masks: Masks of the style images. None for those of the canvas.
            blank_masks: Masks of blank areas. There must be some if there were some before, and none if not.

        Raises:
            InputError: An image can't be used, or the contents differ from the canvas in size or number.
        """
        changes: dict[str, Any] = {} if style_masks is None else {"style_masks": style_masks}
        self._options = replace(self._options, blank_masks=blank_masks, **changes)
        initial, targets = self._load(content, styles, init)
        if initial.shape != tuple(self.best_pixels.shape):
            height, width = initial.shape[1:3]
            raise InputError(
                f"{len(initial)} pictures of {width}x{height} pixels don't fit this canvas of "
                f"{self.best_pixels.shape[0]} of {self.best_pixels.shape[2]}x{self.best_pixels.shape[1]}: make a "
                f"new one"
            )
        self.reset_state(initial, targets)
        if self.compiled:
            reset(self.optimizer)

    @property
    def alpha(self) -> np.ndarray | None:
        """The transparency of the content image, of several the first: `(height, width)` in [0, 1], or None."""
        return self.alphas[0]

    def get_config(self) -> dict[str, Any]:
        """The objective, the size and the number of regions. Pictures and targets are weights."""
        masks = [leaf for path, leaf in leaves_by_path(self.targets).items() if "masks" in path]
        return {
            "objective": keras.saving.serialize_keras_object(self.objective),
            "parameterization": keras.saving.serialize_keras_object(self.parameterization),
            "shape": list(self.best_pixels.shape[:3]),
            "regions": masks[0].shape[1] if masks else 0,
            "weights_by_picture": self._options.weights_by_picture,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Canvas:
        """Blank pictures with the objective, size and number of `get_config`, for weights to be loaded into."""
        config = renamed_keys(config, {"mixed_each": "weights_by_picture"})
        number, *sides = config["shape"]
        blank, regions = np.zeros((*sides, 3), np.float32), config["regions"]
        styles = max(1, regions)
        return cls(
            keras.saving.deserialize_keras_object(config["objective"]),
            [blank] * number,
            [blank] * styles,
            [[1 / styles] * styles] * number if config["weights_by_picture"] else None,
            content_masks=[np.full(sides, 0.5, np.float32)] * regions,  # white masks would make no regions
            parameterization=keras.saving.deserialize_keras_object(config["parameterization"]),
            name=config["name"],
        )
