"""L-BFGS against SciPy's, on functions whose minimum is known, and within a box."""

import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from tfstyle import LBFGS, ValueRange


def minimise(function, start, steps, optimizer, constraint=None):
    variable = keras.Variable(np.asarray(start, "float32"))
    variable.constraint = constraint
    optimizer.build([variable])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = function(tf.convert_to_tensor(variable))
        optimizer.apply([tape.gradient(loss, variable.value)], [variable])
        return loss

    losses = [float(step()) for _ in range(steps)]
    return variable.numpy(), losses


def quadratic(size=200, condition=1e3, seed=0):
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(size, size)))
    matrix = (rotation * np.geomspace(1, condition, size)) @ rotation.T
    centre = random.uniform(-0.5, 1.5, size)
    return matrix.astype("float32"), centre.astype("float32")


def test_reaches_the_minimum_of_a_quadratic():
    matrix, centre = quadratic()

    def function(x):
        d = (x - centre)[:, None]
        return tf.squeeze(0.5 * tf.transpose(d) @ matrix @ d)

    x, losses = minimise(function, np.zeros(200), 150, LBFGS(max_step=1.0))
    assert losses[-1] < 1e-6 * losses[0]
    np.testing.assert_allclose(x, centre, atol=1e-2)


def test_is_as_good_as_scipys_on_rosenbrock_chain():
    def function(x):
        return tf.reduce_sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    start = np.linspace(0.2, 0.8, 30)
    _, losses = minimise(function, start, 400, LBFGS())
    reference = scipy.optimize.minimize(
        scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="L-BFGS-B", options={"maxfun": 400}
    )
    assert reference.fun < 1e-8
    assert min(losses) < 1e-6


def test_stays_in_the_box_and_finds_its_minimum_there():
    matrix, centre = quadratic(size=80, condition=50)

    def function(x):
        d = (x - centre)[:, None]
        return tf.squeeze(0.5 * tf.transpose(d) @ matrix @ d)

    x, losses = minimise(function, np.full(80, 0.5), 200, LBFGS(), ValueRange(0.0, 1.0))
    reference = scipy.optimize.minimize(
        lambda v: 0.5 * (v - centre) @ matrix.astype("float64") @ (v - centre),
        np.full(80, 0.5),
        jac=lambda v: matrix.astype("float64") @ (v - centre),
        method="L-BFGS-B",
        bounds=[(0, 1)] * 80,
        options={"maxiter": 5000, "ftol": 1e-14, "gtol": 1e-10},
    )
    assert x.min() >= 0
    assert x.max() <= 1
    assert ((reference.x < 1e-6) | (reference.x > 1 - 1e-6)).sum() > 10  # the box matters
    np.testing.assert_allclose(losses[-1], reference.fun, rtol=1e-4)


def test_the_first_step_and_no_step_are_as_long_as_promised():
    def function(x):
        return 1e12 * tf.reduce_sum(tf.abs(x) ** 1.5)

    start = np.random.default_rng(0).uniform(1, 2, 50)
    x, _ = minimise(function, start, 1, LBFGS(initial_step=0.01))
    np.testing.assert_allclose(np.sqrt(np.mean((x - start) ** 2)), 0.01, rtol=1e-4)
    previous = x
    for steps in (2, 3, 4):
        x, _ = minimise(function, start, steps, LBFGS(initial_step=0.01, max_step=0.02))
        assert np.sqrt(np.mean((x - previous) ** 2)) <= 0.02 * (1 + 1e-4)
        previous = x


def test_a_zero_gradient_moves_nothing():
    x, _ = minimise(lambda x: tf.reduce_sum(x * 0.0), np.ones(5), 3, LBFGS())
    np.testing.assert_array_equal(x, np.ones(5))


def test_each_variable_has_its_own_history():
    """Two problems side by side go as each does alone, however different their scales."""
    matrix, centre = quadratic(size=20, condition=100)
    start = np.zeros(20, "float32")

    def function(x, scale):
        d = (x - centre)[:, None]
        return scale * tf.squeeze(0.5 * tf.transpose(d) @ matrix @ d)

    alone, _ = minimise(lambda x: function(x, 1.0), start, 15, LBFGS())
    pair = [keras.Variable(start), keras.Variable(start)]
    optimizer = LBFGS()
    optimizer.build(pair)
    for _ in range(15):
        with tf.GradientTape() as tape:
            loss = function(tf.convert_to_tensor(pair[0]), 1.0) + function(tf.convert_to_tensor(pair[1]), 1e4)
        optimizer.apply(tape.gradient(loss, [v.value for v in pair]), pair)
    np.testing.assert_allclose(pair[0].numpy(), alone, rtol=1e-3, atol=1e-4)


def test_a_bound_that_holds_the_last_pair_does_not_hold_the_rest():
    """The newest pair may lie on a bound altogether: the older ones, or the gradient, go on."""

    def function(v):
        x, y = v[0], v[1]
        return 5 * x + 5 * x**2 + y * (10 * x - 0.05) + y**2 / 2

    v, _ = minimise(function, [0.01, 0.0], 40, LBFGS(), ValueRange(0.0, 1.0))
    np.testing.assert_allclose(v, [0.0, 0.05], atol=1e-4)


@pytest.mark.parametrize("scale", [1e-20, 1e-4, 1.0, 1e4, 1e28])
def test_the_scale_of_the_loss_does_not_matter(scale):
    """Also where there is no curvature to go by: Σ cos 3x is concave at the start."""

    def path(scale):
        return minimise(lambda x: scale * tf.reduce_sum(tf.cos(3 * x)), np.full(10, 0.2), 60, LBFGS())[0]

    np.testing.assert_allclose(path(scale), path(1.0), rtol=1e-3)
    np.testing.assert_allclose(path(scale), np.pi / 3, rtol=1e-3)


def test_serialisation_round_trip():
    optimizer = LBFGS(learning_rate=0.5, history=7, initial_step=0.02, max_step=0.3)
    config = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(config)
    for name in ("history", "initial_step", "max_step"):
        assert getattr(again, name) == getattr(optimizer, name)
    assert float(again.learning_rate) == 0.5


def test_works_in_an_ordinary_keras_model_and_survives_saving(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 3)).astype("float32")
    y = x @ random.normal(size=(3, 1)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=LBFGS(), loss="mse")
    model.fit(x, y, batch_size=64, epochs=30, verbose=0)
    assert model.evaluate(x, y, verbose=0) < 1e-4
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_value_range_serialises():
    constraint = ValueRange(-1.0, 2.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(constraint))
    assert (again.low, again.high) == (-1.0, 2.0)
