"""The version of the package, in the one place where it is written, and the versions of what it runs on."""

from __future__ import annotations

VERSION = "0.1.0"


def versions() -> dict[str, str]:
    """Versions of all that a result depends on, by name; this imports TensorFlow."""
    import platform

    import keras
    import numpy
    import tensorflow

    return {
        "tfstyle": VERSION,
        "tensorflow": tensorflow.__version__,
        "keras": keras.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    }
