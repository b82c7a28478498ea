"""Scores of results: the comparison, and the table, JSON and CSV of it."""

import csv
import inspect
import io
import json

import numpy as np
import pytest

from tfstyle import METRICS, Backbone, InputError, Scores, images, samples, score
from tfstyle.evaluation import scores as module
from tfstyle.evaluation.layers import score_layers
from tfstyle.evaluation.scores import compute_metrics


@pytest.fixture(scope="module")
def pictures():
    """A photograph and a painting, float32 (48, 64, 3)."""
    photo = images.load(samples.content("coffee"), (48, 64)).rgb
    return photo, images.load(samples.style("impasto", 128), (48, 64)).rgb


@pytest.fixture(scope="module")
def mini():
    return Backbone("VGG19Mini")


def scores_of(names=("a/out.png", "b/other.png")):
    """Scores without a network: values 0.5, 1.5, 2.5, ..."""
    rows = [
        {"result": name, **{metric: index + 0.5 + number for index, metric in enumerate(METRICS)}}
        for number, name in enumerate(names)
    ]
    weights = {"name": "imagenet", "source": "Keras cache", "file": "vgg19_notop.h5", "sha256": "61" * 32}
    return Scores("c.jpg", "s.jpg", 48, 64, "VGG19", weights, "block3_conv2", ("block1_conv2",), rows)


def test_the_table_names_weights_and_lines_up():
    lines = scores_of().table().splitlines()
    assert lines[:3] == [
        "content c.jpg, style s.jpg, at 64x48 pixels",
        f"VGG19, weights imagenet (Keras cache, vgg19_notop.h5, SHA-256 {'61' * 32})",
        "content at block3_conv2, style at block1_conv2",
    ]
    assert lines[4] == "                      out.png  other.png"
    assert lines[5].startswith("ssim              ↑    0.5000     1.5000  content preserved")
    assert lines[12].startswith("noise             →1   7.5000     8.5000  fine detail")
    assert "a/out.png  b/out.png" in scores_of(names=("a/out.png", "b/out.png")).table()
    assert "a/out.png  a/out.png" in scores_of(names=("a/out.png", "a/out.png")).table()


def test_json_and_csv_parse():
    scores = scores_of(names=("a, b.png", 'say "so".png'))
    record = json.loads(scores.json())
    assert record["scores"] == scores.rows
    assert record["metrics"]["noise"] == {"direction": "one", "best": 1.0, "meaning": METRICS["noise"].meaning}
    assert list(record["metrics"]) == list(METRICS)
    rows = list(csv.DictReader(io.StringIO(scores.csv())))
    assert [row["result"] for row in rows] == ["a, b.png", 'say "so".png']
    assert [float(row["mmd"]) for row in rows] == [row["mmd"] for row in scores.rows]
    assert {row["sha256"] for row in rows} == {"61" * 32}


def test_rows_have_the_names_of_results():
    scores = scores_of()
    assert (len(scores), scores.names) == (2, ["a/out.png", "b/other.png"])
    assert scores["b/other.png"]["ssim"] == 1.5
    assert list(scores["a/out.png"]) == list(METRICS)
    with pytest.raises(InputError, match=r"'a/oat\.png': did you mean a/out\.png"):
        scores["a/oat.png"]


def test_the_signature_has_every_option():
    parameters = inspect.signature(score).parameters
    assert list(parameters) == ["content", "style", "results", "backbone", "weights", "size"]
    assert {name: each.default for name, each in parameters.items() if each.kind == each.KEYWORD_ONLY} == {
        "backbone": "auto", "weights": None, "size": None
    }  # fmt: skip
    assert "The style image." in inspect.getdoc(score)


def test_one_result_or_several(mini, pictures, tmp_path):
    photo, painting = pictures
    images.save(photo, tmp_path / "photo.png")
    one = score(photo, painting, painting, backbone=mini)
    several = score(photo, painting, [painting, tmp_path / "photo.png"], backbone=mini)
    assert one.names == ["the result"]
    assert several.names == ["result 1", str(tmp_path / "photo.png")]
    assert several["result 1"] == one["the result"]
    assert (one.content, one.style, one.backbone) == ("the content image", "the style image", "VGG19Mini")
    assert compute_metrics(photo, painting, [painting], mini) == [one["the result"]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size 0 .*: give a whole number from 1"),
        ({"size": 2.5}, "size 2.5 .*: give a whole number"),
        ({"bakbone": "VGG19"}, "'bakbone': did you mean backbone"),
    ],
)
def test_options_are_checked(pictures, options, message):
    with pytest.raises(InputError, match=message):
        score(*pictures, pictures[0], **options)


def test_no_result_is_refused(pictures):
    with pytest.raises(InputError, match="there is no result: give at least one"):
        score(*pictures, [])


