"""One recipe on one network, for one picture or for many: what `transfer` and batches stand on."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from tfstyle.core.errors import InputError
from tfstyle.core.precision import compiled_faster
from tfstyle.core.runtime import import_tensorflow
from tfstyle.features.weights import NAMED
from tfstyle.images import blank_areas, color_transfer
from tfstyle.images.picture import Picture, fitted_shape, made_picture
from tfstyle.optimization import scales
from tfstyle.optimization.inputs import prepare
from tfstyle.pipelines import build, initialization
from tfstyle.pipelines.build import Branch
from tfstyle.pipelines.method import Method
from tfstyle.pipelines.result import Result, describe
from tfstyle.pipelines.settings import Settings

if TYPE_CHECKING:
    import numpy as np

    from tfstyle.optimization.canvas import Canvas


@dataclass
class _Progress:
    """How far a painting is: the scale, and the histories of the scales before."""

    scale: int = 0
    histories: list[dict[str, list[float]]] = field(default_factory=list)


class Painter:
    """Paints pictures with one set of settings.

    Args:
        settings: What was asked for.
        keep: Whether to keep canvases, so that the next picture of the same size needs no compilation.
        strategy: A `tf.distribute` strategy whose replicas share the pictures, or None.
    """

    def __init__(self, settings: Settings, keep: bool = False, strategy: Any = None) -> None:
        self.settings = settings
        self.keep = keep
        self.strategy = strategy
        self._canvases: dict[tuple[int, ...], Canvas] = {}

    @cached_property
    def branches(self) -> list[Branch]:
        """The method as it is on each network asked for, with what was given in place of its own."""
        import_tensorflow()
        asked = self.settings
        if len(asked.backbones) > 1 and asked.weights not in (None, *NAMED):
            raise InputError(f"weights {os.fspath(asked.weights)} are of one network: leave them out for several")
        found = []
        for each, weight in asked.backbones.items():
            recipe = asked.recipe.override(**asked.given)
            with self._scope():
                network = build.network(each, asked.weights, recipe, asked.pooling, asked.precision, asked.seed)
            adapted = asked.recipe.adapted(network.name, network.trained, asked.given["balance"])
            built = {name: getattr(network, name) for name in ("pooling", "input_scaling", "smoothing")}
            if asked.leaves_bare:  # a wave moves all pixels, and those outside masks are to stay
                adapted = adapted.override(parameterization="pixels")
            recipe = adapted.override(**{**asked.given, **built})
            found.append(Branch(recipe, network, weight))
        return found

    @property
    def recipe(self) -> Method:
        """What isn't of a network, as steps and optimizer, is the first's."""
        return self.branches[0].method

    @cached_property
    def feed_forward(self) -> Any:
        """The model that comes with the package, for where the optimisation begins with what it paints."""
        from tfstyle.models import load

        return load("embedded")

    def plan(self, photo: Picture, asked: Settings | None = None) -> list[tuple[int, int]]:
        """The longer side and the number of steps of each scale.

        Raises:
            InputError: There can't be as many scales as were asked for.
        """
        asked = self.settings if asked is None else asked
        longer = asked.size or max(photo.rgb.shape[:2])
        return scales.plan(longer, self.recipe.steps, asked.scales, self._least_size(photo, asked.paintings))

    def check(self, photo: Picture, asked: Settings) -> None:
        """Find out before the work whether a picture can be painted in one style; at the first, smallest scale.

        Raises:
            InputError: A style or a mask can't be used.
        """
        prepare(
            photo,
            asked.paintings,
            self.minimum_side,
            size=self.plan(photo, asked)[0][0],
            style_scale=asked.style_scale,
            content_masks=asked.content_masks,
            style_masks=asked.style_masks,
        )

    def together(self, photo: Picture) -> int:
        """How many pictures as large as this one memory holds beside one another, at least one for each replica."""
        if self.settings.voids < 1 or self.settings.preserve_color == "ink":  # in which the content goes by the style
            return self.replicas
        height, width = photo.rgb.shape[:2]
        shape = fitted_shape(height, width, self.settings.size or max(height, width))
        return self.replicas * build.together(self.branches, *shape, self.settings.tile)

    def paint(self, photos: Sequence[Picture], asked: Settings | None = None) -> list[Result]:
        """Paint pictures of one size: one, or a multiple of the strategy's replicas; a checkpoint stays.

        Args:
            photos: The pictures.
            asked: The settings, with other styles; None for the painter's own.

        Raises:
            InputError: Something given can't be used.
        """
        asked, started = self.settings if asked is None else asked, time.perf_counter()
        height, width = photos[0].rgb.shape[:2]
        import_tensorflow(math.prod(fitted_shape(height, width, asked.size or max(height, width))))
        import tensorflow as tf

        plan = self.plan(photos[0], asked)
        sizes = [size for size, _ in plan]
        shapes = [(height, width) if n == max(height, width) else fitted_shape(height, width, n) for n in sizes]
        self._canvases = {key: kept for key, kept in self._canvases.items() if key[1:] in shapes}
        seen, papers = self._with_voids(photos, asked)
        contents, paintings = self._recoloured(seen, asked)
        if papers:  # white again, whatever the tones have become
            contents = [blank_areas.lifted(contents[0], papers[0].rgb[..., 0])]
        done, state = _Progress(histories=[{} for _ in photos]), None
        if asked.checkpoint is not None:
            from tfstyle.optimization import (
                checkpoint,  # which is a callback of Keras, and that takes seconds to import
            )

            fingerprint = self._fingerprint(photos[0], plan)
            checkpoint.prepare(asked.checkpoint, asked.resume)
            if state := checkpoint.read(asked.checkpoint, fingerprint):
                done = _Progress(state["scale"], [state["history"]])
            keeper = checkpoint.Checkpoint(asked.checkpoint, asked.checkpoint_every, fingerprint)

        canvas: Canvas | None = None
        stopped, seconds = None, 0.0
        while done.scale < len(plan) and not stopped:
            (size, steps), shape = plan[done.scale], shapes[done.scale]
            last, began = canvas, time.perf_counter()
            try:
                canvas = self._canvas(contents, paintings, papers, asked, size, shape, last)
                if state:
                    checkpoint.restore(canvas, state)
                    state = None
                canvas.finish = lambda picture: self._coloured(picture, seen[0], asked.of(0))
                canvas.steps_before = len(done.histories[0].get("step", ()))
                callbacks = list(asked.callbacks)
                if asked.checkpoint is not None:
                    keeper.state = {"scale": done.scale, "history": done.histories[0]}
                    callbacks.append(keeper)
                began = time.perf_counter()
                stopped = _fit(canvas, steps - canvas.steps_done, callbacks, asked.progress)
            except (KeyboardInterrupt, MemoryError, tf.errors.ResourceExhaustedError) as error:
                stopped = "interrupted" if isinstance(error, KeyboardInterrupt) else "out of memory"
                if canvas is None or not canvas.painted:
                    canvas = last  # the picture of the scale before
                if canvas is None and isinstance(error, KeyboardInterrupt):
                    raise
                if canvas is None:
                    raise InputError(
                        f"there is not enough memory for {shape[1]}x{shape[0]} pixels: give a smaller size or tile"
                    ) from error
            seconds += time.perf_counter() - began
            if canvas is not last:
                done.histories = [_joined(*pair) for pair in zip(done.histories, canvas.step_logs, strict=True)]
            done.scale += 1
        assert canvas is not None  # there is always a scale left

        shared = {
            **describe(self.branches, canvas),
            "scales": sizes,
            "scale_steps": [steps for _, steps in plan],
            "optimization_seconds": round(seconds, 3),
            "seconds": round(time.perf_counter() - started, 3),
        }
        results, best_losses = [], canvas.best_losses.numpy()
        for index, (photo, painted) in enumerate(zip(photos, canvas.pictures, strict=True)):
            history = done.histories[index]
            settings = {
                "content": photo.name,
                "content_sha256": photo.sha256,
                **asked.of(index).record(),
                **shared,
                "stopped": stopped or _spoilt(history),
                "steps_done": len(history["step"]),
                "first_loss": history["loss"][0],
                "best_loss": float(best_losses[index]),
            }
            picture = self._coloured(painted, seen[index], asked.of(index))
            results.append(Result(picture, canvas.alphas[index], history, settings))
        if not self.keep:
            del canvas
            gc.collect()  # Keras models are full of cycles, and large
        return results

    def _canvas(
        self,
        contents: list[Picture],
        paintings: list[Picture],
        papers: list[Picture],
        asked: Settings,
        size: int,
        shape: tuple[int, int],
        last: Canvas | None,
    ) -> Canvas:
        """A compiled canvas of a size, which goes on from the last, smaller one if there was one."""
        key = (len(contents), *shape)
        init: Any = asked.init if last is None else [Picture(each, None, "the last scale") for each in last.pictures]
        if isinstance(init, str) and init == "adain":
            init = initialization.feed_forward(self.feed_forward, contents, paintings, papers, asked, size)
        canvas = self._canvases.get(key)
        if canvas is not None:
            canvas.restart(contents, paintings, init, asked.style_masks, papers)
        else:
            with self._scope():
                canvas = build.compose(
                    self.branches,
                    contents,
                    paintings,
                    asked.mix,
                    init,
                    size,
                    asked.seed,
                    tile=build.tile(self.branches, *shape, asked.tile),
                    calibrate=asked.calibrate,
                    style_scale=asked.style_scale,
                    content_masks=asked.content_masks,
                    style_masks=asked.style_masks,
                    voids=papers,
                    parameterization=build.parameterization(
                        self.recipe.parameterization, grey=asked.preserve_color in color_transfer.GREY
                    ),
                )
                optimizer = build.optimizer(self.recipe, asked.learning_rate, *shape, canvas.smoothness)
                # Several steps a call would put L-BFGS's loops in a loop of replicas, which TensorFlow can't build.
                per_call = 1 if self.strategy else build.steps_per_call()
                jit = self.strategy is None and compiled_faster(self.branches[0].backbone.compute_dtype)
                canvas.compile(optimizer, steps_per_execution=per_call, jit_compile=jit)
            if self.keep:
                self._canvases[key] = canvas
        if last is not None and asked.carry_over:
            scales.carry_over(last, canvas)
        return canvas

    @property
    def replicas(self) -> int:
        """On how many devices pictures are painted at a time."""
        return 1 if self.strategy is None else self.strategy.num_replicas_in_sync

    @property
    def minimum_side(self) -> int:
        """The shortest side of a picture, in pixels, that all networks take."""
        return max(branch.backbone.minimum_side for branch in self.branches)

    def _least_size(self, photo: Picture, paintings: Sequence[Picture]) -> int:
        """The size below which a picture, or a style brought to it, would be too small for the network."""
        pictures = [(photo, 1.0), *((painting, self.settings.style_scale) for painting in paintings)]
        ratios = [max(p.rgb.shape[:2]) / min(p.rgb.shape[:2]) / factor for p, factor in pictures]
        return math.ceil(max(ratios) * self.minimum_side)

    def _scope(self) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext() if self.strategy is None else self.strategy.scope()

    def _with_voids(self, photos: Sequence[Picture], asked: Settings) -> tuple[Sequence[Picture], list[Picture]]:
        """With voids lifted to white, one content only, and where those are in it and in the styles."""
        if asked.voids == 1:
            return photos, []
        size = asked.size or max(photos[0].rgb.shape[:2])
        photo, *paintings = (picture.resized(size) for picture in (photos[0], *asked.paintings))
        own, *theirs = (blank_areas.found(picture, asked.voids) for picture in (photo, *paintings))
        papers = [made_picture(mask[..., None].repeat(3, axis=-1), None, "the voids") for mask in (own, *theirs)]
        return [blank_areas.lifted(photo, own)], papers

    def _recoloured(self, photos: Sequence[Picture], asked: Settings) -> tuple[list[Picture], list[Picture]]:
        """Contents and styles as the optimisation shall see them; with a way to keep colours, all of one content."""
        if asked.preserve_color is None:
            return list(photos), asked.paintings
        mix = (
            cast("list[float]", asked.of(0).mix) if asked.preserve_color == "ink" else None
        )  # in ink, styles are painted one by one
        content, paintings = color_transfer.prepared(asked.preserve_color, photos[0], asked.paintings, mix)
        return [content] * len(photos), paintings

    def _coloured(self, picture: np.ndarray, photo: Picture, asked: Settings) -> np.ndarray:
        if asked.preserve_color is None:
            return picture
        tint = color_transfer.paper(asked.paintings, cast("list[float]", asked.mix)) if asked.saturation < 1 else None
        return color_transfer.restore(asked.preserve_color, picture, photo, asked.saturation, tint)

    def _fingerprint(self, photo: Picture, plan: list[tuple[int, int]]) -> dict[str, Any]:
        """All that must be the same for an unfinished painting to go on."""
        asked = self.settings
        names = ("sources", "notes", "styles", "content_masks", "style_masks")  # of files, which may move
        pictures = {"init": asked.init, "content_mask": asked.content_masks, "style_mask": asked.style_masks}
        networks: dict[str, Any] = {}
        for branch in self.branches:
            prefix = f"{branch.backbone.name} " if len(self.branches) > 1 else ""
            networks |= {prefix + key: value for key, value in branch.record().items() if key not in names}
        return {
            **networks,
            **{key: value for key, value in asked.record().items() if key not in names},
            "init": None if isinstance(asked.init, Picture) else asked.init,
            "content_sha256": photo.sha256,
            "scales": plan,
            "learning_rate": asked.learning_rate,
            **{f"{name}_sha256": _digests(value) for name, value in pictures.items()},
        }


def _digests(value: Any) -> Any:
    if isinstance(value, list):
        return [_digests(each) for each in value]
    return value.sha256 if isinstance(value, Picture) else None


def _joined(before: dict[str, list[float]], after: dict[str, list[float]]) -> dict[str, list[float]]:
    """One history after the other, its steps counted on."""
    done = len(before.get("step", ()))
    counted = {**after, "step": [step + done for step in after["step"]]}
    return {name: [*before.get(name, ()), *values] for name, values in counted.items()}


def _fit(canvas: Canvas, steps: int, callbacks: Sequence[Any], progress: bool | None) -> str | None:
    """Run the optimisation; what was wrong with its losses, if anything was."""
    from tfstyle.optimization.callbacks import ProgressBar

    if steps < 1:  # a checkpoint of the last one, whose picture may be the best
        canvas.evaluate(verbose=0)
        return None
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    bar = [ProgressBar()] if (on_terminal if progress is None else progress) else []
    try:
        canvas.fit(steps=steps, callbacks=[*callbacks, *bar])
    finally:
        for each in bar:
            each.close()
    if not canvas.painted:
        raise InputError("the loss is not a finite number at the first step: give smaller weights")
    return _spoilt(canvas.step_log) if canvas.diverged else None


def _spoilt(history: dict[str, list[float]]) -> str | None:
    """What is wrong with the losses of a picture, if anything is."""
    if math.isfinite(history["loss"][-1]):
        return None
    return f"the loss was not a finite number after {len(history['step'])} steps"
