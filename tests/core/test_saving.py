"""Files that were written before a class or an argument was renamed."""

import keras
import numpy as np
import pytest

from tfstyle.core.saving import formerly, renamed_keys


class FormerScale2D(keras.layers.Layer):
    """A layer before it was renamed."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale


@pytest.fixture
def renamed():
    """The layer's present class."""

    @formerly("FormerScale2D")
    @keras.saving.register_keras_serializable(package="tfstyle")
    class PresentScale2D(FormerScale2D):
        pass

    yield PresentScale2D
    for name in ("PresentScale2D", "FormerScale2D"):
        keras.saving.get_custom_objects().pop(f"tfstyle>{name}", None)


def network(layer):
    inputs = keras.Input((4,))
    return keras.Model(inputs, layer()(layer()(inputs)))


def test_weights_under_the_former_class_name_are_loaded(renamed, tmp_path):
    former = network(FormerScale2D)
    for place, weight in enumerate(former.weights):
        weight.assign(np.arange(4) + place)
    former.save_weights(tmp_path / "former.weights.h5")
    present = network(renamed)
    present.load_weights(tmp_path / "former.weights.h5")
    np.testing.assert_array_equal(present.get_weights(), former.get_weights())
    present.save_weights(tmp_path / "present.weights.h5")
    again = network(renamed)
    again.load_weights(tmp_path / "present.weights.h5")
    np.testing.assert_array_equal(again.get_weights(), former.get_weights())


def test_both_names_are_known_and_the_present_one_is_written(renamed):
    assert keras.saving.get_registered_object("tfstyle>FormerScale2D") is renamed
    assert keras.saving.get_registered_object("tfstyle>PresentScale2D") is renamed
    assert keras.saving.get_registered_name(renamed) == "tfstyle>PresentScale2D"


def test_weights_that_are_not_there_are_an_error(renamed, tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match=r"PresentScale2D|present_scale2d"):
        network(renamed).load_weights(tmp_path / "other.weights.h5")


def test_former_keys_of_a_configuration_are_renamed():
    assert renamed_keys({"layers": 3, "size": 8}, {"layers": "n_layers"}) == {"n_layers": 3, "size": 8}
    assert renamed_keys({"n_layers": 3}, {"layers": "n_layers"}) == {"n_layers": 3}
