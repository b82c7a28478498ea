"""Distillation: what its losses are, that it learns, that it goes on exactly, and normalised activations."""

import csv
import functools
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest
from keras.applications.vgg19 import preprocess_input

from tfstyle import InputError, images, samples
from tfstyle.features.vgg19mini import VGG19Mini
from tfstyle.training.distillation import Distillation
from tfstyle.training.filter_normalization import normalize

TAPS = ("block1_conv1", "block2_conv1")
SIDE, STEPS = 16, 80


def preprocess(pictures):
    return pictures * 255.0 - 120.0


@pytest.fixture(scope="module")
def teacher():
    """A network of two blocks and 6 and 10 filters, from RGB in [0, 1]."""
    keras.utils.set_random_seed(1)
    network = VGG19Mini(widths=(6, 10))
    taps = keras.Model(network.input, {tap: network.get_layer(f"{tap}_filters").output for tap in TAPS})
    return lambda pictures: taps(preprocess(pictures) / 64)


@pytest.fixture
def made(teacher):
    def make(**options):
        student = VGG19Mini(widths=(4, 6))
        options = {"steps": STEPS, "side": SIDE, "optimized": 2, "learning_rate": 1e-2, **options}
        return Distillation(teacher, student, preprocess, TAPS, **options)

    return make


@functools.cache
def pictures():
    return images.load(samples.content("chelsea"), 64).rgb, images.load(samples.style("mosaic", 64)).rgb


def crops(step, batch=4):
    """Parts of a photograph and a painting in turns."""
    random = np.random.default_rng(step)
    found = []
    for i in range(batch):
        top, left = random.integers(0, 24, 2)
        found.append(pictures()[i % 2][top : top + SIDE, left : left + SIDE])
    return np.stack(found).astype("float32")


def test_losses_are_shares_of_features_and_of_the_variance_of_gram_matrices(made, teacher):
    distillation = made()
    batches = [crops(step) for step in range(3)]
    distillation.calibrate(batches)
    found = distillation.evaluate(batches)
    seen = [distillation.student(preprocess(b) / 64) for b in batches]
    for tap in TAPS:
        t = np.concatenate([teacher(b)[tap] for b in batches]).astype("float64")
        f = np.concatenate([np.asarray(each[tap]) for each in seen]).astype("float64")
        mapped = f @ np.asarray(distillation.maps[tap])
        t /= np.sqrt((t**2).mean())
        assert found[f"residual_{tap}"] == pytest.approx(((mapped - t) ** 2).sum() / (t**2).sum(), rel=1e-4)
        goals, grams = (np.einsum("bhwi,bhwj->bij", each, each) / each[0, ..., 0].size for each in (t, mapped))
        variance = ((goals - goals.mean(axis=0)) ** 2).sum()
        assert found[f"gram_{tap}"] == pytest.approx(((grams - goals) ** 2).sum() / variance, rel=1e-4)


def test_it_learns(made):
    distillation = made()
    distillation.calibrate([crops(step) for step in range(3)])
    before = distillation.evaluate([crops(1000)])
    for step in range(STEPS):
        distillation.train(crops(step))
    after = distillation.evaluate([crops(1000)])
    for name in before:
        assert after[name] < 0.5 * before[name], name


def test_optimized_images_come_nearer_to_their_styles_and_are_replaced(made, monkeypatch):
    monkeypatch.setattr("tfstyle.training.optimized_images.LIFE", 40)
    distillation = made(learning_rate=0.0, steps=10**6)  # the student stays as it is

    def apart():
        return np.abs(grams(distillation.images.pixels) - grams(distillation.images.styles)).sum(axis=(1, 2))

    def grams(pictures):
        f = np.asarray(distillation.features(pictures)[TAPS[0]])
        return np.einsum("bhwi,bhwj->bij", f, f)

    first = crops(0)
    distillation.train(first)
    np.testing.assert_array_equal(distillation.images.styles, first[1::2])
    start = np.abs(grams(first[::2]) - grams(first[1::2])).sum(axis=(1, 2))
    for step in range(1, 20):
        distillation.train(crops(step))
    assert (apart() < 0.5 * start).all()
    assert 0 <= np.min(distillation.images.pixels) <= np.max(distillation.images.pixels) <= 1
    new = crops(20)
    distillation.train(new)
    np.testing.assert_array_equal(distillation.images.ages, [20 + 1, 1])
    np.testing.assert_array_equal(distillation.images.styles, [first[1], new[3]])


def test_without_optimized_images_it_trains_on_crops_alone(made):
    distillation = made(optimized=0)
    assert set(distillation.train(crops(0))) == {f"{kind}_{tap}" for kind in ("residual", "gram") for tap in TAPS}


