"""`tfstyle domains`: procedural images to try trainings on."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfstyle.cli.output import INTERRUPTED, print_error, print_text
from tfstyle.core import files
from tfstyle.core.errors import check_whole
from tfstyle.core.interrupts import uninterrupted
from tfstyle.core.progress import track
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

    def generate(number: int) -> None:
        picture = samples.domain(options.domain, number, options.size, options.seed)
        with uninterrupted():
            images.save(picture, paths[number])

    written = 0
    progress = False if options.quiet else None
    try:
        for _ in track(map(generate, missing), f"painting {options.domain}", len(missing), progress=progress):
            written += 1
    except KeyboardInterrupt:
        print_error(f"interrupted after {written} of {len(missing)} images: the same command continues")
        return INTERRUPTED
    if not options.quiet:
        present = options.count - len(missing)
        rest = f"; {present} were there already, and are left as they were" if present else ""
        print_text(f"wrote {written} images into {files.shown(folder)}{rest}\n")
    return 0
