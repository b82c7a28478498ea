"""Settings: one declaration gives checks, signatures, docstrings, records and fingerprints."""

import inspect
import json
import math
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tfstyle.core.errors import InputError
from tfstyle.core.settings import LARGEST, Settings, as_list, check, default_text, option, options_of, plain, settings
from tfstyle.core.signatures import takes
from tfstyle.core.weighting import named_weights, normalized


@settings
class BlurSettings(Settings):
    radius: float = option(default=2.0, help="Radius of the blur.", metavar="PIXELS", above=0)
    share: float = option(default=1.0, help="How much of it.", low=0, high=1)
    passes: int = option(default=3, help="How often.", low=1, high=9)
    seed: int = option(default=0, help="Seed.", fingerprint=False)
    edges: Literal["keep", "wrap"] = option(default="keep", help="What is beyond the border.")
    kernel: str = option(default="box", help="The kernel.", choices=lambda: ("box", "gauss"))
    steps: int | None = option(default=None, help="Steps.", unset="the method's", low=1, recipe=True)
    size: int | Literal["auto", "off"] = option(default="auto", help="Size of tiles.", low=1)
    quiet: bool = option(default=False, help="Print nothing.", recorded=False)
    masks: str | Path | list | None = option(default=None, help="Where to blur.", file=True)
    weights: list[float] | None = option(default=None, help="A weight for each.", unset="equal weights")


@settings
class MoreSettings(BlurSettings):
    radius: float = option(default=5.0, help="A larger radius.", above=0)
    tries: int = option(default=..., help="It has no default.", low=1)


# Values


def test_options_have_their_defaults():
    blur = BlurSettings()
    assert (blur.radius, blur.passes, blur.edges, blur.steps, blur.quiet) == (2.0, 3, "keep", None, False)


def test_settings_are_frozen_and_take_keywords_only():
    with pytest.raises(FrozenInstanceError):
        BlurSettings().radius = 1.0
    with pytest.raises(TypeError):
        BlurSettings(1.0)


def test_a_subclass_keeps_the_order_and_can_change_a_default():
    assert MoreSettings(tries=1).radius == 5.0
    assert list(options_of(MoreSettings)) == [*options_of(BlurSettings), "tries"]
    with pytest.raises(TypeError, match="tries"):
        MoreSettings()


@pytest.mark.parametrize(
    "values",
    [
        {"radius": 1e-9}, {"radius": 7}, {"radius": np.float32(0.5)}, {"share": 0}, {"share": 1.0}, {"passes": 9},
        {"passes": np.int64(1)}, {"edges": "wrap"}, {"kernel": "gauss"}, {"steps": None}, {"steps": 1},
        {"size": "off"}, {"size": 64}, {"quiet": True}, {"masks": ["a.png"]}, {"weights": [1.0, 2.0]},
    ],
)  # fmt: skip
def test_values_within_the_bounds_are_taken(values):
    ((name, value),) = values.items()
    assert getattr(BlurSettings(**values), name) is value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"radius": 0}, "radius 0 .*above 0"),
        ({"radius": -1.5}, "radius -1.5 .*above 0"),
        ({"radius": math.inf}, "radius inf .*above 0"),
        ({"radius": math.nan}, "radius nan .*above 0"),
        ({"radius": "2"}, "radius '2' .*above 0"),
        ({"radius": True}, "radius True .*above 0"),
        ({"radius": None}, "radius None .*above 0"),
        ({"share": 1.01}, "share 1.01 .*from 0 to 1"),
        ({"passes": 0}, "passes 0 .*from 1 to 9"),
        ({"passes": 10}, "passes 10 .*from 1 to 9"),
        ({"passes": 2.0}, "passes 2.0 .*whole number"),
        ({"passes": True}, "passes True .*whole number"),
        ({"seed": LARGEST + 1}, f"seed .*to {LARGEST}"),
        ({"edges": "warp"}, "edges 'warp'.*did you mean wrap"),
        ({"edges": 3}, "edges '3'.*keep, wrap"),
        ({"kernel": "gaus"}, "kernel 'gaus'.*did you mean gauss"),
        ({"steps": 0}, "steps 0 .*from 1"),
        ({"quiet": 1}, "quiet 1 .*True or False"),
        ({"quiet": "yes"}, "quiet 'yes' .*True or False"),
    ],
)
def test_others_are_refused_in_one_line_that_names_the_option_and_the_fix(values, message):
    with pytest.raises(InputError, match=message) as error:
        BlurSettings(**values)
    assert "\n" not in str(error.value)


