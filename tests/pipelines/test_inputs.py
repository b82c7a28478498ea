"""The pictures of a job: loaded, weighted, and identified."""

import json
import re

import numpy as np
import pytest

from tfstyle import InputError, images
from tfstyle.pipelines.inputs import check_one_each, load_inputs
from tfstyle.pipelines.settings import StyleSettings


@pytest.fixture
def styles(tmp_path, painting, monkeypatch):
    """Three files of different sizes."""
    monkeypatch.chdir(tmp_path)
    images.save(painting, "a.png")
    images.save(painting[:40], "b.png")
    images.save(1 - painting[:, :36], "c.png")
    return ["a.png", "b.png", "c.png"]


def load(styles, **options):
    return load_inputs(StyleSettings(styles=styles, **options))


def test_styles_are_loaded_as_they_are(styles, painting):
    inputs = load(styles)
    assert [style.rgb.shape for style in inputs.styles] == [(48, 48, 3), (40, 48, 3), (48, 36, 3)]
    np.testing.assert_allclose(inputs.styles[0].rgb, painting, atol=0.51 / 255)
    assert (inputs.content_masks, inputs.style_masks, inputs.init) == ([], [], "content")
    assert load("a.png").styles[0].name == "a.png"


@pytest.mark.parametrize(
    ("weights", "expected"), [(None, [1 / 3] * 3), ([2, 1, 1], [0.5, 0.25, 0.25]), (np.array([0, 0, 3]), [0, 0, 1])]
)
def test_weights_sum_to_one(styles, weights, expected):
    assert load(styles, style_weights=weights).weights == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"styles": None}, "no style image: give at least one"),
        ({"styles": []}, "no style image: give at least one"),
        ({"style_weights": [1, 2]}, "style weights 1,2 .*3 style images: give 3"),
        ({"style_weights": [1, -2, 1]}, "style weights 1,-2,1 .*numbers from 0"),
        ({"style_weights": [0, 0, 0]}, "style weights 0,0,0 .*not all 0"),
        ({"style_weights": [np.inf, 0, 0]}, "style weights inf,0,0 .*numbers from 0"),
        ({"styles": ["a.png", "gone.png"]}, r"gone\.png does not exist; check the path"),
        ({"content_masks": "gone.png"}, r"gone\.png does not exist; check the path"),
        ({"style_masks": [None, "gone.png", None]}, r"gone\.png does not exist; check the path"),
        ({"styles": ["gone.png"], "style_weights": [1, 2]}, "give 1"),  # weights come first: files take longer
    ],
    ids=str,
)
def test_what_can_not_be_used_is_one_line(styles, options, match):
    with pytest.raises(InputError, match=match) as error:
        load(**{"styles": styles, **options})
    assert "\n" not in str(error.value)


def test_masks_may_be_one_or_several_and_none_for_a_style(styles):
    mask = np.eye(40, dtype="float32")
    inputs = load(styles, content_masks=mask, style_masks=[None, "b.png", None])
    assert [each.name for each in inputs.content_masks] == ["the array"]
    assert [each and each.name for each in inputs.style_masks] == [None, "b.png", None]
    assert inputs.leaves_uncovered
    assert not load(styles).leaves_uncovered
    assert not load(styles, content_masks=np.ones((40, 40))).leaves_uncovered


def test_one_style_for_each_content(styles):
    inputs = load(styles, style_masks=[None, "b.png", None])
    both = inputs.one_each([2, 1])
    assert [style.name for style in both.styles] == ["c.png", "b.png"]
    assert both.style_weights == [[1.0, 0.0], [0.0, 1.0]]
    assert [each and each.name for each in both.style_masks] == [None, "b.png"]
    for index, name in enumerate(("c.png", "b.png")):
        own = both.of(index)
        assert ([style.name for style in own.styles], own.weights) == ([name], [1.0])
        assert own.record()["styles"] == [name]
    assert inputs.of(1) is inputs
    assert load(styles).one_each([0]).style_masks == []


def test_a_record_is_json(styles):
    record = load(styles, style_weights=[2, 1, 1], style_masks=[None, "b.png", None]).record()
    assert json.loads(json.dumps(record)) == record
    assert record["styles"] == styles
    assert (record["style_weights"], record["style_masks"]) == ([0.5, 0.25, 0.25], [None, "b.png", None])
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in record["styles_sha256"])


def test_a_fingerprint_goes_by_pixels_and_not_by_names(styles, tmp_path):
    def fingerprint(styles, **options):
        return load(styles, **options).fingerprint()

    (tmp_path / "a.png").rename("moved.png")
    assert fingerprint(["moved.png", "b.png"]) == fingerprint([images.load("moved.png"), "b.png"])
    assert fingerprint("b.png") != fingerprint("c.png")
    assert fingerprint("b.png") != fingerprint("b.png", style_masks="c.png")
    assert fingerprint("b.png", content_masks="c.png") != fingerprint("b.png", content_masks="moved.png")
    assert fingerprint(["b.png", "c.png"]) == fingerprint(["b.png", "c.png"], style_weights=[1, 1])
    assert fingerprint(["b.png", "c.png"]) != fingerprint(["b.png", "c.png"], style_weights=[1, 2])
    json.dumps(fingerprint("b.png"))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"style_weights": [1, 1, 1]}, "each style is painted by itself: leave out style weights"),
        ({"styles": []}, "no style image: give at least one"),
        ({"style_masks": [None]}, "1 style masks for 3 style images: give one for each, or none"),
        ({"content_masks": ["a.png", "b.png"]}, "each style is painted by itself: give one content mask"),
    ],
    ids=str,
)
def test_one_picture_in_each_style_has_no_blend(styles, options, match):
    with pytest.raises(InputError, match=match):
        check_one_each(StyleSettings(**{"styles": styles, **options}))


def test_each_style_has_its_mask_or_none(styles):
    assert check_one_each(StyleSettings(styles=styles)) == (styles, [None] * 3)
    masks = [None, "b.png", None]
    assert check_one_each(StyleSettings(styles=styles, style_masks=masks)) == (styles, masks)
