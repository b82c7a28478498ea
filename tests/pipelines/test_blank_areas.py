"""Blank areas stay white through scales, masks, batches and checkpoints."""

import keras
import numpy as np
import pytest

from tfstyle import InputError, images, transfer, transfer_batch

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


@pytest.mark.parametrize("scales", [1, 2])
def test_the_sky_stays_white_and_the_ground_is_painted(painting, scales):
    given = FAST | {"size": 160, "scales": scales, "steps": 4, "style_weight": 10}
    photo = scene(120, 160)
    result = transfer(photo, painting, blank_areas=0.5, **given)
    assert result.image[:40, 16:56].min() > 0.98
    assert np.abs(result.image - photo)[90:].mean() > 0.02
    assert transfer(photo, painting, **given).image[:40, 16:56].min() < 0.9


def test_none_are_none_to_the_last_bit(painting):
    given = FAST | {"size": 80, "steps": 2}
    first, second = (transfer(scene(), painting, **given, **more) for more in ({}, {"blank_areas": 1}))
    np.testing.assert_array_equal(first.image, second.image)


def test_they_go_along_with_masks_and_with_the_next_picture(painting):
    """A canvas that is used again takes the blank areas of the new picture."""
    given = FAST | {"size": 80, "steps": 2, "blank_areas": 0.5}
    left = np.zeros((60, 80), "float32")
    left[:, :40] = 1
    photos = [scene(), scene()[:, ::-1].copy(), np.roll(scene(), 20, axis=1)]
    both = list(transfer_batch(photos, painting, **given, content_masks=left))
    for photo, result in zip(photos, both, strict=True):
        np.testing.assert_allclose(
            result.image, transfer(photo, painting, **given, content_masks=left).image, atol=1e-5
        )
        assert result.settings["content_sha256"] == images.load(photo).sha256


def test_a_checkpoint_knows_them(painting, tmp_path):
    def stop(batch, logs):
        if batch == 2:
            raise KeyboardInterrupt

    given = FAST | {"size": 80, "steps": 5, "blank_areas": 0.5}
    kept = {"checkpoint": tmp_path / "unfinished", "checkpoint_every": 1}
    whole = transfer(scene(), painting, **given)
    transfer(scene(), painting, **given, **kept, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)])
    with pytest.raises(InputError, match=r"has other settings \(blank areas was 0.5, is 0.6\)"):
        transfer(scene(), painting, **given | {"blank_areas": 0.6}, **kept, resume=True)
    np.testing.assert_allclose(
        transfer(scene(), painting, **given, **kept, resume=True).image, whole.image, atol=1e-4
    )
