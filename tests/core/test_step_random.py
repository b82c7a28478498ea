"""Random numbers as a function of seed, step and place."""

import numpy as np
import tensorflow as tf

from tfstyle.core.step_random import StepRandom, seed_or_random, split_seed


def test_they_depend_on_seed_and_step_and_call():
    found = [StepRandom(seed, step, 4).uniform() for seed, step in ((1, 0), (1, 0), (1, 1), (2, 0))]
    np.testing.assert_array_equal(found[0], found[1])
    assert len({float(each[0]) for each in found}) == 3
    draws = StepRandom(1, 0, 4)
    np.testing.assert_array_equal(draws.uniform(), found[0])
    assert (draws.uniform() != found[0]).numpy().all()


def test_how_they_are_distributed():
    draws = StepRandom(0, 0, 20_000)
    uniform, normal = draws.uniform((2,), -1.0, 3.0).numpy(), draws.normal((3,)).numpy()
    assert (uniform.shape, normal.shape) == ((20_000, 2), (20_000, 3))
    assert uniform.min() >= -1
    assert uniform.max() < 3
    assert abs(uniform.mean() - 1) < 0.03
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02


def test_a_batch_that_is_not_known_beforehand():
    drawn = tf.function(
        lambda x: StepRandom(1, 2, tf.shape(x)[0]).normal((2,)), input_signature=[tf.TensorSpec((None,))]
    )
    np.testing.assert_allclose(drawn(tf.zeros(3)), StepRandom(1, 2, 3).normal((2,)), rtol=1e-6)


def test_xla_draws_the_same():
    def drawn():
        draws = StepRandom(1, 2, 4)
        return draws.uniform((3,)), draws.normal((2,))

    for compiled, plain in zip(tf.function(drawn, jit_compile=True)(), drawn(), strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-5)


def test_seeds():
    assert seed_or_random(7) == 7
    assert seed_or_random(None) != seed_or_random(None)
    assert split_seed(3, 5) == split_seed(3, 6)[:5]
    assert len(set(split_seed(3, 50))) == 50
