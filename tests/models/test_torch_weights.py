"""State dicts of PyTorch."""

import numpy as np

from tfstyle.models.torch_weights import numbered


def test_kernels_come_in_the_order_of_their_layers_and_as_keras_has_them():
    kernels = {place: np.random.default_rng(place).random((2, 3, 5, 4)) for place in (2, 10, 9)}
    state = {f"net.{place}.weight": kernel for place, kernel in kernels.items()}
    found = numbered({**state, "net.9.bias": np.zeros(2), "net.scale.weight": np.zeros(1)}, "weight")
    assert list(found) == [2, 9, 10]
    for place, kernel in found.items():
        np.testing.assert_array_equal(kernel, np.einsum("oihw->hwio", kernels[place]))


def test_other_entries_stay_as_they_are():
    found = numbered({"3.bias": np.arange(4.0), "3.weight": np.zeros((4, 2))}, "bias")
    assert list(found) == [3]
    np.testing.assert_array_equal(found[3], np.arange(4.0))
