"""AdaIN at the paper's size in PyTorch, with random weights, to measure times against."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

PARTS = ((64,), (64, "M", 128), (128, "M", 256), (256, 256, 256, "M", 512))  # of VGG19, each to reluN_1


def encoder() -> nn.ModuleList:
    """VGG19 to relu4_1, padded by reflection, in its four parts."""
    parts, before = [], 3
    for widths in PARTS:
        layers: list[nn.Module] = []
        for width in widths:
            if width == "M":
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
                continue
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(before, width, 3), nn.ReLU()]
            before = width
        parts.append(nn.Sequential(*layers))
    return nn.ModuleList(parts)


def decoder() -> nn.Sequential:
    """Its mirror image: nine convolutions."""
    layers, before = [], 512
    for width in (256, "U", 256, 256, 256, 128, "U", 128, 64, "U", 64):
        if width == "U":
            layers.append(nn.Upsample(scale_factor=2))
            continue
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(before, width, 3), nn.ReLU()]
        before = width
    return nn.Sequential(*layers, nn.ReflectionPad2d(1), nn.Conv2d(64, 3, 3))


class TorchAdaIN:
    """Forward pass and training step of AdaIN (Huang & Belongie 2017)."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.encoder, self.decoder = encoder().requires_grad_(False), decoder()
        self.optimizer = torch.optim.Adam(self.decoder.parameters(), 1e-4)

    def features(self, x: Any) -> list[Any]:
        """Of the four parts."""
        found = []
        for part in self.encoder:
            x = part(x)
            found.append(x)
        return found

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """The picture of contents in styles, each `(batch, 3, height, width)`."""
        with torch.no_grad():
            target = self._target(
                self.features(torch.from_numpy(content))[-1], self.features(torch.from_numpy(style))
            )
            return self.decoder(target).numpy()

    def step(self, content: np.ndarray, style: np.ndarray) -> float:
        """One training step; the loss."""
        with torch.no_grad():
            wanted = self.features(torch.from_numpy(style))
            target = self._target(self.features(torch.from_numpy(content))[-1], wanted)
        found = self.features(self.decoder(target))
        loss = torch.mean((found[-1] - target) ** 2)
        for ours, theirs in zip(found, wanted, strict=True):
            for one, other in zip(_moments(ours), _moments(theirs), strict=True):
                loss = loss + 10 * torch.mean((one - other) ** 2)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss)

    @staticmethod
    def _target(features: Any, wanted: list[Any]) -> Any:
        (mean, deviation), (new_mean, new_deviation) = _moments(features), _moments(wanted[-1])
        return (features - mean) / deviation * new_deviation + new_mean


def _moments(features: Any) -> tuple[Any, Any]:
    variance = features.var((2, 3), keepdim=True)
    return features.mean((2, 3), keepdim=True), torch.sqrt(variance + 1e-5)
