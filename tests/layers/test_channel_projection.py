"""ChannelProjection: a linear map at each position."""

import keras
import numpy as np

from tfstyle.layers import ChannelProjection


def test_it_begins_as_the_identity_and_then_maps_each_position():
    random = np.random.default_rng(0)
    features = random.normal(size=(2, 3, 4, 5)).astype("float32")
    layer = ChannelProjection()
    np.testing.assert_array_equal(layer(features), features)
    matrix = random.normal(size=(5, 5))
    layer.mixing.assign(matrix)
    np.testing.assert_allclose(layer(features), np.einsum("bhwi,ij->bhwj", features, matrix), rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, None, None, 5)) == (None, None, None, 5)


def test_a_saved_model_has_its_matrix(tmp_path):
    pictures = keras.Input((None, None, 3))
    model = keras.Model(pictures, ChannelProjection()(pictures))
    model.layers[1].mixing.assign([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(np.float32([[[[1, 2, 3]]]])), [[[[3, 1, 2]]]])
