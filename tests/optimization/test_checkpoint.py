"""A painting that is killed goes on from its checkpoint and ends as if nothing had been."""

import errno
import json
import logging
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from tfstyle import LBFGS, Backbone, Canvas, InputError, Objective, TotalVariationTerm, images, transfer
from tfstyle.cli.main import main
from tfstyle.optimization import checkpoint

pytestmark = pytest.mark.usefixtures("eager")

LAYERS = ["--content-layers", "block2_conv1", "--style-layers", "block1_conv1,block2_conv1"]
COMMAND = [
    "transfer", "photo.png", "painting.png", "-o", "out.png", "--bits", "16", "--quiet", "--backbone", "VGG19Mini",
    "--weights", "random", "--precision", "float32", *LAYERS, "--size", "100", "--scales", "2", "--steps", "24",
    "--checkpoint-every", "3",
]  # fmt: skip
DAMAGED = "is damaged or no checkpoint: delete it to start again"


class Killed(BaseException):
    """What nobody catches."""


def at(step, error):
    """A callback that raises after a step."""

    def stop(batch, logs):
        if callback.model.steps_done == step:
            raise error

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    return callback


class Steps(keras.callbacks.Callback):
    """The steps that were done, as (width, step)."""

    def on_train_begin(self, logs=None):
        if not hasattr(self, "seen"):
            self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((self.model.best_pixels.shape[2], self.model.steps_done))


@pytest.fixture(scope="module")
def paint(photo, painting):
    """`transfer` of small pictures, quick."""
    network = Backbone("VGG19Mini", "random", pooling="avg", precision="float32")

    def paint(content=photo, styles=painting, **given):
        settings = {
            "size": 48, "steps": 7, "backbone": network, "checkpoint_every": 3, "content_layers": "block2_conv1",
            "style_layers": ["block1_conv1", "block2_conv1"],
        }  # fmt: skip
        return transfer(content, styles, **(settings | given))

    return paint


@pytest.fixture(scope="module")
def unfinished(paint, tmp_path_factory):
    """The folder of a painting of 7 steps that was stopped after 5; its checkpoint is of the third."""
    folder = tmp_path_factory.mktemp("unfinished")
    result = paint(checkpoint=folder, callbacks=[at(5, KeyboardInterrupt)])
    assert (result.settings["stopped"], result.settings["steps_done"]) == ("interrupted", 5)
    return folder


@pytest.fixture
def kept(unfinished, tmp_path):
    """A copy of it."""
    return Path(shutil.copytree(unfinished, tmp_path / "kept"))


@pytest.fixture(scope="module")
def canvas():
    """A canvas without a network, and so quick; its loss is the total variation."""
    noise = np.random.default_rng(0).random((8, 9, 3), np.float32)
    canvas = Canvas(Objective([TotalVariationTerm(1.0)]), noise, [noise])
    canvas.compile(LBFGS(history=3))
    canvas.fit(steps=4)
    return canvas


def written(canvas, folder, **settings):
    """A checkpoint of a canvas, written at once."""
    keeper = checkpoint.Checkpoint(folder, 1, settings)
    keeper.state = {"scale": 0}
    keeper.set_model(canvas)
    keeper.write()
    return folder / "checkpoint.npz"


def message(function, *args, **kwargs):
    with pytest.raises(InputError) as error:
        function(*args, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)


def same(result, other):
    np.testing.assert_allclose(result.image, other.image, rtol=0, atol=1e-6)
    assert result.history.keys() == other.history.keys()
    for name, values in other.history.items():
        np.testing.assert_allclose(result.history[name], values, rtol=1e-6)
    for name in ("best_loss", "first_loss", "steps_done"):
        assert result.settings[name] == pytest.approx(other.settings[name], rel=1e-6)
    assert result.settings["stopped"] is other.settings["stopped"] is None


