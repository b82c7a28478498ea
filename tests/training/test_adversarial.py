"""Trainings of GAN, WGAN, CycleGAN and AttentionCycleGAN: what they write, and that they continue exactly."""

import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.cli.main import main
from tfstyle.training import AttentionCycleGANTraining, CycleGANTraining, GANTraining, WGANTraining
from tfstyle.training.folder import read_record

pytestmark = pytest.mark.usefixtures("eager")

SMALL = {"crop_size": 32, "filters": 8, "batch": 2, "steps": 3}
CYCLE = {"blocks": 1, "n_layers": 2, "pool_size": 3}
KINDS = {
    "gan": (GANTraining, {}),
    "wgan": (WGANTraining, {"critic_steps": 2, "lipschitz": "penalty"}),
    "wgan-photos": (WGANTraining, {"critic_steps": 2, "blocks": 1, "n_layers": 2}),
    "cyclegan": (CycleGANTraining, CYCLE),
    "attention-cyclegan": (
        AttentionCycleGANTraining,
        {"n_layers": 2, "depth": 3, "skip_outermost": False, "spectral": True, "identity_weight": 0.1},
    ),
}


@pytest.fixture(scope="module")
def training(domains):
    """Makes settings of a small training."""

    def make(name, output, **options):
        cls, kind = KINDS[name]
        folders = {} if name in ("gan", "wgan") else {"photos": domains / "photos"}
        return cls(**{**folders, "paintings": domains / "paintings", "output": output, **SMALL, **kind, **options})

    return make


def command(training):
    """The command line of the settings of a training."""
    words = ["train", training.network, "--quiet"]
    for name, value in training.given().items():
        flag = name.replace("_", "-")
        words.append(f"--{flag}={value}" if not isinstance(value, bool) else f"--{flag}" if value else f"--no-{flag}")
    return words


def state(run):
    model = keras.saving.load_model(run / "model.keras")
    variables = [*model.variables, *model.generator_optimizer.variables, *model.discriminator_optimizer.variables]
    return [np.asarray(variable) for variable in variables]


def check(run, name, epochs):
    names = sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    samples = [f"samples/epoch-{epoch:04}.png" for epoch in range(1, epochs + 1)]
    assert names == ["index.html", "log.csv", "model.keras", *samples, "training.json"]
    record = read_record(run)
    assert [row["epoch"] for row in record.rows] == list(range(1, epochs + 1))
    noise = name in ("gan", "wgan")
    row = record.rows[0]
    assert ("luminance" in row, "copy_ratio" in row, "variety" in row) == (not noise, not noise, True)
    rows, columns = (4, 4) if noise else (2, 4) if name == "wgan-photos" else (6, 4)
    picture = images.load(run / samples[-1]).rgb
    assert picture.shape == (rows * 36 + 4, columns * 36 + 4, 3)
    assert picture.std() > 0.01
    assert f"{name.removesuffix('-photos')} in {run.name}" in (run / "index.html").read_text()


def interrupt(epoch, logs):
    """Ctrl-C in the second epoch."""
    if epoch == 1:
        raise KeyboardInterrupt


CONTINUE = """
import json, sys
import tensorflow as tf
from tfstyle.cli.main import main
tf.config.run_functions_eagerly(True)
sys.exit(max(map(main, json.loads(sys.argv[1]))))
"""


@pytest.mark.large
def test_every_training_continues_in_a_fresh_process(training, tmp_path):
    """After Ctrl-C, in a process that has imported nothing else."""
    commands = []
    for name in KINDS:
        precision = "bfloat16" if name == "gan" else "float32"
        settings = training(name, tmp_path / name, epochs=2, filters=2, precision=precision)
        with pytest.raises(KeyboardInterrupt):
            settings.run(verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)])
        check(tmp_path / name, name, 1)
        commands.append([*command(settings), "--resume"])
    subprocess.run([sys.executable, "-c", CONTINUE, json.dumps(commands)], check=True, timeout=240)
    for name in KINDS:
        check(tmp_path / name, name, 2)


def test_a_wgan_continues_from_whole_epochs_of_the_critic(training, tmp_path):
    """Three steps per epoch, and one of the generator for every two: neither epoch has as many as the other."""
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    model = training("wgan", whole, epochs=2).run(verbose=0).model
    assert (int(model.step), int(model.generator_optimizer.iterations)) == (6, 3)
    for epochs in (1, 2):
        training("wgan", halves, epochs=epochs, resume=True).run(verbose=0)
    assert_same(halves, whole)


