"""Adversarial losses: golden values, NumPy, and a critic whose gradient is known."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.models.adversarial import losses

REAL, FAKE = np.array([[2.0, 0.5], [-1.0, 3.0]]), np.array([[-0.5, 1.0], [0.0, -2.0]])


def log_logistic(x):
    return -np.log1p(np.exp(-x))


@pytest.mark.parametrize(
    ("loss", "arguments", "want"),
    [
        ("cross_entropy_discriminator", (REAL, FAKE), 1.1425670),
        ("cross_entropy_generator", (FAKE,), 1.0268527),
        ("least_squares_discriminator", (REAL, FAKE), 1.8125),
        ("least_squares_generator", (FAKE,), 3.0625),
        ("wasserstein_critic", (REAL, FAKE), -1.5),
        ("wasserstein_generator", (FAKE,), 0.375),
        ("absolute_difference", (REAL, FAKE), 2.25),
    ],
)
def test_golden_values(loss, arguments, want):
    assert float(getattr(losses, loss)(*(tf.constant(x) for x in arguments))) == pytest.approx(want, abs=1e-6)


def test_cross_entropy_is_that_of_the_formula():
    found = losses.cross_entropy_discriminator(tf.constant(REAL), tf.constant(FAKE))
    assert float(found) == pytest.approx(
        -np.mean(log_logistic(REAL)) - np.mean(np.log(1 - np.exp(log_logistic(FAKE))))
    )
    found = losses.cross_entropy_generator(tf.constant(FAKE))
    assert float(found) == pytest.approx(-np.mean(log_logistic(FAKE)))


def test_cross_entropy_is_finite_for_any_logits_and_least_where_it_should_be():
    huge = tf.constant([1e4, -1e4])
    assert np.isfinite(losses.cross_entropy_discriminator(huge, huge))
    right = losses.cross_entropy_discriminator(tf.constant([100.0]), tf.constant([-100.0]))
    assert float(right) == pytest.approx(0, abs=1e-6)
    assert float(losses.least_squares_discriminator(tf.constant([1.0]), tf.constant([0.0]))) == 0


def test_half_precision_is_widened_before_anything_is_added_up():
    many = tf.fill((70_000,), tf.constant(1.0, "float16"))  # whose sum is beyond float16
    for loss in (losses.least_squares_generator, losses.wasserstein_generator, losses.cross_entropy_generator):
        assert loss(many).dtype == tf.float32
        assert np.isfinite(loss(many))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((2, 3, 4, 5, 3))


def test_the_penalty_of_a_linear_critic_is_known(pictures):
    real, fake = (tf.constant(each) for each in pictures)
    slope = np.random.default_rng(1).normal(size=(4, 5, 3))

    def critic(x):
        return tf.reduce_sum(x * slope, axis=(1, 2, 3))

    for mixing in (0.0, 0.3, 1.0):
        found = losses.gradient_penalty(critic, real, fake, tf.fill((3,), tf.constant(mixing, "float64")))
        assert float(found) == pytest.approx((np.linalg.norm(slope) - 1) ** 2, rel=1e-9)


def test_it_is_taken_between_the_pictures_with_one_number_for_each(pictures):
    real, fake = (tf.constant(each) for each in pictures)
    mixing = np.array([0.0, 0.25, 1.0])

    def critic(x):
        return tf.reduce_sum(x**2, axis=(1, 2, 3)) / 2  # whose gradient is x

    between = pictures[0] + mixing[:, None, None, None] * (pictures[1] - pictures[0])
    want = np.mean((np.sqrt((between**2).sum((1, 2, 3))) - 1) ** 2)
    found = losses.gradient_penalty(critic, real, fake, tf.constant(mixing))
    assert float(found) == pytest.approx(want, rel=1e-9)


def test_of_patches_the_mean_counts(pictures):
    real, fake = (tf.constant(each) for each in pictures)
    mixing = tf.constant([0.1, 0.2, 0.3], "float64")
    patches = losses.gradient_penalty(lambda x: x[:, :, :, :1] * 7, real, fake, mixing)
    assert float(patches) == pytest.approx((7 / np.sqrt(20) - 1) ** 2, rel=1e-9)  # 20 patches of slope 7/20


def test_it_is_finite_where_the_critic_is_flat(pictures):
    real, fake = (tf.constant(each, "float32") for each in pictures)
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(
            lambda x: weight * tf.reduce_sum(x, axis=(1, 2, 3)), real, fake, tf.fill((3,), 0.5)
        )
    assert float(penalty) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(tape.gradient(penalty, weight))


def test_copies_are_told_from_other_pictures(pictures):
    pictures = tf.constant(pictures[0])
    assert float(losses.copy_ratio(pictures, pictures)) == 0
    grey = tf.reduce_mean(pictures, axis=(1, 2), keepdims=True) + 0 * pictures
    assert float(losses.copy_ratio(pictures, grey)) == pytest.approx(1)
    ratio = float(losses.copy_ratio(pictures, 1 - pictures))
    assert ratio > 1
    assert float(losses.copy_ratio(2 * pictures - 1, 1 - 2 * pictures)) == pytest.approx(ratio)
