"""What the command line writes and prints about a result, and the guard of input files."""

import argparse
import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.cli.output import check_apart, output_path, print_error, print_text, write
from tfstyle.pipelines.result import Result


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(**values):
    return argparse.Namespace(**{"json": False, "quiet": False, **values})


def result(stopped=None, **settings):
    picture = np.full((4, 5, 3), 0.5, np.float32)
    return Result(
        picture, None, {"step": [1.0]}, {"seconds": 2.0, "stopped": stopped, "versions": {"tfstyle": "1"}, **settings}
    )


@pytest.mark.parametrize(
    ("stopped", "code"), [(None, 0), ("interrupted", 130), ("out of memory", 1), ("the loss was not a number", 1)]
)
def test_the_exit_code_says_how_a_painting_ended(stopped, code, capsys):
    assert write(options(), result(stopped, steps_done=7), Path("out.png"), 8) == code
    output = capsys.readouterr()
    assert output.out == "wrote out.png after 7 steps, 2 s\n"
    assert output.err.startswith(f"tfstyle: stopped early ({stopped}): out.png is " if stopped else "")
    assert images.load("out.png").rgb.shape == (4, 5, 3)
    assert json.loads(Path("out.json").read_text())["bits"] == 8


def test_only_an_interrupted_painting_with_a_checkpoint_can_be_continued(capsys):
    for stopped, resumable, hint in [
        ("interrupted", True, True), ("interrupted", False, False), ("out of memory", True, False)
    ]:  # fmt: skip
        write(options(), result(stopped), Path("out.png"), 8, resumable)
        assert ("--resume" in capsys.readouterr().err) is hint


def test_what_is_printed_goes_by_the_options(capsys):
    write(options(), result(), Path("out.png"), 8)
    assert capsys.readouterr() == ("wrote out.png in 2.0 s\n", "")  # in one pass: no steps
    write(options(quiet=True), result(), Path("out.png"), 8)
    assert capsys.readouterr() == ("", "")
    write(options(json=True, quiet=True), result(), Path("out.png"), 16)
    record = json.loads(capsys.readouterr().out)
    assert (record["output"], record["seconds"], record["history"]) == ("out.png", 2.0, {"step": [1.0]})


def test_where_the_output_cannot_be_written_the_picture_is_rescued(capsys, folder):
    Path("gone").mkdir()
    assert write(options(), result(), Path("nowhere/out.png"), 8) == 2
    output = capsys.readouterr()
    rescued = output.out.split()[1]
    assert images.load(rescued).rgb.shape == (4, 5, 3)
    (line,) = output.err.splitlines()
    assert line.startswith("tfstyle: could not write nowhere/out.png: ")
    assert line.endswith(f"the picture is in {rescued}")


def test_no_output_takes_the_place_of_an_input():
    for name in ("a.png", "b.png"):
        Path(name).write_bytes(b"x")
    os.link("a.png", "hard.png")
    Path("soft.png").symlink_to("a.png")
    inputs = ["a.png", Path("missing.png"), "content", 0.5, np.zeros(3)]
    check_apart([Path("b.png"), Path("new.png")], inputs)
    for output in ("a.png", "./a.png", "hard.png", "soft.png"):
        with pytest.raises(InputError, match=r"is one of the input files: choose another name"):
            check_apart([Path("b.png"), Path(output)], inputs)


def test_an_output_that_is_given_is_taken_even_if_empty():
    assert output_path(options(output=None), "default.png") == Path("default.png")
    assert output_path(options(output="out.png"), "default.png") == Path("out.png")
    assert output_path(options(output=""), "default.png") == Path()


def test_streams_without_a_character_have_another_in_its_place(monkeypatch, capsys):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    print_text("better →\n")
    stream.flush()
    assert stream.buffer.getvalue() == b"better ?\n"
    print_error("one line")
    assert capsys.readouterr().err == "tfstyle: one line\n"
