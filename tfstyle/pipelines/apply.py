"""Style transfer by a feed-forward model, in one pass: called as `transfer` is, with results of the same kind."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.core.memory import memory_errors, not_enough_memory
from tfstyle.core.progress import track
from tfstyle.core.runtime import import_tensorflow
from tfstyle.core.settings import plain
from tfstyle.core.signatures import takes
from tfstyle.images import masks
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import sized
from tfstyle.pipelines.inputs import Inputs, check_one_each, load_inputs
from tfstyle.pipelines.result import Result
from tfstyle.pipelines.settings import DEPTH_OPTIONS, ApplyBatchSettings, ApplySettings

if TYPE_CHECKING:
    import numpy as np


@takes(ApplySettings)
def apply(content: images.Source, settings: ApplySettings) -> Result:
    """Paint a content image in the style of style images by a feed-forward model, in one pass.

    A model that has learned one style, such as a `CycleGAN`, takes no style images and no option but `size`.

    Args:
        content: The content image: path, PIL image, or array `(height, width[, channels])`.
        {options}

    Returns:
        The picture and all settings; there are no steps, and so no history.

    Raises:
        InputError: A picture or an option can't be used; one line names it and the fix.

    Reference:
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization".
    """
    return pipeline(settings).run(images.load(content))


@takes(ApplyBatchSettings)
def apply_batch(contents: Iterable[images.Source], settings: ApplyBatchSettings) -> Iterator[Result | InputError]:
    """Paint many content images by a feed-forward model, whose style images are encoded once.

    Args:
        contents: The content images; they are read one after the other, so that a generator may make them.
        {options}

    Yields:
        For each content image, in order, the result; or, if it can't be used, the error that says why.

    Raises:
        InputError: A style image, the model or an option can't be used; before anything is painted.
    """
    if isinstance(contents, (str, os.PathLike, Picture)):
        raise InputError("the contents are one picture: give a list of pictures, or use apply")
    painter = pipeline(settings)
    tasks = (functools.partial(_load_and_run, painter, content) for content in contents)
    return _outcomes(tasks, len(contents) if isinstance(contents, Sized) else None, settings.progress)


@takes(ApplyBatchSettings)
def apply_styles(content: images.Source, settings: ApplyBatchSettings) -> Iterator[Result | InputError]:
    """Paint one content image once in each style by a feed-forward model.

    Args:
        content: The content image.
        {options}

    Yields:
        For each style image, in order, the result; or, if it can't be used, the error that says why.

    Raises:
        InputError: The content image, the model or an option can't be used; before anything is painted.
    """
    styles, style_masks = check_one_each(settings)
    picture = images.load(content)
    model, name = load_model(settings.model)
    _check_inputs(settings, load_inputs(replace(settings, styles=[picture], style_masks=None)))
    sized(picture, settings.size, FeedForwardPipeline.minimum_side_of(model))

    def run(style: images.Source, mask: images.Source | None) -> Result:
        own = replace(settings, styles=[style], style_masks=[mask])
        return FeedForwardPipeline(own, load_inputs(own), model, name).run(picture)

    tasks = (functools.partial(run, *pair) for pair in zip(styles, style_masks, strict=True))
    return _outcomes(tasks, len(styles), settings.progress)


class Pipeline(Protocol):
    """Paints one content image after the other."""

    def run(self, content: Picture) -> Result:
        """Paint a content image."""


def pipeline(settings: ApplySettings) -> Pipeline:
    """The pipeline of a model, with its style images encoded or with none.

    Raises:
        InputError: The model or an option can't be used.
    """
    if settings.styles is not None:
        inputs = load_inputs(settings)
        _check_inputs(settings, inputs)
        return FeedForwardPipeline(settings, inputs, *load_model(settings.model))
    for name in settings.given():
        if name not in ("styles", "model", "size", "progress"):
            raise InputError(f"{name.replace('_', ' ')} has no effect without style images: leave it out")
    return TranslationPipeline(settings.size, *load_model(settings.model))


def load_model(model: Any) -> tuple[Any, str | None]:
    """A model, and the name of its file if it comes from one."""
    import_tensorflow()
    from tfstyle.models.pretrained import load

    if isinstance(model, (str, os.PathLike)):
        return load(model), os.path.basename(os.path.normpath(model))
    return model, None


def _check_inputs(settings: ApplySettings, inputs: Inputs) -> None:
    """Check what can be checked before TensorFlow is imported, which takes seconds."""
    if not isinstance(settings.alpha, (int, float)):
        mask = images.load(settings.alpha)
        masks.grey(mask, mask.rgb.shape[:2], "alpha")
    if settings.depth is None:
        for name in settings.given():
            if name in DEPTH_OPTIONS:
                raise InputError(f"{name.replace('_', ' ')} has no effect without depth: give depth, or leave it out")


class _OnePass:
    """What both kinds of pipelines share: one pass of a model, and the record of it."""

    def __init__(self, model: Any, source: str | None) -> None:
        self.model, self.source = model, source

    def painted(
        self, content: Picture, resized: Picture, paint: Callable[[Picture], np.ndarray], record: dict[str, Any]
    ) -> Result:
        """The result of one pass.

        Raises:
            InputError: Memory doesn't hold it.
        """
        began = time.perf_counter()
        height, width = resized.rgb.shape[:2]
        try:
            stylized = paint(resized)
        except memory_errors() as error:
            raise not_enough_memory(height, width) from error
        settings = {
            "content": content.name,
            "content_sha256": content.sha256,
            **record,
            "model": type(self.model).__name__,
            "model_source": self.source,
            "height": height,
            "width": width,
        }
        return Result.of_one_pass(stylized, resized.alpha, settings, time.perf_counter() - began)


class FeedForwardPipeline(_OnePass):
    """A model that paints in the style of style images, which are encoded once.

    Args:
        settings: The options.
        inputs: Style images and masks.
        model: A model such as `AdaIN`.
        source: The name of its file, or None.

    Raises:
        InputError: The model takes no style images, or one of these can't be used.
    """

    def __init__(self, settings: ApplySettings, inputs: Inputs, model: Any, source: str | None) -> None:
        super().__init__(model, source)
        from tfstyle.models.stylizer import Stylizer

        self.settings, self.inputs = settings, inputs
        self.preserve_color = None if settings.preserve_color == "none" else settings.preserve_color
        alpha = settings.alpha
        self.alpha: float | Picture = alpha if isinstance(alpha, (int, float)) else images.load(alpha)
        self.stylizer = Stylizer(
            model,
            [self.sized(style, settings.style_scale) for style in inputs.styles],
            inputs.weights,
            self.alpha,
            inputs.content_masks,
            inputs.style_masks,
            self.preserve_color,
            self._depth(),
        )

    @staticmethod
    def minimum_side_of(model: Any) -> int:
        """The shortest side of a picture, in pixels, that a model takes.

        Raises:
            InputError: The model takes no style images.
        """
        from tfstyle.models.interfaces import check_stylizes

        check_stylizes(model)
        return int(model.minimum_side)

    def sized(self, picture: Picture, scale: float = 1.0) -> Picture:
        """A picture at the size of the result, times a factor."""
        return sized(picture, self.settings.size, self.minimum_side_of(self.model), scale)

    def run(self, content: Picture) -> Result:
        """Paint a content image."""
        return self.painted(content, self.sized(content), self.stylizer.paint, self._record())

    def _depth(self) -> Any:
        """What makes the strength vary with depth, if anything is to."""
        depth, settings = self.settings.depth, self.settings
        if depth is None:
            return None
        from tfstyle.models.depth import MapFile
        from tfstyle.models.depth.strength import DepthStrength
        from tfstyle.models.interfaces import EstimatesDepth

        if isinstance(depth, str) and depth == "auto":
            has_module = isinstance(self.model, EstimatesDepth) and self.model.depth is not None
            module = self.model.inverse_depth if has_module else _depth_mini()
        else:
            module = (
                depth if callable(depth) else MapFile(os.fspath(depth) if isinstance(depth, os.PathLike) else depth)
            )
        return DepthStrength(module, settings.near, settings.far, settings.depth_contrast, settings.depth_offset)

    def _record(self) -> dict[str, Any]:
        settings = self.settings
        options = settings.record()
        if settings.depth is None:
            options = {name: value for name, value in options.items() if name not in DEPTH_OPTIONS}
        return {
            **options,
            **self.inputs.record(),
            "preserve_color": self.preserve_color,
            "alpha": self.alpha.name if isinstance(self.alpha, Picture) else self.alpha,
            "depth": os.path.basename(settings.depth) if isinstance(settings.depth, str) else plain(settings.depth),
            **self.model.record(),
        }


class TranslationPipeline(_OnePass):
    """A model that has learned one style, such as `CycleGAN`.

    Args:
        size: Longer side of the result in pixels; None for the content image's.
        model: The model.
        source: The name of its file, or None.

    Raises:
        InputError: The model needs style images, or makes pictures from noise.
    """

    def __init__(self, size: int | None, model: Any, source: str | None) -> None:
        super().__init__(model, source)
        from tfstyle.models.interfaces import check_translates

        check_translates(model)
        self.size = size

    def run(self, content: Picture) -> Result:
        """Paint a content image."""
        resized = sized(content, self.size, 1)
        return self.painted(content, resized, self.model.stylize, {"styles": [], "size": self.size})


@functools.cache
def _depth_mini() -> Any:
    """`DepthMini`, made once for many pictures and styles."""
    from tfstyle.models.depth import DepthMini

    return DepthMini()


def _load_and_run(painter: Pipeline, content: images.Source) -> Result:
    return painter.run(images.load(content))


def _outcomes(
    tasks: Iterable[Callable[[], Result]], number: int | None, progress: bool | None
) -> Iterator[Result | InputError]:
    """The result of each task, or its error; several are followed by a progress bar."""
    return track(map(_outcome, tasks), "painting", number, progress=False if number == 1 else progress)


def _outcome(task: Callable[[], Result]) -> Result | InputError:
    try:
        return task()
    except InputError as error:
        return error
