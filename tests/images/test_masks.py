"""Masks and segmentations: which regions they make, of which styles, and what is refused in which words."""

import io
import re

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw

from tfstyle import InputError
from tfstyle.images import load, save
from tfstyle.images.masks import downsample, grey, regions
from tfstyle.images.picture import Picture

RED, GREEN, BLUE, TEAL = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 80, 100)
SHAPE = (12, 16)


def soft(seed, name=None, shape=SHAPE):
    """A grey mask with values between black and white."""
    levels = np.random.default_rng(seed).integers(0, 256, shape, dtype="uint8")
    return levels if name is None else load(levels, name=name)


def stripes(*colours, name=None, shape=SHAPE):
    """A segmentation of vertical stripes, as wide as each other."""
    which = np.arange(shape[1]) * len(colours) // shape[1]
    levels = np.broadcast_to(np.uint8(colours)[which], (*shape, 3)).copy()
    return levels if name is None else load(levels, name=name)


def made(content, styles, style_weights, shapes=None, shape=SHAPE):
    return regions(content, styles, style_weights, shape, shapes or [SHAPE] * len(style_weights))


def message(*args, **kwargs):
    with pytest.raises(InputError) as error:
        made(*args, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)


def values(levels):
    return (levels / 255).astype("float32")


def test_one_content_mask_is_one_region_in_the_mix_of_all_styles():
    out = made([soft(0, "sky.png")], [], [0.25, 0.75])
    np.testing.assert_allclose(out.content, values(soft(0))[None], atol=1e-7)
    assert out.content.dtype == np.float32
    assert out.styles == (None, None)
    np.testing.assert_array_equal(out.style_weights, [[0.25, 0.75]])
    assert out.names == ("sky.png",)


def test_a_content_mask_for_each_style_is_painted_in_it_alone():
    out = made([soft(0, "a.png"), soft(1, "b.png")], [], [0.25, 0.75])
    np.testing.assert_allclose(out.content, values(np.stack([soft(0), soft(1)])), atol=1e-7)
    assert out.styles == (None, None)
    np.testing.assert_array_equal(out.style_weights, np.eye(2))
    assert out.names == ("a.png", "b.png")


def test_style_masks_alone_say_what_of_each_style_counts():
    out = made([], [None, soft(2, shape=(8, 9))], [0.5, 0.5], [SHAPE, (8, 9)])
    np.testing.assert_array_equal(out.content, np.ones((1, *SHAPE), "float32"))
    assert out.styles[0] is None
    np.testing.assert_allclose(out.styles[1], values(soft(2, shape=(8, 9)))[None], atol=1e-7)
    assert out.styles[1].dtype == np.float32
    np.testing.assert_array_equal(out.style_weights, [[0.5, 0.5]])
    assert out.names == ("the whole picture",)


def test_no_mask_is_the_whole_of_all_pictures():
    for none in ([], [None, None]):
        out = made([], none, [0.5, 0.5])
        assert (out.content == 1).all()
        assert out.styles == (None, None)


def test_style_masks_go_with_content_masks():
    out = made([soft(0)], [soft(2), None], [0.5, 0.5])
    assert out.content.shape == (1, *SHAPE)
    np.testing.assert_allclose(out.styles[0], values(soft(2))[None], atol=1e-7)
    assert out.styles[1] is None
    out = made([soft(0), soft(1)], [soft(2), None], [0.5, 0.5])
    np.testing.assert_array_equal(out.style_weights, np.eye(2))
    np.testing.assert_allclose(out.styles[0], values(np.stack([soft(2)] * 2)), atol=1e-7)
    assert out.styles[1] is None


def test_what_is_transparent_is_black():
    opaque = np.zeros((*SHAPE, 2), "uint8")
    opaque[..., 0], opaque[..., 1] = 200, soft(3)
    out = made([opaque], [], [1])
    np.testing.assert_allclose(out.content[0], 200 / 255 * values(soft(3)), atol=1e-6)


def test_a_grey_mask_may_be_grey_but_for_rounding():
    nearly = np.stack([soft(4), soft(4) ^ 1, soft(4) ^ 2], axis=-1)
    out = made([nearly], [], [1])
    np.testing.assert_allclose(out.content[0], values(soft(4)), atol=2 / 255)


