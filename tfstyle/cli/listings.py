"""`tfstyle methods` and `tfstyle weights`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tfstyle.cli.output import print_text
from tfstyle.core import table


def add_methods(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle methods`."""
    parser.description = "List the methods of `tfstyle transfer`: papers' recipes, with the source of each constant."
    parser.add_argument("--json", action="store_true", help="print them as JSON, with the source of each constant")
    parser.set_defaults(run=methods)


def methods(options: argparse.Namespace) -> int:
    """`tfstyle methods`: the recipes."""
    from tfstyle.pipelines.methods import METHODS

    if options.json:
        print_text(json.dumps([method.record() for method in METHODS.values()], indent=2) + "\n")
        return 0
    for method in METHODS.values():
        weights = f"content weight {method.content_weight:g}, style weight {method.style_weight:g}"
        print_text(f"{method.name}\n    {method.title}\n    {method.reference}\n")
        print_text(f"    {weights}, {method.optimizer}, {method.steps} steps\n")
        for note in method.notes:
            print_text(f"    note: {note}\n")
    return 0


def add_weights(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle weights`."""
    parser.description = "List the backbones that are tested, and where their weights are found on this machine."
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    parser.set_defaults(run=weights)


def weights(options: argparse.Namespace) -> int:
    """`tfstyle weights`: where they are found."""
    from tfstyle.features import weights

    rows = weights.inventory()
    if options.json:
        print_text(json.dumps(rows, indent=2) + "\n")
        return 0
    print_text(f"folder ${weights.FOLDER_VARIABLE}: {weights.folder() or 'not set'}\n")
    print_text(f"Keras cache: {weights.cache_folders()[0]}\n")
    missing = "not on this machine: downloaded when needed"
    lines: list[dict[str, Any]] = [
        *({**row, "place": f"{row['file']} ({row['source']})" if row["file"] else missing} for row in rows),
        {"backbone": "random", "place": "always: --weights random, an untrained network of any kind"},
    ]
    print_text(table.as_text(lines, {"backbone": "", "place": ""}, heading=False))
    return 0
