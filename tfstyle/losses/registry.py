"""Statistics and terms by name."""

from __future__ import annotations

import importlib

from tfstyle.core.registry import Registry

STATISTICS = Registry(
    "statistic",
    {
        "gram": "tfstyle.losses.statistics:GramMatrix",
        "moments": "tfstyle.losses.statistics:MeanAndDeviation",
        "linear": "tfstyle.losses.mmd:LinearKernel",
        "polynomial": "tfstyle.losses.mmd:PolynomialKernel",
        "gaussian": "tfstyle.losses.mmd:GaussianKernel",
        "wasserstein": "tfstyle.losses.wasserstein:GaussianWasserstein",
    },
)

TERMS = Registry(
    "term",
    {
        "content": "tfstyle.losses.content:ContentTerm",
        "style": "tfstyle.losses.style:StyleTerm",
        "total_variation": "tfstyle.losses.total_variation:TotalVariationTerm",
        "edges": "tfstyle.losses.edges:EdgeTerm",
        "mmd": "tfstyle.losses.sampled_mmd:PairedDiscrepancyTerm",
    },
)


def register_classes() -> None:
    """Import all statistics and terms, so that Keras finds their classes when it loads a file."""
    for registry in (STATISTICS, TERMS):
        list(registry.values())
    importlib.import_module("tfstyle.losses.mixture")
