"""MkDocs hook: fill pages with what the package itself knows, so that they can't go stale.

A line `<!-- generated: NAME -->` or `<!-- generated: NAME ARGUMENT -->` in a page is replaced by the Markdown that
the function of that name returns.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

import tfstyle

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow is imported, and says much

_PLACE = re.compile(r"^<!-- generated: (\w+)(?: (\S+))? -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace all places of a page."""
    return fill(markdown)


def fill(markdown: str) -> str:
    """The Markdown with its places filled."""
    return _PLACE.sub(lambda match: PARTS[match[1]](*filter(None, [match[2]])), markdown)


def methods() -> str:
    """A table of the methods of optimisation-based transfer."""
    from tfstyle import METHODS

    rows = [
        f"| [`{method.name}`](#{method.name}) | {method.title} | {method.reference} |" for method in METHODS.values()
    ]
    return "\n".join(["| method | what it does | reference |", "|---|---|---|", *rows])


def method_sources() -> str:
    """For each method its constants, each with its source."""
    from tfstyle import METHODS

    return "\n\n".join(_sources(method) for method in METHODS.values())


def _sources(method: Any) -> str:
    values = method.record()
    rows = [f"| `{name}` | {_value(values[name])} | {source} |" for name, source in sorted(method.sources.items())]
    notes = [f"!!! note\n    {note}" for note in method.notes]
    title = f"## {method.name}\n\n{method.title}.\n\nReference: {method.reference}."
    return "\n\n".join([title, "\n".join(["| constant | value | source |", "|---|---|---|", *rows]), *notes])


def _value(value: Any) -> str:
    """A constant for a cell of a table."""
    if value is None or value == {} or value == ():
        return "default"
    if isinstance(value, dict):
        return ", ".join(f"`{name}={part}`" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"`{part}`" for part in value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def experiments() -> str:
    """A table of the experiments."""
    from tfstyle import experiments

    known = [experiments.get(name) for name in experiments.EXPERIMENTS]
    rows = [f"| `{each.name}` | {each.title} | {each.reference} |" for each in known]
    return "\n".join(["| name | what it compares | reference |", "|---|---|---|", *rows])


def command_line() -> str:
    """The help of every command."""
    from tfstyle.cli.main import build_parser

    columns, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "100"
    try:
        return "\n\n".join(
            f"## {parser.prog}\n\n```text\n{parser.format_help()}```" for parser in _leaves(build_parser())
        )
    finally:
        if columns is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = columns


def _leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of all commands that have no commands of their own."""
    choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [leaf for each in choices for command in each.values() for leaf in _leaves(command)] or [parser]


def modules(package: str) -> str:
    """The reference of all modules of a package, the package itself first."""
    root = Path(tfstyle.__file__).parent.parent
    files = sorted(root.joinpath(*package.split(".")).rglob("*.py"))
    names = [".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return "\n\n".join(f"::: {name}" for name in sorted(names) if "._" not in name)


PARTS = {
    "methods": methods,
    "method_sources": method_sources,
    "experiments": experiments,
    "command_line": command_line,
    "modules": modules,
}
