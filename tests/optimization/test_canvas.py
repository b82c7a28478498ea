"""The canvas as a Keras model: fit, callbacks, range, best iterate, saving."""

import csv
import gc
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from tfstyle import LBFGS, Backbone, Canvas, ContentTerm, InputError, Objective, StyleTerm


@pytest.fixture(scope="module")
def objective(vgg):
    return Objective(
        [
            ContentTerm(vgg, "block2_conv1", 0.1, "relative"),
            StyleTerm(vgg, ["block1_conv1", "block2_conv1"], weight=1.0, normalize_losses=True),
        ]
    )


@pytest.fixture
def canvas(objective, photo, painting):
    return Canvas(objective, photo, [painting])


def test_it_paints_and_begins_with_the_content(canvas, photo):
    np.testing.assert_array_equal(canvas.picture, photo)
    canvas.compile(LBFGS())
    canvas.fit(steps=20)
    loss = canvas.step_log["loss"]
    assert loss[0] == pytest.approx(1.0, rel=1e-5)  # no content loss, and a balanced style loss of 1
    assert canvas.step_log["content"][0] == 0
    assert canvas.best_loss < 0.2
    assert canvas.picture.shape == photo.shape
    assert canvas.picture.dtype == np.float32


def test_only_the_pixels_are_trainable(canvas, photo):
    (pixels,) = canvas.trainable_weights
    assert pixels.shape == (1, *photo.shape)
    before = [weight.numpy() for weight in keras.tree.flatten(canvas.targets)]
    canvas.compile("adam")
    canvas.fit(steps=2)
    for a, b in zip(before, keras.tree.flatten(canvas.targets), strict=True):
        np.testing.assert_array_equal(a, b.numpy())


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "lbfgs"])
def test_pixels_stay_in_range_at_every_step(canvas, optimizer):
    seen = []
    look = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(canvas.pixels.numpy()))
    optimizers = {"adam": keras.optimizers.Adam(0.5), "sgd": keras.optimizers.SGD(1e4), "lbfgs": LBFGS()}
    canvas.compile(optimizers[optimizer])
    canvas.fit(steps=6, callbacks=[look])
    assert len(seen) == 6
    assert all(x.min() >= 0 and x.max() <= 1 for x in seen)
    assert any((x == 0).any() or (x == 1).any() for x in seen)  # the bounds are met


def test_the_picture_is_the_best_iterate_not_the_last(canvas):
    canvas.compile(keras.optimizers.SGD(1e6))  # goes wild after the first step
    canvas.fit(steps=5)
    log = canvas.step_log["loss"]
    assert log[-1] > min(log)
    assert canvas.best_loss == pytest.approx(min(log), rel=1e-6)
    terms = canvas.objective(canvas.picture[None], canvas.targets)
    assert float(sum(terms.values())[0]) == pytest.approx(min(log), rel=1e-4)


def test_the_last_steps_picture_counts_too(objective, photo, painting):
    canvas = Canvas(objective, photo, [painting])
    canvas.compile(LBFGS())
    canvas.fit(steps=1)
    assert canvas.best_loss < canvas.step_log["loss"][0]
    assert np.abs(canvas.picture - photo).max() > 0


def test_several_steps_per_call_are_the_same_steps(objective, photo, painting):
    pictures, losses = [], []
    for steps_per_execution in (1, 4):
        canvas = Canvas(objective, photo, [painting])
        canvas.compile(LBFGS(), steps_per_execution=steps_per_execution)
        canvas.fit(steps=8, steps_per_epoch=8)
        assert canvas.steps_done == 8
        assert canvas.step_log["step"] == list(range(1, 9))
        pictures.append(canvas.picture)
        losses.append(canvas.step_log["loss"])
    np.testing.assert_allclose(*pictures, atol=1e-5)
    np.testing.assert_allclose(*losses, rtol=1e-3)


@pytest.mark.parametrize(("steps", "per_call", "epochs"), [(7, 3, 1), (12, 3, 2), (5, 10, 1), (20, 10, 2)])
def test_there_are_never_more_steps_than_asked_for(canvas, steps, per_call, epochs):
    canvas.compile("adam", steps_per_execution=per_call)
    history = canvas.fit(steps=steps)
    assert canvas.steps_done == int(canvas.optimizer.iterations) == steps
    assert canvas.step_log["step"] == list(range(1, steps + 1))
    assert len(history.epoch) == epochs


def test_fit_goes_on_where_it_stopped(objective, photo, painting):
    whole, parts = Canvas(objective, photo, [painting]), Canvas(objective, photo, [painting])
    for canvas, runs in ((whole, [12]), (parts, [5, 7])):
        canvas.compile(LBFGS())
        for steps in runs:
            canvas.fit(steps=steps)
    assert parts.step_log["step"] == list(range(1, 13))
    np.testing.assert_allclose(parts.picture, whole.picture, atol=1e-5)


