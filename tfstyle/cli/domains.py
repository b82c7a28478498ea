"""`tfstyle domains`: procedural images to try trainings on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfstyle.cli.output import INTERRUPTED, print_error, print_text
from tfstyle.core import files
from tfstyle.core.errors import check_whole
from tfstyle.core.interrupts import uninterrupted
from tfstyle.core.settings import SEEDS
from tfstyle.images.samples import DOMAINS


def add_domains(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle domains`."""
    parser.description = (
        "Generate images of a domain into a folder: pencil sketches, ink landscapes, night skies in oil, or scenes "
        "in place of photographs. Use them to try `tfstyle train`; for good models collect real images."
    )
    parser.epilog = (
        "The same seed gives the same images. Files that are there already are left as they are, so the same command "
        "continues after Ctrl-C or with a larger N."
    )
    add = parser.add_argument
    add("domain", choices=DOMAINS, metavar="|".join(DOMAINS), help="the domain")
    add("-o", "--output", metavar="DIR", required=True, help="folder of the images, which is made if there is none")
    add("--count", type=int, metavar="N", default=200, help="number of images in the folder (default: %(default)s)")
    add("--size", type=int, metavar="PIXELS", default=286, help="side of the images (default: %(default)s)")
    add(
        "--seed",
        type=int,
        metavar="N",
        default=0,
        help="seed of the images, which is part of their names (default: %(default)s)",
    )
    add("--quiet", action="store_true", help="print errors only")
    parser.set_defaults(run=domains)


def domains(options: argparse.Namespace) -> int:
    """`tfstyle domains`: generate the images that a folder lacks; the exit code."""
    from tfstyle import images
    from tfstyle.images import samples

    check_whole("count", options.count, 1, 1_000_000)
    check_whole("size", options.size, 64, 4096)
    check_whole("seed", options.seed, 0, SEEDS)
    folder = Path(options.output)
    files.make_folder(folder)
    paths = [folder / f"{options.domain}-{options.seed}-{number:06}.png" for number in range(options.count)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    written = 0
    try:
        for number in _with_progress(missing, options.domain, options.quiet):
            picture = samples.domain(options.domain, number, options.size, options.seed)
            with uninterrupted():
                images.save(picture, paths[number])
            written += 1
    except KeyboardInterrupt:
        print_error(f"interrupted after {written} of {len(missing)} images: the same command continues")
        return INTERRUPTED
    if not options.quiet:
        present = options.count - len(missing)
        rest = f"; {present} were there already, and are left as they were" if present else ""
        print_text(f"wrote {written} images into {files.shown(folder)}{rest}\n")
    return 0


def _with_progress(numbers: Sequence[int], domain: str, quiet: bool) -> Iterator[int]:
    """The numbers, with a live bar on stderr if that is a terminal."""
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
