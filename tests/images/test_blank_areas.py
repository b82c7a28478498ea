"""Voids: where a photograph is left as paper, and that it stays so through scales, masks and checkpoints."""

import keras
import numpy as np
import pytest

from tfstyle import InputError, images, transfer, transfer_batch
from tfstyle.images import blank_areas
from tfstyle.images.masks import regions, without
from tfstyle.images.picture import Picture

pytestmark = pytest.mark.usefixtures("eager")

FAST = {
    "backbone": "VGG16", "weights": "random", "precision": "float32", "optimizer": "adam", "tv_weight": 0,
    "content_layers": "block1_conv2", "style_layers": "block1_conv1",
}  # fmt: skip


def scene(height=60, width=80):
    """A bright sky over dark ground with detail, and a mast in the sky."""
    rgb = np.full((height, width, 3), [0.6, 0.7, 0.8])
    ground = height * 6 // 10
    rgb[ground:] = np.random.default_rng(0).uniform(0.1, 0.5, (height - ground, width, 1))
    rgb[height // 6 :, width // 2 : width // 2 + width // 8] = 0.15
    return rgb.astype("float32")


def picture(rgb):
    return Picture(rgb, None, "the scene")


@pytest.mark.parametrize("factor", [1, 3])
def test_what_is_bright_and_flat_is_void_up_to_its_edges(factor):
    found = blank_areas.found(picture(scene(60 * factor, 80 * factor)), 0.5)[::factor, ::factor]
    assert found.dtype == np.float32
    assert (found[:30, :34] == 1).all()  # the sky, to the last bit
    assert (found[40:] < 0.05).all()  # the ground
    assert (found[14:30, 42:48] < 0.05).all()  # the mast
    assert found[20, 36] > 0.9 > 0.1 > found[20, 44]
    assert ((found >= 0) & (found <= 1)).all()


def test_detail_is_no_void_however_bright():
    rgb = scene()
    rgb[:30] = np.random.default_rng(1).uniform(0.5, 1, (30, 80, 1))
    assert blank_areas.found(picture(rgb), 0.5)[:30].mean() < 0.2


def test_brightness_is_relative_to_the_photograph():
    first, second = (blank_areas.found(picture(scene() * np.float32(gain)), 0.5) for gain in (1, 0.4))
    np.testing.assert_allclose(first, second, atol=0.02)
    flat = blank_areas.found(picture(np.full((40, 40, 3), 0.5, "float32")), 0.5)
    assert np.isfinite(flat).all()


def test_a_higher_threshold_leaves_less():
    ramp = np.tile(np.linspace(0, 1, 200, dtype="float32")[None, :, None], (60, 1, 3))
    areas = [blank_areas.found(picture(ramp), brightness).mean() for brightness in (0.3, 0.5, 0.7)]
    np.testing.assert_allclose(areas, [0.7, 0.5, 0.3], atol=0.03)


def test_voids_are_lifted_to_white_and_their_lines_stay():
    rgb = scene()
    rgb[:30, 10] = 0.3  # thin, as a cable
    found = blank_areas.found(picture(rgb), 0.5)
    lifted = blank_areas.lifted(picture(rgb), found).rgb
    assert (lifted[:25, 16:34] == 1).all()
    assert lifted[10, 10].max() < 0.8
    np.testing.assert_allclose(lifted[45:], rgb[45:], atol=1e-6)
    np.testing.assert_array_equal(blank_areas.lifted(picture(rgb), np.zeros_like(found)).rgb, rgb)


def test_regions_lose_what_is_void():
    random = np.random.default_rng(0)
    where = regions([random.random((6, 8), "float32")], [random.random((5, 7), "float32")], [1.0], (6, 8), [(5, 7)])
    masks = [random.random(shape).astype("float32") for shape in ((6, 8), (5, 7))]
    found = without(where, masks, [(5, 7)])
    np.testing.assert_allclose(found.content, where.content * (1 - masks[0]), atol=1e-6)
    np.testing.assert_allclose(found.styles[0], where.styles[0] * (1 - masks[1]), atol=1e-6)
    np.testing.assert_array_equal(found.mix, where.mix)


@pytest.mark.parametrize(
    ("masks", "what"), [((np.ones, np.zeros), "the content picture"), ((np.zeros, np.ones), "style 1")]
)
def test_what_is_all_void_is_refused(masks, what):
    where = regions([], [], [1.0], (6, 8), [(5, 7)])
    given = [make(shape, "float32") for make, shape in zip(masks, ((6, 8), (5, 7)), strict=True)]
    with pytest.raises(InputError) as error:
        without(where, given, [(5, 7)])
    assert str(error.value) == f"a region of {what} is bare paper all over: raise the brightness of voids"


@pytest.mark.parametrize("scales", [1, 2])
def test_the_sky_stays_white_and_the_ground_is_painted(painting, scales):
    given = FAST | {"size": 160, "scales": scales, "steps": 4, "style_weight": 10}
    photo = scene(120, 160)
    result = transfer(photo, painting, voids=0.5, **given)
    assert result.settings["voids"] == 0.5
    assert result.image[:40, 16:56].min() > 0.98
    assert np.abs(result.image - photo)[90:].mean() > 0.02
    assert transfer(photo, painting, **given).image[:40, 16:56].min() < 0.9


def test_none_are_none_to_the_last_bit(painting):
    given = FAST | {"size": 80, "steps": 2}
    first, second = (transfer(scene(), painting, **given, **more) for more in ({}, {"voids": 1}))
    np.testing.assert_array_equal(first.image, second.image)


def test_they_go_along_with_masks_and_with_the_next_picture(painting):
    """A canvas that is used again takes the voids of the new picture."""
    given = FAST | {"size": 80, "steps": 2, "voids": 0.5}
    left = np.zeros((60, 80), "float32")
    left[:, :40] = 1
    photos = [scene(), scene()[:, ::-1].copy(), np.roll(scene(), 20, axis=1)]
    both = list(transfer_batch(photos, painting, **given, content_mask=left))
    for photo, result in zip(photos, both, strict=True):
        np.testing.assert_allclose(
            result.image, transfer(photo, painting, **given, content_mask=left).image, atol=1e-5
        )
        assert result.settings["content_sha256"] == images.load(photo).sha256


def test_a_checkpoint_knows_them(painting, tmp_path):
    def stop(batch, logs):
        if batch == 2:
            raise KeyboardInterrupt

    given = FAST | {"size": 80, "steps": 5, "voids": 0.5}
    kept = {"checkpoint": tmp_path / "unfinished", "checkpoint_every": 1}
    whole = transfer(scene(), painting, **given)
    transfer(scene(), painting, **given, **kept, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)])
    with pytest.raises(InputError, match=r"is of other settings \(voids was 0.5, is 0.6\)"):
        transfer(scene(), painting, **given | {"voids": 0.6}, **kept, resume=True)
    np.testing.assert_allclose(
        transfer(scene(), painting, **given, **kept, resume=True).image, whole.image, atol=1e-4
    )
