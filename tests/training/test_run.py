"""Trainings: their folder, and going on exactly where they were ended, by whatever."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import graphs
import keras
import numpy as np
import pytest
import tensorflow as tf
from tfstyle.training.run import Run, save_model

from tfstyle import InputError, images
from tfstyle.cli.main import main

pytestmark = pytest.mark.usefixtures("eager")

LITTLE = ["--backbone=vgg19mini", "--steps=3", "--batch=2", "--size=32", "--resize=36", "--learning-rate=0.001"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Eleven contents and eleven styles, noise of several colours."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for name in ("contents", "styles"):
        (folder / name).mkdir()
        for i in range(11):
            rgb = random.random((6, 8, 3)).astype("float32").repeat(6, 0).repeat(6, 1)
            images.save(rgb, folder / name / f"{i:02}.png")
    return [f"--contents={folder / 'contents'}", f"--styles={folder / 'styles'}"]


@pytest.fixture(scope="module")
def whole(folders, tmp_path_factory):
    """The folder of a training of two epochs without interruption."""
    run = tmp_path_factory.mktemp("whole") / "run"
    with graphs.optimised():
        assert main(["train", "adain", *folders, *LITTLE, "--epochs=2", "--quiet", f"--output={run}"]) == 0
    return run


def weights(run):
    model = keras.saving.load_model(run / "model.keras")
    return [np.asarray(v) for v in (*model.trainable_variables, *model.optimizer.variables)]


def test_a_run_has_model_log_and_samples(whole):
    names = sorted(str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file())
    assert names == [
        *(
            "index.html",
            "log.csv",
            "model.keras",
            "samples/epoch-0001.png",
            "samples/epoch-0002.png",
            "training.json",
        ),
    ]
    rows = Run(whole, json.loads((whole / "training.json").read_text()), resume=True).rows()
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"loss", "content", "style", "val_loss", "val_content", "val_style"} < set(rows[0])
    assert rows[1]["loss"] < rows[0]["loss"]
    side = 3 * 32 + 4 * 4  # two held out of each kind: a row of styles, and one for each content
    assert images.load(whole / "samples" / "epoch-0002.png").rgb.shape == (side, side, 3)
    page = (whole / "index.html").read_text()
    assert "adain in run" in page
    assert f"loss {rows[1]['loss']:.4g}, val_loss {rows[1]['val_loss']:.4g}" in page


def test_a_killed_training_goes_on_as_if_it_had_not_been(folders, whole, tmp_path, optimised_graphs):
    run = tmp_path / "run"
    command = ["train", "adain", *folders, *LITTLE, "--epochs=2", "--quiet", f"--output={run}"]
    process = subprocess.Popen([sys.executable, "-m", "tfstyle.cli.main", *command], env={**os.environ})
    deadline = time.monotonic() + 120
    while not (run / "model.keras").exists():  # the first epoch is done
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run / "samples" / "epoch-0002.png").exists()
    assert main([*command, "--resume"]) == 0
    for ours, theirs in zip(weights(run), weights(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (run / "log.csv").read_text() == (whole / "log.csv").read_text()


def test_more_epochs_go_on_from_the_last(folders, whole, tmp_path, optimised_graphs):
    first = ["train", "adain", *folders, *LITTLE, "--quiet", f"--output={tmp_path / 'run'}"]
    assert main([*first, "--epochs=1"]) == 0
    assert main([*first, "--epochs=2", "--resume"]) == 0
    for ours, theirs in zip(weights(tmp_path / "run"), weights(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_begins_with_the_decoder_of_another(folders, whole, tmp_path, capsys):
    run = tmp_path / "run"
    given = [*folders, *LITTLE, f"--output={run}", "--quiet"]
    still = ["--learning-rate=1e-30", f"--start={whole}", "--epochs=1"]
    assert main(["train", "adain", *given, *still]) == 0
    number = len(keras.saving.load_model(run / "model.keras").decoder.weights)
    for ours, theirs in zip(weights(run)[:number], weights(whole)[:number], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-20)
    other = ["--backbone=VGG19", "--weights=random", f"--start={whole}", f"--output={tmp_path / 'other'}"]
    capsys.readouterr()
    assert refused(capsys, *given, *other) == (
        "tfstyle: the model to begin with is an AdaIN at VGG19Mini/block4_conv1, and this one an AdaIN at "
        "VGG19/block4_conv1: give such\n"
    )


def refused(capsys, *command):
    assert main(["train", "adain", *command]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_bad_input_is_one_line(folders, whole, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    new = f"--output={tmp_path / 'run'}"
    assert refused(capsys, *folders, *LITTLE, f"--output={whole}") == (
        f"tfstyle: there is a training in {whole}: go on with it by --resume, or give another folder\n"
    )
    assert refused(capsys, *folders, *LITTLE, "--seed=1", "--resume", f"--output={whole}") == (
        f"tfstyle: the training in {whole} is of other settings (seed was 0, is 1): give those, or another folder\n"
    )
    assert refused(capsys, *folders, *LITTLE, f"--output={tmp_path / 'mine'}") == (
        f"tfstyle: the folder {tmp_path / 'mine'} has other files in it, as thesis.txt: give a new folder\n"
    )
    assert refused(capsys, f"--contents={tmp_path / 'empty'}", folders[1], *LITTLE, new) == (
        f"tfstyle: there is no picture in the folder {tmp_path / 'empty'}: put some there (.jpg, .jpeg, .png, .webp, "
        ".tif, .tiff, .bmp, .gif, .ppm)\n"
    )
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]
    assert refused(capsys, *folders, "--seed=-1", new) == (
        "tfstyle: seed -1 can't be used: give a whole number from 0 to 4294967295\n"
    )
    assert refused(capsys, *folders, "--batch=0", new) == (
        "tfstyle: batch 0 can't be used: give a whole number from 1 to 4096\n"
    )
    assert refused(capsys, *folders, *LITTLE, "--learning-rate=-1", new) == (
        "tfstyle: learning rate -1 can't be used: give more than 0\n"
    )
    assert not (tmp_path / "run" / "model.keras").exists()


def test_unreadable_files_are_counted(folders, tmp_path, capsys):
    broken = tmp_path / "contents"
    broken.mkdir()
    for i in range(3):
        images.save(np.full((40, 40, 3), i / 3, "float32"), broken / f"{i}.png")
    (broken / "0a.png").write_bytes(b"no picture")
    command = ["train", "adain", f"--contents={broken}", folders[1], *LITTLE, "--epochs=1", "--validation-split=0"]
    assert main([*command, f"--output={tmp_path / 'run'}"]) == 0
    assert f"skipped 1 files that can't be read, as {broken / '0a.png'}\n" in capsys.readouterr().out


def test_a_training_that_diverges_says_so_and_keeps_what_was_before(folders, tmp_path, capsys):
    run = tmp_path / "run"
    command = ["train", "adain", *folders, *LITTLE, f"--output={run}", "--quiet", "--learning-rate=1e30"]
    assert main([*command, "--epochs=2"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("tfstyle: training diverged in epoch 1, ")
    assert err.endswith(" is not finite; nothing is kept: train anew with a lower learning rate\n")
    assert not (run / "model.keras").exists()
    assert main([*command, "--epochs=1", "--learning-rate=0.001"]) == 0  # as it says, and in the same folder
    assert len(Run(run, json.loads((run / "training.json").read_text()), resume=True).rows()) == 1


def test_other_pictures_are_noticed_though_they_have_the_same_names(folders, whole, capsys):
    contents, styles = (given.split("=")[1] for given in folders)
    swapped = [f"--contents={styles}", f"--styles={contents}"]
    err = refused(capsys, *swapped, *LITTLE, "--epochs=2", "--resume", f"--output={whole}")
    assert err.startswith(f"tfstyle: the training in {whole} is of other settings (contents was '9 files, ")
    assert err.endswith("): give those, or another folder\n")


def dense(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(300)])
    model.compile("sgd", "mse")
    return Run(tmp_path / "run", {}), model


@pytest.mark.parametrize("error", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM")])
def test_too_little_memory_is_one_line(tmp_path, error):
    def burst(batch, logs=None):
        raise error

    run, model = dense(tmp_path)
    data = tf.data.Dataset.from_tensors((np.zeros((1, 3)), np.zeros((1, 300))))
    few = r"^there is not enough memory: give a smaller size or batch, or fewer filters$"
    callback = keras.callbacks.LambdaCallback(on_train_batch_begin=burst)
    with pytest.raises(InputError, match=few):
        run.fit(model, lambda epoch: data, epochs=1, steps=1, callbacks=[callback], verbose=0)
    with pytest.raises(InputError, match=few):
        run.model(lambda: burst(0))


def test_a_model_that_finds_no_space_leaves_the_last_one(tmp_path):
    run, model = dense(tmp_path)
    path = run.folder / "model.keras"
    save_model(model, path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(InputError) as error:
            save_model(model, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(error.value) == f"could not write {path}: File too large; choose another place"
    assert path.read_bytes() == before
    assert sorted(os.listdir(run.folder)) == ["model.keras", "samples", "training.json"]
