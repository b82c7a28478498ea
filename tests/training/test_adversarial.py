"""`tfstyle train gan|wgan|cyclegan|attention-cyclegan`: tiny ones, run as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from tfstyle.training.run import Run

from tfstyle import images
from tfstyle.cli import main as cli
from tfstyle.cli.main import main
from tfstyle.training import adversarial

pytestmark = pytest.mark.usefixtures("eager")

LITTLE = ["--size=32", "--filters=8", "--batch=2", "--steps=3", "--quiet"]
CYCLE = ["--blocks=1", "--layers=2", "--pool=3"]
NETWORKS = {
    "gan": [],
    "wgan": ["--critic-steps=2", "--lipschitz=penalty"],
    "wgan-photos": ["--critic-steps=2", "--blocks=1", "--layers=2"],
    "cyclegan": CYCLE,
    "attention-cyclegan": ["--layers=2", "--depth=3", "--no-skip-outermost", "--spectral", "--identity-weight=0.1"],
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Seven photographs and five paintings, noise of several colours; a painting can't be read."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for name, number in (("photos", 7), ("paintings", 5)):
        (folder / name).mkdir()
        for i in range(number):
            rgb = random.random((6, 8, 3)).astype("float32").repeat(7, 0).repeat(7, 1)
            images.save(rgb, folder / name / f"{i}.png")
    (folder / "paintings" / "2a.png").write_bytes(b"no picture")
    return folder


def command(folders, name, run, *more):
    network = name.removesuffix("-photos")
    photos = [] if name in ("gan", "wgan") else [f"--photos={folders / 'photos'}"]
    given = [*photos, f"--paintings={folders / 'paintings'}", *LITTLE, *NETWORKS[name]]
    return ["train", network, *given, f"--output={run}", *more]


def state(run):
    model = keras.saving.load_model(run / "model.keras")
    variables = [*model.variables, *model.generator_optimizer.variables, *model.discriminator_optimizer.variables]
    return [np.asarray(variable) for variable in variables]


def check(run, name, epochs):
    names = sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    samples = [f"samples/epoch-{epoch:04}.png" for epoch in range(1, epochs + 1)]
    assert names == ["index.html", "log.csv", "model.keras", *samples, "training.json"]
    rows = Run(run, json.loads((run / "training.json").read_text()), resume=True).rows()
    assert [row["epoch"] for row in rows] == list(range(1, epochs + 1))
    noise = name in ("gan", "wgan")
    assert ("luminance" in rows[0], "copy_ratio" in rows[0], "variety" in rows[0]) == (not noise, not noise, True)
    rows, columns = (4, 4) if noise else (2, 4) if name == "wgan-photos" else (6, 4)
    picture = images.load(run / samples[-1]).rgb
    assert picture.shape == (rows * 36 + 4, columns * 36 + 4, 3)
    assert picture.std() > 0.01
    assert f"{name.removesuffix('-photos')} in {run.name}" in (run / "index.html").read_text()


@pytest.mark.parametrize("name", ["gan", "wgan-photos", "attention-cyclegan"])
def test_a_run_has_all(folders, tmp_path, name):
    assert main(command(folders, name, tmp_path / "run", "--epochs=1", "--precision=bfloat16")) == 0
    check(tmp_path / "run", name, 1)


def test_a_wgan_goes_on_from_whole_epochs_of_the_critic(folders, tmp_path):
    """Three steps an epoch, and one of the generator for every two: neither epoch has as many as the other."""
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert main(command(folders, "wgan", whole, "--epochs=2")) == 0
    check(whole, "wgan", 2)
    model = keras.saving.load_model(whole / "model.keras")
    assert (int(model.step), int(model.generator_optimizer.iterations)) == (6, 3)
    for epochs in (1, 2):
        assert main(command(folders, "wgan", halves, f"--epochs={epochs}", "--resume")) == 0
    same(halves, whole)


def test_a_killed_cyclegan_goes_on_as_if_it_had_not_been(folders, tmp_path, optimised_graphs):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert main(command(folders, "cyclegan", whole, "--epochs=2")) == 0
    check(whole, "cyclegan", 2)
    arguments = command(folders, "cyclegan", halves, "--epochs=2")
    _kill_in_the_second_epoch(arguments, halves)
    assert not (halves / "samples" / "epoch-0002.png").exists()
    subprocess.run([sys.executable, "-m", "tfstyle.cli.main", *arguments, "--resume"], check=True)
    same(halves, whole)


def same(run, other):
    for ours, theirs in zip(state(run), state(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (run / "log.csv").read_text() == (other / "log.csv").read_text()


def _kill_in_the_second_epoch(arguments, run):
    process = subprocess.Popen([sys.executable, "-m", "tfstyle.cli.main", *arguments], env={**os.environ})
    deadline = time.monotonic() + 120
    while not (run / "model.keras").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def parsed(*given):
    """What a compiled model is of, without training it."""
    options = cli._parser().parse_args(["train", *given, "--paintings=p", "-o=r"])
    options.steps = options.steps or 7
    return options


def test_defaults_are_those_of_the_papers():
    options = parsed("cyclegan", "--photos=p")
    assert (options.epochs, options.batch, options.size, options.pool) == (200, 1, 256, 50)
    assert (options.cycle_weight, options.identity_weight, options.flip) == (10, 0.5, True)
    options = parsed("gan")
    assert (options.batch, options.size, options.noise) == (128, 64, None)
    options = parsed("wgan")
    assert (options.critic_steps, options.lipschitz) == (5, "clipping")


def test_the_rate_is_held_and_falls_to_0_over_all_epochs():
    common = ["cyclegan", "--photos=p", "--size=32", "--filters=2", "--blocks=0", "--layers=1", "--epochs=10"]
    for more, rate in (([], 2e-4), (["--learning-rate=0.01"], 0.01)):
        model = adversarial._compiled(parsed(*common, *more))
        for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
            schedule = optimizer._learning_rate
            assert float(schedule(35)) == pytest.approx(rate)
            assert float(schedule(70 - 7)) == pytest.approx(rate / 5)
            assert float(schedule(70)) == 0
    options = parsed("wgan", "--learning-rate=0.5", "--filters=2", "--size=8")
    options.size, options.batch = 8, 1
    model = adversarial._compiled(options)
    assert float(model.generator_optimizer.learning_rate) == 0.5
    assert float(model.discriminator_optimizer.learning_rate) == 0.5


def test_what_is_held_out_is_not_trained_on_and_the_rest_is_as_by_default(folders, tmp_path):
    given = {"size": 32, "filters": 2, "blocks": 0, "layers": 1, "pool": 0, "held_out": 0.4}
    options = adversarial.options_of(
        "cyclegan", tmp_path / "run", [folders / "paintings"], [folders / "photos"], **given
    )
    assert (options.cycle_weight, options.batch, options.epochs) == (10, 1, 200)
    _, _, begun = adversarial.begun(options)
    photos, paintings = ([path.name for path in crops.paths] for crops in begun["crops"])
    assert photos == ["0.png", "1.png", "2.png", "3.png"]
    assert paintings == ["0.png", "1.png", "2.png"]
    assert json.loads((tmp_path / "run" / "training.json").read_text())["held_out"] == 0.4


def test_an_epoch_has_a_step_of_the_generator(folders, tmp_path):
    given = {"size": 32, "filters": 2, "blocks": 0, "layers": 1, "critic_steps": 4}
    options = adversarial.options_of("wgan", tmp_path / "run", [folders / "paintings"], [folders / "photos"], **given)
    _, _, begun = adversarial.begun(options)
    assert begun["steps"] == 8  # and not 7, one for each photograph


def test_names_that_are_no_text(folders, tmp_path):
    odd = os.fsdecode(b"\xff")
    (tmp_path / odd).mkdir()
    for i in range(2):
        images.save(np.full((40, 40, 3), i / 2, "float32"), tmp_path / odd / f"{odd}{i}.png")
    run = tmp_path / f"run{odd}"
    given = [f"--paintings={tmp_path / odd}", "--size=8", "--filters=2", "--steps=1", "--quiet", "--epochs=1"]
    assert main(["train", "gan", *given, f"--output={run}"]) == 0
    assert r"gan in &#x27;run\udcff&#x27;" in (run / "index.html").read_text()


def refused(capsys, *given):
    assert main(["train", *map(str, given)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_bad_input_is_one_line(folders, tmp_path, capsys):
    few = tmp_path / "few"
    few.mkdir()
    images.save(np.full((40, 40, 3), 0.5, "float32"), few / "a.png")
    (few / "b.png").write_bytes(b"no picture")
    paintings, photos = f"--paintings={folders / 'paintings'}", f"--photos={folders / 'photos'}"
    new = f"--output={tmp_path / 'run'}"
    err = refused(capsys, "cyclegan", photos, "--paintings", folders / "paintings", few, *LITTLE, new)
    assert err.startswith(f"tfstyle: pictures {few}: 1 can be used, and it takes 2 or more; {few / 'b.png'}: ")
    assert err.count("\n") == 1
    assert refused(capsys, "wgan", paintings, "--blocks=2", new) == (
        "tfstyle: --blocks says nothing without --photos: give photographs\n"
    )
    assert refused(capsys, "wgan", photos, paintings, "--noise=7", new) == (
        "tfstyle: --noise says nothing with --photos: leave it out\n"
    )
    assert refused(capsys, "wgan", paintings, *LITTLE, "--critic-steps=4", new) == (
        "tfstyle: steps 3 has none of the generator, after 4 of the critic: give 4 or more\n"
    )
    assert refused(capsys, "gan", "--paintings=", new) == ("tfstyle: could not read the folder '': give its name\n")
    assert refused(capsys, "gan", "--held-out=1", paintings, new) == (
        "tfstyle: 1 of the pictures can't be held out: give 0 or more, and less than 1\n"
    )
    assert refused(capsys, "gan", paintings, "--batch=0", new) == (
        "tfstyle: batch 0 can't be used: give a whole number from 1 to 4096\n"
    )
    assert refused(capsys, "gan", paintings, *LITTLE, "--learning-rate=0", new) == (
        "tfstyle: learning rate 0 can't be used: give more than 0\n"
    )
    assert refused(capsys, "gan", paintings, "--size=64", "--resize=60", new) == (
        "tfstyle: resize 60 can't be used: give a whole number from 64 to 16384\n"
    )
    assert refused(capsys, "cyclegan", photos, paintings, "--size=8", "--filters=2", f"{new}2") == (
        "tfstyle: size 8x8 has no patch for 3 layers: give at least 24 pixels, or fewer layers\n"
    )
    assert not (tmp_path / "run" / "model.keras").exists()