@pytest.mark.large
def test_a_killed_command_goes_on_and_ends_in_the_same_picture(
    tmp_path, photo, painting, monkeypatch, optimised_graphs
):
    """Killed at the first scale, killed at the second while it writes its checkpoint, and then left alone."""
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    file, keep = tmp_path / "cp" / "checkpoint.npz", ["--checkpoint", "cp"]

    process = subprocess.Popen([sys.executable, "-m", "tfstyle", *COMMAND, *keep], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not file.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    process.stderr.close()
    first = state(file)
    assert (first["scale"], first["step_log"]["step"][:3]) == (0, [1, 2, 3])
    assert not Path("out.png").exists()

    code = f"""if True:
        import os, signal, numpy as np, tfstyle.optimization.checkpoint
        from tfstyle.cli.main import main
        save, times = np.savez, []
        def half(file, **arrays):
            if '"scale": 1' in str(arrays["state"]):
                times.append(1)
                if len(times) == 2:
                    file.write(bytes(100_000))
                    file.flush()
                    os.kill(os.getpid(), signal.SIGKILL)
            save(file, **arrays)
        np.savez = half
        main({[*COMMAND, *keep, "--resume"]!r})
    """
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == -signal.SIGKILL
    second = state(file)
    assert (second["scale"], second["step_log"]["step"], len(second["history"]["step"])) == (1, [1, 2, 3], 24)
    assert len(os.listdir("cp")) == 2  # with what there is of the one that was not finished
    assert not Path("out.png").exists()

    assert main([*COMMAND, *keep, "--resume", "--preview-every", "3"]) == 0
    assert sorted(path.name for path in tmp_path.glob("out-step*")) == [
        f"out-step000{step:02}.png" for step in (30, 33, 36)
    ]  # the steps before have not been done again
    assert not Path("cp").exists()
    picture, record = images.load("out.png").rgb, json.loads(Path("out.json").read_text())

    assert main(COMMAND) == 0
    whole = json.loads(Path("out.json").read_text())
    assert whole["scale_steps"] == [24, 12]
    np.testing.assert_allclose(picture, images.load("out.png").rgb, rtol=0, atol=1e-6)
    for name in ("step", "loss", "content", "style", "total_variation"):
        np.testing.assert_allclose(record["history"][name], whole["history"][name], rtol=1e-6)
    timed = {"history", "seconds", "optimization_seconds"}
    assert {k: v for k, v in record.items() if k not in timed} == {k: v for k, v in whole.items() if k not in timed}


def state(file):
    with np.load(file, allow_pickle=False) as arrays:
        return json.loads(str(arrays["state"]))


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_kill_between_two_scales_or_in_the_second_changes_nothing(paint, tmp_path, optimizer):
    given = {"size": 100, "scales": 2, "steps": 6, "optimizer": optimizer, "warm_start": True}
    whole = paint(**given)
    given["checkpoint"] = tmp_path / "cp"

    class Kill(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            if self.model.best_pixels.shape[2] == 100:
                raise Killed

    with pytest.raises(Killed):
        paint(**given, callbacks=[Kill()])
    assert len(state(tmp_path / "cp" / "checkpoint.npz")["step_log"]["step"]) == 6
    steps = Steps()
    if optimizer == "adam":
        same(paint(**given, resume=True, callbacks=[steps]), whole)
        assert steps.seen == [(100, 1), (100, 2), (100, 3)]
    else:
        with pytest.raises(Killed):  # in the third of three steps, the second checkpoint
            paint(**given | {"checkpoint_every": 2}, resume=True, callbacks=[at(3, Killed)])
        same(paint(**given, resume=True, callbacks=[steps]), whole)
        assert steps.seen == [(100, 3)]


def test_pairs_in_half_precision_go_on_too(paint, tmp_path, monkeypatch):
    from tfstyle.optimization import memory

    monkeypatch.setattr(memory, "HISTORY_BYTES", 4 * 12 * 32 * 48)
    whole = paint()
    stopped = paint(checkpoint=tmp_path, callbacks=[at(5, KeyboardInterrupt)])
    assert whole.settings["optimizer_options"]["pairs_dtype"] == "bfloat16"
    assert stopped.settings["stopped"] == "interrupted"
    same(paint(checkpoint=tmp_path, resume=True), whole)


def test_after_ctrl_c_the_painting_can_go_on(paint, kept):
    steps, whole = Steps(), paint()
    (kept / "notes.txt").write_text("mine")
    resumed = paint(checkpoint=kept, resume=True, checkpoint_every=2, callbacks=[steps])  # as often as one likes
    assert [step for _, step in steps.seen] == [4, 5, 6, 7]
    same(resumed, whole)
    assert os.listdir(kept) == ["notes.txt"]


def test_steps_that_are_done_several_a_call_go_on_too(paint, tmp_path, monkeypatch):
    """As on a GPU."""
    monkeypatch.setattr("tfstyle.pipelines.build.steps_per_call", lambda: 3)
    given, steps = {"optimizer": "adam", "checkpoint_every": 2}, Steps()
    whole = paint(**given)
    with pytest.raises(Killed):
        paint(**given, checkpoint=tmp_path / "cp", callbacks=[at(6, Killed)])
    same(paint(**given, checkpoint=tmp_path / "cp", resume=True, callbacks=[steps]), whole)
    assert [step for _, step in steps.seen] == [6, 7]


def test_the_checkpoint_stays_until_the_picture_is_written(tmp_path, photo, painting, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    command = [*COMMAND, "--size", "50", "--scales", "1", "--steps", "3", "--checkpoint", "cp"]

    def full(path, data):
        raise InputError(f"could not write {path}: No space left on device; free some space")

    with monkeypatch.context() as patch:
        patch.setattr("tfstyle.core.files.atomic_write", full)
        assert main(command) == 2
    assert capsys.readouterr().err == "tfstyle: could not write out.png: No space left on device; free some space\n"
    assert state(tmp_path / "cp" / "checkpoint.npz")["step_log"]["step"] == [1, 2, 3]
    assert main([*command, "--resume"]) == 0
    assert json.loads(Path("out.json").read_text())["steps_done"] == 3
    assert not Path("cp").exists()


def test_without_a_checkpoint_a_resumed_painting_begins(paint, tmp_path):
    assert paint(checkpoint=tmp_path / "a" / "b", resume=True, steps=1).settings["steps_done"] == 1
    assert os.listdir(tmp_path / "a") == []


def test_pictures_may_have_moved_meanwhile(paint, photo, painting, tmp_path):
    images.save(painting, tmp_path / "a.png")
    images.save(photo, tmp_path / "b.png")
    given = {"steps": 3, "checkpoint_every": 1, "checkpoint": tmp_path / "cp"}
    paint(images.load(tmp_path / "b.png"), tmp_path / "a.png", **given, callbacks=[at(3, KeyboardInterrupt)])
    for name in "ab":
        (tmp_path / f"{name}.png").rename(tmp_path / f"{name}{name}.png")
    steps = Steps()
    paint(tmp_path / "bb.png", tmp_path / "aa.png", **given, callbacks=[steps], resume=True)
    assert len(steps.seen) == 1


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"steps": 8}, r"scales was \[\[48, 7\]\], is \[\[48, 8\]\]; steps was 7, is 8"),
        ({"style_weight": 0.25}, r"\(style weight was 1\.0, is 0\.25\)"),
        ({"seed": 1, "init": "noise"}, 'init was "content", is "noise"; seed was 0, is 1'),
        ({"optimizer": "adam"}, r'\(optimizer was "lbfgs", is "adam"\)'),
        ({"learning_rate": 0.5}, r"\(learning rate was null, is 0\.5\)"),
        ({"warm_start": True}, r"\(warm start was false, is true\)"),
        ({"content": np.full((40, 56, 3), 0.5)}, r"\(another image as content\)"),
        ({"styles": np.full((48, 48, 3), 0.5)}, r"\(another image as styles\)"),
        ({"content_masks": np.full((40, 56), 0.5)}, r"\(another image as content masks\)"),
        ({"init": np.full((40, 56, 3), 0.5)}, 'init was "content", is null; another image as init'),
        (
            {"content_layers": [f"block{n}_conv1" for n in range(1, 6)]},
            r'content layers was \["block2_conv1"\], is \["block1_conv1", "block2_conv1", ',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_checkpoint_of_other_settings_is_refused_and_stays(paint, kept, options, match):
    before = (kept / "checkpoint.npz").read_bytes()
    line = message(paint, **options, checkpoint=kept, resume=True)
    assert line.startswith(f"{kept}/checkpoint.npz has other settings (")
    assert "delete it" in line
    assert re.search(match, line)
    assert (kept / "checkpoint.npz").read_bytes() == before


def test_options_that_are_given_at_their_defaults_are_no_other_settings(paint, kept):
    """As on a command line that is more explicit the second time."""
    steps = Steps()
    defaults = {
        "method": "gatys", "style_weights": [2], "style_scale": 1.0, "seed": 0, "scales": 1, "init": "content",
        "optimizer": "lbfgs", "preserve_color": "none", "blank_areas": 1, "normalize_losses": True, "tile": "off",
        "balance_gradients": False, "warm_start": False, "parameterization": "fourier", "style_weight": 1.0,
        "activation_smoothing": False, "tv_weight": 0.1, "precision": "float32",
    }  # fmt: skip
    same(paint(checkpoint=kept, resume=True, callbacks=[steps], **defaults), paint())
    assert [step for _, step in steps.seen] == [4, 5, 6, 7]


def test_another_network_is_refused_too(paint, kept):
    network = Backbone("VGG19Mini", "random", pooling="avg", precision="bfloat16", seed=1)
    line = message(paint, backbone=network, checkpoint=kept, resume=True)
    assert line.startswith(f"{kept}/checkpoint.npz has other settings (")
    assert 'precision was "float32", is "bfloat16"; weights was {"name": "random", ' in line


def test_what_the_command_line_refuses_is_one_line_and_exit_code_2(kept, photo, painting, monkeypatch, capsys):
    monkeypatch.chdir(kept.parent)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    Path("file").write_text("mine")
    (kept / "x").mkdir()

    def refused(match, *arguments):
        assert main([*COMMAND, *arguments]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        (line,) = output.err.splitlines()
        assert re.match(f"tfstyle: .*{match}", line)

    refused("nothing to resume: give the folder of the checkpoint", "--resume")
    refused("checkpoint every 0 .*a whole number from 1", "--checkpoint-every", "0", "--checkpoint", "cp")
    before = (kept / "checkpoint.npz").read_bytes()
    refused(r"kept/checkpoint\.npz .*: resume it, delete it, or give another folder", "--checkpoint", "kept")
    others = (
        r"kept/checkpoint\.npz has other settings \(another image as content; scales was \[\[48, 7\]\], is "
        r"\[\[50, 24\], \[100, 12\]\]; size was 48, is 100; steps was 7, is 24; another image as styles\): "
    )
    refused(others, "--checkpoint", "kept", "--resume")
    assert (kept / "checkpoint.npz").read_bytes() == before
    refused("could not make the folder file: File exists; choose another", "--checkpoint", "file")
    refused("could not make the folder /proc/nowhere: .*choose another", "--checkpoint", "/proc/nowhere")
    (kept / "checkpoint.npz").write_bytes(before[:5000])
    refused(rf"kept/checkpoint\.npz {DAMAGED}", "--checkpoint", "kept", "--resume")
    assert Path("file").read_text() == "mine"
    assert not Path("out.png").exists()


def test_a_folder_that_cannot_be_written_in_is_found_out_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert message(checkpoint.prepare, tmp_path, False) == (
        f"could not write {tmp_path}/checkpoint.npz: the folder {tmp_path} can't be written in; choose another place"
    )


def test_all_that_changes_is_in_the_file_and_comes_back(canvas, tmp_path):
    written(canvas, tmp_path, steps=9, blend=(0.5, 0.5))
    assert os.listdir(tmp_path) == ["checkpoint.npz"]
    other = Canvas(canvas.objective, np.zeros((8, 9, 3)), [np.zeros((8, 9, 3))])
    other.compile(LBFGS(history=3))
    found = checkpoint.read(tmp_path, {"steps": 9, "blend": (0.5, 0.5)})
    assert found["scale"] == 0
    checkpoint.restore(other, found)
    assert other.step_logs == canvas.step_logs
    targets = {id(leaf) for leaf in keras.tree.flatten(canvas.targets)}
    compared = 0
    for theirs, ours in zip(
        canvas.variables + canvas.optimizer.variables, other.variables + other.optimizer.variables, strict=True
    ):
        if id(theirs) not in targets:
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
            compared += 1
    assert compared == 5 + 8  # the canvas's own; iterations, learning rate, and six of the pixels
    assert np.abs(canvas.optimizer.states[0]["steps"].numpy()).max() > 0


def test_a_checkpoint_of_another_size_is_refused(canvas, tmp_path):
    written(canvas, tmp_path)
    other = Canvas(canvas.objective, np.zeros((8, 8, 3)), [np.zeros((8, 8, 3))])
    other.compile(LBFGS(history=3))
    assert message(checkpoint.restore, other, checkpoint.read(tmp_path, {})) == (
        "the checkpoint does not fit this optimisation: delete it to start again"
    )


def test_damage_is_found(canvas, tmp_path):
    """Wherever the file is cut or a bit of it has flipped: it is refused, or says what it said."""
    path = written(canvas, tmp_path, steps=9)
    whole = path.read_bytes()
    good = checkpoint.read(tmp_path, {"steps": 9})
    for length in [0, 1, 30, *range(100, len(whole), len(whole) // 20), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert message(checkpoint.read, tmp_path, {"steps": 9}) == f"{path} {DAMAGED}"
    rng, refused, total = np.random.default_rng(0), [], 400
    for place in rng.integers(0, len(whole), total):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.integers(8)]) + whole[place + 1 :])
        try:
            found = checkpoint.read(tmp_path, {"steps": 9})
        except InputError as error:
            refused.append(str(error))
            continue
        assert {k: v for k, v in found.items() if k != "arrays"} == {k: v for k, v in good.items() if k != "arrays"}
        for ours, theirs in zip(found["arrays"], good["arrays"], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert {text.replace("Invalid argument", "") for text in refused} <= {
        f"{path} {DAMAGED}", f"could not read {path}: ; solve that, or delete it to start again"
    }  # fmt: skip
    assert len(refused) > 0.6 * total  # the others are in dates and the like


def test_a_bit_that_flips_in_the_data_is_found(canvas, tmp_path):
    path = written(canvas, tmp_path)
    pixels = canvas.pixels.numpy().tobytes()
    whole = path.read_bytes()
    place = whole.index(pixels) + len(pixels) // 2
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert message(checkpoint.read, tmp_path, {}) == f"{path} {DAMAGED}"


class Payload:
    """What runs code where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_other_files_are_refused_and_never_run(canvas, tmp_path):
    path, payload = tmp_path / "checkpoint.npz", Payload(tmp_path / "ran")
    texts = {"settings": json.dumps({}), "state": json.dumps({"scale": 0, "step_log": {}, "variables": 1})}

    def objects():
        np.savez(path, **texts, variable_0=np.array([payload], dtype=object))

    def names():
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("settings", pickle.dumps(payload))

    kinds = {
        "text": lambda: path.write_text("I am not a checkpoint"),
        "pickle": lambda: path.write_bytes(pickle.dumps(payload)),
        "npy": lambda: path.write_bytes(b"\x93NUMPY\x01\x00v\x00"),
        "archive of other things": lambda: np.savez(path, a=np.zeros(3)),
        "archive without arrays": names,
        "archive of objects": objects,
        "archive of too few": lambda: np.savez(
            path, **texts | {"state": texts["state"].replace("1", "2")}, variable_0=1
        ),
        "no history": lambda: np.savez(path, settings="{}", state="{}", variable_0=np.zeros(3)),
        "no objects in JSON": lambda: np.savez(path, settings="[]", state="1"),
    }
    for kind, write in kinds.items():
        write()
        assert message(checkpoint.read, tmp_path, {}) == f"{path} {DAMAGED}", kind
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(payload))
    assert (tmp_path / "ran").exists()  # it would have


def test_a_checkpoint_that_cannot_be_read_now_is_not_called_damaged(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    path.touch()
    for error, text in (
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (MemoryError(), "MemoryError"),
    ):

        def fail(*args, error=error, **kwargs):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr("builtins.open", fail)
            found = message(checkpoint.read, tmp_path, {})
        assert found == f"could not read {path}: {text}; solve that, or delete it to start again"


def test_a_full_disk_loses_neither_painting_nor_checkpoint(paint, tmp_path, monkeypatch, log):
    """It is said once, the checkpoint before stays, and where there is space again the next is written."""
    path, save, sizes = tmp_path / "cp" / "checkpoint.npz", np.savez, []

    def full(file, **arrays):
        sizes.append(state(path)["step_log"]["step"][-1] if path.exists() else 0)
        if len(sizes) in (2, 3):
            file.write(b"a part of it")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(file, **arrays)

    monkeypatch.setattr(np, "savez", full)
    given = {"checkpoint": tmp_path / "cp", "checkpoint_every": 1}
    with pytest.raises(Killed):
        paint(**given, callbacks=[at(6, Killed)])
    assert sizes == [0, 1, 1, 1, 4]
    assert os.listdir(tmp_path / "cp") == ["checkpoint.npz"]
    assert log() == [
        f"the optimisation continues without a new checkpoint: could not write {path}: No space left on device; "
        "free some space or choose another place"
    ]
    sizes.clear()
    same(paint(**given, resume=True), paint())
    assert sizes == [5, 6]  # the second, of the last step, could not be written
    assert not (tmp_path / "cp").exists()


@pytest.fixture
def log(caplog):
    """Our own log lines, whatever command lines there have been."""
    with caplog.at_level(logging.INFO, "tfstyle"):
        yield lambda: [record.getMessage() for record in caplog.records if record.name == "tfstyle"]


def test_what_the_system_breaks_off_is_reported_and_the_checkpoint_before_stays(canvas, tmp_path, log):
    """Wherever in the file the system stops writing, what NumPy and zipfile make of it is no other error."""
    path = written(canvas, tmp_path)
    before = path.read_bytes()
    keeper = checkpoint.Checkpoint(tmp_path, 1, {"other": "settings"})
    keeper.set_model(canvas)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 300, 5000, len(before) - 10):
        keeper._passed, keeper._failed = 0, False
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
        try:
            keeper.on_train_batch_end(0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["checkpoint.npz"]
    assert (
        log()
        == [
            f"the optimisation continues without a new checkpoint: could not write {path}: File too large; "
            "choose another place"
        ]
        * 4
    )


def test_a_checkpoint_that_stays_is_no_reason_to_lose_the_painting(paint, tmp_path, monkeypatch, log):
    def refuse(self, missing_ok=False):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert paint(steps=1, checkpoint_every=1, checkpoint=tmp_path).settings["steps_done"] == 1
    path = tmp_path / "checkpoint.npz"
    assert f"could not delete {path}, which is no longer needed: Permission denied" in log()
    monkeypatch.undo()
    shutil.rmtree(tmp_path)
    checkpoint.remove(tmp_path)  # where it has gone, nothing is left to do


def test_a_spoilt_step_is_not_kept(paint, tmp_path, monkeypatch):
    """So that going on, with other pictures than NaN, makes sense."""
    original = Canvas.recent_losses

    def spoilt(self, number):
        losses = original(self, number)
        return [np.full_like(each, np.nan) for each in losses] if self.steps_done == 3 else losses

    monkeypatch.setattr(Canvas, "recent_losses", spoilt)
    result = paint(checkpoint=tmp_path, checkpoint_every=1)
    assert result.settings["stopped"] == "the loss was not a finite number after 3 steps"
    assert state(tmp_path / "checkpoint.npz")["step_log"]["step"] == [1, 2]
