"""Pictures painted by a trained network in one pass: called as `transfer` is, and giving what that gives."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tfstyle import images
from tfstyle.core.errors import InputError, check_whole, unknown
from tfstyle.core.runtime import import_tensorflow
from tfstyle.images import color_transfer, masks
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import sized
from tfstyle.pipelines.result import Result, versions
from tfstyle.pipelines.transfer import MAXIMUM_SIDE, blended, listed
from tfstyle.pipelines.translation import Translated

if TYPE_CHECKING:
    from tfstyle.models.stylizer import Stylizer


def apply(
    content: images.Source,
    styles: images.Source | Sequence[images.Source] | None = None,
    *,
    model: Any = "embedded",
    alpha: float | images.Source = 1.0,
    style_blend: Sequence[float] | None = None,
    size: int | None = 512,
    style_scale: float = 1.0,
    content_mask: images.Source | Sequence[images.Source] | None = None,
    style_mask: images.Source | Sequence[images.Source | None] | None = None,
    preserve_color: Literal["luminance", "ink", "statistics", "histogram", "none"] | None = None,
    depth: Any = None,
    near: float = 0.3,
    far: float = 1.0,
    depth_contrast: float = 10.0,
    depth_offset: float = 0.5,
) -> Result:
    """Paint the content picture in the style of others by a feed-forward model, in one pass.

    Args:
        content: The photograph: path, PIL image, or array `(height, width[, channels])`.
        styles: The painting, or a list of several; None for a model that has learned its own style, as a `CycleGAN`
            has, for which nothing but `size` counts of what follows.
        model: `"embedded"`, a path (see `tfstyle.models.load`), or a model.
        alpha: How much of the style, from 0 to 1: a number, or for each pixel a grey picture of the content's shape.
        style_blend: Weight of each style, at least 0; they are divided by their sum. None for equal ones.
        size: Longer side of the result, in pixels; the aspect is the content's. None for the content's own.
        style_scale: Factor of the styles' sizes, which are brought to the picture's: larger ones make larger strokes.
        content_mask: Where on the picture is painted; as for `transfer`.
        style_mask: What of each style counts; likewise.
        preserve_color: Keep the photograph's colours; likewise.
        depth: Vary the strength with how near things are: `"auto"` for the model's depth module, or where it has none
            `DepthMini`; a map of the content's proximity (`tfstyle.depth.load`); or a depth module. None not to,
            unless the model does so by itself.
        near: Strength of the style for the nearest point; a factor of alpha. Of use with depth only, as what follows.
        far: For the farthest.
        depth_contrast: How sharply near and far are told apart; see `tfstyle.models.depth.strength`.
        depth_offset: The proximity in the middle of what is near and what is far.

    Returns:
        The picture and all settings; there are no steps, and so no history.

    Raises:
        InputError: Something given can't be used; one line names it and the fix.

    Reference:
        Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization".
    """
    applied = _applied(
        styles,
        model=model,
        alpha=alpha,
        style_blend=style_blend,
        size=size,
        style_scale=style_scale,
        content_mask=content_mask,
        style_mask=style_mask,
        preserve_color=preserve_color,
        depth=depth,
        near=near,
        far=far,
        depth_contrast=depth_contrast,
        depth_offset=depth_offset,
    )
    return applied.paint(images.load(content))


def apply_batch(
    contents: Iterable[images.Source],
    styles: images.Source | Sequence[images.Source] | None = None,
    *,
    progress: bool | None = None,
    **settings: Any,
) -> Iterator[Result | InputError]:
    """Paint many pictures by a feed-forward model, whose styles are encoded once.

    Args:
        contents: The photographs; read one after the other, so that a generator may make them.
        styles: The painting, or a list of several; None as for `apply`.
        progress: Whether to draw a live bar on stderr; None for: if stdout is a terminal.
        **settings: As for `apply`.

    Yields:
        For each content, in its order, the result; or, if it can't be used, the error that says why.

    Raises:
        InputError: A style, the model or a setting can't be used; before anything is painted.
    """
    if isinstance(contents, (str, os.PathLike, Picture)):
        raise InputError("the contents are one picture: give a list of pictures, or use apply")
    applied = _applied(styles, **_with_defaults(settings))
    tasks = (lambda content=content: applied.paint(images.load(content)) for content in contents)
    return _followed(tasks, len(contents) if isinstance(contents, Sized) else None, progress)


def apply_styles(
    content: images.Source, styles: Sequence[images.Source], *, progress: bool | None = None, **settings: Any
) -> Iterator[Result | InputError]:
    """Paint one picture once in each style by a feed-forward model.

    Args:
        content: The photograph.
        styles: The paintings.
        progress: As for `apply_batch`.
        **settings: As for `apply`, but for the blend; a `style_mask` for each style, or None.

    Yields:
        For each style, in its order, the result; or, if it can't be used, the error that says why.

    Raises:
        InputError: The content, the model or a setting can't be used; before anything is painted.
    """
    given = _with_defaults(settings)
    if given["style_blend"] is not None:
        raise InputError("each style is painted by itself: leave out the style blend, or use apply")
    sources, own = listed(styles), listed(given.pop("style_mask"))
    if not sources:
        raise InputError("there is no style picture: give at least one")
    if len(own) not in (0, len(sources)):
        raise InputError(f"there are {len(own)} style masks for {len(sources)} styles: give one for each, or none")
    if len(listed(given["content_mask"])) > 1:
        raise InputError("each style is painted by itself: give one content mask")
    photo = images.load(content)
    applied = _Applied(replace(_checked([photo], style_mask=None, **given), paintings=[]))
    applied.sized(photo)

    def painted(source: images.Source, mask: images.Source | None) -> Result:
        asked = _checked([source], style_mask=mask, **given)
        return _Applied(asked, applied.model).paint(photo)

    pairs = zip(sources, own or [None] * len(sources), strict=True)
    return _followed((lambda pair=pair: painted(*pair) for pair in pairs), len(sources), progress)


@dataclass(frozen=True, eq=False)
class _Asked:
    """The arguments of `apply`, checked."""

    paintings: list[Picture]
    mix: list[float]
    model: Any
    alpha: float | Picture
    size: int | None
    style_scale: float
    content_masks: list[Picture]
    style_masks: list[Picture | None]
    preserve_color: str | None
    depth: Any
    strengths: dict[str, float]

    def record(self) -> dict[str, Any]:
        """What the result's record has of them, as JSON can hold it."""
        return {
            "styles": [painting.name for painting in self.paintings],
            "styles_sha256": [painting.sha256 for painting in self.paintings],
            "style_blend": self.mix,
            "style_scale": self.style_scale,
            "size": self.size,
            "alpha": self.alpha.name if isinstance(self.alpha, Picture) else self.alpha,
            "content_masks": [mask.name for mask in self.content_masks],
            "style_masks": [None if mask is None else mask.name for mask in self.style_masks],
            "preserve_color": self.preserve_color,
            **self._depth_record(),
        }

    def _depth_record(self) -> dict[str, Any]:
        if self.depth is None:
            return {"depth": None}
        name = self.depth if isinstance(self.depth, str) else getattr(self.depth, "name", type(self.depth).__name__)
        return {"depth": os.path.basename(name), **self.strengths}


