"""CycleGAN: its networks against PyTorch, its losses against NumPy, and what is saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError
from tfstyle.models import ConstantThenLinearDecay, CycleGAN

SIZE = (16, 20)
SMALL = {"size": SIZE, "blocks": 1, "filters": 4, "n_layers": 1, "pool_size": 2, "seed": 0}

# What the generator (2 blocks, 4 filters) and the discriminator (2 layers, 4 filters) of
# junyanz/pytorch-CycleGAN-and-pix2pix, written anew, give in PyTorch 2.15 with `waves` as weights for a picture of
# sin(0.37 n); of the generator's every third pixel.
GOLDEN_GENERATOR = [
    0.56598,
    0.296477,
    0.843066,
    0.713747,
    0.325261,
    0.750491,
    0.519524,
    0.095781,
    0.782054,
    0.577137,
    0.355604,
    0.854326,
    0.523705,
    0.377812,
    0.879399,
    0.525677,
    0.321138,
    0.866696,
    0.611224,
    0.388918,
    0.850383,
    0.498181,
    0.192761,
    0.829023,
    0.634795,
    0.372495,
    0.835246,
    0.507989,
    0.234695,
    0.837139,
    0.557898,
    0.375889,
    0.870174,
    0.698247,
    0.496509,
    0.85357,
    0.674895,
    0.328175,
    0.79945,
    0.680793,
    0.514896,
    0.867781,
    0.702682,
    0.38903,
    0.801597,
    0.595527,
    0.21847,
    0.801885,
    0.45221,
    0.217354,
    0.860783,
    0.627772,
    0.328815,
    0.825108,
    0.517052,
    0.153862,
    0.810619,
    0.537379,
    0.262102,
    0.843026,
    0.665925,
    0.377404,
    0.823823,
    0.500026,
    0.07737,
    0.786649,
    0.482409,
    0.360913,
    0.888505,
    0.669146,
    0.514144,
    0.871755,
]
GOLDEN_DISCRIMINATOR = [0.506377, 1.644334]
GENERATOR_LAYOUT = {
    "model.1": (4, 3, 7, 7),
    "model.4": (8, 4, 3, 3),
    "model.7": (16, 8, 3, 3),
    "model.10.conv_block.1": (16, 16, 3, 3),
    "model.10.conv_block.5": (16, 16, 3, 3),
    "model.11.conv_block.1": (16, 16, 3, 3),
    "model.11.conv_block.5": (16, 16, 3, 3),
    "model.12": (16, 8, 3, 3),
    "model.15": (8, 4, 3, 3),
    "model.19": (3, 4, 7, 7),
}
DISCRIMINATOR_LAYOUT = {
    "model.0": (4, 3, 4, 4),
    "model.2": (8, 4, 4, 4),
    "model.5": (16, 8, 4, 4),
    "model.8": (1, 16, 4, 4),
}
TRANSPOSED = ("model.12", "model.15")


def waves(shape, number):
    """Weights that need no random numbers."""
    n = np.arange(np.prod(shape), dtype=np.float64)
    values = np.sin(0.7 * n + number) + 0.5 * np.cos(0.13 * n * (number + 1))
    return (values / np.sqrt(np.prod(shape[1:]))).reshape(shape).astype("float32")


def state_of(layout):
    """A state dict in which nothing is in order."""
    state = {}
    for number, (name, shape) in enumerate(layout.items()):
        state[f"{name}.weight"] = waves(shape, 2 * number)
        outputs = shape[1] if name in TRANSPOSED and len(layout) > 5 else shape[0]
        state[f"{name}.bias"] = waves((outputs,), 2 * number + 1)
    state["model.2.running_mean"] = np.zeros(4)  # as old checkpoints have
    state["model.2.num_batches_tracked"] = np.zeros(())
    return dict(reversed(state.items()))


@pytest.fixture
def model():
    return CycleGAN(**SMALL)


@pytest.fixture(scope="module")
def domains():
    return tuple(np.random.default_rng(0).random((2, 6, *SIZE, 3), "float32"))


def batches(domains, number=2):
    return tf.data.Dataset.from_tensor_slices(domains).batch(number, drop_remainder=True)


# Networks


def test_parameters_are_the_papers():
    model = CycleGAN(pool_size=0)
    assert [network.count_params() for network in model.generators()] == [11_378_179] * 2
    assert [network.count_params() for network in model.discriminators()] == [2_764_737] * 2
    assert CycleGAN(128, pool_size=0).generator.count_params() == 7_837_699
    assert model.discriminator(np.zeros((1, 256, 256, 3))).shape == (1, 30, 30, 1)


def test_checkpoints_of_pytorch_give_what_they_give_there():
    model = CycleGAN(size=24, blocks=2, filters=4, n_layers=2, pool_size=0)
    model.load_torch(state_of(GENERATOR_LAYOUT))
    model.load_torch(state_of(DISCRIMINATOR_LAYOUT), "inverse_discriminator")
    picture = np.sin(0.37 * np.arange(16 * 12 * 3)).reshape(1, 16, 12, 3).astype("float32")
    np.testing.assert_allclose(np.ravel(model.generator(picture)[0, ::3, ::3]), GOLDEN_GENERATOR, atol=1e-4)
    np.testing.assert_allclose(np.ravel(model.inverse_discriminator(picture)), GOLDEN_DISCRIMINATOR, atol=1e-4)
    np.testing.assert_allclose(model((picture + 1) / 2), (model.generator(picture) + 1) / 2, atol=1e-5)


def test_what_is_loaded_wrongly_is_said(model):
    state = state_of(GENERATOR_LAYOUT)
    before = model.generator.get_weights()
    for given, network, message in [
        (state, "generator", "the state dict has 10 convolutions, and the generator 8: "),
        (state, "netG", "unknown network 'netG': "),
        (
            {k: v for k, v in state.items() if "model.11" not in k and "model.1.bias" not in k},
            "inverse",
            "the state dict has no model.1.bias: ",
        ),
        (
            {k: v[..., :3] if k == "model.19.weight" else v for k, v in state.items() if "model.11" not in k},
            "generator",
            "model.19.weight of the state dict has the shape (7, 3, 4, 3), and last of the generator (7, 7, 4, 3): ",
        ),
    ]:
        with pytest.raises(InputError) as error:
            model.load_torch(given, network)
        assert str(error.value).startswith(message)
    for a, b in zip(before, model.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (16, 16), (17, 23)])
def test_any_size_comes_out_as_it_went_in(model, size):
    pictures = np.random.default_rng(0).random((2, *size, 3), "float32")
    for found in (model(pictures), model.inverse_call(pictures)):
        assert found.shape == pictures.shape
        assert 0 <= float(tf.reduce_min(found)) <= float(tf.reduce_max(found)) <= 1
    assert model.stylize(pictures[0]).shape == (*size, 3)
    assert model.predict(pictures, verbose=0).shape == pictures.shape


def test_one_picture_is_not_changed_by_those_beside_it(model, domains):
    np.testing.assert_allclose(model(domains[0])[:1], model(domains[0][:1]), atol=1e-6)


# Training


def test_losses_against_numpy(model, domains):
    x, y = (domain[:2] for domain in domains)
    model.compile(cycle_weight=7.0, identity_weight=0.3)
    logs = model.evaluate(batches((x, y)), verbose=0, return_dict=True)

    def of(network, pictures):
        return np.asarray(network(np.asarray(pictures, "float32")), "float64")

    x, y = 2 * x - 1, 2 * y - 1
    g, f = model.generator, model.inverse
    d_y, d_x = model.discriminator, model.inverse_discriminator
    fake_y, fake_x = of(g, x), of(f, y)
    adversarial = np.mean((of(d_y, fake_y) - 1) ** 2) + np.mean((of(d_x, fake_x) - 1) ** 2)
    cycle = np.mean(np.abs(of(f, fake_y) - x)) + np.mean(np.abs(of(g, fake_x) - y))
    identity = np.mean(np.abs(of(g, y) - y)) + np.mean(np.abs(of(f, x) - x))
    judged = sum(
        0.5 * np.mean((of(d, real) - 1) ** 2) + 0.5 * np.mean(of(d, fake) ** 2)
        for d, real, fake in ((d_y, y, fake_y), (d_x, x, fake_x))
    )
    assert logs["generator"] == pytest.approx(adversarial, rel=1e-4)
    assert logs["cycle"] == pytest.approx(7 * cycle, rel=1e-4)
    assert logs["identity"] == pytest.approx(7 * 0.3 * identity, rel=1e-4)
    assert logs["discriminator"] == pytest.approx(judged, rel=1e-4)
    changes = [np.linalg.norm(b - a) / np.linalg.norm(a - a.mean((0, 1))) for a, b in zip(x, fake_y, strict=True)]
    assert logs["copy_ratio"] == pytest.approx(np.mean(changes), rel=1e-4)


def test_both_generators_learn_from_both_cycles(model, domains):
    x, y = (tf.constant(domain[:1]) for domain in domains)
    model.compile()
    for network in model.generators():
        gradients = []
        for cycle in (
            lambda: tf.reduce_mean(tf.abs(model.inverse(model.generator(x)) - x)),
            lambda: tf.reduce_mean(tf.abs(model.generator(model.inverse(y)) - y)),
        ):
            with tf.GradientTape() as tape:
                loss = cycle()
            gradients.append(tape.gradient(loss, network.trainable_variables))
        with tf.GradientTape() as tape:
            cycles = model._generator_losses(x, y)[0]["cycle"]
        found = tape.gradient(cycles, network.trainable_variables)
        for both, first, second in zip(found, *gradients, strict=True):
            np.testing.assert_allclose(both, 10 * (first + second), rtol=1e-3, atol=1e-5)
        assert all(np.abs(gradient[0]).max() > 0 for gradient in gradients)


def test_known_and_unknown_sizes_are_trained_alike(domains):
    found = []
    for data in (batches(domains), tf.data.Dataset.from_tensor_slices(domains).batch(2)):
        model = CycleGAN(**SMALL, dtype="float64")  # as signs of differences, of which gradients are made, flip
        model.compile("sgd", "sgd")
        model.fit(data, verbose=0)
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_compiled_without_arguments_it_is_the_paper(model):
    model.compile()
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        config = optimizer.get_config()
        assert (config["beta_1"], config["beta_2"], config["epsilon"]) == (0.5, 0.999, 1e-8)
        assert isinstance(optimizer._learning_rate, ConstantThenLinearDecay)
        for step, rate in ((0, 2e-4), (100_000, 2e-4), (150_000, 1e-4), (200_000, 0.0)):
            assert float(optimizer._learning_rate(step)) == pytest.approx(rate)
    assert (model.cycle_weight, model.identity_weight, CycleGAN(16, 0, 4, 1).pool_size) == (10.0, 0.5, 50)


def test_some_steps_bring_the_cycle_back(domains):
    keras.utils.set_random_seed(3)
    state = np.random.get_state()[1].copy()
    model = CycleGAN(**{**SMALL, "filters": 8})
    model.compile(keras.optimizers.Adam(2e-3, 0.5), keras.optimizers.Adam(2e-4, 0.5))
    smooth = tuple(np.sort(domain[:4], axis=1) for domain in domains)
    history = model.fit(batches(smooth), epochs=20, verbose=0).history
    assert set(history) == {"generator", "cycle", "identity", "discriminator", "copy_ratio"}
    assert history["cycle"][-1] < 0.6 * history["cycle"][0]
    assert (int(model.step), int(model.generator_optimizer.iterations)) == (40, 40)
    assert [int(pool.count) for pool in (model.pool, model.inverse_pool)] == [2, 2]
    assert float(tf.reduce_max(tf.abs(model.pool.pictures))) > 0
    assert (np.random.get_state()[1] == state).all()  # the global seeds are left alone


def test_without_identity_and_without_a_pool(domains):
    model = CycleGAN(**{**SMALL, "pool_size": 0})
    model.compile(identity_weight=0.0)
    wide = tuple(np.concatenate([domain, domain], 1) for domain in domains)  # any size, as nothing is pooled
    history = model.fit(batches((wide[0], domains[1])), verbose=0).history
    assert np.isfinite(history["generator"][0])
    assert history["identity"] == [0.0]


def test_how_it_was_compiled_is_saved(model, tmp_path):
    model.compile(cycle_weight=5.0, steps=8, jit_compile=False)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert (again.cycle_weight, again.jit_compile, again.get_config()) == (5.0, False, model.get_config())
    assert again.generator_optimizer._learning_rate.get_config() == {
        "initial_learning_rate": 2e-4,
        "constant_steps": 4,
        "decay_steps": 4,
    }
    assert again.discriminator_optimizer.get_config() == model.discriminator_optimizer.get_config()
    assert CycleGAN(**{**SMALL, "seed": None}).generator.get_weights()[0].std() == pytest.approx(0.02, rel=0.3)


def test_a_model_for_serving_takes_any_size(model, tmp_path):
    pictures = [np.random.default_rng(0).random((1, *size, 3), "float32") for size in ((9, 30), (16, 16))]
    want = [model(each).numpy() for each in pictures]
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    for given, expected in zip(pictures, want, strict=True):
        np.testing.assert_allclose(served.serve(given), expected, atol=1e-5)


# What can be wrong


def test_what_can_not_be_used_is_said(model, domains):
    model.compile()
    adam = keras.optimizers.Adam()
    for do, message in [
        (lambda: model.compile(adam, adam), "one optimizer can't serve both: give .* an optimizer each"),
        (
            lambda: CycleGAN(16),
            "size 16x16 is too small for discriminators of 3 layers: give at least 24 pixels, or a smaller n_layers",
        ),
        (lambda: CycleGAN(64, blocks=-1), "blocks -1 can't be used: give a whole number"),
        (lambda: model.compile(loss="mse"), "CycleGAN takes no loss, .*: leave out loss"),
        (lambda: model.compile(cycle_weight=-1), "cycle_weight -1 is negative: give 0 or more"),
        (lambda: model.compile(steps=1), "steps 1 can't be used: give a whole number"),
        (lambda: model.fit(domains[0], verbose=0), "CycleGAN learns from two domains: give both"),
        (
            lambda: model.fit(batches(tuple(domain[:, :12] for domain in domains)), verbose=0),
            "images of 12x20 and 12x20 don't fit the pools, whose images are 16x20: crop them",
        ),
    ]:
        with pytest.raises(InputError, match=f"^{message}"):
            do()