@pytest.mark.parametrize(
    ("result", "size", "expected"),
    [((37, 56), None, [(34, 52), (52, 52)]), ((33, 50), None, [(33, 50), (50, 50)]),
     ((33, 50), 64, [(42, 64), (64, 64)])],
)  # fmt: skip
def test_all_are_compared_at_the_smallest_size(photo, painting, vgg, monkeypatch, result, size, expected):
    monkeypatch.setattr(module, "DEFAULT_MAXIMUM", 52)
    shapes = []

    def record(content, style, results, network):
        shapes.extend(picture.rgb.shape[:2] for picture in (content, style))
        return [{} for _ in results]

    monkeypatch.setattr(module, "compute_metrics", record)
    scores = score(photo, painting, [images.load(photo, result)], backbone=vgg, size=size)
    assert shapes == expected
    assert (scores.height, scores.width) == expected[0]


def test_what_memory_would_not_hold_is_refused(photo, painting, vgg, monkeypatch):
    monkeypatch.setattr(module, "available", lambda: 2**27)
    with pytest.raises(InputError, match=r"scores at size 512 need about \d\.\d GB .* 0\.1 GB: use a smaller size"):
        score(photo, painting, [photo], backbone=vgg, size=512)


def test_results_are_brought_to_the_contents_size(vgg, pictures):
    photo, painting = pictures

    def metrics(style, result):
        return compute_metrics(photo, style, [result], vgg)[0]

    large = images.load(painting, (96, 70))
    assert list(metrics(painting, large)) == list(METRICS)
    assert metrics(painting, large) == pytest.approx(metrics(painting, large.resized((48, 64))))
    tall = images.load(painting).resized((90, 60))
    assert metrics(tall, photo) == pytest.approx(metrics(tall.resized(64), photo))  # the style keeps its aspect


def test_a_score_of_features_is_the_mean_over_layers(vgg, pictures):
    photo, painting = pictures
    preserved, lost = compute_metrics(photo, painting, [photo, painting], vgg)
    content, style = score_layers(vgg)
    of_photo, of_painting = (
        {name: each.numpy()[0] for name, each in vgg(picture[None], [content, *style]).items()}
        for picture in pictures
    )
    for name in ("gram_distance", "mmd", "wasserstein"):
        each = [METRICS[name].function(of_painting[layer], of_photo[layer]) for layer in style]
        assert preserved[name] == pytest.approx(np.mean(each), rel=1e-5)
    assert preserved["content_distance"] == 0
    expected = METRICS["content_distance"].function(of_photo[content], of_painting[content])
    assert lost["content_distance"] == pytest.approx(expected, rel=1e-5)


def test_metrics_of_several_are_those_of_each(vgg, pictures):
    photo, painting = pictures
    both = compute_metrics(photo, painting, pictures, vgg)
    assert both == [compute_metrics(photo, painting, [result], vgg)[0] for result in pictures]
    assert [both[1][name] for name in METRICS if METRICS[name].reference == "style"] == pytest.approx(
        [0, 0, 0, 0, 1], abs=1e-4
    )


def test_no_method_optimises_the_layers(vgg):
    from tfstyle.pipelines.methods import METHODS

    content, style = score_layers(vgg)
    optimised = {
        layer
        for method in METHODS.values()
        for layer in (*(method.content_layers or [vgg.content_layer]), *(method.style_layers or vgg.style_layers))
    }
    assert not optimised & {content, *style}
    assert {content, *style} <= set(vgg.layer_names) & set(Backbone("VGG16", weights="random").layer_names)
    other = Backbone("MobileNetV2", weights="random")
    assert score_layers(other) == (other.content_layer, other.style_layers)


def test_small_pictures_are_refused(vgg):
    small = np.zeros((31, 40, 3), "float32")
    with pytest.raises(InputError, match="40x31 pixels are too small for VGG19"):
        compute_metrics(small, small, [small], vgg)


def test_with_real_weights_a_painted_picture_lies_between_content_and_style(real_weights):
    from tfstyle import transfer

    network = Backbone("VGG19", precision="float32")
    photo = images.load(samples.content("coffee"), 96).rgb
    painting = images.load(samples.style("mosaic", 256), 96).rgb
    painted = transfer(photo, painting, size=96, steps=30, backbone=network, progress=False).image
    content, between, style = compute_metrics(photo, painting, [photo, painted, painting], network)
    for name in ("ssim", "edge_agreement"):
        assert content[name] > between[name] > style[name]
    assert content["content_distance"] < between["content_distance"] < style["content_distance"]
    for name in ("gram_distance", "mmd", "wasserstein", "color_distance"):
        assert content[name] > between[name] > style[name]
