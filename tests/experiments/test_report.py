"""The report needs nothing else, and tells reported from chosen and measured."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import ClassVar

from tfstyle.experiments import report
from tfstyle.experiments.folder import Folder


def written(blends, outcome, folder):
    report.write(blends, outcome, Folder(folder, blends.name), 1.5)
    return folder


def test_the_report_is_self_contained(blends, outcome, tmp_path):
    page = (written(blends, outcome, tmp_path) / "report.html").read_text()
    sources = re.findall(r'(?:src|href|action|data|srcset)\s*=\s*"([^"]*)"', page)
    assert len(sources) == 3  # content, style and a figure
    assert all(source.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")) for source in sources)
    for word in ("http:", "https:", "<script", "<link", "@import", "url(", "<iframe"):
        assert word not in page


def test_its_text_is_escaped_and_its_tags_are_closed(blends, outcome):
    page = report.page(blends, outcome, blends.findings(outcome), {})
    assert "Blends &lt;of&gt; content &amp; style" in page
    assert "blends &lt;blend&gt;" in page
    assert "&lt;photo&gt;" in page

    class Tags(HTMLParser):
        open: ClassVar = []

        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "img", "br"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    tags = Tags()
    tags.feed(page)
    assert tags.open == []


def test_reported_chosen_and_measured_are_told_apart(blends, outcome):
    page = report.page(blends, outcome, blends.findings(outcome), {})
    assert '<td>0 to 1</td><td><span class="tag reported">reported</span></td><td>Nobody 2026</td>' in page
    assert '<td>steps</td><td>3</td><td><span class="tag chosen">chosen</span></td>' in page
    assert '<span class="tag measured">measured</span> <span class="tag good">agrees</span> 0 &amp; 1' in page


def test_random_weights_and_quick_trials_are_said(blends, outcome):
    from dataclasses import replace

    hasty = replace(outcome, setup=replace(outcome.setup, quick=True))
    page = report.page(blends, hasty, [], {})
    assert "VGG19: random weights, seed 0, since ImageNet weights were not found." in page
    assert "A quick trial at 56 pixels, 3 steps" in page
    assert "<li>VGG19: random (He, seed 0)</li>" in page


def test_tables_parse(blends, outcome, tmp_path):
    folder = written(blends, outcome, tmp_path)
    rows = list(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert [row["run"] for row in rows] == [run.name for run in outcome.runs]
    assert rows[0]["judges"] == "VGG19"
    record = json.loads((folder / "results.json").read_text())
    assert record["rows"] == outcome.rows
    assert record["findings"][0] == {
        "reported": {"text": "blends <blend>", "source": "Nobody 2026, table 1"},
        "verdict": "agrees",
        "measured": "0 & 1",
    }
    assert record["contents"][0]["name"] == "<photo>"
    assert "by_judge" not in rows[0]
    assert report.headings(["run", "style_reached", "ssim", "judges"]) == {
        "run": "run", "style_reached": "style reached ↑", "ssim": "ssim ↑", "judges": "scored by"
    }  # fmt: skip
    assert report.findings_text(blends.findings(outcome)) == (
        "agrees: blends <blend> — 0 & 1\nmeasured: more\n"
    )  # fmt: skip
