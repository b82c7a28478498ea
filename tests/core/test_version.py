"""The version of the package, and those of what it runs on."""

import tensorflow as tf

import tfstyle
from tfstyle.core.version import VERSION, versions


def test_versions_name_all_that_a_result_depends_on():
    found = versions()
    assert list(found) == ["tfstyle", "tensorflow", "keras", "numpy", "python"]
    assert found["tfstyle"] == VERSION == tfstyle.__version__
    assert found["tensorflow"] == tf.__version__
