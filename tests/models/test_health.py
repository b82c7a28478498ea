"""What tells copies, inversions and collapse from a transfer."""

import logging

import keras
import numpy as np
import pytest

from tfstyle.models import TrainingHealth
from tfstyle.models.health import correlation, variety


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((4, 8, 8, 3), "float32")


class Pixels(keras.layers.Layer):
    """A generator of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, pictures):
        return self.function(pictures)


def epoch(pictures, function, caplog):
    """Numbers and warnings after an epoch of a model that does this."""
    callback = TrainingHealth(pictures)
    inputs = keras.Input((8, 8, 3))
    callback.set_model(keras.Model(inputs, Pixels(function)(inputs)))
    logs = {}
    caplog.clear()
    with caplog.at_level(logging.WARNING, "tfstyle"):
        callback.on_epoch_end(2, logs)
    return {name.removeprefix("health_"): value for name, value in logs.items()}, [
        r.getMessage() for r in caplog.records
    ]


def test_numbers_against_numpy(pictures):
    other = pictures[::-1] ** 2
    flat = [(p.mean(-1).ravel(), o.mean(-1).ravel()) for p, o in zip(pictures, other, strict=True)]
    assert correlation(pictures, other) == pytest.approx(
        np.mean([np.corrcoef(p, o)[0, 1] for p, o in flat]), rel=1e-5
    )
    assert correlation(pictures, 3 - 2 * pictures) == pytest.approx(-1)
    assert variety(pictures) == pytest.approx(np.sqrt(np.mean(pictures.var(0))), rel=1e-5)
    assert variety(pictures[:1].repeat(3, 0)) == pytest.approx(0, abs=1e-7)


def test_a_copy(pictures, caplog):
    found, warnings = epoch(pictures, lambda x: x * 1.01, caplog)
    assert found["copy_ratio"] < 0.05
    assert len(warnings) == 1
    assert warnings[0].startswith("epoch 3: the generator copies its input: lower identity_weight, ")


def test_an_inversion(pictures, caplog):
    found, warnings = epoch(pictures, lambda x: 1 - x, caplog)
    assert found["correlation"] == pytest.approx(-1)
    assert found["variety"] == pytest.approx(1)
    assert [warning.split(":")[1] for warning in warnings] == [" light and dark are inverted"]


def test_a_collapse(pictures, caplog):
    found, warnings = epoch(pictures, lambda x: 0 * x + keras.ops.mean(x, axis=0, keepdims=True), caplog)
    assert found["variety"] == pytest.approx(0, abs=1e-6)
    assert [warning.split(":")[1] for warning in warnings] == [" all pictures look alike"]


def test_a_transfer(pictures, caplog):
    _, warnings = epoch(pictures, lambda x: keras.ops.sqrt(x) * keras.ops.array([1, 0.8, 0.5]), caplog)
    assert not warnings


def test_models_of_noise(pictures, caplog):
    callback = TrainingHealth(pictures, generate=lambda number: pictures[:1].repeat(number, 0))
    with caplog.at_level(logging.WARNING, "tfstyle"):
        callback.on_epoch_end(0, None)
    assert list(callback.measured()) == ["variety"]
    assert "all pictures look alike" in caplog.text
