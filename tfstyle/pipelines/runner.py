"""One method on its networks, for one content image or for many: what `transfer` and batches stand on."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfstyle.core.errors import InputError
from tfstyle.core.memory import memory_errors, not_enough_memory
from tfstyle.core.precision import compiled_faster
from tfstyle.core.progress import wanted
from tfstyle.core.runtime import import_tensorflow
from tfstyle.features.loading import backbone_weights
from tfstyle.features.weights import NAMED
from tfstyle.images import color_transfer
from tfstyle.images.picture import Picture, fitted_shape
from tfstyle.optimization import scales
from tfstyle.optimization.inputs import prepare
from tfstyle.pipelines import build, initialization
from tfstyle.pipelines.build import Branch
from tfstyle.pipelines.inputs import Inputs
from tfstyle.pipelines.method import Method
from tfstyle.pipelines.preprocessing import Preprocessed, Preprocessing
from tfstyle.pipelines.result import Result, describe
from tfstyle.pipelines.settings import BatchTransferSettings, TransferSettings

if TYPE_CHECKING:
    import numpy as np

    from tfstyle.optimization.canvas import Canvas


@dataclass(frozen=True)
class Scale:
    """One of the sizes that are painted one after the other.

    Attributes:
        size: Longer side in pixels.
        steps: Optimisation steps.
        shape: Height and width in pixels.
    """

    size: int
    steps: int
    shape: tuple[int, int]


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
        return _Run(self, contents, self.inputs if inputs is None else inputs).results()

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


@dataclass
class _Progress:
    """The scale that is painted, and the losses of the scales before, for each content image."""

    scale: int
    histories: list[dict[str, list[float]]] = field(default_factory=list)


class _Run:
    """Content images on their way through the scales."""

    def __init__(self, runner: TransferRunner, contents: Sequence[Picture], inputs: Inputs) -> None:
        self.started = time.perf_counter()
        self.runner, self.contents, self.inputs = runner, contents, inputs
        height, width = contents[0].rgb.shape[:2]
        import_tensorflow(math.prod(fitted_shape(height, width, runner.settings.size or max(height, width))))
        self.plan = runner.plan(contents[0], inputs)
        shapes = [scale.shape for scale in self.plan]
        runner.canvases = {key: canvas for key, canvas in runner.canvases.items() if key[1:] in shapes}
        self.pictures = runner.preprocessing.before(contents, inputs)
        self.progress = _Progress(0, [{} for _ in contents])
        self.canvas: Canvas | None = None
        self.stopped: str | None = None
        self.seconds = 0.0
        self.keeper, self.state = self._checkpoint()

    def _checkpoint(self) -> tuple[Any, dict[str, Any] | None]:
        """The callback that writes checkpoints, and the state to go on from, if there are any."""
        settings = self.runner.settings
        if not isinstance(settings, TransferSettings) or settings.checkpoint is None:
            return None, None
        from tfstyle.optimization import checkpoint  # a callback of Keras, which takes seconds to import

        fingerprint = self.runner.fingerprint(self.contents[0], self.inputs, self.plan)
        checkpoint.prepare(settings.checkpoint, settings.resume)
        state = checkpoint.read(settings.checkpoint, fingerprint)
        if state:
            self.progress = _Progress(state["scale"], [state["history"]])
        return checkpoint.Checkpoint(settings.checkpoint, settings.checkpoint_every, fingerprint), state

    def results(self) -> list[Result]:
        """Paint all scales; the results, best pictures if the painting stopped early."""
        while self.progress.scale < len(self.plan) and not self.stopped:
            self._paint_scale(self.plan[self.progress.scale])
        results = self._results()
        if not self.runner.keep:
            self.canvas = None
            gc.collect()  # Keras models are full of cycles, and large
        return results

    def _paint_scale(self, scale: Scale) -> None:
        previous, began = self.canvas, time.perf_counter()
        stops: tuple[type[BaseException], ...] = (KeyboardInterrupt, *memory_errors())
        try:
            self.canvas = self._canvas(scale, previous)
            callbacks = self._prepare_canvas(self.canvas)
            began = time.perf_counter()
            steps = scale.steps - self.canvas.steps_done
            self.stopped = _fit(self.canvas, steps, callbacks, self.runner.settings.progress)
        except stops as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            self.stopped = "interrupted" if interrupted else "out of memory"
            if self.canvas is None or not self.canvas.painted:
                self.canvas = previous  # the picture of the scale before
            if self.canvas is None and interrupted:
                raise
            if self.canvas is None:
                raise not_enough_memory(*scale.shape, "give a smaller size or tile") from error
        self.seconds += time.perf_counter() - began
        if self.canvas is not previous:
            pairs = zip(self.progress.histories, self.canvas.step_logs, strict=True)
            self.progress.histories = [_joined(*pair) for pair in pairs]
        self.progress.scale += 1

    def _canvas(self, scale: Scale, previous: Canvas | None) -> Canvas:
        """A compiled canvas of a scale, which starts from the picture of the scale before."""
        runner, pictures, inputs = self.runner, self.pictures, self.inputs
        if previous is None:
            init: Any = inputs.init
        else:
            init = [Picture(each, None, "the last scale") for each in previous.pictures]
        if isinstance(init, str) and init == "adain":
            init = initialization.feed_forward(
                runner.feed_forward, pictures, inputs, scale.size, runner.settings.recipe.style_scale
            )
        key = (len(pictures.contents), *scale.shape)
        canvas = runner.canvases.get(key)
        if canvas is not None:
            canvas.restart(pictures.contents, pictures.styles, init, inputs.style_masks, pictures.blank_masks)
        else:
            tile = build.tile(runner.branches, *scale.shape, runner.settings.tile)
            canvas = runner.compile_canvas(pictures, inputs, scale, init, tile)
            if runner.keep:
                runner.canvases[key] = canvas
        if previous is not None and runner.settings.warm_start:
            scales.warm_start(previous, canvas)
        return canvas

    def _prepare_canvas(self, canvas: Canvas) -> list[Any]:
        """Restore a checkpoint, tell the canvas what previews show, and give the callbacks of the optimisation."""
        if self.state:
            from tfstyle.optimization import checkpoint

            checkpoint.restore(canvas, self.state)
            self.state = None
        canvas.finish = lambda picture: self._postprocessed(picture, 0)
        canvas.steps_before = len(self.progress.histories[0].get("step", ()))
        callbacks = list(self.runner.settings.callbacks)
        if self.keeper is not None:
            self.keeper.state = {"scale": self.progress.scale, "history": self.progress.histories[0]}
            callbacks.append(self.keeper)
        return callbacks

    def _postprocessed(self, painted: np.ndarray, index: int) -> np.ndarray:
        original, inputs = self.pictures.originals[index], self.inputs.of(index)
        return self.runner.preprocessing.after(painted, original, inputs)

    def _results(self) -> list[Result]:
        canvas = self.canvas
        assert canvas is not None  # there is always a scale left
        shared = {
            **self.runner.settings.record(),
            **describe(self.runner.branches, canvas),
            "scales": [scale.size for scale in self.plan],
            "scale_steps": [scale.steps for scale in self.plan],
            "optimization_seconds": round(self.seconds, 3),
            "seconds": round(time.perf_counter() - self.started, 3),
        }
        results, best_losses = [], canvas.best_losses.numpy()
        for index, (content, painted) in enumerate(zip(self.contents, canvas.pictures, strict=True)):
            history, inputs = self.progress.histories[index], self.inputs.of(index)
            record = {
                "content": content.name,
                "content_sha256": content.sha256,
                **shared,
                **inputs.record(),
                "init": inputs.init.name if isinstance(inputs.init, Picture) else inputs.init,
                "stopped": self.stopped or _diverged(history),
                "steps_done": len(history["step"]),
                "first_loss": history["loss"][0],
                "best_loss": float(best_losses[index]),
            }
            results.append(Result(self._postprocessed(painted, index), canvas.alphas[index], history, record))
        return results


def _joined(before: dict[str, list[float]], after: dict[str, list[float]]) -> dict[str, list[float]]:
    """One history after the other, its steps counted on."""
    done = len(before.get("step", ()))
    counted = {**after, "step": [step + done for step in after["step"]]}
    return {name: [*before.get(name, ()), *values] for name, values in counted.items()}


def _fit(canvas: Canvas, steps: int, callbacks: Sequence[Any], progress: bool | None) -> str | None:
    """Run the optimisation; the reason if it stopped early."""
    from tfstyle.optimization.callbacks import ProgressBar

    if steps < 1:  # a checkpoint of the last step, whose picture may be the best
        canvas.evaluate(verbose=0)
        return None
    bar = [ProgressBar()] if wanted(progress) else []
    try:
        canvas.fit(steps=steps, callbacks=[*callbacks, *bar])
    finally:
        for each in bar:
            each.close()
    if not canvas.painted:
        raise InputError("the loss is not a finite number at the first step: give smaller weights")
    return _diverged(canvas.step_log) if canvas.diverged else None


def _diverged(history: dict[str, list[float]]) -> str | None:
    """What is wrong with the losses, if anything is."""
    if math.isfinite(history["loss"][-1]):
        return None
    return f"the loss was not a finite number after {len(history['step'])} steps"
