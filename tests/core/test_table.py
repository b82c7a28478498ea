"""Tables for a terminal, a page and a spreadsheet."""

import csv
import io

import pytest

from tfstyle.core import table
from tfstyle.core.html import tag

ROWS = [
    {"run": "first", "ssim": 0.5, "steps": 12, "by": ["a", "b"]},
    {"run": "second, longer", "ssim": None, "steps": 3, "by": [], "note": "1 < 2"},
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("text", "text"),
        (True, "True"),
        (12, "12"),
        (0.12345, "0.123"),
        (123.456, "123"),
        (1234567.0, "1.235e+06"),
        (["a", 1], "a, 1"),
        (float("nan"), "nan"),
    ],
)
def test_values_are_shown_as_readers_want_them(value, text):
    assert table.shown(value) == text


def test_columns_line_up_and_numbers_are_flush_right():
    text = table.as_text(ROWS, {"run": "run", "ssim": "SSIM", "steps": "steps", "note": "note"})
    assert text == (
        "run              SSIM  steps  note\n"
        "first           0.500     12\n"
        "second, longer             3  1 < 2\n"
    )  # fmt: skip
    assert table.as_text(ROWS, {"run": "run"}, heading=False) == "first\nsecond, longer\n"
    assert table.as_text([], {"run": "name"}) == "name\n"


def test_a_page_has_all_cells_escaped_but_those_that_are_html():
    html = table.as_html([*ROWS, {"note": tag("chosen")}], {"run": "<run>", "ssim": "SSIM", "note": ""})
    assert "<th>&lt;run&gt;</th><th>SSIM</th><th></th>" in html
    assert '<td>first</td><td class="number">0.500</td><td></td>' in html
    assert "<td>1 &lt; 2</td>" in html
    assert '<td><span class="tag chosen">chosen</span></td>' in html


def test_a_spreadsheet_reads_all_columns():
    text = table.as_csv(ROWS)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["run", "ssim", "steps", "by", "note"]
    assert rows[0]["by"] == "a;b"
    assert rows[1] == {"run": "second, longer", "ssim": "", "steps": "3", "by": "", "note": "1 < 2"}
    assert "\r" not in text
    assert table.as_csv(ROWS, ["steps", "run"]).splitlines() == ["steps,run", "12,first", '3,"second, longer"']