def test_names_in_messages_have_no_underscores():
    @settings
    class LongName(Settings):
        learning_rate: float = option(default=1.0, help="Rate.", above=0)

    with pytest.raises(InputError, match="learning rate 0 "):
        LongName(learning_rate=0)


def test_one_value_can_be_checked_alone():
    check(BlurSettings, "passes", 4)
    with pytest.raises(InputError, match="passes 0"):
        check(BlurSettings, "passes", 0)


# What is kept of them


def test_records_hold_what_is_recorded_and_no_files_and_nothing_of_the_method():
    blur = BlurSettings(masks="a.png", steps=4, weights=(1.0, 2.0), quiet=True)
    assert blur.record() == {
        "radius": 2.0, "share": 1.0, "passes": 3, "seed": 0, "edges": "keep", "kernel": "box", "size": "auto",
        "weights": [1.0, 2.0],
    }  # fmt: skip
    assert json.loads(json.dumps(blur.record())) == blur.record()


def test_fingerprints_leave_out_what_may_change():
    blur = BlurSettings(seed=4)
    assert blur.fingerprint() == {name: value for name, value in blur.record().items() if name != "seed"}


def test_overrides_are_the_methods_options_that_are_set():
    assert BlurSettings().overrides() == {}
    assert BlurSettings(steps=7, radius=1.0).overrides() == {"steps": 7}


def test_given_are_the_options_that_differ_from_their_defaults():
    picture = np.zeros((2, 2, 3))
    assert BlurSettings().given() == {}
    assert BlurSettings(radius=2.0, passes=4, masks=picture).given() == {"passes": 4, "masks": picture}


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        (None, []),
        ("a.png", ["a.png"]),
        (Path("a.png"), [Path("a.png")]),
        (["a.png", np.zeros((2, 2)), None, Path("b.png")], ["a.png", Path("b.png")]),
        (np.zeros((2, 2)), []),
    ],
)
def test_input_files_are_the_paths_of_file_options(masks, expected):
    assert BlurSettings(masks=masks, edges="wrap").input_files() == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), (True, True), (2, 2), ("word", "word"), (Path("folder/a.png"), "a.png"), ((1, 2), [1, 2]),
        ({"a": Path("b/c")}, {"a": "c"}), (SimpleNamespace(name="gatys"), "gatys"), (object(), "object"),
    ],
)  # fmt: skip
def test_plain_values_are_what_json_can_hold(value, expected):
    assert plain(value) == expected
    json.dumps(plain(value))


def test_defaults_in_words():
    words = {each.name: default_text(each) for each in fields(MoreSettings)}
    assert words["radius"] == "5"
    assert words["quiet"] == "no"
    assert words["steps"] == "the method's"
    assert (words["masks"], words["tries"]) == ("none", "none")
    assert words["edges"] == "keep"


# Functions that take them


@takes(BlurSettings)
def blur(picture: str, settings: BlurSettings) -> list:  # noqa: D417
    """Blur a picture.

    Args:
        picture: The picture.
        {options}

    Returns:
        Picture and settings.
    """
    return [picture, settings]


def test_a_function_takes_the_options_as_keywords():
    picture, made = blur("a.png", radius=1.0, edges="wrap")
    assert (picture, made.radius, made.edges, made.passes) == ("a.png", 1.0, "wrap", 3)
    with pytest.raises(InputError, match=r"radius 0 .*above 0"):
        blur("a.png", radius=0)


def test_an_option_that_is_not_there_suggests_the_nearest():
    with pytest.raises(InputError, match=r"option 'raduis'.*did you mean radius"):
        blur("a.png", raduis=1.0)


def test_the_signature_has_every_option_with_type_and_default():
    parameters = inspect.signature(blur).parameters
    assert list(parameters) == ["picture", *options_of(BlurSettings)]
    radius = parameters["radius"]
    assert (radius.kind, radius.default, radius.annotation) == (inspect.Parameter.KEYWORD_ONLY, 2.0, float)
    assert inspect.signature(blur).return_annotation is list


