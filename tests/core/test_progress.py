"""The live bar: what it shows, and when it is drawn."""

import io
import sys

import pytest
from rich.console import Console

from tfstyle.core.progress import Bar, track, wanted


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=120, force_terminal=True)


def test_it_shows_description_count_unit_and_note(console):
    with Bar("painting", 3, completed=1, unit="runs", console=console) as bar:
        bar.advance(note="first image")
        bar.update(3)
    shown = console.file.getvalue()
    for text in ("painting", "3/3", "runs", "first image", "left"):
        assert text in shown


def test_a_bar_that_is_not_visible_draws_nothing(capsys):
    with Bar("painting", 3, visible=False) as bar:
        bar.advance(note="first image")
        bar.update(2)
    assert capsys.readouterr() == ("", "")


def test_it_gives_the_terminal_back_after_an_error(console):
    with pytest.raises(KeyboardInterrupt), Bar("painting", 3, console=console) as bar:
        raise KeyboardInterrupt
    bar.stop()  # a second time does nothing
    assert "0/3" in console.file.getvalue()


def test_by_default_it_is_drawn_on_terminals(monkeypatch):
    assert wanted(True)
    assert not wanted(False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not wanted(None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert wanted(None)
    monkeypatch.setattr(sys, "stderr", None)
    assert not wanted(None)


def test_items_are_counted_as_they_come(capsys):
    painted = []
    items = track(map(painted.append, range(3)), "painting", 3, progress=True)
    assert painted == []  # nothing is done before it is asked for
    next(items)
    assert painted == [0]
    assert list(items) == [None, None]
    output = capsys.readouterr()
    assert output.out == ""
    assert "3/3" in output.err


def test_a_length_is_the_total(capsys):
    assert list(track(["a", "b"], "reading", progress=True)) == ["a", "b"]
    assert "2/2" in capsys.readouterr().err
    assert list(track(iter("ab"), "reading", progress=True)) == ["a", "b"]
    assert "2/?" in capsys.readouterr().err
