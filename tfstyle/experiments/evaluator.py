"""Scores of an experiment's images that can be compared between the networks that paint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfstyle.evaluation import metrics
from tfstyle.evaluation.scores import compute_metrics
from tfstyle.experiments.backbones import Networks
from tfstyle.images.picture import Picture

STYLE = ("gram_distance", "mmd", "wasserstein")  # the distances in `style_reached` (chosen)


class Evaluator:
    """Scores images by several networks.

    The scores of an image are, each averaged over the networks:

    - all `tfstyle.evaluation.metrics.METRICS`;
    - `style_reached`: the share of the way from the content image (0) to the style image (1). It is the mean of
      1 − d / d₀ over Gram distance, MMD and Wasserstein distance, with d₀ the distance of the content image. It may
      be negative. Being relative, it means about the same for every network (chosen);
    - `color_shift`: distance of the colours from those of the content image, in ΔE.

    Args:
        networks: Where the networks come from.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self._content_scores: dict[tuple[str, str, str], dict[str, float]] = {}

    def scores(self, content: Picture, style: Picture, result: Picture, networks: Sequence[str]) -> dict[str, Any]:
        """The scores of one image.

        Args:
            content: Its content image.
            style: Its style image.
            result: The image.
            networks: Names of the networks that score it.

        Returns:
            The scores; `judges`, the names of the networks; and `by_judge`, the scores by each of them.
        """
        by_network = {name: self._scores(content, style, result, name) for name in networks}
        names = next(iter(by_network.values()))
        means = {name: float(np.mean([scores[name] for scores in by_network.values()])) for name in names}
        shift = metrics.color_distance(content.rgb, result.rgb)
        return {**means, "color_shift": shift, "judges": list(networks), "by_judge": by_network}

    def _scores(self, content: Picture, style: Picture, result: Picture, name: str) -> dict[str, float]:
        """The scores by one network."""
        network = self.networks.get(name)
        key = (content.sha256, style.sha256, name)
        if key not in self._content_scores:
            (self._content_scores[key],) = compute_metrics(content, style, [content], network)
        start, (scores,) = self._content_scores[key], compute_metrics(content, style, [result], network)
        shares = [1 - scores[metric] / start[metric] for metric in STYLE if start[metric] > 0]
        return {**scores, "style_reached": float(np.mean(shares)) if shares else 0.0}
