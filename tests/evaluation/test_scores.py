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

from tfstyle import METRICS, InputError, images
from tfstyle.cli.main import main
from tfstyle.evaluation import metrics, scores as scoring

FAST = ["--backbone", "VGG16", "--weights", "random"]
HEADER = "content photo.png, style painting.png, at 56x37 pixels\nVGG16, weights random (He, seed 0)\n"


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch):
    images.save(photo, tmp_path / "photo.png")
    images.save(painting, tmp_path / "painting.png")
    images.save(0.5 * photo + 0.5 * images.load(painting, photo.shape[:2]).rgb, tmp_path / "out.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made_report(names=("a/out.png", "b/other.png")):
    """A report without a network: values 0.5, 1.5, 2.5, ..."""
    rows = [
        {"result": name, **{metric: index + 0.5 + number for index, metric in enumerate(METRICS)}}
        for number, name in enumerate(names)
    ]
    weights = {"name": "imagenet", "source": "Keras cache", "file": "vgg19_notop.h5", "sha256": "61" * 32}
    return scoring.Report("c.jpg", "s.jpg", 48, 64, "VGG19", weights, "block3_conv2", ("block1_conv2",), rows)


@pytest.mark.large
def test_a_fresh_process_prints_a_table(folder):
    command = [sys.executable, "-m", "tfstyle", "score", "photo.png", "painting.png", "out.png", "photo.png", *FAST]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "scoring with VGG16, weights random (He, seed 0)\n")
    assert run.stdout.startswith(HEADER)
    _, _, layers, empty, names, *lines = run.stdout.splitlines()
    assert layers == "content at block3_conv2, style at block1_conv2, block2_conv2, block3_conv3, block4_conv3"
    assert empty == ""
    assert names.split() == ["out.png", "photo.png"]
    assert [line.split()[:2] for line in lines] == [[metric.name, metric.arrow] for metric in METRICS.values()]
    found = {line.split()[0]: [float(value) for value in line.split()[2:4]] for line in lines}
    assert found["ssim"][1] == 1
    assert 0 < found["ssim"][0] < 1
    assert found["color_distance"][0] < found["color_distance"][1]


