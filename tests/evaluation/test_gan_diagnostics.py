"""Health of adversarial trainings: what is measured, what is named, and that it is named once."""

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


def test_healthy_samples_are_not_named():
    reals = noise(6)
    found = gan_diagnostics.measures(noise(6, 1), reals, noise(6, 2))
    assert set(found) == {"variety", "luminance"}
    assert found["variety"] == pytest.approx(1, abs=0.2)
    assert gan_diagnostics.ailments({**found, "copy_ratio": 1.0}) == {}
    assert gan_diagnostics.ailments({"generator": 3.0}) == {}  # of which nothing is known


def test_each_ailment_is_named():
    reals, inputs = noise(6), noise(6, 2)
    collapsed = gan_diagnostics.ailments(gan_diagnostics.measures(np.repeat(inputs[:1], 6, 0), reals))
    assert list(collapsed) == ["collapse"]
    assert collapsed["collapse"].startswith("collapse: generated pictures differ 0 times as much as real ones do")
    inverted = gan_diagnostics.ailments(gan_diagnostics.measures(1 - inputs, reals, inputs))
    assert list(inverted) == ["inversion"]
    assert "light and dark correlate by -1 with" in inverted["inversion"]
    assert list(gan_diagnostics.ailments({"copy_ratio": 0.05})) == ["copying"]
    assert gan_diagnostics.ailments({"copy_ratio": 0.05, "epoch": 1}) == {}


class Model:
    pictures = noise(4)


def test_the_callback_notes_each_epoch_and_speaks_when_something_begins():
    said, model = [], Model()
    callback = gan_diagnostics.Health(lambda model: model.pictures, noise(4, 1), noise(4, 2), say=said.append)
    callback.set_model(model)
    logs = [{} for _ in range(6)]
    callback.on_epoch_end(0, logs[0])
    model.pictures = np.repeat(noise(1), 4, 0)
    callback.on_epoch_end(1, logs[1])
    callback.on_epoch_end(2, logs[2])
    model.pictures = noise(4)
    callback.on_epoch_end(3, logs[3])
    model.pictures = np.repeat(noise(1), 4, 0)
    callback.on_epoch_end(4, logs[4])
    assert [line.split(" generated")[0] for line in said] == ["epoch 2: collapse:", "epoch 5: collapse:"]
    assert logs[2] == {"variety": 0, "luminance": pytest.approx(0, abs=0.3)}


def test_what_was_said_before_a_break_is_not_said_again(caplog):
    model = Model()
    model.pictures = np.repeat(noise(1), 4, 0)
    callback = gan_diagnostics.Health(lambda model: model.pictures, noise(4, 1), before={"epoch": 3, "variety": 0.01})
    callback.set_model(model)
    callback.on_epoch_end(3, {})
    assert not caplog.records
    callback = gan_diagnostics.Health(lambda model: model.pictures, noise(4, 1), before={"epoch": 3, "variety": 0.9})
    callback.set_model(model)
    callback.on_epoch_end(3, {})
    assert caplog.messages[0].startswith("epoch 4: collapse: ")
