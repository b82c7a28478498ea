"""Total variation: a loss on pixels that smooths."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.losses.content import count
from tfstyle.losses.term import PIXELS, Features, Sums, Targets, Term, Windows


@keras.saving.register_keras_serializable(package="tfstyle")
class TotalVariationTerm(Term):
    """Squared differences of neighbouring pixels (anisotropic total variation with β = 2).

    The loss is Σ (x[i+1, j] − x[i, j])² + Σ (x[i, j+1] − x[i, j])² over pixels and colours in [0, 1], divided by
    height · width · 3, so that it does not depend on the size.

    Args:
        weight: Factor of the loss, at least 0.
        name: Name under which the loss is reported.

    Raises:
        InputError: The weight is negative.

    Reference:
        Mahendran & Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them", section 3 (β = 2).

    Examples:
        >>> import numpy as np
        >>> from tfstyle import Objective
        >>> stripes = np.zeros((1, 4, 4, 3), "float32")
        >>> stripes[:, :, 2:] = 1.0
        >>> objective = Objective([TotalVariationTerm()])
        >>> targets = objective.targets(stripes, [stripes])
        >>> float(objective(stripes, targets)["total_variation"][0])  # 4 · 3 / (4 · 4 · 3)
        0.25
    """

    def __init__(self, weight: float = 1.0, name: str = "total_variation") -> None:
        super().__init__(None, [PIXELS], weight, name)

    def sums(self, features: Features, targets: Targets, windows: Windows) -> Sums:
        """Σ of the squared differences of each pixel from its neighbours below and at the right, and a count."""
        x = features[PIXELS]
        weights = windows[PIXELS].weights(x.shape[1:3])
        down, right = ops.square(x[:, 1:] - x[:, :-1]), ops.square(x[:, :, 1:] - x[:, :, :-1])
        if weights is not None:
            weights = ops.cast(weights, x.dtype)[..., None]
            down, right = down * weights[:, :-1], right * weights[:, :, :-1]
        squares = ops.sum(down, axis=(1, 2, 3)) + ops.sum(right, axis=(1, 2, 3))
        return {"squares": squares, "count": count(x, weights)}

    def loss(self, sums: Sums, targets: Targets) -> Tensor:
        """The loss by the formula of the class, `(batch,)`."""
        return sums["squares"] / sums["count"]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"weight": self.weight, "name": self.name}
