"""The command line's commands of training."""

from __future__ import annotations

from typing import Any

from tfstyle.training.adain import add_adain
from tfstyle.training.adversarial import add_adversarial


def add_train(subparsers: Any) -> None:
    """`tfstyle train`."""
    parser = subparsers.add_parser(
        "train",
        help="train a network on folders of pictures",
        description="Train a network on your pictures, into a folder: model.keras after each epoch, log.csv, "
        "samples/, and index.html to look at. `tfstyle domains` makes pictures to try it on.",
    )
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    add_adain(networks)
    add_adversarial(networks)