def test_ordinary_callbacks_work(canvas, tmp_path):
    canvas.compile("adam")
    history = canvas.fit(
        steps=12,
        steps_per_epoch=3,
        callbacks=[
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
            keras.callbacks.ModelCheckpoint(tmp_path / "c.weights.h5", save_weights_only=True),
            keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.5, min_delta=1e9),
        ],
    )
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert float(rows[-1]["style"]) == pytest.approx(canvas.step_log["style"][-1])
    assert set(history.history) >= {"loss", "content", "style"}
    assert float(canvas.optimizer.learning_rate) < 0.001
    assert (tmp_path / "c.weights.h5").stat().st_size < 50e6  # the picture and its targets, not the backbone


def test_one_callback_needs_no_list(canvas, tmp_path):
    canvas.compile("adam")
    canvas.fit(steps=2, callbacks=keras.callbacks.CSVLogger(tmp_path / "log.csv"))
    assert (tmp_path / "log.csv").exists()


def test_early_stopping_stops(canvas):
    canvas.compile("adam")
    canvas.fit(steps=40, steps_per_epoch=2, callbacks=[keras.callbacks.EarlyStopping("loss", min_delta=1e9)])
    assert canvas.steps_done == 4


def test_a_loss_that_is_not_finite_stops_and_keeps_the_best(canvas, photo):
    spoil = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: (
            canvas.pixels.assign(np.full((1, *photo.shape), np.nan)) if canvas.steps_done == 3 else None
        )
    )
    canvas.compile(LBFGS())
    canvas.fit(steps=20, callbacks=[spoil])
    assert canvas.diverged
    assert canvas.steps_done == 4
    assert np.isfinite(canvas.picture).all()
    np.testing.assert_array_equal(canvas.pixels.numpy()[0], canvas.picture)  # and one can go on from there
    assert canvas.best_loss == pytest.approx(min(canvas.step_log["loss"][:3]))


