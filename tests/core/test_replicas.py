"""What replicas have of a batch, and what they do together, on two logical devices."""

import json
import subprocess
import sys

import numpy as np
import pytest

TWO_DEVICES = """
import json
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from tfstyle.core import replicas
from tfstyle.core.step_random import StepRandom
from tfstyle.layers import ImagePool

pictures = np.arange(9, dtype="float32").reshape(9, 1, 1, 1)
found = []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        pool = ImagePool(2, seed=1)
        pool.build((None, 1, 1, 1))
        total = tf.Variable(0.0, aggregation=tf.VariableAggregation.SUM)

    @tf.function
    def step(batch, condition):
        number = tf.shape(batch)[0]
        replicas.when(condition, lambda mine: total.assign_add(mine), tf.reduce_sum(batch))
        return {
            "share": replicas.share(number)[None],
            "place": tf.stack(replicas.place(number))[None],
            "drawn": StepRandom(1, 2, number).uniform(),
            "all": replicas.gathered(batch[:, 0, 0, 0])[None],
            "pooled": pool(batch)[:, 0, 0, 0],
        }

    seen = {}
    for at, batch in enumerate(strategy.experimental_distribute_dataset(
        tf.data.Dataset.from_tensor_slices(pictures).batch(3)
    )):
        for name, value in strategy.run(step, args=(batch, tf.constant(at != 1))).items():
            local = tf.concat(strategy.experimental_local_results(value), 0)
            seen.setdefault(name, []).append(local.numpy().tolist())
    seen["stored"] = pool.pictures.numpy().ravel().tolist()
    seen["total"] = float(total.numpy())
    found.append(seen)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    run = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.large
def test_shares_and_places_of_uneven_parts(found):
    alone, together = found
    assert alone["share"] == [[1.0]] * 3
    assert alone["place"] == [[[0, 3]]] * 3
    np.testing.assert_allclose(together["share"], [[2 / 3, 1 / 3]] * 3, rtol=1e-6)
    assert together["place"] == [[[0, 3], [2, 3]]] * 3


@pytest.mark.large
def test_all_replicas_see_what_all_have(found):
    assert found[0]["all"] == [[[0, 1, 2]], [[3, 4, 5]], [[6, 7, 8]]]
    assert found[1]["all"] == [[each[0]] * 2 for each in found[0]["all"]]


@pytest.mark.large
def test_they_draw_what_one_device_draws(found):
    np.testing.assert_allclose(found[1]["drawn"], found[0]["drawn"], rtol=1e-6)


@pytest.mark.large
def test_they_share_one_pool(found):
    assert found[1]["pooled"] == found[0]["pooled"]
    assert found[1]["stored"] == found[0]["stored"]
    assert found[0]["pooled"][0] == [0, 1, 2] or found[0]["pooled"][0][2] in (0, 1)


@pytest.mark.large
def test_conditions_are_those_of_all(found):
    want = sum((0, 1, 2)) + sum((6, 7, 8))  # each replica has done it with its own
    assert (found[0]["total"], found[1]["total"]) == (want, want)
