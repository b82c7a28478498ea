"""TensorFlow as it is loaded: once, and in time; and pipelines that it leaves alone."""

import subprocess
import sys

import pytest

from tfstyle.core.runtime import LARGE, steady


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
