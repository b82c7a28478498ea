"""One method on its networks, for one content image or for many: what `transfer` and batches stand on."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfstyle.core.errors import InputError
from tfstyle.core.precision import compiled_faster
from tfstyle.core.runtime import import_tensorflow
from tfstyle.features.loading import backbone_weights
from tfstyle.features.weights import NAMED
from tfstyle.images import color_transfer
from tfstyle.images.picture import Picture, fitted_shape
from tfstyle.optimization import scales
from tfstyle.optimization.inputs import prepare
from tfstyle.pipelines import build
from tfstyle.pipelines.build import Branch
from tfstyle.pipelines.inputs import Inputs
from tfstyle.pipelines.method import Method
from tfstyle.pipelines.preprocessing import Preprocessed, Preprocessing
from tfstyle.pipelines.result import Result
from tfstyle.pipelines.settings import BatchTransferSettings
from tfstyle.pipelines.transfer_run import Scale, TransferRun

if TYPE_CHECKING:
    from tfstyle.optimization.canvas import Canvas


class TransferRunner:
    """Optimises pictures with one set of settings.

    Args:
        settings: The options.
        inputs: Style images, masks and initial image.
        keep: Whether to keep canvases, so that the next picture of the same size needs no compilation.
        strategy: A `tf.distribute` strategy whose replicas share the pictures, or None.
    """

    def __init__(
        self, settings: BatchTransferSettings, inputs: Inputs, keep: bool = False, strategy: Any = None
    ) -> None:
        self.settings = settings
        self.inputs = inputs
        self.keep = keep
        self.strategy = strategy
        self.preprocessing = Preprocessing(settings.recipe, settings.size)
        self.canvases: dict[tuple[int, ...], Canvas] = {}

    @cached_property
    def branches(self) -> list[Branch]:
        """The method on each of its networks, with the options that are given in place of its own."""
        import_tensorflow()
        settings, networks = self.settings, backbone_weights(self.settings.backbone)
        if len(networks) > 1 and settings.weights not in (None, *NAMED):
            raise InputError(f"weights {os.fspath(settings.weights)} fit one network: leave them out for several")
        return [self._branch(backbone, weight) for backbone, weight in networks.items()]

    def _branch(self, backbone: Any, weight: float) -> Branch:
        settings, overrides = self.settings, self.settings.overrides()
        with self.scope():
            network = build.network(
                backbone, settings.weights, settings.recipe, settings.pooling, settings.precision, settings.seed
            )
        method = settings.base_method.for_backbone(network.name, network.trained, settings.normalize_losses)
        if self.leaves_uncovered:  # a wave moves all pixels, and those outside masks are to stay
            method = method.replace(parameterization="pixels")
        built = {name: getattr(network, name) for name in ("pooling", "input_scaling", "activation_smoothing")}
        return Branch(method.replace(**{**overrides, **built}), network, weight)

    @property
    def recipe(self) -> Method:
        """What belongs to no network, such as steps and optimizer, is that of the first branch."""
        return self.branches[0].method

    @property
    def leaves_uncovered(self) -> bool:
        """Whether part of a picture is not to be painted."""
        return self.preprocessing.blank_areas < 1 or self.inputs.leaves_uncovered

    @cached_property
    def feed_forward(self) -> Any:
        """The embedded model, for `init="adain"`."""
        from tfstyle.models import load

        return load("embedded")

    @property
    def replicas(self) -> int:
        """Number of devices, each of which works on one picture at a time."""
        return 1 if self.strategy is None else int(self.strategy.num_replicas_in_sync)

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels, that all networks take."""
        return max(branch.backbone.minimum_side for branch in self.branches)

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """The scope of the strategy, if there is one."""
        return contextlib.nullcontext() if self.strategy is None else self.strategy.scope()

    def plan(self, content: Picture, inputs: Inputs | None = None) -> list[Scale]:
        """The scales of a picture.

        Raises:
            InputError: There can't be as many scales as were asked for.
        """
        styles = (self.inputs if inputs is None else inputs).styles
        height, width = content.rgb.shape[:2]
        longer = self.settings.size or max(height, width)
        smallest = self._smallest_size(content, styles)
        return [
            Scale(
                size,
                steps,
                (height, width) if size == max(height, width) else fitted_shape(height, width, size),
            )
            for size, steps in scales.plan(longer, self.recipe.steps, self.settings.scales, smallest)
        ]

    def check(self, content: Picture, inputs: Inputs) -> None:
        """See before the work whether a content image can be painted with these inputs, at the first scale.

        Raises:
            InputError: A style image or a mask can't be used.
        """
        prepare(
            content,
            inputs.styles,
            self.minimum_side,
            size=self.plan(content, inputs)[0].size,
            style_scale=self.settings.recipe.style_scale,
            content_masks=inputs.content_masks,
            style_masks=inputs.style_masks,
        )

    def styles_per_step(self, content: Picture) -> int:
        """In how many styles a content image can be painted in one step: as many as memory holds, one per replica."""
        if not self.preprocessing.styles_independent:
            return self.replicas
        height, width = content.rgb.shape[:2]
        shape = fitted_shape(height, width, self.settings.size or max(height, width))
        return self.replicas * build.pictures_per_step(self.branches, *shape, self.settings.tile)

    def run(self, contents: Sequence[Picture], inputs: Inputs | None = None) -> list[Result]:
        """Paint content images of one size: one, or a multiple of the replicas. A checkpoint stays on disk.

        Args:
            contents: The content images.
            inputs: Style images and masks; None for the runner's own.

        Raises:
            InputError: A picture or an option can't be used.
        """
        return TransferRun(self, contents, self.inputs if inputs is None else inputs).results()

    def compile_canvas(
        self, pictures: Preprocessed, inputs: Inputs, scale: Scale, init: Any, tile: int | None
    ) -> Canvas:
        """A new canvas of a scale, with the method's terms and optimizer."""
        settings, recipe = self.settings, self.recipe
        with self.scope():
            canvas = build.compose(
                self.branches,
                pictures.contents,
                pictures.styles,
                inputs.style_weights,
                init,
                scale.size,
                settings.seed,
                tile=tile,
                balance_gradients=settings.balance_gradients,
                style_scale=settings.recipe.style_scale,
                content_masks=inputs.content_masks,
                style_masks=inputs.style_masks,
                blank_masks=pictures.blank_masks,
                parameterization=build.parameterization(
                    recipe.parameterization, grey=settings.recipe.preserve_color in color_transfer.GREY
                ),
            )
            optimizer = build.optimizer(recipe, settings.learning_rate, *scale.shape, canvas.smoothness)
            # Several steps a call would put L-BFGS's loops in a loop of replicas, which TensorFlow can't build.
            per_call = 1 if self.strategy else build.steps_per_call()
            jit = self.strategy is None and compiled_faster(self.branches[0].backbone.compute_dtype)
            canvas.compile(optimizer, steps_per_execution=per_call, jit_compile=jit)
        return canvas

    def fingerprint(self, content: Picture, inputs: Inputs, plan: Sequence[Scale]) -> dict[str, Any]:
        """All that must be the same for an unfinished painting to go on."""
        networks: dict[str, Any] = {}
        for branch in self.branches:
            prefix = f"{branch.backbone.name} " if len(self.branches) > 1 else ""
            record = {key: value for key, value in branch.record().items() if key not in ("sources", "notes", "init")}
            networks |= {prefix + key: value for key, value in record.items()}
        return {
            **networks,
            **self.settings.fingerprint(),
            **inputs.fingerprint(),
            "content_sha256": content.sha256,
            "scales": [[scale.size, scale.steps] for scale in plan],
        }

    def _smallest_size(self, content: Picture, styles: Sequence[Picture]) -> int:
        """The size below which a content or style image would be too small for the networks."""
        pictures = [(content, 1.0), *((style, self.settings.recipe.style_scale) for style in styles)]
        ratios = [max(p.rgb.shape[:2]) / min(p.rgb.shape[:2]) / factor for p, factor in pictures]
        return math.ceil(max(ratios) * self.minimum_side)
