"""Figures and tables of papers, run end to end into a report.

`experiment.py` says what an experiment is: a class with its runs, figures and findings; `reproducing.py` runs it into
a folder, going on where it was broken off; `report.py` writes what came out. A new one is a subclass of `Experiment`
in a file of its own, and a line in `EXPERIMENTS`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tfstyle.core.errors import unknown

if TYPE_CHECKING:
    from tfstyle.experiments.base import Experiment

BACKBONES = ("VGG19", "InceptionV3", "ResNet50", "NASNetMobile")  # Jin & Zhou 2021

# Module and class by name, imported on first use: `tfstyle --help` lists the names.
EXPERIMENTS = {
    "jin2021-backbones": ("jin2021", "Backbones"),
    "jin2021-hybrid": ("jin2021_hybrid", "Hybrid"),
    "xu2024": ("xu2024", "Ink"),
    "jiang2020": ("jiang2020", "Oil"),
    "huang2017": ("huang2017", "AnyStyle"),
    "wu2020": ("wu2020", "Depth"),
    "shi2020": ("shi2020", "Shi2020WGANAndCycleGAN"),
    "li2023": ("li2023", "Li2023Attention"),
}


def get(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        InputError: There is none; the nearest names are suggested.
    """
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)
    module, kind = EXPERIMENTS[name]
    return getattr(importlib.import_module(f"tfstyle.experiments.papers.{module}"), kind)()
