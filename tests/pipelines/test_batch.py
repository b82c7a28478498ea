"""Many pictures or styles in one call: each as if painted by itself, in the time of fewer compilations."""

import gc
import logging
import re
import weakref

import keras
import numpy as np
import pytest

import tfstyle
from tfstyle import Backbone, InputError, Objective, images, transfer, transfer_batch, transfer_styles
from tfstyle.optimization import memory


@pytest.fixture(scope="module")
def network():
    """An untrained one, whose features are normalised by the pictures of each painting."""
    return Backbone("VGG19Mini", "random", pooling="avg", precision="float32")


@pytest.fixture
def settings(network):
    """What makes small pictures quick."""
    return {
        "size": 48, "steps": 3, "backbone": network, "content_layers": "block2_conv1",
        "style_layers": ["block1_conv1", "block2_conv1"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def photos(photo):
    """Four different pictures of one size."""
    return [photo, photo[::-1], photo[:, ::-1], 1 - photo]


@pytest.fixture
def traced(monkeypatch):
    """The shapes of the pictures that an objective is asked about in Python, and so traced for, or for targets."""
    original, seen = Objective.__call__, []

    def counting(self, pictures, targets):
        seen.append(tuple(pictures.shape))
        return original(self, pictures, targets)

    monkeypatch.setattr(Objective, "__call__", counting)
    return seen


def same(result, other, tolerance=1e-5):
    """L-BFGS doubles what rounding differs by in each step, as batches add up in another order."""
    np.testing.assert_allclose(result.image, other.image, rtol=0, atol=tolerance)
    assert result.history.keys() == other.history.keys()
    for name, values in other.history.items():
        np.testing.assert_allclose(result.history[name], values, rtol=1e-4)
    timed = ("seconds", "optimization_seconds")
    ours, theirs = ({k: v for k, v in each.settings.items() if k not in timed} for each in (result, other))
    assert ours.pop("best_loss") == pytest.approx(theirs.pop("best_loss"), rel=1e-4)
    assert ours.pop("first_loss") == pytest.approx(theirs.pop("first_loss"), rel=1e-4)
    assert ours == theirs


def refused(match, function, *args, **kwargs):
    with pytest.raises(InputError, match=match) as error:
        function(*args, **kwargs)
    assert "\n" not in str(error.value)


def check_errors(results, matches):
    """The errors among results: their places, and what each says."""
    errors = {n: str(result) for n, result in enumerate(results) if isinstance(result, InputError)}
    assert errors.keys() == matches.keys()
    for n, match in matches.items():
        assert re.search(match, errors[n]), errors[n]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": 100, "scales": 2, "steps": 4, "method": "li2017-batchnorm", "init": "noise"},
        {"parameterization": "fourier", "preserve_color": "luminance", "optimizer": "adam", "learning_rate": 0.01},
    ],
    ids=["gatys", "two scales, L-BFGS, moments, noise", "waves, grey"],
)
def test_pictures_of_one_size_share_a_compiled_step_and_nothing_else(settings, photos, painting, traced, options):
    """Each is as if painted by itself; untrained networks are balanced, which is by each content."""
    settings |= options
    alone = [transfer(photos[0], painting, **settings)]
    traces = traced.copy()
    assert len(set(traces)) == options.get("scales", 1)
    traced.clear()
    results = list(transfer_batch(photos, painting, **settings))
    assert traced == traces
    alone = [*alone, transfer(photos[3], painting, **settings)]
    assert traced == traces * 2  # as a batch doesn't
    assert alone[0].settings["normalize_losses"]
    assert np.abs(alone[0].image - alone[1].image).max() > 0.1
    same(results[0], alone[0])
    same(results[3], alone[1])
    assert [len(result.history["step"]) for result in results] == [len(alone[0].history["step"])] * 4