def test_masks_are_resized_to_their_pictures():
    out = made([soft(0, shape=(24, 32))], [soft(1, shape=(30, 20))], [1], [(15, 10)])
    np.testing.assert_allclose(out.content[0], load(soft(0, shape=(24, 32)), SHAPE).rgb[..., 0], atol=1e-6)
    np.testing.assert_allclose(out.styles[0][0], load(soft(1, shape=(30, 20)), (15, 10)).rgb[..., 0], atol=1e-6)


def test_colours_of_a_segmentation_are_regions():
    out = made([stripes(RED, GREEN, RED, BLUE)], [stripes(GREEN, BLUE, RED)], [1], [SHAPE])
    assert out.names == ("#ff0000", "#0000ff", "#00ff00")  # by area, then by value
    for colour, where, seen in zip((RED, BLUE, GREEN), out.content, out.styles[0], strict=True):
        np.testing.assert_array_equal(where, (stripes(RED, GREEN, RED, BLUE) == colour).all(axis=-1))
        np.testing.assert_array_equal(seen, (stripes(GREEN, BLUE, RED) == colour).all(axis=-1))
    np.testing.assert_array_equal(out.style_weights, [[1], [1], [1]])


def test_a_style_that_lacks_a_colour_leaves_its_weight_to_the_others():
    out = made([stripes(RED, BLUE)], [stripes(RED, BLUE), stripes(BLUE, RED), stripes(RED, GREEN)], [0.5, 0.1, 0.4])
    weights = dict(zip(out.names, out.style_weights, strict=True))
    np.testing.assert_allclose(weights["#ff0000"], [0.5, 0.1, 0.4])
    np.testing.assert_allclose(weights["#0000ff"], [5 / 6, 1 / 6, 0])
    assert not out.styles[2][out.names.index("#0000ff")].any()
    assert not (out.styles[2].sum(axis=0)[:, 8:]).any()  # the green is of no region


def test_colours_a_little_off_are_the_same():
    near = stripes((250, 8, 4), (4, 3, 250))
    out = made([stripes(RED, BLUE)], [near], [1])
    np.testing.assert_array_equal(out.styles[0], made([stripes(RED, BLUE)], [stripes(RED, BLUE)], [1]).styles[0])
    text = message([stripes(RED, BLUE)], [stripes((230, 0, 0), BLUE)], [1])
    assert re.match("the colour #ff0000 of the content mask .*: paint it into one", text)


COLOURS = ("#003c64", "#005064", "#ff0000", "#ffffff")


def drawn(format=None, size=256):
    """A segmentation with smooth edges, of which two colours are close together."""
    image = Image.new("RGB", (4 * size, 4 * size), (0, 60, 100))
    draw = ImageDraw.Draw(image)
    for box, colour in (((0, 0.6, 1, 1), TEAL), ((0.2, 0.1, 0.6, 0.8), RED), ((0.7, 0.1, 0.9, 0.9), (255, 255, 255))):
        draw.ellipse([4 * size * x for x in box], fill=colour)
    image = image.resize((size, size), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, format or "PNG", quality=50)
    return Image.open(file)


@pytest.mark.parametrize("format", ["JPEG", "WebP"])
def test_lossy_files_smear_no_new_colours(format):
    shape = (256, 256)
    exact = made([drawn()], [drawn()], [1], [shape], shape)
    out = made([drawn(format)], [drawn()], [1], [shape], shape)
    assert sorted(exact.names) == sorted(COLOURS)
    assert len(out.names) == 4
    for pair in ((exact.content, out.content), (exact.styles[0], out.styles[0])):
        expected, got = (sorted(weights, key=np.sum) for weights in pair)
        assert (np.sum(got, axis=0) == 1).all()
        assert np.not_equal(expected, got).any(axis=0).mean() < 0.03


def test_soft_edges_are_no_colours():
    shape = (256, 256)
    blurred = drawn().resize((32, 32), Image.Resampling.BICUBIC).resize(shape, Image.Resampling.BICUBIC)
    assert sorted(made([blurred], [blurred], [1], [shape], shape).names) == sorted(COLOURS)