def test_the_docstring_has_a_line_for_each_option():
    text = inspect.getdoc(blur)
    assert "{options}" not in text
    lines = text.splitlines()
    arguments = lines[lines.index("Args:") + 1 : lines.index("Returns:") - 1]
    assert [re.match(r"    (\w+):", line)[1] for line in arguments] == ["picture", *options_of(BlurSettings)]
    assert "    radius: Radius of the blur." in arguments
    assert "    steps: Steps. None: the method's." in arguments


def test_a_docstring_without_a_place_for_options_stays():
    @takes(BlurSettings)
    def plainly(picture: str, settings: BlurSettings) -> str:
        """Blur."""
        return picture

    assert plainly.__doc__ == "Blur."


TYPED = '''
from tfstyle import transfer
from tfstyle.core.settings import Settings, option, settings
from tfstyle.core.signatures import takes

@settings
class BlurSettings(Settings):
    radius: float = option(default=2.0, help="Radius of the blur.")
    name: str | None = option(default=None, help="Its name.")

@takes(BlurSettings)
def blur(picture: str, settings: BlurSettings) -> bytes:
    """Blur."""
    return b""

reveal_type(blur)
blur("a.png", radius="wide")
blur("a.png", raduis=1.0)
transfer("a.png", steps="many")
'''


@pytest.mark.large
def test_mypy_sees_the_full_signature(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "typed.py").write_text(TYPED)
    root = Path(__file__).parents[2]
    command = [
        sys.executable, "-m", "mypy", "--config-file", str(root / "pyproject.toml"),
        "--cache-dir", str(tmp_path / "cache"), "--no-error-summary", str(tmp_path / "typed.py"),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=600)
    revealed, *errors = (line.split(": ", 1)[1] for line in run.stdout.splitlines() if "typed.py" in line)
    assert re.search(r"picture: (builtins\.)?str|\((builtins\.)?str", revealed), revealed
    assert "radius: " in revealed
    assert "float" in revealed
    assert re.search(r"-> (builtins\.)?bytes", revealed)
    assert len(errors) == 3, run.stdout + run.stderr
    assert 'argument "radius"' in errors[0].lower()
    assert "raduis" in errors[1]
    assert 'argument "steps"' in errors[2].lower()


# Weights


numbers = st.floats(min_value=0, max_value=1e9, allow_nan=False)


@given(st.lists(numbers, min_size=1, max_size=8).filter(lambda values: sum(values) > 1e-9))
def test_normalized_weights_sum_to_one_and_keep_their_proportions(values):
    weights = normalized(values, len(values))
    assert sum(weights) == pytest.approx(1)
    assert all(0 <= weight <= 1 for weight in weights)
    np.testing.assert_allclose(np.multiply(weights, sum(values)), values, rtol=1e-9, atol=1e-300)


@given(st.integers(1, 50))
def test_no_weights_are_equal_ones(number):
    assert normalized(None, number) == [1 / number] * number == pytest.approx(normalized([3.0] * number, number))


@given(st.lists(numbers, max_size=5), st.integers(1, 5))
def test_weights_have_to_be_as_many_as_there_are_style_images(values, number):
    if len(values) != number:
        with pytest.raises(InputError, match=rf"style weights .*{number} style images: give {number}"):
            normalized(values, number)


@pytest.mark.parametrize("values", [[0, 0], [1, -1], [1, math.inf], [math.nan, 1]])
def test_weights_that_have_no_proportions_are_refused(values):
    with pytest.raises(InputError, match=r"shares .*from 0 upwards"):
        normalized(values, 2, "shares")


def test_names_have_weights_after_a_colon():
    assert named_weights("VGG19", "backbone") == {"VGG19": 1.0}
    assert named_weights(" a : 0.5 ,b:1e-3,c", "part") == {"a": 0.5, "b": 1e-3, "c": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:x", "part 'a:x' .*NAME:WEIGHT"),
        ("a:0", "part a .*above 0"),
        ("a:-1", "part a .*above 0"),
        ("a:inf", "part a .*above 0"),
        ("a,b,A:2", "part A is named twice"),
    ],
)
def test_weights_of_names_that_can_not_be_used(text, message):
    with pytest.raises(InputError, match=message):
        named_weights(text, "part")


def test_one_thing_or_several_are_a_list():
    assert as_list(None) == []
    assert as_list("word") == ["word"]
    assert as_list((1, 2)) == as_list([1, 2]) == [1, 2]
