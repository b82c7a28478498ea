"""`tfstyle apply` and `tfstyle.apply`: pictures painted by a feed-forward model, in given styles or its own."""

import json
import os
import pty
import re
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
from tfstyle.models import GAN, WGAN, AdaIN, CycleGAN, load
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
    assert (record["weights"]["name"], record["style_weights"]) == ("embedded", [1.0])
    assert json.loads(json.dumps(record)) == record


def test_without_a_size_pictures_keep_theirs(model, photo):
    assert tfstyle.apply("photo.png", "painting.png", size=None).image.shape == photo.shape
    result = tfstyle.apply("photo.png", "painting.png", size=None, style_scale=2.0)
    np.testing.assert_array_equal(result.image, model.stylize("photo.png", images.load("painting.png", 96)))


def test_styles_are_blended_and_weakened(model):
    styles = ["painting.png", "other.png"]
    result = tfstyle.apply("photo.png", styles, size=64, style_weights=[3, 1], alpha=0.5)
    content, *loaded = at(64, "photo.png", *styles)
    want = model.stylize(content, loaded, style_weights=[0.75, 0.25], alpha=0.5)
    np.testing.assert_allclose(result.image, want, atol=1e-6)
    assert result.settings["style_weights"] == [0.75, 0.25]
    assert np.abs(result.image - tfstyle.apply("photo.png", styles, size=64).image).max() > 0.01


def test_alpha_may_be_a_map(model):
    where = np.zeros((42, 64), np.float32)
    where[:, 32:] = 1
    painted = tfstyle.apply("photo.png", "painting.png", size=64, alpha=where).image
    content, style = at(64, "photo.png", "painting.png")
    np.testing.assert_array_equal(painted, model.stylize(content, style, alpha=where))
    full, none = (tfstyle.apply("photo.png", "painting.png", size=64, alpha=alpha).image for alpha in (1, 0))
    for columns, near, far in ((slice(0, 4), none, full), (slice(-4, None), full, none)):
        far_off, near_by = (np.abs(painted - other)[:, columns].mean() for other in (far, near))
        assert near_by < 0.2 * far_off


def test_masks_give_each_style_its_place_and_say_what_counts_of_it(model):
    left = np.zeros((42, 64), np.float32)
    left[:, :32] = 1
    top = np.zeros((64, 64), np.float32)
    top[:24] = 1
    where = [left, 1 - left]
    styles = ["painting.png", "other.png"]
    painted = tfstyle.apply("photo.png", styles, size=64, content_masks=where, style_masks=[top, None]).image
    content, first, second = at(64, "photo.png", *styles)
    codes = [model.encode_style(first, top), model.encode_style(second)]
    np.testing.assert_allclose(painted, model.stylize(content, codes, content_masks=where), atol=1e-6)


def test_regions_of_one_colour_take_their_style_from_each_other(model):
    red, blue = (np.broadcast_to(np.float32(colour), (42, 64, 3)) for colour in ([1, 0, 0], [0, 0, 1]))
    where = np.where(np.arange(64)[None, :, None] < 32, red, blue)
    counts = np.where(np.arange(64)[:, None, None] < 16, *(np.repeat(c[:1], 64, axis=0) for c in (red, blue)))
    painted = tfstyle.apply("photo.png", "painting.png", size=64, content_masks=where, style_masks=counts).image
    content, style = at(64, "photo.png", "painting.png")
    regions = masks.regions([where], [counts], [1.0], (42, 64), [(64, 64)])
    codes = [model.encode_style(style, mask) for mask in regions.styles[0]]
    np.testing.assert_allclose(painted, model.stylize(content, codes, content_masks=list(regions.content)), atol=1e-6)
    assert np.abs(painted - tfstyle.apply("photo.png", "painting.png", size=64).image).max() > 0.01


@pytest.mark.parametrize("kind", color_transfer.KINDS)
def test_colours_are_kept_as_the_model_keeps_them(model, kind):
    styles = ["painting.png", "other.png"]
    painted = tfstyle.apply("photo.png", styles, size=64, preserve_color=kind).image
    content, *loaded = at(64, "photo.png", *styles)
    np.testing.assert_allclose(painted, model.stylize(content, loaded, preserve_color=kind), atol=1e-6)