def test_resized_segmentations_have_soft_edges_that_sum_to_one():
    out = made([drawn()], [drawn()], [1], [(64, 64)], (32, 32))
    np.testing.assert_allclose(out.content.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(out.styles[0].sum(axis=0), 1, atol=1e-6)
    assert ((out.content > 0.1) & (out.content < 0.9)).any()


def test_what_is_transparent_in_a_segmentation_is_of_no_region():
    opaque = np.where(np.arange(16) < 4, 0, 255) * np.ones((12, 1))
    levels = np.dstack([stripes(RED, BLUE), opaque.astype("uint8")])
    out = made([levels], [stripes(RED, BLUE)], [1])
    assert out.names == ("#0000ff", "#ff0000")
    np.testing.assert_array_equal(out.content.sum(axis=0), opaque / 255)


def test_greys_of_a_segmentation_are_colours_too():
    out = made([stripes(RED, (0, 0, 0))], [stripes((0, 0, 0), (255, 255, 255), RED)], [1])
    assert set(out.names) == {"#ff0000", "#000000"}


def test_masks_are_read_from_files(tmp_path):
    save(load(stripes(RED, BLUE)), tmp_path / "map.png")
    out = made([tmp_path / "map.png"], [str(tmp_path / "map.png")], [1])
    assert set(out.names) == {"#ff0000", "#0000ff"}
    assert message([tmp_path / "no.png"], [], [1]).startswith(f"{tmp_path}/no.png does not exist")


GREY, MAP = soft(0, "grey.png"), stripes(RED, BLUE, name="map.png")
PHOTO = np.random.default_rng(0).random((120, 160, 3))
PHOTO[:50] = 0  # flat shadows
PHOTO = load(PHOTO, name="photo.jpg")
NOTHING, SQUARE = np.zeros((*SHAPE, 4), "uint8"), soft(0, "a.png", (20, 20))
REFUSED = [  # the masks, the number of style images, and the input and the fix that the message names
    ([GREY] * 2, [], 1, "2 content masks for 1 style image: give one$"),
    ([GREY] * 2, [], 3, "2 content masks for 3 style images: give one, or one for each"),
    ([], [GREY], 2, "1 style mask for 2 style images: give one for each"),
    ([MAP, GREY], [], 2, "map.png is a segmentation.*: give it alone, or make it grey"),
    ([GREY], [MAP], 1, "map.png is a segmentation.*: give a segmentation as the content mask too, or make it grey"),
    ([], [None, MAP], 2, "map.png is a segmentation.*: give a segmentation as the content mask too, or make it grey"),
    ([MAP], [], 2, "map.png is a segmentation in 2 colours, .* no style mask: give each style image a mask"),
    ([MAP], [MAP, None], 2, "map.png is a segmentation, but style image 2 has none: give each style image a mask"),
    ([stripes(RED, GREEN, BLUE, name="3.png")], [MAP, MAP], 2, "the colour #00ff00 of 3.png .*: paint it into one"),
    ([PHOTO], [MAP], 1, "photo.jpg is not a mask: give one that is grey, or that has few, flat colours"),
    ([MAP], [NOTHING], 1, "the style mask is not a mask: give one that is grey"),
    ([NOTHING], [], 1, "the content mask is black .*: make white what it is for"),
    ([], [None, NOTHING], 2, "style mask 2 is black .*: make white what it is for"),
    ([SQUARE], [], 1, "a.png has 20x20 pixels, and the content image 16x12.*: give a mask of the same shape"),
    ([], [SQUARE], 1, "a.png has 20x20 pixels, and the style image 16x12.*: give a mask of the same shape"),
    ([], [None, SQUARE], 2, "a.png has 20x20 pixels, and style image 2 16x12.*: give a mask of the same shape"),
]


@pytest.mark.parametrize(("content", "styles", "number", "expected"), REFUSED, ids=[row[-1] for row in REFUSED])
def test_what_is_refused_and_why(content, styles, number, expected):
    assert re.match(expected, message(content, styles, [1 / number] * number))


def test_a_colour_of_a_style_without_weight_is_not_enough():
    text = message([MAP], [MAP, stripes(RED, GREEN)], [0, 1])
    assert re.match("the colour #0000ff of map.png .*: paint it into one", text)


def test_a_mask_may_be_two_percent_off_or_one_pixel():
    for mask_shape, shape, fits in (
        ((300, 200), (150, 100), True),
        ((294, 200), (150, 100), True),
        ((290, 200), (150, 100), False),
        ((341, 512), (21, 32), True),  # which is 1.4 % off by rounding alone
        ((330, 512), (20, 32), True),
    ):
        mask = np.ones(mask_shape)
        if fits:
            assert made([mask], [], [1], shape=shape).content.shape == (1, *shape)
        else:
            assert "another shape" in message([mask], [], [1], shape=shape)


@given(st.permutations([RED, GREEN, BLUE, TEAL]), st.permutations([RED, GREEN, BLUE, TEAL]))
def test_regions_do_not_depend_on_which_colours_stand_for_them(first, second):
    places = np.random.default_rng(0).choice(4, (20, 20), p=[0.4, 0.3, 0.2, 0.1])
    style = places[::-1].T
    outs = [made([np.uint8(c)[places]], [np.uint8(c)[style]], [1], [(20, 20)], (20, 20)) for c in (first, second)]
    for attribute in ("content", "style_weights"):
        np.testing.assert_array_equal(getattr(outs[0], attribute), getattr(outs[1], attribute))
    np.testing.assert_array_equal(outs[0].styles[0], outs[1].styles[0])
    assert outs[0].names == tuple("#{:02x}{:02x}{:02x}".format(*first[k]) for k in range(4))


@given(hnp.arrays("int64", (6, 9), elements=st.integers(0, 3)), st.sampled_from([(6, 9), (2, 3), (13, 20)]))
def test_a_segmentation_of_any_shape_covers_the_picture_once(places, shape):
    levels = np.uint8([RED, GREEN, BLUE, TEAL])[places]
    out = made([levels], [levels], [1], [shape], shape)
    assert len(out.names) == len(np.unique(places))
    for weights in (out.content, out.styles[0]):
        assert weights.dtype == np.float32
        assert weights.shape == (len(out.names), *shape)
        assert ((weights >= 0) & (weights <= 1)).all()
        np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-6)


