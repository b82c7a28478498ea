"""What memory is said to be there, and what is made of it: history and tiles."""

import logging
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tfstyle import Backbone, ContentTerm, InputError, Objective, StyleTerm, TotalVariationTerm, images, transfer
from tfstyle.core import memory as core_memory
from tfstyle.core.memory import GIB
from tfstyle.optimization import memory
from tfstyle.optimization.memory import History
from tfstyle.pipelines import build, methods
from tfstyle.pipelines.build import Branch

MIB = 2**20
LAYERS = ["block1_conv1", "block2_conv1"]
SHALLOW = {"content_layers": "block1_conv2", "style_layers": LAYERS}


@pytest.fixture(scope="module")
def shallow(vgg):
    terms = [ContentTerm(vgg, "block1_conv2"), StyleTerm(vgg, LAYERS), TotalVariationTerm()]
    return Objective(terms)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without a GPU and with 8 GiB; returns a function that makes the files of its control groups."""
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: [])
    monkeypatch.setattr(core_memory, "_machine", lambda: 8 * GIB)
    monkeypatch.setattr(core_memory, "_CGROUP", tmp_path)

    def write(**files):
        for name, text in files.items():
            folder = tmp_path / "memory" if "_in_bytes" in name or name == "old_stat" else tmp_path
            folder.mkdir(exist_ok=True)
            name = {"old_stat": "stat"}.get(name, name)
            (folder / f"memory.{name}").write_text(f"{text}\n")

    return write


@pytest.mark.parametrize("lbfgs", [True, False])
def test_as_many_pictures_go_together_as_their_steps_fit(shallow, lbfgs):
    """And one always does; there is an end to them."""
    pairs = memory.history(256, 192, 20) if lbfgs else History(1)
    one = memory.step_bytes(shallow, 256, 192, pairs)
    for number in (1, 2, 7):
        free = math.ceil(number * one / memory.SHARE) + 1000
        assert memory.pictures_per_step(shallow, 256, 192, pairs, free) == number
        assert memory.pictures_per_step(shallow, 256, 192, pairs, free, 300) == number  # no tile
        assert memory.pictures_per_step(shallow, 256, 192, pairs, free, 100) > number
    assert memory.pictures_per_step(shallow, 256, 192, pairs, 1000) == 1
    assert memory.pictures_per_step(shallow, 256, 192, pairs, 2**50) == memory.MOST_PICTURES


def test_there_is_memory_and_less_than_the_machine_has():
    with open("/proc/meminfo") as file:
        total = int(file.readline().split()[1]) * 1024
    assert 0 < core_memory.available() < total


def test_without_limits_it_is_the_machines(machine):
    assert core_memory.available() == 8 * GIB
    machine(max="max", current=str(GIB), stat="anon 5\ninactive_file 7")
    assert core_memory.available() == 8 * GIB


def test_a_limit_counts_and_what_is_cached_gives_way(machine):
    machine(max=str(4 * GIB), current=str(3 * GIB), stat=f"anon {2 * GIB}\ninactive_file {GIB // 2}")
    assert core_memory.available() == 1.5 * GIB
    machine(
        limit_in_bytes=str(2 * GIB), usage_in_bytes=str(GIB), old_stat=f"inactive_file 5\ntotal_inactive_file {MIB}"
    )
    assert core_memory.available() == GIB + MIB  # the tighter of the two
    machine(usage_in_bytes=str(5 * GIB))
    assert core_memory.available() == 0
    machine(limit_in_bytes=str(2**63 - 4096))  # which means none
    assert core_memory.available() == 1.5 * GIB


def test_a_system_that_says_little_is_taken_to_have_some(monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_text", lambda self: "nothing known here")
    assert 0 < core_memory._machine() < 2**50
    monkeypatch.setattr("os.sysconf", lambda name: 2**20)
    assert core_memory._machine() == 2**39  # half of all
    monkeypatch.delattr("os.sysconf")
    assert core_memory._machine() == 4 * GIB


@given(st.integers(8, 20000), st.integers(8, 20000), st.integers(1, 50))
def test_history_is_what_is_wanted_or_what_the_bound_holds(height, width, wanted):
    found, pixels = memory.history(height, width, wanted), height * width
    assert found.pixel_bytes == 2 * 3 * found.pairs * (4 if found.dtype is None else 2)
    assert 1 <= found.pairs <= wanted
    assert found.pairs == 1 or found.pixel_bytes * pixels <= GIB
    assert found.pairs == wanted or History(found.pairs + 1, "bfloat16").pixel_bytes * pixels > GIB
    assert (found.dtype is None) == (History(wanted).pixel_bytes * pixels <= GIB)


def test_twenty_pairs_up_to_the_size_that_is_promised():
    assert memory.history(1490, 1490, 20) == History(20)
    assert memory.history(1500, 1500, 20) == memory.history(2110, 2110, 20) == History(20, "bfloat16")
    assert memory.history(4096, 4096, 20) == History(5, "bfloat16")
    assert memory.history(8192, 8192, 20) == History(1, "bfloat16")
    recipe = methods.get("gatys")
    assert build.optimizer(recipe, None, 512, 512, 0.0).history == 20
    assert build.optimizer(recipe, None, 4096, 4096, 0.0).history == 5
    assert build.optimizer(recipe, None, 4096, 4096, 0.0).pairs_dtype == "bfloat16"


def test_a_step_needs_more_for_more_pixels_pairs_and_layers(vgg, shallow):
    pixels = 100 * 120
    for height, width in ((200, 120), (100, 240)):
        assert memory.step_bytes(shallow, height, width, History(5)) == 2 * memory.step_bytes(
            shallow, 100, 120, History(5)
        )
    assert (
        memory.step_bytes(shallow, 100, 120, History(15)) - memory.step_bytes(shallow, 100, 120, History(5))
        == 10 * 24 * pixels
    )
    deeper = Objective([StyleTerm(vgg, [*LAYERS, "block4_conv1"])])
    assert memory.step_bytes(deeper, 100, 120, History(5)) > 1.2 * memory.step_bytes(shallow, 100, 120, History(5))
    half = Objective([StyleTerm(Backbone("VGG16", "random", precision="bfloat16"), LAYERS)])
    whole = Objective([StyleTerm(Backbone("VGG16", "random", precision="float32"), LAYERS)])
    assert memory.step_bytes(half, 100, 120, History(0)) < 0.7 * memory.step_bytes(whole, 100, 120, History(0))


def test_a_pixel_takes_at_least_its_features(shallow):
    # Up to block2_conv1: 3 channels, 64 + 64 at full size, and 64 + 128 at half; float32.
    features = 4 * (3 + 64 + 64 + (64 + 128) / 4)
    assert memory.step_bytes(shallow, 1, 1, History(0)) >= features


def features(objective, height, width):
    """What a step takes, but for the pictures and pairs."""
    return memory.step_bytes(objective, height, width, History(0)) - 12 * memory._PICTURES * height * width


def smallest(objective):
    """The tile whose halo doubles the work, a² / (a - halo)² = 2, or that receptive fields allow."""
    halo = objective.halo
    return max(halo.least_tile, math.ceil((halo.before + halo.after) * (2 + math.sqrt(2))))


@given(
    st.integers(16, 3000), st.integers(16, 3000), st.sampled_from([1, 20]),
    st.integers(0, 40 * 2**30) | st.integers(0, 2**28),
)  # fmt: skip
def test_tiles_are_no_smaller_than_can_be_and_no_larger_than_fit(shallow, height, width, pairs, free):
    pairs = History(pairs)
    found, least = memory.tile(shallow, height, width, pairs, free), smallest(shallow)
    needed = memory.step_bytes(shallow, height, width, pairs)
    if needed <= memory.SHARE * free:
        assert found is None
        return
    if max(height, width) <= least:
        assert found is None
        return
    assert least <= found < max(height, width)
    of_pictures = memory.step_bytes(shallow, height, width, pairs) - features(shallow, height, width)
    assert found == least or of_pictures + features(shallow, found, found) <= memory.SHARE * free
    Objective(shallow.terms, found).grid(height, width)  # is not refused


@given(st.integers(0, 2**34), st.integers(0, 2**30))
def test_more_memory_never_makes_smaller_tiles(shallow, free, more):
    first, second = (memory.tile(shallow, 1500, 2500, History(20), each) for each in (free, free + more))
    assert second is None or (first is not None and first <= second)


def test_tiles_are_not_so_small_that_their_halos_rule(vgg):
    """Where memory would do for much larger ones, tiles stop where the overlap is down to two fifths."""
    deep = Objective([StyleTerm(vgg)])
    halo = deep.halo.before + deep.halo.after
    pixels = 12000 * 12000
    found = memory.tile(
        deep, 12000, 12000, History(1), int(memory.step_bytes(deep, 12000, 12000, History(1)) / memory.SHARE) - pixels
    )
    assert (found / (found - halo)) ** 2 == pytest.approx(1.4, rel=1e-2)
    for size in (1000, 8192):  # and where memory is short of the pictures already, where it doubles the work
        found = memory.tile(deep, size, size, History(1), 2**28)
        assert found == smallest(deep)
        assert (found / (found - halo)) ** 2 == pytest.approx(2, rel=1e-2)


@pytest.fixture
def recipe(vgg):
    return (
        methods.get("gatys").for_backbone("VGG19", trained=False).replace(**SHALLOW | {"content_layers": LAYERS[:1]})
    )


def test_a_tile_is_as_asked_for(vgg, recipe, shallow, monkeypatch, caplog):
    with caplog.at_level(logging.INFO, "tfstyle"):
        monkeypatch.setattr(build, "available", lambda: 0)
        assert build.tile([Branch(recipe, vgg)], 200, 300, "off") is None
        assert build.tile([Branch(recipe, vgg)], 200, 300, 77) == 77
        monkeypatch.setattr(build, "available", lambda: 10**13)
        assert build.tile([Branch(recipe, vgg)], 200, 300, "auto") is None
        assert build.tile([Branch(recipe, vgg)], 200, 300, 77) == 77
    assert not caplog.records


def test_a_tile_for_want_of_memory_is_logged(vgg, recipe, monkeypatch, caplog):
    whole = build.objective([Branch(recipe, vgg)])
    monkeypatch.setattr(build, "available", lambda: 30 * MIB)
    with caplog.at_level(logging.INFO, "tfstyle"):
        found = build.tile([Branch(recipe, vgg)], 2000, 3000, "auto")
    assert found == smallest(whole)
    needed = memory.step_bytes(whole, 2000, 3000, memory.history(2000, 3000, 20)) / GIB
    assert [record.getMessage() for record in caplog.records] == [
        f"working in tiles of {found} pixels: a step at 3000x2000 needs about {needed:.1f} GB, and there are 0.0 GB"
    ]
    caplog.clear()
    assert build.tile([Branch(recipe, vgg)], 20, 20, "auto") is None  # nothing to cut
    assert not caplog.records


def test_the_tile_changes_nothing_else(vgg, shallow, photo, painting, monkeypatch):
    options = {"backbone": vgg, "size": 168, "steps": 3, "optimizer": "adam", **SHALLOW}  # compiled sooner
    whole = transfer(photo, painting, tile="off", **options)
    assert whole.settings["tile"] is None
    pictures = memory.step_bytes(shallow, 111, 168, History(1)) - features(shallow, 111, 168)
    side = smallest(shallow) + 5
    enough = (pictures + features(shallow, side, side)) / memory.SHARE
    monkeypatch.setattr(build, "available", lambda: int(enough) + 1)
    tiled = transfer(photo, painting, **options)
    assert tiled.settings["tile"] == side
    assert np.abs(whole.image - images.load(photo, 168).rgb).max() > 0.02
    np.testing.assert_allclose(tiled.image, whole.image, atol=1e-3)
    np.testing.assert_allclose(tiled.history["loss"], whole.history["loss"], rtol=1e-4)
    with pytest.raises(InputError, match=f"tile 9 is too small for these layers: give {shallow.halo.least_tile} or"):
        transfer(photo, painting, tile=9, **options)
