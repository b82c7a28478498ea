"""Functions of models that can be exported: the model's own, in pieces."""

import keras
import numpy as np
import pytest

from tfstyle import Backbone, InputError
from tfstyle.models import AdaIN, signatures


@pytest.fixture(scope="module")
def model():
    return AdaIN(Backbone("VGG19Mini", padding="reflection"), "block2_conv1", seed=0)


def test_adain_has_three(model):
    found = signatures.of(model)
    assert [str(each) for each in found] == [
        "stylize(content, style, alpha)", "encode_style(style)", "stylize_with_code(content, mean, deviation, alpha)",
    ]  # fmt: skip
    assert found[0].inputs["content"].shape.as_list() == [None, None, None, 3]
    assert found[2].inputs["mean"].shape.as_list() == [None, 32]
    assert found[0].inputs["alpha"].shape.as_list() == []


def test_codes_are_those_of_the_model_and_each_content_may_have_its_own(model):
    stylize, encode_style, stylize_with_code = (each.function for each in signatures.of(model))
    random = np.random.default_rng(0)
    contents, styles = (random.random((2, 33, 40, 3), "float32") for _ in range(2))
    code = encode_style(styles)
    for k, style in enumerate(styles):
        own = model.encode_style(style)
        np.testing.assert_allclose(code["mean"][k], own.mean, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(code["deviation"][k], own.deviation, rtol=1e-4, atol=1e-4)
    want = [model.stylize(content, style, alpha=0.5) for content, style in zip(contents, styles, strict=True)]
    np.testing.assert_allclose(stylize(contents, styles, np.float32(0.5))["picture"], want, atol=1e-5)
    found = stylize_with_code(contents, **code, alpha=np.float32(0.5))
    np.testing.assert_allclose(found["picture"], want, atol=1e-5)


def test_a_portable_network_has_the_same_variables_and_gives_the_same(model):
    portable = signatures.portable(model.decoder)
    for own, same in zip(model.decoder.weights, portable.weights, strict=True):
        assert own is same
    features = np.random.default_rng(0).random((2, 5, 7, 32), "float32")
    np.testing.assert_array_equal(portable(features), model.decoder(features))
    assert not any(isinstance(layer, keras.layers.UpSampling2D) for layer in portable.layers)
    assert any(isinstance(layer, keras.layers.UpSampling2D) for layer in model.decoder.layers)


def test_sizes_of_generators_may_be_fixed():
    network = keras.Sequential([keras.Input((16, 24, 3)), keras.layers.Conv2D(3, 1)])
    (found,) = signatures.of(network)
    assert str(found) == "paint(pictures)"
    assert found.inputs["pictures"].shape.as_list() == [None, 16, 24, 3]


@pytest.mark.parametrize(
    "layers",
    [
        [keras.Input((8,)), keras.layers.Dense(2)],
        [keras.Input((16, 16, 3)), keras.layers.Conv2D(1, 1)],
        [keras.Input((16, 16, 1)), keras.layers.Conv2D(3, 1)],
    ],
)
def test_what_is_not_from_pictures_to_pictures_is_refused(layers):
    with pytest.raises(InputError, match=r"the Sequential is not from images to images, \(batch, height"):
        signatures.of(keras.Sequential(layers))