@pytest.mark.large
def test_a_killed_cyclegan_continues_as_if_there_had_been_no_break(training, tmp_path, optimised_graphs):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    tiny = {"epochs": 2, "filters": 2, "blocks": 0, "n_layers": 1}
    training("cyclegan", whole, **tiny).run(verbose=0)
    arguments = [sys.executable, "-m", "tfstyle", *command(training("cyclegan", halves, **tiny))]
    process = subprocess.Popen(arguments)
    deadline = time.monotonic() + 240
    while not (halves / "model.keras").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    assert not (halves / "samples" / "epoch-0002.png").exists()
    subprocess.run([*arguments, "--resume"], check=True, timeout=240)
    assert_same(halves, whole)


def assert_same(run, other):
    for ours, theirs in zip(state(run), state(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (run / "log.csv").read_text() == (other / "log.csv").read_text()


def test_the_rate_is_constant_and_falls_to_0_over_all_epochs(training):
    for options, rate in (({}, 2e-4), ({"learning_rate": 0.01}, 0.01)):
        settings = training("cyclegan", "r", filters=2, blocks=0, n_layers=1, epochs=10, steps=7, **options)
        model = settings.resolved().build()
        for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
            schedule = optimizer._learning_rate
            assert float(schedule(35)) == pytest.approx(rate)
            assert float(schedule(70 - 7)) == pytest.approx(rate / 5)
            assert float(schedule(70)) == 0
    model = training("wgan", "r", learning_rate=0.5, filters=2, crop_size=8).resolved().build()
    assert float(model.generator_optimizer.learning_rate) == 0.5
    assert float(model.discriminator_optimizer.learning_rate) == 0.5


def test_held_out_images_are_not_trained_on(training, tmp_path):
    settings = training("cyclegan", tmp_path / "run", held_out=0.4, filters=2, blocks=0, n_layers=1, pool_size=0)
    trainer = settings.trainer()
    photos, paintings = ([path.name for path in crops.paths] for crops in trainer.crops)
    assert photos == ["00.png", "01.png", "02.png", "03.png"]
    assert paintings == ["00.png", "01.png", "02.png"]
    assert trainer.images == "4 photos and 3 paintings"
    assert trainer.folder.settings["held_out"] == 0.4


def test_an_epoch_has_a_step_of_the_generator(training, tmp_path):
    small = {"steps": None, "batch": 1, "filters": 2, "blocks": 0, "n_layers": 1, "critic_steps": 4}
    assert training("wgan-photos", tmp_path / "run", **small).trainer().steps == 8  # not 7, one for each photograph
    with pytest.raises(InputError, match=r"steps 3 .*every 4th step.*at least 4"):
        training("wgan", tmp_path / "run", critic_steps=4).trainer()


def test_names_that_are_no_text(tmp_path):
    odd = os.fsdecode(b"\xff")
    (tmp_path / odd).mkdir()
    for i in range(2):
        images.save(np.full((40, 40, 3), i / 2, "float32"), tmp_path / odd / f"{odd}{i}.png")
    run = tmp_path / f"run{odd}"
    GANTraining(paintings=tmp_path / odd, output=run, crop_size=8, filters=2, steps=1, batch=2, epochs=1).run(
        verbose=0
    )
    assert r"gan in &#x27;run\udcff&#x27;" in (run / "index.html").read_text()


def test_images_and_sizes_of_no_use_are_refused(training, domains, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    images.save(np.full((40, 40, 3), 0.5, "float32"), few / "a.png")
    (few / "b.png").write_bytes(b"no picture")
    run = tmp_path / "run"
    with pytest.raises(InputError, match=rf"{few} has 1 images that can be used: give at least 2; {few / 'b.png'}: "):
        training("cyclegan", run, paintings=[domains / "paintings", few]).run()
    with pytest.raises(InputError, match=r"could not read the folder '': give its name"):
        training("gan", run, paintings="").run()
    with pytest.raises(InputError, match=r"resize 30 .*from 32 to 16384"):
        training("gan", run, resize=30).run()
    assert not run.exists()
    with pytest.raises(
        InputError, match="size 8x8 is too small for discriminators of 3 layers: give at least 24 pixels"
    ):
        training("cyclegan", run, crop_size=8, n_layers=3).run()
    assert not (run / "model.keras").exists()


def test_the_command_refuses_bad_input_in_one_line(domains, tmp_path, capsys):
    paintings, output = f"--paintings={domains / 'paintings'}", f"--output={tmp_path / 'run'}"
    assert main(["train", "gan", paintings, output, "--batch=0"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "tfstyle: batch 0 can't be used: give a whole number from 1 to 4096\n")
    with pytest.raises(SystemExit) as error:
        main(["train", "gan", output])
    assert error.value.code == 2
    assert "--paintings" in capsys.readouterr().err
