"""Many pictures in one call: many content images in one style, and one content image in many styles."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tfstyle import images
from tfstyle.core import runtime
from tfstyle.core.errors import InputError
from tfstyle.core.signatures import takes
from tfstyle.images.picture import Picture
from tfstyle.images.sizing import sized
from tfstyle.pipelines.inputs import Inputs, check_one_each
from tfstyle.pipelines.result import Result
from tfstyle.pipelines.runner import TransferRunner
from tfstyle.pipelines.settings import BatchTransferSettings
from tfstyle.pipelines.transfer import validate


@takes(BatchTransferSettings)
def transfer_batch(
    contents: Iterable[images.Source], settings: BatchTransferSettings
) -> Iterator[Result | InputError]:
    """Paint many content images in the same style, each by itself.

    Consecutive pictures of the same size share one compiled step. With several GPUs, each works on one picture.

    Args:
        contents: The content images; they are read one after the other, so that a generator may make them.
        {options}

    Yields:
        For each content image, in order, the result; or, if it can't be used, the error that says why. Ctrl-C stops
        the picture that is being painted, whose result says so; the next iteration starts the next picture.

    Raises:
        InputError: A style image or an option can't be used; before anything is painted.
    """
    if isinstance(contents, (str, os.PathLike, Picture)):
        raise InputError("the contents are one picture: give a list of pictures, or use transfer")
    return _batch(contents, settings, validate(settings))


def _batch(
    contents: Iterable[images.Source], settings: BatchTransferSettings, inputs: Inputs
) -> Iterator[Result | InputError]:
    strategy = runtime.strategy()
    runner = TransferRunner(settings, inputs, keep=True, strategy=strategy)
    per_step = runner.replicas if runner.preprocessing.contents_independent else 1
    group: list[Picture] = []

    def results() -> list[Result | InputError]:
        pictures, number = group.copy(), len(group)
        group.clear()
        filled = [*pictures, *pictures[:1] * (per_step - number)]  # each replica works on one picture
        try:
            return list(runner.run(filled)[:number])
        except InputError as error:
            return [error] * number

    for source in contents:
        try:
            content = images.load(source)
        except InputError as error:
            if group:
                yield from results()
            yield error
            continue
        if group and content.rgb.shape != group[0].rgb.shape:
            yield from results()
        group.append(content)
        if len(group) == per_step:
            yield from results()
    if group:
        yield from results()


@takes(BatchTransferSettings)
def transfer_styles(content: images.Source, settings: BatchTransferSettings) -> Iterator[Result | InputError]:
    """Paint one content image once in each style.

    As many styles as memory holds, eight at most, share each step, and all share one compilation. Each result is
    that of `transfer` with its style alone, up to rounding, which grows from step to step.

    Args:
        content: The content image.
        {options}

    Yields:
        For each style image, in order, the result; or, if it can't be used, the error that says why. Ctrl-C stops
        the pictures that are being painted, whose results say so, and ends the iteration.

    Raises:
        InputError: The content image or an option can't be used; before anything is painted.
    """
    styles, style_masks = check_one_each(settings)
    picture = images.load(content)
    loaded = [_style(*pair) for pair in zip(styles, style_masks, strict=True)]
    usable = [each for each in loaded if not isinstance(each, InputError)]
    masks = [mask for _, mask in usable] if any(mask is not None for mask in style_masks) else None
    # Options are checked in any case, even if no style image can be read.
    own = replace(settings, styles=[style for style, _ in usable] or [picture], style_masks=masks)
    numbers = itertools.count()
    outcomes = [each if isinstance(each, InputError) else next(numbers) for each in loaded]
    return _styles(picture, outcomes, own, validate(own))


def _style(style: images.Source, mask: images.Source | None) -> tuple[Picture, Picture | None] | InputError:
    """A style image and its mask, or the error that says why they can't be used."""
    try:
        return images.load(style), None if mask is None else images.load(mask)
    except InputError as error:
        return error


def _styles(
    content: Picture, outcomes: list[InputError | int], settings: BatchTransferSettings, inputs: Inputs
) -> Iterator[Result | InputError]:
    """For each style its error or its result; `outcomes` has the errors, and the numbers of the usable styles."""
    runner = TransferRunner(settings, inputs, keep=True, strategy=runtime.strategy())
    sized(content, settings.size, runner.minimum_side)
    for place, number in enumerate(outcomes):
        if isinstance(number, int):
            try:
                runner.check(content, inputs.one_each([number]))
            except InputError as error:
                outcomes[place] = error
    results = _in_groups(runner, content, [number for number in outcomes if isinstance(number, int)])
    for each in outcomes:
        result = each if isinstance(each, InputError) else next(results, None)
        if result is None:  # there was a Ctrl-C
            return
        yield result


def _in_groups(runner: TransferRunner, content: Picture, numbers: Sequence[int]) -> Iterator[Result | InputError]:
    """The results of the styles of those numbers, in equal groups as large as memory allows."""
    inputs = runner.inputs
    for _, group in itertools.groupby(numbers, lambda number: runner.plan(content, inputs.one_each([number]))):
        same_scales = list(group)  # narrow style images may have fewer scales than others
        groups = math.ceil(len(same_scales) / runner.styles_per_step(content))
        size = math.ceil(len(same_scales) / groups / runner.replicas) * runner.replicas
        for begin in range(0, len(same_scales), size):
            styles = same_scales[begin : begin + size]
            filled = [*styles, *styles[:1] * size][:size]  # the step is compiled for so many
            try:
                results = runner.run([content] * size, inputs.one_each(filled))[: len(styles)]
            except InputError as error:
                yield from [error] * len(styles)
                continue
            yield from results
            if results[0].settings["stopped"] == "interrupted":
                return
