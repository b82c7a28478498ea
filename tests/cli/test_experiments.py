"""`tfstyle compare` and `tfstyle reproduce`, run as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tfstyle import images
from tfstyle.cli.main import main
from tfstyle.experiments import EXPERIMENTS
from tfstyle.experiments.backbones import Networks
from tfstyle.experiments.papers import jin2021_hybrid

pytestmark = pytest.mark.usefixtures("eager")

COMPARE = ["compare", "photo.png", "painting.png", "--backbones", "VGG16,MobileNetV2", "--treatments", "balanced",
           "--size", "64", "--steps", "2", "--weights", "random", "-o", "out"]  # fmt: skip


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch):
    images.save(photo, tmp_path / "photo.png")
    images.save(painting, tmp_path / "painting.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.large
def test_a_killed_comparison_goes_on(folder):
    command = [sys.executable, "-m", "tfstyle", *COMPARE]
    first = folder / "out" / "runs" / "VGG16-balanced.json"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    limit = time.monotonic() + 300
    while not first.exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "out" / "runs" / "MobileNetV2-balanced.json").exists()
    assert not (folder / "out" / "report.html").exists()
    before = first.stat().st_mtime_ns
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "out: 1 of 2 runs are finished and kept\n")
    assert first.stat().st_mtime_ns == before
    heading, *rows, wrote = run.stdout.splitlines()
    assert heading.split()[:4] == ["backbone", "treatment", "weights", "style"]
    assert [row.split()[:3] for row in rows] == [
        ["VGG16", "balanced", "VGG16:"], ["MobileNetV2", "balanced", "MobileNetV2:"]
    ]  # fmt: skip
    assert wrote == "wrote out/report.html"
    page = (folder / "out" / "report.html").read_text()
    assert "VGG16, MobileNetV2, VGG19: random weights, seed 0" in page
    for name in ("figures/grid.png", "results.csv", "results.json"):
        assert (folder / "out" / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["reproduce", "jin2020"], "unknown experiment 'jin2020': "),
        (["reproduce"], "there is no experiment: give its NAME; `tfstyle reproduce --list` prints the experiments"),
        (["reproduce", "jin2021-hybrid", "--size", "0"], "size 0 can't be used: give a whole number from 64 to 4096"),
        (["reproduce", "jin2021-hybrid", "--content", "a.jpg", "--content", "b.jpg"],
         "jin2021-hybrid takes at most 1 content image: leave out 1"),
        (["reproduce", "jin2021-hybrid", "--style", "none.jpg"], "none.jpg does not exist; check the path"),
        (["reproduce", "jin2021-hybrid", "-o", "."],
         "the folder . has other files in it: give a new or an empty folder"),
        (["compare", "photo.png", "painting.png", "--backbones", ","], "there is no backbone: name at least one"),
        (["compare", "photo.png", "painting.png", "--treatments", "swag"],
         "unknown treatment 'swag': use one of raw, balanced, smoothed, fourier"),
        (["compare", "photo.png", "painting.png", "-o", "photo.png"],
         "could not make the folder photo.png: File exists; choose another place"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, arguments, text):
    before = sorted(os.listdir())
    assert main([*arguments, "--weights", "random"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"tfstyle: {text}")
    assert output.err.count("\n") == 1
    assert sorted(os.listdir()) == before


def test_the_list_has_every_experiment_and_needs_no_tensorflow(folder):
    command = "import sys; from tfstyle.cli.main import main; main(['reproduce', '--list']); print(len(sys.modules))"
    code = f"{command}; assert 'tensorflow' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    for name in EXPERIMENTS:
        assert f"{name}\n    " in run.stdout
    assert run.stdout.count("    needs: ") == run.stdout.count("    takes: about") + 1 == len(EXPERIMENTS)


def test_the_list_is_json_for_programs(folder, capsys):
    assert main(["reproduce", "--list", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["name"] for record in records] == list(EXPERIMENTS)
    assert set(records[0]) == {"name", "title", "reference", "needs", "duration"}


def test_ctrl_c_says_how_to_go_on(folder, monkeypatch, capsys):
    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tfstyle.experiments.run.perform", interrupted)
    assert main(COMPARE) == 130
    assert capsys.readouterr().err == "tfstyle: interrupted: the same command goes on with the finished runs in out\n"


@pytest.fixture
def small_networks(monkeypatch):
    """Networks that are built and compiled sooner, in the places of those of the paper."""
    get = Networks.get
    places = {"VGG19": "VGG19", "InceptionV3": "VGG16", "ResNet50": "VGG16", "NASNetMobile": "VGG16"}
    monkeypatch.setattr(Networks, "get", lambda self, name, *options: get(self, places[name], *options))


@pytest.mark.large
@pytest.mark.parametrize(("name", "runs"), [("jin2021-hybrid", 7), ("jiang2020", 2)])
def test_every_experiment_runs_end_to_end(folder, small_networks, monkeypatch, capsys, name, runs):
    monkeypatch.setattr(jin2021_hybrid, "QUICK_EXPONENTS", {"own": (0,), "unit": (-3,)})
    command = [
        "reproduce",
        name,
        "--quick",
        "--size",
        "64",
        "--steps",
        "1",
        "--content",
        "photo.png",
        "--style",
        "painting.png",
        "--json",
    ]
    assert main(command) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["quick"], record["size"], record["steps"], len(record["rows"])) == (True, 64, 1, runs)
    assert all(row["style_reached"] is not None and row["steps_done"] == 1 for row in record["rows"])
    assert {finding["verdict"] for finding in record["findings"] if finding["reported"]} <= {"not tested"}
    assert record["contents"][0]["name"] == "photo.png"
    figures = sorted((folder / name / "figures").iterdir())
    assert figures
    assert all(figure.stat().st_size < 300_000 for figure in figures)
    page = (folder / name / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(figures)
    assert "http" not in page
    assert main(command[:-1]) == 0  # nothing is left to do
    output = capsys.readouterr()
    assert output.err == f"{name}: {runs} of {runs} runs are finished and kept\n"
    assert output.out.endswith(f"wrote {name}/report.html\n")
