"""Neural style transfer in TensorFlow and Keras, faithful to the experiments of the literature.

>>> import tfstyle
>>> tfstyle.transfer("photo.jpg", "painting.jpg").save("out.png")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tfstyle.core.version import VERSION

if TYPE_CHECKING:
    from tfstyle.core.errors import InputError as InputError
    from tfstyle.evaluation.kid import KID as KID, kid as kid
    from tfstyle.evaluation.metrics import METRICS as METRICS
    from tfstyle.evaluation.scores import Scores as Scores, score as score
    from tfstyle.experiments.run import compare as compare, reproduce as reproduce
    from tfstyle.features.backbone import Backbone as Backbone
    from tfstyle.layers.constraints import ValueRange as ValueRange
    from tfstyle.losses.content import ContentTerm as ContentTerm
    from tfstyle.losses.edges import EdgeTerm as EdgeTerm
    from tfstyle.losses.mixture import Mixture as Mixture
    from tfstyle.losses.mmd import (
        GaussianKernel as GaussianKernel,
        LinearKernel as LinearKernel,
        PolynomialKernel as PolynomialKernel,
    )
    from tfstyle.losses.objective import Objective as Objective
    from tfstyle.losses.sampled_mmd import PairedDiscrepancyTerm as PairedDiscrepancyTerm
    from tfstyle.losses.statistics import (
        GramMatrix as GramMatrix,
        MeanAndDeviation as MeanAndDeviation,
        Statistic as Statistic,
    )
    from tfstyle.losses.style import StyleTerm as StyleTerm
    from tfstyle.losses.term import Term as Term
    from tfstyle.losses.total_variation import TotalVariationTerm as TotalVariationTerm
    from tfstyle.losses.wasserstein import GaussianWasserstein as GaussianWasserstein
    from tfstyle.optimization.callbacks import Preview as Preview, ProgressBar as ProgressBar
    from tfstyle.optimization.canvas import Canvas as Canvas
    from tfstyle.optimization.lbfgs import LBFGS as LBFGS
    from tfstyle.pipelines.apply import apply as apply, apply_batch as apply_batch, apply_styles as apply_styles
    from tfstyle.pipelines.batch import transfer_batch as transfer_batch, transfer_styles as transfer_styles
    from tfstyle.pipelines.method import Method as Method
    from tfstyle.pipelines.methods import METHODS as METHODS
    from tfstyle.pipelines.result import Result as Result
    from tfstyle.pipelines.transfer import transfer as transfer

__version__ = VERSION

# Public names and their modules, imported on first use: Keras takes seconds to import, and `tfstyle --help` must not.
_MODULES = {
    "data": "training.datasets",
    "depth": "models.depth",
    "experiments": "experiments",
    "images": "images",
    "layers": "layers",
    "models": "models",
    "samples": "images.samples",
    "training": "training",
}
_NAMES = {
    "Backbone": "features.backbone",
    "Canvas": "optimization.canvas",
    "ContentTerm": "losses.content",
    "EdgeTerm": "losses.edges",
    "GaussianKernel": "losses.mmd",
    "GaussianWasserstein": "losses.wasserstein",
    "GramMatrix": "losses.statistics",
    "InputError": "core.errors",
    "KID": "evaluation.kid",
    "LBFGS": "optimization.lbfgs",
    "LinearKernel": "losses.mmd",
    "METHODS": "pipelines.methods",
    "METRICS": "evaluation.metrics",
    "MeanAndDeviation": "losses.statistics",
    "Method": "pipelines.method",
    "Mixture": "losses.mixture",
    "Objective": "losses.objective",
    "PairedDiscrepancyTerm": "losses.sampled_mmd",
    "PolynomialKernel": "losses.mmd",
    "Preview": "optimization.callbacks",
    "ProgressBar": "optimization.callbacks",
    "Result": "pipelines.result",
    "Scores": "evaluation.scores",
    "Statistic": "losses.statistics",
    "StyleTerm": "losses.style",
    "Term": "losses.term",
    "TotalVariationTerm": "losses.total_variation",
    "ValueRange": "layers.constraints",
    "apply": "pipelines.apply",
    "apply_batch": "pipelines.apply",
    "apply_styles": "pipelines.apply",
    "compare": "experiments.run",
    "kid": "evaluation.kid",
    "reproduce": "experiments.run",
    "score": "evaluation.scores",
    "transfer": "pipelines.transfer",
    "transfer_batch": "pipelines.batch",
    "transfer_styles": "pipelines.batch",
}

__all__ = ["__version__", *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(f"tfstyle.{_NAMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"tfstyle.{_MODULES[name]}")
    else:
        raise AttributeError(f"module 'tfstyle' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, *_MODULES})