def test_json_and_csv_hold_what_metrics_returns(folder, capsys):
    assert main(["score", "photo.png", "painting.png", "out.png", *FAST, "--format", "json", "--quiet"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    record = json.loads(output.out)
    (row,) = record["scores"]
    network = scoring.composing.network("VGG16", "random", scoring.METHODS["gatys"], None, "float32", 0)
    content, style, result = (images.load(name) for name in ("photo.png", "painting.png", "out.png"))
    assert row == {"result": "out.png", **metrics.score(content, style, result, network)}
    expected = {"backbone": "VGG16", "weights": {"name": "random", "source": "He, seed 0"}, "height": 37, "width": 56}
    assert {name: record[name] for name in expected} == expected
    assert record["content_layer"] == "block3_conv2"
    assert record["metrics"]["noise"] == {
        "direction": "one", "best": 1.0, "meaning": METRICS["noise"].sentence
    }  # fmt: skip
    assert main(["score", "photo.png", "painting.png", "out.png", *FAST, "-o", "scores.csv"]) == 0
    assert capsys.readouterr().out == "wrote scores.csv\n"
    (line,) = csv.DictReader(io.StringIO((folder / "scores.csv").read_text()))
    assert {name: float(line[name]) for name in METRICS} == pytest.approx({name: row[name] for name in METRICS})
    assert (line["result"], line["backbone"], line["weights"], line["sha256"]) == ("out.png", "VGG16", "random", "")


def test_the_table_names_weights_and_lines_up():
    lines = made_report().table().splitlines()
    assert lines[:3] == [
        "content c.jpg, style s.jpg, at 64x48 pixels",
        f"VGG19, weights imagenet (Keras cache, vgg19_notop.h5, SHA-256 {'61' * 32})",
        "content at block3_conv2, style at block1_conv2",
    ]
    assert lines[4] == "                      out.png other.png"
    assert lines[5] == "ssim             ↑     0.5000    1.5000  content kept: structure of luminance"
    assert lines[12].startswith("noise            →1    7.5000    8.5000  fine detail: ")
    assert "a/out.png b/out.png" in made_report(names=("a/out.png", "b/out.png")).table()


def test_json_and_csv_parse():
    made = made_report(names=("a, b.png", 'say "so".png'))
    record = json.loads(made.json())
    assert record["scores"] == made.scores
    assert list(record["metrics"]) == list(METRICS)
    rows = list(csv.DictReader(io.StringIO(made.csv())))
    assert [row["result"] for row in rows] == ["a, b.png", 'say "so".png']
    assert [float(row["mmd"]) for row in rows] == [row["mmd"] for row in made.scores]
    assert {row["sha256"] for row in rows} == {"61" * 32}


@pytest.mark.parametrize(
    ("arguments", "start"),
    [(["-o", "s.json"], "{"), (["-o", "s.CSV"], "result,ssim"), (["-o", "s.txt"], "content c.jpg"),
     (["-o", "s.csv", "--format", "json"], "{"), (["-o", "s.json", "--format", "table"], "content c.jpg")],
)  # fmt: skip
def test_the_suffix_says_the_format_unless_asked_for(folder, monkeypatch, arguments, start):
    monkeypatch.setattr(scoring, "report", lambda *given, **options: made_report())
    assert main(["score", "photo.png", "painting.png", "out.png", *arguments]) == 0
    assert (folder / arguments[1]).read_text().startswith(start)


def test_a_terminal_without_arrows_gets_the_rest(folder, monkeypatch):
    monkeypatch.setattr(scoring, "report", lambda *given, **options: made_report())
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert main(["score", "photo.png", "painting.png", "out.png"]) == 0
    assert b"ssim             ?     0.5000    1.5000" in stdout.buffer.getvalue()


@pytest.mark.parametrize(
    ("result", "size", "expected"),
    [((37, 56), None, [(34, 52), (52, 52)]), ((33, 50), None, [(33, 50), (50, 50)]),
     ((33, 50), 64, [(42, 64), (64, 64)])],
)  # fmt: skip
def test_all_are_compared_at_the_smallest_size(photo, painting, vgg, monkeypatch, result, size, expected):
    monkeypatch.setattr(scoring, "LARGEST", 52)
    seen = []

    def scores(content, style, results, network):
        seen.extend(picture.rgb.shape[:2] for picture in (content, style))
        return [{} for _ in results]

    monkeypatch.setattr(metrics, "scores", scores)
    made = scoring.report(photo, painting, [images.load(photo, result)], backbone=vgg, size=size)
    assert seen == expected
    assert (made.height, made.width) == expected[0]


def bad_pictures():
    rgb = np.zeros((40, 40, 3), np.uint8)
    Image.fromarray(rgb[:20, :30]).save("small.png")
    Image.fromarray(rgb[:1, :1]).save("dot.png")
    with open("text.png", "w") as file:
        file.write("I am not a picture")
    os.mkdir("folder.png")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["missing.jpg", "painting.png", "out.png"], "missing.jpg does not exist; check the path"),
        (["photo.png", "missing.jpg", "out.png"], "missing.jpg does not exist; check the path"),
        (["photo.png", "painting.png", "out.png", "missing.jpg"], "missing.jpg does not exist; check the path"),
        (["photo.png", "painting.png", "text.png"],
         "text.png is not a picture of a known kind; use JPEG, PNG, WebP or TIFF"),
        (["photo.png", "painting.png", "folder.png"], "folder.png is a folder; give the path of a picture in it"),
        (["photo.png", "painting.png", "out.png", "-o", "nowhere/s.csv"],
         "could not write nowhere/s.csv: there is no folder {folder}/nowhere; create it first"),
        (["photo.png", "painting.png", "out.png", "-o", "./out.png"],
         "the output out.png is one of the pictures given: choose another name"),
        (["photo.png", "painting.png", "out.png", "--size", "0"],
         "size 0 can't be used: give a whole number from 1 to 65535"),
        (["photo.png", "painting.png", "out.png", "--backbone", "VGG18"],
         "unknown backbone 'VGG18': did you mean VGG19 or VGG16 or VGG19Mini?"),
        (["photo.png", "painting.png", "out.png", "--weights", "none.h5"],
         "weights none.h5 does not exist: give a file, 'imagenet' or 'random'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, arguments, text):
    bad_pictures()
    before = sorted(os.listdir())
    assert main(["score", *arguments]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", f"tfstyle: {text.format(folder=os.path.realpath(folder))}\n")
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["photo.png", "painting.png", "small.png"],
         "small.png is 30x20 pixels, and the backbone needs at least 32 a side: use size 48 or more"),
        (["photo.png", "painting.png", "dot.png"],
         "dot.png is 1x1 pixels: give a picture of at least 8 pixels a side"),
        (["photo.png", "painting.png", "out.png", "--size", "40"],
         "photo.png is 40x26 pixels at size 40, and the backbone needs at least 32 a side: use size 49 or more"),
        (["painting.png", "small.png", "out.png", "--size", "46"],
         "small.png is 46x31 pixels at size 46, and the backbone needs at least 32 a side: use size 48 or more"),
    ],
)  # fmt: skip
def test_pictures_too_small_for_the_network_are_named(folder, capsys, arguments, text):
    bad_pictures()
    assert main(["score", *arguments, *FAST, "--quiet"]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", f"tfstyle: {text}\n")


def test_what_memory_would_not_hold_is_refused(photo, painting, vgg, monkeypatch):
    monkeypatch.setattr(scoring.memory, "available", lambda: 2**27)
    with pytest.raises(InputError) as caught:
        scoring.report(photo, painting, [photo], backbone=vgg, size=512)
    assert re.fullmatch(
        r"scores at size 512 need about \d\.\d GB of memory, and there are 0\.1 GB: use a smaller size",
        str(caught.value),
    )


def test_without_weights_it_says_so(folder, capsys):
    assert main(["score", "photo.png", "painting.png", "out.png"]) == 0
    output = capsys.readouterr()
    assert "VGG19Mini, weights embedded" in output.out
    assert output.err == (
        "scoring with VGG19Mini, weights embedded (this package), as there are no ImageNet weights, which do better: "
        "`tfstyle weights` says where they are looked for\n"
    )


def test_ctrl_c_is_one_line(folder, monkeypatch, capsys):
    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(scoring, "report", interrupted)
    assert main(["score", "photo.png", "painting.png", "out.png"]) == 130
    assert capsys.readouterr().err == "tfstyle: interrupted before anything was scored\n"


def test_with_real_weights_their_sha_is_told(folder, real_weights, capsys):
    assert main(["score", "photo.png", "painting.png", "out.png", "--format", "json", "--quiet"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["backbone"], record["weights"]["name"]) == ("VGG19", "imagenet")
    assert len(record["weights"]["sha256"]) == 64
