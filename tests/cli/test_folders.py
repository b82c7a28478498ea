"""The command line with a folder: every picture of it, or one in every style; or why not."""

import errno
import json
import os
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tfstyle import InputError, images
from tfstyle.cli import folders
from tfstyle.cli.main import main
from tfstyle.pipelines import batch

pytestmark = pytest.mark.usefixtures("eager")

FAST = [
    "--backbone", "VGG19Mini", "--size", "48", "--steps", "2", "--precision", "float32", "--optimizer", "adam",
    "--content-layers", "block2_conv1", "--style-layers", "block1_conv1",
]  # fmt: skip
PAINTING = "painting with VGG19Mini, weights embedded (this package)"


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch):
    """Three photographs and a file that is none in `photos`, and the painting beside it."""
    (tmp_path / "photos").mkdir()
    for name, picture in {"b.png": photo, "a.jpg": photo[::-1], "c d.PNG": photo[:, ::-1]}.items():
        Image.fromarray((picture * 255).astype("uint8")).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "notes.txt").write_text("mine")
    (tmp_path / "photos" / "folder.png").mkdir()
    images.save(painting, tmp_path / "painting.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    """What there is under a folder: bytes by path, None for folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def painted(*arguments, code=0):
    assert main(["transfer", "photos", "painting.png", *FAST, *arguments]) == code


def test_every_picture_of_a_folder_is_painted_into_another(folder, capsys):
    before = contents(folder)
    painted("-o", "made/out", "--bits", "16")
    assert names("made/out") == ["a.json", "a.png", "b.json", "b.png", "c d.json", "c d.png"]
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert [line[: line.index(",")] for line in lines] == [
        f"wrote made/out/{name}.png after 2 steps" for name in ("a", "b", "c d")
    ]
    assert output.err == f"{PAINTING}\n"
    record = json.loads(Path("made/out/c d.json").read_text())
    assert (record["content"], record["styles"], record["steps"], record["bits"]) == (
        "photos/c d.PNG", ["painting.png"], 2, 16,
    )  # fmt: skip
    assert {path: data for path, data in contents(folder).items() if not path.startswith("made")} == before

    assert main(["transfer", "photos/b.png", "painting.png", "-o", "b.png", "--bits", "16", *FAST]) == 0
    np.testing.assert_allclose(images.load("made/out/b.png").rgb, images.load("b.png").rgb, atol=1e-4)
    assert np.abs(images.load("made/out/a.png").rgb - images.load("b.png").rgb).max() > 0.1


def test_the_folder_has_a_name_where_none_is_given_and_may_be_there_already(folder, capsys):
    Path("photos-painting").mkdir()
    Path("photos-painting/a.png").write_bytes(b"an older one")
    Path("photos-painting/mine.txt").write_text("mine")
    painted("--quiet")
    assert names("photos-painting") == ["a.json", "a.png", "b.json", "b.png", "c d.json", "c d.png", "mine.txt"]
    assert Image.open("photos-painting/a.png").size == (48, 32)
    assert capsys.readouterr() == ("", "")


def test_bad_pictures_are_named_at_the_end_and_the_others_are_done(folder, capsys):
    Path("photos/bad.png").write_bytes(b"\x89PNG I am not a picture")
    Path("photos/bad\nname.jpg").write_text("I am not a picture")
    Image.new("RGB", (200, 10)).save("photos/zz.png")
    painted("-o", "out", code=2)
    assert [name for name in names("out") if name.endswith("png")] == ["a.png", "b.png", "c d.png"]
    output = capsys.readouterr()
    assert len(output.out.splitlines()) == 3
    first, *lines, last = output.err.splitlines()
    assert (first, last) == (PAINTING, "tfstyle: 3 of 6 pictures were left out")
    bad = ("'photos/bad\\nname.jpg'", "photos/bad.png", "photos/zz.png")
    for line, name in zip(lines, bad, strict=True):
        assert line.startswith(f"tfstyle: {name} was left out: {name} is ")
    assert "48x2 pixels" in lines[-1]
    assert Path("photos/bad.png").read_bytes() == b"\x89PNG I am not a picture"


def test_json_is_an_object_a_line(folder, capsys):
    Path("photos/bad.png").write_bytes(b"")
    painted("-o", "out", "--json", "--quiet", code=2)
    output = capsys.readouterr()
    records = [json.loads(line) for line in output.out.splitlines()]
    assert [record["output"] for record in records] == ["out/a.png", "out/b.png", "out/c d.png"]
    for record in records:
        written = json.loads(Path(record["output"]).with_suffix(".json").read_text())
        assert record == {"output": record["output"]} | {
            k: v for k, v in written.items() if k not in ("bits", "quality")
        }
    assert output.err.splitlines()[0].startswith("tfstyle: photos/bad.png was left out: ")
    assert output.err.splitlines()[1:] == ["tfstyle: 1 of 4 pictures were left out"]


def test_pictures_that_differ_in_their_suffix_only_do_not_take_each_others_place(folder, photo):
    Image.fromarray((photo * 255).astype("uint8")).save("photos/a.png")
    painted("-o", "out", "--quiet")
    assert [name for name in names("out") if not name.endswith("json")] == [
        "a.jpg.png",
        "a.png.png",
        "b.png",
        "c d.png",
    ]
    assert json.loads(Path("out/a.png.json").read_text())["content"] == "photos/a.png"
    assert json.loads(Path("out/a.jpg.json").read_text())["content"] == "photos/a.jpg"


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a.jpg", "b.png"], ["a", "b"]),
        (["a.jpg", "a.png", "b.png"], ["a.jpg", "a.png", "b"]),
        (["A.jpg", "a.png", "b.png"], ["A.jpg", "a.png", "b"]),  # one file where case doesn't count
        (["a.jpg", "a.jpg.png", "a.png", "b.png"], ["a.jpg", "a.jpg.png", "a.png", "b.png"]),
    ],
)
def test_no_two_outputs_have_one_name(sources, names):
    assert folders.distinct_names([Path("photos") / name for name in sources]) == names


