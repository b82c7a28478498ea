"""The networks of an experiment: each is built once, when it is first asked for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from tfstyle.core.runtime import import_tensorflow
from tfstyle.features import weights as weights_room
from tfstyle.pipelines.method import UNTRAINED

if TYPE_CHECKING:
    from tfstyle.features.backbone import Backbone


class Networks:
    """Networks by name, with ImageNet weights where they can be found, else random ones.

    Convolutions run in float32, so that figures can be compared.

    Args:
        seed: Of random weights.
        weights: `"random"` for untrained networks; None for ImageNet weights where there are any.
    """

    def __init__(self, seed: int = 0, weights: str | None = None) -> None:
        self.seed = seed
        self.weights = weights
        self._records: dict[str, dict[str, Any]] = {}
        self._built: dict[tuple[Any, ...], Backbone] = {}

    def record(self, name: str) -> dict[str, Any]:
        """Where a network's weights come from, as results have it; nothing is built."""
        if name not in self._records:
            self._records[name] = {"name": "random", "source": f"He, seed {self.seed}"}
            if self.weights != "random":
                if not weights_room.cached(name):
                    import_tensorflow()  # which a download takes, without its greetings
                with contextlib.suppress(weights_room.NotFoundError):
                    self._records[name] = weights_room.find(name).record()
        return self._records[name]

    def trained(self, name: str) -> bool:
        """Whether a network's weights are not random."""
        return self.record(name)["name"] != "random"

    def label(self, name: str) -> str:
        """A network's name, and that its weights are random where they are."""
        return name if self.trained(name) else f"{name} (random weights, seed {self.seed})"

    def get(self, name: str, **options: Any) -> Backbone:
        """The network of that name.

        Args:
            name: Of a `keras.applications` model.
            **options: Of `Backbone`.

        Raises:
            InputError: There is no such network, or its weights can't be read.
        """
        key = (name, *sorted(options.items()))
        if key not in self._built:
            trained = self.trained(name)
            import_tensorflow()
            from tfstyle.features.backbone import Backbone

            given = {} if trained else {"pooling": UNTRAINED["pooling"]}
            self._built[key] = Backbone(
                name,
                None if trained else "random",
                seed=self.seed,
                precision="float32",
                **{**given, **options},
            )
        return self._built[key]
