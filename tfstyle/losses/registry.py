"""Statistics by name."""

from __future__ import annotations

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