def test_pictures_of_other_sizes_and_bad_ones_have_their_places(settings, photos, painting, tmp_path):
    settings |= {"optimizer": "adam"}
    (tmp_path / "bad.png").write_text("I am not a picture")
    images.save(photos[1], tmp_path / "good.png")
    wide = np.full((300, 10, 3), 0.5)
    tall = np.ascontiguousarray(np.swapaxes(photos[0], 0, 1))
    contents = [photos[0], tmp_path / "bad.png", tmp_path / "good.png", wide, tall, photos[2], tmp_path / "gone.png"]
    results = list(transfer_batch(contents, painting, **settings))
    matches = {
        1: r"bad\.png is not a picture",
        3: "2x48 pixels .*use size 960",
        6: r"gone\.png does not exist; check",
    }
    check_errors(results, matches)
    assert [results[n].image.shape for n in (0, 2, 4, 5)] == [(32, 48, 3), (32, 48, 3), (48, 32, 3), (32, 48, 3)]
    for n in (2, 4):
        same(results[n], transfer(contents[n], painting, **settings))


class Canvases(keras.callbacks.Callback):
    """The canvases that have been painted and are still in memory."""

    def __init__(self):
        super().__init__()
        self.alive = weakref.WeakSet()

    def on_train_begin(self, logs=None):
        self.alive.add(self.model)

    def on_train_end(self, logs=None):
        self._model = None


def test_only_the_canvases_of_one_size_are_kept(settings, painting):
    """Also where pictures of different sizes begin at the same one."""
    canvases = Canvases()
    contents = [np.random.default_rng(0).random((height, 96, 3)) for height in (68, 69, 72)]
    settings |= {"size": 96, "scales": 2, "steps": 1, "optimizer": "adam"}
    heights = []
    for result in transfer_batch(contents, painting, **settings, callbacks=[canvases]):
        gc.collect()
        heights.append((result.image.shape[0], sorted(canvas.best_pixels.shape[1] for canvas in canvases.alive)))
    assert heights == [(68, [34, 68]), (69, [34, 69]), (72, [36, 72])]


def test_contents_are_taken_one_after_the_other(settings, photos, painting):
    taken = []

    def contents():
        for number, photo in enumerate(photos):
            taken.append(number)
            yield photo

    results = transfer_batch(contents(), painting, **settings | {"steps": 1})
    assert taken == []
    assert next(results).image.shape == (32, 48, 3)
    assert taken == [0]
    assert len(list(results)) == 3
    assert list(transfer_batch([], painting, **settings)) == []


def test_an_interrupted_picture_says_so_and_the_next_ones_are_whole(settings, photos, painting):
    begun = []

    def stop(batch, logs):
        if len(begun) == 2 and batch == 1:
            raise KeyboardInterrupt

    callback = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: begun.append(1), on_train_batch_end=stop)
    results = list(
        transfer_batch(photos[:3], painting, **settings | {"steps": 5, "optimizer": "adam"}, callbacks=[callback])
    )
    assert [result.settings["stopped"] for result in results] == [None, "interrupted", None]
    assert [result.settings["steps_done"] for result in results] == [5, 2, 5]
    same(results[2], transfer(photos[2], painting, **settings | {"steps": 5, "optimizer": "adam"}))


