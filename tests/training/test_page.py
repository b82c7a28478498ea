"""The page of a training: one file, well formed, without scripts, that shows what there is."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tfstyle.images import grids
from tfstyle.training.page import page as training_page

VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Checks that tags are closed in order, and keeps what there is."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    for epoch in range(1, 10):
        grids.save(np.full((20, 30, 3), epoch / 10, "float32"), folder / f"{epoch}.png")
    return {epoch: folder / f"{epoch}.png" for epoch in range(1, 10)}


ROWS = [{"epoch": str(i), "loss": str(3 - i / 4), "val_loss": str(i % 3), "content": "1e-30"} for i in range(1, 10)]
SETTINGS = {"network": "adain", "size": 64, "weights": None, "mark": "<script>alert(1)</script>"}


def test_all_is_inside_and_nothing_runs(samples):
    page = training_page("my <run>", SETTINGS, ROWS, samples, 9)
    reader = read(page)
    tags = [tag for tag, _ in reader.tags]
    assert not {"script", "link", "iframe"} & set(tags)
    assert "adain in my <run>" in reader.words
    assert "<script>alert(1)</script>" in reader.words  # as text
    assert all(attributes["src"].startswith("data:") for tag, attributes in reader.tags if tag == "img")
    assert not re.search(r"https?://", page)


def test_the_newest_sample_is_whole_and_six_earlier_ones_small(samples):
    reader = read(training_page("run", SETTINGS, ROWS, samples, 9))
    captions = [words for words in reader.words if re.fullmatch(r"epoch \d+", words)]
    assert captions == ["epoch 9", *(f"epoch {i}" for i in (1, 2, 4, 5, 7, 8))]
    sources = [attributes["src"] for tag, attributes in reader.tags if tag == "img"]
    first = Image.open(io.BytesIO(base64.b64decode(sources[0].split(",")[1])))
    assert first.size == (30, 20)
    assert np.asarray(first).mean() / 255 == pytest.approx(0.9, abs=0.02)


def test_curves_go_through_the_values():
    reader = read(training_page("run", SETTINGS, ROWS, {}, 9))
    lines = [attributes["points"] for tag, attributes in reader.tags if tag == "polyline"]
    assert len(lines) == 3  # losses, held-out losses beside them, and content
    loss, held_out, content = (np.array([p.split(",") for p in line.split()], float) for line in lines)
    values = np.array([[float(row["loss"]), float(row["val_loss"])] for row in ROWS])
    high, low = values.max(), values.min()
    top, bottom = min(loss[:, 1]), max(held_out[:, 1])  # loss begins highest, val_loss ends at 0
    for curve, value in zip((loss, held_out), values.T, strict=True):
        np.testing.assert_allclose(curve[:, 1], bottom + (value - low) / (high - low) * (top - bottom), atol=0.06)
        np.testing.assert_allclose(np.diff(curve[:, 0]), (curve[-1, 0] - curve[0, 0]) / 8, atol=0.11)
    assert len(set(content[:, 1])) == 1  # which doesn't change
    assert "loss 0.75, val_loss 0" in reader.words


def test_values_that_are_missing_or_infinite_are_left_out():
    rows = [{"epoch": "1", "loss": ""}, {"epoch": "2", "loss": "inf"}, {"epoch": "3", "loss": "2"}]
    reader = read(training_page("run", {}, rows, {}))
    assert [len(a["points"].split()) for tag, a in reader.tags if tag == "polyline"] == [1]
    assert not [tag for tag, _ in read(training_page("run", {}, rows[:2], {})).tags if tag == "polyline"]


def test_it_reloads_itself_until_the_end():
    assert 'http-equiv="refresh"' in training_page("run", SETTINGS, ROWS, {}, 10)
    assert 'http-equiv="refresh"' not in training_page("run", SETTINGS, ROWS, {}, 9)
    assert "epoch 9 of 10" in training_page("run", SETTINGS, ROWS, {}, 10)


def test_what_is_wrong_is_on_it():
    page = training_page("run", SETTINGS, [{"epoch": "4", "variety": "0.01"}], {})
    assert ("p", {"class": "warning"}) in read(page).tags
    assert "collapse: " in page
