"""The runner of optimisations: what it plans and checks before the work, and what it needs again to go on."""

import json

import numpy as np
import pytest

from tfstyle import Backbone, InputError, images
from tfstyle.optimization import memory
from tfstyle.pipelines.runner import TransferRunner
from tfstyle.pipelines.settings import TransferSettings
from tfstyle.pipelines.transfer import validate
from tfstyle.pipelines.transfer_run import Scale

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def network():
    return Backbone("VGG19Mini", precision="float32")


@pytest.fixture
def make(network, painting):
    def make(**options):
        settings = TransferSettings(
            **{"styles": painting, "backbone": network, "size": 48, "steps": 8, "precision": "float32", **options}
        )
        return TransferRunner(settings, validate(settings))

    return make


def picture(height, width):
    return images.load(np.random.default_rng(0).random((height, width, 3)))


def test_small_results_have_one_scale(make, photo):
    assert make().plan(images.load(photo)) == [Scale(48, 8, (32, 48))]
    assert make(size=None).plan(images.load(photo)) == [Scale(56, 8, (37, 56))]


def test_each_scale_is_twice_the_one_before_in_half_the_steps(make, photo):
    plan = make(size=400, scales=3).plan(images.load(photo))
    assert plan == [Scale(100, 8, (66, 100)), Scale(200, 4, (132, 200)), Scale(400, 2, (264, 400))]


def test_no_scale_is_too_small_for_the_networks(make, photo):
    with pytest.raises(InputError, match="scales"):
        make(size=100, scales=3).plan(images.load(photo))
    narrow = make(styles=picture(20, 512), size=1100, scales=None).plan(images.load(photo))
    assert [scale.size for scale in narrow] == [1100]
    assert [scale.size for scale in make(size=1100).plan(images.load(photo))] == [550, 1100]


def test_the_content_keeps_its_shape_at_its_own_size(make):
    assert make(size=None).plan(picture(333, 101))[-1].shape == (333, 101)
    assert make(size=333).plan(picture(333, 101))[-1].shape == (333, 101)


def test_pictures_are_checked_at_the_first_scale(make, photo):
    runner = make()
    runner.check(images.load(photo), runner.inputs)
    with pytest.raises(InputError, match="2x48 pixels at size 48"):
        runner.check(picture(300, 10), runner.inputs)
    runner = make(styles=picture(300, 10))
    with pytest.raises(InputError, match="2x48 pixels at size 48"):
        runner.check(images.load(photo), runner.inputs)
    runner = make(content_masks=np.zeros((40, 56)))
    with pytest.raises(InputError, match="array is black"):
        runner.check(images.load(photo), runner.inputs)


def test_as_many_styles_share_a_step_as_memory_holds(make, photo, monkeypatch):
    monkeypatch.setattr(memory, "pictures_per_step", lambda *args: 3)
    content = images.load(photo)
    assert make().styles_per_step(content) == 3
    assert make(preserve_color="luminance").styles_per_step(content) == 3
    assert make(preserve_color="ink").styles_per_step(content) == 1  # the content image goes by the style
    assert make(blank_areas=0.5).styles_per_step(content) == 1


def test_what_is_left_uncovered_is_optimised_as_pixels(make):
    assert make(weights=None).recipe.parameterization == "pixels"
    untrained = {"backbone": "VGG19Mini", "weights": "random"}
    assert make(**untrained).recipe.parameterization == "fourier"
    for options in ({"blank_areas": 0.5}, {"content_masks": np.eye(40, 56)}):
        runner = make(**untrained, **options)
        assert runner.leaves_uncovered
        assert runner.recipe.parameterization == "pixels"
        assert make(**untrained, **options, parameterization="fourier").recipe.parameterization == "fourier"


def fingerprint(runner, content):
    return runner.fingerprint(content, runner.inputs, runner.plan(content))


def test_unfinished_work_goes_on_with_the_same_settings_only(make, photo, painting):
    content = images.load(photo)
    first = fingerprint(make(), content)
    json.dumps(first)
    for options in ({}, {"style_scale": 1.0}, {"style_weights": [3]}, {"tile": 32}, {"seed": 0}, {"init": "content"}):
        assert fingerprint(make(**options), content) == first
    for options in (
        {"steps": 9}, {"size": 50}, {"style_weight": 2.0}, {"styles": painting[::-1]}, {"init": "noise"}, {"seed": 1},
        {"normalize_losses": False}, {"saturation": 0.5}, {"backbone": "VGG19Mini", "weights": "random"},
        {"blank_areas": 0.5}, {"warm_start": True}, {"learning_rate": 0.1}, {"preserve_color": "ink"},
    ):  # fmt: skip
        assert fingerprint(make(**options), content) != first
    assert fingerprint(make(), images.load(photo[::-1])) != first


def test_of_several_networks_each_has_its_part_of_the_fingerprint(make, photo):
    runner = make(backbone="VGG19Mini:0.5,MobileNetV2", weights="random")
    parts = fingerprint(runner, images.load(photo))
    assert (parts["VGG19Mini backbone_weight"], parts["MobileNetV2 backbone_weight"]) == (0.5, 1.0)
    assert runner.minimum_side == max(branch.backbone.minimum_side for branch in runner.branches)
