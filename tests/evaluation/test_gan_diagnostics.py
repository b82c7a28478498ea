"""Diagnostics of adversarial trainings: values, warnings, and that a warning comes once."""

import numpy as np
import pytest

from tfstyle.evaluation import gan_diagnostics


def noise(number, seed=0, side=16):
    return np.random.default_rng(seed).random((number, side, side, 3)).astype("float32")


def test_variety_is_the_mean_difference_of_cells():
    pictures = noise(3)
    cells = pictures.astype("float64").reshape(3, 8, 2, 8, 2, 3).mean((2, 4))
    pairs = [np.mean((cells[i] - cells[j]) ** 2) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert gan_diagnostics.variety(pictures) == pytest.approx(np.sqrt(np.mean(pairs)), rel=1e-9)
    assert gan_diagnostics.variety(np.repeat(pictures[:1], 4, 0)) == 0
    assert gan_diagnostics.variety(0.5 * pictures) == pytest.approx(0.5 * gan_diagnostics.variety(pictures))
    assert gan_diagnostics.variety(noise(3, side=5)) > 0  # fewer pixels than cells


def test_luminance_correlates_whatever_the_contrast_and_turns_with_a_negative():
    pictures = noise(3)
    assert gan_diagnostics.luminance_correlation(pictures, 0.2 + 0.5 * pictures) == pytest.approx(1)
    assert gan_diagnostics.luminance_correlation(pictures, 1 - pictures) == pytest.approx(-1)
    assert gan_diagnostics.luminance_correlation(pictures, np.full_like(pictures, 0.5)) == 0
    a, b = (noise(1, seed).astype("float64") @ [0.2126, 0.7152, 0.0722] for seed in (1, 2))
    want = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    assert gan_diagnostics.luminance_correlation(noise(1, 1), noise(1, 2)) == pytest.approx(want, abs=1e-9)


def test_healthy_samples_give_no_warning():
    values = gan_diagnostics.diagnostics(noise(6, 1), noise(6), noise(6, 2))
    assert set(values) == {"variety", "luminance"}
    assert values["variety"] == pytest.approx(1, abs=0.2)
    assert gan_diagnostics.warnings_of({**values, "copy_ratio": 1.0}) == {}
    assert gan_diagnostics.warnings_of({"generator": 3.0}) == {}  # no diagnostics


def test_each_failure_gives_a_warning():
    real, inputs = noise(6), noise(6, 2)
    collapsed = gan_diagnostics.warnings_of(gan_diagnostics.diagnostics(np.repeat(inputs[:1], 6, 0), real))
    assert list(collapsed) == ["collapse"]
    assert collapsed["collapse"].startswith("collapse: the variety of generated images is 0 of that of real images")
    inverted = gan_diagnostics.warnings_of(gan_diagnostics.diagnostics(1 - inputs, real, inputs))
    assert list(inverted) == ["inversion"]
    assert "the correlation -1 " in inverted["inversion"]
    assert list(gan_diagnostics.warnings_of({"copy_ratio": 0.05})) == ["copying"]
    assert gan_diagnostics.warnings_of({"copy_ratio": 0.05, "epoch": 1}) == {}


class Model:
    images = noise(4)


def callback(model, inputs=None, previous=None):
    callback = gan_diagnostics.GANDiagnostics(lambda model: model.images, noise(4, 1), inputs, previous)
    callback.set_model(model)
    return callback


def test_the_callback_logs_each_epoch_and_warns_when_a_failure_begins(caplog):
    model = Model()
    diagnostics = callback(model, inputs=noise(4, 2))
    logs = [{} for _ in range(6)]
    diagnostics.on_epoch_end(0, logs[0])
    model.images = np.repeat(noise(1), 4, 0)
    diagnostics.on_epoch_end(1, logs[1])
    diagnostics.on_epoch_end(2, logs[2])
    model.images = noise(4)
    diagnostics.on_epoch_end(3, logs[3])
    model.images = np.repeat(noise(1), 4, 0)
    diagnostics.on_epoch_end(4, logs[4])
    assert [line.split(" the variety")[0] for line in caplog.messages] == ["epoch 2: collapse:", "epoch 5: collapse:"]
    assert logs[2] == {"variety": 0, "luminance": pytest.approx(0, abs=0.3)}


def test_a_resumed_training_does_not_repeat_warnings(caplog):
    model = Model()
    model.images = np.repeat(noise(1), 4, 0)
    callback(model, previous={"epoch": 3, "variety": 0.01}).on_epoch_end(3, {})
    assert not caplog.records
    callback(model, previous={"epoch": 3, "variety": 0.9}).on_epoch_end(3, {})
    assert caplog.messages[0].startswith("epoch 4: collapse: ")
