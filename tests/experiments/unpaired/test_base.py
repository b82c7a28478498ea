"""What is trained between domains, what is held out and measured, and how it goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tfstyle import experiments, images, samples
from tfstyle.cli.main import main
from tfstyle.core.errors import InputError
from tfstyle.experiments.run import reproduce
from tfstyle.experiments.unpaired.base import Unpaired
from tfstyle.experiments.unpaired.trainings import read_training

pytestmark = pytest.mark.usefixtures("eager")

TINY = {"filters": 2, "blocks": 0, "pictures": 20}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setattr(Unpaired, "options", lambda self, setup: TINY)
    monkeypatch.setattr(Unpaired, "contents", ("street", "table"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Twenty pictures of each of three domains, of a size of their own."""
    place = tmp_path_factory.mktemp("domains")
    for name in ("photo", "sketch", "ink"):
        (place / name).mkdir()
        for number in range(20):
            images.save(samples.domain(name, number, (66, 80)), place / name / f"{number:02}.png")
    return place


@pytest.fixture
def settled(setup, folders, tmp_path):
    """A setup with the folders of some domains, as an experiment settles it."""

    def settle(*names, experiment="shi2020", given=False, **changes):
        what = experiments.get(experiment)
        domains = {name: folders / name.rsplit("-", 1)[-1] for name in names}
        own = {"size": 64, "steps": 4, "quick": True, "folder": tmp_path / "out", "domains": domains}
        whole = replace(setup, **{**own, **changes})
        return what, what.completed(whole, given)

    return settle


def test_domains_given_are_those_trained_on_and_the_last_tenth_is_held_out(settled, folders):
    experiment, setup = settled("photo", "ink")
    assert experiment.targets_of(setup) == ("ink",)
    assert experiment.held_out(setup, "ink") == [folders / "ink" / f"{number}.png" for number in (18, 19)]
    assert [Path(picture.name).name for picture in setup.contents] == ["18.png", "19.png"]
    assert [Path(picture.name).parent.name for picture in setup.styles] == ["ink"]
    assert [run.name for run in experiment.runs(setup)] == [
        "1-ink-wgan", "2-ink-wgan", "1-ink-cyclegan", "2-ink-cyclegan"
    ]  # fmt: skip
    own = settled("photo", "ink", given=True)[1]
    assert own.contents[0].name == "<photo>"


def test_in_the_place_of_pictures_that_cannot_be_read_come_others(settled, folders, tmp_path):
    ill = tmp_path / "photo"
    shutil.copytree(folders / "photo", ill)
    (ill / "18.png").write_bytes(b"no picture")
    _, setup = settled("photo", "ink", domains={"photo": ill, "ink": folders / "ink"})
    assert [Path(picture.name).name for picture in setup.contents] == ["19.png"]
    (ill / "19.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no held-out picture of photo can be read: give more pictures"):
        settled("photo", "ink", domains={"photo": ill, "ink": folders / "ink"})


def test_photographs_for_one_domain_are_for_that_alone(settled, folders):
    experiment, setup = settled("photo", "sketch", "ink", "ink-photo")
    assert (experiment.photo_domain(setup, "sketch"), experiment.photo_domain(setup, "ink")) == ("photo", "ink-photo")
    assert setup.painted_for == {"sketch": (0, 1), "ink": (2, 3)}
    runs = {run.name for run in experiment.runs(setup)}
    assert {"1-sketch-wgan", "3-ink-wgan"} <= runs
    assert not {"3-sketch-wgan", "1-ink-wgan"} & runs


