"""Dropout as a function of a seed and a count."""

import keras
import numpy as np

from tfstyle.layers import StatelessDropout


def test_its_share_and_its_mean():
    layer = StatelessDropout(0.2, seed=0)
    found = np.asarray(layer(np.ones((50, 400), "float32"), training=True))
    assert set(np.unique(found)) == {0.0, np.float32(1 / 0.8)}
    assert abs((found == 0).mean() - 0.2) < 0.01
    assert len(np.unique(found == 0, axis=0)) == 50  # each picture has a mask of its own


def test_not_in_use_and_at_a_rate_of_none():
    ones = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(StatelessDropout(0.5)(ones), ones)
    np.testing.assert_array_equal(StatelessDropout(0.0)(ones, training=True), ones)


def test_a_saved_one_goes_on_where_it_was(tmp_path):
    inputs = keras.Input((100,))
    model = keras.Model(inputs, StatelessDropout(0.5)(inputs))
    ones = np.ones((2, 100), "float32")
    first = np.asarray(model(ones, training=True))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    second = np.asarray(model(ones, training=True))
    assert (first != second).any()
    np.testing.assert_array_equal(again(ones, training=True), second)
