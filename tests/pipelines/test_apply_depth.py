"""`tfstyle apply --depth`: the strength of a feed-forward model's style by how near things are."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

import tfstyle
from tfstyle import Backbone, InputError, images
from tfstyle.cli.main import main
from tfstyle.models import AdaIN, DepthAdaIN
from tfstyle.models.depth import DepthMini
from tfstyle.models.depth.strength import DepthStrength, strength_by_depth

SIZE = 64
RAMP = np.repeat(np.linspace(0, 1, SIZE, dtype="float32")[None], 42, axis=0)  # near on the right


@pytest.fixture(scope="module")
def model():
    """Untrained, of two levels."""
    return AdaIN(Backbone("VGG19Mini", padding="reflection"), "block2_conv1", seed=0)


@pytest.fixture(scope="module")
def deep(model):
    return DepthAdaIN.from_adain(model, DepthMini(None, side=32, seed=1))


@pytest.fixture(autouse=True)
def folder(tmp_path, photo, painting, monkeypatch, model):
    monkeypatch.setattr("tfstyle.models.adain.embedded.load", lambda: model)
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    np.save("map.npy", RAMP)
    images.save(RAMP, "map.png", bits=16)


def test_the_strength_is_alpha_times_that_by_proximity(model):
    result = tfstyle.apply("photo.png", "painting.png", size=SIZE, alpha=0.9, depth=RAMP, near=0.1, far=0.8)
    photo, painting = (images.load(path, SIZE).rgb for path in ("photo.png", "painting.png"))
    strength = 0.9 * strength_by_depth(RAMP, 0.1, 0.8, 10.0, 0.5)
    np.testing.assert_allclose(result.image, model.stylize(photo, painting, alpha=strength), atol=1e-5)


def test_a_model_that_knows_depth_applies_it_once(deep):
    photo, painting = (images.load(path, SIZE).rgb for path in ("photo.png", "painting.png"))
    by_itself = tfstyle.apply("photo.png", "painting.png", size=SIZE, model=deep).image
    np.testing.assert_array_equal(by_itself, deep.stylize(photo, painting))
    near = tfstyle.apply("photo.png", "painting.png", size=SIZE, model=deep, depth="auto", near=0.0).image
    np.testing.assert_allclose(near, deep.stylize(photo, painting, near=0.0), atol=1e-5)
    ramp = tfstyle.apply("photo.png", "painting.png", size=SIZE, model=deep, depth=RAMP).image
    np.testing.assert_allclose(ramp, deep.stylize(photo, painting, depth=RAMP), atol=1e-5)


def test_auto_is_depthmini_where_the_model_has_no_module_and_it_is_made_once(model, monkeypatch):
    photo, painting = (images.load(path, SIZE) for path in ("photo.png", "painting.png"))
    want = model.stylize(photo, painting, alpha=DepthStrength(DepthMini()).of(photo))
    made, original = [], DepthMini.__init__

    def counted(self, *args, **options):
        made.append(1)
        original(self, *args, **options)

    monkeypatch.setattr(DepthMini, "__init__", counted)
    for _ in range(2):
        painted = tfstyle.apply("photo.png", "painting.png", size=SIZE, depth="auto").image
        np.testing.assert_allclose(painted, want, atol=1e-5)
    assert len(made) <= 1  # none if another test has had it made


def test_colours_and_batches_go_with_depth(deep):
    options = {"size": SIZE, "model": deep, "depth": RAMP, "preserve_color": "luminance"}
    one = tfstyle.apply("photo.png", "painting.png", **options)
    for each in tfstyle.apply_batch(["photo.png", "photo.png"], "painting.png", **options):
        np.testing.assert_array_equal(each.image, one.image)


@pytest.mark.parametrize("depth", ["map.npy", "map.png"])
def test_the_command_line_takes_a_map(model, depth, capsys):
    options = ["--size", "64", "--quiet", "--depth", depth, "--near", "0.2", "--depth-contrast", "0"]
    assert main(["apply", "photo.png", "painting.png", *options, "-o", "out.png"]) == 0
    want = tfstyle.apply("photo.png", "painting.png", size=SIZE, depth=depth, near=0.2, depth_contrast=0.0)
    np.testing.assert_allclose(images.load("out.png").rgb, want.image, atol=0.51 / 255)
    record = json.loads(Path("out.json").read_text())
    assert (record["depth"], record["near"], record["far"]) == (depth, 0.2, 1.0)
    assert (record["depth_contrast"], record["depth_offset"]) == (0.0, 0.5)


def test_what_is_wrong_is_one_line(capsys):
    np.save("square.npy", np.eye(30))
    for options, match in [
        (["--near", "0.2"], "near has no effect without depth: give depth"),
        (["--depth-offset", "0.2"], "depth offset has no effect without depth: give depth"),
        (["--depth", "map.npy", "--near", "2"], "near 2 .*a number from 0 to 1"),
        (["--depth", "gone.png"], r"gone\.png does not exist; check the path"),
        (["--depth", "square.npy"], r"square\.npy has 30x30 pixels, .*64x42"),
        (["--depth", "map.png", "-o", "map.png"], r"output map\.png is one of the input files: choose another name"),
    ]:
        assert main(["apply", "photo.png", "painting.png", "--size", "64", "--quiet", *options]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert re.match(f"tfstyle: .*{match}", line)


def test_without_depth_the_record_says_so():
    assert tfstyle.apply("photo.png", "painting.png", size=SIZE).settings["depth"] is None


def test_defaults_are_the_models():
    applied, own = (
        {name: p.default for name, p in inspect.signature(each).parameters.items()}
        for each in (tfstyle.apply, DepthAdaIN.stylize)
    )
    for name in ("near", "far", "depth_contrast", "depth_offset"):
        assert applied[name] == own[name]


def test_numbers_are_checked_before_the_module_is_asked(photo):
    def module(_):
        raise AssertionError("asked")

    with pytest.raises(InputError, match=r"^far 3 can't be used"):
        DepthStrength(module, far=3).of(images.load(photo))
