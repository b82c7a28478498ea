"""Optimisations whose initial image is the result of a feed-forward model."""

import json
import logging

import keras
import numpy as np
import pytest

from tfstyle import Backbone, InputError, images, transfer, transfer_batch, transfer_styles
from tfstyle.cli.main import main
from tfstyle.features import weights
from tfstyle.images import color_transfer
from tfstyle.images.luminance import luminance
from tfstyle.models import AdaIN, load
from tfstyle.models.adain.embedded import write as write_embedded

pytestmark = pytest.mark.usefixtures("eager")

FAST = {
    "backbone": "VGG19Mini", "content_layers": "block1_conv1", "style_layers": "block1_conv1", "size": 48, "steps": 1,
    "optimizer": "adam", "init": "adain", "precision": "float32",
}  # fmt: skip


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """An AdaIN of an untrained decoder, as the embedded one is loaded."""
    path = tmp_path_factory.mktemp("embedded") / "adain.weights.h5"
    write_embedded(AdaIN(Backbone("VGG19Mini", padding="reflection"), seed=0), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "ADAIN", path)
        return load()


@pytest.fixture(autouse=True)
def model(untrained, monkeypatch):
    monkeypatch.setattr("tfstyle.models.adain.embedded.load", lambda: untrained)
    return untrained


class Starts(keras.callbacks.Callback):
    """The initial images of each optimisation."""

    def __init__(self):
        super().__init__()
        self.pictures = []

    def on_train_begin(self, logs=None):
        self.pictures += self.model.pictures


@pytest.fixture
def starts():
    return Starts()


def at(size, *pictures):
    return [images.load(picture, size).rgb for picture in pictures]


def test_it_begins_with_what_the_model_paints(starts, model, photo, painting):
    result = transfer(photo, [painting, 1 - painting], style_weights=[1, 3], **FAST, callbacks=[starts])
    content, *styles = at(48, photo, painting, 1 - painting)
    want = model.stylize(content, styles, style_weights=[0.25, 0.75])
    np.testing.assert_allclose(starts.pictures[0], want, atol=1e-5)
    assert result.settings["init"] == "adain"


def test_it_is_painted_at_the_first_scale_only(starts, model, photo, painting):
    options = {**FAST, "size": 100, "scales": 2, "steps": 2, "style_scale": 1.5}
    transfer(photo, painting, **options, callbacks=[starts])
    assert [start.shape[1] for start in starts.pictures] == [50, 100]
    want = model.stylize(*at(50, photo), *at(75, painting))
    np.testing.assert_allclose(starts.pictures[0], want, atol=1e-5)


def test_what_no_mask_covers_is_the_content(starts, model, photo, painting):
    left = np.zeros(photo.shape[:2], np.float32)
    left[:, :28] = 1
    transfer(photo, painting, content_masks=left, **FAST, callbacks=[starts])
    (start,) = starts.pictures
    content, mask = images.load(photo, 48).rgb, images.load(left, (start.shape[0], 48)).rgb[..., :1]
    want = mask * model.stylize(content, at(48, painting), content_masks=[mask[..., 0]]) + (1 - mask) * content
    np.testing.assert_allclose(start, want, atol=1e-5)
    np.testing.assert_array_equal(start[:, 30:], content[:, 30:])


def test_blank_areas_stay_blank(starts, photo, painting):
    bright = np.where(np.arange(photo.shape[0])[:, None, None] < 20, np.float32(0.98), photo * 0.4)
    transfer(bright, painting * 0.6, blank_areas=0.5, **FAST, callbacks=[starts])
    (start,) = starts.pictures
    assert start[:8].min() > 0.95
    assert start[-8:].max() < 1


def test_it_sees_the_pictures_that_the_optimisation_sees(starts, model, photo, painting):
    transfer(photo, painting, preserve_color="luminance", **FAST, callbacks=[starts])
    content = images.load(luminance(photo))
    style = color_transfer.match_luminance(images.load(painting), images.load(photo))
    want = model.stylize(content.resized(48), style.resized(48))
    np.testing.assert_allclose(starts.pictures[0], want, atol=1e-5)


def test_many_pictures_and_many_styles_each_have_their_own(starts, model, photo, painting):
    list(transfer_batch([photo, photo[::-1]], painting, **FAST, callbacks=[starts]))
    content, flipped, style, other = at(48, photo, photo[::-1], painting, 1 - painting)
    np.testing.assert_allclose(starts.pictures[0], model.stylize(content, style), atol=1e-5)
    np.testing.assert_allclose(starts.pictures[1], model.stylize(flipped, style), atol=1e-5)
    starts.pictures.clear()
    list(transfer_styles(photo, [painting, 1 - painting], **FAST, callbacks=[starts]))
    for start, each in zip(starts.pictures, (style, other), strict=True):
        np.testing.assert_allclose(start, model.stylize(content, each), atol=1e-5)


def test_without_the_model_one_line_says_so_before_the_work(tmp_path, monkeypatch, caplog, photo, painting):
    monkeypatch.setattr(weights, "ADAIN", tmp_path / "adain.weights.h5")
    with (
        caplog.at_level(logging.INFO, "tfstyle"),
        pytest.raises(InputError, match=r"adain\.weights\.h5, .*is missing: install tfstyle again"),
    ):
        transfer(photo, painting, **FAST)
    assert "painting with" not in caplog.text


def test_the_command_line_has_it(tmp_path, monkeypatch, capsys, photo, painting):
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.png")
    images.save(painting, "painting.png")
    arguments = [
        "--backbone", "VGG19Mini", "--size", "48", "--steps", "1", "--precision", "float32", "--init", "adain",
        "--content-layers", "block1_conv1", "--style-layers", "block1_conv1",
    ]  # fmt: skip
    assert main(["transfer", "photo.png", "painting.png", "--json", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["init"] == "adain"
