"""Scores of pictures in files, and how people, spreadsheets and programs read them."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError, check_whole
from tfstyle.core.memory import available, gigabytes
from tfstyle.core.runtime import import_tensorflow
from tfstyle.evaluation import metrics
from tfstyle.features.loading import load_backbone
from tfstyle.images.sizing import LEAST_SIDE, sized

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

LARGEST = 512  # pixels of the longer side, unless asked for: what `tfstyle.transfer` paints by default
_COPIES = 3  # of a network's features that scores take memory for, roughly (measured with VGG19)


@dataclass(frozen=True)
class Report:
    """Scores, and what they were taken with.

    Attributes:
        content: The name of the photograph.
        style: The name of the painting.
        height: Of the comparison, in pixels.
        width: The same.
        backbone: The network.
        weights: Where its weights come from; with their SHA-256 where they are a file.
        content_layer: Where content is compared.
        style_layers: Where style is.
        scores: For each result its name, `"result"`, and its value by each of `tfstyle.evaluation.metrics.METRICS`.
    """

    content: str
    style: str
    height: int
    width: int
    backbone: str
    weights: dict[str, str]
    content_layer: str
    style_layers: tuple[str, ...]
    scores: list[dict[str, Any]]

    def table(self) -> str:
        """A line for each metric and a column for each result, under what they were taken with."""
        weights = self.weights
        file = f", {files.shown(weights['file'])}, SHA-256 {weights['sha256']}" if "sha256" in weights else ""
        paths = [row["result"] for row in self.scores]
        names = [os.path.basename(path) for path in paths]
        if len(set(names)) < len(names):
            names = paths
        lines = [
            f"content {self.content}, style {self.style}, at {self.width}x{self.height} pixels",
            f"{self.backbone}, weights {weights['name']} ({weights['source']}{file})",
            f"content at {self.content_layer}, style at {', '.join(self.style_layers)}",
            "",
            " ".join([" " * 19, *(f"{name:>9}" for name in names)]),
        ]
        for metric in metrics.METRICS.values():
            values = (
                f"{row[metric.name]:{max(9, len(name))}.4f}" for row, name in zip(self.scores, names, strict=True)
            )
            lines.append(" ".join([f"{metric.name:16} {metric.arrow:2}", *values, "", metric.sentence]))
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """One object with everything, and of each metric its direction, best value and meaning."""
        meaning = {
            metric.name: {"direction": metric.direction, "best": metric.best, "meaning": metric.sentence}
            for metric in metrics.METRICS.values()
        }
        return json.dumps({**asdict(self), "metrics": meaning}, indent=2, allow_nan=False) + "\n"

    def csv(self) -> str:
        """A line for each result."""
        common = {name: getattr(self, name) for name in ("content", "style", "height", "width", "backbone")}
        common |= {"weights": self.weights["name"], "sha256": self.weights.get("sha256", "")}
        text = io.StringIO()
        writer = csv.DictWriter(text, ["result", *metrics.METRICS, *common], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, **common} for row in self.scores)
        return text.getvalue()


def report(
    content: images.Source,
    style: images.Source,
    results: Sequence[images.Source],
    *,
    backbone: str | Backbone = "auto",
    weights: str | os.PathLike[str] | None = None,
    size: int | None = None,
) -> Report:
    """Score results; convolutions run in float32, so that figures can be compared.

    Args:
        content: The photograph.
        style: The painting.
        results: Painted pictures.
        backbone: As for `tfstyle.transfer`.
        weights: The same.
        size: Longer side at which all are compared, in pixels. None for that of the smallest of content and results,
            as detail that isn't there can't be scored, but at most `LARGEST`.

    Raises:
        InputError: A picture can't be read, or is too small for the network or too large for the memory; or there is
            no such network.
    """
    if size is not None:
        check_whole("size", size, 1, 65535)
    photo, painting, *painted = [images.load(source) for source in (content, style, *results)]
    import_tensorflow()
    network = load_backbone(backbone, weights, task="scoring")
    for picture in (photo, *painted):
        sized(picture, None, LEAST_SIDE if size else network.minimum_side)
    wanted = size or min(LARGEST, *(max(picture.rgb.shape[:2]) for picture in (photo, *painted)))
    photo, painting = (sized(picture, wanted, network.minimum_side) for picture in (photo, painting))
    content_layer, style_layers = metrics.layers(network)
    height, width = photo.rgb.shape[:2]
    pixels = max(height * width, painting.rgb[..., 0].size)
    needed, free = _COPIES * network.feature_bytes([content_layer, *style_layers]) * pixels, available()
    if needed > free:
        raise InputError(
            f"scores at size {wanted} need about {gigabytes(int(needed))} of memory, and there are "
            f"{gigabytes(free)}: use a smaller size"
        )
    rows = metrics.scores(photo, painting, painted, network)
    return Report(
        content=photo.name,
        style=painting.name,
        height=height,
        width=width,
        backbone=network.name,
        weights=network.weights_record,
        content_layer=content_layer,
        style_layers=style_layers,
        scores=[{"result": picture.name, **row} for picture, row in zip(painted, rows, strict=True)],
    )
