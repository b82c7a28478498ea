"""The command line, run as a user runs it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tfstyle import images
from tfstyle.cli import main as cli
from tfstyle.cli.main import main
from tfstyle.pipelines.methods import METHODS

pytestmark = pytest.mark.usefixtures("eager")

FAST = [
    "--backbone", "VGG16", "--weights", "random", "--size", "48", "--steps", "3", "--precision", "float32",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch):
    images.save(photo, tmp_path / "photo.png")
    images.save(painting, tmp_path / "painting.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tfstyle(*arguments, **options):
    command = [sys.executable, "-m", "tfstyle.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_transfer_writes_the_picture_and_its_record(folder, capsys):
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("wrote out.png after 3 steps, ")
    assert output.err == "painting with VGG16, weights random (He, seed 0)\n"
    assert files(folder) == ["out.json", "out.png", "painting.png", "photo.png"]
    assert Image.open("out.png").size == (48, 32)
    record = json.loads((folder / "out.json").read_text())
    assert (record["size"], record["steps"], record["backbone"]) == (48, 3, "VGG16")
    assert len(record["history"]["loss"]) == 3


def test_json_is_one_object_on_stdout_and_nothing_else_there(folder):
    run = tfstyle("transfer", "photo.png", "painting.png", "-o", "out.png", "--json", *FAST)
    assert run.returncode == 0
    record = json.loads(run.stdout)
    assert record["output"] == "out.png"
    written = json.loads((folder / "out.json").read_text())
    assert written == {k: v for k, v in record.items() if k != "output"} | {"bits": 8, "quality": 95}


@pytest.mark.large
def test_quiet_prints_nothing(folder):
    run = tfstyle("transfer", "photo.png", "painting.png", "--quiet", *FAST)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert (folder / "photo-painting.png").is_file()  # the name without -o


def test_every_option_reaches_the_record(folder, capsys):
    arguments = [
        "transfer", "photo.png", "painting.png", "photo.png", "-o", "out.tif", "--method", "li2017-batchnorm",
        "--pooling", "max", "--content-layers", "block1_conv2, block2_conv2", "--style-layers", "block2_conv1",
        "--content-weight", "0.5", "--style-weight", "3", "--tv-weight", "0.25", "--style-blend", "3,1",
        "--edge-weight", "0.125", "--statistic", "linear:1,gaussian:3", "--preserve-color", "ink",
        "--saturation", "0.25", "--voids", "0.75",
        "--optimizer", "adam", "--learning-rate", "0.02", "--init", "noise", "--seed", "7", "--bits", "16",
        "--json", *FAST,
    ]  # fmt: skip
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    expected = {
        "method": "li2017-batchnorm", "pooling": "max", "content_layers": ["block1_conv2", "block2_conv2"],
        "style_layers": ["block2_conv1"], "content_weight": 0.5, "style_weight": 3.0, "tv_weight": 0.25,
        "style_blend": [0.75, 0.25], "optimizer": "adam", "init": "noise", "seed": 7,
        "styles": ["painting.png", "photo.png"], "statistic": "linear:1,gaussian:3",
        "edge_weight": 0.125, "preserve_color": "ink", "saturation": 0.25, "voids": 0.75,
    }  # fmt: skip
    assert {key: record[key] for key in expected} == expected
    assert record["optimizer_options"]["learning_rate"] == pytest.approx(0.02)
    import tifffile

    assert tifffile.imread("out.tif").dtype == np.uint16


def test_previews_are_written_on_the_way(folder):
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", "--preview-every", "2",
                     *FAST, "--steps", "5"]) == 0  # fmt: skip
    assert [name for name in files(folder) if "step" in name] == ["out-step00002.png", "out-step00004.png"]


def test_no_preview_takes_the_place_of_a_picture_given(folder, capsys):
    os.rename("painting.png", "out-step00002.png")
    before = files(folder)
    command = ["transfer", "photo.png", "out-step00002.png", "-o", "out.png", "--preview-every", "2", *FAST]
    assert main(command) == 2
    assert capsys.readouterr().err == (
        "tfstyle: the output out-step00002.png is one of the pictures given: choose another name\n"
    )
    assert files(folder) == before


def test_an_init_picture_is_gone_on_from(folder, capsys):
    images.save(np.full((20, 30, 3), 0.5), "grey.png")
    assert main(["transfer", "photo.png", "painting.png", "--init", "grey.png", "--json", *FAST]) == 0
    assert json.loads(capsys.readouterr().out)["init"] == "grey.png"


@pytest.mark.large
def test_a_terminal_sees_a_live_bar(folder):
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tfstyle.cli.main", "transfer", "photo.png", "painting.png", *FAST],
        stdout=side, stderr=side, env={**os.environ, "COLUMNS": "160", "TERM": "xterm"},
    )  # fmt: skip
    os.close(side)
    seen = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    assert process.wait(60) == 0
    text = seen.decode()
    for word in ("painting", "3/3", "loss", "content", "style", "left"):
        assert word in text


@pytest.mark.large
def test_no_bar_where_stdout_is_not_a_terminal(folder):
    run = tfstyle("transfer", "photo.png", "painting.png", *FAST)
    assert run.stderr == "painting with VGG16, weights random (He, seed 0)\n"


@pytest.mark.large
def test_ctrl_c_writes_the_best_picture_so_far(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "tfstyle.cli.main", "transfer", "photo.png", "painting.png", "-o", "out.png", "--json",
         "--preview-every", "1", "--checkpoint", "cp", *FAST, "--steps", "100000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which jobs in the background ignore
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not (folder / "out-step00003.png").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.splitlines()[-1] == (
        "tfstyle: stopped before its time (interrupted): out.png is the best picture until then; the same "
        "command with --resume goes on"
    )
    record = json.loads(out)
    assert record["stopped"] == "interrupted"
    assert 3 <= record["steps_done"] < 100000
    assert Image.open("out.png").size == (48, 32)
    assert json.loads((folder / "out.json").read_text())["stopped"] == "interrupted"


def test_ctrl_c_before_the_first_step_is_one_line(folder, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("tfstyle.pipelines.build.network", interrupted)
    assert main(["transfer", "photo.png", "painting.png", *FAST]) == 130
    assert capsys.readouterr().err == "tfstyle: interrupted before anything was painted\n"


def test_a_full_disk_at_the_end_loses_nothing(folder, monkeypatch, capsys):
    import errno

    from tfstyle.core import files as room

    original = room.atomic_write

    def full(path, data):
        if str(path).startswith("out"):
            raise room.InputError(f"could not write {path}: {os.strerror(errno.ENOSPC)}; free some space")
        original(path, data)

    monkeypatch.setattr(room, "atomic_write", full)
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST]) == 2
    output = capsys.readouterr()
    rescued = output.out.split()[1]
    assert Image.open(rescued).size == (48, 32)
    assert output.err.splitlines()[-1] == (
        f"tfstyle: could not write out.png: No space left on device; free some space; the picture is in {rescued}"
    )
    assert "out.png" not in files(folder)


def test_where_nothing_can_be_written_any_more_the_first_reason_is_given(folder, monkeypatch, capsys):
    from tfstyle.core import files as room

    def full(path, data):
        raise room.InputError(f"could not write {path}: No space left on device; free some space")

    monkeypatch.setattr(room, "atomic_write", full)
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST, "--quiet"]) == 2
    assert capsys.readouterr().err == ("tfstyle: could not write out.png: No space left on device; free some space\n")


def test_a_loss_that_stops_being_a_number_leaves_a_picture_and_says_so(folder, monkeypatch, capsys):
    from tfstyle.optimization.canvas import Canvas

    original = Canvas.recent_losses

    def spoilt(self, number):
        losses = original(self, number)
        return [each * float("nan") if self.steps_done == 3 else each for each in losses]

    monkeypatch.setattr(Canvas, "recent_losses", spoilt)
    arguments = ["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST, "--steps", "9", "--quiet", "--json"]
    assert main(arguments) == 1
    output = capsys.readouterr()
    assert output.err == (
        "tfstyle: stopped before its time (the loss was not a finite number after 3 steps): out.png is the best "
        "picture until then\n"
    )
    assert json.loads(output.out)["history"]["loss"][2] is None
    assert Image.open("out.png").size == (48, 32)


@pytest.mark.large
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_closed_streams_lose_nothing(folder, closed):
    command = f"{sys.executable} -m tfstyle transfer photo.png painting.png -o out.png {' '.join(FAST)} {closed}"
    assert subprocess.run(command, shell=True, capture_output=True, timeout=120).returncode == 0
    assert Image.open("out.png").size == (48, 32)


@pytest.mark.large
def test_a_full_stdout_is_one_line(folder):
    command = f"{sys.executable} -m tfstyle methods >/dev/full"
    run = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr == "tfstyle: could not write to stdout: No space left on device\n"


@pytest.mark.large
def test_another_keras_backend_is_one_line(folder):
    run = tfstyle("transfer", "photo.png", "painting.png", env={**os.environ, "KERAS_BACKEND": "jax"})
    assert run.returncode == 2
    assert run.stderr == "tfstyle: Keras runs on jax, and tfstyle needs TensorFlow: set KERAS_BACKEND=tensorflow\n"


@pytest.mark.large
def test_a_16_bit_picture_and_previews_bring_no_greetings_of_tensorflow(folder):
    images.save(np.full((40, 40, 3), 0.5), "deep.png", bits=16)
    run = tfstyle("transfer", "deep.png", "painting.png", *FAST, "--preview-every", "2", "--quiet")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def bad_pictures(folder):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(rgb).save(folder / "whole.jpg")
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:1500])
    (folder / "text.png").write_text("I am not a picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "folder.png").mkdir()
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (10000, 10)).save(folder / "strip.png")
    Image.new("1", (20000, 20000)).save(folder / "bomb.png")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["missing.jpg", "painting.png"], "missing.jpg"),
        (["photo.png", "missing.jpg"], "missing.jpg"),
        (["folder.png", "painting.png"], "folder.png"),
        (["cut.jpg", "painting.png"], "cut.jpg"),
        (["text.png", "painting.png"], "text.png"),
        (["empty.png", "painting.png"], "empty.png"),
        (["bomb.png", "painting.png"], "bomb.png"),
        (["photo.png", "painting.png", "-o", "nowhere/out.png"], "could not write nowhere/out.png"),
        (["photo.png", "painting.png", "-o", "folder.png"], "could not write folder.png"),
        (["photo.png", "painting.png", "-o", "a" * 300 + ".png"], "File name too long; choose another name"),
        (["photo.png", "painting.png", "-o", ""], "could not write"),
        (["photo.png", "painting.png", "-o", "out.gif"], "end its name in .png, "),
        (["photo.png", "painting.png", "-o", "out.jpg", "--bits", "16"], "JPEG can't have 16 bits"),
        (["photo.png", "painting.png", "--method", "gats"], "unknown method 'gats': did you mean gatys"),
        (["photo.png", "painting.png", "--optimizer", "sgd"], "unknown optimizer 'sgd': use one of lbfgs, adam"),
        (["photo.png", "painting.png", "--content-weight", "-1"], "content weight -1 can't be used: give a number"),
        (["photo.png", "painting.png", "--style-weight", "-1"], "style weight -1 can't be used: give a number"),
        (["photo.png", "painting.png", "--style-blend", "1,2"], "style blend 1,2 has 2 weights for 1 style"),
        (["photo.png", "painting.png", "--style-blend", "a"], "'a' is not a list of numbers such as 0.7,0.3"),
        (["photo.png", "painting.png", "--size", "big"], "argument --size: invalid int value: 'big'"),
        (["photo.png", "painting.png", "--steps", "0"], "steps 0 can't be used"),
        (["photo.png", "painting.png", "--preview-every", "0"], "preview-every 0 can't be used"),
        (["photo.png"], "the following arguments are required: STYLE"),
        (["photo.png", "painting.png", "--brush", "3"], "unrecognized arguments: --brush 3"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, arguments, text):
    bad_pictures(folder)
    before = files(folder)
    try:
        code = main(["transfer", *arguments])
    except SystemExit as stop:  # argparse's own
        code = stop.code
    output = capsys.readouterr()
    assert code == 2
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("tfstyle: ")
    assert text in line
    assert files(folder) == before


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["dot.png", "painting.png"], "tfstyle: dot.png is 1x1 pixels: give a picture of at least 8 pixels a side"),
        (["photo.png", "dot.png"], "tfstyle: dot.png is 1x1 pixels: give a picture of at least 8 pixels a side"),
        (["photo.png", "painting.png", "--style-layers", ","], "tfstyle: the style term has no layers: name at least "
         "one"),
        (["strip.png", "painting.png"], "tfstyle: strip.png is 48x1 pixels at size 48, and the backbone needs at "
         "least 32 a side: crop it to a less narrow shape"),
        (["photo.png", "painting.png", "--size", "31"], "tfstyle: photo.png is 31x20 pixels at size 31, and the "
         "backbone needs at least 32 a side: use size 49 or more"),
        (["photo.png", "painting.png", "--backbone", "VGG18"], "tfstyle: unknown backbone 'VGG18': did you mean "
         "VGG19 or VGG16 or VGG19Mini?"),
        (["photo.png", "painting.png", "--style-layers", "conv1"], "tfstyle: unknown layer of VGG16 'conv1': "),
        (["photo.png", "painting.png", "--weights", "none.h5"], "tfstyle: weights none.h5 does not exist: give a "
         "file, 'imagenet' or 'random'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)  # fmt: skip
def test_what_only_the_network_can_tell_is_one_line_too(folder, capsys, arguments, text):
    bad_pictures(folder)
    content, style, *rest = arguments
    assert main(["transfer", content, style, *FAST, *rest, "--quiet"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert output.err.startswith(text)


@pytest.mark.large
def test_tensorflow_adds_no_lines_of_its_own(folder):
    run = tfstyle("transfer", "photo.png", "painting.png", *FAST, "--style-layers", "conv1")
    assert run.returncode == 2
    assert [line[:8] for line in run.stderr.splitlines()] == ["painting", "tfstyle:"]


def test_no_file_of_the_users_is_lost(folder, capsys):
    """Neither a picture that is given, nor a JSON file beside the output that isn't a record."""
    assert main(["transfer", "photo.png", "painting.png", "-o", str(folder / "photo.png"), *FAST]) == 2
    text = f"tfstyle: the output {folder}/photo.png is one of the pictures given: choose another name\n"
    assert capsys.readouterr().err == text
    (folder / "package.json").write_text('{"name": "mine"}')
    assert main(["transfer", "photo.png", "painting.png", "-o", "package.png", *FAST]) == 2
    assert capsys.readouterr().err == (
        "tfstyle: could not write package.png: its record would replace package.json, which is not one of tfstyle; "
        "choose another name\n"
    )
    assert (folder / "package.json").read_text() == '{"name": "mine"}'
    for _ in range(2):  # an older result is replaced
        assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST]) == 0


