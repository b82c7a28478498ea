"""Many pictures in one call: many contents in one style, and one content in many."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tfstyle import images
from tfstyle.core import runtime
from tfstyle.core.errors import InputError, unknown
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import sized
from tfstyle.pipelines.result import Result
from tfstyle.pipelines.runner import Painter
from tfstyle.pipelines.settings import Settings
from tfstyle.pipelines.transfer import checked, listed, transfer


def transfer_batch(
    contents: Iterable[images.Source], styles: images.Source | Sequence[images.Source], **settings: Any
) -> Iterator[Result | InputError]:
    """Paint many pictures in the style of others, each on its own.

    Pictures of the same size that come one after the other share one compiled step. Where there are several GPUs,
    they work on as many pictures at a time.

    Args:
        contents: The photographs; read one after the other, so that a generator may make them.
        styles: The painting, or a list of several.
        **settings: As for `transfer`, but for checkpoints.

    Yields:
        For each content, in its order, the result; or, if it can't be used, the error that says why. A Ctrl-C stops
        the picture that is being painted, whose result says so; going on with the iteration begins the next.

    Raises:
        InputError: A style or a setting can't be used; before anything is painted.
    """
    given = _for_many(settings, "content")
    if isinstance(contents, (str, os.PathLike, Picture)):
        raise InputError("the contents are one picture: give a list of pictures, or use transfer")
    return _batch(contents, checked(styles, **given))


def _batch(contents: Iterable[images.Source], asked: Settings) -> Iterator[Result | InputError]:
    strategy = runtime.strategy()
    painter = Painter(asked, keep=True, strategy=strategy)
    alone = strategy is None or asked.preserve_color or asked.voids < 1  # what is done to a content is done to one
    together = 1 if alone else strategy.num_replicas_in_sync
    group: list[Picture] = []

    def painted() -> list[Result | InputError]:
        photos, number = group.copy(), len(group)
        group.clear()
        try:  # the last group is filled up, as replicas work on one picture each
            return list(painter.paint([*photos, *photos[:1] * (together - number)][: max(together, number)])[:number])
        except InputError as error:
            return [error] * number

    for content in contents:
        try:
            photo = images.load(content)
        except InputError as error:
            if group:
                yield from painted()
            yield error
            continue
        if group and photo.rgb.shape != group[0].rgb.shape:
            yield from painted()
        group.append(photo)
        if len(group) == together:
            yield from painted()
    if group:
        yield from painted()


def transfer_styles(
    content: images.Source, styles: Sequence[images.Source], **settings: Any
) -> Iterator[Result | InputError]:
    """Paint one picture once in each style.

    As many at a time as memory holds, but no more than eight, share each step, and all share one compilation. Each
    result is that of `transfer` with its style alone, but for rounding, which grows from step to step.

    Args:
        content: The photograph.
        styles: The paintings.
        **settings: As for `transfer`, but for checkpoints and the blend; a `style_mask` for each style, or None.

    Yields:
        For each style, in its order, the result; or, if it can't be used, the error that says why. A Ctrl-C stops
        those that are being painted, whose results say so, and they are the last.

    Raises:
        InputError: The content or a setting can't be used; before anything is painted.
    """
    given = _for_many(settings, "style")
    if given["style_blend"] is not None:
        raise InputError("each style is painted by itself: leave out the style blend, or use transfer")
    sources, masks = listed(styles), listed(given["style_mask"])
    if not sources:
        raise InputError("there is no style picture: give at least one")
    if len(masks) not in (0, len(sources)):
        raise InputError(f"there are {len(masks)} style masks for {len(sources)} styles: give one for each, or none")
    if len(listed(given["content_mask"])) > 1:
        raise InputError("each style is painted by itself: give one content mask")
    photo = images.load(content)
    loaded = [_style(*pair) for pair in zip(sources, masks or [None] * len(sources), strict=True)]
    good = [each for each in loaded if not isinstance(each, InputError)]
    given["style_mask"] = [mask for _, mask in good] if masks else None
    asked = checked([painting for painting, _ in good] or [photo], **given)  # settings are checked in any case
    numbers = itertools.count()
    return _styles(photo, [each if isinstance(each, InputError) else next(numbers) for each in loaded], asked)


def _style(source: images.Source, mask: images.Source | None) -> tuple[Picture, Picture | None] | InputError:
    """A style and its mask, or what is wrong with them."""
    try:
        return images.load(source), None if mask is None else images.load(mask)
    except InputError as error:
        return error


def _styles(photo: Picture, found: list[InputError | int], asked: Settings) -> Iterator[Result | InputError]:
    """For each style what is wrong with it, or its result; `found` has the numbers of those that could be read."""
    painter = Painter(asked, keep=True, strategy=runtime.strategy())
    sized(photo, asked.size, painter.minimum_side)
    for place, number in enumerate(found):
        if isinstance(number, int):
            try:
                painter.check(photo, asked.alone([number]))
            except InputError as error:
                found[place] = error
    results = _painted(painter, photo, [number for number in found if isinstance(number, int)])
    for each in found:
        result = each if isinstance(each, InputError) else next(results, None)
        if result is None:  # there was a Ctrl-C
            return
        yield result


def _painted(painter: Painter, photo: Picture, numbers: Sequence[int]) -> Iterator[Result | InputError]:
    """The results of the styles of those numbers, in equal groups as large as memory allows."""
    asked = painter.settings
    for _, same in itertools.groupby(numbers, lambda number: painter.plan(photo, asked.alone([number]))):
        styles = list(same)  # narrow ones may have fewer scales than others
        groups = math.ceil(len(styles) / painter.together(photo))
        size = math.ceil(len(styles) / groups / painter.replicas) * painter.replicas
        for begin in range(0, len(styles), size):
            group = styles[begin : begin + size]
            filled = [*group, *group[:1] * size][:size]  # the step is compiled for so many
            try:
                results = painter.paint([photo] * size, asked.alone(filled))[: len(group)]
            except InputError as error:
                yield from [error] * len(group)
                continue
            yield from results
            if results[0].settings["stopped"] == "interrupted":
                return


def _for_many(settings: Mapping[str, Any], what: str) -> dict[str, Any]:
    """All settings of `transfer`, those given and its own, but for those of one picture at a time."""
    for name in ("checkpoint", "checkpoint_every", "resume"):
        if settings.get(name):
            raise InputError(f"{name} is for one picture at a time: leave it out, or paint one {what}")
    defaults = dict(transfer.__kwdefaults__ or {})
    if wrong := [name for name in settings if name not in defaults]:
        raise unknown("setting", wrong[0], defaults)
    return {**defaults, **settings}
