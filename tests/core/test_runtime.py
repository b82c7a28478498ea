"""TensorFlow as it is loaded: once, and in time; and pipelines that it leaves alone."""

import json
import os
import subprocess
import sys

import pytest

from tfstyle.core.runtime import LARGE, bypass_proxy_between_workers, steady

NO_PROXY = "no_grpc_proxy"


@pytest.mark.parametrize(
    ("pixels", "given", "expected"), [(LARGE, None, "None"), (LARGE + 1, None, "1"), (LARGE + 1, "0", "0")]
)
def test_the_systems_allocator_is_asked_for_before_tensorflow_is_loaded(pixels, given, expected, monkeypatch):
    name = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"
    monkeypatch.delenv(name, raising=False)
    if given is not None:
        monkeypatch.setenv(name, given)
    code = f"""if True:
        import os, sys, importlib.abc

        class Watch(importlib.abc.MetaPathFinder):
            def find_spec(self, found, path=None, target=None):
                if found == "tensorflow":
                    print(os.environ.get("{name}"))
                    sys.stdout.flush()
                    os._exit(0)

        sys.meta_path.insert(0, Watch())
        from tfstyle.core.runtime import import_tensorflow
        import_tensorflow({pixels})
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == expected


def test_steady_pipelines_give_the_same_and_are_not_tuned():
    import tensorflow as tf

    dataset = steady(tf.data.Dataset.range(3).map(lambda x: x**2))
    assert [int(x) for x in dataset] == [0, 1, 4]
    assert dataset.batch(1).options().autotune.enabled is False


@pytest.mark.parametrize(
    ("cluster", "variables", "expected"),
    [
        ({"worker": ["localhost:1", "localhost:2"]}, {}, "localhost"),
        ({"worker": ["10.0.0.1:1", "[::1]:2"], "ps": {"0": "host:3"}}, {}, "10.0.0.1,::1,host"),
        ({"worker": ["localhost:1"]}, {"no_proxy": "example.org, localhost"}, None),
        ({"worker": ["localhost:1"]}, {"no_proxy": "example.org"}, "example.org,localhost"),
        ({"worker": ["localhost:1"]}, {"no_proxy": "localhost", "no_grpc_proxy": "other"}, "other,localhost"),
        ({}, {}, None),
    ],
)
def test_workers_reach_each_other_without_the_proxy(cluster, variables, expected, monkeypatch):
    """`test_battery.py` trains with workers behind a proxy that does not answer."""
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.setenv(name, variables.get(name, ""))
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 0}}))
    bypass_proxy_between_workers()
    assert (os.environ[NO_PROXY] or None) == expected


@pytest.mark.parametrize("config", ["", "{", "[]", '{"cluster": 1}', '{"cluster": {"worker": 1}}'])
def test_a_cluster_that_cannot_be_read_is_left_to_tensorflow(config, monkeypatch):
    monkeypatch.setenv(NO_PROXY, "")
    monkeypatch.setenv("TF_CONFIG", config)
    bypass_proxy_between_workers()
    assert os.environ[NO_PROXY] == ""
