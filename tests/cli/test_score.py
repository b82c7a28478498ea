"""`tfstyle score`, run as a user runs it, and what it prints and writes."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import tfstyle
from tfstyle import METRICS, images
from tfstyle.cli import score as command
from tfstyle.cli.main import main
from tfstyle.evaluation.scores import Scores

FAST = ["--backbone", "vgg19mini"]
ROW = {"result": "out.png", **{metric: index + 0.5 for index, metric in enumerate(METRICS)}}


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch):
    images.save(photo, tmp_path / "photo.png")
    images.save(painting, tmp_path / "painting.png")
    images.save(0.5 * photo + 0.5 * images.load(painting, photo.shape[:2]).rgb, tmp_path / "out.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    """Scores without a network: values 0.5, 1.5, 2.5, ..."""
    weights = {"name": "imagenet", "source": "Keras cache"}
    scores = Scores("c.jpg", "s.jpg", 48, 64, "VGG19", weights, "block3_conv2", ("block1_conv2",), [ROW])
    monkeypatch.setattr(command, "score", lambda content, **options: scores)


def test_a_fresh_process_prints_a_table(folder):
    line = [sys.executable, "-m", "tfstyle", "score", "photo.png", "painting.png", "out.png", "photo.png", *FAST]
    run = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "scoring with VGG19Mini, weights embedded (this package)\n")
    conditions, network, layers, empty, names, *lines = run.stdout.splitlines()
    assert conditions == "content photo.png, style painting.png, at 56x37 pixels"
    assert network.startswith("VGG19Mini, weights embedded (this package, vgg19mini.weights.h5, SHA-256 ")
    assert layers.startswith("content at block4_conv2, style at block1_conv1, block2_conv1, ")
    assert empty == ""
    assert names.split() == ["out.png", "photo.png"]
    assert [line.split()[:2] for line in lines] == [[metric.name, metric.arrow] for metric in METRICS.values()]
    values = {line.split()[0]: [float(value) for value in line.split()[2:4]] for line in lines}
    assert values["ssim"][1] == 1
    assert 0 < values["ssim"][0] < 1
    assert values["color_distance"][0] < values["color_distance"][1]


def test_json_and_csv_are_those_of_python(folder, capsys):
    assert main(["score", "photo.png", "painting.png", "out.png", *FAST, "--format", "json", "--quiet"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    scores = tfstyle.score("photo.png", "painting.png", "out.png", backbone="VGG19Mini")
    assert output.out == scores.json()
    assert json.loads(output.out)["scores"] == [{"result": "out.png", **scores["out.png"]}]
    assert main(["score", "photo.png", "painting.png", "out.png", *FAST, "-o", "scores.csv"]) == 0
    assert capsys.readouterr().out == "wrote scores.csv\n"
    assert (folder / "scores.csv").read_text() == scores.csv()
    (line,) = csv.DictReader(io.StringIO(scores.csv()))
    assert {name: float(line[name]) for name in METRICS} == pytest.approx(scores["out.png"])
    assert (line["result"], line["backbone"], line["weights"]) == ("out.png", "VGG19Mini", "embedded")


@pytest.mark.parametrize(
    ("arguments", "start"),
    [(["-o", "s.json"], "{"), (["-o", "s.CSV"], "result,ssim"), (["-o", "s.txt"], "content c.jpg"),
     (["-o", "s.csv", "--format", "json"], "{"), (["-o", "s.json", "--format", "table"], "content c.jpg")],
)  # fmt: skip
@pytest.mark.usefixtures("no_network")
def test_the_suffix_names_the_format_unless_an_option_does(folder, arguments, start):
    assert main(["score", "photo.png", "painting.png", "out.png", *arguments]) == 0
    assert (folder / arguments[1]).read_text().startswith(start)


@pytest.mark.usefixtures("folder", "no_network")
def test_a_terminal_without_arrows_gets_the_rest(monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert main(["score", "photo.png", "painting.png", "out.png"]) == 0
    assert b"ssim              ?    0.5000" in stdout.buffer.getvalue()


def write_bad_pictures():
    rgb = np.zeros((40, 40, 3), np.uint8)
    Image.fromarray(rgb[:20, :30]).save("small.png")
    Image.fromarray(rgb[:1, :1]).save("dot.png")
    with open("text.png", "w") as file:
        file.write("I am not a picture")
    os.mkdir("folder.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jpg", "painting.png", "out.png"], "missing.jpg does not exist; check the path"),
        (["photo.png", "missing.jpg", "out.png"], "missing.jpg does not exist; check the path"),
        (["photo.png", "painting.png", "out.png", "missing.jpg"], "missing.jpg does not exist; check the path"),
        (["photo.png", "painting.png", "text.png"], "text.png is not a picture of a known kind; use JPEG"),
        (["photo.png", "painting.png", "folder.png"], "folder.png is a folder; give the path of a picture"),
        (
            ["photo.png", "painting.png", "out.png", "-o", "nowhere/s.csv"],
            "nowhere/s.csv: .*; create it first",
        ),
        (["photo.png", "painting.png", "out.png", "-o", "./out.png"], "the output out.png .*: choose another name"),
        (["photo.png", "painting.png", "out.png", "--size", "0"], "size 0 .*: give a whole number from 1"),
        (["photo.png", "painting.png", "out.png", "--backbone", "VGG18"], "backbone 'VGG18': did you mean VGG19"),
        (["photo.png", "painting.png", "out.png", "--weights", "none.h5"], "weights none.h5 .*: give a file"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input_is_one_line_and_exit_code_2(capsys, arguments, message):
    write_bad_pictures()
    before = sorted(os.listdir())
    assert main(["score", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(f"tfstyle: .*{message}.*\n", output.err)
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photo.png", "painting.png", "small.png"], "small.png is 30x20 pixels, .*: use size 48 or more"),
        (["photo.png", "painting.png", "dot.png"], "dot.png is 1x1 pixels: give a picture of at least 8 pixels.*"),
        (["photo.png", "painting.png", "out.png", "--size", "40"],
         "photo.png is 40x26 pixels at size 40, .*: use size 49 or more"),
        (["painting.png", "small.png", "out.png", "--size", "46"],
         "small.png is 46x31 pixels at size 46, .*: use size 48 or more"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_pictures_too_small_for_the_network_are_named(capsys, arguments, message):
    write_bad_pictures()
    assert main(["score", *arguments, *FAST, "--quiet"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(f"tfstyle: {message}\n", output.err)


@pytest.mark.usefixtures("folder")
def test_without_weights_a_line_says_so(capsys):
    assert main(["score", "photo.png", "painting.png", "out.png"]) == 0
    output = capsys.readouterr()
    assert "VGG19Mini, weights embedded" in output.out
    assert re.match(r"scoring with VGG19Mini, weights embedded .*`tfstyle weights`", output.err)
    assert output.err.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_ctrl_c_is_one_line(monkeypatch, capsys):
    def interrupted(content, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "score", interrupted)
    assert main(["score", "photo.png", "painting.png", "out.png"]) == 130
    assert capsys.readouterr().err == "tfstyle: interrupted before anything was scored\n"


@pytest.mark.usefixtures("folder", "real_weights")
def test_with_real_weights_the_sha_is_in_the_record(capsys):
    assert main(["score", "photo.png", "painting.png", "out.png", "--format", "json", "--quiet"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["backbone"], record["weights"]["name"]) == ("VGG19", "imagenet")
    assert len(record["weights"]["sha256"]) == 64
