"""What the command line's trainings share: options, and following one to its end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tfstyle.cli import output as writing
from tfstyle.core import files
from tfstyle.core.errors import check_whole

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tfstyle.training.crops import Crops
    from tfstyle.training.run import Run

EPILOG = "RUN/index.html shows the training; RUN is for `tfstyle apply --model RUN`."


def add_run(add: Any) -> None:
    """Where a training goes, and how it is begun and followed."""
    add("-o", "--output", metavar="RUN", required=True, help="a new folder, or with --resume the one to go on in")
    add("--seed", type=int, metavar="N", default=0, help="of kernels, order and crops (default: %(default)s)")
    add(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="bfloat16 is quicker where the processor has it (default: %(default)s)",
    )
    add("--resume", action="store_true", help="go on from the last finished epoch of RUN, if there is one")
    add("--quiet", action="store_true", help="print errors only")


def policy(options: argparse.Namespace) -> str:
    """Of Keras, for the precision that is asked for."""
    return "mixed_bfloat16" if options.precision == "bfloat16" else "float32"


def check_lengths(options: argparse.Namespace) -> None:
    """See that epochs, steps and batch are such, and the seed."""
    for name, high in (("epochs", 1_000_000), ("steps", 10_000_000), ("batch", 4096)):
        if getattr(options, name) is not None:
            check_whole(name, getattr(options, name), 1, high)
    check_whole("seed", options.seed, 0, 2**32 - 1)


def follow(
    options: argparse.Namespace,
    run: Run,
    model: keras.Model,
    dataset: Callable[[int], Any],
    crops: Sequence[Crops],
    *,
    steps: int,
    before: str,
    validation: Any = None,
    samples: Callable[[keras.Model], np.ndarray] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> int:
    """Train, and say how it goes; the exit code.

    Args:
        options: Of the command line.
        run: The training's folder.
        model: As `run.model` gave it.
        dataset: As for `Run.fit`, as are validation, samples and callbacks.
        crops: All that are read, some of which may turn out to be unreadable.
        steps: Of an epoch.
        before: What is said before.
        validation: See above.
        samples: See above.
        callbacks: See above.
    """
    talk = 0 if options.quiet else 1 if sys.stdout is not None and sys.stdout.isatty() else 2
    shown = files.shown(options.output)
    if not options.quiet:
        writing.print_text(f"{before}\n")
    try:
        seen = run.fit(
            model,
            dataset,
            epochs=options.epochs,
            steps=steps,
            validation=validation,
            samples=samples,
            callbacks=callbacks,
            verbose=talk,
        )
    except KeyboardInterrupt:
        writing.print_error(
            f"interrupted: the same command with --resume goes on from the last finished epoch of {shown}"
        )
        return writing.INTERRUPTED
    finally:
        skipped = sorted({path for each in crops for path in each.skipped})
        if skipped and not options.quiet:
            writing.print_text(f"skipped {len(skipped)} files that can't be read, as {files.shown(skipped[0])}\n")
    if not options.quiet:
        writing.print_text(f"wrote {files.shown(run.folder / 'model.keras')} after {seen} epochs\n")
    return 0
