"""The command line's pictures to train on, made by the package itself."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfstyle.cli import output
from tfstyle.core import files
from tfstyle.core.errors import check_whole
from tfstyle.core.interrupts import uninterrupted
from tfstyle.images.samples import DOMAINS


def add_domains(subparsers: Any) -> None:
    """`tfstyle domains`."""
    parser = subparsers.add_parser(
        "domains",
        help="paint pictures to try trainings on",
        description="Paint as many pictures of a domain as you like into a folder: pencil sketches, landscapes in "
        "ink, night skies in oil, or made scenes in the place of photographs. They are for trying `tfstyle train` "
        "without collecting pictures; for good models collect real ones.",
        epilog="The same seed gives the same pictures. Those that are there already are left as they are, so the "
        "same command with a larger N, or after Ctrl-C, goes on.",
    )
    add = parser.add_argument
    add("domain", choices=DOMAINS, metavar="|".join(DOMAINS), help="of which domain")
    add("--out", metavar="DIR", required=True, help="the folder, which is made if there is none")
    add("--count", type=int, metavar="N", default=200, help="how many there are in the end (default: %(default)s)")
    add("--size", type=int, metavar="PIXELS", default=286, help="of their sides (default: %(default)s)")
    add("--seed", type=int, metavar="N", default=0, help="of all pictures, and in their names (default: %(default)s)")
    add("--quiet", action="store_true", help="print errors only")
    parser.set_defaults(run=domains)


def domains(options: argparse.Namespace) -> int:
    """`tfstyle domains`: paint what is missing of a folder."""
    from tfstyle import images
    from tfstyle.images import samples

    check_whole("count", options.count, 1, 1_000_000)
    check_whole("size", options.size, 64, 4096)
    check_whole("seed", options.seed, 0, 2**32 - 1)
    folder = Path(options.out)
    files.make_folder(folder)
    places = [folder / f"{options.domain}-{options.seed}-{number:06}.png" for number in range(options.count)]
    missing = [number for number, place in enumerate(places) if not place.exists()]
    done = 0
    try:
        for number in _followed(missing, options.domain, options.quiet):
            picture = samples.domain(options.domain, number, options.size, options.seed)
            with uninterrupted():
                images.save(picture, places[number])
            done += 1
    except KeyboardInterrupt:
        output.print_error(f"interrupted after {done} of {len(missing)} pictures: the same command goes on")
        return output.INTERRUPTED
    if not options.quiet:
        there = options.count - len(missing)
        before = f"; {there} were there already, and are left as they were" if there else ""
        output.print_text(f"wrote {done} pictures into {files.shown(folder)}{before}\n")
    return 0


def _followed(numbers: Sequence[int], domain: str, quiet: bool) -> Iterator[int]:
    """The numbers, with a live bar on stderr if there is a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield from numbers
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(f"painting {domain}"), BarColumn(bar_width=None), MofNCompleteColumn(), TextColumn("left"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        row = bar.add_task(domain, total=len(numbers))
        for number in numbers:
            yield number
            bar.advance(row)
