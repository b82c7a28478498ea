"""Seconds and memory of `CycleGAN`: a training step under `fit`, and a generator's picture; PyTorch's beside them.

    python benchmarks/gan_step.py [--size 256] [--batch 1] [--steps 2] [--rounds 3] [--blocks 9] [--threads 2]
                                  [--inter-op 1]
                                  [--engines tfstyle-float32 tfstyle-bfloat16 torch-float32 torch-bfloat16]
                                  [--torch-python PATH]

PyTorch is no dependency: it is looked for in this Python, or in the one that `--torch-python` names, which may be of
another environment. Each engine has a process of its own, with as many threads, and they take turns, the others
stopped; ratios are those of the medians, against PyTorch in float32. PyTorch's step is that of
junyanz/pytorch-CycleGAN-and-pix2pix, written anew: generators of 9 blocks, the discriminators held fixed in the
generators' step, then their own with pictures of a pool. Memory is the largest resident set of a process after
training steps, its libraries included. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

ENGINES = ("tfstyle-float32", "tfstyle-bfloat16", "torch-float32", "torch-bfloat16")
AGAINST = "torch-float32"
Do = Callable[[int], object]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2, help="in each turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--inter-op", type=int, help="operations that TensorFlow runs at once; one takes less memory")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return

    python = {"tfstyle": sys.executable, "torch": options.torch_python}
    has_torch = not subprocess.call([options.torch_python, "-c", "import torch"], stderr=subprocess.DEVNULL)
    names = [name for name in options.engines if has_torch or not name.startswith("torch")]
    engines = {name: Engine(python[name.partition("-")[0]], name, options) for name in names}
    results: dict[str, Any] = {}
    for kind, steps in (("training_step", options.steps), ("generator", 5 * options.steps)):
        for engine in engines.values():
            engine.run(kind, 2)
        turns: dict[str, list[float]] = {name: [] for name in engines}
        for _ in range(options.rounds):
            for name, engine in engines.items():
                turns[name].append(engine.run(kind, steps)[0] / steps)
        seconds = {name: statistics.median(each) for name, each in turns.items()}
        results[kind] = {"seconds": seconds, "all": turns}
        if AGAINST in seconds:
            results[kind]["ratios"] = {name: each / seconds[AGAINST] for name, each in seconds.items()}
        if kind == "training_step":
            results[kind]["peak_gigabytes"] = {name: engine.peak for name, engine in engines.items()}
    given = ("size", "batch", "steps", "rounds", "blocks", "threads", "inter_op")
    record = {name: getattr(options, name) for name in given}
    for engine in engines.values():
        engine.process.kill()
    print(json.dumps({**record, "load_average": os.getloadavg()[0], **results}, indent=2))


class Engine:
    """A process that trains, or makes pictures, when asked to."""

    def __init__(self, python: str, name: str, options: argparse.Namespace) -> None:
        given = [f"--{each}={getattr(options, each)}" for each in ("size", "batch", "blocks", "threads")]
        given += [f"--inter-op={options.inter_op}"] if options.inter_op else []
        command = [python, __file__, f"--serve={name}", *given]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.peak = 0.0

    def run(self, kind: str, steps: int) -> tuple[float, float]:
        """Seconds of so many of them, and the process's peak of memory so far, in GB."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        self.process.send_signal(signal.SIGCONT)
        stdin.write(f"{kind} {steps}\n")
        stdin.flush()
        seconds, self.peak = map(float, stdout.readline().split())
        self.process.send_signal(signal.SIGSTOP)  # idle threads wait busily
        return seconds, self.peak


def serve(options: argparse.Namespace) -> None:
    """Answer kinds and numbers of steps with seconds and the peak of memory."""
    engine, _, precision = options.serve.partition("-")
    todo = (keras_engine if engine == "tfstyle" else torch_engine)(options, precision)
    for line in sys.stdin:
        kind, steps = line.split()
        began = time.perf_counter()
        todo[kind](int(steps))
        seconds = time.perf_counter() - began
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, flush=True)


