"""Scores of results: all metrics of each, as a table to read, as JSON or as CSV."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError, unknown
from tfstyle.core.memory import available, gigabytes
from tfstyle.core.runtime import import_tensorflow
from tfstyle.core.settings import Settings, as_list, option, settings
from tfstyle.core.signatures import takes
from tfstyle.core.table import as_csv, as_text
from tfstyle.evaluation.layers import score_layers
from tfstyle.evaluation.metrics import METRICS, Metric
from tfstyle.features.loading import load_backbone
from tfstyle.features.weights import weights_option
from tfstyle.images.io import load_named
from tfstyle.images.sizing import LEAST_SIDE, MAXIMUM_SIDE, sized

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

DEFAULT_MAXIMUM = 512  # longer side of the comparison in pixels, if no size is given: the default of `transfer`
_GROUP = "comparison"
_FEATURE_COPIES = 3  # memory that scores need, in copies of the network's features (measured with VGG19)


@settings
class ScoreSettings(Settings):
    """The options of `score`.

    Raises:
        InputError: An option can't be used.
    """

    style: images.Source = option(
        default=...,
        help="The style image.",
        flag=False,
        file=True,
        kw_only=False,
    )
    results: images.Source | Sequence[images.Source] = option(
        default=...,
        help="The result, or a list of them. A result of another size than the content image is resized to it.",
        flag=False,
        file=True,
        kw_only=False,
    )
    backbone: str | Backbone = option(
        default="auto",
        help="The network that evaluates. Use another one than the network that painted: ResNet50 for results of "
        "VGG, VGG19 for results of other networks. `auto` is VGG19 if its ImageNet weights can be had, else "
        "VGG19Mini.",
        metavar="NAME",
        group=_GROUP,
    )
    weights: str | os.PathLike[str] | None = weights_option(file=True, group=_GROUP)
    size: int | None = option(
        default=None,
        help="Longer side of the comparison in pixels. Give it if scores of different calls are to be compared.",
        metavar="PIXELS",
        low=1,
        high=MAXIMUM_SIDE,
        unset=f"the size of the smallest of content image and results, at most {DEFAULT_MAXIMUM}",
        group=_GROUP,
    )


@dataclass(frozen=True)
class Scores:
    """Scores of results, and the conditions of the comparison.

    Attributes:
        content: The name of the content image.
        style: The name of the style image.
        height: Height of the comparison in pixels.
        width: Width of the comparison in pixels.
        backbone: The name of the network.
        weights: Name and source of its weights, and SHA-256 if they are a file.
        content_layer: The layer at which content is compared.
        style_layers: The layers at which style is compared.
        rows: For each result its name as `"result"`, and its value for each of `METRICS`.

    Examples:
        >>> weights = {"name": "embedded", "source": "this package"}
        >>> rows = [{"result": "out.png", **dict.fromkeys(METRICS, 0.5)}]
        >>> scores = Scores("a.jpg", "b.jpg", 48, 64, "VGG19Mini", weights, "block4_conv2", ("block1_conv1",), rows)
        >>> scores["out.png"]["ssim"]
        0.5
        >>> print(scores.table().splitlines()[0])
        content a.jpg, style b.jpg, at 64x48 pixels
    """

    content: str
    style: str
    height: int
    width: int
    backbone: str
    weights: dict[str, str]
    content_layer: str
    style_layers: tuple[str, ...]
    rows: list[dict[str, Any]]

    @property
    def names(self) -> list[str]:
        """The names of the results, in the order in which they were given."""
        return [row["result"] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, result: str) -> dict[str, float]:
        """The scores of a result by the names of metrics.

        Args:
            result: The name of a result. If several have it, the first of them counts.

        Raises:
            InputError: There is no result of that name.
        """
        if result not in self.names:
            raise unknown("result", result, self.names)
        row = self.rows[self.names.index(result)]
        return {name: row[name] for name in METRICS}

    def table(self) -> str:
        """A text with a line for each metric and a column for each result, below the conditions of the comparison."""
        weights = self.weights
        file = f", {files.shown(weights['file'])}, SHA-256 {weights['sha256']}" if "sha256" in weights else ""
        headings = [os.path.basename(name) for name in self.names]
        if len(set(headings)) < len(headings):
            headings = self.names
        results = {str(k): heading for k, heading in enumerate(headings)}
        columns = {"metric": "", "arrow": "", **results, "meaning": ""}
        lines = [
            {
                "metric": metric.name,
                "arrow": metric.arrow,
                **{str(k): float(row[metric.name]) for k, row in enumerate(self.rows)},
                "meaning": metric.meaning,
            }
            for metric in METRICS.values()
        ]
        return (
            f"content {self.content}, style {self.style}, at {self.width}x{self.height} pixels\n"
            f"{self.backbone}, weights {weights['name']} ({weights['source']}{file})\n"
            f"content at {self.content_layer}, style at {', '.join(self.style_layers)}\n\n"
            + as_text(lines, columns, form=lambda value: f"{value:.4f}" if isinstance(value, float) else value)
        )

    def record(self) -> dict[str, Any]:
        """All of it as JSON can hold it, with direction, best value and meaning of each metric."""
        conditions = {name: value for name, value in vars(self).items() if name != "rows"}
        metrics = {
            metric.name: {"direction": metric.direction, "best": metric.best, "meaning": metric.meaning}
            for metric in METRICS.values()
        }
        return {**conditions, "scores": self.rows, "metrics": metrics}

    def json(self) -> str:
        """The record as the text of a JSON object."""
        return json.dumps(self.record(), indent=2, allow_nan=False) + "\n"

    def csv(self) -> str:
        """A text with a line for each result, for spreadsheets."""
        common = {name: getattr(self, name) for name in ("content", "style", "height", "width", "backbone")}
        common |= {"weights": self.weights["name"], "sha256": self.weights.get("sha256", "")}
        return as_csv([{**row, **common} for row in self.rows], ["result", *METRICS, *common])


@takes(ScoreSettings)
def score(content: images.Source, settings: ScoreSettings) -> Scores:  # noqa: D417
    """Score results: content preservation, style similarity and noise.

    Convolutions run in float32, so that scores of different machines can be compared.

    Args:
        content: The content image.
        {options}

    Returns:
        The value of each metric for each result, and the conditions of the comparison.

    Raises:
        InputError: An image can't be read, or is too small for the network or too large for the memory; or an option
            can't be used.

    Examples:
        >>> from tfstyle import samples, score
        >>> content, style = samples.content("coffee"), samples.style("mosaic", 128)
        >>> scores = score(content, style, [content, style], backbone="VGG19Mini", size=96)
        >>> [round(row["ssim"], 2) for row in scores.rows]
        [1.0, 0.05]
    """
    sources = as_list(settings.results)
    if not sources:
        raise InputError("there is no result: give at least one")
    content_image = load_named(content, "content image")
    style_image = load_named(settings.style, "style image")
    results = [load_named(source, "result", k, len(sources)) for k, source in enumerate(sources)]
    import_tensorflow()
    network = load_backbone(settings.backbone, settings.weights, task="scoring")
    for image in (content_image, *results):
        sized(image, None, LEAST_SIDE if settings.size else network.minimum_side)
    longer_sides = (max(image.rgb.shape[:2]) for image in (content_image, *results))
    size = settings.size or min(DEFAULT_MAXIMUM, *longer_sides)
    content_image, style_image = (sized(image, size, network.minimum_side) for image in (content_image, style_image))
    _check_memory(network, size, content_image, style_image)
    rows = compute_metrics(content_image, style_image, results, network)
    height, width = content_image.rgb.shape[:2]
    layers = score_layers(network)
    return Scores(
        content=content_image.name,
        style=style_image.name,
        height=height,
        width=width,
        backbone=network.name,
        weights=network.weights_record,
        content_layer=layers.content,
        style_layers=layers.style,
        rows=[{"result": result.name, **row} for result, row in zip(results, rows, strict=True)],
    )


def compute_metrics(
    content: images.Source, style: images.Source, results: Sequence[images.Source], network: Backbone
) -> list[dict[str, float]]:
    """All `METRICS` of each result, by their names, at the size of the content image.

    Args:
        content: The content image.
        style: The style image. Its longer side is resized to that of the content image, as `tfstyle.transfer` does.
        results: The results. One of another size than the content image is resized to it by antialiased Lanczos
            resampling, and stretched if its aspect ratio differs.
        network: The network whose features are compared, at the layers of `score_layers`.

    Raises:
        InputError: An image can't be read, or is too small for the network.
    """
    content_image = images.load(content)
    shape = content_image.rgb.shape[:2]
    references = {
        "content": _ImageFeatures(content_image, network),
        "style": _ImageFeatures(images.load(style, max(shape)), network),
    }
    rows = []
    for source in results:
        result = _ImageFeatures(images.load(source, shape), network)
        rows.append({name: _value(metric, references[metric.reference], result) for name, metric in METRICS.items()})
    return rows


class _ImageFeatures:
    """An image, and the features of a network for it.

    Attributes:
        images: The image alone, float32 (height, width, 3).
        features: The features of the layers for content and for style, each (height, width, channels).
    """

    def __init__(self, image: images.Picture, network: Backbone) -> None:
        layers = score_layers(network)
        batch = network(image.rgb[None], [layers.content, *layers.style])
        features = {name: np.asarray(values[0]) for name, values in batch.items()}
        self.images = [image.rgb]
        self.features = {"content": [features[layers.content]], "style": [features[name] for name in layers.style]}


def _value(metric: Metric, reference: _ImageFeatures, result: _ImageFeatures) -> float:
    """The mean of a metric over what it compares: one image, or some layers."""
    first, second = (
        each.images if metric.compares == "images" else each.features[metric.reference]
        for each in (reference, result)
    )
    return float(np.mean([metric.function(a, b) for a, b in zip(first, second, strict=True)]))


def _check_memory(network: Backbone, size: int, content: images.Picture, style: images.Picture) -> None:
    """Raise an `InputError` if the network's features would not fit into the memory."""
    layers = score_layers(network)
    pixels = max(image.rgb[..., 0].size for image in (content, style))
    needed, free = _FEATURE_COPIES * network.feature_bytes([layers.content, *layers.style]) * pixels, available()
    if needed > free:
        raise InputError(
            f"scores at size {size} need about {gigabytes(int(needed))} of memory, and there are "
            f"{gigabytes(free)}: use a smaller size"
        )
