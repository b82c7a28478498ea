"""Pictures side by side with captions: each where it belongs, and nothing over another."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from tfstyle import InputError
from tfstyle.images import grid_layout, grids
from tfstyle.images.grids import Cell, grid, overview

RED, GREEN, BLUE = np.eye(3, dtype="float32")


def flat(colour, height, width):
    return np.broadcast_to(np.asarray(colour, "float32"), (height, width, 3))


def box(page, colour):
    """Top, bottom, left and right of all pixels of a colour."""
    rows, columns = np.nonzero((np.abs(page - colour) < 0.01).all(axis=-1))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def dark(page):
    """Where letters are: grey, and far from white."""
    return (page.max(axis=-1) < 0.6) & (np.ptp(page, axis=-1) < 0.01)


def test_pictures_stand_in_rows_and_columns_whole_and_centred():
    rows = [[None, Cell(flat(RED, 20, 30))], [Cell(flat(GREEN, 40, 50)), Cell(flat(BLUE, 30, 60)), None]]
    page = grid(rows, gap=10)
    assert (page.dtype, page.shape) == (np.float32, (10 + 20 + 10 + 40 + 10, 10 + 50 + 10 + 60 + 10 + 10, 3))
    assert box(page, RED) == (10, 30, 85, 115)  # in the middle of the column of 60
    assert box(page, GREEN) == (40, 80, 10, 60)
    assert box(page, BLUE) == (50, 80, 70, 130)  # on the line of its neighbour
    for colour, pixels in ((RED, 600), (GREEN, 2000), (BLUE, 1800)):
        assert (np.abs(page - colour) < 0.01).all(axis=-1).sum() == pixels


def test_a_caption_is_below_its_picture_in_its_column_and_all_of_it_is_there():
    """Words too long for the column are broken, so that neither pictures nor other captions are touched."""
    long = "a style with a name of many words and_one_that_is_longer_than_any_column_would_hold"
    cells = [Cell(flat(RED, 60, 120), long), Cell(flat(GREEN, 60, 120), "short"), Cell(flat(BLUE, 60, 120))]
    page = grid([cells, [Cell(flat(RED * 0.5, 30, 120), long)]], gap=10, text=16)
    ink = dark(page)
    for colour in (RED, GREEN, BLUE, RED * 0.5):
        top, bottom, left, right = box(page, colour)
        assert not ink[top:bottom, left:right].any()
    tall = box(page, RED * 0.5)[0]
    assert ink[70 : tall - 10, 10:130].any()
    assert ink[70 : tall - 10, 140:260].any()
    rows, columns = np.nonzero(ink)
    assert columns.min() >= 9
    assert columns.max() <= 260  # none below the third
    assert rows.max() < page.shape[0] - 5
    assert not ink[:, 131:139].any()  # the gap
    lines = grid_layout.wrapped(long, ImageFont.load_default(16), 120)
    assert len(lines) > 3
    assert "".join(lines).replace(" ", "") == long.replace(" ", "")
    assert max(ImageFont.load_default(16).getlength(line) for line in lines) <= 120


@pytest.mark.parametrize(
    ("caption", "width", "lines"),
    [
        ("", 100, []),
        ("two\nlines", 100, ["two", "lines"]),
        ("ab", 1, ["a", "b"]),  # no width is too small
        ("many   blanks ", 1000, ["many blanks"]),
        (
            "hokusai_great_wave_lengstrom.jpg",
            224,
            ["hokusai_great_wave_", "lengstrom.jpg"],
        ),  # where names have joints
    ],
)
def test_captions_are_wrapped(caption, width, lines):
    assert grid_layout.wrapped(caption, ImageFont.load_default(16), width) == lines


def test_a_grid_needs_a_picture():
    for rows in ([], [[]], [[None, None]]):
        with pytest.raises(InputError, match="no image for the grid: give at least one"):
            grid(rows)


def test_arrays_serve_as_cells():
    red, blue = flat(RED, 20, 30), flat(BLUE, 10, 20)
    np.testing.assert_array_equal(
        grid([[red, None], [blue, red]]), grid([[Cell(red), None], [Cell(blue), Cell(red)]])
    )


def test_headings_labels_and_title_touch_no_image():
    rows = [[Cell(flat(RED, 60, 120)), Cell(flat(GREEN, 60, 120))], [None, Cell(flat(BLUE, 60, 120))]]
    texts = {"headings": ["one", "two\nlines"], "labels": ["first row", "second"], "title": "A title of many words"}
    plain, page = grid(rows, gap=10), grid(rows, gap=10, **texts)
    ink = dark(page)
    for colour in (RED, GREEN, BLUE):
        top, bottom, left, right = box(page, colour)
        assert not ink[top:bottom, left:right].any()
        assert (bottom - top, right - left) == (60, 120)
    top, bottom, left, _ = box(page, RED)
    assert (page.shape[0] - bottom, left - 10) == (plain.shape[0] - 70, box(page, RED)[2] - 10)
    assert ink[top:bottom, :left].any()  # the label
    assert ink[: top - 10, left : left + 120].any()  # heading and title
    assert ink[box(page, BLUE)[0] : box(page, BLUE)[1], :left].any()


def test_a_title_has_room_beside_a_narrow_image_and_is_wrapped():
    narrow = [[Cell(flat(RED, 20, 20))]]
    assert grid(narrow, title="short").shape[1] == 480
    one, many = (grid(narrow, title="a title " * number) for number in (1, 40))
    assert many.shape[1] == one.shape[1]
    assert many.shape[0] > one.shape[0] + 40


def test_letters_beyond_ascii_have_a_font_that_has_them():
    font = grid_layout.font(16, ["ΔE from α"])
    boxes = {bytes(font.getmask(letter)) for letter in "Δα↑10⁶"}
    assert len(boxes) == 6
    assert font.getname()[0] == "DejaVu Sans"
    assert grid_layout.font(16, ["ascii"]).getname() != font.getname()


@pytest.mark.parametrize(("number", "shape"), [(1, (2, 2)), (5, (2, 6)), (6, (4, 4)), (12, (6, 5))])
def test_an_overview_has_each_style_above_its_result_in_bands(monkeypatch, number, shape):
    seen = []
    monkeypatch.setattr(grids, "grid", lambda rows, **options: seen.append((rows, options)))
    pairs = [(Cell(flat(RED, 90, 60), f"style {k}"), Cell(flat(BLUE, 40, 80), f"result {k}")) for k in range(number)]
    overview(Cell(flat(GREEN, 300, 600), "content"), pairs)
    ((rows, options),) = seen
    assert options == {"gap": 14, "text": 14}
    assert (len(rows), max(map(len, rows))) == shape
    above, below = ([cell for row in rows[k::2] for cell in row] for k in (0, 1))
    assert above[0] is None
    assert [cell.caption for cell in above[1:]] == [f"style {k}" for k in range(number)]
    assert [cell.caption for cell in below] == ["content", *(f"result {k}" for k in range(number))]
    assert {cell.picture.shape for cell in above[1:]} == {(40, 27, 3)}
    assert {cell.picture.shape for cell in below} == {(40, 80, 3)}


def test_large_results_are_shown_smaller():
    page = overview(Cell(flat(GREEN, 9, 12)), [(Cell(flat(RED, 8, 8)), Cell(flat(BLUE, 600, 800)))])
    top, bottom, left, right = box(page, BLUE)
    assert (bottom - top, right - left) == (384, 512)


def test_a_grid_is_written_over_an_older_one_and_over_nothing_else(tmp_path):
    path = tmp_path / "grid.png"
    for colour in (RED, BLUE):
        grids.save(flat(colour, 20, 30), path)
        np.testing.assert_array_equal(np.asarray(Image.open(path)) / 255, flat(colour, 20, 30))
    for write in (lambda: Image.new("RGB", (9, 9)).save(path), lambda: path.write_text("mine")):
        write()
        before = path.read_bytes()
        with pytest.raises(InputError, match=r"grid\.png.* that tfstyle did not write; move it, or choose another"):
            grids.save(flat(RED, 20, 30), path)
        assert path.read_bytes() == before
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(InputError):
        grids.check_writable(path)


def test_what_is_transparent_is_white():
    np.testing.assert_allclose(grids.on_white(flat(RED, 1, 2), np.array([[0, 0.5]])), [[[1, 1, 1], [1, 0.5, 0.5]]])
    assert grids.on_white(flat(RED, 1, 2), None) is not None