def test_transparency_stays(photo):
    alpha = np.linspace(0, 1, photo.shape[1], dtype=np.float32)[None].repeat(photo.shape[0], axis=0)
    result = tfstyle.apply(np.dstack([photo, alpha]), "painting.png", size=None)
    np.testing.assert_allclose(result.alpha, alpha, atol=1e-6)


def test_styles_are_encoded_once_for_many_pictures_but_where_colours_are_kept(model, monkeypatch):
    calls = []
    original = AdaIN.encode_style
    monkeypatch.setattr(AdaIN, "encode_style", lambda *args: calls.append(1) or original(*args))
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
    with pytest.raises(InputError, match=r"contents are one picture: give a list .*or use apply"):
        tfstyle.apply_batch("photo.png", "painting.png")


def test_in_each_style_it_is_as_with_that_style_alone():
    styles = ["painting.png", "missing.png", "other.png"]
    results = list(tfstyle.apply_styles("photo.png", styles, size=64))
    assert str(results[1]).startswith("missing.png does not exist")
    for k in (0, 2):
        np.testing.assert_allclose(results[k].image, tfstyle.apply("photo.png", styles[k], size=64).image, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"alpha": 1.5}, "alpha 1.5 .*a number from 0 to 1"),
        ({"size": 0}, "size 0 .*a whole number from 1 to 65535"),
        ({"size": 40}, r"photo\.png is 40x26 pixels at size 40, .*at least 32 a side: use size 49"),
        ({"style_scale": 0}, "style scale 0 .*a number above 0"),
        ({"style_weights": [1, 2]}, "style weights 1,2 .*1 style image.*give 1"),
        ({"preserve_color": "hue"}, "preserve color 'hue': use one of luminance, ink, statistics, histogram, none"),
        ({"model": "nowhere.keras"}, r"model nowhere\.keras does not exist: give 'embedded', "),
        ({"content_masks": np.ones((30, 30))}, "30x30 pixels, .*64x42, .*same shape"),
        ({"near": 0.1}, "near has no effect without depth: give depth"),
        ({"brush": 3}, "unknown option 'brush'"),
        ({"alfa": 3}, "unknown option 'alfa': did you mean alpha"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_can_not_be_used_is_one_line(options, match):
    with pytest.raises(InputError, match=match) as error:
        tfstyle.apply("photo.png", "painting.png", **{"size": 64, **options})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("styles", "options"),
    [
        ("missing.png", {}),
        ("painting.png", {"alpha": "painting.png"}),
        ("painting.png", {"near": 0.5}),
        ("painting.png", {"content_masks": "missing.png"}),
        ("painting.png", {"style_weights": [1, 2]}),
        (None, {"model": "mine.keras", "alpha": 0.5}),
    ],
    ids=str,
)
def test_what_can_be_is_checked_before_tensorflow_is_imported(styles, options, monkeypatch):
    """Which takes seconds."""
    monkeypatch.setattr("tfstyle.pipelines.apply.import_tensorflow", lambda: pytest.fail("it is imported"))
    with pytest.raises(InputError):
        tfstyle.apply("photo.png", styles, **options)


# On the command line


def test_one_picture_and_its_record_are_written(capsys):
    assert main(["apply", "photo.png", "painting.png", "-o", "out.png", *SIZE]) == 0
    output = capsys.readouterr()
    assert re.fullmatch(r"wrote out\.png in \d+\.\d s\n", output.out)
    assert output.err == ""
    want = tfstyle.apply("photo.png", "painting.png", size=64).image
    np.testing.assert_allclose(images.load("out.png").rgb, want, atol=0.51 / 255)
    record = json.loads(Path("out.json").read_text())
    assert (record["styles"], record["alpha"], record["stopped"]) == (["painting.png"], 1.0, None)
    assert record["history"] == {}
    assert main(["apply", "photo.png", "painting.png", *SIZE, "--quiet"]) == 0
    assert Path("photo-painting.png").is_file()
    assert capsys.readouterr() == ("", "")


