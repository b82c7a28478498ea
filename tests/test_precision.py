"""The probe chooses by time alone, and once."""

import pytest

from tfstyle import precision


@pytest.fixture(autouse=True)
def _forget():
    precision.faster.cache_clear()
    yield
    precision.faster.cache_clear()


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
    monkeypatch.setattr(precision, "_seconds", lambda dtype: probed.append(dtype) or seconds[dtype])
    assert precision.faster() == precision.faster() == chosen
    assert probed == ["float32", "bfloat16"]


def test_the_probe_runs_in_both():
    assert 0 < precision._seconds("float32") < 60
    assert 0 < precision._seconds("bfloat16") < 60
    assert precision.faster() in ("float32", "bfloat16")