def test_a_ctrl_c_before_anything_is_painted_ends_the_batch(settings, photos, painting):
    def stop(logs):
        raise KeyboardInterrupt

    callback = keras.callbacks.LambdaCallback(on_train_begin=stop)
    results = transfer_batch(photos, painting, **settings, callbacks=[callback])
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"brush": 3}, "unknown option 'brush'"),
        ({"style_wieght": 3}, "option 'style_wieght': did you mean style_weight"),
        ({"checkpoint": "cp"}, "checkpoint is for one picture: leave it out, or use transfer"),
        ({"checkpoint_every": 5}, "checkpoint every is for one picture: leave it out, or use transfer"),
        ({"resume": True}, "resume is for one picture: leave it out, or use transfer"),
        ({"steps": 0}, "steps 0 .*a whole number from 1 to 10000000"),
        ({"style_weights": [1, 2]}, "style weights 1,2 .*1 style image.*give 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_is_wrong_for_all_is_refused_at_once(photos, painting, options, match):
    """Before the first is asked for."""
    refused(match, transfer_batch, photos, painting, **options)


def test_one_picture_is_no_batch(painting, tmp_path):
    for content in ("photo.png", tmp_path / "photo.png", images.load(painting)):
        refused("contents are one picture: give a list .*or use transfer", transfer_batch, content, painting)
    refused(r"missing\.png does not exist; check the path", transfer_batch, [], "missing.png")


def test_the_network_is_named_once(settings, photos, painting, caplog):
    settings |= {"backbone": "VGG19Mini", "weights": "random", "precision": "float32", "steps": 1}
    with caplog.at_level(logging.INFO, "tfstyle"):
        assert len(list(tfstyle.transfer_batch(photos, painting, **settings))) == 4
    lines = [record.getMessage() for record in caplog.records if record.name == "tfstyle"]
    assert lines == ["painting with VGG19Mini, weights random (He, seed 0)"]


@pytest.fixture(scope="module")
def paintings(painting):
    """Three different styles, of different sizes."""
    return [painting, 1 - painting[:40], painting[:, :36, ::-1] ** 2]


def groups_of(number, monkeypatch):
    """Memory for that many pictures at a time."""
    monkeypatch.setattr(memory, "pictures_per_step", lambda *args: number)


COLOURS = {"optimizer": "adam", "size": 100, "scales": 2, "preserve_color": "histogram"}
GREY = {"method": "li2017-batchnorm", "size": 100, "scales": 2, "init": "noise", "preserve_color": "luminance"}


@pytest.mark.parametrize(
    ("options", "at_a_time"),
    [({}, 1), (COLOURS, 2), (GREY, 2)],
    ids=["gatys", "two scales, Adam, colours", "two scales, L-BFGS, moments, noise, grey"],
)
def test_each_style_is_painted_as_if_alone_and_all_share_a_compiled_step(
    settings, photo, paintings, traced, monkeypatch, at_a_time, options
):
    """Untrained networks are balanced, which is by each style; the last group is filled up."""
    settings |= options | {"steps": 4}
    groups_of(at_a_time, monkeypatch)
    results = list(transfer_styles(photo, paintings, **settings))
    shapes = set(traced)
    assert len(traced) == len(shapes) * traced.count(traced[0])  # each scale is traced as often as the first
    assert {shape[0] for shape in shapes} == {at_a_time}
    assert len(shapes) == options.get("scales", 1)
    traces = traced.copy()
    traced.clear()
    alone = [transfer(photo, style, **settings) for style in paintings]
    assert len(traced) == 3 * len(traces)  # each once more
    assert np.abs(alone[0].image - alone[1].image).max() > 0.02
    for result, other in zip(results, alone, strict=True):
        same(result, other, 2e-3)


@pytest.mark.parametrize(("optimizer", "part"), [("adam", False), ("lbfgs", True)])
def test_styles_with_masks_are_painted_as_if_alone(settings, photo, paintings, optimizer, part, monkeypatch):
    """Some with, some without, in groups; on all or a part of the picture."""
    groups_of(2, monkeypatch)
    half = np.zeros(photo.shape[:2], np.float32)
    half[:, :28] = 1
    masks = [None, None, np.linspace(0, 1, 36, dtype=np.float32)[None].repeat(48, axis=0)]
    options = {**settings, "optimizer": optimizer, "content_masks": half if part else None}
    results = list(transfer_styles(photo, paintings, **options, style_masks=masks))
    for result, style, mask in zip(results, paintings, masks, strict=True):
        other = transfer(photo, style, **options, style_masks=mask)
        np.testing.assert_allclose(result.image, other.image, atol=2e-3)
        np.testing.assert_allclose(result.history["loss"], other.history["loss"], rtol=1e-4)


def test_styles_that_cannot_be_used_have_their_places_and_the_others_are_painted(
    settings, photo, paintings, tmp_path, traced
):
    settings |= {"optimizer": "adam"}
    (tmp_path / "bad.png").write_text("I am not a picture")
    images.save(paintings[1], tmp_path / "good.png")
    styles = [tmp_path / "bad.png", paintings[0], np.full((300, 10, 3), 0.5), tmp_path / "good.png", paintings[2]]
    black = np.zeros((48, 36), np.float32)
    results = list(transfer_styles(photo, styles, **settings, style_masks=[None, None, None, None, black]))
    matches = {0: r"bad\.png is not a picture", 2: "2x48 pixels .*use size 960", 4: "array is black .*make white"}
    check_errors(results, matches)
    assert {shape[0] for shape in traced} == {2}
    for n in (1, 3):
        same(results[n], transfer(photo, styles[n], **settings), 2e-3)
    check_errors(list(transfer_styles(photo, ["gone.png"], **settings)), {0: r"gone\.png does not exist; check"})


def test_a_narrow_style_that_begins_at_another_scale_is_painted_by_itself(settings, photo, paintings):
    """As it needs a larger picture to begin with than others."""
    settings |= {"size": 1100, "scales": None, "steps": 1, "optimizer": "adam", "style_layers": "block1_conv1",
                 "content_layers": "block1_conv1"}  # fmt: skip
    narrow = np.random.default_rng(0).random((20, 512, 3))
    found = list(transfer_styles(photo[:12, :40], [paintings[0], narrow], **settings))
    assert [result.settings["scales"] for result in found] == [[550, 1100], [1100]]


def test_an_interrupted_group_says_so_and_is_the_last(settings, photo, paintings, monkeypatch):
    groups_of(2, monkeypatch)
    begun = []

    def stop(batch, logs):
        if len(begun) == 2 and batch == 1:
            raise KeyboardInterrupt

    callback = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: begun.append(1), on_train_batch_end=stop)
    settings |= {"steps": 5, "optimizer": "adam"}
    styles = [*paintings, *paintings]
    results = list(transfer_styles(photo, styles, **settings, callbacks=[callback]))
    assert [result.settings["stopped"] for result in results] == [None, None, "interrupted", "interrupted"]
    assert [result.settings["steps_done"] for result in results] == [5, 5, 2, 2]


