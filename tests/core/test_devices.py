"""Several devices: several pictures at a time, each as it would be painted alone."""

import json
import subprocess
import sys

import pytest

from tfstyle.core import runtime

TWO_DEVICES = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
import tfstyle
from tfstyle import images, samples
from tfstyle.core import runtime
from tfstyle.pipelines import batch as batches

photo = images.load(samples.content("chelsea"), 48).rgb
style = images.load(samples.style("impasto", 128), 48).rgb
contents = [photo, photo[:, ::-1].copy(), photo[::-1].copy()]
settings = {"size": 48, "steps": 4, "backbone": tfstyle.Backbone("VGG16", "random", precision="float32"),
            "content_layers": "block2_conv1", "style_layers": ["block1_conv1", "block2_conv1"]}
alone = [tfstyle.transfer(content, style, **settings) for content in contents]
used = []
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
runtime.strategy = lambda: strategy
together = list(batches.transfer_batch(contents, style, **settings))
styles = [style, 1 - style, style[::-1].copy()]
each = [tfstyle.transfer(photo, one, **settings) for one in styles]
beside = list(batches.transfer_styles(photo, styles, **settings))
print(json.dumps({
    "replicas": strategy.num_replicas_in_sync,
    "losses": [[result.history["loss"] for result in results] for results in (alone, together)],
    "best": [[result.settings["best_loss"] for result in results] for results in (alone, together)],
    "off": [float(np.abs(a.image - b.image).max()) for a, b in zip(alone, together)],
    "styles_off": [float(np.abs(a.image - b.image).max()) for a, b in zip(each, beside)],
    "styles_apart": float(np.abs(each[0].image - each[1].image).max()),
    "apart": float(np.abs(alone[0].image - alone[1].image).max()),
}))
"""


@pytest.mark.large
def test_two_devices_paint_pictures_as_one_does():
    """Three pictures on two devices: the last pair is filled up, and its second picture left out."""
    run = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["replicas"] == 2
    assert len(found["off"]) == 3
    assert max(found["off"]) < 1e-4
    assert found["apart"] > 0.1
    assert len(found["styles_off"]) == 3  # two a device: the last place is filled up
    assert max(found["styles_off"]) < 1e-4
    assert found["styles_apart"] > 0.1
    for alone, together in zip(*found["losses"], strict=True):
        assert len(alone) == len(together) == 4
        assert all(abs(a - b) <= 1e-5 * a for a, b in zip(alone, together, strict=True))
    for alone, together in zip(*found["best"], strict=True):
        assert abs(alone - together) <= 1e-5 * alone


def test_one_device_needs_no_strategy():
    assert runtime.strategy() is None
