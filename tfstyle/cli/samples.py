"""`tfstyle samples`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfstyle.cli.output import print_text
from tfstyle.core import files

# File names of the guides, and the samples that they hold.
CONTENTS = {"photo.jpg": "chelsea", "cup.jpg": "coffee"}
STYLES = {"painting.jpg": "impasto", "mosaic.jpg": "mosaic", "ink.jpg": "ink"}


def add_samples(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tfstyle samples`."""
    parser.description = (
        f"Write sample pictures to try the other commands on: the photographs {' and '.join(CONTENTS)}, and the "
        f"styles {', '.join(STYLES)}. Files that exist are left as they are."
    )
    parser.add_argument("-o", "--output", metavar="DIR", default=".", help="the folder (default: this one)")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    parser.set_defaults(run=samples)


def samples(options: argparse.Namespace) -> int:
    """`tfstyle samples`: write sample pictures."""
    from tfstyle import images
    from tfstyle.images import samples

    folder = Path(options.output)
    files.make_folder(folder)
    pictures = [(name, samples.content, sample) for name, sample in CONTENTS.items()]
    pictures += [(name, samples.style, sample) for name, sample in STYLES.items()]
    for name, make, sample in pictures:
        path = folder / name
        if path.exists():
            continue
        images.save(make(sample), path)
        if not options.quiet:
            print_text(f"wrote {files.shown(path)}\n")
    return 0
