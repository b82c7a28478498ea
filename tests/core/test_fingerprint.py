"""Settings as JSON and as a hash, and what differs between two records of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tfstyle.core.fingerprint import differences, digest, jsonable, to_json


@dataclass(frozen=True)
class Named:
    """What is known by its hash."""

    name: str
    sha256: str
    values: tuple = ()


@dataclass(frozen=True)
class Nested:
    """A dataclass with another in it."""

    image: Named
    weight: float = float("inf")


def test_values_become_what_json_can_hold():
    value = {"image": Nested(Named("photo", "abc", (1, 2))), 3: (np.float32(2), None), "path": Path("a/b")}
    assert jsonable(value) == {
        "image": {"image": {"name": "photo", "sha256": "abc"}, "weight": None},
        "3": [2.0, None],
        "path": "a/b",
    }
    assert to_json({"a": float("nan"), "b": (1, True)}) == '{\n "a": null,\n "b": [\n  1,\n  true\n ]\n}\n'


def test_fingerprints_are_of_values():
    settings = {"image": Named("photo", "abc"), "size": np.float32(2), "method": ("a", None)}
    assert digest(settings) == digest({**settings, "size": 2.0, "method": ["a", None]})
    assert digest(settings) != digest({**settings, "size": 3})
    assert digest(settings) != digest({**settings, "image": Named("photo", "def")})
    assert len(digest(settings)) == 64


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        ({"size": 48, "seed": 0}, {"seed": 0, "size": 64}, ["size was 48, is 64"]),
        ({"scales": [[48, 7]]}, {"scales": [(48, 7)]}, []),
        ({"init": "content"}, {"init": None}, ['init was "content", is null']),
        ({}, {"style_weight": 0.25}, ["style weight was null, is 0.25"]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["a was 1, is 2", "b was 1, is 2"]),
        ({"content_sha256": "abc"}, {"content_sha256": "def"}, ["another image as content"]),
        ({"layers": []}, {"layers": ["block1_conv1", "block2_conv1", "block3_conv1"]},
         ['layers was [], is ["block1_conv1", "block2_conv1", "bl ...']),
    ],
)  # fmt: skip
def test_differences_name_the_settings(before, now, text):
    assert differences(before, now) == text
