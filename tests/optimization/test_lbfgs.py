"""L-BFGS against SciPy's, on functions whose minimum is known, and within a box."""

import itertools

import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from tfstyle import LBFGS, ValueRange


def path(function, start, optimizer, constraint=None, dtype="float32", jit=False):
    """The iterates, and the losses where each step began, without end."""
    variable = keras.Variable(np.asarray(start, dtype), dtype=dtype)
    variable.constraint = constraint
    optimizer.build([variable])

    @tf.function(jit_compile=jit)
    def step():
        with tf.GradientTape() as tape:
            loss = function(tf.convert_to_tensor(variable))
        optimizer.apply([tape.gradient(loss, variable.value)], [variable])
        return loss

    while True:
        loss = float(step())
        yield variable.numpy(), loss


def minimise(function, start, steps, optimizer, constraint=None):
    iterates, losses = zip(*itertools.islice(path(function, start, optimizer, constraint), steps), strict=True)
    return iterates[-1], losses


def feed(optimizer, variable, jit=False):
    """A function that steps along a gradient from elsewhere, and returns where that leads."""
    optimizer.build([variable])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [variable]), jit_compile=jit)

    def apply(gradient):
        step(tf.constant(gradient, variable.dtype))
        return variable.numpy()

    return apply


def textbook(gradient_of, x, history, low, high, guess, boldness, initial_step=0.01, max_step=0.1):
    """Nocedal & Wright's algorithm 7.4 in NumPy, among the variables that no bound holds; iterates without end.

    `guess` multiplies by the initial inverse Hessian, but for γ.
    """
    pairs, before, unit = [], None, None
    while True:
        g = gradient_of(x)
        unit = unit or 1 / np.sqrt(np.mean(g**2))
        g = g * unit
        if before is not None:
            s, y = x - before[0], g - before[1]
            if np.sum(s * y) > 1e-7 * np.sqrt(np.sum(s * s) * np.sum(y * y)):
                pairs = [*pairs, (s, y)][-history:]
        before = x, g
        free = ~((x <= low) & (g > 0) | (x >= high) & (g < 0))
        counted = [(s * free, y * free) for s, y in pairs if np.sum(s * y * free) > 0]
        q = g = g * free
        alphas = []
        for s, y in reversed(counted):
            alphas.append(np.sum(s * q) / np.sum(s * y))
            q = q - alphas[-1] * y
        if counted:
            s, y = counted[-1]
            q = boldness * np.sum(s * y) / np.sum(y * guess(y)) * guess(q) * free
        for (s, y), alpha in zip(counted, reversed(alphas), strict=True):
            q = q + s * (alpha - np.sum(y * q) / np.sum(s * y))
        down = guess(g) * free
        step = q if counted and np.sum(q * g) > 0 else down * initial_step / np.sqrt(np.mean(down**2))
        step = step * min(1, max_step / np.sqrt(np.mean(step**2)))
        x = np.clip(x - step, low, high)
        yield x


def quadratic(size=200, condition=1e3, seed=0):
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(size, size)))
    matrix = (rotation * np.geomspace(1, condition, size)) @ rotation.T
    centre = random.uniform(-0.5, 1.5, size)
    return matrix.astype("float32"), centre.astype("float32")


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(("bound", "smoothness"), [(0.75, 0.0), (0.75, 0.5), (np.inf, 0.0), (np.inf, 0.5)])
def test_goes_step_by_step_as_the_textbook_does(jit, bound, smoothness):
    """With a history of 3 pairs, which goes round, on a function that is concave in places."""
    random = np.random.default_rng(0)
    shape = (1, 3, 4, 2)
    centre, weight = random.uniform(-1, 1, shape), random.uniform(0.1, 3, shape)
    start = random.uniform(-0.35, 0.35, shape)
    frequency = np.maximum(np.hypot(np.fft.fftfreq(3)[:, None], np.fft.fftfreq(4)), 1 / 4)[..., None]

    def function(x):
        return tf.reduce_sum(weight * (x - centre) ** 2 + 2 * tf.cos(4 * x)) + tf.reduce_sum(x) ** 2

    def gradient(x):
        return 2 * weight * (x - centre) - 8 * np.sin(4 * x) + 2 * np.sum(x)

    def guess(vector):
        return np.fft.ifft2(np.fft.fft2(vector, axes=(1, 2)) * frequency**-smoothness, axes=(1, 2)).real

    optimizer = LBFGS(history=3, smoothness=smoothness, boldness=1.5)
    ours = path(function, start, optimizer, ValueRange(-bound, bound), "float64", jit)
    theirs = textbook(gradient, start, 3, -bound, bound, guess, 1.5)
    for _, (x, _), reference in zip(range(20), ours, theirs, strict=False):
        np.testing.assert_allclose(x, reference, rtol=1e-7, atol=1e-9)
    assert 3 < int(optimizer.states[0]["pairs"]) < 19  # the ring went round, and not all pairs are kept
    assert (np.abs(x) == bound).any() == np.isfinite(bound)


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


