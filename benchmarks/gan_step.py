"""Seconds per training step of `CycleGAN` under `fit`, against the same step in PyTorch, if there is one.

    python benchmarks/gan_step.py [--size 256] [--batch 1] [--steps 3] [--rounds 5] [--precision float32]
                                  [--threads 1] [--torch-python PATH]

PyTorch is no dependency: it is looked for in this Python, or in the one that `--torch-python` names, which may be of
another environment. Both take turns in one run, with as many threads; ratios are those of the medians, of seconds and
of the processors' time, which with one thread each is hardly changed by what else a machine does. PyTorch's step is
that of junyanz/pytorch-CycleGAN-and-pix2pix, written anew: generators of 9 blocks, the discriminators held fixed in
the generators' step, then their own with pictures of a pool. Prints JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Times = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3, help="in each turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(torch_step(options))
        return

    engines = {"tfstyle": keras_step(options)}
    other = torch_process(options)
    if other is not None:
        engines["torch"] = other
    turns: dict[str, list[Times]] = {name: [] for name in engines}
    for _ in range(options.rounds):
        for name, run in engines.items():
            turns[name].append(run(options.steps))
    medians = {
        kind: {name: statistics.median(times[i] / options.steps for times in turns[name]) for name in engines}
        for i, kind in enumerate(("seconds_per_step", "processor_seconds_per_step"))
    }
    given = ("size", "batch", "steps", "rounds", "blocks", "precision", "threads")
    record = {
        **{name: getattr(options, name) for name in given},
        "load_average": os.getloadavg()[0],
        **medians,
        "ratios": {kind: each["tfstyle"] / each["torch"] for kind, each in medians.items()} if other else None,
    }
    print(json.dumps({**record, "all": turns}, indent=2))


def timed(do: Callable[[], object]) -> Times:
    """Seconds, and seconds of processors, that something takes."""
    began = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def keras_step(options: argparse.Namespace) -> Callable[[int], Times]:
    """Seconds of a number of steps of `CycleGAN.fit`."""
    import tensorflow as tf

    from tfstyle.models import CycleGAN

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    dtype = "mixed_bfloat16" if options.precision == "bfloat16" else None
    model = CycleGAN(options.size, options.blocks, seed=0, dtype=dtype)
    model.compile()
    shape = (options.batch, options.size, options.size, 3)
    pair = tuple(tf.random.stateless_uniform(shape, (0, seed)) for seed in (0, 1))
    data = tf.data.Dataset.from_tensors(pair).repeat()

    def run(steps: int) -> Times:
        return timed(lambda: model.fit(data, steps_per_epoch=steps, verbose=0))

    run(2)
    return run


def torch_process(options: argparse.Namespace) -> Callable[[int], Times] | None:
    """The same of PyTorch in a process of its own; None without PyTorch."""
    if options.torch_python == sys.executable and importlib.util.find_spec("torch") is None:
        return None
    given = ("size", "batch", "blocks", "precision", "threads")
    arguments = [f"--{name}={getattr(options, name)}" for name in given]
    command = [options.torch_python, __file__, "--serve", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    def run(steps: int) -> Times:
        stdin.write(f"{steps}\n")
        stdin.flush()
        return tuple(map(float, stdout.readline().split()))

    run(2)
    return run


def serve(run: Callable[[int], Times]) -> None:
    """Answer numbers of steps with seconds."""
    for line in sys.stdin:
        print(*run(int(line)), flush=True)


def torch_step(options: argparse.Namespace) -> Callable[[int], Times]:
    """Seconds of a number of steps in PyTorch."""
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

    def step() -> None:
        half = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16")
        squares, absolute = nn.MSELoss(), nn.L1Loss()
        for network in (of_x, of_y):
            network.requires_grad_(False)
        with half:
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
            with half:
                of_real, of_fake = network(real), network(pooled(pool, fake))
                loss = squares(of_real, torch.ones_like(of_real)) + squares(of_fake, torch.zeros_like(of_fake))
            (0.5 * loss).backward()
        optimizers[1].step()

    def run(steps: int) -> Times:
        return timed(lambda: [step() for _ in range(steps)])

    return run


if __name__ == "__main__":
    main()