def test_one_style_whose_loss_is_spoilt_leaves_the_others_alone(settings, photo, paintings):
    def spoil(batch, logs):
        if batch == 1:
            picture = callback.model.parameters[1]
            picture.assign(np.full(picture.shape, np.nan))

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=spoil)
    settings |= {"steps": 5, "optimizer": "adam"}
    results = list(transfer_styles(photo, paintings, **settings, callbacks=[callback]))
    text = "the loss was not a finite number after 5 steps"
    assert [result.settings["stopped"] for result in results] == [None, text, None]
    assert np.isfinite(results[1].image).all()
    same(results[2], transfer(photo, paintings[2], **settings), 2e-3)


@pytest.mark.parametrize(
    ("styles", "options", "match"),
    [
        (2, {"brush": 3}, "unknown option 'brush'"),
        (2, {"checkpoint": "cp"}, "checkpoint is for one picture: leave it out, or use transfer"),
        (2, {"resume": True}, "resume is for one picture: leave it out, or use transfer"),
        (2, {"style_weights": [1, 2]}, "each style is painted by itself: leave out style weights"),
        (2, {"style_masks": ["a.png"]}, "1 style masks for 2 style images: give one for each, or none"),
        (2, {"content_masks": ["a.png", "b.png"]}, "each style is painted by itself: give one content mask"),
        (2, {"steps": 0}, "steps 0 .*a whole number from 1 to 10000000"),
        (0, {}, "no style image: give at least one"),
        (2, {"content_masks": "gone.png"}, r"gone\.png does not exist; check the path"),
    ],
    ids=str,
)
def test_what_is_wrong_for_all_styles_is_refused_at_once(photo, paintings, styles, options, match):
    refused(match, transfer_styles, photo, paintings[:styles], **options)
    refused(match, transfer_styles, photo, ["gone.png"] * styles, **options)


def test_a_content_that_cannot_be_used_is_no_styles_fault(settings, photo, paintings):
    refused(r"gone\.png does not exist; check the path", transfer_styles, "gone.png", paintings)
    results = transfer_styles(np.full((300, 10, 3), 0.5), paintings, **settings)
    refused("2x48 pixels at size 48, .*at least 32", next, results)