def test_an_unwritable_folder_is_found_out_before_the_work(folder, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png"]) == 2
    assert "can't be written in; choose another place" in capsys.readouterr().err


def test_methods_lists_all_with_their_sources(capsys):
    assert main(["methods"]) == 0
    text = capsys.readouterr().out
    assert all(method.name in text and method.reference in text for method in METHODS.values())
    assert main(["methods", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert records[0]["sources"]["content_layers"].startswith("Gatys 2016")


def test_weights_lists_what_there_is(capsys, tmp_path, monkeypatch):
    (tmp_path / "resnet50_notop.weights.h5").write_bytes(b"x")
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path))
    assert main(["weights"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith("ResNet50") and line.endswith("resnet50_notop.weights.h5 ($TFSTYLE_WEIGHTS)")
        for line in lines
    )
    assert any(line.startswith("VGG19 ") and "not on this machine" in line for line in lines)
    assert main(["weights", "--json"]) == 0
    assert {row["backbone"]: row["file"] for row in json.loads(capsys.readouterr().out)}["VGG19"] is None


def test_help_is_quick():
    """Under half a second: the best of three, since other work may be going on."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        run = tfstyle("--help")
        seconds.append(time.perf_counter() - began)
        assert run.returncode == 0
        assert "transfer" in run.stdout
    assert min(seconds) < 0.5


@pytest.mark.parametrize("command", ["transfer", "apply", "demo", "score", "export", "methods", "weights"])
def test_every_option_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    for action in cli._parser()._subparsers._group_actions[0].choices[command]._actions:
        assert action.help


def test_a_closed_pipe_is_not_a_traceback():
    run = subprocess.run(
        f"{sys.executable} -m tfstyle.cli.main methods | true", shell=True, capture_output=True, text=True
    )
    assert run.stderr == ""


def test_the_demo_paints_a_bundled_sample_at_once_and_then_better(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--size", "64", "--steps", "2"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("wrote tfstyle-demo-adain.png in ")
    assert second.startswith("wrote tfstyle-demo.png after 2 steps")
    assert files(tmp_path) == [
        "tfstyle-demo-adain.json", "tfstyle-demo-adain.png", "tfstyle-demo.json", "tfstyle-demo.png",
    ]  # fmt: skip
    assert Image.open("tfstyle-demo-adain.png").size == Image.open("tfstyle-demo.png").size
    assert main(["demo", "--content", "cat"]) == 2
    assert "unknown sample 'cat'" in capsys.readouterr().err
    assert main(["demo", "--size", "30000"]) == 2
    assert capsys.readouterr().err == "tfstyle: size 30000 can't be used: give a whole number from 64 to 4096\n"
