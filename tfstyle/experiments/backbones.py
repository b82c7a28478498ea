"""The networks of an experiment: each is built once, when it is first used."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tfstyle.core.runtime import import_tensorflow
from tfstyle.features import weights as weight_files
from tfstyle.pipelines.method import UNTRAINED

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone

Weights = Literal["imagenet", "random"]


@dataclass(frozen=True)
class NetworkOptions:
    """Options of `Backbone` that experiments compare.

    Attributes:
        input_scaling: `"own"` for the network's preprocessing, `"unit"` for [0, 1].
        activation_smoothing: Whether a softmax over channels makes the features more even.
    """

    input_scaling: Literal["own", "unit"] = "own"
    activation_smoothing: bool = False


class Networks:
    """Networks by name, with ImageNet weights if they can be had, else random ones.

    Convolutions run in float32, so that results can be compared between machines.

    Args:
        seed: Seed of random weights.
        weights: `"random"` for untrained networks only.
    """

    def __init__(self, seed: int = 0, weights: Weights = "imagenet") -> None:
        self.seed = seed
        self.weights = weights
        self._records: dict[str, dict[str, Any]] = {}
        self._built: dict[tuple[str, NetworkOptions], Backbone] = {}

    def record(self, name: str) -> dict[str, Any]:
        """Where the weights of a network come from, for results; nothing is built."""
        if name not in self._records:
            self._records[name] = {"name": "random", "source": f"He, seed {self.seed}"}
            if self.weights != "random":
                if not weight_files.cached(name):
                    import_tensorflow()  # a download imports it, and would print its greetings
                with contextlib.suppress(weight_files.NotFoundError):
                    self._records[name] = weight_files.find(name).record()
        return self._records[name]

    def trained(self, name: str) -> bool:
        """Whether the weights of a network are not random."""
        return self.record(name)["name"] != "random"

    def label(self, name: str) -> str:
        """The name of a network for figures; it states random weights."""
        return name if self.trained(name) else f"{name} (random weights, seed {self.seed})"

    def get(self, name: str, options: NetworkOptions | None = None) -> Backbone:
        """The network of that name.

        Args:
            name: A `keras.applications` model, or VGG19Mini.
            options: Its options; None for their defaults.

        Raises:
            InputError: There is no such network, or its weights can't be read.
        """
        options = options or NetworkOptions()
        key = (name, options)
        if key not in self._built:
            trained = self.trained(name)
            import_tensorflow()
            from tfstyle.features.backbone import Backbone

            self._built[key] = Backbone(
                name,
                None if trained else "random",
                "max" if trained else UNTRAINED["pooling"],
                seed=self.seed,
                precision="float32",
                input_scaling=options.input_scaling,
                activation_smoothing=options.activation_smoothing,
            )
        return self._built[key]
