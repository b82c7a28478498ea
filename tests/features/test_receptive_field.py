"""Receptive fields against features that change when pixels do."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from keras import layers

from tfstyle import Backbone, InputError
from tfstyle.features.receptive_field import ReceptiveField, receptive_fields

STRIDE = 32  # a multiple of every stride here, and of what NASNet's pictures are padded to


def model(*chain, side=None):
    """A model from pictures of one channel, through layers or functions, to its last features."""
    pictures = keras.Input((side, side, 1))
    features = functools.reduce(lambda x, layer: layer(x), chain, pictures)
    return keras.Model(pictures, {"last": features}, name="small_features")


def field(*chain):
    return receptive_fields(model(*chain))["last"]


def test_vgg19_by_hand(vgg):
    """A 3×3 convolution sees one stride more on both sides, a pooling one stride more after, and doubles it."""
    hand = {
        "block1_conv1": ReceptiveField(1, 1, 1),
        "block1_conv2": ReceptiveField(1, 2, 2),
        "block1_pool": ReceptiveField(2, 2, 3),
        "block2_conv1": ReceptiveField(2, 4, 5),
        "block2_conv2": ReceptiveField(2, 6, 7),
        "block3_conv1": ReceptiveField(4, 6 + 4, 7 + 2 + 4),
        "block4_conv1": ReceptiveField(8, 10 + 3 * 4 + 8, 13 + 3 * 4 + 4 + 8),
        "block5_conv1": ReceptiveField(16, 30 + 3 * 8 + 16, 37 + 3 * 8 + 8 + 16),
    }
    assert receptive_fields(vgg.extractor(hand)) == hand


def convolution(kernel, stride=1, padding="valid", dilation=1, kind=layers.Conv2D):
    filters = () if kind is layers.DepthwiseConv2D else (1,)
    return kind(*filters, kernel, stride, padding, dilation_rate=dilation, use_bias=False)


def both(first, second):
    return lambda x: layers.Add()([first(x), second(x)])


def two_branches(one, other, stride):
    return both(convolution(one, stride, "same"), convolution(other, stride, "same"))


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([], (1, 0, 0)),
        ([convolution(3)], (1, 0, 2)),
        ([convolution(5, padding="same", dilation=2)], (1, 4, 4)),
        ([convolution(4, padding="same")], (1, 1, 2)),
        # 3 wide by 2: of an even size one is added, at the end; of an odd size two, one in front.
        ([convolution(3, 2, "same")], (2, 1, 2)),
        ([layers.ZeroPadding2D(((2, 0), (1, 0))), convolution(3)], (1, 2, 1)),
        ([layers.Cropping2D(((1, 0), (3, 5)))], (1, 0, 3)),
        ([layers.MaxPooling2D(2), layers.AveragePooling2D(3, 2)], (4, 0, 5)),
        ([convolution((1, 7), padding="same"), convolution((5, 1), padding="same")], (1, 3, 3)),
        ([both(convolution(1, 2), convolution(5, 2, "same"))], (2, 2, 3)),
        ([keras.Sequential([convolution(3), layers.ReLU(), convolution(3)]), layers.Dense(2)], (1, 0, 4)),
        ([model(convolution(3, padding="same")), lambda out: out["last"], convolution(3, 2)], (2, 1, 3)),
        (
            [convolution(3), lambda x: x + x, layers.LayerNormalization(), lambda x: layers.Concatenate()([x, x])],
            (1, 0, 2),
        ),
    ],
)
def test_small_models_by_hand(chain, expected):
    assert field(*chain) == ReceptiveField(*expected)


def test_a_layer_used_twice_counts_twice():
    twice = convolution(3, padding="same")
    assert field(twice, twice) == ReceptiveField(1, 2, 2)


kernels = st.integers(1, 5) | st.tuples(st.integers(1, 5), st.integers(1, 5))
paddings = st.sampled_from(["same", "valid"])
kinds = st.sampled_from([layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D])
ends = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2)
steps = st.integers(1, 2)
chains = st.lists(  # of functions with their arguments, as a strategy makes no layers
    st.tuples(st.just(convolution), kernels, steps, paddings, st.just(1), kinds)
    | st.tuples(st.just(convolution), kernels, st.just(1), paddings, st.integers(1, 2), kinds)
    | st.tuples(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]), kernels, steps, paddings)
    | st.tuples(st.sampled_from([layers.ZeroPadding2D, layers.Cropping2D]), ends)
    | st.tuples(st.just(two_branches), kernels, kernels, steps),
    max_size=4,
)


@given(chains)
@settings(max_examples=40)
def test_any_small_model_sees_its_field_and_no_more(chain):
    """With kernels of ones, a feature of a black picture is above 0 where it sees what is not black.

    Sizes by as many as the stride leave every remainder at every layer, so one of them needs each end.
    """
    small = model(*[make(*arguments) for make, *arguments in chain])
    small.set_weights([np.ones_like(weight) for weight in small.get_weights()])
    found = receptive_fields(small)["last"]
    index = -(-found.before // found.stride) + 1
    low, high = index * found.stride - found.before, index * found.stride + found.after
    seen = []
    for size in range(high + 30, high + 30 + found.stride):
        pictures = np.zeros((6, size, size, 1), "float32")
        for along in (pictures[:3], pictures[3:].swapaxes(1, 2)):
            along[0, :low] = along[0, high + 1 :] = along[1, low] = along[2, high] = 1
        features = keras.ops.convert_to_numpy(small(pictures)["last"])
        seen.append([*features[:3, index].max((1, 2)), *features[3:, :, index].max((1, 2))])
    outside, first, last = np.reshape(seen, (-1, 2, 3)).max((0, 1))
    assert outside == 0
    assert first > 0 or found.before == 0
    assert last > 0 or found.after == 0


@pytest.fixture(scope="module", params=["VGG19", "InceptionV3", "ResNet50", "NASNetMobile"])
def backbone(request):
    return Backbone(request.param, weights="random")


@pytest.mark.parametrize("side", ["height", "width"])
def test_backbones_see_their_fields_and_no_more_and_tiles_are_the_whole(backbone, side):
    """Pictures as long as the deepest field takes and no wider than the network needs."""
    extractor = backbone.extractor({*backbone.style_layers, backbone.content_layer})
    fields = receptive_fields(extractor)
    before = max(found.before for found in fields.values())
    after = max(found.after for found in fields.values())
    middle = -(-before // STRIDE) * STRIDE + STRIDE
    size = middle + after + STRIDE + 7
    axis = 1 if side == "height" else 2

    def features(strips, start=0):
        """Those at the middle of strips, (batch, length, breadth, channels), that begin at `start`."""
        found = extractor(strips.swapaxes(1, axis), training=False)
        return {layer: np.take(found[layer], (middle - start) // fields[layer].stride, axis) for layer in fields}

    random = np.random.default_rng(0)
    strip = random.random((size, backbone.minimum_side, 3), "float32")
    strips = [strip]
    for found in fields.values():
        low, high = middle - found.before, middle + found.after
        outside, first, last = random.random(strip.shape, "float32"), strip.copy(), strip.copy()
        outside[low : high + 1] = strip[low : high + 1]
        first[low] = last[high] = 1e5  # little of them reaches the far corners of a deep field
        strips += [outside, first, last]
    seen = features(np.stack(strips))
    start = (middle - before) // STRIDE * STRIDE
    stop = size - (size - middle - after - 1) // STRIDE * STRIDE
    assert 0 < start < stop < size
    tile = features(strip[None, start:stop], start)
    for index, layer in enumerate(fields):
        whole, outside, first, last = seen[layer][[0, *range(3 * index + 1, 3 * index + 4)]]
        np.testing.assert_array_equal(outside, whole)
        assert np.abs(first - whole).max() > 0
        assert np.abs(last - whole).max() > 0
        np.testing.assert_allclose(tile[layer][0], whole, rtol=0, atol=1e-5 * np.abs(whole).max())


def squeeze(x):
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    return layers.Multiply()([x, layers.Conv2D(1, 1, activation="sigmoid")(squeezed)])


def test_a_layer_that_sees_the_whole_picture_is_refused():
    with pytest.raises(
        InputError, match=r'small can.t .* layer squeeze \(GlobalAveragePooling2D\).*: use tile "off"'
    ):
        field(convolution(3), squeeze)


def test_a_backbone_that_squeezes_is_refused_above_that_layer():
    backbone = Backbone("MobileNetV3Small", weights="random")
    assert receptive_fields(backbone.extractor(["conv"])) == {"conv": ReceptiveField(2, 1, 2)}
    layer = r"mobilenetv3small .* expanded_conv_squeeze_excite_avg_pool \(GlobalAveragePooling2D\)"
    with pytest.raises(InputError, match=f'{layer}.*: use tile "off" or another backbone'):
        receptive_fields(backbone.extractor([backbone.content_layer]))


@pytest.mark.parametrize(
    "layer",
    [
        layers.GlobalMaxPooling2D(keepdims=True),
        layers.Conv2DTranspose(1, 3, 2),
        layers.UpSampling2D(),
        layers.GroupNormalization(1),
        layers.Lambda(lambda x: x[:, ::-1], output_shape=(None, None, 1)),
        layers.Conv2D(1, 3, (1, 2)),
        lambda x: layers.Concatenate(1)([x, x]),
        keras.ops.exp,
    ],
)
def test_what_is_not_known_to_be_local_is_refused(layer):
    with pytest.raises(InputError, match="small can't be computed in tiles, as its layer "):
        field(layer)


def test_normalisation_over_positions_is_refused():
    with pytest.raises(InputError, match=r"LayerNormalization\) sees the whole picture"):
        receptive_fields(model(layers.LayerNormalization((1, 2, 3)), side=8))
