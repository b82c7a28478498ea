"""What the tests of losses share."""

import keras
import numpy as np
import pytest

from tfstyle import Backbone


@pytest.fixture(scope="session")
def raw():
    """VGG19 with random weights, without normalisation, so that features are as NumPy sees them."""
    return Backbone("VGG19", "random", normalize=False)


@pytest.fixture(scope="session")
def picture(photo):
    """A picture of noise."""
    return np.random.default_rng(0).random(photo.shape, "float32")


@pytest.fixture(scope="session")
def losses():
    """Function from an objective, a picture, a content image and style images to the losses of terms by name."""

    def evaluate(objective, picture, content, styles, style_weights=None):
        targets = objective.targets(content[None], [style[None] for style in styles], style_weights)
        return {name: float(value[0]) for name, value in objective(picture[None], targets).items()}

    return evaluate


@pytest.fixture(scope="session")
def gram_of():
    """Function from features `(1, height, width, channels)` to their Gram matrix over positions, in float64."""

    def gram(features):
        flat = keras.ops.convert_to_numpy(features).astype("float64").reshape(-1, features.shape[-1])
        return flat.T @ flat / len(flat)

    return gram


@pytest.fixture(scope="session")
def double():
    """Function from a tensor to its values in float64."""
    return lambda tensor: keras.ops.convert_to_numpy(tensor).astype("float64")
