"""Pictures painted by a generator that has learned its style: in Python, and by `tfstyle apply`."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tfstyle
from tfstyle import Backbone, InputError, images
from tfstyle.cli.main import main
from tfstyle.models import GAN, WGAN, AdaIN, CycleGAN


@pytest.fixture(scope="module")
def model():
    return CycleGAN(32, blocks=1, filters=4, n_layers=2, pool_size=0, seed=0)


@pytest.fixture
def folder(tmp_path, monkeypatch, model, photo, painting):
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    (tmp_path / "run").mkdir()
    model.save("run/model.keras")
    return tmp_path


def test_it_is_the_models_own_picture_at_the_size(model, folder):
    result = tfstyle.apply("photo.png", model="run", size=40)
    np.testing.assert_array_equal(result.image, model.stylize(images.load("photo.png", 40)))
    assert max(result.image.shape) == 40
    record = result.settings
    assert (record["content"], record["styles"], record["model"]) == ("photo.png", [], "CycleGAN")
    assert (record["model_source"], record["size"]) == ("run", 40)
    np.testing.assert_array_equal(tfstyle.apply("photo.png", model=model, size=40).image, result.image)
    assert json.loads(json.dumps(record)) == record
    half = np.dstack([images.load("photo.png").rgb, np.full(images.load("photo.png").rgb.shape[:2], 0.5)])
    assert tfstyle.apply(half.astype("float32"), model=model).alpha == pytest.approx(0.5, abs=1e-3)


def test_many_pictures_and_one_that_is_missing(model, folder):
    found = list(tfstyle.apply_batch(["photo.png", "none.png", "painting.png"], model=model, size=32))
    np.testing.assert_array_equal(found[2].image, model.stylize(images.load("painting.png", 32)))
    assert str(found[1]) == "none.png does not exist; check the path"


def test_what_does_not_go_together_is_refused(model, folder):
    adain = "there is no style picture: give at least one"
    own = "the CycleGAN paints in the style that it has learned, and in no other: leave out the styles"
    noise = (
        "makes pictures of noise, not of photographs: use `tfstyle generate`, or give a model that was trained with "
        "photographs"
    )
    for given, message in (
        ({}, adain),
        ({"model": AdaIN(Backbone("VGG19Mini", padding="reflection"), "block2_conv1")}, adain),
        ({"model": model, "styles": "painting.png"}, own),
        ({"model": model, "alpha": 0.5}, "alpha says nothing without style pictures: leave it out"),
        (
            {"model": model, "preserve_color": "ink"},
            "preserve color says nothing without style pictures: leave it out",
        ),
        ({"model": model, "size": 0}, "size 0 can't be used: give a whole number from 1 to 65535"),
        ({"model": GAN(8, filters=2)}, f"the GAN {noise}"),
        ({"model": WGAN(8, filters=2)}, f"the WGAN {noise}"),
    ):
        with pytest.raises(InputError) as error:
            tfstyle.apply("photo.png", **given)
        assert str(error.value) == message
    with pytest.raises(InputError, match=r"^the CycleGAN paints in the style that it has learned"):
        tfstyle.apply_styles("photo.png", ["painting.png"], model=model)


def test_the_command_paints_in_a_fresh_process(model, folder):
    command = [
        sys.executable,
        "-m",
        "tfstyle",
        "apply",
        "photo.png",
        "--model",
        "run",
        "--size",
        "32",
        "--bits",
        "16",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote photo-run.png in ")
    want = model.stylize(images.load("photo.png", 32))
    np.testing.assert_allclose(images.load("photo-run.png").rgb, want, atol=1e-4)
    record = json.loads((folder / "photo-run.json").read_text())
    assert (record["styles"], record["model"]) == ([], "CycleGAN")


def test_a_folder_is_painted_into_a_folder(folder, capsys):
    assert main(["apply", "photo.png", "painting.png", "--model", "run/model.keras", "--size=32", "-o", "out"]) == 0
    assert sorted(os.listdir("out")) == ["painting.json", "painting.png", "photo.json", "photo.png"]


def test_the_command_refuses_in_one_line(folder, capsys):
    for given, said in (
        (
            ["--style", "painting.png", "--model", "run"],
            "the CycleGAN paints in the style that it has learned, and in",
        ),
        (["--model", "run", "--alpha", "0.5"], "alpha says nothing without style pictures: leave it out\n"),
        ([], "there is no style picture: give at least one\n"),
        (["--model", "run", "--each"], "--each is for several styles: give --style\n"),
    ):
        assert main(["apply", "photo.png", *given]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(f"tfstyle: {said}")
    assert not (folder / "photo-run.png").exists()
