"""Scores of an experiment's pictures, so that those of different networks can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfstyle.evaluation import metrics
from tfstyle.evaluation.scores import compute_metrics
from tfstyle.experiments.backbones import Networks
from tfstyle.images.picture import Picture

STYLE = ("gram_distance", "mmd", "wasserstein")  # which `style_reached` is made of (chosen)


class Jury:
    """Scores pictures by several networks.

    A row has, each averaged over the judges:

    - all `tfstyle.evaluation.metrics.METRICS`;
    - `style_reached`: the share of the way from the photograph to the painting, the mean of 1 − d / d₀ over Gram
      distance, MMD and Wasserstein distance, with d₀ that of the photograph itself. 0 is the photograph, 1 the style;
      it can be less than 0. Being relative, it means about the same to every judge (chosen);
    - `color_shift`: how far the colours are from the photograph's, in ΔE.

    Args:
        networks: Where the judges are.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self._starts: dict[tuple[str, str, str], dict[str, float]] = {}

    def scores(self, content: Picture, style: Picture, result: Picture, judges: Sequence[str]) -> dict[str, Any]:
        """The row of one picture; `by_judge` has each judge's own."""
        own = {name: self._scores(content, style, result, name) for name in judges}
        means = {key: float(np.mean([each[key] for each in own.values()])) for key in next(iter(own.values()))}
        shift = metrics.color_distance(content.rgb, result.rgb)
        return {**means, "color_shift": shift, "judges": list(judges), "by_judge": own}

    def _scores(self, content: Picture, style: Picture, result: Picture, judge: str) -> dict[str, float]:
        network = self.networks.get(judge)
        key = (content.sha256, style.sha256, judge)
        if key not in self._starts:
            (self._starts[key],) = compute_metrics(content, style, [content], network)
        start, (found,) = self._starts[key], compute_metrics(content, style, [result], network)
        shares = [1 - found[name] / start[name] for name in STYLE if start[name] > 0]
        return {**found, "style_reached": float(np.mean(shares)) if shares else 0.0}
