"""The mirror image of a backbone, and PyTorch's layout of it against a forward pass in NumPy."""

import keras
import numpy as np
import pytest

from tfstyle import Backbone, InputError
from tfstyle.models.adain.decoder import Level, exact, levels, load_torch, mirrored

TINY = [Level(4, 5, 1), Level(2, 4, 2), Level(1, 6, 2)]


@pytest.fixture
def decoder():
    return mirrored(TINY, seed=0)


def state_of(shapes, seed=0):
    """A PyTorch state dict of an `nn.Sequential` of paddings, convolutions, ReLUs and upsamplings."""
    random, places = np.random.default_rng(seed), (1, 5, 8, 12, 15)
    state = {}
    for place, (inputs, outputs) in zip(places, shapes, strict=True):
        state[f"{place}.weight"] = random.normal(0, 0.3, (outputs, inputs, 3, 3)).astype("float32")
        state[f"{place}.bias"] = random.normal(0, 0.3, outputs).astype("float32")
    return state


TINY_SHAPES = [(5, 4), (4, 4), (4, 6), (6, 6), (6, 3)]


def test_vgg19s_is_the_authors(vgg):
    found = levels(vgg, "block4_conv1")
    assert found == [Level(8, 512, 1), Level(4, 256, 4), Level(2, 128, 2), Level(1, 64, 2)]
    model = mirrored(found)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in layers] == [256, 256, 256, 256, 128, 128, 64, 64, 3]
    assert model.count_params() == 3_505_219  # as that of naoto0804/pytorch-AdaIN
    assert [layer.activation.__name__ for layer in layers] == ["relu"] * 8 + ["linear"]
    assert model.output_shape == (None, None, None, 3)


@pytest.mark.parametrize(
    ("name", "layer", "strides", "is_exact"),
    [
        ("VGG16", "block3_conv1", [4, 2, 1], True),
        ("MobileNetV2", "block_6_expand_relu", [8, 4, 2, 1], True),
        ("InceptionV3", "mixed2", [8, 4, 2, 1], False),
        ("NASNetMobile", "normal_concat_3", [8, 4, 2, 1], True),
        ("EfficientNetB0", "block3a_expand_activation", [4, 2, 1], True),
    ],
)
def test_of_any_backbone(name, layer, strides, is_exact):
    backbone = Backbone(name, "random")
    found = levels(backbone, layer)
    assert [level.stride for level in found] == strides
    assert all(1 <= level.convolutions <= 4 for level in found)
    assert found[-1].channels >= 16
    assert exact(backbone, layer) == is_exact
    side = 2 if is_exact else 3
    features = np.zeros((1, side, side, found[0].channels), "float32")
    assert mirrored(found)(features).shape == (1, side * strides[0], side * strides[0], 3)


def test_what_has_no_positions_is_refused():
    backbone = Backbone("EfficientNetB0", "random")
    with pytest.raises(InputError) as error:
        levels(backbone, "block1a_se_squeeze")
    assert str(error.value) == ("layer block1a_se_squeeze of EfficientNetB0 can't be decoded: give a lower layer")


def test_the_seed_alone_makes_the_kernels():
    keras.utils.set_random_seed(1)
    first = mirrored(TINY, seed=5).get_weights()
    keras.utils.set_random_seed(2)
    again, other = mirrored(TINY, seed=5).get_weights(), mirrored(TINY, seed=6).get_weights()
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or np.abs(a - c).max() > 0
    assert len({float(kernel.sum()) for kernel in first if kernel.ndim == 4}) == 5  # no two alike


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_pictures_have_full_precision(dtype):
    model = mirrored(TINY, dtype)
    found = model(np.ones((1, 3, 3, 5), "float32"))
    assert keras.backend.standardize_dtype(found.dtype) == ("float64" if dtype == "float64" else "float32")
    assert model.get_layer("stride4_conv1").compute_dtype == dtype.removeprefix("mixed_")


def convolved(features, kernel, bias):
    """PyTorch's `ReflectionPad2d(1)` and `Conv2d` of 3x3: features (height, width, in), kernel (out, in, 3, 3)."""
    height, width, _ = features.shape
    padded = np.pad(features, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    result = np.zeros((height, width, len(kernel))) + bias
    for i in range(3):
        for j in range(3):
            result += padded[i : i + height, j : j + width] @ kernel[:, :, i, j].T.astype("float64")
    return result


@pytest.mark.parametrize("prefix", ["", "decoder.", "module.net."])
def test_pytorchs_layout_against_numpy(decoder, prefix):
    state = state_of(TINY_SHAPES)
    features = np.random.default_rng(1).normal(0, 1, (1, 4, 3, 5)).astype("float32")
    want = features[0].astype("float64")
    for place in (1, 5, 8, 12, 15):
        want = convolved(want, state[f"{place}.weight"], state[f"{place}.bias"])
        want = want if place == 15 else np.maximum(want, 0)
        want = want.repeat(2, axis=0).repeat(2, axis=1) if place in (1, 8) else want
    shuffled = dict(sorted(state.items(), reverse=True))
    load_torch(decoder, {prefix + name: value for name, value in shuffled.items()})
    np.testing.assert_allclose(decoder(features)[0], want, atol=1e-5)


class Tensor:
    """As PyTorch's are to the library: not an array, and with a gradient to leave behind."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


def test_tensors_are_as_good_as_arrays(decoder):
    state = state_of(TINY_SHAPES)
    load_torch(decoder, state)
    arrays = decoder.get_weights()
    other = mirrored(TINY, seed=1)
    load_torch(other, {name: Tensor(value) for name, value in state.items()})
    for a, b in zip(arrays, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_decoder_is_refused_and_nothing_changed(decoder):
    before = decoder.get_weights()
    state = state_of(TINY_SHAPES)
    missing = {name: value for name, value in state.items() if not name.startswith("15")}
    unbiased = {name: value for name, value in state.items() if name != "8.bias"}
    other = {**state, "15.weight": state["15.weight"][:, :4]}
    messages = []
    for wrong in (missing, unbiased, other):
        with pytest.raises(InputError) as error:
            load_torch(decoder, wrong)
        messages.append(str(error.value))
    assert messages == [
        f"the state dict has {kernels} kernels and 4 biases, and the decoder 5 convolutions: give the state dict of "
        f"the decoder"
        for kernels in (4, 5)
    ] + [
        "convolution 15 of the state dict has the shape (3, 3, 4, 3), and stride1_conv2 (3, 3, 6, 3): give the "
        "decoder of this layer of this backbone",
    ]
    for a, b in zip(before, decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