def test_it_goes_on_from_a_checkpoint_exactly(made, tmp_path):
    def train(distillation, start, stop):
        return [distillation.train(crops(step)) for step in range(start, stop)]

    whole = made(seed=3)
    whole.calibrate([crops(50)])
    losses = train(whole, 0, 12)
    first = made(seed=3)
    first.calibrate([crops(50)])
    train(first, 0, 5)
    first.save(tmp_path / "checkpoint.npz", {"steps": STEPS})
    second = made(seed=4)
    second.restore(tmp_path / "checkpoint.npz", {"steps": STEPS})
    assert second.step == 5
    assert train(second, 5, 12) == losses[5:]
    for one, other in zip(whole._state(), second._state(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_of_other_settings_or_damaged_is_refused(made, tmp_path):
    distillation = made()
    path = tmp_path / "checkpoint.npz"
    distillation.save(path, {"steps": 1, "seed": 0})
    with pytest.raises(InputError, match="training with another steps: use its settings, or another folder"):
        distillation.restore(path, {"steps": 2, "seed": 0})
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"can't be read: .*; delete it to train anew"):
        distillation.restore(path, {})


def test_finished_it_has_the_distances_that_the_teacher_has_been_matched_by(made):
    distillation = made()
    distillation.calibrate([crops(0)])
    for step in range(10):
        distillation.train(crops(step))
    network = VGG19Mini(widths=(4, 6))
    distillation.finish(network)
    for normalised in (False, True):
        if normalised:
            normalize(network, [preprocess(crops(step)) for step in range(3)])
        one, other = (network(preprocess(crops(step, 1))) for step in (50, 51))
        seen, seen_other = (distillation.student(preprocess(crops(step, 1)) / 64) for step in (50, 51))
        for place, tap in enumerate(TAPS):
            matrix = np.asarray(distillation.maps[tap], "float64")
            goals = [np.asarray(each[tap], "float64") @ matrix for each in (seen, seen_other)]
            found = [np.asarray(each[place], "float64") for each in (one, other)]
            if normalised:
                found = [each * np.linalg.norm(goals[0]) / np.linalg.norm(found[0]) for each in found]
            assert np.linalg.norm(found[0] - found[1]) == pytest.approx(np.linalg.norm(goals[0] - goals[1]), rel=1e-3)
            apart = [np.linalg.norm(gram(a) - gram(b)) for a, b in (found, goals)]
            assert apart[0] == pytest.approx(apart[1], rel=1e-3)


def gram(features):
    return np.einsum("bhwi,bhwj->ij", features, features)


@pytest.fixture
def script(teacher, monkeypatch, tmp_path):
    """The script that makes the embedded weights, with a small teacher and student, and a folder of pictures."""
    path = Path(__file__).parents[2] / "scripts" / "distill_vgg19mini.py"
    spec = importlib.util.spec_from_file_location("distill", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "Backbone", lambda *given, **options: SimpleNamespace(extractor=lambda taps: teacher))
    monkeypatch.setattr(module, "VGG19Mini", lambda: VGG19Mini(widths=(4, 6)))
    monkeypatch.setattr(module, "TAPS", TAPS)
    monkeypatch.setattr(module, "CALIBRATED", 2)
    monkeypatch.setattr(module, "EVALUATED", 1)
    (tmp_path / "pictures").mkdir()
    for i in range(12):
        images.save(crops(i, 1)[0], tmp_path / "pictures" / f"{i:02}.png")

    def run(name, *options):
        given = ["--pictures", tmp_path / "pictures", "--run", tmp_path / name, "--side", SIDE, "--batch", 2]
        given += ["--optimized", 1, "--every", 2, "--steps", 5, *options]
        return module.main([str(each) for each in given])

    return run


def test_the_script_goes_on_where_it_was_stopped_and_exports(script, tmp_path, capsys):
    assert script("whole") == 0
    assert script("parts", "--stop", 3) == 0
    with (tmp_path / "parts" / "log.csv").open("a") as file:
        file.write("4,,,\n")  # as of a kill after the log and before the checkpoint
    assert script("parts") == 0
    output = capsys.readouterr().out
    assert "10 images to train on, 2 held out" in output
    assert "continuing from step 3" in output
    assert re.search(r"step 5/5  \d+\.\d\d s  block1_conv1 \d\.\d{3}/\d+\.\d{3}  block2_conv1", output)
    with (
        np.load(tmp_path / "whole" / "checkpoint.npz") as one,
        np.load(tmp_path / "parts" / "checkpoint.npz") as other,
    ):
        assert int(one["step"]) == 5
        for name in one.files:
            np.testing.assert_array_equal(one[name], other[name], name)
    with (tmp_path / "parts" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "3", "4", "5"]
    assert float(rows[-1]["held_out_residual_block2_conv1"]) > 0
    path = tmp_path / "mini.weights.h5"
    assert script("parts", "--export", path) == 0
    with h5py.File(path) as file:
        kinds = []
        file.visititems(lambda _, each: kinds.append(each.dtype) if isinstance(each, h5py.Dataset) else None)
    assert set(map(str, kinds)) == {"float16"}
    assert keras.config.dtype_policy().name == "float32"
    network = VGG19Mini(weights=str(path), widths=(4, 6))
    for tap in network(preprocess_input(np.concatenate([crops(i, 1) for i in range(10)]) * 255.0)):
        assert 0.3 < np.mean(np.abs(tap)) < 3


def test_another_batch_is_refused_by_one_line(script, capsys):
    assert script("whole", "--stop", 1) == 0
    assert script("whole", "--batch", 3) == 2
    assert re.fullmatch(
        r"distill_vgg19mini: checkpoint .* belongs to a training with another batch: use its settings.*\n",
        capsys.readouterr().err,
    )
