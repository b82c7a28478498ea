"""A painted picture, how it came about, and both on disk."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfstyle import images
from tfstyle.core import files
from tfstyle.core.errors import InputError
from tfstyle.core.version import versions

if TYPE_CHECKING:
    from tfstyle.optimization.canvas import Canvas
    from tfstyle.pipelines.build import Branch


@dataclass(frozen=True)
class Result:
    """A painted picture and how it came about.

    Attributes:
        image: float32 `(height, width, 3)`, RGB in [0, 1].
        alpha: float32 `(height, width)` in [0, 1] if the content had transparency, else None.
        history: Loss and each term by step: `{"step": [...], "loss": [...], "content": [...], ...}`; nothing where
            a network has painted in one pass.
        settings: Every setting, the versions, the weights used and the seconds taken; JSON can hold it.
    """

    image: np.ndarray
    alpha: np.ndarray | None
    history: dict[str, list[float]]
    settings: dict[str, Any]

    @classmethod
    def of_one_pass(
        cls, image: np.ndarray, alpha: np.ndarray | None, settings: dict[str, Any], seconds: float
    ) -> Result:
        """The result of a model that paints in one pass: no history, and never stopped early.

        Args:
            image: float32 `(height, width, 3)`, RGB in [0, 1].
            alpha: float32 `(height, width)` in [0, 1], or None.
            settings: All else that the record holds; the versions are added.
            seconds: How long it took.
        """
        return cls(
            image, alpha, {}, {**settings, "versions": versions(), "seconds": round(seconds, 3), "stopped": None}
        )

    def record(self) -> dict[str, Any]:
        """Settings and history in one object, as JSON can hold it: what isn't a finite number is None."""
        history = {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in self.history.items()
        }
        return {**self.settings, "history": history}

    def save(self, path: str | os.PathLike[str], *, bits: int = 8, quality: int = 95) -> Path:
        """Write the picture, and its record as JSON beside it.

        Args:
            path: `OUT.png`, `.jpg`, `.tif` or `.webp`; the record is `OUT.json`.
            bits: 8, or 16 for PNG and TIFF.
            quality: Of JPEG and WebP, 1 to 100.

        Raises:
            InputError: It can't be written.
        """
        path = Path(path)
        check_writable(path, bits=bits)
        images.save(self.image, path, alpha=self.alpha, bits=bits, quality=quality)
        record = {**self.record(), "bits": bits, "quality": quality}
        history = ",\n".join(
            f"    {json.dumps(name)}: {json.dumps(values)}" for name, values in record.pop("history").items()
        )
        settings = json.dumps(record, indent=2, allow_nan=False).removesuffix("\n}")
        text = f'{settings},\n  "history": {{\n{history}\n  }}\n}}\n'  # a line for each curve, not for each number
        files.atomic_write(_record_path(path), text.encode())
        return path


def check_writable(path: str | os.PathLike[str], *, bits: int = 8) -> None:
    """Find out before long work whether `Result.save` can write to `path`.

    Raises:
        InputError: The picture can't be written there, or the record would take the place of another file.
    """
    images.check_writable(path, bits=bits)
    record = _record_path(path)
    if not record.exists():
        return
    try:
        ours = "tfstyle" in json.loads(record.read_text())["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise InputError(
            f"could not write {files.shown(path)}: its record would replace {files.shown(record)}, which is not "
            f"one of tfstyle; choose another name"
        )


def describe(branches: Sequence[Branch], canvas: Canvas) -> dict[str, Any]:
    """With what a canvas has been painted, as JSON can hold it; of several networks, the first and `ensemble`."""
    _, height, width, _ = canvas.best_pixels.shape
    options = canvas.optimizer.get_config()
    networks = [_network(branch) for branch in branches]
    return {
        **networks[0],
        "height": height,
        "width": width,
        **({"ensemble": networks} if len(networks) > 1 else {}),
        "optimizer_options": {name: value for name, value in options.items() if value is not None},
        "tile": canvas.objective.tile,
        "versions": versions(),
    }


def _network(branch: Branch) -> dict[str, Any]:
    """A method on one network."""
    recipe, network = branch.method, branch.backbone
    return {
        **{("method" if key == "name" else key): value for key, value in branch.record().items() if key != "init"},
        "normalize": network.normalize,
        "content_layers": list(recipe.content_layers or [network.content_layer]),
        "style_layers": list(recipe.style_layers or network.style_layers),
    }


def _record_path(path: str | os.PathLike[str]) -> Path:
    return Path(path).with_suffix(".json")
