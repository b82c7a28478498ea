"""What stands in one argument of the command line: lists, numbers that may be words, and what many commands take."""

from __future__ import annotations

import argparse


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
