"""Neural style transfer in TensorFlow and Keras, faithful to the experiments of the literature.

>>> import tfstyle
>>> tfstyle.transfer("photo.jpg", "painting.jpg").save("out.png")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfstyle.backbones import Backbone as Backbone
    from tfstyle.batches import transfer_batch as transfer_batch, transfer_styles as transfer_styles
    from tfstyle.callbacks import Preview as Preview, ProgressBar as ProgressBar
    from tfstyle.canvas import Canvas as Canvas
    from tfstyle.edges import EdgeTerm as EdgeTerm
    from tfstyle.errors import InputError as InputError
    from tfstyle.experiments.reproducing import compare as compare, reproduce as reproduce
    from tfstyle.feed_forward import apply as apply, apply_batch as apply_batch, apply_styles as apply_styles
    from tfstyle.kernel_distance import KID as KID, kid as kid
    from tfstyle.method import Method as Method
    from tfstyle.methods import METHODS as METHODS
    from tfstyle.metrics import METRICS as METRICS, score as score
    from tfstyle.mmd import (
        GaussianKernel as GaussianKernel,
        LinearKernel as LinearKernel,
        Mixture as Mixture,
        PolynomialKernel as PolynomialKernel,
    )
    from tfstyle.objective import Objective as Objective
    from tfstyle.optimizers import LBFGS as LBFGS, ValueRange as ValueRange
    from tfstyle.painting import transfer as transfer
    from tfstyle.paired_discrepancy import PairedDiscrepancyTerm as PairedDiscrepancyTerm
    from tfstyle.result import Result as Result
    from tfstyle.statistics import (
        GramMatrix as GramMatrix,
        MeanAndDeviation as MeanAndDeviation,
        Statistic as Statistic,
    )
    from tfstyle.terms import (
        ContentTerm as ContentTerm,
        StyleTerm as StyleTerm,
        Term as Term,
        TotalVariationTerm as TotalVariationTerm,
    )
    from tfstyle.wasserstein import GaussianWasserstein as GaussianWasserstein

__version__ = "0.1.0"

# Imported on first use: Keras takes seconds to import, and `tfstyle --help` must not.
_ROOMS = {
    "backbones": ("Backbone",),
    "batches": ("transfer_batch", "transfer_styles"),
    "callbacks": ("Preview", "ProgressBar"),
    "canvas": ("Canvas",),
    "edges": ("EdgeTerm",),
    "errors": ("InputError",),
    "experiments.reproducing": ("compare", "reproduce"),
    "feed_forward": ("apply", "apply_batch", "apply_styles"),
    "kernel_distance": ("KID", "kid"),
    "method": ("Method",),
    "methods": ("METHODS",),
    "metrics": ("METRICS", "score"),
    "mmd": ("GaussianKernel", "LinearKernel", "Mixture", "PolynomialKernel"),
    "objective": ("Objective",),
    "optimizers": ("LBFGS", "ValueRange"),
    "statistics": ("GramMatrix", "MeanAndDeviation", "Statistic"),
    "terms": ("ContentTerm", "StyleTerm", "Term", "TotalVariationTerm"),
    "paired_discrepancy": ("PairedDiscrepancyTerm",),
    "painting": ("transfer",),
    "result": ("Result",),
    "wasserstein": ("GaussianWasserstein",),
}
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = (
    *("colors", "data", "experiments", "files", "images", "models", "pictures", "samples", "weights"),
    *(room for room in _ROOMS if "." not in room),
    "depth",
)

__all__ = ["__version__", *_PLACES]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        value = getattr(importlib.import_module(f"tfstyle.{_PLACES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"tfstyle.{name}")
    else:
        raise AttributeError(f"module 'tfstyle' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES, *_MODULES})
