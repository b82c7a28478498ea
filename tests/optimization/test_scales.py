"""Coarse to fine: sizes and steps, what the optimizer takes along, and the whole through transfer()."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, strategies as st

from tfstyle import LBFGS, Canvas, ContentTerm, InputError, Objective, StyleTerm, images, transfer
from tfstyle.optimization.callbacks import Preview
from tfstyle.optimization.parameterization import Fourier
from tfstyle.optimization.scales import plan, warm_start

SHALLOW = {"content_layers": "block1_conv2", "style_layers": ["block1_conv1", "block2_conv1"]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((300, 300), [(300, 300)]),
        ((512, 300), [(512, 300)]),
        ((724, 300), [(724, 300)]),  # √2 beyond
        ((725, 300), [(362, 300), (725, 150)]),
        ((1024, 300), [(512, 300), (1024, 150)]),
        ((2048, 300), [(512, 300), (1024, 150), (2048, 75)]),
        ((2048, 300, 1), [(2048, 300)]),
        ((100, 5, 4), [(12, 5), (25, 3), (50, 2), (100, 1)]),
        ((3, 1, 4), [(1, 1), (1, 1), (2, 1), (3, 1)]),
        ((2048, 300, None, 513), [(1024, 300), (2048, 150)]),
        ((512, 300, None, 600), [(512, 300)]),  # too small altogether, which others say
        ((512, 300, 3, 600), [(512, 300)]),
        ((512, 300, 3, 128), [(128, 300), (256, 150), (512, 75)]),
    ],
)
def test_sizes_and_steps(arguments, expected):
    assert plan(*arguments) == expected


@given(st.integers(1, 65535), st.integers(1, 10_000), st.none() | st.integers(1, 12))
def test_scales_double_and_end_at_the_full_size(size, steps, number):
    found = plan(size, steps, number)
    assert found[-1][0] == size
    assert found[0][1] == steps
    assert number is None or len(found) == number
    for (coarse, many), (fine, few) in itertools.pairwise(found):
        assert coarse <= fine
        assert abs(fine - 2 * coarse) <= 2 or coarse == 1
        assert many / 2 <= few < many / 2 + 1
    if number is None and size > 512:
        assert 512 / 2**0.5 - 1 < found[0][0] < 512 * 2**0.5 + 1


def test_scales_that_begin_too_small_are_refused_with_the_number_that_do_not():
    with pytest.raises(InputError, match=r"4 scales up to 400 pixels start at 50, .* at least 96: give 3 or fewer"):
        plan(400, 300, 4, 96)


@pytest.fixture(scope="module")
def objective(vgg):
    return Objective(
        [
            ContentTerm(vgg, "block1_conv2", 0.1, "relative"),
            StyleTerm(vgg, ["block1_conv1", "block2_conv1"], normalize_losses=True),
        ]
    )


def made(objective, photo, painting, optimizer, size, init="content", parameterization=None):
    canvas = Canvas(objective, photo, [painting], init=init, size=size, parameterization=parameterization)
    canvas.compile(optimizer)
    return canvas


def doubled(objective, photo, painting, make, steps):
    """A canvas that was painted, and one of twice its size that goes on from it."""
    old = made(objective, photo, painting, make(), 56)
    old.fit(steps=steps)
    new = made(objective, photo, painting, make(), 112, init=old.picture)
    warm_start(old, new)
    return old, new


def resized(picture, height, width):
    """Bilinear interpolation between the centres of pixels, one side after the other, in float64."""
    for axis, side in enumerate((height, width)):
        old = picture.shape[axis]
        places = (np.arange(side) + 0.5) * old / side - 0.5
        below = np.clip(np.floor(places), 0, old - 2).astype(int)
        part = np.clip(places - below, 0, 1).reshape(-1, *[1] * (picture.ndim - axis - 1))
        rows = np.moveaxis(picture.astype("float64"), axis, 0)
        first, second = (np.moveaxis(rows[index], 0, axis) for index in (below, below + 1))
        picture = first * (1 - part) + second * part
    return picture


def products(state):
    """s·y of each pair that counts."""
    steps, changes = (state[key].numpy()[: int(state["pairs"])].astype("float64") for key in ("steps", "changes"))
    return (steps * changes).sum((1, 2, 3, 4))


def test_lbfgs_takes_its_pairs_along(objective, photo, painting):
    old, new = doubled(objective, photo, painting, lambda: LBFGS(history=5, initial_step=0.05), steps=14)
    (theirs,), (ours,) = old.optimizer.states, new.optimizer.states
    assert int(theirs["pairs"]) > 5
    assert int(new.optimizer.iterations) == int(old.optimizer.iterations) == 14
    assert float(ours["unit"]) == float(theirs["unit"]) > 0
    area = 37 * 56 / (74 * 112)
    want = []
    for number in range(int(theirs["pairs"]) - 5, int(theirs["pairs"])):
        step, change = (resized(theirs[key].numpy()[number % 5, 0], 74, 112) for key in ("steps", "changes"))
        if (step * change).sum() > 0:
            want.append((step, area * change))
    assert int(ours["pairs"]) == len(want) >= 3
    for row, pair in enumerate(want):  # the oldest first
        for key, expected in zip(("steps", "changes"), pair, strict=True):
            found = ours[key].numpy()[row, 0]
            np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert (products(ours) > 0).all()  # the secant condition

    np.testing.assert_array_equal(ours["value"].numpy(), new.pixels.numpy())
    new.fit(steps=1)
    assert int(ours["pairs"]) == len(want)  # the way from one size to the other is no step
    new.fit(steps=2)
    losses = new.step_log["loss"]
    assert np.isfinite(losses).all()
    assert losses[1] < losses[0]
    assert new.best_loss < losses[1]


def test_pairs_that_lose_their_curvature_on_the_way_are_left_out(objective, photo, painting):
    """What is as rough as a chequerboard is smoothed away, and what is left may curve the other way."""
    old = made(objective, photo, painting, LBFGS(history=3), 56)
    old.optimizer.build(old.trainable_variables)
    (state,) = old.optimizer.states
    rough = np.indices((37, 56)).sum(0)[None, :, :, None] % 2 * 4.0 - 2 + np.zeros((1, 1, 1, 3))
    state["steps"].assign(np.stack([1 + rough, np.full_like(rough, 3), np.full_like(rough, 2)]))
    state["changes"].assign(np.stack([-1 + rough, np.full_like(rough, 3), np.full_like(rough, 2)]))
    for pairs, kept in ((5, [2, 3]), (3, [3, 2]), (2, [3]), (1, []), (0, [])):  # the ring's oldest is 2, 3 - or rough
        state["pairs"].assign(pairs)
        state["unit"].assign(1.0)
        assert (products(state) > 0).all()
        new = made(objective, photo, painting, LBFGS(history=3), 112)
        warm_start(old, new)
        (ours,) = new.optimizer.states
        assert int(ours["pairs"]) == len(kept)
        np.testing.assert_allclose(ours["steps"].numpy()[: len(kept)].mean((1, 2, 3, 4)), kept, rtol=1e-5)
    new.fit(steps=2)  # without any pair
    assert new.step_log["loss"][1] < new.step_log["loss"][0]


def test_adam_takes_its_means_along(objective, photo, painting):
    old, new = doubled(objective, photo, painting, lambda: keras.optimizers.Adam(0.01), steps=4)
    area = 37 * 56 / (74 * 112)
    for theirs, ours, factor in (
        (old.optimizer._momentums, new.optimizer._momentums, area),
        (old.optimizer._velocities, new.optimizer._velocities, area**2),
    ):
        want = factor * resized(theirs[0].numpy()[0], 74, 112)
        np.testing.assert_allclose(ours[0].numpy()[0], want, atol=1e-5 * np.abs(want).max())
    assert new.optimizer._velocities[0].numpy().min() >= 0
    assert int(new.optimizer.iterations) == 4
    new.fit(steps=2)
    assert new.step_log["loss"][1] < new.step_log["loss"][0]


def untouched(canvas):
    fresh = type(canvas.optimizer).from_config(canvas.optimizer.get_config())
    fresh.build(canvas.trainable_variables)
    for ours, theirs in zip(canvas.optimizer.variables, fresh.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    return True


def test_others_begin_anew(objective, photo, painting):
    kinds = {
        "other": (lambda: keras.optimizers.SGD(1.0, 0.9), keras.optimizers.SGD(1.0, 0.9)),
        "another kind": (lambda: keras.optimizers.Adam(0.01), LBFGS(history=3)),
        "another history": (lambda: LBFGS(history=4), LBFGS(history=3)),
    }
    old = made(objective, photo, painting, "sgd", 56)
    for make, optimizer in kinds.values():
        old.compile(make())
        old.optimizer.build(old.trainable_variables)
        for variable in old.optimizer.variables:
            variable.assign(np.ones(variable.shape))
        new = made(objective, photo, painting, optimizer, 112)
        warm_start(old, new)
        assert untouched(new)


def test_a_spectrum_begins_anew(objective, photo, painting):
    old, new = (made(objective, photo, painting, "adam", size, parameterization=Fourier()) for size in (56, 112))
    old.optimizer.build(old.trainable_variables)
    for variable in old.optimizer.variables:
        variable.assign(np.ones(variable.shape))
    warm_start(old, new)
    assert untouched(new)


class Sizes(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append(tuple(self.model.pixels.shape[1:3]))
        self.iterations = int(self.model.optimizer.iterations)
        self.start = self.model.picture


@pytest.mark.parametrize(("optimizer", "carry"), [("lbfgs", False), ("lbfgs", True), ("adam", True)])
def test_a_large_picture_goes_on_from_a_small_one(vgg, photo, painting, optimizer, carry, tmp_path):
    look, preview = Sizes(), Preview(tmp_path / "out.png", 2)
    options = {"optimizer": optimizer, "backbone": vgg, "callbacks": [look, preview], **SHALLOW}
    options["parameterization"] = "pixels"  # whose optimizers have something to carry over
    result = transfer(photo, painting, size=112, scales=2, steps=5, warm_start=carry, **options)
    assert look.seen == [(37, 56), (74, 112)]
    assert look.iterations == (5 if carry else 0)  # the optimizer goes on, too, if asked to
    assert result.image.shape == (74, 112, 3)
    assert result.settings["scales"] == [56, 112]
    assert result.settings["scale_steps"] == [5, 3]
    assert result.settings["steps"] == 5
    assert result.settings["steps_done"] == 8
    assert (result.settings["height"], result.settings["width"]) == (74, 112)
    assert result.history["step"] == list(range(1, 9))
    assert {len(values) for values in result.history.values()} == {8}
    assert result.settings["first_loss"] == result.history["loss"][0]
    assert result.settings["best_loss"] <= min(result.history["loss"][5:])  # of the full size
    shown = {path.name: images.load(path).rgb.shape for path in tmp_path.iterdir()}  # steps count on here, too
    assert shown == {f"out-step0000{step}.png": (37, 56, 3) if step < 5 else (74, 112, 3) for step in (2, 4, 6, 8)}
    enlarged = images.load(photo, 112).rgb
    assert np.abs(look.start - enlarged).mean() > 0.01  # the second scale didn't begin with the photograph


def test_one_scale_is_the_full_size_only(vgg, photo, painting):
    look = Sizes()
    options = {"size": 112, "steps": 1, "backbone": vgg, "callbacks": [look], **SHALLOW}
    result = transfer(photo, painting, scales=1, **options)
    assert look.seen == [(74, 112)]
    assert (result.settings["scales"], result.settings["scale_steps"]) == ([112], [1])
    with pytest.raises(InputError, match=r"3 scales up to 112 pixels start at 28, .* at least 49: give 2 or fewer"):
        transfer(photo, painting, scales=3, **options)
    with pytest.raises(InputError, match="scales up to 112 pixels start at 56, and these pictures need at least 64"):
        transfer(photo, painting, scales=2, style_scale=0.5, **options)


def test_an_interrupt_at_a_small_scale_ends_there(vgg, photo, painting):
    def stop(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    result = transfer(
        photo, painting, size=112, scales=2, steps=5, backbone=vgg,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)], **SHALLOW,
    )  # fmt: skip
    assert result.settings["stopped"] == "interrupted"
    assert result.settings["steps_done"] == 2
    assert result.image.shape == (37, 56, 3)
    assert (result.settings["height"], result.settings["width"]) == (37, 56)
    assert result.settings["scales"] == [56, 112]
