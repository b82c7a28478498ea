"""Command-line options, made from settings classes; and those that many commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Any

from tfstyle.core.errors import InputError
from tfstyle.core.settings import Kind, Option, default_text, kind, options_of


def add_options(parser: argparse.ArgumentParser, settings: Any, skip: Collection[str] = ()) -> None:
    """Add an option for each field of a settings class.

    Options that the user leaves out are missing from the namespace, so that defaults have one place.

    Args:
        parser: The command's parser.
        settings: The settings class.
        skip: Names of fields that get no option.
    """
    groups: dict[str, Any] = {}
    for each in fields(settings):
        declared: Option | None = each.metadata.get("option")
        if declared is None or declared.flag is False or each.name in skip:
            continue
        if declared.group not in groups:
            groups[declared.group] = parser.add_argument_group(declared.group)
        allowed = kind(settings, each.name)
        arguments: dict[str, Any] = {"dest": each.name, "default": argparse.SUPPRESS}
        if allowed.is_flag:
            arguments["action"] = "store_true" if each.default is False else argparse.BooleanOptionalAction
        else:
            arguments["type"] = _parser_of(declared, allowed)
            arguments["metavar"] = declared.metavar or ("|".join(allowed.words) or None)
            if declared.repeatable:
                arguments["action"] = "append"
        shown = f"{_plain(declared.help)} (default: {_plain(default_text(each))})"
        groups[declared.group].add_argument(
            f"--{_flag(each.name, declared)}", help=shown.replace("%", "%%"), **arguments
        )


def given_options(namespace: argparse.Namespace, settings: Any) -> dict[str, Any]:
    """The options of a settings class that the user has typed.

    Args:
        namespace: As a parser returned it that `add_options` has filled.
        settings: The settings class.
    """
    return {name: value for name, value in vars(namespace).items() if name in options_of(settings)}


def _flag(name: str, declared: Option) -> str:
    return declared.flag or name.replace("_", "-")


def _parser_of(declared: Option, allowed: Kind) -> Callable[[str], Any]:
    """A function from the text of an argument to its value."""
    if declared.parse is not None:
        return declared.parse
    if allowed.items is float:
        return numbers
    if allowed.items is str:
        return names
    if allowed.number is not None:
        return _number(allowed.number)
    return str


def _number(number: type) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return number(text)
        except ValueError:
            what = "a whole number" if number is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}") from None

    return parse


def _plain(text: str) -> str:
    """Help without the backquotes of docstrings."""
    return re.sub(r"`([^`]*)`", r"\1", text)


def names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers(text: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 0.7,0.3") from None


def named(text: str) -> tuple[str, str]:
    """A name and a value, with `=` between them."""
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=DIR, such as photo=photos/")
    return name, value


def add_pictures(parser: argparse.ArgumentParser, styles_optional: bool = False) -> None:
    """Add the positional arguments `CONTENT STYLE...`, `--output` and `--each`; `--style` comes from the settings.

    Args:
        parser: The command's parser.
        styles_optional: Whether a model may have learned its style.
    """
    learned = " With a --model that has learned one style, all are content images." if styles_optional else ""
    parser.add_argument(
        "pictures",
        metavar="PICTURE",
        nargs="+",
        help="CONTENT STYLE...: the content image (or a folder of them), then one or more style images. With "
        f"--style, all are content images.{learned}",
    )
    add = parser.add_argument
    add(
        "-o",
        "--output",
        metavar="OUT.png",
        help="the result: .png, .jpg, .webp or .tif; OUT.json is written beside it. For several results, a folder "
        "(default: CONTENT-STYLE.png)",
    )
    add(
        "--each",
        action="store_true",
        help="paint CONTENT once in each style; OUT is a folder, in which grid.png shows all of them (default: "
        "CONTENT-styles)",
    )


def contents_and_styles(
    pictures: list[str], styles: list[str] | None, learned: bool = False
) -> tuple[list[str], list[str] | None]:
    """Content images and style images, from the positional arguments and `--style`.

    Args:
        pictures: The positional arguments.
        styles: What `--style` has collected.
        learned: Whether the model has learned one style.

    Raises:
        InputError: There is no style image.
    """
    if styles or learned:
        return pictures, styles
    if len(pictures) < 2:
        raise InputError(f"there is no style image for {pictures[0]}: give CONTENT STYLE..., or --style STYLE")
    return pictures[:1], pictures[1:]


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Add what commands share that write pictures."""
    add = parser.add_argument
    add("--bits", type=int, choices=(8, 16), default=8, help="bits per channel: 16 for PNG and TIFF (default: 8)")
    add_output_options(parser)


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add `--quiet` and `--json`."""
    parser.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    parser.add_argument(
        "--json", action="store_true", default=False, help="print settings and result as a JSON object on stdout"
    )
