"""What stands in one argument of the command line: lists, numbers that may be words, and what many commands take."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from tfstyle.core.settings import default_text, kind, options_of


def names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def named(text: str) -> tuple[str, str]:
    """A name and what it is of, with `=` between them."""
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=DIR, such as photo=photos/")
    return name, value


def numbers(text: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 0.7,0.3") from None


def tile(text: str) -> int | str:
    """`auto`, `off` or a whole number."""
    if text in ("auto", "off"):
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not auto, off or a number of pixels") from None


def number_or_file(text: str) -> float | str:
    """A number, or else the path of a file."""
    try:
        return float(text)
    except ValueError:
        return text


def add_talk(parser: argparse.ArgumentParser) -> None:
    """What a command that paints says."""
    parser.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    parser.add_argument(
        "--json", action="store_true", default=False, help="print settings and result as one JSON object on stdout"
    )


def add_options(parser: argparse.ArgumentParser, settings: type, skip: Collection[str] = ()) -> None:
    """Add the options of a settings class to a parser; options that the user leaves out are not in the namespace.

    Args:
        parser: The parser.
        settings: A settings class.
        skip: Names of options that the command line has not, or that are added by hand.
    """
    defaults = {each.name: each for each in fields(settings)}
    for name, each in options_of(settings).items():
        if name in skip or each.flag is False:
            continue
        allowed = kind(settings, name)
        keywords: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
        if allowed.is_flag:
            keywords["action"] = argparse.BooleanOptionalAction if defaults[name].default else "store_true"
        else:
            keywords["metavar"] = each.metavar
            keywords["type"] = each.parse or (
                names if allowed.items and not each.repeatable else allowed.number or str
            )
            if allowed.words and not allowed.types:
                keywords |= {"choices": allowed.words, "type": str, "metavar": "|".join(allowed.words)}
            if each.repeatable:
                keywords["action"] = "append"
        text = default_text(defaults[name])
        parser.add_argument(
            f"--{(each.flag or name).replace('_', '-')}", help=f"{each.help} (default: {text})", **keywords
        )


def given_options(namespace: argparse.Namespace, settings: type) -> dict[str, Any]:
    """The options of a settings class that the user gave."""
    return {name: getattr(namespace, name) for name in options_of(settings) if hasattr(namespace, name)}