def _with_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    defaults = dict(apply.__kwdefaults__ or {})
    if wrong := [name for name in settings if name not in defaults]:
        raise unknown("setting", wrong[0], defaults)
    return {**defaults, **settings}


def _checked(
    styles: images.Source | Sequence[images.Source],
    *,
    model: Any,
    alpha: float | images.Source,
    style_blend: Sequence[float] | None,
    size: int | None,
    style_scale: float,
    content_mask: images.Source | Sequence[images.Source] | None,
    style_mask: images.Source | Sequence[images.Source | None] | None,
    preserve_color: str | None,
    depth: Any,
    **strengths: float,
) -> _Asked:
    """The settings, checked before TensorFlow is imported, which takes seconds."""
    if size is not None:
        check_whole("size", size, 1, MAXIMUM_SIDE)
    if not 0 < style_scale < float("inf"):
        raise InputError(f"style scale {style_scale:g} can't be used: give a number above 0")
    if isinstance(alpha, (int, float)):
        if not 0 <= alpha <= 1:
            raise InputError(f"alpha {alpha:g} can't be used: give a number from 0 to 1, or a grey picture")
    else:
        alpha = images.load(alpha)
        masks.grey(alpha, alpha.rgb.shape[:2], "alpha")
    preserve_color = None if preserve_color == "none" else preserve_color
    if preserve_color not in (None, *color_transfer.KINDS):
        raise unknown("preserve color", preserve_color, (*color_transfer.KINDS, "none"))
    pictures = listed(styles)
    if not pictures:
        raise InputError("there is no style picture: give at least one")
    return _Asked(
        paintings=[images.load(picture) for picture in pictures],
        mix=blended(style_blend, len(pictures)),
        model=model,
        alpha=alpha,
        size=size,
        style_scale=style_scale,
        content_masks=[images.load(mask) for mask in listed(content_mask)],
        style_masks=[None if mask is None else images.load(mask) for mask in listed(style_mask)],
        preserve_color=preserve_color,
        depth=os.fspath(depth) if isinstance(depth, os.PathLike) else depth,
        strengths=strengths,
    )


