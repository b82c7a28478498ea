"""`tfstyle apply` and `tfstyle.apply`: what a feed-forward model paints, and what is said where it can't."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tfstyle
from tfstyle import Backbone, InputError, images
from tfstyle.cli.main import main
from tfstyle.features import weights
from tfstyle.images import color_transfer, masks
from tfstyle.models import AdaIN, load
from tfstyle.models.adain.embedded import write as write_embedded

pytestmark = pytest.mark.usefixtures("eager")

SIZE = ["--size", "64"]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A file as the embedded one, of an untrained decoder."""
    path = tmp_path_factory.mktemp("embedded") / "adain.weights.h5"
    write_embedded(AdaIN(Backbone("VGG19Mini", padding="reflection"), seed=0), path)
    return path


@pytest.fixture(scope="module")
def model(embedded):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "ADAIN", embedded)
        return load()


@pytest.fixture(autouse=True)
def folder(tmp_path, photo, painting, monkeypatch, embedded, model):
    """A photograph, two paintings, and a folder of three photographs; the model is loaded once."""
    monkeypatch.setattr(weights, "ADAIN", embedded)
    monkeypatch.setattr("tfstyle.models.adain.embedded.load", lambda: model)
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    images.save(1 - painting[::-1], "other.png")
    Path("photos").mkdir()
    for name, picture in {"b.png": photo, "a.jpg": photo[::-1], "c d.PNG": photo[:, ::-1]}.items():
        Image.fromarray((picture * 255).astype("uint8")).save(Path("photos", name))
    Path("photos/notes.txt").write_text("mine")
    return tmp_path