def keras_engine(options: argparse.Namespace, precision: str) -> dict[str, Do]:
    """Steps of `CycleGAN.fit`, and pictures by `predict`."""
    import tensorflow as tf

    from tfstyle.core.runtime import steady
    from tfstyle.models import CycleGAN

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.inter_op or options.threads)
    dtype = "mixed_bfloat16" if precision == "bfloat16" else None
    model = CycleGAN(options.size, options.blocks, seed=0, dtype=dtype)
    model.compile()
    shape = (options.batch, options.size, options.size, 3)
    pair = tuple(tf.random.stateless_uniform(shape, (0, seed)) for seed in (0, 1))
    data = steady(tf.data.Dataset.from_tensors(pair).repeat())
    return {
        "training_step": lambda steps: model.fit(data, steps_per_epoch=steps, verbose=0),
        "generator": lambda steps: model.predict(data.take(steps), verbose=0),
    }


def torch_engine(options: argparse.Namespace, precision: str) -> dict[str, Do]:
    """The same in PyTorch; bfloat16 is that of its autocast."""
    import torch
    from torch import nn

    def residual(width: int) -> nn.Module:
        inner = []
        for activation in (nn.ReLU(True), nn.Identity()):
            inner += [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), activation]

        class Residual(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = nn.Sequential(*inner)

            def forward(self, x: Any) -> Any:
                return x + self.inner(x)

        return Residual()

    def generator(f: int = 64) -> nn.Module:
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, f, 7), nn.InstanceNorm2d(f), nn.ReLU(True)]
        for width in (f, 2 * f):
            layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True)]
        layers += [residual(4 * f) for _ in range(options.blocks)]
        for width in (4 * f, 2 * f):
            up = nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1)
            layers += [up, nn.InstanceNorm2d(width // 2), nn.ReLU(True)]
        return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(f, 3, 7), nn.Tanh())

    def discriminator(f: int = 64) -> nn.Module:
        layers = [nn.Conv2d(3, f, 4, 2, 1), nn.LeakyReLU(0.2, True)]
        for width, stride in ((f, 2), (2 * f, 2), (4 * f, 1)):
            layers += [
                nn.Conv2d(width, 2 * width, 4, stride, 1),
                nn.InstanceNorm2d(2 * width),
                nn.LeakyReLU(0.2, True),
            ]
        return nn.Sequential(*layers, nn.Conv2d(8 * f, 1, 4, 1, 1))

    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    g, f, of_y, of_x = generator(), generator(), discriminator(), discriminator()
    optimizers = [
        torch.optim.Adam([p for net in nets for p in net.parameters()], 2e-4, (0.5, 0.999))
        for nets in ((g, f), (of_y, of_x))
    ]
    x, y = (torch.rand(options.batch, 3, options.size, options.size) * 2 - 1 for _ in range(2))
    pools: list[list[Any]] = [[], []]

    def pooled(pool: list[Any], pictures: Any) -> Any:
        returned = []
        for picture in pictures.detach():
            if len(pool) < 50:
                pool.append(picture)
            elif random.random() < 0.5:
                place = random.randrange(50)
                pool[place], picture = picture, pool[place]
            returned.append(picture)
        return torch.stack(returned)

    def half() -> Any:
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")

    def step() -> None:
        squares, absolute = nn.MSELoss(), nn.L1Loss()
        for network in (of_x, of_y):
            network.requires_grad_(False)
        with half():
            fake_y, fake_x = g(x), f(y)
            said = of_y(fake_y), of_x(fake_x)
            loss = sum(squares(each, torch.ones_like(each)) for each in said)
            loss = loss + 10 * (absolute(f(fake_y), x) + absolute(g(fake_x), y))
            loss = loss + 5 * (absolute(g(y), y) + absolute(f(x), x))
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
        for network in (of_x, of_y):
            network.requires_grad_(True)
        optimizers[1].zero_grad()
        for network, real, fake, pool in ((of_y, y, fake_y, pools[0]), (of_x, x, fake_x, pools[1])):
            with half():
                of_real, of_fake = network(real), network(pooled(pool, fake))
                loss = squares(of_real, torch.ones_like(of_real)) + squares(of_fake, torch.zeros_like(of_fake))
            (0.5 * loss).backward()
        optimizers[1].step()

    def steps(number: int) -> None:
        for _ in range(number):
            step()

    def pictures(number: int) -> None:
        with torch.no_grad(), half():
            for _ in range(number):
                g(x)

    return {"training_step": steps, "generator": pictures}


if __name__ == "__main__":
    main()
