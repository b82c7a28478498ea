"""The recipes: every constant has a source, and what a user may set is checked."""

import dataclasses
import json

import pytest

from tfstyle import InputError, Method
from tfstyle.pipelines.methods import METHODS, get

CONSTANTS = {
    "pooling", "normalize", "content_layers", "style_layers", "content_normalization", "content_weight",
    "style_weight", "tv_weight", "edge_weight", "style_scale", "preserve_color", "saturation", "blank_areas",
    "normalize_losses",
    "optimizer", "optimizer_options", "steps", "init",
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_every_constant_that_is_set_has_a_source(name):
    method = METHODS[name]
    plain = Method("plain", "", "")
    changed = {key for key in CONSTANTS if getattr(method, key) != getattr(plain, key)}
    assert changed <= set(method.sources)
    assert {"optimizer", "steps", "statistic", "content_weight"} <= set(method.sources)
    assert set(method.sources) <= {field.name for field in dataclasses.fields(Method)}
    assert method.name == name
    assert method.reference


def test_records_are_json():
    records = json.loads(json.dumps([method.record() for method in METHODS.values()]))
    assert [record["name"] for record in records] == list(METHODS)


def test_the_names_of_the_literature_are_there():
    names = {
        "gatys2016", "li2017-linear", "li2017-polynomial", "li2017-gaussian", "li2017-batchnorm", "tf-tutorial",
        "wasserstein", "adain-statistics", "xu2024", "xu2024-ink", "jiang2020",
    }  # fmt: skip
    assert names <= set(METHODS)
    assert get("adain-statistics").style_layers == tuple(f"block{n}_conv1" for n in (1, 2, 3, 4))
    faithful = get("xu2024")
    assert (faithful.edge_weight, faithful.blank_areas, faithful.preserve_color, faithful.saturation) == (
        0,
        1,
        None,
        1,
    )


def test_an_unknown_method_suggests_the_nearest():
    with pytest.raises(InputError) as error:
        get("gattys")
    assert str(error.value) == "unknown method 'gattys': did you mean gatys or gatys2016?"
