"""The probe chooses by time alone, and once."""

import graphs
import keras
import pytest

from tfstyle.core import precision


@pytest.fixture(autouse=True)
def _forget():
    precision.faster.cache_clear()
    yield
    graphs.choose_float32()


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"float32": 1.0, "bfloat16": 0.5}, "bfloat16"),
        ({"float32": 1.0, "bfloat16": 0.95}, "float32"),
        ({"float32": 1.0, "bfloat16": 4.0}, "float32"),
    ],
)
def test_bfloat16_must_be_clearly_faster(monkeypatch, seconds, chosen):
    probed = []
    monkeypatch.setattr(precision, "_seconds", lambda dtype, **_: probed.append(dtype) or seconds[dtype])
    assert precision.faster() == precision.faster() == chosen
    assert probed == ["float32", "bfloat16"]


@pytest.mark.large
def test_the_probe_runs_in_both():
    assert 0 < precision._seconds("float32") < 60
    assert 0 < precision._seconds("bfloat16") < 60
    assert precision.faster() in ("float32", "bfloat16")


@pytest.mark.parametrize(("compiled", "chosen"), [(0.5, True), (0.95, False), (2.0, False)])
def test_xla_must_be_clearly_faster_and_is_not_tried_without_a_gpu(monkeypatch, compiled, chosen):
    import tensorflow as tf

    precision.compiled_faster.cache_clear()
    monkeypatch.setattr(precision, "_seconds", lambda dtype, jit_compile=False: compiled if jit_compile else 1.0)
    assert not precision.compiled_faster("float32")
    precision.compiled_faster.cache_clear()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
    assert precision.compiled_faster("float32") is chosen
    precision.compiled_faster.cache_clear()


def test_the_probe_runs_compiled():
    assert 0 < precision._seconds("float32", jit_compile=True) < 120


def test_an_xla_that_fails_is_not_used(monkeypatch):
    import tensorflow as tf

    def failing(dtype, jit_compile=False):
        if jit_compile:
            raise tf.errors.InternalError(None, None, "libdevice not found")
        return 1.0

    precision.compiled_faster.cache_clear()
    monkeypatch.setattr(precision, "_seconds", failing)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
    assert not precision.compiled_faster("bfloat16")
    precision.compiled_faster.cache_clear()


@pytest.mark.parametrize(
    ("policy", "dtype"),
    [("float64", "float64"), ("float32", "float32"), ("mixed_bfloat16", "float32"), ("float16", "float32")],
)
def test_images_are_never_in_half_precision(policy, dtype):
    assert precision.image_dtype(policy) == dtype
    assert precision.image_dtype(keras.dtype_policies.get(policy)) == dtype
