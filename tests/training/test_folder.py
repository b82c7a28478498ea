"""A training's folder: settings of a continued training, damaged files, and no space."""

import json
import os
import resource
import subprocess
import sys

import keras
import pytest

from tfstyle import InputError
from tfstyle.training.folder import TrainingFolder, read_record, save_model


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(300)])
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def folder(model, tmp_path):
    """A folder with one epoch."""
    folder = TrainingFolder(tmp_path / "run", {"steps": 3, "sizes": (1, 2)})
    folder.write_epoch(model, 1, {"loss": 2.0}, None)
    return folder


def test_an_epoch_is_read_again(folder):
    record = read_record(folder.path)
    assert record.settings == {"steps": 3, "sizes": [1, 2]}
    assert record.rows == [{"epoch": 1.0, "loss": 2.0}]
    assert record.generator_steps == 3
    assert folder.page.is_file()


def test_equal_settings_continue_and_others_are_named(folder):
    again = TrainingFolder(folder.path, {"steps": 3, "sizes": (1, 2)}, resume=True)
    assert isinstance(again.load_or_build(lambda: 1 / 0), keras.Model)
    with pytest.raises(InputError, match=r"steps was 3, is 4"):
        TrainingFolder(folder.path, {"steps": 4, "sizes": (1, 2)}, resume=True)
    with pytest.raises(InputError, match=r"continue it with resume, or choose another folder"):
        TrainingFolder(folder.path, {"steps": 3, "sizes": (1, 2)})


def test_a_training_without_a_finished_epoch_starts_anew(folder):
    os.unlink(folder.model)
    assert TrainingFolder(folder.path, {"steps": 4}).rows() == []
    assert json.loads((folder.path / "training.json").read_text()) == {"steps": 4}
    with pytest.raises(InputError, match="no training with a finished epoch"):
        read_record(folder.path)


def test_damaged_files_are_named(folder):
    (folder.path / "log.csv").write_text("epoch,loss\n1,x\n")
    with pytest.raises(InputError, match=r"log.csv is damaged: delete the folder"):
        folder.rows()
    folder.model.write_bytes(b"no model")
    with pytest.raises(InputError, match=r"could not load .*model.keras .*: delete the folder"):
        folder.load_or_build(lambda: 1 / 0)
    (folder.path / "training.json").write_text("[")
    with pytest.raises(InputError, match=r"training.json is damaged: delete"):
        TrainingFolder(folder.path, {"steps": 3}, resume=True)
    with pytest.raises(InputError, match=r"training.json is damaged or missing: train anew"):
        read_record(folder.path)


def test_a_model_that_finds_no_space_leaves_the_last_one(folder, model):
    before = folder.model.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(
            InputError, match=rf"could not write {folder.model}: File too large; choose another place"
        ):
            save_model(model, folder.model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert folder.model.read_bytes() == before
    assert sorted(os.listdir(folder.path)) == ["index.html", "log.csv", "model.keras", "samples", "training.json"]


@pytest.mark.large
def test_importing_it_registers_all_models():
    """So that any training continues in a fresh process."""
    names = ["AdaIN", "GAN", "WGAN", "CycleGAN", "AttentionCycleGAN"]
    code = "import sys, keras; import tfstyle.training.folder; "
    code += "print([keras.saving.get_registered_object(f'tfstyle>{name}') is None for name in sys.argv[1:]])"
    out = subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, check=True, timeout=120
    )
    assert out.stdout.strip() == str([False] * len(names))
