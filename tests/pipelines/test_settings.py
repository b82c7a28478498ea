"""The options of `transfer` and `apply`: defaults, bounds, records, fingerprints, each from its one declaration."""

import inspect
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfstyle
from tfstyle import InputError
from tfstyle.core.settings import hint, options_of
from tfstyle.pipelines import methods
from tfstyle.pipelines.settings import (
    DEPTH_OPTIONS,
    ApplyBatchSettings,
    ApplySettings,
    BatchTransferSettings,
    TransferSettings,
)


@dataclass(frozen=True)
class Case:
    """What an option is by default, what it may be and what it may not.

    Attributes:
        default: The default.
        good: Values that can be used.
        bad: Values that can't.
        fix: What the message says of them, a regular expression.
    """

    default: Any
    good: tuple[Any, ...]
    bad: tuple[Any, ...] = ()
    fix: str = ""


NOT_FINITE = (math.inf, -math.inf, math.nan)
SWITCH = (1, "yes", 0.0)
WEIGHT = Case(None, (0, 0.5, np.float32(2), 1e6), (-0.1, "much", True, *NOT_FINITE), "a number from 0")
SHARED = {
    "styles": Case(None, ("a.png", Path("a.png"), ["a.png", np.zeros((2, 2))])),
    "style_weights": Case(None, ([0.7, 0.3], (1,), np.ones(3)), (0.5, "0.5", ["a"], object()), "a list of numbers"),
    "size": Case(512, (1, 65535, None, np.int64(8)), (0, 65536, 3.5, "big", True), "a whole number from 1 to 65535"),
    "content_masks": Case(None, ("a.png", ["a.png"], np.zeros((2, 2)))),
    "style_masks": Case(None, ("a.png", ["a.png", None])),
    "preserve_color": Case(
        None, ("luminance", "ink", "statistics", "histogram", "none"), ("hue", 1), "use one of|did you mean"
    ),
}
TRANSFER = SHARED | {
    "style_scale": Case(None, (0.1, 2), (0, -1, "large", *NOT_FINITE), "a number above 0"),
    "method": Case("gatys", ("gatys2016", methods.get("gatys"))),
    "backbone": Case("auto", ("VGG19", "VGG19:1,InceptionV3:2", {"VGG19": 1.0})),
    "weights": Case(None, ("imagenet", "random", Path("a.h5"))),
    "pooling": Case(None, ("max", "avg"), ("min", 2), "use one of max, avg"),
    "input_scaling": Case(None, ("own", "unit", "symmetric"), ("caffe",), "use one of own, unit, symmetric"),
    "activation_smoothing": Case(None, (True, False), SWITCH, "True or False"),
    "content_layers": Case(None, ("block1_conv1", ["a", "b"], ()), (3, [1]), "a list of names"),
    "style_layers": Case(None, ("block1_conv1", ["a", "b"], ()), (3, [1]), "a list of names"),
    "content_weight": WEIGHT,
    "style_weight": WEIGHT,
    "tv_weight": WEIGHT,
    "edge_weight": WEIGHT,
    "statistic": Case(None, ("gram", "linear:1,gaussian:0.5")),
    "normalize_losses": Case(None, (True, False), SWITCH, "True or False"),
    "balance_gradients": Case(False, (True,), (None, *SWITCH), "True or False"),
    "saturation": Case(None, (0, 0.5, 1), (-0.1, 1.1, "low", *NOT_FINITE), "a number from 0 to 1"),
    "blank_areas": Case(None, (0.5, 1), (0, 1.1, *NOT_FINITE), "a number above 0, up to 1"),
    "scales": Case(None, (1, 12), (0, 13, 1.5), "a whole number from 1 to 12"),
    "warm_start": Case(False, (True,), (None, *SWITCH), "True or False"),
    "steps": Case(None, (1, 10_000_000), (0, 10_000_001, 2.5, "few"), "a whole number from 1 to 10000000"),
    "optimizer": Case(None, ("lbfgs", "adam"), ("sgd",), "use one of lbfgs, adam"),
    "learning_rate": Case(None, (1e-9, 100), (0, -1, "fast", *NOT_FINITE), "a number above 0"),
    "init": Case(None, ("content", "noise", "adain", "a.png", np.zeros((2, 2)))),
    "parameterization": Case(None, ("pixels", "fourier"), ("waves",), "use one of pixels, fourier"),
    "seed": Case(0, (2**32 - 1,), (-1, 2**32, 1.0, None), "number from 0 to 4294967295|a number from 0"),
    "precision": Case("auto", ("float32", "bfloat16"), ("float16", None), "did you mean bfloat16|one of auto"),
    "tile": Case("auto", ("off", 1, 65535), (0, 65536, "big", None), "a whole number from 1|one of auto, off"),
    "callbacks": Case((), ([object()],)),
    "progress": Case(None, (True, False), SWITCH, "True or False"),
    "checkpoint": Case(None, ("cp", Path("cp"))),
    "checkpoint_every": Case(20, (1,), (0, 2.5, None), "a whole number from 1|a number from 1"),
    "resume": Case(False, (), (None, *SWITCH), "True or False"),
}
SHARE = (-0.1, 1.1, "half", *NOT_FINITE)
APPLY = SHARED | {
    "style_scale": Case(1.0, (0.1, 2), (0, -1, None, *NOT_FINITE), "a number above 0"),
    "model": Case("embedded", ("a.keras", Path("a.keras"), object())),
    "alpha": Case(1.0, (0, 0.5, "map.png", np.zeros((2, 2))), (-0.1, 1.1, *NOT_FINITE), "a number from 0 to 1"),
    "depth": Case(None, ("auto", "map.png", np.zeros((2, 2)), object())),
    "near": Case(0.3, (0, 1), (None, *SHARE), "a number from 0 to 1"),
    "far": Case(1.0, (0, 1), (None, *SHARE), "a number from 0 to 1"),
    "depth_contrast": Case(10.0, (0, 99), (-1, None, *NOT_FINITE), "a number from 0"),
    "depth_offset": Case(0.5, (0, 1), (None, *SHARE), "a number from 0 to 1"),
    "progress": Case(None, (True, False), SWITCH, "True or False"),
}
ALL = [
    *((TransferSettings, name, case) for name, case in TRANSFER.items()),
    *((ApplyBatchSettings, name, case) for name, case in APPLY.items()),
]