@st.composite
def sizes(draw):
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    return (height, width), (draw(st.integers(1, height)), draw(st.integers(1, width)))


@given(sizes(), st.integers(0, 99))
def test_shrunk_keeps_ones_and_means(pair, seed):
    old, new = pair
    np.testing.assert_array_equal(downsample(np.ones((2, *old), "float32"), new), np.ones((2, *new), "float32"))
    weights = np.random.default_rng(seed).random((3, *old), dtype="float32")
    out = downsample(weights, new)
    assert out.shape == (3, *new)
    assert out.dtype == np.float32
    assert out.min() >= weights.min() - 1e-6
    assert out.max() <= weights.max() + 1e-6
    np.testing.assert_allclose(
        out.mean(axis=(1, 2), dtype="float64"), weights.mean(axis=(1, 2), dtype="float64"), 1e-6
    )


def test_shrunk_averages_areas():
    weights = np.random.default_rng(5).random((2, 8, 12), dtype="float32")
    blocks = weights.astype("float64").reshape(2, 4, 2, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(downsample(weights, (4, 4)), blocks, rtol=1e-6)
    np.testing.assert_array_equal(downsample(weights, (8, 12)), weights)
    thirds = downsample(np.float32([[[0, 1, 0]]]), (1, 2))  # the middle pixel is half in each cell
    np.testing.assert_allclose(thirds, [[[1 / 3, 1 / 3]]], rtol=1e-6)


def test_a_grey_picture_by_itself():
    levels = soft(7)
    np.testing.assert_allclose(grey(levels, SHAPE, "alpha"), levels / 255, atol=1e-6)
    assert (grey(np.zeros(SHAPE), SHAPE, "alpha") == 0).all()  # which is no region, but a fine map
    assert grey(levels, (6, 8), "alpha").shape == (6, 8)
    transparent = np.dstack([np.ones(SHAPE), np.full(SHAPE, 0.25)])
    np.testing.assert_allclose(grey(transparent, SHAPE, "alpha"), 0.25, atol=1e-6)
    for wrong, message in [
        (stripes(RED, BLUE), "the alpha has colours: make it grey"),
        (
            soft(7, shape=(16, 12)),
            "the alpha has 12x16 pixels, and the content image 16x12.*: give a mask",
        ),
    ]:
        with pytest.raises(InputError, match=message):
            grey(wrong, SHAPE, "alpha")


def test_nothing_given_is_changed():
    mask, segmentation = load(soft(6)), load(stripes(RED, BLUE))
    before = mask.rgb.copy(), segmentation.rgb.copy()
    out = made([mask], [mask], [1])
    made([segmentation], [segmentation], [1])
    assert isinstance(mask, Picture)
    assert not np.shares_memory(out.content, mask.rgb)
    np.testing.assert_array_equal(mask.rgb, before[0])
    np.testing.assert_array_equal(segmentation.rgb, before[1])
