"""State dicts of PyTorch, without PyTorch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np


def numbered(state: Mapping[str, Any], kind: str) -> dict[int, np.ndarray]:
    """The entries of an `nn.Sequential` of one kind, by the number of their layer and in its order.

    Args:
        state: PyTorch tensors or arrays by name, `"N.weight"` or `"N.bias"` with any prefix.
        kind: `"weight"` or `"bias"`. Kernels `(out, in, height, width)` become Keras' `(height, width, in, out)`.
    """
    found = {}
    for name, value in state.items():
        match = re.fullmatch(rf"(?:.*\.)?(\d+)\.{kind}", name)
        if match:
            array = np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
            found[int(match[1])] = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
    return dict(sorted(found.items()))
