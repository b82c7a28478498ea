"""Trainings: settings classes of which each trains one kind of network into a folder.

>>> from tfstyle import training
>>> settings = training.CycleGANTraining(photos="photos/", paintings="paintings/", output="run")
>>> result = settings.run()
>>> picture = result.model.stylize("photo.jpg")

`tfstyle train cyclegan --photos photos --paintings paintings -o run` is the same training. It continues after a break
with `resume=True`. `run/index.html` shows it, and `tfstyle.models.load("run")` loads its model.

A new training is a module with a subclass of `TrainingSettings` (or of `AdversarialTraining`), and its line in
`TRAININGS`.
"""

from tfstyle.core.registry import Registry
from tfstyle.training.adain import AdaINTraining
from tfstyle.training.adversarial import AdversarialTraining
from tfstyle.training.cyclegan import AttentionCycleGANTraining, CycleGANTraining
from tfstyle.training.gan import GANTraining
from tfstyle.training.settings import TrainingSettings
from tfstyle.training.wgan import WGANTraining

TRAININGS = Registry(
    "training",
    {
        "adain": "tfstyle.training.adain:AdaINTraining",
        "gan": "tfstyle.training.gan:GANTraining",
        "wgan": "tfstyle.training.wgan:WGANTraining",
        "cyclegan": "tfstyle.training.cyclegan:CycleGANTraining",
        "attention-cyclegan": "tfstyle.training.cyclegan:AttentionCycleGANTraining",
    },
)

__all__ = [
    "TRAININGS",
    "AdaINTraining",
    "AdversarialTraining",
    "AttentionCycleGANTraining",
    "CycleGANTraining",
    "GANTraining",
    "TrainingSettings",
    "WGANTraining",
]