def test_every_option_reaches_the_record(capsys):
    images.save(np.full((42, 64), 0.5), "half.png")
    arguments = ["apply", "photo.png", "--style", "painting.png", "--style", "other.png", "-o", "out.tif", "--alpha",
                 "half.png", "--style-weights", "3,1", "--content-mask", "half.png", "--style-mask", "none",
                 "--style-mask", "none", "--preserve-color", "ink", "--style-scale", "1.5", "--bits", "16", "--json",
                 "--model", "embedded", *SIZE]  # fmt: skip
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    expected = {
        "output": "out.tif", "style_weights": [0.75, 0.25], "alpha": "half.png", "content_masks": ["half.png"],
        "style_masks": [None, None], "preserve_color": "ink", "style_scale": 1.5, "size": 64,
        "model_source": "embedded", "styles": ["painting.png", "other.png"],
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
    first, second = output.err.splitlines()
    assert first.startswith("tfstyle: photos/bad.png was left out: photos/bad.png is not a picture")
    assert second == "tfstyle: 1 of 5 pictures were left out"
    assert {path: data for path, data in contents().items() if path in before} == before
    os.rename("photos", "my.photos")
    assert main(["apply", "my.photos/", "painting.png", "--quiet", *SIZE]) == 2
    assert sorted(os.listdir("my.photos-painting")) == ["a.json", "a.png", "b.json", "b.png", "c d.json", "c d.png"]


def test_each_style_gets_its_picture_and_there_is_a_grid(capsys):
    assert main(["apply", "photo.png", "painting.png", "other.png", "--each", *SIZE]) == 0
    assert sorted(os.listdir("photo-styles")) == ["grid.png", "other.json", "other.png", "painting.json",
                                                  "painting.png"]  # fmt: skip
    assert capsys.readouterr().out.splitlines()[-1] == "wrote photo-styles/grid.png"


REFUSED = {
    "no style": (["photo.png"], "no style image for photo.png: give CONTENT STYLE"),
    "a missing style": (["photo.png", "missing.png"], "missing.png does not exist; check the path"),
    "a missing content": (["missing.png", "painting.png"], "missing.png does not exist; check the path"),
    "a style that is text": (
        ["photos", "photos/notes.txt", "-o", "made"], "photos/notes.txt is not a picture of a known kind; use "
    ),
    "an empty folder": (["empty", "painting.png"], "no picture in the folder empty: put some there"),
    "a model that is a picture": (
        ["photos", "--style", "painting.png", "--model", "photo.png", "-o", "made"],
        "photo.png is no saved model: give one whose name ends in .keras",
    ),
    "a model that is a picture, and the style second": (
        ["photos", "painting.png", "--model", "photo.png", "-o", "made"],
        "photo.png is no saved model: give one whose name ends in .keras",
    ),
    "a mask of another shape": (
        ["photo.png", "painting.png", "--content-mask", "painting.png"], "painting.png has 48x48 pixels, "
    ),
    "a map that has colours": (
        ["photo.png", "other.png", "--alpha", "painting.png"], "painting.png has colours: make it grey"
    ),
    "the content for output": (
        ["photo.png", "painting.png", "-o", "photo.png"],
        "output photo.png is one of the input files: choose another name",
    ),
    "the map for output": (
        ["photo.png", "painting.png", "--alpha", "other.png", "-o", "other.png"],
        "output other.png is one of the input files: choose another name",
    ),
    "the model for output": (
        ["photo.png", "--style", "painting.png", "--model", "other.png", "-o", "other.png"],
        "output other.png is one of the input files: choose another name",
    ),
    "a file for a folder": (
        ["photos", "painting.png", "-o", "photo.png"], "photo.png is a file, and the pictures of a folder"
    ),
    "a folder in each": (
        ["photos", "painting.png", "--each"], "photos is a folder, and --each paints one content image: give one"
    ),
    "several in each": (
        ["photo.png", "other.png", "--style", "painting.png", "--each"],
        "photo.png, other.png are several pictures, and --each paints one content image: give one",
    ),
    "weights of each": (
        ["photo.png", "painting.png", "other.png", "--each", "--style-weights", "1,2"],
        "each style is painted by itself: leave out style weights",
    ),
    "an option that is none": (["photo.png", "painting.png", "--alfa", "1"], "--alfa: did you mean --alpha"),
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
    assert line.startswith("tfstyle: ")
    assert text in line
    assert contents() == before


def test_without_the_embedded_file_one_line_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, "ADAIN", tmp_path / "adain.weights.h5")
    assert main(["apply", "photo.png", "painting.png", *SIZE]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tfstyle: {tmp_path}/adain.weights.h5")
    assert line.endswith("is missing: install tfstyle again")


@pytest.mark.large
def test_in_a_process_of_its_own_a_terminal_sees_a_bar_and_tensorflow_says_nothing(model):
    model.save("mine.keras")
    command = [sys.executable, "-m", "tfstyle", "apply", "photos", "--style", "painting.png", "--model", "mine.keras",
               *SIZE]  # fmt: skip
    terminal, side = pty.openpty()
    with subprocess.Popen(
        command, stdout=side, stderr=side, env={**os.environ, "COLUMNS": "160", "TERM": "xterm"}
    ) as process:
        os.close(side)
        seen = b""
        while True:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
        assert process.wait(240) == 0
    for word in ("painting", "3/3", "wrote photos-painting/a.png", "left"):
        assert word in seen.decode()
    for word in ("tensorflow", "cuda", "WARNING"):
        assert word not in seen.decode()


def test_a_decoder_of_another_encoder_is_one_line_and_paints_nevertheless(monkeypatch, tmp_path, embedded, capsys):
    import h5py

    path = tmp_path / "adain.weights.h5"
    path.write_bytes(embedded.read_bytes())
    with h5py.File(path, "a") as data:
        data.attrs["encoder_sha256"] = "0" * 64
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, "ADAIN", path)
    assert main(["apply", "photo.png", "painting.png", *SIZE]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("adain.weights.h5 was trained with other weights of VGG19Mini")


def test_out_of_memory_is_one_line(monkeypatch, capsys):
    def too_much(*args, **options):
        raise MemoryError

    monkeypatch.setattr(AdaIN, "paint", too_much)
    assert main(["apply", "photo.png", "painting.png", *SIZE]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("memory for 64x42 pixels: give a smaller size")


# Models that have learned one style


@pytest.fixture(scope="module")
def cyclegan():
    return CycleGAN(32, blocks=1, filters=4, n_layers=2, pool_size=0, seed=0)


@pytest.fixture
def run(folder, cyclegan):
    """The folder of a training run."""
    Path("run").mkdir()
    cyclegan.save("run/model.keras")
    return "run"


def test_a_learned_style_is_the_models_own_picture_at_the_size(cyclegan, run):
    result = tfstyle.apply("photo.png", model=run, size=40)
    np.testing.assert_array_equal(result.image, cyclegan.stylize(images.load("photo.png", 40)))
    assert max(result.image.shape) == 40
    record = result.settings
    assert (record["content"], record["styles"], record["model"]) == ("photo.png", [], "CycleGAN")
    assert (record["model_source"], record["size"]) == ("run", 40)
    np.testing.assert_array_equal(tfstyle.apply("photo.png", model=cyclegan, size=40).image, result.image)
    assert json.loads(json.dumps(record)) == record
    half = np.dstack([images.load("photo.png").rgb, np.full(images.load("photo.png").rgb.shape[:2], 0.5)])
    assert tfstyle.apply(half.astype("float32"), model=cyclegan).alpha == pytest.approx(0.5, abs=1e-3)


def test_options_at_their_defaults_are_none_too_many(cyclegan):
    want = tfstyle.apply("photo.png", model=cyclegan, size=32).image
    options = {"alpha": 1, "style_scale": 1.0, "near": 0.3, "content_masks": None, "depth": None}
    np.testing.assert_array_equal(tfstyle.apply("photo.png", model=cyclegan, size=32, **options).image, want)


def test_many_pictures_in_a_learned_style_and_one_that_is_missing(cyclegan):
    results = list(tfstyle.apply_batch(["photo.png", "none.png", "painting.png"], model=cyclegan, size=32))
    np.testing.assert_array_equal(results[2].image, cyclegan.stylize(images.load("painting.png", 32)))
    assert str(results[1]).startswith("none.png does not exist")


def test_what_does_not_go_with_a_model_is_refused(cyclegan):
    adain = AdaIN(Backbone("VGG19Mini", padding="reflection"), "block2_conv1")
    for options, match in (
        ({}, "no style image: give at least one"),
        ({"model": adain}, "no style image: give at least one"),
        ({"model": cyclegan, "styles": "painting.png"}, "CycleGAN has learned one style .*leave out the style"),
        ({"model": cyclegan, "alpha": 0.5}, "alpha has no effect without style images: leave it out"),
        ({"model": cyclegan, "preserve_color": "ink"}, "preserve color has no effect without style images: leave it"),
        ({"model": cyclegan, "size": 0}, "size 0 .*a whole number from 1 to 65535"),
        ({"model": GAN(8, filters=2)}, "the GAN makes pictures .*noise.*: use `tfstyle generate`"),
        ({"model": WGAN(8, filters=2)}, "the WGAN makes pictures .*noise.*: use `tfstyle generate`"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=match) as error:
            tfstyle.apply("photo.png", **options)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"CycleGAN has learned one style .*leave out the style"):
        tfstyle.apply_styles("photo.png", ["painting.png"], model=cyclegan)


def test_the_command_paints_a_learned_style(cyclegan, run, capsys):
    assert main(["apply", "photo.png", "--model", run, "--size=32", "--bits=16"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("wrote photo-run.png in ")
    assert output.err == ""
    want = cyclegan.stylize(images.load("photo.png", 32))
    np.testing.assert_allclose(images.load("photo-run.png").rgb, want, atol=1e-4)
    record = json.loads(Path("photo-run.json").read_text())
    assert (record["styles"], record["model"]) == ([], "CycleGAN")


def test_all_positional_arguments_are_contents_of_a_learned_style(run, capsys):
    assert main(["apply", "photo.png", "painting.png", "--model", "run/model.keras", "--size=32", "-o", "out"]) == 0
    assert sorted(os.listdir("out")) == ["painting.json", "painting.png", "photo.json", "photo.png"]
    assert main(["apply", "photos", "--model", run, "--size=32", "--quiet"]) == 0
    assert len(os.listdir("photos-run")) == 6


def test_the_second_argument_is_a_style_where_the_model_takes_one(model, capsys):
    model.save("mine.keras")
    assert main(["apply", "photo.png", "painting.png", "--model", "mine.keras", "-o", "out.png", *SIZE]) == 0
    record = json.loads(Path("out.json").read_text())
    assert (record["content"], record["styles"], record["model_source"]) == (
        "photo.png", ["painting.png"], "mine.keras"
    )  # fmt: skip
    assert main(["apply", "photo.png", "--model", "mine.keras", "-o", "none.png", *SIZE]) == 2
    assert "no style image" in capsys.readouterr().err


def test_the_command_refuses_what_does_not_go_with_a_learned_style(run, capsys):
    for arguments, text in (
        (["--style", "painting.png", "--model", run], "CycleGAN has learned one style"),
        (["--model", run, "--alpha", "0.5"], "alpha has no effect without style images: leave it out\n"),
        (["--model", run, "--each"], "--each is for several style images: give them with --style\n"),
    ):
        assert main(["apply", "photo.png", *arguments]) == 2
        output = capsys.readouterr()
        assert (output.out, output.err.count("\n")) == ("", 1)
        assert output.err.startswith("tfstyle: ")
        assert text in output.err
    assert not Path("photo-run.png").exists()