def test_noise_depends_on_the_seed_alone(objective, photo, painting):
    state = np.random.get_state()[1].copy()
    one, again, other = (Canvas(objective, photo, [painting], init="noise", seed=seed).picture for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.5
    assert 0.45 < one.mean() < 0.55
    assert (np.random.get_state()[1] == state).all()


def test_an_init_picture_is_brought_to_the_canvas_size(objective, photo, painting):
    start = np.full((10, 10, 3), 0.25, "float32")
    np.testing.assert_allclose(
        Canvas(objective, photo, [painting], init=start).picture, np.full(photo.shape, 0.25), atol=1e-6
    )


def test_size_is_the_longer_side(objective, photo, painting):
    assert Canvas(objective, photo, [painting], size=80).picture.shape == (53, 80, 3)


def test_the_step_is_compiled_once(objective, photo, painting):
    canvas = Canvas(objective, photo, [painting])
    traces = []
    original = canvas.compute_loss

    def counted(*args, **kwargs):
        traces.append(tf.executing_eagerly())
        return original(*args, **kwargs)

    canvas.compute_loss = counted
    canvas.compile(LBFGS())
    canvas.fit(steps=10)
    canvas.fit(steps=3)
    assert traces == [False, False]  # the step, and the evaluation that closes `fit`


@pytest.mark.large
def test_saving_keeps_picture_targets_and_optimizer_in_a_fresh_process(canvas, tmp_path):
    canvas.compile(LBFGS(history=5))
    canvas.fit(steps=6)
    canvas.save(tmp_path / "canvas.keras")
    canvas.fit(steps=4)
    code = (
        "import sys, json, keras, numpy as np, tfstyle.optimization.canvas\n"
        "canvas = keras.saving.load_model(sys.argv[1], safe_mode=True)\n"
        "np.save(sys.argv[2] + '/before.npy', canvas.picture)\n"
        "canvas.fit(steps=4)\n"
        "np.save(sys.argv[2] + '/after.npy', canvas.picture)\n"
        "print(json.dumps([canvas.steps_done, canvas.best_loss]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "canvas.keras"), str(tmp_path)],
        capture_output=True, text=True, check=True,
        timeout=300,
    )  # fmt: skip
    steps, loss = json.loads(run.stdout.splitlines()[-1])
    assert steps == 10
    assert loss == pytest.approx(canvas.best_loss, rel=1e-3)
    np.testing.assert_allclose(np.load(tmp_path / "after.npy"), canvas.picture, atol=2e-3)


def test_another_keras_backend_is_refused_with_the_fix(objective, photo, painting, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError) as error:
        Canvas(objective, photo, [painting])
    assert str(error.value) == "Keras runs on jax, and tfstyle needs TensorFlow: set KERAS_BACKEND=tensorflow"


def test_float16_is_refused_with_the_fix(photo, painting):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        backbone = Backbone("VGG16", "random")
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(InputError) as error:
        Canvas(Objective([ContentTerm(backbone)]), photo, [painting])
    assert str(error.value) == (
        "VGG16 computes in float16, which its features overflow: use the dtype policy mixed_bfloat16"
    )


def test_everything_in_float64(photo, painting):
    keras.config.set_floatx("float64")
    try:
        backbone = Backbone("VGG16", "random")
        terms = [ContentTerm(backbone, "block1_conv2"), StyleTerm(backbone, ["block2_conv1"], normalize_losses=True)]
        canvas = Canvas(Objective(terms), photo, [painting])
        canvas.compile(LBFGS())
        canvas.fit(steps=3)
        dtypes = {keras.backend.standardize_dtype(weight.dtype) for weight in canvas.weights}
    finally:
        keras.config.set_floatx("float32")
    assert dtypes == {"float64"}
    assert canvas.best_loss < canvas.step_log["loss"][0]


def test_a_half_precision_backbone_leaves_pixels_and_losses_in_float32(photo, painting):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        backbone = Backbone("VGG16", "random")
        terms = [
            ContentTerm(backbone, "block2_conv1", 0.1, "relative"),
            StyleTerm(backbone, ["block1_conv1"], normalize_losses=True),
        ]
        canvas = Canvas(Objective(terms), photo, [painting])
        np.testing.assert_array_equal(canvas.picture, photo)
        canvas.compile(LBFGS())
        canvas.fit(steps=8)
        features = backbone(photo[None], ["block2_conv1"])["block2_conv1"]
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(features.dtype) == "bfloat16"
    assert canvas.picture.dtype == np.float32
    assert len(np.unique(canvas.picture)) > 2000  # bfloat16 has 256 values from 0.5 to 1, and few below
    assert canvas.best_loss < 0.5 * canvas.step_log["loss"][0]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda o, p, s: Canvas(o, p[:20], [s]),
            "the array is 56x20 pixels, and the backbone needs at least 32 a side: use size 90 or more",
        ),
        (
            lambda o, p, s: Canvas(o, p, [s], size=40),
            "the array is 40x26 pixels at size 40, and the backbone needs at least 32 a side: use size 49 or more",
        ),
        (
            lambda o, p, s: Canvas(o, np.zeros((8, 4000, 3)), [s], size=400),
            "the array is 400x1 pixels at size 400, and the backbone needs at least 32 a side: "
            "crop it to a less narrow shape",
        ),
        (
            lambda o, p, s: Canvas(o, p[:1, :1], [s], size=512),
            "the array is 1x1 pixels: give a picture of at least 8 pixels a side",
        ),
        (
            lambda o, p, s: Canvas(o, p, [s[:7]], size=64),
            "the array is 48x7 pixels: give a picture of at least 8 pixels a side",
        ),
        (lambda o, p, s: Canvas(o, p, []), "styles must be a list of at least one image"),
        (lambda o, p, s: Canvas(o, p, "style.jpg"), "styles must be a list of at least one image"),
    ],
)
def test_bad_input(objective, photo, painting, make, text):
    with pytest.raises(InputError) as error:
        make(objective, photo, painting)
    assert str(error.value) == text


def test_steps_are_checked(canvas):
    canvas.compile(LBFGS())
    with pytest.raises(InputError, match="steps must be at least 1, not 0"):
        canvas.fit(steps=0)
    with pytest.raises(InputError, match="steps_per_epoch 4 does not divide 10 steps"):
        canvas.fit(steps=10, steps_per_epoch=4)
    canvas.compile(LBFGS(), steps_per_execution=2)
    with pytest.raises(InputError, match="steps_per_epoch 5 is no multiple of 2 steps per execution"):
        canvas.fit(steps=10, steps_per_epoch=5)
    with pytest.raises(InputError, match=r"a canvas takes no metrics, .*: leave metrics out"):
        canvas.compile(LBFGS(), metrics=["mae"])


def test_nothing_is_left_of_a_canvas_that_is_gone(objective, photo, painting):
    """TensorFlow's registry of gradients would keep its graph, and Keras' own optimizers have some, too."""

    def registered():
        gc.collect()
        return {name for name in gradient_registry._registry if name.startswith("CustomGradient")}

    before = registered()
    canvas = Canvas(objective, photo, [painting])
    canvas.compile("adam")
    canvas.fit(steps=1)
    assert registered() > before
    del canvas
    assert registered() == before
