"""Optimisations that begin with what a feed-forward model paints."""

import json

import numpy as np
import pytest

from tfstyle import Backbone, InputError, images, transfer, transfer_batch, transfer_styles
from tfstyle.cli.main import main
from tfstyle.features import weights
from tfstyle.images import color_transfer
from tfstyle.models import AdaIN, load
from tfstyle.models.pretrained import write_embedded
from tfstyle.optimization.canvas import Canvas

pytestmark = pytest.mark.usefixtures("eager")

FAST = {"steps": 1, "backbone": "VGG16", "weights": "random", "precision": "float32", "parameterization": "pixels",
        "content_layers": "block1_conv1", "style_layers": "block1_conv1", "init": "adain", "size": 48}  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("embedded") / "adain.weights.h5"
    write_embedded(AdaIN(Backbone("VGG19Mini", padding="reflection"), seed=0), path)
    return path


@pytest.fixture(autouse=True)
def model(file, monkeypatch):
    monkeypatch.setattr(weights, "ADAIN", file)
    return load()


@pytest.fixture
def begun(monkeypatch):
    """The pictures that canvases begin with."""
    found = []
    original = Canvas._begin

    def begin(self, *given):
        start, targets = original(self, *given)
        found.append(start)
        return start, targets

    monkeypatch.setattr(Canvas, "_begin", begin)
    return found


def at(size, *pictures):
    return [images.load(picture, size).rgb for picture in pictures]


def test_it_begins_with_what_the_model_paints(begun, model, photo, painting):
    result = transfer(photo, [painting, 1 - painting], style_blend=[1, 3], **FAST)
    own, *styles = at(48, photo, painting, 1 - painting)
    want = model.stylize(own, styles, weights=[0.25, 0.75])
    np.testing.assert_allclose(begun[0][0], want, atol=1e-5)
    assert result.settings["init"] == "adain"


def test_it_is_painted_at_the_first_scale_only(begun, model, photo, painting):
    transfer(photo, painting, **{**FAST, "size": 100, "scales": 2, "steps": 2, "style_scale": 1.5})
    assert [start.shape[2] for start in begun] == [50, 100]
    np.testing.assert_allclose(begun[0][0], model.stylize(*at(50, photo), *at(75, painting)), atol=1e-5)


def test_what_no_mask_covers_is_the_content(begun, model, photo, painting):
    left = np.zeros(photo.shape[:2], np.float32)
    left[:, :28] = 1
    transfer(photo, painting, content_mask=left, **FAST)
    start = begun[0][0]
    own, mask = images.load(photo, 48).rgb, images.load(left, (start.shape[0], 48)).rgb[..., :1]
    want = mask * model.stylize(own, at(48, painting), masks=[mask[..., 0]]) + (1 - mask) * own
    np.testing.assert_allclose(start, want, atol=1e-5)
    np.testing.assert_array_equal(start[:, 30:], own[:, 30:])


def test_bare_paper_stays_bare(begun, photo, painting):
    bright = np.where(np.arange(photo.shape[0])[:, None, None] < 20, np.float32(0.98), photo * 0.4)
    transfer(bright, painting * 0.6, voids=0.5, **FAST)
    start = begun[0][0]
    assert start[:8].min() > 0.95
    assert start[-8:].max() < 1


def test_it_sees_the_pictures_that_the_optimisation_sees(begun, model, photo, painting):
    transfer(photo, painting, preserve_color="luminance", **FAST)
    content, (style,) = color_transfer.preprocess("luminance", images.load(photo), [images.load(painting)])
    want = model.stylize(content.resized(48), style.resized(48))
    np.testing.assert_allclose(begun[0][0], want, atol=1e-5)


def test_many_pictures_and_many_styles_each_have_their_own(begun, model, photo, painting):
    list(transfer_batch([photo, photo[::-1]], painting, **FAST))
    own, flipped, style, other = at(48, photo, photo[::-1], painting, 1 - painting)
    np.testing.assert_allclose(begun[0][0], model.stylize(own, style), atol=1e-5)
    np.testing.assert_allclose(begun[1][0], model.stylize(flipped, style), atol=1e-5)
    begun.clear()
    list(transfer_styles(photo, [painting, 1 - painting], **FAST))
    starts = np.concatenate(begun)
    for start, each in zip(starts, (style, other), strict=True):
        np.testing.assert_allclose(start, model.stylize(own, each), atol=1e-5)


def test_without_the_model_one_line_says_so_before_the_work(tmp_path, monkeypatch, photo, painting):
    monkeypatch.setattr(weights, "ADAIN", tmp_path / "adain.weights.h5")
    monkeypatch.setattr("tfstyle.pipelines.build.network", lambda *given: pytest.fail("work has begun"))
    with pytest.raises(InputError, match=r"adain.weights.h5, which comes with the package, is missing: install"):
        transfer(photo, painting, **FAST)


def test_the_command_line_has_it(tmp_path, monkeypatch, capsys, photo, painting):
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    arguments = ["--backbone", "VGG16", "--weights", "random", "--size", "48", "--steps", "1", "--init", "adain"]
    assert main(["transfer", "photo.png", "painting.png", "--json", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["init"] == "adain"