def test_without_folders_pictures_are_painted_once(setup, tmp_path):
    experiment = experiments.get("shi2020")
    setup = experiment.completed(replace(setup, size=64, folder=tmp_path), False)
    assert experiment.targets_of(setup) == ("sketch", "ink")
    paths = experiment.held_out(setup, "ink")
    assert [path.name for path in paths] == ["000018.png", "000019.png"]
    np.testing.assert_allclose(images.load(paths[0]).rgb, samples.domain("ink", 18, 72), atol=1 / 255)
    before = paths[0].stat().st_mtime_ns
    assert experiment.held_out(setup, "ink") == paths
    assert paths[0].stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (["shi2020", "--domain", "ink=ink"], "shi2020 has no photographs for ink: give photo=DIR"),
        (["shi2020", "--domain", "photo=photo", "--domain", "photo=ink"],
         "--domain photo is given 2 times: give one folder of each"),
        (["shi2020", "--domain", "photo=photo"], "shi2020 has no target domain: give sketch or ink or oil as well"),
        (["shi2020", "--domain", "inc=ink"], "unknown domain 'inc': did you mean ink?"),
        (["wu2020", "--domain", "ink=ink"], "wu2020 does not train on domains: leave out the option domain"),
        (["wu2020", "--trained", "runs"], "wu2020 does not train on domains: leave out the option trained"),
        (["li2023", "--trained", "runs"],
         "li2023 has no images to measure the trainings with: give domains that were not trained on"),
        (["li2023", "--trained", "runs", "--steps", "5", "--domain", "ink=ink"],
         "steps have no effect on finished trainings: leave them out"),
        (["li2023", "--trained", "runs", "--domain", "ink=ink", "--domain", "photo=photo"],
         "there is no training with a finished epoch in runs/ink-cyclegan: give the output folder of "
         "`tfstyle train`"),
        (["shi2020", "--domain", "ink=none", "--domain", "photo=photo"],
         "could not read the folder none: No such file or directory"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(folders, monkeypatch, capsys, given, text):
    monkeypatch.chdir(folders)
    before = sorted(os.listdir())
    assert main(["reproduce", *given, "--weights", "random"]) == 2
    assert capsys.readouterr().err == f"tfstyle: {text}\n"
    assert sorted(os.listdir()) == before


def test_a_domain_is_given_with_its_name(capsys):
    with pytest.raises(SystemExit) as error:
        main(["reproduce", "shi2020", "--domain", "photos/"])
    assert error.value.code == 2
    assert "'photos/' is no NAME=DIR, such as photo=photos/" in capsys.readouterr().err


def state(folder):
    model = keras.saving.load_model(folder / "model.keras")
    variables = (*model.variables, *model.generator_optimizer.variables, *model.discriminator_optimizer.variables)
    return [np.asarray(variable) for variable in variables]


SCRIPT = """
import sys
from tfstyle.cli.main import main
from tfstyle.experiments.unpaired.base import Unpaired
Unpaired.options = lambda self, setup: {"filters": 2, "blocks": 0, "pictures": 20}
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.large
def test_a_killed_training_goes_on_exactly_and_serves_other_experiments(
    folders, tmp_path, monkeypatch, optimised_graphs
):
    monkeypatch.chdir(tmp_path)
    domains = ["--domain", f"photo={folders / 'photo'}", "--domain", f"ink={folders / 'ink'}"]
    command = ["reproduce", "shi2020", "--quick", "--size=64", "--steps=4", "--quiet", *domains, "-o"]
    assert main([*command, "whole"]) == 0
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *command, "halves"])
    first = tmp_path / "halves" / "training" / "ink-cyclegan" / "model.keras"
    deadline = time.monotonic() + 240
    while not first.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    assert not (tmp_path / "halves" / "report.html").exists()
    wgan = tmp_path / "halves" / "training" / "ink-wgan" / "model.keras"
    before = wgan.stat().st_mtime_ns
    assert main([*command, "halves"]) == 0
    assert wgan.stat().st_mtime_ns == before  # was finished
    for name in ("ink-wgan", "ink-cyclegan"):
        one, other = (tmp_path / each / "training" / name for each in ("whole", "halves"))
        assert (one / "log.csv").read_text() == (other / "log.csv").read_text()
        for ours, theirs in zip(state(one), state(other), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert read_training(one).generator_steps == 4
    results = [json.loads((tmp_path / each / "results.json").read_text()) for each in ("whole", "halves")]
    assert results[0]["measurements"] == results[1]["measurements"]
    # the same, of trainings that are there
    held = ["--domain", f"photo={folders / 'photo'}", "--domain", f"ink={folders / 'sketch'}"]
    there = ["reproduce", "shi2020", "--quick", "--size=64", "--quiet", *held, "--trained", "whole/training"]
    assert main([*there, "-o", "there"]) == 0
    assert not (tmp_path / "there" / "training").exists()
    found = json.loads((tmp_path / "there" / "results.json").read_text())
    assert (found["steps"], found["measurements"]["ink-photo"]["number"]) == (4, 20)
    (said,) = (each["value"] for each in found["constants"] if each["name"] == "training ink-wgan")
    assert said == (
        "4 generator steps of 1; 64 pixels, 2 filters, 0 blocks, content weight 10, critic steps 5, penalty; seed 0"
    )


def test_too_few_held_out_are_refused(settled, folders, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for number in range(3):
        images.save(samples.domain("ink", number, 64), few / f"{number}.png")
    domains = {"photo": folders / "photo", "ink": few}
    with pytest.raises(InputError) as error:
        reproduce("shi2020", tmp_path / "out", quick=True, size=64, steps=2, domains=domains, progress=False)
    assert str(error.value) == "1 pictures of ink are held out, and it takes 2 or more: give more pictures"
