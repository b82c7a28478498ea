"""A training step of AdaIN with VGG19 at full width against PyTorch's, in one run.

    python benchmarks/adain_step.py [--batch 8] [--side 128] [--turns 7]

Weights are random: they make no difference to the time. Ours is `fit` of `tfstyle.models.AdaIN` as it is, in float32
and with a bfloat16 policy; a turn is a step of each. Without PyTorch ours only are measured. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np

from tfstyle import Backbone
from tfstyle.models import AdaIN

try:
    from torch_adain import TorchAdaIN
except ImportError:
    TorchAdaIN = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=128, help="in pixels")
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()

    random = np.random.default_rng(0)
    content, style = (random.random((options.batch, options.side, options.side, 3), np.float32) for _ in range(2))
    steps = {}
    for precision, policy in (("float32", "float32"), ("bfloat16", "mixed_bfloat16")):
        encoder = Backbone("VGG19", "random", precision=precision, padding="reflection")
        model = AdaIN(encoder, seed=0, dtype=policy)
        model.compile()
        steps[precision] = lambda model=model: model.train_on_batch(content, style)
    if TorchAdaIN is not None:
        torch = TorchAdaIN()
        planes = [np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)) for pictures in (content, style)]
        steps["torch"] = lambda: torch.step(*planes)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(options.turns + 1):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if turn:
                times[name].append(time.perf_counter() - began)
    seconds = {name: statistics.median(found) for name, found in times.items()}
    ratio = (
        {name: seconds[name] / seconds["torch"] for name in seconds if name != "torch"} if "torch" in seconds else {}
    )
    print(json.dumps({"batch": options.batch, "side": options.side, "seconds": seconds, "ratio": ratio}, indent=2))


if __name__ == "__main__":
    main()