def test_the_history_is_a_ring_in_the_shape_of_the_variable():
    """A pair takes the place of the oldest, and one without positive curvature takes none."""
    variable, optimizer = keras.Variable(np.zeros((2, 2), "float32")), LBFGS(history=2)
    step, state = feed(optimizer, variable), optimizer.states[0]
    places, slopes = [variable.numpy()], np.array([[1, 2], [3, 4]], "float32")
    for _ in range(4):
        places.append(step(slopes * (places[-1] - 1)))
    assert int(state["pairs"]) == 3
    assert state["steps"].shape == state["changes"].shape == (2, 2, 2)
    np.testing.assert_array_equal(state["steps"], [places[3] - places[2], places[2] - places[1]])
    np.testing.assert_allclose(state["changes"], slopes * state["steps"] * float(state["unit"]), rtol=1e-4)

    before = {key: state[key].numpy() for key in ("steps", "changes", "pairs")}
    step(slopes * (places[-2] - 1) - (places[-1] - places[-2]))
    for key in before:
        np.testing.assert_array_equal(state[key], before[key])
    np.testing.assert_array_equal(state["value"], places[-1])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_spoilt_gradient_leaves_nothing_behind(bad, jit):
    """Neither the first nor a later one, if the variable is put right, as a canvas does."""
    variable, optimizer = keras.Variable(np.zeros(4, "float32")), LBFGS(history=3)
    step, state = feed(optimizer, variable, jit), optimizer.states[0]
    centre, weight = np.array([0.3, -0.2, 0.5, 1.0]), np.array([1.0, 10.0, 3.0, 100.0])
    for number in range(40):
        before = variable.numpy()
        gradient = weight * (before - centre)
        if number in (0, 6):
            history = {key: state[key].numpy() for key in ("steps", "changes", "pairs")}
            step(np.where([False, True, False, False], bad, gradient))
            variable.assign(before)
        step(gradient)
        if number in (0, 6):
            for key, value in history.items():
                np.testing.assert_array_equal(state[key], value)
    for value in optimizer.variables:
        assert np.isfinite(value.numpy()).all()
    np.testing.assert_allclose(variable, centre, atol=1e-4)


def test_a_first_gradient_of_zero_is_no_measure():
    variable, optimizer = keras.Variable(np.ones(4, "float32")), LBFGS(initial_step=0.01)
    step = feed(optimizer, variable)
    np.testing.assert_array_equal(step(np.zeros(4)), np.ones(4))
    np.testing.assert_allclose(step(np.full(4, 7.0)), np.full(4, 0.99), rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}])
def test_a_reset_optimizer_goes_as_a_new_one(options):
    variable, optimizer = keras.Variable(np.zeros(4, "float32")), LBFGS(history=3, **options)
    optimizer.reset()  # nothing to do
    step = feed(optimizer, variable)
    places = []
    for _ in range(2):
        variable.assign(np.zeros(4))
        optimizer.reset()
        places.append([step([1.0, 2.0, 3.0, 4.0] * (variable.numpy() - 1)) for _ in range(11)])
    np.testing.assert_array_equal(*places)
    assert int(optimizer.iterations) == 11 // options.get("gradient_accumulation_steps", 1)


def test_pairs_in_half_precision_take_half_the_memory_and_lead_as_far():
    matrix, centre = quadratic(size=20, condition=100)

    def function(x):
        d = (x - centre)[:, None]
        return tf.squeeze(0.5 * tf.transpose(d) @ matrix @ d)

    def size(optimizer):
        return sum(v.numpy().nbytes for v in optimizer.variables)

    half, full = LBFGS(history=10, pairs_dtype="bfloat16"), LBFGS(history=10)
    ends = [minimise(function, np.zeros(20), 60, optimizer)[1] for optimizer in (half, full)]
    assert [losses[-1] < 1e-4 * losses[0] for losses in ends] == [True, True]
    assert size(full) - size(half) == 2 * 10 * 20 * 2
    assert LBFGS.from_config(half.get_config()).pairs_dtype == "bfloat16"


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


def regression(strategy=None, **options):
    """An ordinary Keras model, and its weights after 30 steps of linear regression."""
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 3)).astype("float32")
    y = x @ random.normal(size=(3, 1)).astype("float32")
    with (strategy or tf.distribute.get_strategy()).scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
        model.compile(optimizer=LBFGS(history=5), loss="mse", **options)
    model.fit(tf.data.Dataset.from_tensors((x, y)).repeat(30), steps_per_epoch=30, verbose=0)
    return model, model.evaluate(x, y, verbose=0)


def test_works_in_an_ordinary_keras_model_and_survives_saving(tmp_path):
    model, loss = regression()
    assert loss < 1e-4
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("way", ["steps_per_execution", "jit_compile", "strategy"])
def test_works_however_keras_runs_it(way):
    options = {
        "steps_per_execution": {"steps_per_execution": 10},
        "jit_compile": {"jit_compile": True},
        "strategy": {"strategy": tf.distribute.MirroredStrategy(["CPU:0"])},
    }
    model, loss = regression(**options[way])
    assert loss < 1e-4
    assert model.optimizer.iterations.numpy() == 30


def test_value_range_serialises():
    constraint = ValueRange(-1.0, 2.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(constraint))
    assert (again.low, again.high) == (-1.0, 2.0)
