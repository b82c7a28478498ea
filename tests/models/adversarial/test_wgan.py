"""WGAN: both bounds and both sources, against NumPy and by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError
from tfstyle.core.step_random import StepRandom
from tfstyle.models import WGAN
from tfstyle.models.adversarial.losses import gradient_penalty

SMALL = {"size": (16, 20), "latent_dim": 5, "filters": 4, "blocks": 1, "n_layers": 1, "seed": 0}


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((6, 16, 20, 3), "float32")


def batches(pictures, number=3):
    return tf.data.Dataset.from_tensor_slices(pictures).batch(number, drop_remainder=True)


def test_losses_from_noise_against_numpy(pictures):
    for lipschitz in ("clipping", "penalty"):
        model = WGAN(**SMALL, lipschitz=lipschitz)
        model.compile(penalty_weight=3.0)
        logs = model.evaluate(batches(pictures, 6), verbose=0, return_dict=True)
        draws = StepRandom(0, 0, 6)
        fake, real = model.generator(draws.normal((5,))), tf.constant(2 * pictures - 1)
        of_real, of_fake = (np.asarray(model.critic(each), "float64") for each in (real, fake))
        assert logs["critic"] == pytest.approx(of_fake.mean() - of_real.mean(), abs=1e-5)
        assert logs["generator"] == pytest.approx(-of_fake.mean(), abs=1e-5)
        if lipschitz == "penalty":
            penalty = gradient_penalty(model.critic, real, fake, draws.uniform())
            assert logs["penalty"] == pytest.approx(3 * float(penalty), rel=1e-4)


def test_losses_from_pictures_against_numpy(pictures):
    model = WGAN(**SMALL, source="pictures")
    model.compile(content_weight=4.0)
    photos = pictures[::-1].copy()
    logs = model.evaluate(batches((photos, pictures), 6), verbose=0, return_dict=True)
    fake = np.asarray(model.generator(2 * photos - 1), "float64")
    assert logs["content"] == pytest.approx(4 * np.mean(np.abs(fake - (2 * photos - 1))), rel=1e-4)
    of_fake = np.mean(model.critic(fake.astype("float32")))
    assert logs["critic"] == pytest.approx(of_fake - np.mean(model.critic(2 * pictures - 1)), abs=1e-5)
    assert logs["copy_ratio"] > 0


def test_the_generator_moves_once_for_every_few_steps_of_the_critic(pictures):
    model = WGAN(**SMALL)
    model.compile(critic_steps=3)
    moved = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            moved.append(model.generator.trainable_variables[0].numpy().sum())

    before = model.generator.trainable_variables[0].numpy().sum()
    model.fit(batches(pictures), epochs=4, verbose=0, callbacks=[Watch()])
    changes = np.diff([before, *moved]) != 0
    assert changes.tolist() == [False, False, True, False, False, True, False, False]
    iterations = model.discriminator_optimizer.iterations, model.generator_optimizer.iterations
    assert [int(number) for number in iterations] == [8, 2]
    assert max(float(tf.reduce_max(tf.abs(v))) for v in model.critic.trainable_variables) <= 0.01 + 1e-9


def test_the_penalty_clips_nothing_and_gets_its_critic_a_slope_near_one(pictures):
    flat = np.zeros_like(pictures) + np.array([0.8, 0.3, 0.5], "float32")
    model = WGAN(**SMALL, lipschitz="penalty")
    model.compile(discriminator_optimizer=keras.optimizers.Adam(2e-3, 0.0, 0.9))
    history = model.fit(batches(flat), epochs=40, verbose=0).history
    assert history["penalty"][-1] < 0.3 * history["penalty"][0]
    assert max(float(tf.reduce_max(tf.abs(v))) for v in model.critic.trainable_variables) > 0.02


def test_one_step_of_the_critic_by_hand(pictures):
    found = []
    for by_hand in (False, True):
        model = WGAN(**SMALL, lipschitz="penalty")
        model.compile("sgd", "sgd")
        if not by_hand:
            model.fit(batches(pictures[:3]), verbose=0)
        else:
            draws, real, d = StepRandom(0, 0, 3), tf.constant(2 * pictures[:3] - 1), model.critic
            noise, _, mixing = draws.normal((5,)), draws.normal((5,)), draws.uniform()
            fake = model.generator(noise, training=True)
            with tf.GradientTape() as tape:
                loss = (
                    tf.reduce_mean(d(fake)) - tf.reduce_mean(d(real)) + 10 * gradient_penalty(d, real, fake, mixing)
                )
            gradients = tape.gradient(loss, d.trainable_variables)
            for variable, gradient in zip(d.trainable_variables, gradients, strict=True):
                if gradient is not None:
                    variable.assign_sub(0.01 * gradient)
        found.append([v.numpy() for v in model.critic.trainable_variables])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_compiled_without_arguments_it_is_the_paper_of_the_bound():
    model = WGAN(**SMALL)
    model.compile()
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.RMSprop)
        assert float(optimizer.learning_rate) == pytest.approx(5e-5)
    assert (model.clip, model.critic_steps, WGAN(32).latent_dim) == (0.01, 5, 100)
    weight, optimizer = keras.Variable(1.0), model._optimizer()
    by_hand, mean_square = 1.0, 0.0
    for gradient in (1e-5, -2e-6, 3e-7):  # as the authors' PyTorch does it
        optimizer.apply([np.float32(gradient)], [weight])
        mean_square = 0.99 * mean_square + 0.01 * gradient**2
        by_hand -= 5e-5 * gradient / (mean_square**0.5 + 1e-8)
    assert float(weight) - 1 == pytest.approx(by_hand - 1, rel=1e-2)
    model = WGAN(**{**SMALL, "latent_dim": None}, lipschitz="penalty")
    model.compile()
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        config = optimizer.get_config()
        assert (config["learning_rate"], config["beta_1"], config["beta_2"]) == (pytest.approx(1e-4), 0.0, 0.9)
    assert (model.penalty_weight, model.critic_steps, model.latent_dim) == (10.0, 5, 128)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.critic.layers)


@pytest.mark.parametrize("size", [(1, 1), (17, 30)])
def test_any_picture_comes_out_in_its_size(size):
    model = WGAN(**SMALL, source="pictures")
    picture = np.random.default_rng(0).random((*size, 3), "float32")
    assert model(picture[None]).shape == (1, *size, 3)
    assert model.stylize(picture).shape == (*size, 3)


def test_clipping_is_saved(pictures, tmp_path):
    model = WGAN(**SMALL)
    model.compile(clip=0.02, critic_steps=2)
    model.fit(batches(pictures), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert (again.clip, again.critic_steps, again.get_config()) == (0.02, 2, model.get_config())
    assert again.critic.trainable_variables[0].constraint.high == 0.02
    np.testing.assert_array_equal(again.generate(2, seed=0), model.generate(2, seed=0))


def test_what_can_not_be_used_is_said(pictures):
    noise, photos = WGAN(**SMALL), WGAN(**SMALL, source="pictures")
    photos.compile()
    for do, message in [
        (lambda: WGAN(source="text"), "unknown source 'text': "),
        (lambda: WGAN(lipschitz="spectral"), "unknown bound of the slope 'spectral': "),
        (lambda: WGAN(5, source="pictures"), "size 5 can't be used: give a whole number from 24 to 100000"),
        (lambda: noise.compile(critic_steps=0), "critic_steps 0 can't be used: "),
        (lambda: noise.compile(clip=-1), "clip -1 is negative: "),
        (lambda: noise.stylize(pictures[0]), "this WGAN makes images from noise: use generate"),
        (lambda: photos.generate(1), "this WGAN makes images from photographs, not from noise: use stylize"),
        (lambda: photos.fit(pictures, verbose=0), "WGAN from pictures learns from two domains: "),
    ]:
        with pytest.raises(InputError) as error:
            do()
        assert str(error.value).startswith(message)
