"""Figures and tables of papers, run end to end into a report.

`base.py` has what an experiment is: a class with its runs, figures and findings. `run.py` runs one into a folder and
goes on after a break; `report.py` writes the results. A new experiment is a subclass of `Experiment` in a module of
its own in `papers/`, and a line in `EXPERIMENTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfstyle.core.registry import Registry

if TYPE_CHECKING:
    from tfstyle.experiments.base import Experiment

BACKBONES = ("VGG19", "InceptionV3", "ResNet50", "NASNetMobile")  # Jin & Zhou 2021

_PAPERS = "tfstyle.experiments.papers"
EXPERIMENTS = Registry(
    "experiment",
    {
        "jin2021-backbones": f"{_PAPERS}.jin2021:Jin2021Backbones",
        "jin2021-hybrid": f"{_PAPERS}.jin2021_hybrid:Jin2021Hybrid",
        "xu2024": f"{_PAPERS}.xu2024:Xu2024ChinesePainting",
        "jiang2020": f"{_PAPERS}.jiang2020:Jiang2020OilPainting",
        "huang2017": f"{_PAPERS}.huang2017:Huang2017AdaIN",
        "wu2020": f"{_PAPERS}.wu2020:Wu2020Depth",
        "shi2020": f"{_PAPERS}.shi2020:Shi2020WGANAndCycleGAN",
        "li2023": f"{_PAPERS}.li2023:Li2023Attention",
    },
)


def get(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        InputError: There is none; the nearest names are suggested.
    """
    return EXPERIMENTS[name]()