def contents(folder="."):
    """What there is under a folder: bytes by path, None for folders."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path(folder).rglob("*")}


def at(size, *paths):
    return [images.load(path, size).rgb for path in paths]


# In Python


def test_it_is_the_models_own_picture_at_the_size(model):
    result = tfstyle.apply("photo.png", "painting.png", size=64)
    want = model.stylize(*at(64, "photo.png", "painting.png"))
    np.testing.assert_array_equal(result.image, want)
    assert result.image.shape == (42, 64, 3)
    assert (result.alpha, result.history) == (None, {})
    record = result.settings
    assert (record["content"], record["styles"], record["size"]) == ("photo.png", ["painting.png"], 64)
    assert (record["model"], record["model_source"], record["backbone"]) == ("AdaIN", "embedded", "VGG19Mini")
    assert record["weights"]["name"] == "embedded"
    assert json.loads(json.dumps(record)) == record


def test_without_a_size_pictures_keep_theirs(model, photo):
    assert tfstyle.apply("photo.png", "painting.png", size=None).image.shape == photo.shape
    found = tfstyle.apply("photo.png", "painting.png", size=None, style_scale=2.0).image
    np.testing.assert_array_equal(found, model.stylize("photo.png", images.load("painting.png", 96)))


def test_styles_are_mixed_and_weakened(model):
    found = tfstyle.apply("photo.png", ["painting.png", "other.png"], size=64, style_blend=[3, 1], alpha=0.5).image
    photo, *styles = at(64, "photo.png", "painting.png", "other.png")
    np.testing.assert_allclose(found, model.stylize(photo, styles, style_weights=[0.75, 0.25], alpha=0.5), atol=1e-6)
    plain = tfstyle.apply("photo.png", ["painting.png", "other.png"], size=64).image
    assert np.abs(found - plain).max() > 0.01


def test_alpha_may_be_a_map(model):
    where = np.zeros((42, 64), np.float32)
    where[:, 32:] = 1
    found = tfstyle.apply("photo.png", "painting.png", size=64, alpha=where).image
    photo, painting = at(64, "photo.png", "painting.png")
    np.testing.assert_array_equal(found, model.stylize(photo, painting, alpha=where))
    all_, none = (tfstyle.apply("photo.png", "painting.png", size=64, alpha=alpha).image for alpha in (1, 0))
    for columns, near, far in ((slice(0, 4), none, all_), (slice(-4, None), all_, none)):
        far_off, near_by = (np.abs(found - other)[:, columns].mean() for other in (far, near))
        assert near_by < 0.2 * far_off


def test_masks_give_each_style_its_place_and_say_what_counts_of_it(model):
    left = np.zeros((42, 64), np.float32)
    left[:, :32] = 1
    top = np.zeros((64, 64), np.float32)
    top[:24] = 1
    found = tfstyle.apply(
        "photo.png", ["painting.png", "other.png"], size=64, content_mask=[left, 1 - left], style_mask=[top, None]
    ).image
    photo, *styles = at(64, "photo.png", "painting.png", "other.png")
    codes = [model.encode_style(styles[0], top), model.encode_style(styles[1])]
    np.testing.assert_allclose(found, model.stylize(photo, codes, content_masks=[left, 1 - left]), atol=1e-6)


def test_regions_of_one_colour_take_their_style_from_each_other(model):
    red, blue = (np.broadcast_to(np.float32(colour), (42, 64, 3)) for colour in ([1, 0, 0], [0, 0, 1]))
    where = np.where(np.arange(64)[None, :, None] < 32, red, blue)
    style = np.where(np.arange(64)[:, None, None] < 16, *(np.repeat(c[:1], 64, axis=0) for c in (red, blue)))
    found = tfstyle.apply("photo.png", "painting.png", size=64, content_mask=where, style_mask=style).image
    photo, painting = at(64, "photo.png", "painting.png")
    regions = masks.regions([where], [style], [1.0], (42, 64), [(64, 64)])
    codes = [model.encode_style(painting, mask) for mask in regions.styles[0]]
    np.testing.assert_allclose(found, model.stylize(photo, codes, content_masks=list(regions.content)), atol=1e-6)
    assert np.abs(found - tfstyle.apply("photo.png", "painting.png", size=64).image).max() > 0.01


@pytest.mark.parametrize("kind", color_transfer.KINDS)
def test_colours_are_kept_as_the_model_keeps_them(model, kind):
    found = tfstyle.apply("photo.png", ["painting.png", "other.png"], size=64, preserve_color=kind).image
    photo, *styles = at(64, "photo.png", "painting.png", "other.png")
    np.testing.assert_allclose(found, model.stylize(photo, styles, preserve_color=kind), atol=1e-6)


def test_transparency_stays(photo):
    alpha = np.linspace(0, 1, photo.shape[1], dtype=np.float32)[None].repeat(photo.shape[0], axis=0)
    result = tfstyle.apply(np.dstack([photo, alpha]), "painting.png", size=None)
    np.testing.assert_allclose(result.alpha, alpha, atol=1e-6)


def test_styles_are_encoded_once_for_many_pictures_but_where_colours_are_kept(model, monkeypatch):
    calls = []
    original = AdaIN.encode_style
    monkeypatch.setattr(AdaIN, "encode_style", lambda *given: calls.append(1) or original(*given))
    paths = ["photos/a.jpg", "missing.png", "photos/b.png", "photos/c d.PNG"]
    results = list(tfstyle.apply_batch(paths, ["painting.png", "other.png"], size=64))
    assert len(calls) == 2
    assert [type(result).__name__ for result in results] == ["Result", "InputError", "Result", "Result"]
    for path, result in zip(paths, results, strict=True):
        if path != "missing.png":
            want = tfstyle.apply(path, ["painting.png", "other.png"], size=64).image
            np.testing.assert_allclose(result.image, want, atol=1e-6)
    calls.clear()
    list(tfstyle.apply_batch(paths, ["painting.png"], size=64, preserve_color="statistics"))
    assert len(calls) == 3


def test_contents_are_read_one_by_one(photo):
    def endless():
        while True:
            yield photo

    results = tfstyle.apply_batch(endless(), "painting.png", size=None)
    assert next(results).image.shape == photo.shape
    with pytest.raises(InputError, match="the contents are one picture: give a list of pictures, or use apply"):
        tfstyle.apply_batch("photo.png", "painting.png")


def test_in_each_style_it_is_as_with_that_style_alone():
    styles = ["painting.png", "missing.png", "other.png"]
    results = list(tfstyle.apply_styles("photo.png", styles, size=64))
    assert str(results[1]).startswith("missing.png does not exist")
    for k in (0, 2):
        np.testing.assert_allclose(results[k].image, tfstyle.apply("photo.png", styles[k], size=64).image, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"alpha": 1.5}, "alpha 1.5 can't be used: give a number from 0 to 1, or a grey picture"),
        ({"size": 0}, "size 0 can't be used: give a whole number from 1 to 65535"),
        ({"size": 40}, "photo.png is 40x26 pixels at size 40, and the backbone needs at least 32 a side: use size 49 "
                       "or more"),
        ({"style_scale": 0}, "style scale 0 can't be used: give a number above 0"),
        ({"style_blend": [1, 2]}, "style blend 1,2 has 2 weights for 1 style pictures: give 1"),
        ({"preserve_color": "hue"}, "unknown preserve color 'hue': use one of luminance, ink, statistics, histogram, "
                                    "none"),
        ({"model": "nowhere.keras"}, "model nowhere.keras does not exist: give 'embedded', a .keras file or a "
                                     "training run's folder"),
        ({"content_mask": np.ones((30, 30))}, "the array has 30x30 pixels, and the content picture 64x42, "
                                              "another shape: give a mask of the same shape"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)  # fmt: skip
def test_what_can_not_be_used_is_one_line(given, text):
    with pytest.raises(InputError) as error:
        tfstyle.apply("photo.png", "painting.png", **{"size": 64, **given})
    assert str(error.value) == text


# On the command line


def test_one_picture_and_its_record_are_written(capsys):
    assert main(["apply", "photo.png", "--style", "painting.png", "-o", "out.png", *SIZE]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("wrote out.png in 0.")
    assert output.err == ""
    want = tfstyle.apply("photo.png", "painting.png", size=64).image
    np.testing.assert_allclose(images.load("out.png").rgb, want, atol=0.51 / 255)
    record = json.loads(Path("out.json").read_text())
    assert (record["styles"], record["alpha"], record["stopped"]) == (["painting.png"], 1.0, None)
    assert record["history"] == {}
    assert main(["apply", "photo.png", "--style", "painting.png", *SIZE, "--quiet"]) == 0
    assert Path("photo-painting.png").is_file()
    assert capsys.readouterr() == ("", "")


def test_every_option_reaches_the_record(capsys):
    images.save(np.full((42, 64), 0.5), "half.png")
    arguments = ["apply", "photo.png", "--style", "painting.png", "other.png", "-o", "out.tif", "--alpha", "half.png",
                 "--style-blend", "3,1", "--content-mask", "half.png", "--style-mask", "none", "--style-mask",
                 "none", "--preserve-color", "ink", "--style-scale", "1.5", "--bits", "16", "--json",
                 "--model", "embedded", *SIZE]  # fmt: skip
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    expected = {
        "output": "out.tif", "style_blend": [0.75, 0.25], "alpha": "half.png", "content_masks": ["half.png"],
        "style_masks": [None, None], "preserve_color": "ink", "style_scale": 1.5, "size": 64,
        "model_source": "embedded",
    }  # fmt: skip
    assert {key: record[key] for key in expected} == expected
    import tifffile

    assert tifffile.imread("out.tif").dtype == np.uint16


def test_several_pictures_and_folders_are_painted_into_a_folder(capsys):
    before = contents()
    images.save(images.load("photo.png"), "b.png")
    Path("photos/bad.png").write_bytes(b"\x89PNG I am not a picture")
    assert main(["apply", "b.png", "photos", "--style", "painting.png", "-o", "made/out", *SIZE]) == 2
    assert sorted(os.listdir("made/out")) == ["a.json", "a.png", "b-2.json", "b-2.png", "b.json", "b.png",
                                              "c d.json", "c d.png"]  # fmt: skip
    output = capsys.readouterr()
    assert [line.partition(" in ")[0] for line in output.out.splitlines()] == [
        f"wrote made/out/{name}.png" for name in ("b", "a", "b-2", "c d")
    ]
    assert output.err.splitlines() == [
        "tfstyle: photos/bad.png was left out: photos/bad.png is not a picture of a known kind; use JPEG, PNG, WebP "
        "or TIFF",
        "tfstyle: 1 of 5 pictures were left out",
    ]
    assert {path: data for path, data in contents().items() if path in before} == before
    os.rename("photos", "my.photos")
    assert main(["apply", "my.photos/", "--style", "painting.png", "--quiet", *SIZE]) == 2
    assert sorted(os.listdir("my.photos-painting")) == ["a.json", "a.png", "b.json", "b.png", "c d.json", "c d.png"]


def test_each_style_gets_its_picture_and_there_is_a_grid(capsys):
    assert main(["apply", "photo.png", "--style", "painting.png", "other.png", "--each", *SIZE]) == 0
    assert sorted(os.listdir("photo-styles")) == ["grid.png", "other.json", "other.png", "painting.json",
                                                  "painting.png"]  # fmt: skip
    assert capsys.readouterr().out.splitlines()[-1] == "wrote photo-styles/grid.png"


REFUSED = {
    "no style": (["photo.png"], "there is no style picture: give at least one"),
    "a missing style": (["photo.png", "--style", "missing.png"], "missing.png does not exist; check the path"),
    "a missing content": (["missing.png", "--style", "painting.png"], "missing.png does not exist; check the path"),
    "a style that is text": (
        ["photos", "--style", "photos/notes.txt", "-o", "made"],
        "photos/notes.txt is not a picture of a known kind; use JPEG, PNG, WebP or TIFF",
    ),
    "an empty folder": (["empty", "--style", "painting.png"], "there is no picture in the folder empty: put some"),
    "a model that is a picture": (
        ["photos", "--style", "painting.png", "--model", "photo.png", "-o", "made"],
        "photo.png is no saved model: give one whose name ends in .keras",
    ),
    "a mask of another shape": (
        ["photo.png", "--style", "painting.png", "--content-mask", "painting.png"],
        "painting.png has 48x48 pixels, and the content picture 64x42, another shape: give a mask of the same shape",
    ),
    "a map that has colours": (
        ["photo.png", "--style", "other.png", "--alpha", "painting.png"], "painting.png has colours: make it grey"
    ),
    "the content for output": (
        ["photo.png", "--style", "painting.png", "-o", "photo.png"],
        "the output photo.png is one of the pictures given: choose another name",
    ),
    "the map for output": (
        ["photo.png", "--style", "painting.png", "--alpha", "other.png", "-o", "other.png"],
        "the output other.png is one of the pictures given: choose another name",
    ),
    "a file for a folder": (
        ["photos", "--style", "painting.png", "-o", "photo.png"],
        "photo.png is a file, and the pictures of a folder are to be written: give a folder",
    ),
    "a folder in each": (
        ["photos", "--style", "painting.png", "--each"],
        "photos is a folder, and --each is for one picture: give that",
    ),
    "several in each": (
        ["photo.png", "other.png", "--style", "painting.png", "--each"],
        "photo.png, other.png are several pictures, and --each is for one picture: give that",
    ),
    "a blend of each": (
        ["photo.png", "--style", "painting.png", "other.png", "--each", "--style-blend", "1,2"],
        "each style is painted by itself: leave out the style blend, or use apply",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_one_line_and_nothing_is_written(case, capsys):
    arguments, text = REFUSED[case]
    Path("empty").mkdir()
    before = contents()
    try:
        code = main(["apply", *arguments, *SIZE])
    except SystemExit as stop:  # argparse's own
        code = stop.code
    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    (line,) = output.err.splitlines()
    assert line.startswith(f"tfstyle: {text}")
    assert contents() == before


def test_without_the_embedded_file_one_line_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, "ADAIN", tmp_path / "adain.weights.h5")
    assert main(["apply", "photo.png", "--style", "painting.png", *SIZE]) == 2
    assert capsys.readouterr().err == (
        f"tfstyle: {tmp_path}/adain.weights.h5, which comes with the package, is missing: install tfstyle again\n"
    )


def test_in_a_process_of_its_own_a_terminal_sees_a_bar_and_tensorflow_says_nothing(model):
    model.save("mine.keras")
    command = [sys.executable, "-m", "tfstyle", "apply", "photos", "--style", "painting.png", "--model", "mine.keras",
               *SIZE]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.splitlines()) == 3
    main, side = pty.openpty()
    process = subprocess.Popen(
        command, stdout=side, stderr=side, env={**os.environ, "COLUMNS": "160", "TERM": "xterm"}
    )
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
    for word in ("painting", "3/3", "wrote photos-painting/a.png", "left"):
        assert word in seen.decode()


def test_a_decoder_of_another_encoder_is_one_line_and_paints_nevertheless(monkeypatch, tmp_path, embedded):
    import h5py

    path = tmp_path / "adain.weights.h5"
    path.write_bytes(embedded.read_bytes())
    with h5py.File(path, "a") as data:
        data.attrs["encoder_sha256"] = "0" * 64
    code = (
        "import pathlib, sys; from tfstyle import cli, weights; weights.ADAIN = pathlib.Path(sys.argv[1]);"
        "sys.exit(main(['apply', 'photo.png', '--style', 'painting.png', '--size', '64']))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stderr == (
        "adain.weights.h5 was trained with other weights of VGG19Mini than those embedded: unless they are nearly "
        "the same, it can't paint\n"
    )


def test_out_of_memory_is_one_line(monkeypatch, capsys):
    def too_much(*given, **options):
        raise MemoryError

    monkeypatch.setattr(AdaIN, "stylize", too_much)
    assert main(["apply", "photo.png", "--style", "painting.png", *SIZE]) == 2
    assert capsys.readouterr().err == ("tfstyle: there is not enough memory for 64x42 pixels: give a smaller size\n")
