"""Content images on their way through the scales of an optimisation."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tfstyle.core.errors import InputError
from tfstyle.core.memory import memory_errors, not_enough_memory
from tfstyle.core.progress import wanted
from tfstyle.core.runtime import import_tensorflow
from tfstyle.images.picture import Picture, fitted_shape
from tfstyle.optimization import scales
from tfstyle.pipelines import build, initialization
from tfstyle.pipelines.inputs import Inputs
from tfstyle.pipelines.result import Result, describe
from tfstyle.pipelines.settings import TransferSettings

if TYPE_CHECKING:
    import numpy as np

    from tfstyle.optimization.canvas import Canvas
    from tfstyle.pipelines.runner import TransferRunner


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


@dataclass
class _Progress:
    """The scale that is painted, and the losses of the scales before, for each content image."""

    scale: int
    histories: list[dict[str, list[float]]] = field(default_factory=list)


class TransferRun:
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
