"""transfer_batch(): many pictures, each as if it were painted by itself, in the time of fewer compilations."""

import gc
import logging
import weakref

import keras
import numpy as np
import pytest

import tfstyle
from tfstyle import Backbone, Canvas, InputError, Objective, images, transfer, transfer_batch


@pytest.fixture(scope="module")
def network():
    return Backbone("VGG16", "random", pooling="avg", precision="float32")


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


def same(result, other):
    np.testing.assert_allclose(result.image, other.image, rtol=0, atol=1e-5)
    assert result.history.keys() == other.history.keys()
    for name, values in other.history.items():
        np.testing.assert_allclose(result.history[name], values, rtol=1e-4)
    timed = ("seconds", "optimization_seconds")
    ours, theirs = ({k: v for k, v in each.settings.items() if k not in timed} for each in (result, other))
    assert ours.pop("best_loss") == pytest.approx(theirs.pop("best_loss"), rel=1e-4)
    assert ours.pop("first_loss") == pytest.approx(theirs.pop("first_loss"), rel=1e-4)
    assert ours == theirs


def message(function, *args, **kwargs):
    with pytest.raises(InputError) as error:
        function(*args, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"size": 100, "scales": 2, "optimizer": "adam", "steps": 4},
        {"size": 100, "scales": 2, "steps": 4, "method": "moments", "init": "noise"},
        {"parameterization": "fourier", "preserve_color": "luminance", "optimizer": "adam", "learning_rate": 0.01},
    ],
    ids=["gatys", "two scales, Adam", "two scales, L-BFGS, moments, noise", "waves, grey"],
)
def test_pictures_of_one_size_share_a_compiled_step_and_nothing_else(settings, photos, painting, traced, given):
    """Each is as if painted by itself; untrained networks are balanced, which is by each content."""
    settings |= given
    alone = [transfer(photos[0], painting, **settings)]
    traces = traced.copy()
    assert len(set(traces)) == given.get("scales", 1)
    traced.clear()
    results = list(transfer_batch(photos, painting, **settings))
    assert traced == traces
    alone = [*alone, transfer(photos[3], painting, **settings)]
    assert traced == traces * 2  # as a batch doesn't
    assert alone[0].settings["balance"]
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
    assert [str(results[n]) for n in (1, 3, 6)] == [
        f"{tmp_path}/bad.png is not a picture of a known kind; use JPEG, PNG, WebP or TIFF",
        "the array is 2x48 pixels at size 48, and the backbone needs at least 32 a side: use size 960 or more",
        f"{tmp_path}/gone.png does not exist; check the path",
    ]
    assert all(type(results[n]) is InputError for n in (1, 3, 6))
    assert [results[n].image.shape for n in (0, 2, 4, 5)] == [(32, 48, 3), (32, 48, 3), (48, 32, 3), (32, 48, 3)]
    for n in (2, 4):
        same(results[n], transfer(contents[n], painting, **settings))


def test_only_the_canvases_of_one_size_are_kept(settings, painting, monkeypatch):
    """Also where pictures of different sizes begin at the same one."""
    original, canvases = Canvas.__init__, weakref.WeakSet()

    def noted(self, *args, **kwargs):
        original(self, *args, **kwargs)
        canvases.add(self)

    monkeypatch.setattr(Canvas, "__init__", noted)
    contents = [np.random.default_rng(0).random((height, 96, 3)) for height in (68, 69, 72)]
    settings |= {"size": 96, "scales": 2, "steps": 1, "optimizer": "adam"}
    found = []
    for result in transfer_batch(contents, painting, **settings):
        gc.collect()
        found.append((result.image.shape[0], sorted(canvas.best_pixels.shape[1] for canvas in canvases)))
    assert found == [(68, [34, 68]), (69, [34, 69]), (72, [36, 72])]


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
    ("given", "text"),
    [
        ({"brush": 3}, f"unknown setting 'brush': there are {len(transfer.__kwdefaults__)}, from method to progress"),
        ({"style_wieght": 3}, "unknown setting 'style_wieght': did you mean style_weight"),
        ({"checkpoint": "cp"}, "checkpoint is for one picture at a time: leave it out, or paint one content"),
        (
            {"checkpoint_every": 5},
            "checkpoint_every is for one picture at a time: leave it out, or paint one content",
        ),
        ({"resume": True}, "resume is for one picture at a time: leave it out, or paint one content"),
        ({"steps": 0}, "steps 0 can't be used: give a whole number from 1 to 10000000"),
        ({"style_blend": [1, 2]}, "style blend 1,2 has 2 weights for 1 style pictures: give 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_is_wrong_for_all_is_refused_at_once(photos, painting, given, text):
    """Before the first is asked for."""
    assert message(transfer_batch, photos, painting, **given).startswith(text)


def test_one_picture_is_no_batch(painting, tmp_path):
    text = "the contents are one picture: give a list of pictures, or use transfer"
    for content in ("photo.png", tmp_path / "photo.png", images.load(painting)):
        assert message(transfer_batch, content, painting) == text
    assert message(transfer_batch, [], "missing.png") == "missing.png does not exist; check the path"


def test_the_network_is_named_once(settings, photos, painting, caplog):
    settings |= {"backbone": "VGG16", "weights": "random", "precision": "float32", "steps": 1}
    with caplog.at_level(logging.INFO, "tfstyle"):
        assert len(list(tfstyle.transfer_batch(photos, painting, **settings))) == 4
    lines = [record.getMessage() for record in caplog.records if record.name == "tfstyle"]
    assert lines == ["painting with VGG16, weights random (He, seed 0)"]
