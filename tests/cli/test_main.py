"""The command line, run as a user runs it."""

import contextlib
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import threading
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
    "--backbone", "VGG19Mini", "--size", "48", "--steps", "3", "--precision", "float32",
    "--content-layers", "block2_conv1", "--style-layers", "block1_conv1,block2_conv1",
]  # fmt: skip
PAINTING = "painting with VGG19Mini, weights embedded (this package)\n"


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch):
    images.save(photo, tmp_path / "photo.png")
    images.save(painting, tmp_path / "painting.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tfstyle(*arguments, **options):
    command = [sys.executable, "-m", "tfstyle", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, **options)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_transfer_writes_the_picture_and_its_record(folder, capsys):
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("wrote out.png after 3 steps, ")
    assert output.err == PAINTING
    assert files(folder) == ["out.json", "out.png", "painting.png", "photo.png"]
    assert Image.open("out.png").size == (48, 32)
    record = json.loads((folder / "out.json").read_text())
    assert (record["size"], record["steps"], record["backbone"]) == (48, 3, "VGG19Mini")
    assert len(record["history"]["loss"]) == 3


def test_in_a_process_of_its_own_only_our_lines_are_printed(folder):
    """One JSON object on stdout; on stderr no bar, as stdout is no terminal, and no greetings of TensorFlow."""
    images.save(np.full((40, 40, 3), 0.5), "deep.png", bits=16)
    run = tfstyle("transfer", "deep.png", "painting.png", "-o", "out.png", "--preview-every", "2", "--json", *FAST)
    assert (run.returncode, run.stderr) == (0, PAINTING)
    record = json.loads(run.stdout)
    assert record["output"] == "out.png"
    written = json.loads((folder / "out.json").read_text())
    assert written == {k: v for k, v in record.items() if k != "output"} | {"bits": 8, "quality": 95}


def test_quiet_prints_nothing(folder, capsys):
    assert main(["transfer", "photo.png", "painting.png", "--quiet", *FAST]) == 0
    assert capsys.readouterr() == ("", "")
    assert (folder / "photo-painting.png").is_file()  # the name without -o


def test_every_option_reaches_the_record(folder, capsys):
    arguments = [
        "transfer", "photo.png", "painting.png", "photo.png", "-o", "out.tif", *FAST, "--method", "li2017-batchnorm",
        "--weights", "random", "--pooling", "max", "--input-scaling", "unit",
        "--content-layers", "block1_conv2, block2_conv2", "--style-layers", "block2_conv1",
        "--content-weight", "0.5", "--style-weight", "3", "--tv-weight", "0.25", "--style-weights", "3,1",
        "--edge-weight", "0.125", "--statistic", "linear:1,gaussian:3", "--preserve-color", "ink",
        "--saturation", "0.25", "--blank-areas", "0.75", "--style-scale", "1.5", "--no-normalize-losses",
        "--optimizer", "adam", "--learning-rate", "0.02", "--init", "noise", "--seed", "7", "--bits", "16",
        "--warm-start", "--activation-smoothing", "--scales", "1", "--parameterization", "pixels", "--json",
    ]  # fmt: skip
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    expected = {
        "method": "li2017-batchnorm", "pooling": "max", "content_layers": ["block1_conv2", "block2_conv2"],
        "style_layers": ["block2_conv1"], "content_weight": 0.5, "style_weight": 3.0, "tv_weight": 0.25,
        "style_weights": [0.75, 0.25], "optimizer": "adam", "init": "noise", "seed": 7,
        "styles": ["painting.png", "photo.png"], "statistic": "linear:1,gaussian:3", "input_scaling": "unit",
        "edge_weight": 0.125, "preserve_color": "ink", "saturation": 0.25, "blank_areas": 0.75, "style_scale": 1.5,
        "normalize_losses": False, "activation_smoothing": True,
        "warm_start": True, "learning_rate": 0.02, "scales": [48],
        "parameterization": "pixels", "size": 48, "steps": 3, "precision": "float32",
    }  # fmt: skip
    assert {key: record[key] for key in expected} == expected
    assert record["optimizer_options"]["learning_rate"] == pytest.approx(0.02)
    import tifffile

    assert tifffile.imread("out.tif").dtype == np.uint16


def test_styles_may_be_given_by_an_option(folder, capsys):
    command = ["transfer", "photo.png", "--style", "painting.png", "--style", "photo.png", "-o", "out.png", "--json"]
    assert main([*command, *FAST]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["content"], record["styles"]) == ("photo.png", ["painting.png", "photo.png"])


def test_previews_are_written_on_the_way(folder):
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", "--preview-every", "2",
                     *FAST, "--steps", "5"]) == 0  # fmt: skip
    assert [name for name in files(folder) if "step" in name] == ["out-step00002.png", "out-step00004.png"]