def _applied(styles: Any, **settings: Any) -> _Applied | Translated:
    """What paints, with these styles, or with none."""
    if styles is not None:
        return _Applied(_checked(styles, **settings))
    defaults = _with_defaults({})
    model, size = settings["model"], settings["size"]
    if isinstance(model, str) and model == defaults["model"]:
        raise InputError("there is no style picture: give at least one")
    for name, value in settings.items():
        if name not in ("model", "size") and value is not defaults[name] and value != defaults[name]:
            raise InputError(f"{name.replace('_', ' ')} says nothing without style pictures: leave it out")
    if size is not None:
        check_whole("size", size, 1, MAXIMUM_SIDE)
    loaded, source = _loaded(model)
    return Translated(loaded, source, size)


def _loaded(model: Any) -> tuple[Any, str | None]:
    """A model, and the name of its file if it is one of a file."""
    import_tensorflow()
    from tfstyle.models.pretrained import load

    source = _named(model)
    return model if source is None else load(model), source


def _named(model: Any) -> str | None:
    return os.path.basename(os.path.normpath(model)) if isinstance(model, (str, os.PathLike)) else None


class _Applied:
    """The settings with the model loaded and the styles at their size."""

    def __init__(self, asked: _Asked, model: Any = None) -> None:
        loaded, self.source = _loaded(asked.model) if model is None else (model, _named(asked.model))
        from tfstyle.models.interfaces import check_stylizes
        from tfstyle.models.stylizer import Stylizer

        self.asked, self.model = asked, loaded
        check_stylizes(self.model)
        paintings = [self.sized(painting, asked.style_scale) for painting in asked.paintings]
        self.stylizer: Stylizer = Stylizer(
            self.model,
            paintings,
            asked.mix,
            asked.alpha,
            asked.content_masks,
            asked.style_masks,
            asked.preserve_color,
            self._depth(),
        )

    def _depth(self) -> Any:
        """What makes the strength vary with the proximity, if anything is to."""
        given = self.asked.depth
        if given is None:
            return None
        from tfstyle.models.depth import MapFile
        from tfstyle.models.depth.strength import DepthStrength
        from tfstyle.models.interfaces import EstimatesDepth

        if isinstance(given, str) and given == "auto":
            has_module = isinstance(self.model, EstimatesDepth) and self.model.depth is not None
            module = self.model.inverse_depth if has_module else _depth_mini()
        else:
            module = given if callable(given) else MapFile(given)
        return DepthStrength(module, **{name.removeprefix("depth_"): v for name, v in self.asked.strengths.items()})

    def sized(self, picture: Picture, scale: float = 1.0) -> Picture:
        """A picture at the size that is asked for."""
        return sized(picture, self.asked.size, self.model.minimum_side, scale)

    def paint(self, photo: Picture) -> Result:
        """A picture, and how it came about."""
        import tensorflow as tf

        began = time.perf_counter()
        own = self.sized(photo)
        height, width = own.rgb.shape[:2]
        try:
            painted = self.stylizer.paint(own)
        except (MemoryError, tf.errors.ResourceExhaustedError) as error:
            raise InputError(
                f"there is not enough memory for {width}x{height} pixels: give a smaller size"
            ) from error
        settings = {
            "content": photo.name,
            "content_sha256": photo.sha256,
            **self.asked.record(),
            "model": type(self.model).__name__,
            "model_source": self.source,
            **self.model.record(),
            "height": height,
            "width": width,
            "versions": versions(),
            "seconds": round(time.perf_counter() - began, 3),
            "stopped": None,
        }
        return Result(painted, own.alpha, {}, settings)


@functools.cache
def _depth_mini() -> Any:
    """`DepthMini`, made once for many pictures and styles."""
    from tfstyle.models.depth import DepthMini

    return DepthMini()


def _followed(tasks: Iterable[Any], number: int | None, progress: bool | None) -> Iterator[Result | InputError]:
    """What each task gives, or what is wrong with it; several are followed by a live bar."""
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    if number == 1 or not (on_terminal if progress is None else progress):
        yield from map(_tried, tasks)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("painting"), BarColumn(bar_width=None), MofNCompleteColumn(), TextColumn("left"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        row = bar.add_task("painting", total=number)
        for done, task in enumerate(tasks, 1):
            result = _tried(task)
            bar.advance(row)
            if done == number:  # nobody may ask for more than the last one
                bar.stop()
            yield result


def _tried(task: Any) -> Result | InputError:
    try:
        return task()
    except InputError as error:
        return error
