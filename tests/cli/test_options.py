"""Command-line options that are made from settings classes, and those that commands share."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Literal

import pytest

from tfstyle import InputError
from tfstyle.cli.main import main
from tfstyle.cli.options import (
    add_options,
    add_result_options,
    contents_and_styles,
    given_options,
    named,
    names,
    numbers,
)
from tfstyle.core.settings import Settings, default_text, option, options_of, settings
from tfstyle.pipelines.settings import ApplyBatchSettings, TransferSettings


@settings
class BlurSettings(Settings):
    radius: float = option(
        default=2.0, help="Radius of the `blur`, at 100 %.", metavar="PIXELS", above=0, group="how"
    )
    passes: int | None = option(default=None, help="How often.", unset="once", low=1, group="how")
    edges: Literal["keep", "wrap"] = option(default="keep", help="What is beyond the border.")
    fast: bool = option(default=True, help="Whether to take the fast way.")
    mask_files: Sequence[str] | None = option(default=None, help="Where.", flag="mask", repeatable=True, parse=str)
    layers: Sequence[str] | None = option(default=None, help="Names.", metavar="L,...")
    weights: Sequence[float] | None = option(default=None, help="Numbers.", metavar="W,...")
    callback: object | None = option(default=None, help="Python only.", flag=False)


def parsed(*arguments, **options):
    parser = argparse.ArgumentParser()
    add_options(parser, BlurSettings, **options)
    return given_options(parser.parse_args(arguments), BlurSettings)


def test_only_what_is_typed_is_given():
    """Even if it is typed at its default, so that defaults have one place."""
    assert parsed() == {}
    assert parsed("--radius", "2") == {"radius": 2.0}


def test_values_have_the_types_of_their_fields():
    typed = parsed(
        "--radius", "0.5", "--passes", "3", "--edges", "wrap", "--no-fast", "--mask", "a.png", "--mask", "b.png",
        "--layers", "a, b", "--weights", "1,0.5",
    )  # fmt: skip
    assert typed == {
        "radius": 0.5, "passes": 3, "edges": "wrap", "fast": False, "mask_files": ["a.png", "b.png"],
        "layers": ["a", "b"], "weights": [1.0, 0.5],
    }  # fmt: skip
    assert isinstance(typed["passes"], int)
    assert BlurSettings(**typed).record()["weights"] == [1.0, 0.5]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--radius", "wide"], "'wide' is not a number"),
        (["--passes", "1.5"], "'1.5' is not a whole number"),
        (["--weights", "1,b"], "'1,b' is not a list of numbers"),
        (["--callback", "f"], "--callback"),
        (["--mask-files", "a.png"], "--mask-files"),
    ],
)
def test_what_can_not_be_parsed_names_the_value(arguments, text, capsys):
    with pytest.raises(SystemExit):
        parsed(*arguments)
    assert text in capsys.readouterr().err


def test_fields_can_be_left_out(capsys):
    with pytest.raises(SystemExit):
        parsed("--radius", "1", skip=("radius",))


def test_help_has_groups_and_defaults_and_no_marks_of_docstrings():
    parser = argparse.ArgumentParser()
    add_options(parser, BlurSettings)
    text = " ".join(parser.format_help().split())
    assert "how: --radius PIXELS Radius of the blur, at 100 %. (default: 2)" in text
    assert "--passes PASSES How often. (default: once)" in text
    assert "--edges keep|wrap What is beyond the border. (default: keep)" in text
    assert "--fast, --no-fast Whether to take the fast way. (default: yes)" in text
    assert "--mask MASK_FILES Where. (default: none)" in text
    assert "callback" not in text


@pytest.mark.parametrize(("command", "cls"), [("transfer", TransferSettings), ("apply", ApplyBatchSettings)])
def test_help_shows_every_option_with_its_default(command, cls, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    lines = capsys.readouterr().out
    options = re.split(r"\n  (?=-)", re.sub(r"\n {3,}", " ", lines))[1:]
    by_flag = {flag: text for text in options for flag in re.findall(r"^(?:-o OUT\.png, )?(--[a-z-]+)", text)}
    for each in fields(cls):
        declared = options_of(cls)[each.name]
        if declared.flag is False:
            assert f"--{each.name}" not in by_flag
            continue
        text = by_flag[f"--{declared.flag or each.name.replace('_', '-')}"]
        assert f"(default: {default_text(each).replace('`', '')})" in " ".join(text.split()), each.name
        assert "`" not in text


def test_one_name_on_both_sides_but_for_what_is_repeated():
    """Singular on the command line, plural in Python."""
    renamed = {
        name: each.flag
        for cls in (TransferSettings, ApplyBatchSettings)
        for name, each in options_of(cls).items()
        if each.flag not in (None, False)
    }
    assert renamed == {"styles": "style", "content_masks": "content-mask", "style_masks": "style-mask"}
    for name, each in options_of(TransferSettings).items():
        assert each.repeatable == (name in renamed)


@pytest.mark.parametrize("command", ["transfer", "apply", "demo", "methods"])
@pytest.mark.parametrize("wrong", ["--quite", "--jsn"])
def test_an_unknown_option_suggests_the_nearest(command, wrong, capsys):
    arguments = {"transfer": ["a.png", "b.png"], "apply": ["a.png", "b.png"]}.get(command, [])
    with pytest.raises(SystemExit) as stop:
        main([command, *arguments, wrong])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    near = {"--quite": "--quiet", "--jsn": "--json"}[wrong]
    known = near == "--json" or command != "methods"
    assert re.match(rf"tfstyle: unknown argument {wrong}: {f'did you mean {near}' if known else 'see tfstyle'}", line)


def test_options_are_not_abbreviated(capsys):
    """A new option may not change what an old command does."""
    with pytest.raises(SystemExit):
        main(["transfer", "a.png", "b.png", "--style-w", "1"])
    assert "unknown argument --style-w: did you mean" in capsys.readouterr().err


# Contents and styles


@pytest.mark.parametrize(
    ("pictures", "styles", "learned", "expected"),
    [
        (["a", "b"], None, False, (["a"], ["b"])),
        (["a", "b", "c"], None, False, (["a"], ["b", "c"])),
        (["a"], ["b"], False, (["a"], ["b"])),
        (["a", "b"], ["c", "d"], False, (["a", "b"], ["c", "d"])),
        (["a"], None, True, (["a"], None)),
        (["a", "b"], None, True, (["a", "b"], None)),
        (["a"], ["b"], True, (["a"], ["b"])),
    ],
)
def test_the_first_picture_is_the_content_unless_there_is_style(pictures, styles, learned, expected):
    assert contents_and_styles(pictures, styles, learned) == expected


def test_one_picture_is_not_enough():
    with pytest.raises(InputError, match=r"no style image for a\.png: give CONTENT STYLE\.\.\., or --style STYLE"):
        contents_and_styles(["a.png"], None)


@pytest.mark.parametrize(
    "arguments",
    [
        "photo.png a.png b.png --size 64",
        "--size 64 photo.png a.png b.png",
        "photo.png --size 64 a.png b.png",
        "photo.png a.png --size 64 b.png",
        "--style a.png photo.png --style b.png --size 64",
        "photo.png --style a.png --style=b.png --size 64",
    ],
)
def test_pictures_and_options_come_in_any_order(arguments, capsys, tmp_path, monkeypatch):
    """No option swallows a picture. None of these is there, so that the first to be loaded is named."""
    monkeypatch.chdir(tmp_path)
    assert main(["transfer", *arguments.split()]) == 2
    assert "tfstyle: a.png does not exist" in capsys.readouterr().err
    assert main(["transfer", *arguments.split(), "--style-weights", "1,2,3"]) == 2
    assert "3 weights for 2 style images" in capsys.readouterr().err


def test_what_results_share():
    parser = argparse.ArgumentParser()
    add_result_options(parser)
    assert vars(parser.parse_args([])) == {"bits": 8, "quiet": False, "json": False}
    assert vars(parser.parse_args(["--bits=16", "--json"])) == {"bits": 16, "quiet": False, "json": True}


def test_lists_and_pairs():
    assert names("a, b,,c ") == ["a", "b", "c"]
    assert numbers("0.7,.3") == [0.7, 0.3]
    assert named("photo=photos/") == ("photo", "photos/")
    for text in ("photo", "=photos", "photo="):
        with pytest.raises(argparse.ArgumentTypeError, match="NAME=DIR"):
            named(text)
