"""Optimizers and parameterizations by name."""

from __future__ import annotations

from tfstyle.core.registry import Registry

OPTIMIZERS = Registry("optimizer", {"lbfgs": "tfstyle.optimization.lbfgs:LBFGS", "adam": "keras.optimizers:Adam"})

PARAMETERIZATIONS = Registry(
    "parameterization",
    {
        "pixels": "tfstyle.optimization.parameterization:Pixels",
        "fourier": "tfstyle.optimization.parameterization:Fourier",
    },
)
