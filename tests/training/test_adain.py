"""Trainings of AdaIN: what they write, and that they continue exactly after a break of any kind."""

import os
import signal
import subprocess
import sys
import time

import graphs
import keras
import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.cli.main import main
from tfstyle.training import AdaINTraining
from tfstyle.training.folder import read_record

pytestmark = pytest.mark.usefixtures("eager")

SMALL = {"backbone": "vgg19mini", "steps": 3, "batch": 2, "crop_size": 32, "resize": 36, "learning_rate": 0.001}


@pytest.fixture(scope="module")
def training(contents_and_styles):
    """Makes settings of a small training."""

    def make(output, **options):
        folders = {name: contents_and_styles / name for name in ("contents", "styles")}
        return AdaINTraining(**{**folders, **SMALL, "output": output, "epochs": 2, **options})

    return make


@pytest.fixture(scope="module")
def whole(training, tmp_path_factory):
    """The folder of a training of two epochs without a break."""
    run = tmp_path_factory.mktemp("whole") / "run"
    with graphs.optimised():
        training(run).run(verbose=0)
    return run


def command(training):
    """The command line of the settings of a training."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in training.given().items()]
    return ["train", "adain", "--quiet", *options]


def state(run):
    model = keras.saving.load_model(run / "model.keras")
    return [np.asarray(v) for v in (*model.trainable_variables, *model.optimizer.variables)]


def assert_same(run, other):
    for ours, theirs in zip(state(run), state(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (run / "log.csv").read_text() == (other / "log.csv").read_text()


def test_the_folder_has_model_log_samples_and_page(whole):
    names = sorted(str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file())
    samples = ["samples/epoch-0001.png", "samples/epoch-0002.png"]
    assert names == ["index.html", "log.csv", "model.keras", *samples, "training.json"]
    record = read_record(whole)
    assert [row["epoch"] for row in record.rows] == [1, 2]
    assert {"loss", "content", "style", "val_loss", "val_content", "val_style"} < set(record.rows[0])
    assert record.rows[1]["loss"] < record.rows[0]["loss"]
    side = 3 * 32 + 4 * 4  # two held out of each kind: a row of styles, and one for each content
    assert images.load(whole / "samples" / "epoch-0002.png").rgb.shape == (side, side, 3)
    page = (whole / "index.html").read_text()
    assert "adain in run" in page
    assert f"loss {record.rows[1]['loss']:.4g}, val_loss {record.rows[1]['val_loss']:.4g}" in page


def test_the_record_has_the_papers_numbers(whole):
    settings = read_record(whole).settings
    assert (settings["network"], settings["content_weight"], settings["decay"]) == ("adain", 1.0, 5e-5)
    assert settings["contents"].startswith("9 files, ")


@pytest.mark.large
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_it_continues_in_a_fresh_process_as_if_there_had_been_no_break(training, whole, tmp_path, number):
    run = tmp_path / "run"
    arguments = [sys.executable, "-m", "tfstyle", *command(training(run))]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not (run / "model.keras").exists():  # the first epoch is done
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert "the same command with --resume continues from the last finished epoch of " in err
    assert not (run / "samples" / "epoch-0002.png").exists()
    subprocess.run([*arguments, "--resume"], check=True, timeout=240)
    assert_same(run, whole)


def test_more_epochs_continue_from_the_last(training, whole, tmp_path, optimised_graphs):
    run = tmp_path / "run"
    assert training(run, epochs=1).run(verbose=0).epochs == 1
    result = training(run, resume=True).run(verbose=0)
    assert result.epochs == 2
    assert_same(run, whole)
    assert training(run, resume=True).run(verbose=0).log == result.log  # nothing is left to train


def test_it_starts_with_the_decoder_of_another_training(training, whole, tmp_path):
    run = tmp_path / "run"
    result = training(run, start=whole, learning_rate=1e-30, epochs=1).run(verbose=0)
    decoder = result.model.decoder.weights
    for ours, theirs in zip(decoder, state(whole), strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-20)
    other = training(tmp_path / "other", start=whole, backbone="VGG19", weights="random")
    with pytest.raises(InputError, match=r"AdaIN at VGG19Mini/block4_conv1.*AdaIN at VGG19/block4_conv1"):
        other.run()


def test_it_refuses_another_training_and_other_settings(training, whole, contents_and_styles, tmp_path):
    with pytest.raises(InputError, match=rf"training in {whole}: continue it with resume, or choose another folder"):
        training(whole).run()
    with pytest.raises(InputError, match=r"other settings \(seed was 0, is 1\): use those, or choose another folder"):
        training(whole, seed=1, resume=True).run()
    swapped = {"contents": contents_and_styles / "styles", "styles": contents_and_styles / "contents"}
    with pytest.raises(InputError, match=r"other settings \(contents was .9 files, "):  # of the same names
        training(whole, **swapped, resume=True).run()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(InputError, match=r"mine holds other files, such as thesis.txt: choose a new folder"):
        training(tmp_path / "mine").run()
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]


def test_folders_without_enough_images_are_refused(training, tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(InputError, match=rf"there is no picture in the folder {tmp_path / 'pictures'}"):
        training(tmp_path / "run", contents=tmp_path / "pictures").run()
    images.save(np.zeros((40, 40, 3), "float32"), tmp_path / "pictures" / "a.png")
    with pytest.raises(InputError, match=r"pictures are held out: give more images, or held out 0"):
        training(tmp_path / "run", contents=tmp_path / "pictures").run()
    assert not (tmp_path / "run").exists()


def test_unreadable_files_are_counted(training, tmp_path, caplog):
    contents = tmp_path / "contents"
    contents.mkdir()
    for i in range(3):
        images.save(np.full((40, 40, 3), i / 3, "float32"), contents / f"{i}.png")
    (contents / "0a.png").write_bytes(b"no picture")
    training(tmp_path / "run", contents=[contents], epochs=1, held_out=0.0).run(verbose=0)
    assert f"skipped 1 files that can't be read, such as {contents / '0a.png'}" in caplog.text


def test_a_training_that_diverges_says_so_and_keeps_nothing(training, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(InputError, match=r"diverged in epoch 1, .* nothing is kept: .* a lower learning rate"):
        training(run, learning_rate=1e30).run(verbose=0)
    assert not (run / "model.keras").exists()
    assert training(run, epochs=1).run(verbose=0).epochs == 1  # as the message says, and in the same folder


def test_the_command_trains_and_says_what_it_wrote(training, tmp_path, capsys):
    run = tmp_path / "run"
    arguments = [each for each in command(training(run, epochs=1)) if each != "--quiet"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.endswith(f"wrote {run / 'model.keras'} after 1 epochs\n")
    assert f"training on 9 contents and 9 styles, epochs 1 to 1 of 3 steps each; {run / 'index.html'}" in err
