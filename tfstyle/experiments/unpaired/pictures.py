"""Content and style images of an experiment from the folders of its domains."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tfstyle import images
from tfstyle.core.errors import InputError
from tfstyle.experiments.base import Setup
from tfstyle.images.picture import Picture

if TYPE_CHECKING:
    from tfstyle.experiments.unpaired.base import Unpaired

SHOWN = 4  # photographs in the figures (chosen)


def with_pictures(experiment: Unpaired, setup: Setup, given: bool) -> Setup:
    """The setup with contents and styles from the folders of its domains.

    Photographs that are for one target alone are translated to that target alone.

    Args:
        experiment: The experiment.
        setup: A setup with folders of domains.
        given: Whether the setup has content images already.

    Raises:
        InputError: No held-out image of a domain can be read.
    """
    targets = experiment.targets_of(setup)
    styles = tuple(_readable(experiment, setup, target, 1)[0] for target in targets)
    if given:
        return replace(setup, styles=styles)
    contents: list[Picture] = []
    indices: dict[str, tuple[int, ...]] = {}
    for name in dict.fromkeys(experiment.photo_domain(setup, target) for target in targets):
        pictures = _readable(experiment, setup, name, SHOWN)
        indices[name] = tuple(range(len(contents), len(contents) + len(pictures)))
        contents += pictures
    painted_for = {target: indices[experiment.photo_domain(setup, target)] for target in targets}
    return replace(setup, styles=styles, contents=tuple(contents), painted_for=painted_for)


def _readable(experiment: Unpaired, setup: Setup, domain: str, maximum: int) -> list[Picture]:
    """Held-out pictures of a domain, evenly spaced; others replace those that can't be read."""
    pictures: list[Picture] = []
    for path in dict.fromkeys([*experiment.held_out(setup, domain, maximum), *experiment.held_out(setup, domain)]):
        with contextlib.suppress(InputError):
            pictures.append(images.load(path, setup.size, name=os.path.basename(path) if setup.private else None))
        if len(pictures) == maximum:
            return pictures
    if not pictures:
        raise InputError(f"no held-out picture of {domain} can be read: give more pictures")
    return pictures
