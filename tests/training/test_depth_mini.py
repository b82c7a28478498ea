"""What DepthMini learns from: the loss against NumPy, scenes by seed and step, and the script."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tfstyle
from tfstyle import images, samples
from tfstyle.models.depth.depth_mini import DepthMini
from tfstyle.training.depth_mini import Scenes, agreement, aligned, loss

ROOT = Path(tfstyle.__file__).parents[1]


@pytest.fixture(scope="module")
def maps():
    return np.random.default_rng(0).random((2, 2, 17, 15)).astype("float32")


def normalised(inverse):
    """Equations 5 and 6 of Ranftl et al., in float64; of an even number the lower median."""
    flat = inverse.reshape(len(inverse), -1).astype("float64")
    middle = np.sort(flat, axis=1)[:, (flat.shape[1] - 1) // 2, None]
    spread = np.abs(flat - middle).mean(axis=1, keepdims=True)
    return ((flat - middle) / spread).reshape(inverse.shape)


def test_alignment_takes_scale_and_shift_away(maps):
    np.testing.assert_allclose(aligned(maps[0]), normalised(maps[0]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(aligned(5 + 0.1 * maps[0]), aligned(maps[0]), rtol=1e-3, atol=1e-4)
    assert np.isfinite(aligned(np.ones((1, 4, 4), "float32"))).all()


def test_the_loss_is_the_papers(maps):
    r = normalised(maps[1]) - normalised(maps[0])
    expected = np.abs(r).mean()
    for k in range(4):
        part = r[:, :: 2**k, :: 2**k]
        expected += 0.5 * (np.abs(np.diff(part, axis=1)).mean() + np.abs(np.diff(part, axis=2)).mean())
    assert float(loss(maps[0], maps[1])) == pytest.approx(expected, rel=1e-4)
    assert float(loss(maps[0], 3 * maps[0] - 1)) == pytest.approx(0, abs=1e-3)
    assert float(loss(maps[0], -maps[0])) > float(loss(maps[0], maps[1]))  # the wrong way round is worst


def test_the_loss_leads_to_the_truth(maps):
    truth, found = tf.constant(maps[0]), tf.Variable(maps[1])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            value = loss(truth, found)
        found.assign_sub(0.2 * tape.gradient(value, found))
        return value

    values = [float(step()) for _ in range(100)]
    assert values[-1] < 0.7 * values[0]


def test_agreement_knows_neither_scale_nor_what_is_unknown(maps):
    truth = maps[0, 0].copy()
    assert agreement(truth, 2 * truth + 3) == {"correlation": pytest.approx(1), "rank": pytest.approx(1)}
    assert agreement(truth, np.exp(3 * truth))["rank"] == pytest.approx(1)
    assert agreement(truth, -truth)["rank"] == pytest.approx(-1)
    found = truth.copy()
    truth[:5], found[:5] = np.nan, 100.0
    assert agreement(truth, found)["correlation"] == pytest.approx(1)
    assert agreement(truth, np.ones_like(truth)) == {"correlation": 0.0, "rank": 0.0}


def test_scenes_are_those_of_their_seed_and_step():
    scenes = Scenes(64, 2, seed=4)
    pictures, proximities = scenes(7)
    assert (pictures.shape, proximities.shape) == ((2, 64, 64, 3), (2, 32, 32))
    scenes(8)
    np.testing.assert_array_equal(scenes(7)[0], pictures)
    assert not np.array_equal(scenes(8)[0], pictures)
    assert not np.array_equal(Scenes(64, 2, seed=5)(7)[0], pictures)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("train_depthmini", ROOT / "scripts" / "train_depthmini.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.large
def test_the_script_trains_goes_on_exactly_and_exports(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "SIDE", 64)
    monkeypatch.setattr(script, "EVALUATED", 1)
    (tmp_path / "pictures").mkdir()
    for i, name in enumerate(("chelsea", "coffee")):
        images.save(images.load(samples.content(name), 40).rgb, tmp_path / "pictures" / f"{i}.png")
    common = ["--pictures", str(tmp_path / "pictures"), "--steps", "4", "--batch", "2", "--every", "2"]
    whole, parts = (["--run", str(tmp_path / name), *common] for name in ("whole", "parts"))
    assert script.main(whole) == 0
    assert script.main([*parts, "--stop", "2"]) == 0
    assert script.main(parts) == 0
    assert "continuing from step 2" in capsys.readouterr().out
    logs = []
    for name in ("whole", "parts"):
        with (tmp_path / name / "log.csv").open() as file:
            logs.append([{k: v for k, v in row.items() if k != "seconds_per_step"} for row in csv.DictReader(file)])
    assert logs[0] == logs[1]
    assert [row["step"] for row in logs[0]] == ["2", "4"]
    weights = tmp_path / "made.weights.h5"
    assert script.main([*whole, "--export", str(weights)]) == 0
    assert weights.stat().st_size < 1_500_000
    picture = images.load(samples.content("chelsea"), 64).rgb[None]
    assert DepthMini(weights)(picture).shape == picture.shape[:3]
    assert script.main([*whole, "--figure", str(tmp_path / "losses.png")]) == 0
    assert script.main([*whole, "--rate", "1"]) == 2
    assert "belongs to a training with another rate: use its settings, or another folder" in capsys.readouterr().err