def refused(capsys, *arguments):
    """The one line on stderr of a command that is refused."""
    try:
        code = main(arguments)
    except SystemExit as stop:  # argparse's own
        code = stop.code
    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    (line,) = output.err.splitlines()
    assert line.startswith("tfstyle: ")
    return line


def test_no_preview_takes_the_place_of_an_input(folder, capsys):
    os.rename("painting.png", "out-step00002.png")
    before = files(folder)
    command = ["transfer", "photo.png", "out-step00002.png", "-o", "out.png", "--preview-every", "2", *FAST]
    assert "out-step00002.png is one of the input files: choose another name" in refused(capsys, *command)
    assert files(folder) == before


def test_an_init_picture_is_gone_on_from(folder, capsys):
    images.save(np.full((20, 30, 3), 0.5), "grey.png")
    assert main(["transfer", "photo.png", "painting.png", "--init", "grey.png", "--json", *FAST]) == 0
    assert json.loads(capsys.readouterr().out)["init"] == "grey.png"


def test_a_terminal_sees_a_live_bar(folder, monkeypatch):
    terminal, side = pty.openpty()
    seen = []

    def read():
        with contextlib.suppress(OSError):  # the other side is closed
            while chunk := os.read(terminal, 65536):
                seen.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(side, "w") as stream, monkeypatch.context() as patch:
        patch.setenv("COLUMNS", "160")
        patch.setenv("TERM", "xterm")
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        assert main(["transfer", "photo.png", "painting.png", *FAST]) == 0
    reader.join(timeout=10)
    os.close(terminal)
    text = b"".join(seen).decode()
    for word in ("painting", "3/3", "loss", "content", "style", "left", "wrote photo-painting.png"):
        assert word in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupt_writes_the_best_picture_so_far(folder, number):
    """SIGTERM is what `kill`, batch systems and containers send."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tfstyle", "transfer", "photo.png", "painting.png", "-o", "out.png", "--json",
         "--preview-every", "1", "--checkpoint", "cp", "--checkpoint-every", "1", *FAST, "--steps", "100000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which jobs in the background ignore
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 240
        while not (folder / "out-step00003.png").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    last = err.splitlines()[-1]
    assert last.startswith("tfstyle: stopped early (interrupted): out.png is the best picture so far")
    assert "the same command with --resume" in last
    record = json.loads(out)
    assert record["stopped"] == "interrupted"
    assert 3 <= record["steps_done"] < 100000
    assert Image.open("out.png").size == (48, 32)
    assert json.loads((folder / "out.json").read_text())["stopped"] == "interrupted"
    assert files(folder / "cp") == ["checkpoint.npz"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupt_before_the_first_step_is_one_line(folder, monkeypatch, capsys, number):
    monkeypatch.setattr("tfstyle.pipelines.build.network", lambda *args, **kwargs: os.kill(os.getpid(), number))
    before, handler = files(folder), signal.getsignal(signal.SIGTERM)
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)  # which jobs in the background ignore
    try:
        assert main(["transfer", "photo.png", "painting.png", *FAST]) == 130
    finally:
        signal.signal(signal.SIGINT, ctrl_c)
    assert capsys.readouterr().err == "tfstyle: interrupted before anything was painted\n"
    assert files(folder) == before
    assert signal.getsignal(signal.SIGTERM) is handler


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
    last = output.err.splitlines()[-1]
    assert last.startswith("tfstyle: could not write out.png: No space left on device")
    assert last.endswith(f"the picture is in {rescued}")
    assert "out.png" not in files(folder)


def test_where_nothing_can_be_written_any_more_the_first_reason_is_given(folder, monkeypatch, capsys):
    from tfstyle.core import files as room

    def full(path, data):
        raise room.InputError(f"could not write {path}: No space left on device; free some space")

    monkeypatch.setattr(room, "atomic_write", full)
    assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST, "--quiet"]) == 2
    assert capsys.readouterr().err == "tfstyle: could not write out.png: No space left on device; free some space\n"


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
    (line,) = output.err.splitlines()
    assert line.startswith("tfstyle: stopped early (the loss was not a finite number after 3 steps): out.png is the ")
    assert json.loads(output.out)["history"]["loss"][2] is None
    assert Image.open("out.png").size == (48, 32)


@pytest.mark.large
def test_closed_streams_lose_nothing(folder, monkeypatch):
    command = f"{sys.executable} -m tfstyle transfer photo.png painting.png -o out.png {' '.join(FAST)} >&- 2>&-"
    assert subprocess.run(command, shell=True, capture_output=True, timeout=240).returncode == 0
    assert Image.open("out.png").size == (48, 32)
    monkeypatch.setattr(sys, "stdout", None)  # as Python has it where stdout alone is closed
    assert main(["transfer", "photo.png", "painting.png", "-o", "other.png", *FAST]) == 0
    assert Image.open("other.png").size == (48, 32)


def test_a_full_stdout_is_one_line(folder):
    command = f"{sys.executable} -m tfstyle methods >/dev/full"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=240)
    assert run.returncode == 2
    assert run.stderr == "tfstyle: could not write to stdout: No space left on device\n"


@pytest.mark.large
def test_another_keras_backend_is_one_line(folder):
    run = tfstyle("transfer", "photo.png", "painting.png", env={**os.environ, "KERAS_BACKEND": "jax"})
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("tfstyle: Keras runs on jax")
    assert line.endswith("set KERAS_BACKEND=tensorflow")


@pytest.mark.large
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
    ("arguments", "match"),
    [
        (["missing.jpg", "painting.png"], r"missing\.jpg does not exist; check the path"),
        (["photo.png", "missing.jpg"], r"missing\.jpg does not exist; check the path"),
        (["folder.png", "painting.png"], r"folder\.png"),
        (["cut.jpg", "painting.png"], r"cut\.jpg"),
        (["text.png", "painting.png"], r"text\.png is not a picture"),
        (["empty.png", "painting.png"], r"empty\.png is an empty file"),
        (["bomb.png", "painting.png"], r"bomb\.png"),
        (["photo.png", "painting.png", "-o", "nowhere/out.png"], r"could not write nowhere/out\.png"),
        (["photo.png", "painting.png", "-o", "folder.png"], r"could not write folder\.png"),
        (["photo.png", "painting.png", "-o", "a" * 300 + ".png"], "File name too long; choose another name"),
        (["photo.png", "painting.png", "-o", ""], "could not write"),
        (["photo.png", "painting.png", "-o", "out.gif"], r"end its name in \.png, "),
        (["photo.png", "painting.png", "-o", "out.jpg", "--bits", "16"], "JPEG can't have 16 bits"),
        (["photo.png", "painting.png", "--bits", "12"], "--bits: .*8, 16"),
        (["photo.png", "painting.png", "--method", "gats"], "method 'gats': did you mean gatys"),
        (["photo.png", "painting.png", "--optimizer", "sgd"], "optimizer 'sgd': use one of lbfgs, adam"),
        (["photo.png", "painting.png", "--content-weight", "-1"], "content weight -1 .*a number from 0"),
        (["photo.png", "painting.png", "--style-weight", "-1"], "style weight -1 .*a number from 0"),
        (["photo.png", "painting.png", "--style-weights", "1,2"], "style weights 1,2 .*1 style image.*give 1"),
        (["photo.png", "painting.png", "--style-weights", "a"], "'a' is not a list of numbers such as 0.7,0.3"),
        (["photo.png", "painting.png", "--size", "big"], "size big .*a whole number"),
        (["photo.png", "painting.png", "--steps", "few"], "'few' is not a whole number"),
        (["photo.png", "painting.png", "--saturation", "low"], "'low' is not a number"),
        (["photo.png", "painting.png", "--steps", "0"], "steps 0 .*a whole number from 1"),
        (["photo.png", "painting.png", "--preview-every", "0"], "preview-every 0 .*a whole number from 1"),
        (["photo.png", "painting.png", "--resume"], "nothing to resume: give the folder of the checkpoint"),
        (["photo.png"], r"no style image for photo\.png: give CONTENT STYLE"),
        ([], "required: PICTURE"),
        (["photo.png", "painting.png", "--xyzzy", "3"], "--xyzzy: see tfstyle transfer --help"),
        (["photo.png", "painting.png", "--brush", "3"], "unknown argument --brush: "),
        (["photo.png", "painting.png", "--style-wieghts", "3"], "--style-wieghts: did you mean --style-weight"),
        (["photo.png", "painting.png", "--content-masks", "a.png"], "--content-masks: did you mean --content-mask"),
        (["photo.png", "painting.png", "--stat", "gram"], "--stat: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, arguments, match):
    bad_pictures(folder)
    before = files(folder)
    assert re.search(match, refused(capsys, "transfer", *arguments))
    assert files(folder) == before


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "required: COMMAND"),
        (["paint"], "invalid choice: 'paint'"),
        (["--quiet", "methods"], "--quiet: "),
    ],
    ids=" ".join,
)
def test_a_command_is_needed(capsys, arguments, match):
    assert re.search(match, refused(capsys, *arguments))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["dot.png", "painting.png"], r"dot\.png is 1x1 pixels: give a picture of at least 8 pixels a side"),
        (["photo.png", "dot.png"], r"dot\.png is 1x1 pixels: give a picture of at least 8 pixels a side"),
        (["photo.png", "painting.png", "--style-layers", ","], "style term has no layers: name at least one"),
        (["strip.png", "painting.png"], r"strip\.png is 48x1 pixels .*: crop it to a less narrow shape"),
        (["photo.png", "painting.png", "--size", "31"], r"photo\.png is 31x20 pixels .*: use size 49 or more"),
        (["photo.png", "painting.png", "--backbone", "VGG18"], "backbone 'VGG18': did you mean VGG19"),
        (["photo.png", "painting.png", "--style-layers", "conv1"], "layer of VGG19Mini 'conv1': "),
        (["photo.png", "painting.png", "--weights", "none.h5"], r"weights none\.h5 does not exist: give a file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_only_the_network_can_tell_is_one_line_too(folder, capsys, arguments, match):
    bad_pictures(folder)
    content, style, *rest = arguments
    assert re.search(match, refused(capsys, "transfer", content, style, *FAST, *rest, "--quiet"))


@pytest.mark.large
def test_no_file_of_the_users_is_lost(folder, capsys):
    """Neither an input file, nor a JSON file beside the output that isn't a record."""
    line = refused(capsys, "transfer", "photo.png", "painting.png", "-o", str(folder / "photo.png"), *FAST)
    assert "photo.png is one of the input files: choose another name" in line
    for option, file in [("--init", "init.png"), ("--weights", "weights.png"), ("--content-mask", "mask.png"),
                         ("--style-mask", "mask.png")]:  # fmt: skip
        images.save(np.ones((40, 40, 3)), file)
        line = refused(capsys, "transfer", "photo.png", "painting.png", "-o", file, *FAST, option, file)
        assert f"{file} is one of the input files: choose another name" in line
    (folder / "package.json").write_text('{"name": "mine"}')
    line = refused(capsys, "transfer", "photo.png", "painting.png", "-o", "package.png", *FAST)
    assert re.search(r"package\.png: its record would replace package\.json, .*choose another name", line)
    assert (folder / "package.json").read_text() == '{"name": "mine"}'
    for _ in range(2):  # an older result is replaced
        assert main(["transfer", "photo.png", "painting.png", "-o", "out.png", *FAST, "--steps", "1"]) == 0


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
    """Under half a second of processor time: the best of three, since other work may be going on."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = tfstyle("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        assert run.returncode == 0
        assert all(command in run.stdout for command in cli.COMMANDS)
    assert min(seconds) < 0.5


@pytest.mark.parametrize("command", ["transfer", "apply", "demo", "export", "generate", "methods", "weights"])
def test_every_argument_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    arguments = [number for number, line in enumerate(lines) if re.match(r"  (-|[A-Z]+\b)", line)]
    assert len(arguments) > 1
    for number in arguments:
        on_this_line = re.search(r"\S {2,}\S", lines[number])
        assert on_this_line or lines[number + 1].startswith(" " * 10), lines[number]


def test_a_closed_pipe_is_not_a_traceback():
    run = subprocess.run(
        f"{sys.executable} -m tfstyle methods | true", shell=True, capture_output=True, text=True, timeout=300
    )
    assert run.stderr == ""


def test_the_demo_paints_a_bundled_sample_at_once_and_then_better(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tfstyle.features.loading.faster", lambda: "float32")  # the probe takes its time
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
    assert "size 30000 can't be used: give a whole number from 64 to 4096" in capsys.readouterr().err
