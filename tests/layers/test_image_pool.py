"""The pool of pictures against one that is a Python list."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle.layers import ImagePool


def numbered(first, number):
    """Pictures (number, 2, 3, 1), all of whose pixels are their number."""
    return np.arange(first, first + number, dtype="float32")[:, None, None, None] * np.ones((1, 2, 3, 1), "float32")


def numbers(pictures):
    return np.asarray(pictures)[:, 0, 0, 0].astype(int).tolist()


class ListPool:
    """The same, one picture after the other, with the draws that the layer makes."""

    def __init__(self, capacity, seed):
        self.capacity, self.seed, self.calls, self.stored = capacity, seed, 0, []

    def __call__(self, pictures):
        drawn = tf.random.stateless_uniform((len(pictures), 2), (self.seed, self.calls)).numpy()
        self.calls += 1
        returned = []
        for picture, (chance, place) in zip(pictures, drawn, strict=True):
            if len(self.stored) < self.capacity:
                self.stored.append(picture)
            elif chance < 0.5:
                place = int(place * self.capacity)
                self.stored[place], picture = picture, self.stored[place]
            returned.append(picture)
        return returned


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_it_is_the_list(batch):
    pool, reference = ImagePool(4, seed=5), ListPool(4, 5)
    called = tf.function(pool, input_signature=[tf.TensorSpec((None, 2, 3, 1))])
    pool.build((None, 2, 3, 1))
    for call in range(12):
        given = numbered(1 + call * batch, batch)
        assert numbers(called(given)) == reference(numbers(given))
        assert numbers(pool.pictures)[: len(reference.stored)] == reference.stored
    assert int(pool.count) == 4
    assert int(pool.calls) == 12


def test_half_of_what_comes_back_is_old():
    pool = ImagePool(10, seed=0)
    pool(numbered(0, 10))
    given = numbered(100, 2000)
    returned = numbers(pool(given))
    fresh = np.mean([a == b for a, b in zip(numbers(given), returned, strict=True)])
    assert 0.47 < fresh < 0.53
    assert sorted(returned + numbers(pool.pictures)) == sorted(list(range(10)) + numbers(given))  # none is lost


def test_no_gradient_goes_to_pictures_in_it():
    pool = ImagePool(2, seed=0)
    given = tf.constant(numbered(0, 1))
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.reduce_sum(pool(given))
    assert tape.gradient(total, given) is None


def test_none_at_all():
    pool = ImagePool(0)
    given = numbered(0, 3)
    np.testing.assert_array_equal(pool(given), given)
    assert not pool.weights


def test_seeds():
    drawn = [numbers([p(numbered(0, 4)), p(numbered(4, 8))][1]) for p in (ImagePool(4, seed=s) for s in (1, 1, 2))]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len({int(pool.seed_state) for pool in map(built, range(3))}) == 3


def built(_):
    pool = ImagePool(1)
    pool.build((None, 1, 1, 1))
    return pool


def test_it_is_saved_with_all_that_it_holds(tmp_path):
    inputs = keras.Input((2, 3, 1))
    model = keras.Model(inputs, ImagePool(3, name="pool")(inputs))
    model(numbered(1, 5))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for call in range(5):
        given = numbered(10 * call, 4)
        np.testing.assert_array_equal(again(given), model(given))
