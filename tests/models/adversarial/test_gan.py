"""GAN: what it minimises, its presets, and that it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError
from tfstyle.core.step_random import StepRandom
from tfstyle.models import GAN

SMALL = {"size": (16, 20), "latent_dim": 5, "filters": 4, "seed": 0}


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((6, 16, 20, 3), "float32")


def batches(pictures, number=3):
    return tf.data.Dataset.from_tensor_slices(pictures).batch(number, drop_remainder=True)


def softplus(x):
    return np.logaddexp(0, np.asarray(x, "float64"))


@pytest.mark.parametrize("architecture", ["dcgan", "maxout"])
def test_losses_against_numpy(pictures, architecture):
    model = GAN(**SMALL, architecture=architecture)
    model.compile()
    logs = model.evaluate(batches(pictures, 6), verbose=0, return_dict=True)
    fake = model.generator(StepRandom(0, 0, 6).normal((5,)))
    real, said = (np.asarray(model.discriminator(each), "float64") for each in (2 * pictures - 1, fake))
    assert logs["discriminator"] == pytest.approx(softplus(-real).mean() + softplus(said).mean(), rel=1e-4)
    assert logs["generator"] == pytest.approx(softplus(-said).mean(), rel=1e-4)
    assert logs["real"] == pytest.approx(np.mean(1 / (1 + np.exp(-real))), rel=1e-4)
    assert logs["fake"] == pytest.approx(np.mean(1 / (1 + np.exp(-said))), rel=1e-4)


def test_one_step_is_d_then_g_through_the_new_d(pictures):
    found = []
    for by_hand in (False, True):
        model = GAN(**SMALL)
        model.compile("sgd", "sgd")
        if not by_hand:
            model.fit(batches(pictures[:3]), verbose=0)
        else:
            noise, real = StepRandom(0, 0, 3).normal((5,)), tf.constant(2 * pictures[:3] - 1)
            g, d = model.generator, model.discriminator
            with tf.GradientTape() as of_g:
                fake = g(noise, training=True)
                with tf.GradientTape() as of_d:
                    said = d(real, training=True), d(tf.stop_gradient(fake), training=True)
                    loss = tf.reduce_mean(tf.nn.softplus(-said[0])) + tf.reduce_mean(tf.nn.softplus(said[1]))
                gradients = of_d.gradient(loss, d.trainable_variables)
                for variable, gradient in zip(d.trainable_variables, gradients, strict=True):
                    variable.assign_sub(0.01 * gradient)
                loss = tf.reduce_mean(tf.nn.softplus(-d(fake, training=True)))
            gradients = of_g.gradient(loss, g.trainable_variables)
            for variable, gradient in zip(g.trainable_variables, gradients, strict=True):
                variable.assign_sub(0.01 * gradient)
        found.append([v.numpy() for n in (model.generator, model.discriminator) for v in n.trainable_variables])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_dcgan_is_that_of_its_paper():
    model = GAN()
    model.compile()
    widths = [layer.filters for layer in model.generator.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert widths == [256, 128, 64, 3]
    widths = [layer.filters for layer in model.discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert widths == [64, 128, 256, 512]
    assert model.generator.get_layer("first").units == 4 * 4 * 512
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        config = optimizer.get_config()
        assert (config["learning_rate"], config["beta_1"]) == (pytest.approx(2e-4), 0.5)


def test_maxout_is_that_of_its_authors():
    model = GAN(28, "maxout", channels=1)
    model.compile()
    assert model.generator.count_params() == 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    assert model.discriminator.count_params() - 6 == 784 * 1200 + 1200 + 240 * 1200 + 1200 + 240 + 1  # 6 of dropout
    rate = model.generator_optimizer._learning_rate
    assert [float(rate(step)) for step in (0, 10_000)] == pytest.approx([0.1, 0.1 / 1.000004**10_000], rel=1e-3)
    assert model.discriminator_optimizer.momentum == 0.5
    pictures = np.random.default_rng(0).random((2, 28, 28, 1))
    d = {layer.name: layer for layer in model.discriminator.layers}
    hidden = pictures.reshape(2, -1)
    for name in ("maxout1", "maxout2"):
        hidden = (hidden @ d[name].kernel.numpy() + d[name].bias.numpy()).reshape(2, 240, 5).max(-1)
    want = hidden @ d["last"].kernel.numpy() + d["last"].bias.numpy()
    np.testing.assert_allclose(model.discriminator(2 * pictures - 1), want, atol=1e-6)


@pytest.mark.parametrize("size", [(4, 4), (16, 20), (13, 30)])
def test_any_size(size):
    for architecture in ("dcgan", "maxout"):
        model = GAN(size, architecture, latent_dim=5, filters=4)
        pictures = model.generate(2, seed=1)
        assert pictures.shape == (2, *size, 3)
        assert model.discriminator(pictures).shape == (2, 1)


def test_it_learns_the_mean_colour():
    pictures = np.full((32, 8, 8, 3), [0.9, 0.2, 0.4], "float32")
    model = GAN(8, latent_dim=3, filters=8, seed=0)
    model.compile(keras.optimizers.Adam(5e-3, 0.5), keras.optimizers.Adam(1e-3, 0.5))
    before = np.abs(model.generate(16, seed=0).mean((0, 1, 2)) - pictures[0, 0, 0])
    history = model.fit(batches(pictures, 16), epochs=60, verbose=0).history
    assert set(history) == {"generator", "discriminator", "real", "fake"}
    after = np.abs(model.generate(16, seed=0).mean((0, 1, 2)) - pictures[0, 0, 0])
    assert after.max() < 0.5 * before.max()
    assert (int(model.step), int(model.generator_optimizer.iterations)) == (120, 120)


def test_generated_pictures_depend_on_the_seed_alone():
    model = GAN(**SMALL)
    np.testing.assert_array_equal(model.generate(3, seed=1), model.generate(3, seed=1))
    assert (model.generate(3, seed=1) != model.generate(3, seed=2)).any()
    assert (model.generate(3) != model.generate(3)).any()
    assert (model.generate(3, seed=-1) != model.generate(3, seed=1)).any()
    np.testing.assert_allclose(model.generate(70, seed=1)[[0, 1, 2]], model.generate(3, seed=1), atol=1e-6)
    assert len({picture.tobytes() for picture in model.generate(70, seed=1)}) == 70


def test_what_can_not_be_used_is_said(pictures):
    for do, message in [
        (lambda: GAN(16, "resnet"), "unknown architecture 'resnet': use one of dcgan, maxout"),
        (lambda: GAN(3), "size 3 can't be used: give a whole number from 4 to 100000"),
        (lambda: GAN(**SMALL).compile(loss="mse"), "GAN takes no loss, .*: leave out loss"),
    ]:
        with pytest.raises(InputError, match=f"^{message}"):
            do()