TAKEN = "is one of the input files: choose another name"
ONE_PICTURE = "is for one picture: leave it out, or paint one picture"
REFUSED = {
    "an empty folder": (["empty", "painting.png"], "no picture in the folder empty: put some there"),
    "a file for output": (
        ["photos", "painting.png", "-o", "painting.png"], "painting.png is a file, and .*: give a folder"
    ),
    "a folder in a file": (
        ["photos", "painting.png", "-o", "painting.png/out"], "could not make the folder painting.png/out: "
    ),
    "the same folder": (["photos", "painting.png", "-o", "photos"], f"photos/b.png {TAKEN}"),
    "the same folder by another name": (["photos", "painting.png", "-o", "link"], f"link/b.png {TAKEN}"),
    "the folder of the style": (["photos", "styles/b.png", "-o", "styles"], f"styles/b.png {TAKEN}"),
    "the folder of a mask": (
        ["photos", "painting.png", "-o", "styles", "--content-mask", "styles/b.png"], f"styles/b.png {TAKEN}"
    ),
    "the folder of the init": (
        ["photos", "painting.png", "-o", "styles", "--init", "styles/b.png"], f"styles/b.png {TAKEN}"
    ),
    "previews": (["photos", "painting.png", "--preview-every", "2"], f"--preview-every {ONE_PICTURE}"),
    "a checkpoint": (["photos", "painting.png", "--checkpoint", "cp"], f"--checkpoint {ONE_PICTURE}"),
    "resuming": (["photos", "painting.png", "--resume"], f"--resume {ONE_PICTURE}"),
    "previews of several": (
        ["photos/a.jpg", "photos/b.png", "--style", "painting.png", "--preview-every", "2"],
        f"--preview-every {ONE_PICTURE}",
    ),
    "no style": (["photos", "missing.png"], "missing.png does not exist; check the path"),
    "no style at all": (["photos"], "no style image for photos: give CONTENT STYLE"),
    "a bad option": (["photos", "painting.png", "--steps", "0"], "steps 0 .*a whole number from 1 to 10000000"),
    "a folder in each": (["photos", "painting.png", "--each"], "photos is a folder, and --each .*one content image"),
    "several in each": (
        ["photos/a.jpg", "photos/b.png", "--style", "painting.png", "--each"],
        "photos/a.jpg, photos/b.png are several pictures, and --each .*one content image",
    ),
    "a file for the folder of each": (
        ["photos/b.png", "painting.png", "--each", "-o", "painting.png"], "painting.png is a file, .*give a folder"
    ),
    "each into the folder of a style": (
        ["photos/b.png", "styles/b.png", "--each", "-o", "styles"], f"styles/b.png {TAKEN}"
    ),
    "a grid for a style": (["photos/b.png", "styles/grid.png", "--each", "-o", "styles"], f"styles/grid.png {TAKEN}"),
    "a grid of others": (
        ["photos/b.png", "painting.png", "--each", "-o", "styles"], "could not write styles/grid.png: .*tfstyle"
    ),
    "previews of each": (
        ["photos/b.png", "painting.png", "--each", "--preview-every", "2"], f"--preview-every {ONE_PICTURE}"
    ),
    "weights of each": (
        ["photos/b.png", "painting.png", "painting.png", "--each", "--style-weights", "1,2"],
        "each style is painted by itself: leave out style weights",
    ),
    "a checkpoint of each": (
        ["photos/b.png", "painting.png", "--each", "--checkpoint", "cp"], f"--checkpoint {ONE_PICTURE}"
    ),
    "no content in each": (["missing.png", "painting.png", "--each"], "missing.png does not exist; check the path"),
    "a picture, a mask": (
        ["photos/b.png", "painting.png", "-o", "styles/b.png", "--style-mask=styles/b.png"], f"styles/b.png {TAKEN}"
    ),
    "a picture, an init": (
        ["photos/b.png", "painting.png", "-o", "styles/b.png", "--init", "styles/b.png"], f"styles/b.png {TAKEN}"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "match"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_one_line_and_nothing_is_touched(folder, painting, capsys, arguments, match):
    for name in ("empty", "styles"):
        Path(name).mkdir()
    Path("link").symlink_to("photos")
    images.save(painting, "styles/b.png")
    images.save(painting, "styles/grid.png")
    before = contents(folder)
    assert main(["transfer", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert re.match(f"tfstyle: .*{match}", line)
    assert contents(folder) == before


def test_a_record_of_others_is_found_before_the_work(folder, capsys, monkeypatch):
    Path("out").mkdir()
    Path("out/c d.json").write_text('{"name": "mine"}')
    monkeypatch.setattr(batch, "transfer_batch", Results(AssertionError("it was begun")))
    painted("-o", "out", code=2)
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"tfstyle: could not write out/c d\.png: .* replace out/c d\.json, .*choose another name", line)
    assert names("out") == ["c d.json"]


def test_a_folder_that_cannot_be_read_is_one_line(folder, capsys, monkeypatch):
    def refuse(self):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert main(["transfer", "photos", "painting.png"]) == 2
    assert capsys.readouterr().err == "tfstyle: could not read the folder photos: Permission denied\n"


def test_ctrl_c_writes_the_picture_in_work_and_begins_no_other(folder, capsys, monkeypatch):
    Path("photos/aa.png").write_bytes(b"")
    original, pictures = keras.Model.fit, []

    def fit(self, *args, callbacks, **kwargs):
        def stop(batch, logs):
            if len(pictures) == 2:
                raise KeyboardInterrupt

        pictures.append(1)
        stopper = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
        return original(self, *args, callbacks=[*callbacks, stopper], **kwargs)

    monkeypatch.setattr(keras.Model, "fit", fit)
    painted("-o", "out", code=130)
    output = capsys.readouterr()
    assert [name for name in names("out") if name.endswith("png")] == ["a.png", "b.png"]
    assert json.loads(Path("out/b.json").read_text())["stopped"] == "interrupted"
    assert output.err.splitlines()[1:] == [
        "tfstyle: stopped early (interrupted): out/b.png is the best picture so far",
        "tfstyle: photos/aa.png was left out: photos/aa.png is an empty file; give a picture",
        "tfstyle: 1 of 4 pictures were left out",
        "tfstyle: interrupted: 1 of 4 pictures were not painted",
    ]


class Results:
    """In place of `transfer_batch`: results that need no painting."""

    def __init__(self, *results):
        self.results = results

    def __call__(self, contents, **options):
        for result in self.results:
            if isinstance(result, (KeyboardInterrupt, AssertionError)):
                raise result
            yield result


@pytest.fixture
def done(folder):
    """A result, and one that stopped before its time."""
    settings = {"steps_done": 2, "seconds": 1.0}
    picture = np.zeros((4, 4, 3), np.float32)
    kinds = (None, "the loss was not a finite number after 2 steps")
    return [batch.Result(picture, None, {"step": [1, 2]}, {**settings, "stopped": stopped}) for stopped in kinds]


def test_a_ctrl_c_between_two_pictures_says_how_far_it_came(folder, done, capsys, monkeypatch):
    monkeypatch.setattr(batch, "transfer_batch", Results(done[0], KeyboardInterrupt()))
    painted("-o", "out", code=130)
    output = capsys.readouterr()
    assert output.out == "wrote out/a.png after 2 steps, 1 s\n"
    assert output.err == "tfstyle: interrupted: 2 of 3 pictures were not painted\n"


def test_a_bad_picture_counts_for_more_than_one_that_stopped(folder, done, capsys, monkeypatch):
    monkeypatch.setattr(batch, "transfer_batch", Results(done[1], done[0], InputError("c is bad")))
    painted("-o", "out", "--quiet", code=2)
    monkeypatch.setattr(batch, "transfer_batch", Results(done[0], done[1], done[0]))
    painted("-o", "other", "--quiet", code=1)
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_what_was_left_out_is_said_also_where_nothing_can_be_written_any_more(folder, done, capsys, monkeypatch):
    monkeypatch.setattr(batch, "transfer_batch", Results(InputError("a is bad"), done[0], done[0]))

    def full(*args):
        raise InputError("could not write out/b.png: No space left on device; free some space")

    monkeypatch.setattr("tfstyle.core.files.atomic_write", full)
    painted("-o", "out", code=2)
    assert capsys.readouterr().err.splitlines() == [
        "tfstyle: photos/a.jpg was left out: a is bad",
        "tfstyle: could not write out/b.png: No space left on device; free some space",
    ]


@pytest.fixture
def styles(folder, painting):
    """Three, two of which have one name."""
    for name, picture in {"x/a.png": painting, "y/a.png": 1 - painting, "y/b.jpg": painting[::-1]}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        images.save(picture, folder / name)
    return ["x/a.png", "y/a.png", "y/b.jpg"]


def in_each(*arguments, code=0):
    assert main(["transfer", "photos/b.png", *arguments, "--each", *FAST]) == code


def test_a_picture_is_painted_in_each_style_into_a_folder_with_a_grid(folder, styles, capsys):
    in_each(*styles)
    made = ["a-2.json", "a-2.png", "a.json", "a.png", "b.json", "b.png", "grid.png"]
    assert names("b-styles") == made
    output = capsys.readouterr()
    assert [line.split(" after")[0] for line in output.out.splitlines()] == [
        f"wrote b-styles/{name}.png" for name in ("a", "a-2", "b", "grid")
    ]
    assert output.err == f"{PAINTING}\n"
    for name, style in zip(("a", "a-2", "b"), styles, strict=True):
        record = json.loads(Path(f"b-styles/{name}.json").read_text())
        assert (record["content"], record["styles"], record["style_weights"]) == ("photos/b.png", [style], [1.0])
        assert main(["transfer", "photos/b.png", style, "-o", "alone.png", "--quiet", *FAST]) == 0
        np.testing.assert_allclose(images.load(f"b-styles/{name}.png").rgb, images.load("alone.png").rgb, atol=0.005)
    page = images.load("b-styles/grid.png").rgb
    assert page.shape[1] == 14 + 4 * (48 + 14)
    (row,) = (  # where the results stand, below their styles
        top for top in range(page.shape[0] - 32)
        if np.abs(page[top : top + 32, -62:-14] - images.load("b-styles/b.png").rgb).max() < 1e-6
    )  # fmt: skip
    for column, name in enumerate(("a", "a-2", "b"), 1):
        left = 14 + column * 62
        result = images.load(f"b-styles/{name}.png").rgb
        np.testing.assert_allclose(page[row : row + 32, left : left + 48], result, atol=1e-6)
        style = images.load(styles[column - 1], 24).rgb
        np.testing.assert_allclose(page[14:38, left + 12 : left + 36], style, atol=0.1)
    np.testing.assert_allclose(page[row : row + 32, 14:62], images.load("photos/b.png", 48).rgb, atol=0.01)

    in_each(*styles[:1], "--quiet", "-o", "b-styles")  # an older grid is replaced
    assert names("b-styles") == made
    assert images.load("b-styles/grid.png").rgb.shape[1] == 14 + 2 * (48 + 14)
    assert capsys.readouterr() == ("", "")


def test_bad_styles_are_named_at_the_end_and_the_others_are_done(folder, styles, capsys):
    Path("bad.png").write_text("I am not a picture")
    in_each("bad.png", styles[0], "gone.png", "--json", "-o", "out", code=2)
    assert names("out") == ["a.json", "a.png", "grid.png"]
    output = capsys.readouterr()
    assert [json.loads(line)["output"] for line in output.out.splitlines()] == ["out/a.png"]
    first, second, third = output.err.splitlines()[1:]
    assert first.startswith("tfstyle: bad.png was left out: bad.png is not a picture")
    assert second.startswith("tfstyle: gone.png was left out: gone.png does not exist")
    assert third == "tfstyle: 2 of 3 styles were left out"
    in_each("bad.png", "-o", "none", code=2)
    assert names("none") == []


def test_ctrl_c_writes_what_is_done_and_the_grid_of_that(folder, styles, capsys, monkeypatch):
    original, fits = keras.Model.fit, []
    monkeypatch.setattr("tfstyle.optimization.memory.pictures_per_step", lambda *args: 2)

    def fit(self, *args, callbacks, **kwargs):
        def stop(batch, logs):
            if len(fits) == 2:
                raise KeyboardInterrupt

        fits.append(1)
        stopper = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
        return original(self, *args, callbacks=[*callbacks, stopper], **kwargs)

    monkeypatch.setattr(keras.Model, "fit", fit)
    in_each(*styles, *styles, "-o", "out", code=130)
    output = capsys.readouterr()
    assert [name for name in names("out") if name.endswith("png")] == [
        "a-2.png",
        "a-3.png",
        "a.png",
        "b.png",
        "grid.png",
    ]
    stopped = {name: json.loads(Path(f"out/{name}.json").read_text())["stopped"] for name in ("a", "a-2", "b", "a-3")}
    assert stopped == {"a": None, "a-2": None, "b": "interrupted", "a-3": "interrupted"}
    assert output.err.splitlines()[1:] == [
        "tfstyle: stopped early (interrupted): out/b.png is the best picture so far",
        "tfstyle: stopped early (interrupted): out/a-3.png is the best picture so far",
        "tfstyle: interrupted: 2 of 6 styles were not painted",
    ]
    assert output.out.splitlines()[-1] == "wrote out/grid.png"


@pytest.mark.parametrize(
    ("sources", "made"),
    [
        (["a.jpg", "b.png"], ["a", "b"]),
        (["x/a.jpg", "y/a.jpg", "b.png"], ["a", "a-2", "b"]),
        (["a.jpg", "a.png", "x/a.png"], ["a.jpg", "a.png", "a.png-2"]),
        (["a.jpg", "x/a.jpg", "a-2.jpg"], ["a", "a-2", "a-2-2"]),
        (["grid.jpg", "Grid.png"], ["grid.jpg", "Grid.png"]),
        (["grid.png", "a.jpg"], ["grid-2", "a"]),
    ],
    ids=str,
)
def test_no_two_styles_have_one_output_and_none_the_grids(sources, made):
    assert folders.distinct_names(sources, "grid") == made