def make(cls, **options):
    return cls(**({"styles": "style.png"} | options))


@pytest.mark.parametrize(("cls", "cases"), [(TransferSettings, TRANSFER), (ApplyBatchSettings, APPLY)])
def test_all_options_are_known_here(cls, cases):
    assert set(options_of(cls)) == {each.name for each in fields(cls)} == set(cases)


@pytest.mark.parametrize(("cls", "name", "case"), ALL, ids=lambda value: value if isinstance(value, str) else "")
def test_every_option_has_its_default_and_its_bounds(cls, name, case):
    settings = cls() if name == "styles" and cls is TransferSettings else make(cls)
    if name != "styles" or cls is TransferSettings:
        assert getattr(settings, name) == case.default
    for value in case.good:
        assert getattr(make(cls, **{name: value}), name) is value
    for value in case.bad:
        with pytest.raises(InputError, match=case.fix) as error:
            make(cls, **{name: value})
        assert name.replace("_", " ") in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("cls", [TransferSettings, ApplyBatchSettings])
def test_every_option_has_help_and_a_type(cls):
    for name, each in options_of(cls).items():
        assert len(each.help) > 20, name
        assert each.help.endswith("."), name
        assert hint(cls, name) is not None


@pytest.mark.parametrize(
    ("function", "cls"),
    [
        (tfstyle.transfer, TransferSettings),
        (tfstyle.transfer_batch, BatchTransferSettings),
        (tfstyle.transfer_styles, BatchTransferSettings),
        (tfstyle.apply, ApplySettings),
        (tfstyle.apply_batch, ApplyBatchSettings),
        (tfstyle.apply_styles, ApplyBatchSettings),
    ],
    ids=lambda value: value.__name__,
)
def test_functions_have_the_options_in_signature_and_docstring(function, cls):
    parameters = inspect.signature(function).parameters
    assert list(parameters)[1:] == list(options_of(cls))
    assert parameters["styles"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    for each in fields(cls):
        assert parameters[each.name].default is each.default
        assert f"\n        {each.name}: " in function.__doc__
        if each.name != "styles":
            assert parameters[each.name].kind is inspect.Parameter.KEYWORD_ONLY
    assert "{options}" not in function.__doc__


def test_options_of_one_picture_are_no_options_of_many():
    assert set(options_of(TransferSettings)) - set(options_of(BatchTransferSettings)) == {
        "checkpoint", "checkpoint_every", "resume"
    }  # fmt: skip


def test_resuming_needs_a_checkpoint():
    with pytest.raises(InputError, match="nothing to resume: give the folder of the checkpoint"):
        make(TransferSettings, resume=True)
    assert make(TransferSettings, resume=True, checkpoint="cp").resume


def test_apply_needs_a_style_or_a_model_with_its_own():
    with pytest.raises(InputError, match="no style image: give at least one"):
        ApplySettings()
    assert ApplySettings(model="mine.keras").styles is None


def test_input_files_are_all_paths_that_no_output_may_overwrite():
    settings = TransferSettings(
        styles=["a.png", np.zeros((2, 2))],
        content_masks=Path("b.png"),
        style_masks=[None, "c.png"],
        init="d.png",
        weights="e.h5",
    )
    assert [str(path) for path in settings.input_files()] == ["a.png", "b.png", "c.png", "e.h5", "d.png"]
    settings = ApplySettings(styles="a.png", model="b.keras", alpha="c.png", depth=Path("d.npy"))
    assert [str(path) for path in settings.input_files()] == ["a.png", "b.keras", "c.png", "d.npy"]


def test_given_options_are_those_that_differ_from_their_defaults():
    assert TransferSettings(styles="a.png", size=512, seed=0, warm_start=False, steps=None).given() == {
        "styles": "a.png"
    }  # fmt: skip
    given = ApplySettings(styles="a.png", alpha=1, near=0.3, far=0.9, size=None).given()
    assert given == {"styles": "a.png", "far": 0.9, "size": None}
    where = np.ones((2, 2))
    assert ApplySettings(styles="a.png", alpha=where).given()["alpha"] is where


def test_a_record_is_json_without_files_and_the_methods_fields():
    settings = make(
        TransferSettings, size=np.int64(64), learning_rate=np.float32(0.5), style_weights=np.array([1.0]), seed=3
    )
    record = settings.record()
    assert json.loads(json.dumps(record)) == record
    assert record == {
        "style_weights": [1.0], "size": 64, "balance_gradients": False, "scales": None, "warm_start": False,
        "learning_rate": 0.5, "seed": 3,
    }  # fmt: skip
    assert set(make(ApplySettings).record()) == {
        "style_weights", "size", "style_scale", "near", "far", "depth_contrast", "depth_offset"
    }  # fmt: skip
    assert set(DEPTH_OPTIONS) < set(make(ApplySettings).record())


@pytest.mark.parametrize("options", [{"size": 64}, {"seed": 1}, {"learning_rate": 0.1}, {"warm_start": True}])
def test_unfinished_work_goes_by_what_changes_the_picture(options):
    assert make(TransferSettings, **options).fingerprint() != make(TransferSettings).fingerprint()


def test_unfinished_work_does_not_go_by_anything_else():
    same = make(
        TransferSettings, checkpoint="cp", checkpoint_every=7, resume=True, callbacks=[object()], progress=True,
        tile=64, size=512, seed=0, learning_rate=None,
    )  # fmt: skip
    assert same.fingerprint() == make(TransferSettings).fingerprint()


@pytest.mark.parametrize("name", [name for name, each in options_of(TransferSettings).items() if each.recipe])
def test_options_of_the_method_take_the_place_of_its_fields(name):
    """And those that aren't given leave them as they are."""
    base = methods.get("xu2024-ink")
    assert make(TransferSettings, method="xu2024-ink").recipe == base
    before = getattr(base, name)
    value = next(each for each in TRANSFER[name].good if each not in (before, "none"))
    recipe = make(TransferSettings, method="xu2024-ink", **{name: value}).recipe
    if name in ("content_layers", "style_layers"):
        value = (value,)
    assert getattr(recipe, name) == value
    assert recipe.name == "xu2024-ink"
