"""A learning rate that is held and then falls, against its formula."""

import keras
import numpy as np
import pytest

from tfstyle.models import ConstantThenLinearDecay


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 2e-4), (99, 2e-4), (100, 2e-4), (150, 1e-4), (175, 5e-5), (200, 0.0), (900, 0.0)]
)
def test_it_is_held_and_then_falls_to_nothing(step, rate):
    assert float(ConstantThenLinearDecay(2e-4, 100, 100)(step)) == pytest.approx(rate, abs=1e-10)


def test_an_optimizer_takes_it_and_keeps_it():
    optimizer = keras.optimizers.SGD(ConstantThenLinearDecay(1.0, 2, 4))
    variable = keras.Variable(0.0)
    optimizer.build([variable])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert again._learning_rate.get_config() == {"initial_learning_rate": 1.0, "constant_steps": 2, "decay_steps": 4}
    for _ in range(8):
        optimizer.apply([keras.ops.ones(())], [variable])
    np.testing.assert_allclose(variable, -(1 + 1 + 1 + 0.75 + 0.5 + 0.25), rtol=1e-6)
